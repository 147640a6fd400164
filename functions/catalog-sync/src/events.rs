//! Events that are no requests: the schedule's, and the table's stream of changes in the model registry.

use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::Value;
use shared::Result;
use shared::model::ProjectId;
use shared::state::AppState;

use crate::project::refresh;
use crate::reconcile::{Extent, reconcile};
use crate::summary::Summary;

/// Handles an event that must be done by `deadline`, and answers with a summary for the log.
pub async fn handle(state: AppState, event: Value, deadline: Instant) -> Result<Value> {
    let (summary, finished) = match event["Records"].as_array() {
        Some(records) => (refresh_owners(&state, records).await?, true),
        None => {
            let progress = reconcile(&state, Extent::News, Some(deadline)).await?;
            (progress.summary, progress.finished)
        }
    };
    tracing::info!(%summary, finished, "the catalog is synchronised");
    Ok(serde_json::json!({ "summary": summary, "finished": finished }))
}

/// The registry of these projects changed: their items name its models.
async fn refresh_owners(state: &AppState, records: &[Value]) -> Result<Summary> {
    let owners: BTreeSet<u64> = records.iter().filter_map(owner).collect();
    let mut summary = Summary::default();
    for owner in owners {
        summary += refresh(state, ProjectId(owner)).await?;
    }
    Ok(summary)
}

/// The project in a record of DynamoDB's stream, by its new or old image.
fn owner(record: &Value) -> Option<u64> {
    let number = |image: &str| record["dynamodb"][image]["project"]["N"].as_str()?.parse().ok();
    number("NewImage").or_else(|| number("OldImage"))
}
