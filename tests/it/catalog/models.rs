//! Registered models of the hub's own registry are links and assets of their project's item.

use std::time::{Duration, Instant};

use http::header;
use local::gitlab::Visibility;
use serde_json::json;

use super::*;
use crate::hub::{DEVELOPER, FLOOD, GUEST};

const API: &str = "/api/2.0/mlflow";
const MLMODEL: &str = "flavors:\n  python_function:\n    loader_module: x\n    model_path: weights/model.pkl\n";

async fn put(hub: &Hub, path: &str, body: &str) {
    let url = format!("{FLOOD}/api/2.0/mlflow-artifacts/artifacts/{path}");
    let request =
        Request::builder().method(Method::PUT).uri(url).header(header::AUTHORIZATION, format!("Bearer {DEVELOPER}"));
    assert_eq!(hub.send(request.body(Body::from(body.to_owned())).unwrap()).await.status, 200);
}

/// What DynamoDB's stream tells of a change in the registry of `earth/flood-model`.
async fn registry_changed(hub: &Hub) -> serde_json::Value {
    let record = json!({ "eventName": "MODIFY", "dynamodb": { "NewImage": { "project": { "N": "1" } } } });
    let removed = json!({ "eventName": "REMOVE", "dynamodb": { "OldImage": { "project": { "N": "1" } } } });
    let other = json!({ "eventName": "REMOVE", "dynamodb": { "OldImage": { "count": { "N": "1" } } } });
    let event = json!({ "Records": [record, removed, other] });
    catalog_sync::handle(hub.state.clone(), event, Instant::now() + Duration::from_secs(60)).await.unwrap()
}

async fn models(hub: &Hub) -> Vec<String> {
    let item = whole(hub, "aimodel", "earth/flood-model").await;
    links(&item, "mlflow:model").iter().map(|link| link["mlflow:uri"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_registered_model_appears_and_disappears() {
    let hub = synced().await;
    let experiment = hub.new_experiment("models").await;
    let run = hub.new_run(&experiment).await;
    let folder = format!("{experiment}/{run}/artifacts/best%20model");
    put(&hub, &format!("{folder}/MLmodel"), MLMODEL).await;
    put(&hub, &format!("{folder}/weights/model.pkl"), "the weights").await;
    hub.post("registered-models/create", json!({"name": "flood mapper"})).await.ok();
    assert_eq!(registry_changed(&hub).await["summary"]["unchanged"], 1, "a model without versions is nothing to show");
    let source = format!("runs:/{run}/best model");
    for _ in 0..2 {
        let version = json!({"name": "flood mapper", "source": source, "run_id": run});
        hub.post("model-versions/create", version).await.ok();
    }
    assert_eq!(registry_changed(&hub).await["summary"]["written"], 1);
    assert_eq!(models(&hub).await, ["models:/flood mapper/2"], "the newest version");
    let item = item(&hub, DEVELOPER, "aimodel", "earth/flood-model").await.ok();
    let link = links(&item, "mlflow:model")[0];
    assert_eq!(link["title"], "flood mapper v2");
    let asset = &item["assets"]["flood-mapper-v2.pkl"];
    assert_eq!(
        (&asset["title"], &asset["roles"][0]),
        (&"flood mapper v2".into(), &"data".into()),
        "{:#}",
        item["assets"]
    );
    let href = asset["href"].as_str().unwrap().strip_prefix("http://127.0.0.1").unwrap();
    let answer = get(&hub, DEVELOPER, href).await;
    assert_eq!((answer.status.as_u16(), &answer.bytes[..]), (200, &b"the weights"[..]), "{href}");

    hub.post("registered-models/rename", json!({"name": "flood mapper", "new_name": "mapper"})).await.ok();
    registry_changed(&hub).await;
    assert_eq!(models(&hub).await, ["models:/mapper/2"]);
    let delete = async |endpoint: &str, body| {
        hub.call(DEVELOPER, Method::DELETE, &format!("{FLOOD}{API}/{endpoint}"), Some(body)).await.ok()
    };
    delete("model-versions/delete", json!({"name": "mapper", "version": "2"})).await;
    registry_changed(&hub).await;
    assert_eq!(models(&hub).await, ["models:/mapper/1"]);
    delete("registered-models/delete", json!({"name": "mapper"})).await;
    registry_changed(&hub).await;
    assert_eq!(models(&hub).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_logged_models_file_is_an_asset_that_can_be_fetched() {
    let hub = synced().await;
    let experiment = hub.new_experiment("logged").await;
    let run = hub.new_run(&experiment).await;
    let body = json!({"experiment_id": experiment, "name": "m", "source_run_id": run});
    let model = hub.post("logged-models", body).await.ok()["model"]["info"]["model_id"].as_str().unwrap().to_owned();
    let folder = format!("{experiment}/models/{model}/artifacts");
    put(&hub, &format!("{folder}/MLmodel"), MLMODEL).await;
    put(&hub, &format!("{folder}/weights/model.pkl"), "logged weights").await;
    hub.post("registered-models/create", json!({"name": "logged"})).await.ok();
    let version = json!({"name": "logged", "source": format!("models:/{model}"), "model_id": model, "run_id": run});
    hub.post("model-versions/create", version).await.ok();
    assert_eq!(registry_changed(&hub).await["summary"]["written"], 1);
    let item = item(&hub, DEVELOPER, "aimodel", "earth/flood-model").await.ok();
    let href = item["assets"]["logged-v1.pkl"]["href"].as_str().unwrap_or_else(|| panic!("{:#}", item["assets"]));
    let answer = get(&hub, DEVELOPER, href.strip_prefix("http://127.0.0.1").unwrap()).await;
    assert_eq!((answer.status.as_u16(), &answer.bytes[..]), (200, &b"logged weights"[..]), "{href}");
}

#[tokio::test]
async fn models_from_elsewhere_and_prompts_are_no_assets() {
    let hub = synced().await;
    hub.post("registered-models/create", json!({"name": "foreign"})).await.ok();
    hub.post("model-versions/create", json!({"name": "foreign", "source": "s3://bucket/x"})).await.ok();
    let prompt = json!({"name": "ask", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]});
    hub.post("registered-models/create", prompt).await.ok();
    registry_changed(&hub).await;
    let item = whole(&hub, "aimodel", "earth/flood-model").await;
    assert_eq!(links(&item, "mlflow:model").len(), 1);
    assert!(!item["assets"].as_object().unwrap().keys().any(|key| key.contains("foreign")));
    // Who does not see the repository is told of no model, nor is a stranger.
    let guest = super::item(&hub, GUEST, "aimodel", "earth/flood-model").await.ok();
    assert_eq!(links(&guest, "mlflow:model").len(), 0);
}

#[tokio::test]
async fn where_only_members_read_the_catalog_tells_of_no_model() {
    let hub = synced().await;
    let members = configured(&hub, |config| config.members_only = true).await;
    hub.world.set_visibility("earth/flood-model", Visibility::Public).unwrap();
    hub.post("registered-models/create", json!({"name": "ours"})).await.ok();
    hub.post("model-versions/create", json!({"name": "ours", "source": "s3://bucket/x"})).await.ok();
    registry_changed(&hub).await;
    assert_eq!(models(&hub).await.len(), 1);
    registry_changed(&members).await;
    assert_eq!(models(&members).await.len(), 0);
}

#[tokio::test]
async fn a_models_description_is_read_within_bounds() {
    let hub = synced().await;
    let experiment = hub.new_experiment("bombs").await;
    let run = hub.new_run(&experiment).await;
    // Written out, each would take gigabytes of memory or hours of time.
    let text = format!("a: &a {}\nb: [{}]\n{MLMODEL}", "x".repeat(100_000), vec!["*a"; 35_000].join(","));
    let nested = format!("{MLMODEL}a: {}", "[".repeat(200_000));
    let lists: String =
        (1..12).map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(","))).collect();
    for (name, description) in [("text", text), ("nested", nested), ("lists", format!("a0: &a0 [x]\n{lists}{MLMODEL}"))]
    {
        assert!(description.len() < 256 * 1024);
        put(&hub, &format!("{experiment}/{run}/artifacts/{name}/MLmodel"), &description).await;
        hub.post("registered-models/create", json!({"name": name})).await.ok();
        let version = json!({"name": name, "source": format!("runs:/{run}/{name}"), "run_id": run});
        hub.post("model-versions/create", version).await.ok();
        let begun = Instant::now();
        assert_eq!(registry_changed(&hub).await["summary"]["written"], 1, "{name}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{name}: {:?}", begun.elapsed());
        assert!(models(&hub).await.contains(&format!("models:/{name}/1")));
    }
}
