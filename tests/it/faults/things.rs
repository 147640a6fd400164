//! What a case of a write works on, and all that can be seen of the outcome.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::hub::{Hub, table};

/// What a case works on, used by no other.
#[derive(Clone)]
pub struct Things {
    /// In every name of this case, and in no other.
    pub word: String,
    pub experiment: String,
    pub deleted_experiment: String,
    pub run: String,
    pub deleted_run: String,
    pub model: String,
    /// The registered model's own id, which stays when it is renamed.
    pub uid: String,
}

impl Things {
    pub async fn make(hub: &Hub, word: &str) -> Self {
        let tags = json!([{"key": "tag", "value": "v"}]);
        let experiment = |kind: &'static str| {
            let body = json!({"name": format!("{kind} {word}"), "tags": tags});
            async move { text(&hub.post("experiments/create", body).await.ok()["experiment_id"]) }
        };
        let (experiment, deleted_experiment) = (experiment("old").await, experiment("deleted").await);
        hub.post("experiments/delete", json!({"experiment_id": deleted_experiment})).await.ok();
        let run = |name: &'static str| {
            let body = json!({"experiment_id": experiment, "run_name": name, "start_time": 1, "tags": tags});
            async move { text(&hub.post("runs/create", body).await.ok()["run"]["info"]["run_id"]) }
        };
        let (run, deleted_run) = (run("old").await, run("deleted").await);
        hub.post("runs/delete", json!({"run_id": deleted_run})).await.ok();
        let body = json!({"experiment_id": experiment, "name": "old", "tags": tags});
        let model = text(&hub.post("logged-models", body).await.ok()["model"]["info"]["model_id"]);
        let name = format!("old {word}");
        hub.post("registered-models/create", json!({"name": name, "tags": tags})).await.ok();
        // The second one leaves a trace in the run that it was made from.
        for run in ["", &run] {
            let version = json!({"name": name, "source": "s3://bucket/model", "run_id": run, "tags": tags});
            hub.post("model-versions/create", version).await.ok();
        }
        let alias = json!({"name": name, "alias": "best", "version": "1"});
        hub.post("registered-models/alias", alias).await.ok();
        // Announces metrics: the case itself then needs no touch.
        let metric = json!({"run_id": run, "key": "loss", "value": 1, "timestamp": 1, "model_id": model});
        hub.post("runs/log-metric", metric).await.ok();
        let uid = uid_of(hub, &name).await;
        Self { word: word.to_owned(), experiment, deleted_experiment, run, deleted_run, model, uid }
    }

    /// All that clients can see of these things, without ids and times.
    pub async fn state(&self, hub: &Hub) -> Value {
        let experiments =
            json!({"max_results": 50, "view_type": "ALL", "filter": format!("name LIKE '%{}'", self.word)});
        let runs = json!({"experiment_ids": [self.experiment], "run_view_type": "ALL"});
        let history = format!("metrics/get-history?run_id={}&metric_key=loss", self.run);
        let by_id = |id: &String| {
            let path = format!("experiments/get?experiment_id={id}");
            async move { hub.get(&path).await.json() }
        };
        let mut state = json!({
            "experiment": by_id(&self.experiment).await,
            "deleted experiment": by_id(&self.deleted_experiment).await,
            "by old name": hub.get(&format!("experiments/get-by-name?experiment_name=old%20{}", self.word)).await.json(),
            "by new name": hub.get(&format!("experiments/get-by-name?experiment_name=new%20{}", self.word)).await.json(),
            "experiments": hub.post("experiments/search", experiments).await.ok(),
            "run": hub.run(&self.run).await,
            "deleted run": hub.run(&self.deleted_run).await,
            "runs": hub.post("runs/search", runs).await.ok(),
            "history": hub.get(&history).await.ok(),
            "registered": hub.get(&format!("registered-models/get?name=old%20{}", self.word)).await.json(),
            "registered anew": hub.get(&format!("registered-models/get?name=new%20{}", self.word)).await.json(),
            "best": hub.get(&format!("registered-models/alias?name=old%20{}&alias=best", self.word)).await.json(),
            "versions": hub.get(&format!("model-versions/search?filter=name%20LIKE%20'%25{}'", self.word)).await.ok(),
            "versions of the run": hub.get(&format!("model-versions/search?filter=run_id%3D'{}'", self.run)).await.ok(),
            "model": hub.get(&format!("logged-models/{}", self.model)).await.json(),
            "models": hub.post("logged-models/search", json!({"experiment_ids": [self.experiment]})).await.ok(),
        });
        self.redact(&mut state);
        state
    }

    /// Takes out what differs between equal outcomes.
    pub fn redact(&self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for id in ["experiment_id", "artifact_uri", "artifact_location", "run_id", "run_uuid", "model_id"] {
                    fields.remove(id);
                }
                fields.remove("source_run_id");
                fields.values_mut().for_each(|field| self.redact(field));
            }
            Value::Array(items) => {
                items.iter_mut().for_each(|item| self.redact(item));
                items.sort_by_key(Value::to_string);
            }
            Value::Number(number) if number.as_i64().is_some_and(|number| number > 1_000_000_000_000) => {
                *value = json!(0)
            }
            Value::String(text) => *text = text.replace(&self.word, "<word>").replace(&self.model, "<model>"),
            _ => {}
        }
    }
}

/// The parts of two states that differ.
pub fn difference(found: &Value, expected: &Value) -> String {
    let parts = expected.as_object().unwrap().iter().filter(|(name, part)| found[name.as_str()] != **part);
    parts.map(|(name, part)| format!("{name}: {} instead of {part}\n", found[name.as_str()])).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The id of a registered model, which the API does not show.
async fn uid_of(hub: &Hub, name: &str) -> String {
    let get = table(hub).await.get_item().table_name(&hub.state.config.table).consistent_read(true);
    let pk = AttributeValue::S(format!("MODEL#1#{name}"));
    let found = get.key("PK", pk).key("SK", AttributeValue::S("META".into())).send().await.unwrap();
    found.item.unwrap()["uid"].as_s().unwrap().clone()
}
