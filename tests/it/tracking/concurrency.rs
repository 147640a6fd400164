//! Many writers at once, through two instances of the hub on one table: nothing is lost, nothing overwritten.

use std::collections::BTreeMap;

use futures::future::join_all;
use http::StatusCode;
use serde_json::{Value, json};

use crate::hub::{Answer, Hub};

const WRITERS: usize = 64;

/// Two instances on one table.
async fn pair() -> [Hub; 2] {
    let first = Hub::start().await;
    let second = first.beside().await;
    [first, second]
}

/// Sends all requests at once, in turn through each instance.
async fn all_at_once(hubs: &[Hub], requests: Vec<(&str, Value)>) -> Vec<Answer> {
    let sent = requests.into_iter().enumerate().map(|(number, (endpoint, body))| {
        let (hub, endpoint) = (hubs[number % hubs.len()].clone(), endpoint.to_owned());
        tokio::spawn(async move { hub.post(&endpoint, body).await })
    });
    join_all(sent).await.into_iter().map(|task| task.unwrap()).collect()
}

fn pairs(run: &Value, kind: &str) -> BTreeMap<String, String> {
    let list = run["data"][kind].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    list.iter().map(|pair| (text(&pair["key"]), text(&pair["value"]))).collect()
}

fn metrics(run: &Value) -> BTreeMap<String, f64> {
    let list = run["data"]["metrics"].as_array().cloned().unwrap_or_default();
    list.iter().map(|metric| (metric["key"].as_str().unwrap().to_owned(), metric["value"].as_f64().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_to_one_run_lose_nothing() {
    let hubs = pair().await;
    let experiment = hubs[0].new_experiment("crowd").await;
    let run = hubs[0].new_run(&experiment).await;
    let mut requests = Vec::new();
    for writer in 0..WRITERS {
        let point = |key: &str| json!({"key": key, "value": writer, "timestamp": 1_000 + writer, "step": writer});
        let own = format!("writer_{writer}");
        let metrics = [point("loss"), point(&own)];
        let pair = json!([{"key": own, "value": own}]);
        let batch = json!({"run_id": run, "metrics": metrics, "params": pair, "tags": pair});
        requests.push(("runs/log-batch", batch));
        let mut single = point("single");
        single["run_id"] = json!(run);
        requests.push(("runs/log-metric", single));
        requests.push(("runs/set-tag", json!({"run_id": run, "key": format!("tag_{writer}"), "value": "t"})));
        requests.push(("runs/log-parameter", json!({"run_id": run, "key": format!("param_{writer}"), "value": "p"})));
        if writer % 16 == 0 {
            // Too large for one expression: read, merged and written back against all the others.
            let many: Vec<Value> = (0..60).map(|n| json!({"key": format!("{own}_{n}"), "value": "m"})).collect();
            requests.push(("runs/log-batch", json!({"run_id": run, "params": many, "tags": many})));
        }
    }
    for answer in all_at_once(&hubs, requests).await {
        answer.ok();
    }
    for hub in &hubs {
        let seen = hub.run(&run).await;
        let (params, tags, latest) = (pairs(&seen, "params"), pairs(&seen, "tags"), metrics(&seen));
        for writer in 0..WRITERS {
            let own = format!("writer_{writer}");
            assert_eq!((params.get(&own), tags.get(&own)), (Some(&own), Some(&own)), "{own}");
            assert!(params.contains_key(&format!("param_{writer}")) && tags.contains_key(&format!("tag_{writer}")));
            assert_eq!(latest.get(&own), Some(&(writer as f64)));
        }
        assert_eq!((latest["loss"], latest["single"]), (63.0, 63.0));
        let big = WRITERS / 16 * 60;
        assert_eq!((params.len(), tags.len()), (2 * WRITERS + big, 2 * WRITERS + big + 1), "and the run's name");
        for key in ["loss", "single"] {
            let history = hub.get(&format!("metrics/get-history?run_id={run}&metric_key={key}")).await.ok();
            let steps: Vec<i64> =
                history["metrics"].as_array().unwrap().iter().map(|point| point["step"].as_i64().unwrap()).collect();
            assert_eq!(steps, (0..64).collect::<Vec<_>>(), "{key}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn runs_of_one_experiment_do_not_disturb_each_other() {
    let hubs = pair().await;
    let experiment = hubs[0].new_experiment("many runs").await;
    let create = (0..WRITERS).map(|number| {
        let body = json!({"experiment_id": experiment, "run_name": format!("run {number}"), "start_time": number});
        ("runs/create", body)
    });
    let created = all_at_once(&hubs, create.collect()).await.into_iter().map(Answer::ok);
    let ids: Vec<String> = created.map(|run| run["run"]["info"]["run_id"].as_str().unwrap().to_owned()).collect();
    let mut requests = Vec::new();
    for (number, id) in ids.iter().enumerate() {
        for step in 0..3 {
            let metric = json!({"run_id": id, "key": "loss", "value": number, "timestamp": 1, "step": step});
            requests.push(("runs/log-metric", metric));
        }
        requests.push(("runs/log-parameter", json!({"run_id": id, "key": "number", "value": number.to_string()})));
        requests.push(("runs/update", json!({"run_id": id, "status": "FINISHED", "end_time": 5})));
    }
    for answer in all_at_once(&hubs, requests).await {
        answer.ok();
    }
    for hub in &hubs {
        let found = hub.post("runs/search", json!({"experiment_ids": [experiment]})).await.ok();
        let runs = found["runs"].as_array().unwrap();
        assert_eq!(runs.len(), WRITERS);
        for (number, run) in runs.iter().rev().enumerate() {
            assert_eq!(run["info"]["run_id"], ids[number].as_str(), "latest start first");
            assert_eq!(run["info"]["status"], "FINISHED");
            assert_eq!(metrics(run)["loss"], number as f64);
            assert_eq!(pairs(run, "params")["number"], number.to_string());
        }
        for id in &ids {
            let history = hub.get(&format!("metrics/get-history?run_id={id}&metric_key=loss")).await.ok();
            assert_eq!(history["metrics"].as_array().unwrap().len(), 3);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_values_for_one_param_one_wins() {
    let hubs = pair().await;
    let experiment = hubs[0].new_experiment("racers").await;
    type Ask = fn(&str, usize) -> (&'static str, Value);
    let single: Ask =
        |run, racer| ("runs/log-parameter", json!({"run_id": run, "key": "depth", "value": racer.to_string()}));
    let batch: Ask = |run, racer| {
        let params =
            json!([{"key": "depth", "value": racer.to_string()}, {"key": format!("own_{racer}"), "value": "x"}]);
        (
            "runs/log-batch",
            json!({"run_id": run, "params": params, "tags": [{"key": format!("own_{racer}"), "value": "x"}]}),
        )
    };
    // More than fit into one expression.
    let large: Ask = |run, racer| {
        let mut params: Vec<Value> =
            (0..45).map(|n| json!({"key": format!("own_{racer}_{n}"), "value": "x"})).collect();
        params.push(json!({"key": "depth", "value": racer.to_string()}));
        ("runs/log-batch", json!({"run_id": run, "params": params}))
    };
    for (ask, racers, own) in [(single, WRITERS, 0), (batch, WRITERS, 1), (large, 16, 45)] {
        let run = hubs[0].new_run(&experiment).await;
        let answers = all_at_once(&hubs, (0..racers).map(|racer| ask(&run, racer)).collect()).await;
        let winners: Vec<usize> = (0..racers).filter(|&racer| answers[racer].status == StatusCode::OK).collect();
        assert_eq!(winners.len(), 1, "{winners:?}");
        for (racer, answer) in answers.iter().enumerate() {
            if racer != winners[0] {
                assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "INVALID_PARAMETER_VALUE"));
            }
        }
        let params = pairs(&hubs[1].run(&run).await, "params");
        assert_eq!(params["depth"], winners[0].to_string());
        // The losers' batches left nothing behind.
        assert_eq!(params.len(), 1 + own);
        // Saying the winning value again is no conflict, through either instance.
        for hub in &hubs {
            let (endpoint, body) = ask(&run, winners[0]);
            hub.post(endpoint, body).await.ok();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_creators_of_one_name_one_wins() {
    let hubs = pair().await;
    for round in 0..5 {
        let name = format!("wanted {round}");
        let create = (0..16).map(|_| ("experiments/create", json!({"name": name})));
        let answers = all_at_once(&hubs, create.collect()).await;
        let mut winners = Vec::new();
        for answer in &answers {
            match answer.status {
                StatusCode::OK => winners.push(answer.json()["experiment_id"].clone()),
                status => {
                    assert_eq!((status.as_u16(), answer.code().as_str()), (400, "RESOURCE_ALREADY_EXISTS"));
                }
            }
        }
        assert_eq!(winners.len(), 1);
        for hub in &hubs {
            let by_name = hub.get(&format!("experiments/get-by-name?experiment_name=wanted%20{round}")).await.ok();
            assert_eq!(by_name["experiment"]["experiment_id"], winners[0]);
            let found = hub
                .post("experiments/search", json!({"max_results": 9, "filter": format!("name = '{name}'")}))
                .await
                .ok();
            assert_eq!(found["experiments"].as_array().unwrap().len(), 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_renames_to_one_name_one_wins() {
    let hubs = pair().await;
    let mut ids = Vec::new();
    for number in 0..12 {
        ids.push(hubs[number % 2].new_experiment(&format!("old {number}")).await);
    }
    let rename = ids.iter().map(|id| ("experiments/update", json!({"experiment_id": id, "new_name": "best"})));
    let answers = all_at_once(&hubs, rename.collect()).await;
    let winners: Vec<usize> = (0..12).filter(|&number| answers[number].status == StatusCode::OK).collect();
    assert_eq!(winners.len(), 1);
    assert!(answers.iter().filter(|a| a.status != StatusCode::OK).all(|a| a.code() == "RESOURCE_ALREADY_EXISTS"));
    let by_name = hubs[1].get("experiments/get-by-name?experiment_name=best").await.ok();
    assert_eq!(by_name["experiment"]["experiment_id"], ids[winners[0]].as_str());
    for (number, id) in ids.iter().enumerate() {
        let kept = hubs[0].get(&format!("experiments/get-by-name?experiment_name=old%20{number}")).await;
        assert_eq!(kept.status == StatusCode::OK, number != winners[0], "the others keep their names");
        if number != winners[0] {
            assert_eq!(kept.json()["experiment"]["experiment_id"], id.as_str());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_project_gets_one_default_experiment() {
    let hubs = pair().await;
    let create = (0..24).map(|_| ("runs/create", json!({"experiment_id": "0"})));
    let mut uris = Vec::new();
    for answer in all_at_once(&hubs, create.collect()).await {
        // A client that lost the race asks again.
        assert!(matches!(answer.status, StatusCode::OK | StatusCode::CONFLICT), "{answer:?}");
        uris.push(answer.json());
    }
    let made = uris.iter().filter(|body| body["run"].is_object()).count();
    for hub in &hubs {
        let found = hub.post("runs/search", json!({"experiment_ids": ["0"]})).await.ok();
        assert_eq!(found["runs"].as_array().unwrap().len(), made);
        let found = hub.post("experiments/search", json!({"max_results": 100})).await.ok();
        assert_eq!(found["experiments"].as_array().unwrap().len(), 1);
    }
    assert_eq!(made, 24);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn models_that_are_logged_at_once_are_all_listed() {
    let hubs = pair().await;
    let experiment = hubs[0].new_experiment("models at once").await;
    let run = hubs[0].new_run(&experiment).await;
    let model = |number: usize| {
        let model =
            json!({"artifact_path": format!("m{number}"), "flavors": {}, "utc_time_created": "x", "run_id": run});
        ("runs/log-model", json!({"run_id": run, "model_json": model.to_string()}))
    };
    for answer in all_at_once(&hubs, (0..WRITERS).map(model).collect()).await {
        answer.ok();
    }
    let tags = pairs(&hubs[0].run(&run).await, "tags");
    let history: Vec<Value> = serde_json::from_str(&tags["mlflow.log-model.history"]).unwrap();
    let paths: std::collections::BTreeSet<_> = history.iter().map(|model| model["artifact_path"].to_string()).collect();
    assert_eq!((history.len(), paths.len()), (WRITERS, WRITERS));
}
