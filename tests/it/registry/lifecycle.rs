//! A model from its creation to its end.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::json;

use super::{call, new_model, new_version, texts};
use crate::hub::{Hub, table};

#[tokio::test]
async fn the_life_of_a_model() {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("training").await;
    let run = hub.new_run(&experiment).await;
    let tags = json!([{"key": "team", "value": "water"}]);
    let body = json!({"name": "floods", "description": "Where the water stands", "tags": tags});
    hub.post("registered-models/create", body).await.ok();
    let source = format!("mlflow-artifacts:/{experiment}/{run}/artifacts/model");
    let body = json!({"name": "floods", "source": source, "run_id": run, "tags": tags});
    hub.post("model-versions/create", body).await.ok();
    new_version(&hub, "floods").await;
    hub.post("registered-models/alias", json!({"name": "floods", "alias": "best", "version": "1"})).await.ok();
    let body = json!({"name": "floods", "version": "2", "stage": "production"});
    hub.post("model-versions/transition-stage", body).await.ok();
    let model = hub.get("registered-models/get?name=floods").await.ok();
    let best = hub.get("registered-models/alias?name=floods&alias=best").await.ok();
    let uri = hub.get("model-versions/get-download-uri?name=floods&version=1").await.ok();
    assert_eq!(uri["artifact_uri"], source.as_str());
    insta::assert_json_snapshot!(json!({"model": model, "best": best}), {
        ".**.creation_timestamp" => "[ms]",
        ".**.last_updated_timestamp" => "[ms]",
        ".**.run_id" => insta::dynamic_redaction(|value, _| if value.as_str() == Some("") { value } else { "[run]".into() }),
        ".**.source" => insta::dynamic_redaction(move |value, _| {
            value.as_str().unwrap_or_default().replace(&run, "[run]")
        }),
    });
}

#[tokio::test]
async fn a_deleted_model_leaves_nothing_behind() {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("training").await;
    let run = hub.new_run(&experiment).await;
    let before = keys(&hub).await;
    // Large tags lie on pages of their own.
    let large = json!([{"key": "text", "value": "x".repeat(50_000)}]);
    hub.post("registered-models/create", json!({"name": "first", "tags": large})).await.ok();
    for _ in 0..3 {
        let body = json!({"name": "first", "source": format!("runs:/{run}/model"), "run_id": run, "tags": large});
        hub.post("model-versions/create", body).await.ok();
    }
    call(&hub, Method::DELETE, "model-versions/delete", json!({"name": "first", "version": "2"})).await.ok();
    hub.post("registered-models/rename", json!({"name": "first", "new_name": "second"})).await.ok();
    let renamed = hub.get("registered-models/get?name=second").await.ok();
    assert_eq!(renamed["registered_model"]["tags"][0]["value"].as_str().unwrap().len(), 50_000);
    let gone = hub.get("registered-models/get?name=first").await;
    assert_eq!((gone.status, gone.code().as_str()), (StatusCode::NOT_FOUND, "RESOURCE_DOES_NOT_EXIST"));
    call(&hub, Method::DELETE, "registered-models/delete", json!({"name": "second"})).await.ok();
    assert_eq!(keys(&hub).await, before);
    // The name is free again, and its versions begin anew.
    new_model(&hub, "second").await;
    assert_eq!(new_version(&hub, "second").await, "1");
}

/// The keys of all items, without the project's own item.
async fn keys(hub: &Hub) -> BTreeSet<String> {
    let scan = table(hub).await.scan().table_name(&hub.state.config.table).send().await.unwrap();
    let text = |item: &std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>, name: &str| {
        item[name].as_s().unwrap().clone()
    };
    let items = scan.items().iter().map(|item| format!("{} / {}", text(item, "PK"), text(item, "SK")));
    items.filter(|key| !key.starts_with("TOKEN#")).collect()
}

#[tokio::test]
async fn stages_follow_their_versions() {
    let hub = Hub::start().await;
    new_model(&hub, "staged").await;
    for _ in 0..4 {
        new_version(&hub, "staged").await;
    }
    let to = |version: &'static str, stage: &'static str, archive: bool| {
        let body = json!({"name": "staged", "version": version, "stage": stage, "archive_existing_versions": archive});
        let hub = &hub;
        async move { hub.post("model-versions/transition-stage", body).await.ok() }
    };
    to("1", "Production", false).await;
    to("2", "Production", false).await;
    to("3", "production", true).await;
    let latest = hub.get("registered-models/get-latest-versions?name=staged").await.ok();
    assert_eq!(texts(&latest["model_versions"], "version"), ["2", "3", "4"]);
    assert_eq!(texts(&latest["model_versions"], "current_stage"), ["Archived", "Production", "None"]);
    call(&hub, Method::DELETE, "model-versions/delete", json!({"name": "staged", "version": "3"})).await.ok();
    let latest = hub.get("registered-models/get-latest-versions?name=staged").await.ok();
    assert_eq!(texts(&latest["model_versions"], "version"), ["2", "4"]);
    assert_eq!(new_version(&hub, "staged").await, "5");
}
