//! Embedded DynamoDB through the AWS SDK.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};

use super::process::{Process, dynamodb, local};

async fn create_table(client: &Client) {
    let key = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash).build().unwrap();
    let attribute =
        AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S).build().unwrap();
    let create = client.create_table().table_name("perigee").billing_mode(BillingMode::PayPerRequest);
    create.key_schema(key).attribute_definitions(attribute).send().await.unwrap();
}

async fn put(client: &Client, key: String) {
    let put = client.put_item().table_name("perigee").item("pk", AttributeValue::S(key));
    put.item("n", AttributeValue::N("1".to_owned())).send().await.unwrap();
}

/// Writers go on until the process dies under them; whatever was acknowledged is there after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_writes_survive_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--only-emulators", "--emulator-ports", "0,0,0", "--data", folder.path().to_str().unwrap()];
    let process = Process::start(&mut local(&args));
    let client = dynamodb(process.url("dynamodb")).await;
    create_table(&client).await;
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let client = client.clone();
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                for n in 0.. {
                    let key = format!("{writer}/{n}");
                    let put = client.put_item().table_name("perigee").item("pk", AttributeValue::S(key.clone()));
                    let no_retry = aws_sdk_dynamodb::config::Builder::new()
                        .retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled());
                    match put.customize().config_override(no_retry).send().await {
                        Ok(_) => acknowledged.push(key),
                        Err(_) => break,
                    }
                }
                acknowledged
            })
        })
        .collect();
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    process.kill();

    let process = Process::start(&mut local(&args));
    let client = dynamodb(process.url("dynamodb")).await;
    let mut checked = 0;
    for writer in writers {
        for key in writer.await.unwrap() {
            let get = client.get_item().table_name("perigee").key("pk", AttributeValue::S(key.clone()));
            assert!(get.consistent_read(true).send().await.unwrap().item.is_some(), "{key}");
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked} writes before the kill");
    put(&client, "after".to_owned()).await;
    process.kill();
}

#[tokio::test]
async fn memory_keeps_nothing() {
    for _ in 0..2 {
        let running = super::emulators().await;
        let client = dynamodb(running.dynamodb.endpoint().unwrap()).await;
        assert_eq!(client.list_tables().send().await.unwrap().table_names(), [""; 0]);
        create_table(&client).await;
        put(&client, "x".to_owned()).await;
        running.stop().await;
    }
}
