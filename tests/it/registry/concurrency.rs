//! Many writers at once, through two instances on one table.

use std::collections::BTreeSet;

use futures::future::join_all;
use http::StatusCode;
use serde_json::{Value, json};

use super::{new_model, texts};
use crate::hub::Hub;

const WRITERS: usize = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn versions_made_at_once_have_numbers_of_their_own() {
    let first = Hub::start().await;
    let hubs = [first.beside().await, first];
    new_model(&hubs[0], "crowd").await;
    let experiment = hubs[0].new_experiment("crowd").await;
    let logged = hubs[0].post("logged-models", json!({"experiment_id": experiment, "name": "m"})).await.ok();
    let logged = logged["model"]["info"]["model_id"].as_str().unwrap().to_owned();
    let sent = (0..WRITERS).map(|writer| {
        let hub = hubs[writer % 2].clone();
        let body = json!({"name": "crowd", "source": format!("models:/{logged}"), "model_id": logged});
        tokio::spawn(async move {
            // A 503 asks for another try, as every client makes.
            for _ in 0..10 {
                let answer = hub.post("model-versions/create", body.clone()).await;
                if answer.status != StatusCode::SERVICE_UNAVAILABLE {
                    return answer.ok();
                }
            }
            panic!("no luck in ten tries");
        })
    });
    let answers: Vec<Value> = join_all(sent).await.into_iter().map(|task| task.unwrap()).collect();
    let numbers: BTreeSet<u64> =
        answers.iter().map(|answer| answer["model_version"]["version"].as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(numbers, (1..=WRITERS as u64).collect());
    let found = hubs[0].get("model-versions/search?filter=name%3D'crowd'").await.ok();
    assert_eq!(texts(&found["model_versions"], "version").len(), WRITERS);
    // The logged model was told of each.
    let model = hubs[1].get(&format!("logged-models/{logged}")).await.ok();
    let tag = model["model"]["info"]["tags"][0]["value"].as_str().unwrap().to_owned();
    let told: Vec<Value> = serde_json::from_str(&tag).unwrap();
    assert_eq!(told.len(), WRITERS, "{tag}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_name_has_one_owner() {
    let first = Hub::start().await;
    let hubs = [first.beside().await, first];
    new_model(&hubs[0], "old 1").await;
    new_model(&hubs[0], "old 2").await;
    let mut requests: Vec<(&str, Value)> = vec![("registered-models/create", json!({"name": "wanted"})); 6];
    requests.push(("registered-models/rename", json!({"name": "old 1", "new_name": "wanted"})));
    requests.push(("registered-models/rename", json!({"name": "old 2", "new_name": "wanted"})));
    let sent = requests.into_iter().enumerate().map(|(number, (endpoint, body))| {
        let hub = hubs[number % 2].clone();
        tokio::spawn(async move { hub.post(endpoint, body).await })
    });
    let answers = join_all(sent).await.into_iter().map(|task| task.unwrap());
    let (won, lost): (Vec<_>, Vec<_>) = answers.partition(|answer| answer.status == StatusCode::OK);
    assert_eq!(won.len(), 1);
    for answer in lost {
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "RESOURCE_ALREADY_EXISTS"));
    }
    let all = hubs[0].get("registered-models/search?max_results=10").await.ok();
    let names = texts(&all["registered_models"], "name");
    assert!(names.contains(&"wanted".to_owned()) && (names.len() == 3 || names.len() == 2), "{names:?}");
}
