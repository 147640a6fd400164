//! The table's definition, for stacks that CloudFormation does not make.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, TimeToLiveSpecification,
};

use super::{Store, keys};
use crate::error::{Error, Result};

impl Store {
    /// Creates the table if it is missing, with the keys, index and TTL of `template.yaml`.
    pub async fn create_table(&self) -> Result<()> {
        let described = self.client.describe_table().table_name(&self.table).send().await;
        match described {
            Ok(_) => return Ok(()),
            Err(error) => {
                let missing = error.as_service_error().is_some_and(|cause| cause.is_resource_not_found_exception());
                if !missing {
                    return Err(Error::Unavailable(format!("cannot reach DynamoDB: {}", chain(&error))));
                }
            }
        }
        let created = self
            .client
            .create_table()
            .table_name(&self.table)
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some(vec![
                attribute("PK")?,
                attribute("SK")?,
                attribute("GSI1PK")?,
                attribute("GSI1SK")?,
            ]))
            .set_key_schema(Some(key_schema("PK", "SK")?))
            .global_secondary_indexes(
                GlobalSecondaryIndex::builder()
                    .index_name(keys::GSI1)
                    .set_key_schema(Some(key_schema("GSI1PK", "GSI1SK")?))
                    .projection(Projection::builder().projection_type(ProjectionType::All).build())
                    .build()
                    .map_err(Error::internal)?,
            )
            .send()
            .await;
        if let Err(error) = created {
            // Another instance was faster: fine.
            if !error.as_service_error().is_some_and(|cause| cause.is_resource_in_use_exception()) {
                return Err(Error::internal(format!("cannot create table {}: {}", self.table, chain(&error))));
            }
        }
        self.wait_until_active().await?;
        let ttl =
            TimeToLiveSpecification::builder().enabled(true).attribute_name("ttl").build().map_err(Error::internal)?;
        if let Err(error) =
            self.client.update_time_to_live().table_name(&self.table).time_to_live_specification(ttl).send().await
        {
            // TTL only collects garbage; readers compare expiry themselves.
            tracing::warn!(error = chain(&error), "could not enable TTL");
        }
        Ok(())
    }

    async fn wait_until_active(&self) -> Result<()> {
        for _ in 0..100 {
            let described = self.client.describe_table().table_name(&self.table).send().await;
            let status = described.ok().and_then(|answer| answer.table).and_then(|table| table.table_status);
            if status.is_some_and(|status| status.as_str() == "ACTIVE") {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        Err(Error::Unavailable(format!("table {} did not become active within 10 s", self.table)))
    }
}

fn attribute(name: &str) -> Result<AttributeDefinition> {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(ScalarAttributeType::S)
        .build()
        .map_err(Error::internal)
}

fn key_schema(hash: &str, range: &str) -> Result<Vec<KeySchemaElement>> {
    [(hash, KeyType::Hash), (range, KeyType::Range)]
        .into_iter()
        .map(|(name, kind)| {
            KeySchemaElement::builder().attribute_name(name).key_type(kind).build().map_err(Error::internal)
        })
        .collect()
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    aws_sdk_dynamodb::error::DisplayErrorContext(error).to_string()
}
