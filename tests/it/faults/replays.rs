//! Every write sent twice, as MLflow's client does when it has not heard the answer.

use futures::future::join_all;
use http::StatusCode;
use serde_json::Value;

use super::cases::CASES;
use super::things::{Things, difference};
use crate::hub::Hub;

/// What a second try of a call answers, and whether it changes what the first has done.
fn expected(name: &str) -> (StatusCode, &'static str, bool) {
    match name {
        // A name is taken, by the first try: the client looks it up.
        "experiments/create" | "registered-models/create" => {
            (StatusCode::BAD_REQUEST, "RESOURCE_ALREADY_EXISTS", false)
        }
        // What was to be gone is gone, as the stock server says it.
        "experiments/delete"
        | "experiments/restore"
        | "experiments/delete-experiment-tag"
        | "runs/delete-tag"
        | "registered-models/rename"
        | "registered-models/delete"
        | "model-versions/delete"
        | "model-versions/delete with its alias"
        | "logged-models delete tag" => (StatusCode::NOT_FOUND, "RESOURCE_DOES_NOT_EXIST", false),
        // Nothing tells a second one from a first: there are two, with ids of their own.
        "runs/create" | "logged-models create" | "model-versions/create" | "runs/log-model" => {
            (StatusCode::OK, "", true)
        }
        _ => (StatusCode::OK, "", false),
    }
}

/// Times change: they are not what was written.
fn without_times(mut state: Value) -> Value {
    fn clear(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|name, _| !name.ends_with("timestamp") && !name.ends_with("_time"));
                fields.values_mut().for_each(clear);
            }
            Value::Array(items) => items.iter_mut().for_each(clear),
            _ => {}
        }
    }
    clear(&mut state);
    state
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_write_that_is_sent_twice_counts_once() {
    let hub = Hub::start().await;
    let other = hub.beside().await;
    let tried = (0..CASES.len()).map(async |number| {
        let case = CASES[number];
        let things = Things::make(&hub, &format!("case{number:02}x")).await;
        case.act(&hub, &things).await.ok();
        let once = without_times(things.state(&hub).await);
        let (status, code, changes) = expected(case.name);
        // Through the instance that knows of the first, and through one that does not.
        for hub in [&hub, &other] {
            let again = case.act(hub, &things).await;
            assert_eq!((again.status, again.code().as_str()), (status, code), "{}: {again:?}", case.name);
            let twice = without_times(things.state(hub).await);
            if !changes {
                assert!(twice == once, "{}: {}", case.name, difference(&twice, &once));
            }
        }
    });
    join_all(tried).await;
}
