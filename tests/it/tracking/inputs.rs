//! Data sets of any size.

use serde_json::json;

use crate::hub::Hub;

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
