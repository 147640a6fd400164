//! The catalog, from GitLab's change to each caller's answer.

mod budgets;
mod changes;
mod damage;
mod deployed;
mod hidden;
mod lag;
mod lifetimes;
mod many;
mod matrix;
mod models;
mod outages;
mod regressions;
mod snapshots;
mod sync;
mod walk;
mod webhooks;

use axum::body::Body;
use catalog_sync::{Extent, Progress, Summary, reconcile};
use form_urlencoded::Serializer;
use http::{Method, Request};
use local::gitlab::Visibility;
use serde_json::Value;
use shared::config::Config;
use shared::state::AppState;

use crate::hub::{Answer, Hub};

pub const NOBODY: &str = "";
pub const ADMIN: &str = "glpat-local-catalog";
pub const REPORTER: &str = "glpat-local-reporter";
/// A token that GitLab does not know.
pub const BAD: &str = "glpat-nobody-has-this";
/// The id of the first project that a test adds.
pub const FIRST: u64 = 1_000;

/// The same hub with other settings; nothing in memory.
pub async fn configured(hub: &Hub, change: impl FnOnce(&mut Config)) -> Hub {
    let mut config = (*hub.state.config).clone();
    change(&mut config);
    let (dynamodb, s3) = (hub.backends.dynamodb.sdk_config().await, hub.backends.s3.sdk_config().await);
    let state = AppState::new(config, &dynamodb, &s3, hub.clock.clone()).unwrap();
    let mut other = hub.clone();
    other.router = local::hub::router(&state);
    other.state = state;
    other
}

/// A hub whose catalog has the demo world's five items.
pub async fn synced() -> Hub {
    let hub = Hub::start().await;
    let done = everything(&hub).await;
    assert_eq!((done.summary.written, done.summary.failed, done.finished), (5, 0, true));
    hub
}

pub async fn everything(hub: &Hub) -> Progress {
    reconcile(&hub.state, Extent::Everything, None).await.unwrap()
}

pub async fn news(hub: &Hub) -> Summary {
    let done = reconcile(&hub.state, Extent::News, None).await.unwrap();
    assert!(done.finished);
    done.summary
}

/// A project of a category's topic with a README, in the group `earth`, whose path is unused so far.
pub fn add_project(hub: &Hub, id: u64, path: &str, visibility: Visibility, category: &str, readme: &str) {
    hub.world.add_project(id, path, visibility).expect("a free id and path in a known group");
    hub.world.set_topics(path, &[&format!("sharinghub:{category}")]).unwrap();
    hub.world.put_file(path, "README.md", readme).unwrap();
}

/// Lets every instance's index look for changes at its next search.
pub fn refresh(hub: &Hub) {
    hub.clock.advance(1_000);
}

pub async fn get(hub: &Hub, token: &str, path: &str) -> Answer {
    hub.call(token, Method::GET, path, None).await
}

pub async fn item(hub: &Hub, token: &str, collection: &str, id: &str) -> Answer {
    refresh(hub);
    get(hub, token, &format!("/api/stac/collections/{collection}/items/{id}")).await
}

/// The item as an administrator of GitLab sees it: whole.
#[track_caller]
pub fn whole(hub: &Hub, collection: &str, id: &str) -> impl Future<Output = Value> {
    let (hub, collection, id) = (hub.clone(), collection.to_owned(), id.to_owned());
    async move { item(&hub, ADMIN, &collection, &id).await.ok() }
}

pub async fn search(hub: &Hub, token: &str, parameters: &[(&str, &str)]) -> Value {
    refresh(hub);
    let query = Serializer::new(String::new()).extend_pairs(parameters).finish();
    get(hub, token, &format!("/api/stac/search?{query}")).await.ok()
}

/// What an answer shows, as `collection/id`, in its order.
pub fn ids(found: &Value) -> Vec<String> {
    let features = found["features"].as_array().expect("an item collection");
    let name =
        |feature: &Value| format!("{}/{}", feature["collection"].as_str().unwrap(), feature["id"].as_str().unwrap());
    features.iter().map(name).collect()
}

/// What a search finds; its numbers must say the same.
pub async fn found(hub: &Hub, token: &str, parameters: &[(&str, &str)]) -> Vec<String> {
    let answer = search(hub, token, parameters).await;
    let found = ids(&answer);
    assert_eq!(answer["numberMatched"], found.len(), "{parameters:?}");
    assert_eq!(answer["numberReturned"], found.len(), "{parameters:?}");
    found
}

/// Sends what GitLab would post to the webhook.
pub async fn post_hook(hub: &Hub, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Request::builder().method(Method::POST).uri("/api/webhooks/gitlab");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    hub.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

/// The warnings of an item.
pub fn warnings(item: &Value) -> Vec<String> {
    let list = item["properties"]["sharinghub:warnings"].as_array().cloned().unwrap_or_default();
    list.iter().map(|warning| warning.as_str().unwrap().to_owned()).collect()
}

/// The links of one relation.
pub fn links<'a>(document: &'a Value, rel: &str) -> Vec<&'a Value> {
    document["links"].as_array().unwrap().iter().filter(|link| link["rel"] == rel).collect()
}
