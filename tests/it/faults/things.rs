//! One case per kind of write: what it needs, the call, and all that can be seen of the outcome.

use http::Method;
use serde_json::{Value, json};

use crate::hub::{Answer, DEVELOPER, FLOOD, Hub};

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
}

/// A call that writes.
#[derive(Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    call: fn(&Things) -> (Method, String, Value),
    /// In the body of each request to DynamoDB that writes for this call.
    needle: fn(&Things) -> String,
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
        for _ in 0..2 {
            let version = json!({"name": name, "source": "s3://bucket/model", "tags": tags});
            hub.post("model-versions/create", version).await.ok();
        }
        let alias = json!({"name": name, "alias": "best", "version": "1"});
        hub.post("registered-models/alias", alias).await.ok();
        // Announces metrics: the case itself then needs no touch.
        let metric = json!({"run_id": run, "key": "loss", "value": 1, "timestamp": 1, "model_id": model});
        hub.post("runs/log-metric", metric).await.ok();
        Self { word: word.to_owned(), experiment, deleted_experiment, run, deleted_run, model }
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

impl Case {
    /// Makes the call.
    pub async fn act(&self, hub: &Hub, things: &Things) -> Answer {
        let (method, endpoint, body) = (self.call)(things);
        hub.call(DEVELOPER, method, &format!("{FLOOD}/api/2.0/mlflow/{endpoint}"), Some(body)).await
    }

    pub fn needle(&self, things: &Things) -> String {
        (self.needle)(things)
    }
}

fn post(endpoint: &str, body: Value) -> (Method, String, Value) {
    (Method::POST, endpoint.to_owned(), body)
}

fn pairs(count: usize) -> Vec<Value> {
    (0..count).map(|number| json!({"key": format!("key {number}"), "value": "v"})).collect()
}

fn by_run(things: &Things) -> String {
    things.run.clone()
}

fn by_experiment(things: &Things) -> String {
    format!("EXP#{}\"", things.experiment)
}

fn by_model(things: &Things) -> String {
    things.model.clone()
}

fn by_new_name(things: &Things) -> String {
    format!("new {}", things.word)
}

fn by_registered_name(things: &Things) -> String {
    format!("MODEL#1#old {}", things.word)
}

fn old_name(things: &Things) -> String {
    format!("old {}", things.word)
}

/// Every kind of write.
pub const CASES: &[Case] = &[
    Case {
        name: "experiments/create",
        call: |t| post("experiments/create", json!({"name": by_new_name(t), "tags": pairs(3)})),
        needle: by_new_name,
    },
    Case {
        name: "experiments/update",
        call: |t| post("experiments/update", json!({"experiment_id": t.experiment, "new_name": by_new_name(t)})),
        needle: by_new_name,
    },
    Case {
        name: "experiments/delete",
        call: |t| post("experiments/delete", json!({"experiment_id": t.experiment})),
        needle: by_experiment,
    },
    Case {
        name: "experiments/restore",
        call: |t| post("experiments/restore", json!({"experiment_id": t.deleted_experiment})),
        needle: |t| format!("EXP#{}\"", t.deleted_experiment),
    },
    Case {
        name: "experiments/set-experiment-tag",
        call: |t| {
            let body = json!({"experiment_id": t.experiment, "key": "another", "value": "x"});
            post("experiments/set-experiment-tag", body)
        },
        needle: by_experiment,
    },
    Case {
        name: "experiments/delete-experiment-tag",
        call: |t| post("experiments/delete-experiment-tag", json!({"experiment_id": t.experiment, "key": "tag"})),
        needle: by_experiment,
    },
    Case {
        name: "runs/create",
        call: |t| post("runs/create", json!({"experiment_id": t.experiment, "run_name": by_new_name(t)})),
        needle: by_new_name,
    },
    Case {
        name: "runs/update",
        call: |t| {
            let body = json!({"run_id": t.run, "status": "FINISHED", "end_time": 9, "run_name": "renamed"});
            post("runs/update", body)
        },
        needle: by_run,
    },
    Case { name: "runs/delete", call: |t| post("runs/delete", json!({"run_id": t.run})), needle: by_run },
    Case {
        name: "runs/restore",
        call: |t| post("runs/restore", json!({"run_id": t.deleted_run})),
        needle: |t| t.deleted_run.clone(),
    },
    Case {
        name: "runs/set-tag",
        call: |t| post("runs/set-tag", json!({"run_id": t.run, "key": "another", "value": "x"})),
        needle: by_run,
    },
    Case {
        name: "runs/delete-tag",
        call: |t| post("runs/delete-tag", json!({"run_id": t.run, "key": "tag"})),
        needle: by_run,
    },
    Case {
        name: "runs/log-metric",
        call: |t| {
            post("runs/log-metric", json!({"run_id": t.run, "key": "loss", "value": 2, "timestamp": 2, "step": 1}))
        },
        needle: by_run,
    },
    Case {
        name: "runs/log-metric of a model",
        call: |t| {
            let metric = json!({"run_id": t.run, "key": "loss", "value": 2, "timestamp": 2, "model_id": t.model});
            post("runs/log-metric", metric)
        },
        needle: by_model,
    },
    Case {
        name: "runs/log-parameter",
        call: |t| post("runs/log-parameter", json!({"run_id": t.run, "key": "depth", "value": "3"})),
        needle: by_run,
    },
    Case {
        name: "runs/log-batch",
        call: |t| {
            let metrics = json!([{"key": "loss", "value": 3, "timestamp": 3, "step": 2}]);
            post("runs/log-batch", json!({"run_id": t.run, "metrics": metrics, "params": pairs(3), "tags": pairs(3)}))
        },
        needle: by_run,
    },
    Case {
        name: "runs/log-batch of many",
        call: |t| post("runs/log-batch", json!({"run_id": t.run, "params": pairs(60), "tags": pairs(60)})),
        needle: by_run,
    },
    Case {
        name: "runs/log-inputs",
        call: |t| {
            let dataset = json!({"name": "d", "digest": "1", "source_type": "local", "source": "s"});
            post("runs/log-inputs", json!({"run_id": t.run, "datasets": [{"dataset": dataset, "tags": []}]}))
        },
        needle: by_run,
    },
    Case {
        name: "runs/outputs",
        call: |t| post("runs/outputs", json!({"run_id": t.run, "models": [{"model_id": t.model, "step": 1}]})),
        needle: by_run,
    },
    Case {
        name: "runs/log-model",
        call: |t| {
            let model = r#"{"artifact_path":"m","flavors":{},"utc_time_created":"x","run_id":"r"}"#;
            post("runs/log-model", json!({"run_id": t.run, "model_json": model}))
        },
        needle: by_run,
    },
    Case {
        name: "logged-models create",
        call: |t| post("logged-models", json!({"experiment_id": t.experiment, "name": by_new_name(t)})),
        needle: by_new_name,
    },
    Case {
        name: "logged-models finalize",
        call: |t| {
            let body = json!({"model_id": t.model, "status": "LOGGED_MODEL_READY"});
            (Method::PATCH, format!("logged-models/{}", t.model), body)
        },
        needle: by_model,
    },
    Case {
        name: "logged-models delete",
        call: |t| (Method::DELETE, format!("logged-models/{}", t.model), json!({})),
        needle: by_model,
    },
    Case {
        name: "logged-models set tags",
        call: |t| (Method::PATCH, format!("logged-models/{}/tags", t.model), json!({"tags": pairs(2)})),
        needle: by_model,
    },
    Case {
        name: "logged-models delete tag",
        call: |t| (Method::DELETE, format!("logged-models/{}/tags/tag", t.model), json!({})),
        needle: by_model,
    },
    Case {
        name: "logged-models params",
        call: |t| post(&format!("logged-models/{}/params", t.model), json!({"params": pairs(2)})),
        needle: by_model,
    },
    Case {
        name: "registered-models/create",
        call: |t| post("registered-models/create", json!({"name": by_new_name(t), "tags": pairs(3)})),
        needle: by_new_name,
    },
    Case {
        name: "registered-models/update",
        call: |t| {
            let body = json!({"name": old_name(t), "description": "other"});
            (Method::PATCH, "registered-models/update".to_owned(), body)
        },
        needle: by_registered_name,
    },
    Case {
        name: "registered-models/set-tag",
        call: |t| post("registered-models/set-tag", json!({"name": old_name(t), "key": "another", "value": "x"})),
        needle: by_registered_name,
    },
    Case {
        name: "registered-models/alias",
        call: |t| post("registered-models/alias", json!({"name": old_name(t), "alias": "best", "version": "2"})),
        needle: by_registered_name,
    },
    Case {
        name: "model-versions/create",
        call: |t| {
            let source = format!("models:/{}", t.model);
            post("model-versions/create", json!({"name": old_name(t), "source": source, "model_id": t.model}))
        },
        needle: by_registered_name,
    },
    Case {
        name: "model-versions/transition-stage",
        call: |t| {
            let body = json!({"name": old_name(t), "version": "1", "stage": "Production"});
            post("model-versions/transition-stage", body)
        },
        needle: by_registered_name,
    },
];
