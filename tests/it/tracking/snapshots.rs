//! The wire as clients see it, through the assembled router. After an intended change:
//! `INSTA_UPDATE=always cargo test -p integration-tests snapshots`.

use axum::body::Body;
use http::{Method, Request, header};
use local::gitlab::Fault;
use serde_json::{Map, Value, json};
use shared::extract::BODY_LIMIT;

use crate::hub::{Answer, DEVELOPER, FLOOD, GLOBAL, GUEST, Hub, READ_ONLY};

/// Calls in their order, with what they answered.
#[derive(Default)]
struct Record(Map<String, Value>);

impl Record {
    /// Notes an answer under a name; gives its body back.
    fn note(&mut self, name: &str, answer: &Answer) -> Value {
        let shown = [header::WWW_AUTHENTICATE, header::RETRY_AFTER, header::ALLOW, header::CONTENT_TYPE];
        let mut headers = Map::new();
        for name in shown {
            if let Some(value) = answer.headers.get(&name) {
                headers.insert(name.to_string(), json!(value.to_str().unwrap()));
            }
        }
        let body = answer.json();
        let entry = json!({"status": answer.status.as_u16(), "headers": headers, "body": body});
        assert!(self.0.insert(name.to_owned(), entry).is_none(), "{name} twice");
        body
    }

    fn check(self, name: &str) {
        let id = |kind: &'static str| {
            insta::dynamic_redaction(move |value, _| {
                let text = value.as_str().unwrap_or_default();
                if text.is_empty() {
                    return String::new();
                }
                assert!(text.len() >= 32, "{kind} is {text:?}");
                format!("[{kind}]")
            })
        };
        let uri = insta::dynamic_redaction(|value, _| {
            let segments: Vec<&str> = value.as_str().unwrap_or_default().split('/').collect();
            let shown = segments.iter().map(|segment| if segment.len() >= 32 { "[id]" } else { segment });
            shown.collect::<Vec<_>>().join("/")
        });
        let time = || {
            insta::dynamic_redaction(|value, _| match value {
                insta::internals::Content::I64(_) | insta::internals::Content::U64(_) => "[time]",
                other => panic!("a time is {other:?}"),
            })
        };
        let message = insta::dynamic_redaction(|value, _| without_ids(value.as_str().unwrap_or_default()));
        insta::assert_json_snapshot!(name, Value::Object(self.0), {
            ".**.run_id" => id("run id"),
            ".**.run_uuid" => id("run id"),
            ".**.source_run_id" => id("run id"),
            ".**.model_id" => id("model id"),
            ".**.artifact_uri" => uri,
            ".**.creation_time" => time(),
            ".**.last_update_time" => time(),
            ".**.creation_timestamp_ms" => time(),
            ".**.last_updated_timestamp_ms" => time(),
            ".**.next_page_token" => id("page token"),
            ".**.message" => message,
        });
    }
}

/// A text with its run and request ids taken out.
fn without_ids(text: &str) -> String {
    let is_id = |word: &str| word.len() >= 32 && word.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
    let words = text.split_inclusive(|c: char| c != '-' && !c.is_ascii_alphanumeric());
    let shown = words.map(|word| {
        let bare = word.trim_end_matches(|c: char| c != '-' && !c.is_ascii_alphanumeric());
        if is_id(bare) { word.replace(bare, "[id]") } else { word.to_owned() }
    });
    shown.collect()
}

#[tokio::test]
async fn experiments() {
    let hub = Hub::start().await;
    let mut record = Record::default();
    let virtual_default = hub.get("experiments/get?experiment_id=0").await;
    record.note("the default experiment before its first use", &virtual_default);
    let tags = json!([{"key": "team", "value": "water"}, {"key": "empty", "value": ""}]);
    let created = hub.post("experiments/create", json!({"name": "floods", "tags": tags})).await;
    let id = record.note("create", &created)["experiment_id"].as_str().unwrap().to_owned();
    let place = json!({"name": "elsewhere", "artifact_location": "s3://bucket/path"});
    record.note("create with a place of its own", &hub.post("experiments/create", place).await);
    record.note("create again", &hub.post("experiments/create", json!({"name": "floods"})).await);
    record.note("get", &hub.get(&format!("experiments/get?experiment_id={id}")).await);
    record.note("get by name", &hub.get("experiments/get-by-name?experiment_name=floods").await);
    record.note("get by unknown name", &hub.get("experiments/get-by-name?experiment_name=none").await);
    let tag = json!({"experiment_id": id, "key": "k", "value": "v"});
    record.note("set tag", &hub.post("experiments/set-experiment-tag", tag).await);
    let tag = json!({"experiment_id": id, "key": "none"});
    record.note("delete unknown tag", &hub.post("experiments/delete-experiment-tag", tag).await);
    let update = json!({"experiment_id": id, "new_name": "rivers"});
    record.note("update", &hub.post("experiments/update", update).await);
    record.note("search", &hub.post("experiments/search", json!({"max_results": 10})).await);
    record.note("search, first page", &hub.post("experiments/search", json!({"max_results": 1})).await);
    let nothing = json!({"max_results": 10, "filter": "name = 'none'"});
    record.note("search without a hit", &hub.post("experiments/search", nothing).await);
    record.note("delete", &hub.post("experiments/delete", json!({"experiment_id": id})).await);
    record.note("delete again", &hub.post("experiments/delete", json!({"experiment_id": id})).await);
    record.note("get a deleted one", &hub.get(&format!("experiments/get?experiment_id={id}")).await);
    record.note("restore", &hub.post("experiments/restore", json!({"experiment_id": id})).await);
    let path = format!("{GLOBAL}/api/2.0/mlflow/experiments/get?experiment_id={id}");
    record.note("get, in the global view", &hub.call(DEVELOPER, Method::GET, &path, None).await);
    record.check("experiments");
}

#[tokio::test]
async fn runs() {
    let hub = Hub::start().await;
    let mut record = Record::default();
    let experiment = hub.new_experiment("floods").await;
    let body = json!({
        "experiment_id": experiment, "run_name": "first", "start_time": 1_700_000_000_000_i64, "user_id": "devi",
        "tags": [{"key": "team", "value": "water"}],
    });
    let created = record.note("create", &hub.post("runs/create", body).await);
    let run = created["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    let metrics = json!([
        {"key": "loss", "value": 0.25, "timestamp": 1_700_000_000_001_i64, "step": 1},
        {"key": "loss", "value": 0.125, "timestamp": 1_700_000_000_002_i64, "step": 2},
        {"key": "nan", "value": "NaN", "timestamp": 5},
        {"key": "inf", "value": "Infinity", "timestamp": 5},
    ]);
    let params = json!([{"key": "depth", "value": "3"}]);
    let batch = json!({"run_id": run, "metrics": metrics, "params": params, "tags": [{"key": "k", "value": "v"}]});
    record.note("log-batch", &hub.post("runs/log-batch", batch).await);
    let metric = json!({"run_id": run, "key": "acc", "value": 1, "timestamp": 7});
    record.note("log-metric", &hub.post("runs/log-metric", metric).await);
    record.note("set-tag", &hub.post("runs/set-tag", json!({"run_id": run, "key": "k", "value": "w"})).await);
    let conflict = json!({"run_id": run, "key": "depth", "value": "4"});
    record.note("log-parameter, another value", &hub.post("runs/log-parameter", conflict).await);
    let update = json!({"run_id": run, "status": "FINISHED", "end_time": 1_700_000_000_009_i64});
    record.note("update", &hub.post("runs/update", update).await);
    let dataset = json!({"name": "tiles", "digest": "d1", "source_type": "local", "source": "{}", "profile": "{}"});
    let tags = json!([{"key": "mlflow.data.context", "value": "training"}]);
    let inputs = json!({"run_id": run, "datasets": [{"tags": tags, "dataset": dataset}]});
    record.note("log-inputs", &hub.post("runs/log-inputs", inputs).await);
    record.note("get", &hub.get(&format!("runs/get?run_id={run}")).await);
    let second = json!({"experiment_id": experiment, "run_name": "second", "start_time": 5});
    record.note("create a second", &hub.post("runs/create", second).await);
    record.note("search", &hub.post("runs/search", json!({"experiment_ids": [experiment]})).await);
    let page = json!({"experiment_ids": [experiment], "max_results": 1, "order_by": ["metrics.loss DESC"]});
    record.note("search, first page", &hub.post("runs/search", page).await);
    let wrong = json!({"experiment_ids": [experiment], "filter": "metric.loss ~ 3"});
    record.note("search, a filter that is none", &hub.post("runs/search", wrong).await);
    let history = format!("metrics/get-history?run_id={run}&metric_key=loss");
    record.note("get-history", &hub.get(&history).await);
    record.note("get-history, a page", &hub.get(&format!("{history}&max_results=1")).await);
    record.note("delete", &hub.post("runs/delete", json!({"run_id": run})).await);
    let tag = hub.post("runs/set-tag", json!({"run_id": run, "key": "k", "value": "v"})).await;
    assert!(tag.json()["message"].as_str().unwrap().contains(&run));
    let model = json!({"experiment_id": experiment, "name": "net", "model_type": "cnn", "params": params});
    let created = record.note("a logged model", &hub.post("logged-models", model).await);
    let id = created["model"]["info"]["model_id"].as_str().unwrap();
    record.note("get a logged model", &hub.get(&format!("logged-models/{id}")).await);
    record.check("runs");
}

#[tokio::test]
async fn errors() {
    let hub = Hub::start().await;
    let mut record = Record::default();
    let experiment = hub.new_experiment("floods").await;
    let api = format!("{FLOOD}/api/2.0/mlflow");
    let create = Some(json!({"name": "x"}));
    record.note("400 missing", &hub.post("experiments/create", json!({})).await);
    record.note("400 wrong type", &hub.post("experiments/create", json!({"name": 5})).await);
    record.note("400 no object", &hub.post("runs/create", json!([1])).await);
    let keyless = json!({"experiment_id": experiment, "tags": [{"key": "k", "value": "v"}, {"value": "v"}]});
    record.note("400 a tag without key", &hub.post("runs/create", keyless).await);
    record.note("400 no number", &hub.get("experiments/get?experiment_id=x").await);
    record.note("400 a taken name", &hub.post("experiments/create", json!({"name": "floods"})).await);
    record.note(
        "400 page token",
        &hub.post("runs/search", json!({"experiment_ids": [experiment], "page_token": "x"})).await,
    );
    let global = format!("{GLOBAL}/api/2.0/mlflow/experiments/create");
    record.note("400 no project named", &hub.call(DEVELOPER, Method::POST, &global, create.clone()).await);
    let path = format!("{api}/experiments/create");
    record.note("401 no credential", &hub.call("", Method::POST, &path, create.clone()).await);
    record.note("401 unknown token", &hub.call("glpat-none", Method::POST, &path, create.clone()).await);
    record.note("403 role", &hub.call(GUEST, Method::POST, &path, create.clone()).await);
    record.note("403 scope", &hub.call(READ_ONLY, Method::POST, &path, create.clone()).await);
    record.note("404 experiment", &hub.get("experiments/get?experiment_id=4711").await);
    let default = format!("{GLOBAL}/api/2.0/mlflow/experiments/get?experiment_id=0");
    record.note("404 default experiment, in the global view", &hub.call(DEVELOPER, Method::GET, &default, None).await);
    record.note("404 run", &hub.get("runs/get?run_id=none").await);
    let hidden = "/mlflow/lab/secret-model/tracking/api/2.0/mlflow/experiments/get?experiment_id=0";
    record.note("404 project", &hub.call(DEVELOPER, Method::GET, hidden, None).await);
    record.note("404 endpoint", &hub.call(DEVELOPER, Method::GET, "/mlflow/api/2.0/mlflow/none", None).await);
    record.note("405", &hub.call(DEVELOPER, Method::DELETE, &path, None).await);
    let form = Request::post(&path).header(header::AUTHORIZATION, format!("Bearer {DEVELOPER}"));
    let form = form.header(header::CONTENT_TYPE, "text/plain").body(Body::from("{}")).unwrap();
    record.note("400 content type", &hub.send(form).await);
    let large = json!({"name": "x", "artifact_location": "y".repeat(BODY_LIMIT)});
    record.note("413", &hub.call(DEVELOPER, Method::POST, &path, Some(large)).await);
    let traces = format!("{FLOOD}/api/3.0/mlflow/traces");
    record.note("501", &hub.call(DEVELOPER, Method::POST, &traces, Some(json!({}))).await);
    hub.world.fail(Fault::Status { code: 502, retry_after: None });
    hub.clock.advance(120_000);
    record.note("503", &hub.get(&format!("experiments/get?experiment_id={experiment}")).await);
    record.check("errors");
}
