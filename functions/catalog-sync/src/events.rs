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
    let categories: Vec<&str> = state.config.categories.iter().map(|category| category.id.as_str()).collect();
    let mut summary = Summary::default();
    let mut failed = None;
    for owner in owners.into_iter().map(ProjectId) {
        // One project that cannot be read holds up no other. All come again, some times; then it is the schedule's,
        // to which GitLab says nothing of the registry.
        match refresh(state, owner).await {
            Ok(more) => summary += more,
            Err(error) => {
                state.store.doubt_catalog_items(owner, &categories).await?;
                failed = failed.or(Some(error));
            }
        }
    }
    failed.map_or(Ok(summary), Err)
}

/// The project in a record of DynamoDB's stream, by its new or old image.
fn owner(record: &Value) -> Option<u64> {
    let number = |image: &str| record["dynamodb"][image]["project"]["N"].as_str()?.parse().ok();
    number("NewImage").or_else(|| number("OldImage"))
}
