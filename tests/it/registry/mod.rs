//! The model registry: registered models, versions, aliases.

mod budgets;
mod concurrency;
mod lifecycle;
mod paging;
mod sources;

use http::Method;
use serde_json::{Value, json};

use crate::hub::{Answer, DEVELOPER, FLOOD, Hub};

/// Creates a model in `earth/flood-model`.
async fn new_model(hub: &Hub, name: &str) {
    hub.post("registered-models/create", json!({"name": name})).await.ok();
}

/// Creates a version of it; its number.
async fn new_version(hub: &Hub, name: &str) -> String {
    let created = hub.post("model-versions/create", json!({"name": name, "source": "s3://bucket/model"})).await.ok();
    created["model_version"]["version"].as_str().unwrap().to_owned()
}

async fn call(hub: &Hub, method: Method, endpoint: &str, body: Value) -> Answer {
    hub.call(DEVELOPER, method, &format!("{FLOOD}/api/2.0/mlflow/{endpoint}"), Some(body)).await
}

fn texts(list: &Value, field: &str) -> Vec<String> {
    let list = list.as_array().cloned().unwrap_or_default();
    list.iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}
