//! Whatever has been stored can be shown: no answer is beyond what the gateway carries, and pages end early instead.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use shared::extract::BODY_LIMIT;

use crate::hub::{Answer, DEVELOPER, FLOOD, GLOBAL, Hub};

/// Text that grows in JSON: twice as long there.
fn quotes(length: usize) -> String {
    "\"".repeat(length)
}

/// All things on all pages, each of which fits; and how many pages that were.
async fn everything(hub: &Hub, view: &str, method: Method, path: &str, body: Value, list: &str) -> (Vec<Value>, usize) {
    let (mut found, mut pages, mut token) = (Vec::new(), 0, Value::Null);
    loop {
        let answer = match method {
            Method::GET => {
                let next = token.as_str().map(|token| format!("&page_token={token}")).unwrap_or_default();
                hub.call(DEVELOPER, method.clone(), &format!("{view}/api/2.0/mlflow/{path}{next}"), None).await
            }
            _ => {
                let mut body = body.clone();
                body["page_token"] = token;
                hub.call(DEVELOPER, method.clone(), &format!("{view}/api/2.0/mlflow/{path}"), Some(body)).await
            }
        };
        let page = whole(answer).ok();
        pages += 1;
        found.extend(page[list].as_array().cloned().unwrap_or_default());
        token = page["next_page_token"].clone();
        if token.is_null() {
            return (found, pages);
        }
    }
}

#[track_caller]
fn whole(answer: Answer) -> Answer {
    assert!(answer.bytes.len() <= BODY_LIMIT, "{} bytes", answer.bytes.len());
    answer
}

fn ids(found: &[Value], field: &str) -> std::collections::BTreeSet<String> {
    found.iter().map(|one| one.pointer(field).and_then(Value::as_str).unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_page_of_runs_ends_where_its_json_is_full() {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("wide").await;
    for _ in 0..12 {
        let run = hub.new_run(&experiment).await;
        let tags: Vec<Value> = (0..60).map(|n| json!({"key": format!("t{n}"), "value": quotes(4_000)})).collect();
        hub.post("runs/log-batch", json!({"run_id": run, "tags": tags})).await.ok();
    }
    for order in [json!([]), json!(["tags.t0 ASC"])] {
        let body = json!({"experiment_ids": [experiment], "order_by": order});
        let (found, pages) = everything(&hub, FLOOD, Method::POST, "runs/search", body, "runs").await;
        assert_eq!((found.len(), ids(&found, "/info/run_id").len(), pages), (12, 12, 2), "{order}");
    }
    let body = json!({"experiment_ids": [experiment], "filter": "tags.t1 LIKE '%x%'"});
    assert_eq!(everything(&hub, FLOOD, Method::POST, "runs/search", body, "runs").await.0.len(), 0);
}

#[tokio::test]
async fn a_run_that_says_too_much_of_its_data_sets_is_shown_without_their_schemas() {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("profiles").await;
    let run = hub.new_run(&experiment).await;
    for name in ["a", "b", "c"] {
        let dataset = json!({
            "name": name, "digest": "1", "source_type": "local", "source": "x",
            "schema": quotes(300_000), "profile": quotes(400_000),
        });
        hub.post("runs/log-inputs", json!({"run_id": run, "datasets": [{"dataset": dataset}]})).await.ok();
        let shown = whole(hub.get(&format!("runs/get?run_id={run}")).await).ok();
        let first = &shown["run"]["inputs"]["dataset_inputs"][0]["dataset"];
        assert_eq!((first["name"].as_str(), first.get("schema").is_some()), (Some("a"), name != "c"));
    }
    let body = json!({"experiment_ids": [experiment], "max_results": 1});
    let (found, _) = everything(&hub, FLOOD, Method::POST, "runs/search", body, "runs").await;
    assert_eq!(found[0]["inputs"]["dataset_inputs"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_long_source_type_is_read_back() {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("sources").await;
    let run = hub.new_run(&experiment).await;
    let dataset = json!({"name": "d", "digest": "x", "source_type": "s".repeat(70_000), "source": "y"});
    hub.post("runs/log-inputs", json!({"run_id": run, "datasets": [{"dataset": dataset}]})).await.ok();
    let shown = hub.run(&run).await;
    assert_eq!(shown["inputs"]["dataset_inputs"][0]["dataset"], dataset);
}

#[tokio::test]
async fn what_could_not_be_shown_is_not_stored() {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("full").await;
    let run = hub.new_run(&experiment).await;
    let params = |batch: usize| -> Vec<Value> {
        (0..100).map(|n| json!({"key": format!("p{batch}-{n}"), "value": quotes(6_000)})).collect()
    };
    hub.post("runs/log-batch", json!({"run_id": run, "params": params(0)})).await.ok();
    let refused = hub.post("runs/log-batch", json!({"run_id": run, "params": params(1)})).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", refused.json());
    assert_eq!(hub.run(&run).await["data"]["params"].as_array().unwrap().len(), 100);
    // It goes on with what fits.
    hub.post("runs/set-tag", json!({"run_id": run, "key": "small", "value": "x"})).await.ok();
    let tags: Vec<Value> = (0..20).map(|n| json!({"key": format!("t{n}"), "value": "x".repeat(99_000)})).collect();
    let refused = hub.post("registered-models/create", json!({"name": "full", "tags": tags})).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(hub.get("registered-models/get?name=full").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn lists_of_every_kind_end_early() {
    let hub = Hub::start().await;
    let tags = |length: usize| -> Vec<Value> {
        (0..8).map(|n| json!({"key": format!("t{n}"), "value": quotes(length)})).collect()
    };
    for number in 0..7 {
        let name = format!("large {number}");
        let small = |length: usize| -> Vec<Value> {
            (0..90).map(|n| json!({"key": format!("t{n}"), "value": quotes(length)})).collect()
        };
        hub.post("experiments/create", json!({"name": name, "tags": small(5_000)})).await.ok();
        hub.post("registered-models/create", json!({"name": name, "tags": tags(45_000)})).await.ok();
        let version = json!({"name": name, "source": "s3://elsewhere/x", "tags": tags(45_000)});
        hub.post("model-versions/create", version).await.ok();
        let model = json!({"experiment_id": "0", "name": format!("m{number}"), "tags": tags(45_000)});
        hub.post("logged-models", model).await.ok();
    }
    for view in [FLOOD, GLOBAL] {
        for (path, list, field) in [
            ("experiments/search?max_results=100", "experiments", "/experiment_id"),
            ("registered-models/search?max_results=100", "registered_models", "/name"),
            ("model-versions/search?max_results=100", "model_versions", "/name"),
        ] {
            let (found, pages) = everything(&hub, view, Method::GET, path, Value::Null, list).await;
            let large = found.iter().filter(|one| one["tags"].as_array().is_some_and(|tags| tags.len() >= 8)).count();
            assert_eq!((large, ids(&found, field).len()), (7, found.len()), "{view}/{path}");
            assert!(pages >= 2, "{view}/{path}");
        }
    }
    let body = json!({"experiment_ids": ["0"]});
    let (found, pages) = everything(&hub, FLOOD, Method::POST, "logged-models/search", body, "models").await;
    assert_eq!((ids(&found, "/info/model_id").len(), pages), (7, 2));
}

#[tokio::test]
async fn a_logged_model_of_many_points_shows_the_latest() {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("points").await;
    let run = hub.new_run(&experiment).await;
    let model = hub.post("logged-models", json!({"experiment_id": experiment, "name": "m"})).await.ok();
    let model = model["model"]["info"]["model_id"].as_str().unwrap().to_owned();
    let key = "k".repeat(250);
    for batch in 0..15 {
        let points: Vec<Value> = (0..1_000)
            .map(|n| json!({"key": key, "value": 0.5, "timestamp": 1, "step": batch * 1_000 + n, "model_id": model}))
            .collect();
        hub.post("runs/log-batch", json!({"run_id": run, "metrics": points})).await.ok();
    }
    let shown = whole(hub.get(&format!("logged-models/{model}")).await).ok();
    let metrics = shown["model"]["data"]["metrics"].as_array().unwrap();
    assert_eq!((metrics.len(), metrics[0]["step"].as_i64()), (1, Some(14_999)));

    let path = format!("metrics/get-history?run_id={run}&metric_key={key}&max_results=25000");
    let (points, pages) = everything(&hub, FLOOD, Method::GET, &path, Value::Null, "metrics").await;
    assert_eq!((points.len(), pages), (15_000, 2));
    let mut runs = vec![run];
    for number in 1..5 {
        let run = hub.new_run(&experiment).await;
        for batch in 0..3 {
            let points: Vec<Value> = (0..1_000)
                .map(|n| json!({"key": key, "value": 0.5, "timestamp": number, "step": batch * 1_000 + n}))
                .collect();
            hub.post("runs/log-batch", json!({"run_id": run, "metrics": points})).await.ok();
        }
        runs.push(run);
    }
    let path = format!(
        "metrics/get-history-bulk-interval?{}&metric_key={key}&max_results=2500",
        runs.iter().map(|run| format!("run_ids={run}")).collect::<Vec<_>>().join("&")
    );
    let sampled = whole(hub.get(&path).await).ok()["metrics"].as_array().unwrap().clone();
    for run in &runs {
        let own = sampled.iter().filter(|point| point["run_id"] == run.as_str());
        assert_eq!((own.clone().count(), sampled.len() % 5), (sampled.len() / 5, 0));
        assert_eq!(own.clone().next_back().unwrap()["step"], if *run == runs[0] { 14_999 } else { 2_999 });
    }
    assert!((8_000..12_500).contains(&sampled.len()), "{}", sampled.len());
}
