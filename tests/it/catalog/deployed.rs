//! The deployed functions by their events: the gateway's, the schedule's, the table's stream.

use std::time::{Duration, Instant};

use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use serde_json::{Value, json};

use super::*;

/// What the gateway makes of a request.
fn event(method: &str, path: &str, query: &str, headers: Value, body: Option<&str>) -> ApiGatewayV2httpRequest {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../events/registry.json")).unwrap();
    let mut event: Value = serde_json::from_str(&text).unwrap();
    event["requestContext"]["http"]["method"] = json!(method);
    event["requestContext"]["http"]["path"] = json!(path);
    event["rawPath"] = json!(path);
    event["rawQueryString"] = json!(query);
    event["headers"] = headers;
    event["body"] = json!(body.map(|body| BASE64.encode(body)));
    event["isBase64Encoded"] = json!(body.is_some());
    serde_json::from_value(event).unwrap()
}

async fn ask(router: &Router, event: ApiGatewayV2httpRequest) -> (i64, Value) {
    let answer = shared::lambda::answer(router.clone(), event, "the-id-of-lambda").await;
    let answer: ApiGatewayV2httpResponse = serde_json::from_value(serde_json::to_value(answer).unwrap()).unwrap();
    let bytes = match &answer.body {
        Some(lambda_http::Body::Text(text)) if answer.is_base64_encoded => BASE64.decode(text).unwrap(),
        Some(lambda_http::Body::Text(text)) => text.clone().into_bytes(),
        _ => Vec::new(),
    };
    (answer.status_code, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(600)
}

#[tokio::test]
async fn a_webhook_through_the_gateway() {
    let hub = configured(&Hub::start().await, |config| config.webhook_secret = Some("hook".into())).await;
    let (sync, catalog) = (catalog_sync::router(&hub.state), stac_catalog::router(&hub.state));
    let body = json!({ "object_kind": "push", "project_id": 2 }).to_string();
    let path = "/api/webhooks/gitlab";
    let headers = json!({ "x-gitlab-token": "hook", "content-type": "application/json", "idempotency-key": "k" });
    assert_eq!(ask(&sync, event("POST", path, "", json!({}), Some(&body))).await.0, 401);
    assert_eq!(ask(&sync, event("GET", path, "", headers.clone(), None)).await.0, 405);
    assert_eq!(ask(&sync, event("POST", "/api/webhooks/other", "", headers.clone(), Some(&body))).await.0, 404);
    for said in ["1 items written", "handled before"] {
        let (status, answer) = ask(&sync, event("POST", path, "", headers.clone(), Some(&body))).await;
        assert_eq!(status, 200);
        assert!(answer["outcome"].as_str().unwrap().starts_with(said), "{answer}");
    }
    // The gateway has decoded the path, slashes included.
    let path = "/api/stac/collections/aimodel/items/earth/land-cover";
    let (status, item) = ask(&catalog, event("GET", path, "", json!({}), None)).await;
    assert_eq!((status, &item["id"]), (200, &json!("earth/land-cover")));
    refresh(&hub);
    let body = json!({ "ids": ["earth/land-cover"], "limit": 1 }).to_string();
    let headers = json!({ "content-type": "application/json" });
    let (status, page) = ask(&catalog, event("POST", "/api/stac/search", "", headers, Some(&body))).await;
    assert_eq!((status, ids(&page)), (200, vec!["aimodel/earth/land-cover".to_owned()]));
    let (status, page) = ask(&catalog, event("GET", "/api/stac/search", "q=land%20cover", json!({}), None)).await;
    assert_eq!((status, &page["numberMatched"]), (200, &json!(1)));
}

#[tokio::test]
async fn the_schedule_reconciles_until_its_deadline() {
    let hub = Hub::start().await;
    let scheduled = json!({ "source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {} });
    let done = catalog_sync::handle(hub.state.clone(), scheduled.clone(), soon()).await.unwrap();
    assert_eq!((&done["finished"], &done["summary"]["written"]), (&json!(true), &json!(5)));
    assert_eq!(found(&hub, ADMIN, &[]).await.len(), 5);
    let done = catalog_sync::handle(hub.state.clone(), scheduled.clone(), soon()).await.unwrap();
    assert_eq!((&done["summary"]["skipped"], &done["summary"]["written"]), (&json!(5), &json!(0)));
    let done = catalog_sync::handle(hub.state.clone(), scheduled, Instant::now()).await.unwrap();
    assert_eq!(done["finished"], false);
}

#[tokio::test]
async fn a_stream_of_changes_refreshes_their_projects_once() {
    let hub = synced().await;
    let record =
        |image: &str, project: u64| json!({ "dynamodb": { image: { "project": { "N": project.to_string() } } } });
    let records =
        vec![record("NewImage", 1), record("OldImage", 1), record("NewImage", 2), record("NewImage", 77), json!({})];
    hub.world.reset_calls();
    let done = catalog_sync::handle(hub.state.clone(), json!({ "Records": records }), soon()).await.unwrap();
    assert_eq!((&done["summary"]["unchanged"], &done["summary"]["removed"]), (&json!(2), &json!(0)));
    assert_eq!(hub.world.calls()["GET /api/v4/projects/{id}"], 3, "two that are there and one that is not");
    let done = catalog_sync::handle(hub.state.clone(), json!({ "Records": [] }), soon()).await.unwrap();
    assert_eq!(done["summary"]["unchanged"], 0);
    // A batch that cannot be done comes again.
    hub.world.fail(local::gitlab::Fault::Status { code: 503, retry_after: Some(0) });
    let failed = catalog_sync::handle(hub.state.clone(), json!({ "Records": [record("NewImage", 1)] }), soon()).await;
    assert!(failed.is_err());
}

/// GitLab's list says nothing of the registry: what the stream could not bring, the schedule must look for all the same.
#[tokio::test]
async fn changes_of_the_registry_outlast_an_outage_and_do_not_wait_for_each_other() {
    let hub = synced().await;
    hub.post("registered-models/create", json!({ "name": "mapper" })).await.ok();
    hub.post("model-versions/create", json!({ "name": "mapper", "source": "s3://elsewhere/model" })).await.ok();
    let record = |project: u64| json!({ "dynamodb": { "NewImage": { "project": { "N": project.to_string() } } } });
    let event = json!({ "Records": [record(1), record(2)] });
    let models = async || links(&whole(&hub, "aimodel", "earth/flood-model").await, "mlflow:model").len();
    hub.world.fail_next(1, local::gitlab::Fault::Status { code: 403, retry_after: None });
    hub.world.reset_calls();
    assert!(catalog_sync::handle(hub.state.clone(), event, soon()).await.is_err());
    assert_eq!((hub.world.calls()["GET /api/v4/projects/{id}"], models().await), (2, 0), "the second was asked for");
    let scheduled = json!({ "source": "aws.scheduler" });
    let done = catalog_sync::handle(hub.state.clone(), scheduled.clone(), soon()).await.unwrap();
    assert_eq!(done["summary"]["written"], 1, "{done}");
    assert_eq!(models().await, 1);
    let done = catalog_sync::handle(hub.state.clone(), scheduled, soon()).await.unwrap();
    assert_eq!((&done["summary"]["written"], &done["summary"]["skipped"]), (&json!(0), &json!(5)));
}
