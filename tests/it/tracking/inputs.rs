//! Data sets of any size.

use http::{Method, StatusCode};
use serde_json::json;

use crate::hub::{DEVELOPER, GLOBAL, Hub};

#[tokio::test]
async fn texts_too_large_for_the_table_come_back_whole() {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("large data sets").await;
    let run = hub.new_run(&experiment).await;
    let dataset = json!({
        "name": "tiles",
        "digest": "abc",
        "source_type": "local",
        "source": "s".repeat(60_000),
        "schema": "ü".repeat(300_000),
        "profile": "p".repeat(2_000_000),
    });
    let tags = json!([{"key": "mlflow.data.context", "value": "train"}]);
    let body = json!({"run_id": run, "datasets": [{"dataset": dataset, "tags": tags}]});
    for _ in 0..2 {
        hub.post("runs/log-inputs", body.clone()).await.ok();
    }
    let inputs = hub.run(&run).await["inputs"]["dataset_inputs"].clone();
    assert_eq!(inputs, json!([{"dataset": dataset, "tags": tags}]));
    // The first write of a data set wins, whoever comes later.
    let other = hub.new_run(&experiment).await;
    let small = json!({"name": "tiles", "digest": "abc", "source_type": "local", "source": "elsewhere"});
    hub.post("runs/log-inputs", json!({"run_id": other, "datasets": [{"dataset": small}]})).await.ok();
    assert_eq!(hub.run(&other).await["inputs"]["dataset_inputs"][0]["dataset"], dataset);
}

#[tokio::test]
async fn a_search_that_names_many_missing_experiments_is_refused() {
    let hub = Hub::start().await;
    let own = hub.new_experiment("mine").await;
    let search = async |count: usize, endpoint: &str| {
        let ids: Vec<String> = (0..count).map(|number| (1_000 + number).to_string()).chain([own.clone()]).collect();
        let body = json!({"experiment_ids": ids});
        hub.call(DEVELOPER, Method::POST, &format!("{GLOBAL}/api/2.0/mlflow/{endpoint}"), Some(body)).await
    };
    for endpoint in ["runs/search", "logged-models/search"] {
        search(100, endpoint).await.ok();
        hub.clock.advance(10_000);
        hub.world.reset_calls();
        let refused = search(900, endpoint).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE"));
        let message = refused.json()["message"].to_string();
        assert!(message.contains("Name only experiments that you can see"), "{message}");
        let calls: u64 = hub.world.calls().values().sum();
        assert!(calls <= 105, "{endpoint}: {calls}");
    }
}
