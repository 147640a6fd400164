//! Every route, in both views and both twins, with every kind of caller.
//! A route without an entry in [`sample`] fails the walk: new routes must be added there.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use shared::route::{READ, Route, Rule, WRITE};

use crate::hub::{Answer, DEVELOPER, FLOOD, GLOBAL, GUEST, Hub, OUTSIDER, READ_ONLY};

const NOBODY: &str = "";
const BAD: &str = "glpat-nobody-has-this";
/// A public project, which the outsider may read.
const LAND_COVER: &str = "/mlflow/earth/land-cover/tracking";

/// What a request names: things that exist in the private project, or things of the same shape that do not.
#[derive(Clone)]
struct Things {
    project: &'static str,
    experiment: String,
    name: String,
    run: String,
    model: String,
    /// A multipart upload of one part that has begun, and where to put the part.
    upload: String,
    part_url: String,
}

/// What is put as that part, and the tag that S3 answers for it.
const PART: &str = "content";
const PART_ETAG: &str = "9a0364b9e99bb480dd25e1f0284c8555";
/// The local path that a client sends with an upload.
const LOCAL_FILE: &str = "/home/me/part.bin";

impl Things {
    /// New ones, each with a tag named `tag`.
    async fn make(hub: &Hub) -> Self {
        let plain = format!("walk {}", fresh());
        let tags = json!([{"key": "tag", "value": "v"}]);
        let created = hub.post("experiments/create", json!({"name": plain, "tags": tags})).await.ok();
        let experiment = text(&created["experiment_id"]);
        let created = hub.post("runs/create", json!({"experiment_id": experiment, "tags": tags})).await.ok();
        let run = text(&created["run"]["info"]["run_id"]);
        let created = hub.post("logged-models", json!({"experiment_id": experiment, "name": "m", "tags": tags})).await;
        let model = text(&created.ok()["model"]["info"]["model_id"]);
        hub.post("registered-models/create", json!({"name": plain, "tags": tags})).await.ok();
        let source = format!("runs:/{run}/file.txt");
        let version = json!({"name": plain, "source": source, "run_id": run, "tags": tags});
        hub.post("model-versions/create", version).await.ok();
        let alias = json!({"name": plain, "alias": "best", "version": "1"});
        hub.post("registered-models/alias", alias).await.ok();
        let metric = json!({"run_id": run, "key": "loss", "value": 1, "timestamp": 1});
        hub.post("runs/log-metric", metric).await.ok();
        let create = format!("{FLOOD}/api/2.0/mlflow-artifacts/mpu/create/{experiment}/{run}/artifacts");
        let body = json!({"path": LOCAL_FILE, "num_parts": 1});
        let begun = hub.call(DEVELOPER, Method::POST, &create, Some(body)).await.ok();
        let (upload, part_url) = (text(&begun["upload_id"]), text(&begun["credentials"][0]["url"]));
        let name = format!("{plain} (1)");
        let things = Self { project: "1", experiment, name, run, model, upload, part_url };
        // Where the artifact endpoints are served, a file for them to find.
        for holder in [things.run.clone(), format!("models/{}", things.model)] {
            let path = format!("/api/2.0/mlflow-artifacts/artifacts/{}/{holder}/artifacts/file.txt", things.experiment);
            let put = Sample { method: Method::PUT, path, body: Some(Payload::Raw), lists: false };
            put.send(hub, FLOOD, DEVELOPER).await;
        }
        things
    }

    /// The same shapes and lengths, and nothing there.
    fn unknown(&self) -> Self {
        let digits = self.experiment.len();
        Self {
            project: "9",
            experiment: "9".repeat(digits),
            name: format!("{}(9)", self.name.strip_suffix("(1)").unwrap()),
            run: "0123456789abcdef0123456789abcdef".into(),
            model: "m-fedcba9876543210fedcba9876543210".into(),
            ..self.clone()
        }
    }

    /// A text without what tells one set of things from another.
    fn redact(&self, text: &str) -> String {
        text.replace(&self.run, "<run>")
            .replace(&self.model, "<model>")
            .replace(&self.name, "<name>")
            .replace(&format!("id {}", self.project), "id <project>")
            .replace(&self.experiment, "<experiment>")
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn fresh() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(100);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[derive(Clone)]
enum Payload {
    Json(Value),
    Raw,
}

/// A request that reaches the decision about access.
#[derive(Clone)]
struct Sample {
    method: Method,
    /// Below the view, with its query.
    path: String,
    body: Option<Payload>,
    /// Does it pass over what the caller may not see?
    lists: bool,
}

impl Sample {
    async fn send(&self, hub: &Hub, view: &str, token: &str) -> Answer {
        let mut request = Request::builder().method(self.method.clone()).uri(format!("{view}{}", self.path));
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match &self.body {
            Some(Payload::Json(value)) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(value.to_string())
            }
            Some(Payload::Raw) => Body::from("content"),
            None => Body::empty(),
        };
        hub.send(request.body(body).unwrap()).await
    }
}

/// The sample of a route, if the table has one.
fn sample(route: &Route, t: &Things) -> Option<Sample> {
    let (twin, path) = match route.path.split_at_checked(4) {
        Some(("/api", rest)) => ("/api", rest),
        _ => route.path.strip_prefix("/ajax-api").map_or(("", route.path.as_str()), |rest| ("/ajax-api", rest)),
    };
    if !route.implemented {
        let path = route.path.replace("{*", "{");
        let path = path.split_once('{').map_or(path.clone(), |(before, _)| format!("{before}x/y"));
        let path = if path == "/" { String::new() } else { path };
        return Some(Sample { method: route.method.clone(), path, body: None, lists: false });
    }
    let Things { project, experiment, name, run, model, upload, .. } = t;
    let query_name = name.replace(' ', "%20");
    let model_json = r#"{"artifact_path":"m","flavors":{},"utc_time_created":"x","run_id":"r"}"#;
    let (query, body, lists) = match (route.method.as_str(), path.strip_prefix("/2.0/mlflow/").unwrap_or(path)) {
        ("GET", "/health" | "/version" | "/3.0/mlflow/server-info") => (String::new(), None, false),
        ("POST", "experiments/create") => {
            let name = format!("new {} ({project})", fresh());
            (String::new(), Some(json!({"name": name})), false)
        }
        ("GET", "experiments/get") => (format!("?experiment_id={experiment}"), None, false),
        ("GET", "experiments/get-by-name") => (format!("?experiment_name={query_name}"), None, false),
        ("GET", "experiments/search") => ("?max_results=50".to_owned(), None, true),
        ("POST", "experiments/search") => (String::new(), Some(json!({"max_results": 50})), true),
        ("POST", "experiments/update") => {
            let body = json!({"experiment_id": experiment, "new_name": format!("renamed {}", fresh())});
            (String::new(), Some(body), false)
        }
        ("POST", "experiments/delete" | "experiments/restore") => {
            (String::new(), Some(json!({"experiment_id": experiment})), false)
        }
        ("POST", "experiments/set-experiment-tag" | "experiments/delete-experiment-tag") => {
            (String::new(), Some(json!({"experiment_id": experiment, "key": "tag", "value": "v"})), false)
        }
        ("POST", "experiments/search-datasets" | "runs/search" | "logged-models/search") => {
            (String::new(), Some(json!({"experiment_ids": [experiment]})), true)
        }
        ("POST", "runs/create") => (String::new(), Some(json!({"experiment_id": experiment})), false),
        ("GET", "runs/get") => (format!("?run_id={run}"), None, false),
        ("POST", "runs/update") => (String::new(), Some(json!({"run_id": run, "status": "RUNNING"})), false),
        ("POST", "runs/delete" | "runs/restore") => (String::new(), Some(json!({"run_id": run})), false),
        ("POST", "runs/set-tag" | "runs/delete-tag" | "runs/log-parameter") => {
            (String::new(), Some(json!({"run_id": run, "key": "tag", "value": "v"})), false)
        }
        ("POST", "runs/log-metric") => {
            (String::new(), Some(json!({"run_id": run, "key": "loss", "value": 1, "timestamp": 1})), false)
        }
        ("POST", "runs/log-batch") => {
            (String::new(), Some(json!({"run_id": run, "tags": [{"key": "tag", "value": "v"}]})), false)
        }
        ("POST", "runs/log-model") => (String::new(), Some(json!({"run_id": run, "model_json": model_json})), false),
        ("POST", "runs/log-inputs") => (String::new(), Some(json!({"run_id": run, "datasets": []})), false),
        ("POST", "runs/outputs") => (String::new(), Some(json!({"run_id": run, "models": []})), false),
        ("GET", "metrics/get-history") => (format!("?run_id={run}&metric_key=loss"), None, false),
        ("GET", "metrics/get-history-bulk") => (format!("?run_id={run}&metric_key=loss"), None, true),
        ("GET", "metrics/get-history-bulk-interval") => (format!("?run_ids={run}&metric_key=loss"), None, true),
        ("POST", "logged-models") => (String::new(), Some(json!({"experiment_id": experiment, "name": "m"})), false),
        ("GET" | "DELETE", "logged-models/{model_id}") => (String::new(), None, false),
        ("PATCH", "logged-models/{model_id}") => {
            (String::new(), Some(json!({"model_id": model, "status": "LOGGED_MODEL_READY"})), false)
        }
        ("PATCH", "logged-models/{model_id}/tags") => {
            (String::new(), Some(json!({"tags": [{"key": "tag", "value": "v"}]})), false)
        }
        ("DELETE", "logged-models/{model_id}/tags/{tag_key}") => (String::new(), None, false),
        ("POST", "logged-models/{model_id}/params") => {
            (String::new(), Some(json!({"params": [{"key": "p", "value": "v"}]})), false)
        }
        ("POST", "registered-models/create") => {
            let name = format!("new {} ({project})", fresh());
            (String::new(), Some(json!({"name": name})), false)
        }
        ("GET", "registered-models/get" | "registered-models/get-latest-versions") => {
            (format!("?name={query_name}"), None, false)
        }
        ("POST", "registered-models/get-latest-versions") | ("DELETE", "registered-models/delete") => {
            (String::new(), Some(json!({"name": name})), false)
        }
        ("GET", "registered-models/search" | "model-versions/search") => (String::new(), None, true),
        ("PATCH", "registered-models/update") => {
            (String::new(), Some(json!({"name": name, "description": "d"})), false)
        }
        ("POST", "registered-models/rename") => {
            let new_name = format!("renamed {}", fresh());
            (String::new(), Some(json!({"name": name, "new_name": new_name})), false)
        }
        ("POST" | "DELETE", "registered-models/set-tag" | "registered-models/delete-tag") => {
            (String::new(), Some(json!({"name": name, "key": "tag", "value": "v"})), false)
        }
        ("GET", "registered-models/alias") => (format!("?name={query_name}&alias=best"), None, false),
        ("POST" | "DELETE", "registered-models/alias") => {
            (String::new(), Some(json!({"name": name, "alias": "best", "version": "1"})), false)
        }
        ("POST", "model-versions/create") => {
            (String::new(), Some(json!({"name": name, "source": "s3://bucket/model"})), false)
        }
        ("GET", "model-versions/get" | "model-versions/get-download-uri") => {
            (format!("?name={query_name}&version=1"), None, false)
        }
        ("PATCH" | "DELETE", "model-versions/update" | "model-versions/delete") => {
            (String::new(), Some(json!({"name": name, "version": "1", "description": "d"})), false)
        }
        ("POST", "model-versions/transition-stage") => {
            (String::new(), Some(json!({"name": name, "version": "1", "stage": "Staging"})), false)
        }
        ("POST" | "DELETE", "model-versions/set-tag" | "model-versions/delete-tag") => {
            (String::new(), Some(json!({"name": name, "version": "1", "key": "tag", "value": "v"})), false)
        }
        ("GET", "artifacts/list") => (format!("?run_id={run}"), None, false),
        ("GET", "/2.0/mlflow-artifacts/artifacts") => (format!("?path={experiment}/{run}/artifacts"), None, false),
        ("GET" | "PUT" | "DELETE", "/2.0/mlflow-artifacts/artifacts/{*path}") => (String::new(), None, false),
        ("GET", "logged-models/{model_id}/artifacts/directories") => (String::new(), None, false),
        ("GET", "logged-models/{model_id}/artifacts/files") => ("?artifact_file_path=file.txt".into(), None, false),
        ("GET", "/model-versions/get-artifact") => (format!("?name={query_name}&version=1&path="), None, false),
        ("GET", "/get-artifact") => (format!("?run_id={run}&path=file.txt"), None, false),
        ("POST", "/2.0/mlflow-artifacts/mpu/create/{*path}") => {
            (String::new(), Some(json!({"path": LOCAL_FILE, "num_parts": 1})), false)
        }
        ("POST", "/2.0/mlflow-artifacts/mpu/complete/{*path}") => {
            let parts = json!([{"part_number": 1, "etag": PART_ETAG}]);
            (String::new(), Some(json!({"path": LOCAL_FILE, "upload_id": upload, "parts": parts})), false)
        }
        ("POST", "/2.0/mlflow-artifacts/mpu/abort/{*path}") => {
            (String::new(), Some(json!({"path": LOCAL_FILE, "upload_id": upload})), false)
        }
        ("GET", "/2.0/mlflow-artifacts/presigned/{*path}") => (String::new(), None, false),
        ("POST", "artifacts/presigned-upload-url" | "artifacts/presigned-download-url") => {
            (String::new(), Some(json!({"run_id": run, "path": "file.txt"})), false)
        }
        ("POST", "upload-artifact") => (format!("?run_uuid={run}&path=file.txt"), None, false),
        _ => return None,
    };
    let takes_file = route.method == Method::PUT || path.ends_with("/upload-artifact");
    // Uploads in parts name the directory.
    let place = if path.contains("/mpu/") { "artifacts" } else { "artifacts/file.txt" };
    let path = path
        .replace("{model_id}", model)
        .replace("{tag_key}", "tag")
        .replace("{*path}", &format!("{experiment}/{run}/{place}"));
    let body = if takes_file { Some(Payload::Raw) } else { body.map(Payload::Json) };
    Some(Sample { method: route.method.clone(), path: format!("{twin}{path}{query}"), body, lists })
}

/// The route's own method and, for a GET, HEAD.
fn with_head(sample: Sample) -> Vec<Sample> {
    if sample.method == Method::GET {
        let head = Sample { method: Method::HEAD, ..sample.clone() };
        return vec![sample, head];
    }
    vec![sample]
}

fn samples(things: &Things) -> Vec<(Route, Sample)> {
    let routes = mlflow_project::routes();
    assert!(routes.len() > 80, "{} routes", routes.len());
    let sampled = routes.into_iter().map(|route| match sample(&route, things) {
        Some(sample) => (route, sample),
        None => panic!("{} {} has no sample request: add one", route.method, route.path),
    });
    sampled.collect()
}

/// Checks an answer and says which call it belongs to.
#[track_caller]
fn expect(answer: &Answer, status: StatusCode, code: &str, call: &str) {
    assert_eq!(answer.status, status, "{call}: {}", String::from_utf8_lossy(&answer.bytes));
    if call.contains(" HEAD ") {
        assert!(answer.bytes.is_empty(), "{call}");
    } else if !code.is_empty() {
        assert_eq!(answer.code(), code, "{call}");
    }
}

fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut headers: Vec<_> =
        headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    headers.sort();
    headers
}

#[tokio::test]
async fn strangers_without_a_credential_get_nowhere() {
    let hub = Hub::start().await;
    let things = Things::make(&hub).await;
    for view in [GLOBAL, FLOOD] {
        for (route, sample) in samples(&things) {
            for sample in with_head(sample) {
                for token in [NOBODY, BAD] {
                    let call = format!("'{token}' {} {view}{}", sample.method, sample.path);
                    let answer = sample.send(&hub, view, token).await;
                    if route.rule == Rule::Anyone {
                        expect(&answer, StatusCode::OK, "", &call);
                        continue;
                    }
                    expect(&answer, StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", &call);
                    assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer realm=\"mlflow\"", "{call}");
                }
            }
        }
    }
}

#[tokio::test]
async fn levels_and_scopes_decide_on_every_route() {
    let hub = Hub::start().await;
    let things = Things::make(&hub).await;
    for view in [GLOBAL, FLOOD] {
        for (route, sample) in samples(&things) {
            for sample in with_head(sample) {
                for token in [GUEST, READ_ONLY] {
                    let call = format!("{token} {} {view}{}", sample.method, sample.path);
                    let answer = sample.send(&hub, view, token).await;
                    match route.rule {
                        _ if !route.implemented => {
                            expect(&answer, StatusCode::NOT_IMPLEMENTED, "NOT_IMPLEMENTED", &call);
                        }
                        WRITE => expect(&answer, StatusCode::FORBIDDEN, "PERMISSION_DENIED", &call),
                        READ | Rule::Anyone => expect(&answer, StatusCode::OK, "", &call),
                        rule => panic!("{call}: what is {rule:?}?"),
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_developer_may_do_everything() {
    let hub = Hub::start().await;
    for view in [GLOBAL, FLOOD] {
        for number in 0..mlflow_project::routes().len() {
            let things = Things::make(&hub).await;
            let (route, sample) = samples(&things).swap_remove(number);
            if route.path.ends_with("/experiments/restore") {
                hub.post("experiments/delete", json!({"experiment_id": things.experiment})).await.ok();
            }
            if route.path.contains("/mpu/complete/") {
                let put = shared::http_client::client().put(&things.part_url).body(PART).send().await.unwrap();
                assert_eq!(put.status(), StatusCode::OK);
            }
            for sample in with_head(sample) {
                let call = format!("developer {} {view}{}", sample.method, sample.path);
                let answer = sample.send(&hub, view, DEVELOPER).await;
                let status = if route.implemented { StatusCode::OK } else { StatusCode::NOT_IMPLEMENTED };
                expect(&answer, status, "", &call);
            }
        }
    }
}

/// An outsider's answer to a sample, and the calls to GitLab that it took with nothing remembered.
async fn ask(hub: &Hub, view: &str, sample: &Sample) -> (Answer, u64) {
    hub.clock.advance(120_000);
    let before = hub.world.call_count();
    let answer = sample.send(hub, view, OUTSIDER).await;
    (answer, hub.world.call_count() - before)
}

#[tokio::test]
async fn hidden_things_answer_as_unknown_ones() {
    let hub = Hub::start().await;
    for number in 1..10 {
        // So that the experiment's id has two digits, which no other number in an answer has.
        hub.new_experiment(&format!("number {number}")).await;
    }
    let hidden = Things::make(&hub).await;
    let unknown = hidden.unknown();
    let missing = "/mlflow/earth/flood-modem/tracking";
    for (hidden_view, unknown_view) in [(GLOBAL, GLOBAL), (FLOOD, missing), (LAND_COVER, LAND_COVER)] {
        for ((route, of_hidden), (_, of_unknown)) in samples(&hidden).into_iter().zip(samples(&unknown)) {
            if route.rule == Rule::Anyone {
                continue;
            }
            for (of_hidden, of_unknown) in with_head(of_hidden).into_iter().zip(with_head(of_unknown)) {
                let call = format!("outsider {} {hidden_view}{}", of_hidden.method, of_hidden.path);
                let (seen, calls) = ask(&hub, hidden_view, &of_hidden).await;
                let (other, other_calls) = ask(&hub, unknown_view, &of_unknown).await;
                match hidden_view {
                    _ if !route.implemented => expect(&seen, StatusCode::NOT_IMPLEMENTED, "NOT_IMPLEMENTED", &call),
                    FLOOD => expect(&seen, StatusCode::NOT_FOUND, "RESOURCE_DOES_NOT_EXIST", &call),
                    _ if of_hidden.lists => expect(&seen, StatusCode::OK, "", &call),
                    LAND_COVER if route.rule == WRITE => {
                        expect(&seen, StatusCode::FORBIDDEN, "PERMISSION_DENIED", &call);
                    }
                    LAND_COVER if route.path.ends_with("/get-by-name") => {}
                    _ => expect(&seen, StatusCode::NOT_FOUND, "RESOURCE_DOES_NOT_EXIST", &call),
                }
                let (body, other_body) = (String::from_utf8_lossy(&seen.bytes), String::from_utf8_lossy(&other.bytes));
                let other_body = other_body.replace("flood-modem", "flood-model");
                assert_eq!(hidden.redact(&body), unknown.redact(&other_body), "{call}");
                assert_eq!((seen.status, headers(&seen.headers)), (other.status, headers(&other.headers)), "{call}");
                assert_eq!(calls, other_calls, "{call}: calls to GitLab");
                if seen.status == StatusCode::OK {
                    assert!(!body.contains(&hidden.run) && !body.contains("walk"), "{call}: {body}");
                }
            }
        }
    }
}
