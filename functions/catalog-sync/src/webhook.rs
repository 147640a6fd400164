//! GitLab's webhooks: something happened in a project, so its items are refreshed at once.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::extract::{Json, read_body};
use shared::model::ProjectId;
use shared::state::AppState;
use shared::{Error, Result};

use crate::project::refresh;

/// What became of an event.
#[derive(JsonSchema, Serialize)]
pub struct Outcome {
    /// In words.
    outcome: String,
}

/// An event as GitLab sends it; of its many fields only those that name the project count.
#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "read by hand")]
pub struct Event {
    /// Kind of a project's or group's event.
    object_kind: Option<String>,
    /// Kind of a system event.
    event_name: Option<String>,
    /// Id of the project.
    project_id: Option<u64>,
}

/// GitLab gives up on a webhook after 10 s.
const PATIENCE: Duration = Duration::from_secs(8);

/// POST `/api/webhooks/gitlab`: project, group and system hooks. A delivery that comes twice is answered twice and
/// handled once; one that could not be handled is answered 503, and the schedule mends what it was about.
pub async fn receive_webhook(State(state): State<Arc<AppState>>, request: Request<Body>) -> Result<Json<Outcome>> {
    let (parts, body) = request.into_parts();
    let event: Value = serde_json::from_slice(&read_body(body).await?)
        .map_err(|error| Error::invalid(format!("the body is not JSON: {error}")))?;
    let Some(id) = project(&event) else {
        return Ok(done("ignored: the event is about no project"));
    };
    let delivery = delivery(&parts.headers);
    // A claim of which nothing is known holds nothing up: the worst is that a project is refreshed twice.
    if let Some(delivery) = &delivery
        && matches!(state.store.claim_delivery(delivery).await, Ok(false))
    {
        return Ok(done("handled before"));
    }
    let refreshed = match tokio::time::timeout(PATIENCE, refresh(&state, id)).await {
        Ok(refreshed) => refreshed,
        Err(_) => Err(Error::Unavailable("a webhook's project took longer than 8 s to read".into())),
    };
    match refreshed {
        Ok(summary) => {
            tracing::info!(project = id.0, %summary, "webhook");
            Ok(done(&summary.to_string()))
        }
        Err(error) => {
            if let Some(delivery) = &delivery {
                state.store.release_delivery(delivery).await?;
            }
            Err(error)
        }
    }
}

fn done(outcome: &str) -> Json<Outcome> {
    Json(Outcome { outcome: outcome.to_owned() })
}

/// What stays the same when GitLab sends an event again.
fn delivery(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name)?.to_str().ok().filter(|text| !text.is_empty() && text.len() <= 200);
    text("idempotency-key").or_else(|| text("x-gitlab-event-uuid")).map(str::to_owned)
}

/// The project that an event of any kind is about.
fn project(event: &Value) -> Option<ProjectId> {
    let id = event["project_id"].as_u64().or_else(|| event["project"]["id"].as_u64());
    id.or_else(|| event["object_attributes"]["project_id"].as_u64()).filter(|id| *id > 0).map(ProjectId)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_name_their_project() {
        for (event, expected) in [
            (json!({ "object_kind": "push", "project_id": 7, "project": { "id": 7 } }), Some(7)),
            (json!({ "object_kind": "release", "project": { "id": 8 } }), Some(8)),
            (json!({ "event_name": "project_rename", "project_id": 9 }), Some(9)),
            (json!({ "event_name": "user_create", "user_id": 1 }), None),
            (json!({ "project_id": "7" }), None),
            (json!([]), None),
        ] {
            assert_eq!(project(&event), expected.map(ProjectId), "{event}");
        }
    }
}
