//! Artifacts through the assembled hub.

mod access;
mod budgets;
pub mod faults;
mod files;
mod large;
mod multipart;
mod paths;
mod presigned;

use axum::body::Body;
use http::{Method, Request, header};
use serde_json::{Value, json};

use crate::hub::{Answer, DEVELOPER, FLOOD, GLOBAL, Hub};

/// Below a view: the artifact store, as clients and as the web UI address it.
const PROXY: &str = "/api/2.0/mlflow-artifacts/artifacts";
const TWIN: &str = "/ajax-api/2.0/mlflow-artifacts/artifacts";
const MPU: &str = "/api/2.0/mlflow-artifacts/mpu";
const PRESIGNED: &str = "/api/2.0/mlflow-artifacts/presigned";
/// The view of a project that the developer does not see.
const LAB: &str = "/mlflow/lab/secret-model/tracking";

/// Calls with a body as it is.
async fn send(hub: &Hub, token: &str, method: Method, url: &str, body: impl Into<Body>) -> Answer {
    let mut request = Request::builder().method(method).uri(url);
    if !token.is_empty() {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    hub.send(request.body(body.into()).unwrap()).await
}

async fn put(hub: &Hub, path: &str, body: impl Into<Body>) -> Answer {
    send(hub, DEVELOPER, Method::PUT, &format!("{FLOOD}{PROXY}/{path}"), body).await
}

async fn get(hub: &Hub, path: &str) -> Answer {
    send(hub, DEVELOPER, Method::GET, &format!("{FLOOD}{PROXY}/{path}"), "").await
}

/// `path size` of each file, `path/` of each directory.
fn lines(list: &Value) -> Vec<String> {
    let files = list["files"].as_array().cloned().unwrap_or_default();
    let line = |file: &Value| match (file["is_dir"].as_bool().unwrap(), file["file_size"].as_u64()) {
        (true, None) => format!("{}/", file["path"].as_str().unwrap()),
        (false, Some(size)) => format!("{} {size}", file["path"].as_str().unwrap()),
        (false, None) => file["path"].as_str().unwrap().to_owned(),
        (true, Some(_)) => panic!("a directory has a size: {file}"),
    };
    files.iter().map(line).collect()
}

async fn list(hub: &Hub, path: &str) -> Vec<String> {
    let answer = send(hub, DEVELOPER, Method::GET, &format!("{FLOOD}{PROXY}?path={path}"), "").await;
    lines(&answer.ok())
}

/// A new experiment and a run of it: `<experiment>/<run>/artifacts`, and the two ids.
async fn new_place(hub: &Hub, name: &str) -> (String, String, String) {
    let experiment = hub.new_experiment(name).await;
    let run = hub.new_run(&experiment).await;
    (format!("{experiment}/{run}/artifacts"), experiment, run)
}

/// Every key in the bucket.
async fn keys(hub: &Hub) -> Vec<String> {
    let config = hub.backends.s3.sdk_config().await;
    let config = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
    let bucket = &hub.state.config.bucket;
    let answer = aws_sdk_s3::Client::from_conf(config).list_objects_v2().bucket(bucket).send().await.unwrap();
    answer.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect()
}

/// A run in `lab/secret-model` with one file, made by its owner: `<experiment>/<run>/artifacts`, and the run's id.
async fn foreign_place(hub: &Hub) -> (String, String) {
    use crate::hub::OUTSIDER;
    let create = |endpoint: &'static str, body: Value| async move {
        let url = format!("{LAB}/api/2.0/mlflow/{endpoint}");
        hub.call(OUTSIDER, Method::POST, &url, Some(body)).await.ok()
    };
    let experiment = create("experiments/create", json!({"name": "secret"})).await["experiment_id"].clone();
    let run = create("runs/create", json!({"experiment_id": experiment})).await["run"]["info"]["run_id"].clone();
    let (experiment, run) = (experiment.as_str().unwrap().to_owned(), run.as_str().unwrap().to_owned());
    let root = format!("{experiment}/{run}/artifacts");
    let answer = send(hub, OUTSIDER, Method::PUT, &format!("{LAB}{PROXY}/{root}/secret.txt"), "secret").await;
    assert_eq!(answer.status, 200);
    (root, run)
}

/// Both views through which the developer may address something.
const VIEWS: [&str; 2] = [FLOOD, GLOBAL];

/// Calls S3 past the hub, as the client of a presigned URL does: status, headers, body.
async fn at_s3(method: Method, url: &Value, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
    let mut request = shared::http_client::client().request(method, url.as_str().unwrap()).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    Answer { status, headers, bytes: answer.bytes().await.unwrap() }
}

/// A value of an answer's header.
fn header_of<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// Puts a file of any size at `path` below a run's artifacts, by a presigned URL.
async fn put_large(hub: &Hub, run: &str, path: &str, body: Vec<u8>) {
    let asked = hub.post("artifacts/presigned-upload-url", json!({"run_id": run, "path": path})).await.ok();
    let kind = asked["headers"]["Content-Type"].as_str().unwrap();
    let put = at_s3(Method::PUT, &asked["presigned_url"], &[("content-type", kind)], body).await;
    assert_eq!(put.status, 200);
}
