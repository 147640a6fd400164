//! Forms of values that clients send beside the plain ones.

use http::Method;
use serde_json::{Value, json};

use crate::hub::{DEVELOPER, FLOOD, Hub};

#[tokio::test]
async fn an_empty_name_leaves_the_name_of_a_run() {
    let hub = Hub::start().await;
    let created = hub.post("runs/create", json!({"experiment_id": "0", "run_name": "first"})).await.ok();
    let run = created["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    let tag = json!({"key": "mlflow.runName", "value": ""});
    let mut alone = tag.clone();
    alone["run_id"] = json!(run);
    hub.post("runs/set-tag", alone).await.ok();
    let batch = json!({"run_id": run, "tags": [tag, {"key": "a", "value": ""}]});
    hub.post("runs/log-batch", batch).await.ok();
    let stored = hub.run(&run).await;
    assert_eq!(stored["info"]["run_name"], "first");
    let tags = json!([{"key": "a", "value": ""}, {"key": "mlflow.runName", "value": "first"}]);
    assert_eq!(stored["data"]["tags"], tags);
}

#[tokio::test]
async fn null_stands_for_an_absent_value() {
    let hub = Hub::start().await;
    let tags = json!([{"key": "a", "value": null}]);
    let created = hub.post("runs/create", json!({"experiment_id": "0", "tags": tags})).await.ok();
    let tags_of_run = &created["run"]["data"]["tags"];
    assert!(tags_of_run.as_array().unwrap().contains(&json!({"key": "a", "value": ""})), "{tags_of_run}");
    hub.post("experiments/create", json!({"name": "with null", "tags": tags})).await.ok();
    let body = json!({"experiment_id": "0", "name": "net", "params": tags, "tags": tags});
    hub.post("logged-models", body).await.ok();
    for view in [Value::Null, json!("")] {
        let found = hub.post("runs/search", json!({"experiment_ids": ["0"], "run_view_type": view})).await.ok();
        assert_eq!(found["runs"].as_array().unwrap().len(), 1, "{view}");
        let found = hub.post("experiments/search", json!({"max_results": 9, "view_type": view})).await.ok();
        assert_eq!(found["experiments"].as_array().unwrap().len(), 2, "{view}");
    }
    let path = format!("{FLOOD}/api/2.0/mlflow/experiments/search?max_results=9&view_type=");
    hub.call(DEVELOPER, Method::GET, &path, None).await.ok();
}

#[tokio::test]
async fn numbers_may_be_texts() {
    let hub = Hub::start().await;
    let run = hub.new_run("0").await;
    for (text, shown) in [
        ("nan", json!("NaN")),
        ("inf", json!(f64::MAX)),
        ("-inf", json!(-f64::MAX)),
        ("INF", json!(f64::MAX)),
        ("1e400", json!(f64::MAX)),
        (" 5 ", json!(5.0)),
        ("-5e-1", json!(-0.5)),
    ] {
        let key = format!("m{}", text.trim());
        let body = json!({"run_id": run, "key": key, "value": text, "timestamp": "1e3", "step": "2.0"});
        hub.post("runs/log-metric", body).await.ok();
        let stored = hub.get(&format!("metrics/get-history?run_id={run}&metric_key={key}")).await.ok();
        let point = json!({"key": key, "value": shown, "timestamp": 1_000, "step": 2});
        assert_eq!(stored["metrics"][0], point, "{text}");
    }
    for (value, timestamp) in [("five", "1"), ("", "1"), ("1", "1.5"), ("1", "1e30"), ("1", "nan")] {
        let body = json!({"run_id": run, "key": "m", "value": value, "timestamp": timestamp});
        assert_eq!(hub.post("runs/log-metric", body).await.code(), "INVALID_PARAMETER_VALUE", "{value} {timestamp}");
    }
}
