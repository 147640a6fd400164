//! Makes one thing of every kind that the table can hold, by the API.

use catalog_sync::{Extent, reconcile};
use http::{Method, Request, header};
use serde_json::{Value, json};

use crate::catalog::{configured, post_hook};
use crate::hub::{Answer, DEVELOPER, FLOOD, GUEST, Hub};

const LONG: &str = "a name of more than two hundred bytes, which a key holds in part and by its hash ";

fn pairs(count: usize, size: usize) -> Vec<Value> {
    (0..count)
        .map(|number| json!({"key": format!("key {number}"), "value": format!("{number:04}").repeat(size / 4)}))
        .collect()
}

pub async fn put_file(hub: &Hub, path: &str, body: &str) -> Answer {
    let url = format!("{FLOOD}/api/2.0/mlflow-artifacts/artifacts/{path}");
    let request =
        Request::builder().method(Method::PUT).uri(url).header(header::AUTHORIZATION, format!("Bearer {DEVELOPER}"));
    hub.send(request.body(body.to_owned().into()).unwrap()).await
}

/// Everything that is named later on.
pub async fn make(hub: &Hub) -> Value {
    let mut names = json!({});
    experiments(hub, &mut names).await;
    runs(hub, &mut names).await;
    logged_models(hub, &mut names).await;
    registry(hub, &mut names).await;
    catalog(hub).await;
    // The windows of all runs so far pass, and what looks at them closes them.
    hub.clock.advance(200_000);
    for name in ["closed run", "run with many metrics", "run with inputs"] {
        hub.run(names[name].as_str().unwrap()).await;
    }
    let open = hub.new_run(names["experiment"].as_str().unwrap()).await;
    for step in 0..3 {
        let metric =
            json!({"run_id": open, "key": "loss", "value": 1.0 / f64::from(step + 1), "timestamp": 5, "step": step});
        hub.post("runs/log-metric", metric).await.ok();
    }
    names["open run"] = json!(open);
    // Somebody else, whose token the table then knows too.
    hub.call(GUEST, Method::GET, &format!("{FLOOD}/api/2.0/mlflow/runs/get?run_id={open}"), None).await.ok();
    names
}

async fn experiments(hub: &Hub, names: &mut Value) {
    let tags = json!([{"key": "team", "value": "water"}]);
    let created = hub.post("experiments/create", json!({"name": "floods", "tags": tags})).await.ok();
    names["experiment"] = created["experiment_id"].clone();
    hub.post("experiments/update", json!({"experiment_id": names["experiment"], "new_name": "inundation"})).await.ok();
    names["deleted experiment"] = json!(hub.new_experiment("deleted").await);
    names["experiment with a long name"] = json!(hub.new_experiment(&LONG.repeat(4)).await);
    let large = json!({"name": "large", "tags": pairs(5, 4_800)});
    names["large experiment"] = hub.post("experiments/create", large).await.ok()["experiment_id"].clone();
}

async fn runs(hub: &Hub, names: &mut Value) {
    let experiment = names["experiment"].as_str().unwrap().to_owned();
    let default =
        hub.post("runs/create", json!({"experiment_id": "0", "run_name": "in the default experiment"})).await.ok();
    names["run of the default experiment"] = default["run"]["info"]["run_id"].clone();

    let closed = hub.new_run(&experiment).await;
    let metrics = json!([
        {"key": "loss", "value": 0.5, "timestamp": 1_000, "step": 0},
        {"key": "loss", "value": 0.25, "timestamp": 2_000, "step": 1},
        {"key": "not a number", "value": "NaN", "timestamp": 1_000, "step": -3},
        {"key": "infinite", "value": "-Infinity", "timestamp": 1_000, "step": 0},
    ]);
    let batch = json!({"run_id": closed, "metrics": metrics, "params": pairs(3, 8), "tags": pairs(2, 8)});
    hub.post("runs/log-batch", batch).await.ok();
    hub.post("runs/update", json!({"run_id": closed, "status": "FINISHED", "end_time": 9_000, "run_name": "renamed"}))
        .await
        .ok();
    put_file(hub, &format!("{experiment}/{closed}/artifacts/notes/a.txt"), "hello").await.ok();
    names["closed run"] = json!(closed);

    let many = hub.new_run(&experiment).await;
    let metrics: Vec<Value> = (0..450)
        .map(|number| json!({"key": format!("a metric with quite a long name {number}"), "value": number, "timestamp": 1, "step": 1}))
        .collect();
    hub.post("runs/log-batch", json!({"run_id": many, "metrics": metrics})).await.ok();
    names["run with many metrics"] = json!(many);

    let large = hub.new_run(&experiment).await;
    hub.post("runs/log-batch", json!({"run_id": large, "params": pairs(4, 5_600), "tags": pairs(2, 4_800)})).await.ok();
    names["large run"] = json!(large);

    let deleted = hub.new_run(&experiment).await;
    hub.post("runs/delete", json!({"run_id": deleted})).await.ok();
    names["deleted run"] = json!(deleted);
    let with_it = hub.new_run(names["deleted experiment"].as_str().unwrap()).await;
    hub.post("experiments/delete", json!({"experiment_id": names["deleted experiment"]})).await.ok();
    names["run of a deleted experiment"] = json!(with_it);

    let inputs = hub.new_run(&experiment).await;
    let dataset = json!({"name": "rivers", "digest": "abc", "source_type": "local", "source": "s", "profile": "p".repeat(70_000)});
    let tags = json!([{"key": "mlflow.data.context", "value": "training"}]);
    hub.post("runs/log-inputs", json!({"run_id": inputs, "datasets": [{"dataset": dataset, "tags": tags}]})).await.ok();
    names["run with inputs"] = json!(inputs);
    let points: Vec<Value> =
        (0..200).map(|step| json!({"key": "many points", "value": step, "timestamp": step, "step": step})).collect();
    hub.post("runs/log-batch", json!({"run_id": inputs, "metrics": points})).await.ok();
}

async fn logged_models(hub: &Hub, names: &mut Value) {
    let new = |name: &str| json!({"experiment_id": names["experiment"], "name": name, "source_run_id": names["run with inputs"], "tags": pairs(2, 8)});
    let model = hub.post("logged-models", new("unet")).await.ok()["model"]["info"]["model_id"].clone();
    let gone = hub.post("logged-models", new("gone")).await.ok()["model"]["info"]["model_id"].clone();
    let path = |id: &Value, rest: &str| format!("{FLOOD}/api/2.0/mlflow/logged-models/{}{rest}", id.as_str().unwrap());
    let body = json!({"model_id": model, "status": "LOGGED_MODEL_READY"});
    hub.call(DEVELOPER, Method::PATCH, &path(&model, ""), Some(body)).await.ok();
    hub.call(DEVELOPER, Method::POST, &path(&model, "/params"), Some(json!({"params": pairs(2, 8)}))).await.ok();
    hub.call(DEVELOPER, Method::DELETE, &path(&gone, ""), Some(json!({}))).await.ok();
    let run = names["run with inputs"].clone();
    hub.post("runs/outputs", json!({"run_id": run, "models": [{"model_id": model, "step": 7}]})).await.ok();
    let body = json!({"run_id": run, "models": [{"model_id": model}]});
    hub.post("runs/log-inputs", body).await.ok();
    let metric = json!({"run_id": run, "key": "f1", "value": 0.75, "timestamp": 1_000, "step": 2, "model_id": model});
    hub.post("runs/log-metric", metric).await.ok();
    names["logged model"] = model;
}

async fn registry(hub: &Hub, names: &mut Value) {
    hub.post("registered-models/create", json!({"name": "rivers", "tags": pairs(2, 8), "description": "of all sizes"}))
        .await
        .ok();
    let path = |endpoint: &str| format!("{FLOOD}/api/2.0/mlflow/{endpoint}");
    for number in 1..=5 {
        let mut body = json!({"name": "rivers", "source": "s3://bucket/model", "tags": pairs(1, 8)});
        if number == 2 {
            body["run_id"] = names["closed run"].clone();
        }
        if number == 3 {
            body["source"] = json!(format!("models:/{}", names["logged model"].as_str().unwrap()));
            body["model_id"] = names["logged model"].clone();
        }
        if number == 4 {
            body["tags"] = json!(pairs(5, 4_800));
        }
        hub.post("model-versions/create", body).await.ok();
    }
    for (version, stage) in [("2", "Production"), ("3", "Staging")] {
        hub.post("model-versions/transition-stage", json!({"name": "rivers", "version": version, "stage": stage}))
            .await
            .ok();
    }
    hub.post("registered-models/alias", json!({"name": "rivers", "alias": "best", "version": "3"})).await.ok();
    hub.call(
        DEVELOPER,
        Method::DELETE,
        &path("model-versions/delete"),
        Some(json!({"name": "rivers", "version": "5"})),
    )
    .await
    .ok();
    hub.post("registered-models/rename", json!({"name": "rivers", "new_name": "streams"})).await.ok();
    hub.post("registered-models/create", json!({"name": "large", "tags": pairs(5, 4_800)})).await.ok();
    hub.post("registered-models/create", json!({"name": LONG.repeat(4)})).await.ok();
    let prompt = json!([{"key": "mlflow.prompt.is_prompt", "value": "true"}]);
    hub.post("registered-models/create", json!({"name": "question", "tags": prompt})).await.ok();
    let text = json!({"key": "mlflow.prompt.text", "value": "How high is {{river}}?"});
    let version = json!({"name": "question", "source": "dummy-source", "tags": [prompt[0], text]});
    hub.post("model-versions/create", version).await.ok();
}

/// The demo projects, one that is gone, and a webhook's delivery.
async fn catalog(hub: &Hub) {
    reconcile(&hub.state, Extent::Everything, None).await.unwrap();
    hub.world.set_topics("earth/tools/ndvi", &[]).unwrap();
    reconcile(&hub.state, Extent::Everything, None).await.unwrap();
    let hearing = configured(hub, |config| config.webhook_secret = Some("a secret of webhooks".into())).await;
    let headers =
        [("x-gitlab-token", "a secret of webhooks"), ("x-gitlab-event-uuid", "13792a34-cac6-4fda-95a8-c58e00a3954e")];
    let push = json!({"object_kind": "push", "project_id": 1, "project": {"id": 1}}).to_string();
    post_hook(&hearing, &headers, &push).await.ok();
}
