//! One case per kind of write.

use http::Method;
use serde_json::{Value, json};
use shared::route::{Route, WRITE};

use super::things::Things;
use crate::hub::{Answer, DEVELOPER, FLOOD, Hub};

/// A call that writes.
#[derive(Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    call: fn(&Things) -> (Method, String, Value),
    /// In the body of each request to DynamoDB that writes for this call.
    needle: fn(&Things) -> String,
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

fn patch(endpoint: &str, body: Value) -> (Method, String, Value) {
    (Method::PATCH, endpoint.to_owned(), body)
}

fn delete(endpoint: &str, body: Value) -> (Method, String, Value) {
    (Method::DELETE, endpoint.to_owned(), body)
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

/// The model's own item, its versions, and what leads to either.
fn by_uid(things: &Things) -> String {
    things.uid.clone()
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
            patch(&format!("logged-models/{}", t.model), body)
        },
        needle: by_model,
    },
    Case {
        name: "logged-models delete",
        call: |t| delete(&format!("logged-models/{}", t.model), json!({})),
        needle: by_model,
    },
    Case {
        name: "logged-models set tags",
        call: |t| patch(&format!("logged-models/{}/tags", t.model), json!({"tags": pairs(2)})),
        needle: by_model,
    },
    Case {
        name: "logged-models delete tag",
        call: |t| delete(&format!("logged-models/{}/tags/tag", t.model), json!({})),
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
        call: |t| patch("registered-models/update", json!({"name": old_name(t), "description": "other"})),
        needle: by_registered_name,
    },
    Case {
        name: "registered-models/set-tag",
        call: |t| post("registered-models/set-tag", json!({"name": old_name(t), "key": "another", "value": "x"})),
        needle: by_registered_name,
    },
    Case {
        name: "registered-models/delete-tag",
        call: |t| delete("registered-models/delete-tag", json!({"name": old_name(t), "key": "tag"})),
        needle: by_registered_name,
    },
    Case {
        name: "registered-models/rename",
        call: |t| post("registered-models/rename", json!({"name": old_name(t), "new_name": by_new_name(t)})),
        needle: by_uid,
    },
    Case {
        name: "registered-models/delete",
        call: |t| delete("registered-models/delete", json!({"name": old_name(t)})),
        needle: by_uid,
    },
    Case {
        name: "registered-models/alias",
        call: |t| post("registered-models/alias", json!({"name": old_name(t), "alias": "best", "version": "2"})),
        needle: by_registered_name,
    },
    Case {
        name: "registered-models/alias, deleted",
        call: |t| delete("registered-models/alias", json!({"name": old_name(t), "alias": "best"})),
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
    Case {
        name: "model-versions/update",
        call: |t| {
            let body = json!({"name": old_name(t), "version": "1", "description": "other"});
            patch("model-versions/update", body)
        },
        needle: by_uid,
    },
    Case {
        // The one that was made from a run, with a trace there.
        name: "model-versions/delete",
        call: |t| delete("model-versions/delete", json!({"name": old_name(t), "version": "2"})),
        needle: by_uid,
    },
    Case {
        // The one that an alias names.
        name: "model-versions/delete with its alias",
        call: |t| delete("model-versions/delete", json!({"name": old_name(t), "version": "1"})),
        needle: by_uid,
    },
    Case {
        name: "model-versions/set-tag",
        call: |t| {
            let body = json!({"name": old_name(t), "version": "1", "key": "another", "value": "x"});
            post("model-versions/set-tag", body)
        },
        needle: by_uid,
    },
    Case {
        name: "model-versions/delete-tag",
        call: |t| {
            let body = json!({"name": old_name(t), "version": "1", "key": "tag"});
            delete("model-versions/delete-tag", body)
        },
        needle: by_uid,
    },
];

/// Does a call fit a route's path, whose parts in braces stand for anything?
fn fits(route: &Route, method: &Method, endpoint: &str) -> bool {
    let Some((_, pattern)) = route.path.split_once("/2.0/mlflow/") else { return false };
    let (wanted, found): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), endpoint.split('/').collect());
    let same = |(wanted, found): (&&str, &&str)| wanted == found || wanted.starts_with('{');
    route.method == *method && wanted.len() == found.len() && wanted.iter().zip(&found).all(same)
}

#[test]
fn every_write_of_the_tracking_and_registry_functions_is_a_case() {
    let [experiment, deleted_experiment, run, deleted_run, model, uid] =
        ["1", "2", "run", "deleted", "m-1", "uid"].map(str::to_owned);
    let things = Things { word: "word".into(), experiment, deleted_experiment, run, deleted_run, model, uid };
    let calls: Vec<_> = CASES.iter().map(|case| (case.name, (case.call)(&things))).collect();
    let routes = mlflow_tracking::routes().into_iter().chain(mlflow_registry::routes());
    let writes: Vec<Route> = routes.filter(|route| route.rule == WRITE).collect();
    assert!(writes.len() > 70, "{} writes: this test looks for the wrong rule", writes.len());
    for route in &writes {
        let is_tried = calls.iter().any(|(_, (method, endpoint, _))| fits(route, method, endpoint));
        assert!(is_tried, "{} {} has no case: add one", route.method, route.path);
    }
    for (name, (method, endpoint, _)) in &calls {
        assert!(writes.iter().any(|route| fits(route, method, endpoint)), "{name} is no route that writes");
    }
}
