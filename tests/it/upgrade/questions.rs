//! What is asked of a fixture, and how an answer may differ from the recorded one.

use http::Method;
use serde_json::{Value, json};

use crate::hub::{DEVELOPER, FLOOD, Hub};

/// Method, path and body of each question.
pub fn questions(names: &Value) -> Vec<(Method, String, Value)> {
    let mut all = Vec::new();
    let mut get = |path: String| all.push((Method::GET, path, Value::Null));
    let api = |endpoint: &str| format!("{FLOOD}/api/2.0/mlflow/{endpoint}");
    let id = |name: &str| names[name].as_str().unwrap().to_owned();
    let experiments = ["experiment", "deleted experiment", "experiment with a long name", "large experiment"];
    for name in experiments {
        get(api(&format!("experiments/get?experiment_id={}", id(name))));
    }
    get(api("experiments/get-by-name?experiment_name=inundation"));
    get(api("experiments/get-by-name?experiment_name=floods"));
    let mut runs = Vec::new();
    for name in names.as_object().unwrap().keys().filter(|name| name.contains("run")) {
        runs.push(id(name));
        get(api(&format!("runs/get?run_id={}", id(name))));
        get(api(&format!("artifacts/list?run_id={}", id(name))));
    }
    for (name, metric) in [
        ("closed run", "loss"),
        ("closed run", "not%20a%20number"),
        ("open run", "loss"),
        ("run with inputs", "many%20points"),
    ] {
        get(api(&format!("metrics/get-history?run_id={}&metric_key={metric}", id(name))));
    }
    get(api(&format!("logged-models/{}", id("logged model"))));
    for name in ["streams", "rivers", "large", "question"] {
        get(api(&format!("registered-models/get?name={name}")));
        get(api(&format!("model-versions/search?filter=name%3D'{name}'")));
    }
    for version in 1..=5 {
        get(api(&format!("model-versions/get?name=streams&version={version}")));
    }
    get(api("registered-models/alias?name=streams&alias=best"));
    get(api("registered-models/get-latest-versions?name=streams"));
    get(api("registered-models/search?max_results=100"));
    get(format!(
        "{FLOOD}/api/2.0/mlflow-artifacts/artifacts/{}/{}/artifacts/notes/a.txt",
        id("experiment"),
        id("closed run")
    ));
    get("/api/stac/collections/aimodel/items/earth/flood-model".to_owned());
    get("/api/stac/search?limit=100&sortby=id".to_owned());
    let mut post = |endpoint: &str, body: Value| all.push((Method::POST, api(endpoint), body));
    post("experiments/search", json!({"max_results": 100, "view_type": "ALL"}));
    for name in experiments {
        post("runs/search", json!({"experiment_ids": [id(name)], "run_view_type": "ALL", "max_results": 100}));
    }
    let filter = json!({"experiment_ids": [id("experiment")], "filter": "metrics.loss < 0.4", "order_by": ["metrics.loss DESC"]});
    post("runs/search", filter);
    post("logged-models/search", json!({"experiment_ids": [id("experiment")]}));
    all
}

/// The answer to a question, as it is recorded.
pub async fn answer(hub: &Hub, method: &Method, path: &str, body: &Value) -> Value {
    let sent = if body.is_null() { None } else { Some(body.clone()) };
    let found = hub.call(DEVELOPER, method.clone(), path, sent).await;
    let shown = match serde_json::from_slice::<Value>(&found.bytes) {
        Ok(json) => json,
        Err(_) => json!(String::from_utf8_lossy(&found.bytes)),
    };
    json!({"method": method.as_str(), "path": path, "body": body, "status": found.status.as_u16(), "answer": shown})
}

/// Asks a recorded question again.
pub async fn again(hub: &Hub, recorded: &Value) -> Value {
    let method = recorded["method"].as_str().unwrap().parse().unwrap();
    answer(hub, &method, recorded["path"].as_str().unwrap(), &recorded["body"]).await
}

/// Where `found` lacks, or has otherwise, something of `recorded`. Later versions may say more, but nothing else.
pub fn differences(found: &Value, recorded: &Value, place: &str) -> Vec<String> {
    match (found, recorded) {
        (Value::Object(found), Value::Object(recorded)) => recorded
            .iter()
            .flat_map(|(name, recorded)| {
                differences(found.get(name).unwrap_or(&Value::Null), recorded, &format!("{place}.{name}"))
            })
            .collect(),
        (Value::Array(found), Value::Array(recorded)) if found.len() == recorded.len() => {
            let pairs = found.iter().zip(recorded).enumerate();
            pairs.flat_map(|(at, (found, recorded))| differences(found, recorded, &format!("{place}[{at}]"))).collect()
        }
        _ if found == recorded => Vec::new(),
        _ => {
            let short = |value: &Value| value.to_string().chars().take(400).collect::<String>();
            vec![format!("{place}: {} instead of {}", short(found), short(recorded))]
        }
    }
}
