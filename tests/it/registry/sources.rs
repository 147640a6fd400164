//! Where versions may come from: never from another project (W5).

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::new_model;
use crate::hub::{Hub, OUTSIDER};

const LAB: &str = "/mlflow/lab/secret-model/tracking/api/2.0/mlflow";

/// A run with a logged model of the outsider's own project.
async fn foreign(hub: &Hub) -> (String, String, String) {
    let post = |endpoint: &'static str, body: Value| async move {
        hub.call(OUTSIDER, Method::POST, &format!("{LAB}/{endpoint}"), Some(body)).await
    };
    let created = post("experiments/create", json!({"name": "secret"})).await.ok();
    let experiment = created["experiment_id"].as_str().unwrap().to_owned();
    let run = post("runs/create", json!({"experiment_id": experiment})).await.ok();
    let run = run["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    let model = post("logged-models", json!({"experiment_id": experiment, "name": "m"})).await.ok();
    let model = model["model"]["info"]["model_id"].as_str().unwrap().to_owned();
    post("registered-models/create", json!({"name": "theirs"})).await.ok();
    post("model-versions/create", json!({"name": "theirs", "source": "s3://bucket/x"})).await.ok();
    (experiment, run, model)
}

#[tokio::test]
async fn another_projects_things_count_as_missing() {
    let hub = Hub::start().await;
    let (experiment, run, model) = foreign(&hub).await;
    new_model(&hub, "ours").await;
    let unknown_run = "0123456789abcdef0123456789abcdef";
    let unknown_model = "m-0123456789abcdef0123456789abcdef";
    for (theirs, nobodys) in [
        (json!({"source": "s3://b/x", "run_id": run}), json!({"source": "s3://b/x", "run_id": unknown_run})),
        (
            json!({"source": format!("runs:/{run}/model"), "run_id": run}),
            json!({"source": format!("runs:/{unknown_run}/model"), "run_id": unknown_run}),
        ),
        (
            json!({"source": format!("mlflow-artifacts:/{experiment}/{run}/artifacts/model"), "run_id": run}),
            json!({"source": format!("mlflow-artifacts:/{experiment}/{unknown_run}/artifacts/model"), "run_id": unknown_run}),
        ),
        (
            json!({"source": format!("models:/{model}"), "model_id": model}),
            json!({"source": format!("models:/{unknown_model}"), "model_id": unknown_model}),
        ),
        (json!({"source": "models:/theirs/1"}), json!({"source": "models:/nobodys/1"})),
        (json!({"source": "models:/theirs (5)/1"}), json!({"source": "models:/nobodys (9)/1"})),
    ] {
        let mut answers = Vec::new();
        for mut body in [theirs.clone(), nobodys] {
            body["name"] = json!("ours");
            let answer = hub.post("model-versions/create", body).await;
            let text = String::from_utf8_lossy(&answer.bytes).into_owned();
            let text = text.replace(&run, unknown_run).replace(&model, unknown_model);
            answers.push((answer.status, text.replace("theirs", "nobodys").replace("(5)", "(9)")));
        }
        assert_eq!(answers[0].0, StatusCode::NOT_FOUND, "{theirs}: {}", answers[0].1);
        assert_eq!(answers[0], answers[1]);
    }
    let found = hub.get("model-versions/search?max_results=10").await.ok();
    assert_eq!(found, json!({}));
}

#[tokio::test]
async fn a_path_leads_only_into_the_run_that_is_named() {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("ours").await;
    let (run, other) = (hub.new_run(&experiment).await, hub.new_run(&experiment).await);
    new_model(&hub, "ours").await;
    let root = format!("mlflow-artifacts:/{experiment}/{run}/artifacts");
    for source in [
        format!("mlflow-artifacts:/{experiment}/{other}/artifacts/model"),
        format!("{root}2/model"),
        format!("{root}/../../{other}/artifacts"),
        format!("{root}/%2e%2e/x"),
        format!("mlflow-artifacts:/9{experiment}/{run}/artifacts/model"),
        format!("mlflow-artifacts:/{experiment}"),
        format!("mlflow-artifacts://host/{experiment}/{run}/artifacts"),
        format!("http://127.0.0.1/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts"),
        format!("runs:/{other}/model"),
        "/etc/passwd".into(),
        "file:///etc/passwd".into(),
    ] {
        let body = json!({"name": "ours", "source": source, "run_id": run});
        let answer = hub.post("model-versions/create", body).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE"),
            "{source}"
        );
    }
    let body = json!({"name": "ours", "source": format!("{root}/model"), "run_id": run});
    hub.post("model-versions/create", body).await.ok();
}

#[tokio::test]
async fn the_default_experiment_is_0_in_its_view_only() {
    let hub = Hub::start().await;
    let run = hub.new_run("0").await;
    new_model(&hub, "ours").await;
    let source = format!("mlflow-artifacts:/0/{run}/artifacts/model");
    let body = json!({"name": "ours", "source": source, "run_id": run});
    let created = hub.post("model-versions/create", body).await.ok();
    assert_eq!(created["model_version"]["source"], source.as_str());
    let uri = hub.get("model-versions/get-download-uri?name=ours&version=1").await.ok();
    assert_eq!(uri["artifact_uri"], source.as_str());
    let path = "/mlflow/api/2.0/mlflow/model-versions/get-download-uri?name=ours%20(1)&version=1";
    let uri = hub.call(crate::hub::DEVELOPER, Method::GET, path, None).await.ok();
    let uri = uri["artifact_uri"].as_str().unwrap();
    assert!(uri.starts_with("mlflow-artifacts:/") && !uri.starts_with("mlflow-artifacts:/0/"), "{uri}");
}
