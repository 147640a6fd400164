//! Forms of values that clients send beside the plain ones.

use serde_json::json;

use crate::hub::Hub;

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
