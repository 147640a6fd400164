//! Logged models through the assembled hub.

use axum::body::Body;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::hub::{DEVELOPER, FLOOD, Hub, OUTSIDER};

#[tokio::test]
async fn an_experiment_named_twice_shows_its_models_once() {
    let hub = Hub::start().await;
    let body = json!({"experiment_id": "0", "name": "net"});
    let created = hub.post("logged-models", body).await.ok();
    let search = json!({"experiment_ids": ["0"]});
    let found = hub.post("logged-models/search", search).await.ok();
    assert_eq!(found["models"].as_array().unwrap().len(), 1);
    // In the project's view the default experiment has two ids.
    let uri = created["model"]["info"]["artifact_uri"].as_str().unwrap();
    assert!(uri.starts_with("mlflow-artifacts:/0/"), "{uri}");
    for ids in [json!(["0", "0"]), json!(["0", "1"]), json!(["1", "0", "1"])] {
        let found = hub.post("logged-models/search", json!({"experiment_ids": ids})).await.ok();
        assert_eq!(found["models"].as_array().unwrap().len(), 1, "{ids}");
        let runs = hub.post("runs/search", json!({"experiment_ids": ids})).await.ok();
        assert!(runs["runs"].is_null());
    }
}

fn number_of(found: &Value, list: &str) -> usize {
    found[list].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn a_batch_about_a_model_of_nobodys_leaves_nothing_behind() {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("refused batch").await;
    let run = hub.new_run(&experiment).await;
    let before = hub.run(&run).await;
    let metric = json!({"key": "loss", "value": 1, "timestamp": 1, "model_id": format!("m-{}", "0".repeat(32))});
    let pair = json!([{"key": "k", "value": "v"}]);
    let batch = json!({"run_id": run, "metrics": [metric], "params": pair, "tags": pair});
    let refused = hub.post("runs/log-batch", batch).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::NOT_FOUND, "RESOURCE_DOES_NOT_EXIST"));
    assert_eq!(hub.run(&run).await, before);
}

#[tokio::test]
async fn a_body_that_is_no_json_is_never_acknowledged() {
    let hub = Hub::start().await;
    let created = hub.post("logged-models", json!({"experiment_id": "0", "name": "net"})).await.ok();
    let model = created["model"]["info"]["model_id"].as_str().unwrap();
    let path = format!("{FLOOD}/api/2.0/mlflow/logged-models/{model}/tags");
    let send = async |body: Vec<u8>| {
        let request = Request::builder().method(Method::PATCH).uri(&path).header("content-type", "application/json");
        let request = request.header("authorization", format!("Bearer {DEVELOPER}"));
        hub.send(request.body(Body::from(body)).unwrap()).await
    };
    let whole = json!({"tags": [{"key": "k", "value": "v"}]}).to_string();
    let deep = format!("{{\"tags\": {}{}}}", "[".repeat(200), "]".repeat(200));
    for body in [
        whole.as_bytes()[..whole.len() - 3].to_vec(),
        b"{\"tags\": [{\"key\": \"\xff\", \"value\": \"v\"}]}".to_vec(),
        deep.into_bytes(),
        b"hello".to_vec(),
        b"\"{\\\"tags\\\": \"".to_vec(),
        format!("{whole} {{}}").into_bytes(),
    ] {
        let refused = send(body.clone()).await;
        let message = refused.json()["message"].as_str().unwrap_or_default().to_owned();
        let seen = (refused.status, refused.code(), message.starts_with("The request body is not valid JSON: "));
        let shown = String::from_utf8_lossy(&body).chars().take(60).collect::<String>();
        assert_eq!(seen, (StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE".to_owned(), true), "{shown}: {message}");
    }
    for body in ["", " \n ", "{}", "null"] {
        send(body.into()).await.ok();
    }
    send(whole.into_bytes()).await.ok();
}

#[tokio::test]
async fn params_and_tags_are_kept_whole_under_any_key() {
    let hub = Hub::start().await;
    let (long, key) = ("ü".repeat(100_000), "k".repeat(1_000));
    let pairs = json!([
        {"key": "a#b", "value": "x".repeat(6_500)},
        {"key": key, "value": long},
        {"key": "../c", "value": "1"},
        {"key": "none", "value": null},
    ]);
    let body = json!({"experiment_id": "0", "name": "net", "params": pairs, "tags": pairs});
    let created = hub.post("logged-models", body).await.ok();
    let id = created["model"]["info"]["model_id"].as_str().unwrap().to_owned();
    let more = json!([{"key": "later#", "value": "y".repeat(6_500)}]);
    hub.post(&format!("logged-models/{id}/params"), json!({"params": more})).await.ok();
    let path = format!("{FLOOD}/api/2.0/mlflow/logged-models/{id}/tags");
    hub.call(DEVELOPER, Method::PATCH, &path, Some(json!({"tags": more}))).await.ok();
    let model = hub.get(&format!("logged-models/{id}")).await.ok()["model"].clone();
    for pairs in [&model["data"]["params"], &model["info"]["tags"]] {
        let sizes: Vec<(usize, usize)> = pairs
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| (pair["key"].as_str().unwrap().len(), pair["value"].as_str().unwrap().chars().count()))
            .collect();
        assert_eq!(sizes, [(4, 1), (3, 6_500), (1_000, 100_000), (6, 6_500), (4, 0)]);
    }
    for pair in [
        json!({"key": "", "value": "x"}),
        json!({"key": "k".repeat(1_001), "value": "x"}),
        json!({"key": "k", "value": "x".repeat(100_001)}),
    ] {
        for list in ["params", "tags"] {
            let refused = hub.post("logged-models", json!({"experiment_id": "0", "name": "net", list: [pair]})).await;
            assert_eq!(refused.code(), "INVALID_PARAMETER_VALUE", "{list}");
        }
    }
}

#[tokio::test]
async fn what_is_shown_can_be_searched() {
    let hub = Hub::start().await;
    let run = hub.new_run("0").await;
    let body = json!({"experiment_id": "0", "name": "net", "source_run_id": run});
    let created = hub.post("logged-models", body).await.ok();
    let shown = created["model"]["info"]["artifact_uri"].as_str().unwrap().to_owned();
    for (filter, count) in [
        (format!("artifact_location = '{shown}'"), 1),
        (format!("artifact_location = '{}'", shown.replace(":/0/", ":/1/")), 0),
        ("experiment_id = '0'".to_owned(), 1),
        ("experiment_id IN ('0', '9')".to_owned(), 1),
        ("experiment_id != '0'".to_owned(), 0),
    ] {
        let body = json!({"experiment_ids": ["0"], "filter": filter});
        let found = hub.post("logged-models/search", body).await.ok();
        assert_eq!(number_of(&found, "models"), count, "{filter}");
    }
    let uri = hub.run(&run).await["info"]["artifact_uri"].as_str().unwrap().to_owned();
    assert!(uri.starts_with("mlflow-artifacts:/0/"), "{uri}");
    for (filter, count) in [(uri.clone(), 1), (uri.replace(":/0/", ":/1/"), 0)] {
        let body = json!({"experiment_ids": ["0"], "filter": format!("artifact_uri = '{filter}'")});
        let found = hub.post("runs/search", body).await.ok();
        assert_eq!(number_of(&found, "runs"), count, "{filter}");
        assert!(count == 0 || found["runs"][0]["info"]["artifact_uri"] == uri);
    }
    hub.post("registered-models/create", json!({"name": "net"})).await.ok();
    let body = json!({"name": "net", "run_id": run, "source": format!("{uri}/model")});
    hub.post("model-versions/create", body).await.ok();
    for (source, count) in [(format!("{uri}/model"), 1), (format!("{}/model", uri.replace(":/0/", ":/1/")), 0)] {
        let filter = format!("source_path='{source}'").replace('\'', "%27").replace('=', "%3D");
        let found = hub.get(&format!("model-versions/search?filter={filter}")).await.ok();
        assert_eq!(number_of(&found, "model_versions"), count, "{source}");
    }
}

#[tokio::test]
async fn a_deleted_model_stops_no_training() {
    let hub = Hub::start().await;
    let run = hub.new_run("0").await;
    let created = hub.post("logged-models", json!({"experiment_id": "0", "name": "net"})).await.ok();
    let id = created["model"]["info"]["model_id"].as_str().unwrap().to_owned();
    let path = format!("{FLOOD}/api/2.0/mlflow/logged-models/{id}");
    let delete = async |token| hub.call(token, Method::DELETE, &path, None).await;
    let point = |model: &str| json!({"key": "loss", "value": 1.5, "timestamp": 1, "model_id": model});
    delete(DEVELOPER).await.ok();
    delete(DEVELOPER).await.ok();
    let mut one = point(&id);
    one["run_id"] = json!(run);
    hub.post("runs/log-metric", one).await.ok();
    let mut later = point(&id);
    later["timestamp"] = json!(2);
    hub.post("runs/log-batch", json!({"run_id": run, "metrics": [later]})).await.ok();
    let history = hub.get(&format!("metrics/get-history?run_id={run}&metric_key=loss")).await.ok();
    assert_eq!(number_of(&history, "metrics"), 2);
    let unknown = format!("m-{}", "0".repeat(32));
    let refused = hub.post("runs/log-batch", json!({"run_id": run, "metrics": [point(&unknown)]})).await;
    assert_eq!(refused.code(), "RESOURCE_DOES_NOT_EXIST");
    let path = path.replace(&id, &unknown);
    assert_eq!(hub.call(DEVELOPER, Method::DELETE, &path, None).await.code(), "RESOURCE_DOES_NOT_EXIST");
    assert_eq!(delete(OUTSIDER).await.code(), "RESOURCE_DOES_NOT_EXIST");
    // Gone for readers, as before.
    assert_eq!(hub.get(&format!("logged-models/{id}")).await.code(), "RESOURCE_DOES_NOT_EXIST");
}
