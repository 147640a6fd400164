//! What outgrows one item of DynamoDB: params, tags, and the points of one call.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::fold::{delete_segments, sort_keys};
use crate::hub::Hub;

fn pairs(run: &Value, kind: &str) -> BTreeMap<String, String> {
    let list = run["data"][kind].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    list.iter().map(|pair| (text(&pair["key"]), text(&pair["value"]))).collect()
}

/// Ids of the runs that a filter finds.
async fn find(hub: &Hub, experiment: &str, filter: &str) -> Vec<String> {
    let found = hub.post("runs/search", json!({"experiment_ids": [experiment], "filter": filter})).await.ok();
    let runs = found["runs"].as_array().cloned().unwrap_or_default();
    runs.iter().map(|run| run["info"]["run_id"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn expect_invalid(answer: &crate::hub::Answer) {
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "INVALID_PARAMETER_VALUE"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn params_and_tags_outgrow_meta() {
    let hub = Hub::start().await;
    let other = hub.beside().await;
    let experiment = hub.new_experiment("large").await;
    let run = hub.new_run(&experiment).await;
    let value = |n: usize| format!("{n:04}").repeat(1_500);
    let mut params = BTreeMap::new();
    let mut tags = pairs(&hub.run(&run).await, "tags");
    for batch in 0..10 {
        let of_batch: Vec<Value> =
            (0..20).map(|n| json!({"key": format!("p{batch}_{n}"), "value": value(batch * 20 + n)})).collect();
        hub.post("runs/log-batch", json!({"run_id": run, "params": of_batch})).await.ok();
        params.extend((0..20).map(|n| (format!("p{batch}_{n}"), value(batch * 20 + n))));
        // Small ones in between, through the other instance.
        let tag = format!("t{batch}");
        other.post("runs/set-tag", json!({"run_id": run, "key": tag, "value": value(batch)})).await.ok();
        tags.insert(tag, value(batch));
    }
    assert!(!sort_keys(&hub, &run, "OV#M#").await.is_empty(), "pages");
    let check = async |params: &BTreeMap<String, String>, tags: &BTreeMap<String, String>| {
        for hub in [&hub, &other] {
            let seen = hub.run(&run).await;
            assert!(pairs(&seen, "params") == *params, "params");
            assert!(pairs(&seen, "tags") == *tags, "tags");
        }
    };
    check(&params, &tags).await;

    // Tags on pages are replaced and deleted in place.
    for (key, value) in [("t3", "short"), ("t4", &*value(77)), ("fresh", "x")] {
        hub.post("runs/set-tag", json!({"run_id": run, "key": key, "value": value})).await.ok();
        tags.insert(key.to_owned(), value.to_owned());
    }
    for key in ["t5", "fresh"] {
        other.post("runs/delete-tag", json!({"run_id": run, "key": key})).await.ok();
        tags.remove(key);
        let again = hub.post("runs/delete-tag", json!({"run_id": run, "key": key})).await;
        assert_eq!((again.status.as_u16(), again.code().as_str()), (404, "RESOURCE_DOES_NOT_EXIST"));
    }
    // A param on a page is as write-once as any.
    expect_invalid(&hub.post("runs/log-parameter", json!({"run_id": run, "key": "p3_3", "value": "other"})).await);
    let batch = json!([{"key": "new", "value": "v"}, {"key": "p9_19", "value": "other"}]);
    expect_invalid(&other.post("runs/log-batch", json!({"run_id": run, "params": batch})).await);
    hub.post("runs/log-parameter", json!({"run_id": run, "key": "p3_3", "value": value(63)})).await.ok();
    hub.post("runs/log-parameter", json!({"run_id": run, "key": "small", "value": "v"})).await.ok();
    params.insert("small".into(), "v".into());
    hub.post("runs/update", json!({"run_id": run, "status": "FINISHED", "run_name": "renamed"})).await.ok();
    tags.insert("mlflow.runName".into(), "renamed".into());
    check(&params, &tags).await;
    assert_eq!(hub.run(&run).await["info"]["run_name"], "renamed");

    hub.new_run(&experiment).await;
    for filter in [
        "params.p7_7 LIKE '0147%'",
        "params.small = 'v'",
        "tags.t3 = 'short'",
        "tags.t9 LIKE '0009%'",
        "attributes.run_name = 'renamed'",
    ] {
        assert_eq!(find(&other, &experiment, filter).await, [run.clone()], "{filter}");
    }
    assert!(find(&other, &experiment, "tags.t5 LIKE '%'").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_to_a_run_with_pages_do_not_lose_each_other() {
    let hubs = [Hub::start().await];
    let hubs = [hubs[0].clone(), hubs[0].beside().await];
    let experiment = hubs[0].new_experiment("large").await;
    let run = hubs[0].new_run(&experiment).await;
    let large: Vec<Value> = (0..8).map(|n| json!({"key": format!("p{n}"), "value": "x".repeat(6_000)})).collect();
    hubs[0].post("runs/log-batch", json!({"run_id": run, "params": large})).await.ok();
    let writers = (0..24).map(|writer| {
        let (hub, run) = (hubs[writer % 2].clone(), run.clone());
        tokio::spawn(async move {
            let pair = json!([{"key": format!("w{writer}"), "value": "v".repeat(3_000)}]);
            hub.post("runs/log-batch", json!({"run_id": run, "params": pair, "tags": pair})).await
        })
    });
    let mut written = Vec::new();
    for (writer, answer) in futures::future::join_all(writers).await.into_iter().enumerate() {
        let answer = answer.unwrap();
        // So many at once may be told to try again, but nothing else.
        assert!(matches!(answer.status.as_u16(), 200 | 409 | 503), "{answer:?}");
        if answer.status == 200 {
            written.push(writer);
        }
    }
    assert!(written.len() >= 12, "{written:?}");
    let seen = hubs[1].run(&run).await;
    let (params, tags) = (pairs(&seen, "params"), pairs(&seen, "tags"));
    for writer in written {
        let key = format!("w{writer}");
        assert!(params.contains_key(&key) && tags.contains_key(&key), "{key}");
    }
    assert!((0..8).all(|n| params.contains_key(&format!("p{n}"))));
}

#[tokio::test]
async fn small_writes_fill_meta_too() {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("drops").await;
    let run = hub.new_run(&experiment).await;
    for number in 0..60 {
        let body = json!({"run_id": run, "key": format!("t{number}"), "value": format!("{number:02}").repeat(4_000)});
        hub.post("runs/set-tag", body).await.ok();
        let body = json!({"run_id": run, "key": format!("p{number}"), "value": format!("{number:02}").repeat(3_000)});
        hub.post("runs/log-parameter", body).await.ok();
    }
    let seen = hub.run(&run).await;
    let (params, tags) = (pairs(&seen, "params"), pairs(&seen, "tags"));
    for number in 0..60 {
        assert_eq!(tags[&format!("t{number}")], format!("{number:02}").repeat(4_000));
        assert_eq!(params[&format!("p{number}")], format!("{number:02}").repeat(3_000));
    }
}

#[tokio::test]
async fn batches_beyond_one_expression() {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("batches").await;
    let run = hub.new_run(&experiment).await;
    let many =
        |value: &str| -> Vec<Value> { (0..100).map(|n| json!({"key": format!("key {n}"), "value": value})).collect() };
    let batch = json!({"run_id": run, "params": many("v"), "tags": many("v")});
    hub.post("runs/log-batch", batch.clone()).await.ok();
    hub.post("runs/log-batch", batch).await.ok();
    hub.post("runs/log-batch", json!({"run_id": run, "tags": many("w")})).await.ok();
    let before = hub.run(&run).await;
    assert_eq!((pairs(&before, "params").len(), pairs(&before, "tags").len()), (100, 101));
    assert_eq!(pairs(&before, "tags")["key 99"], "w");
    let mut conflicting = many("v");
    conflicting[70] = json!({"key": "key 70", "value": "other"});
    expect_invalid(&hub.post("runs/log-batch", json!({"run_id": run, "params": conflicting, "tags": many("x")})).await);
    assert_eq!(hub.run(&run).await, before);
}

#[tokio::test]
async fn experiments_with_large_tags() {
    let hub = Hub::start().await;
    // More than an item of DynamoDB can hold, all at once and one by one.
    let tags: Vec<Value> =
        (0..90).map(|n| json!({"key": format!("t{n}"), "value": format!("{n:02}").repeat(2_450)})).collect();
    let all_at_once = hub.post("experiments/create", json!({"name": "at once", "tags": tags})).await.ok();
    let one_by_one = hub.new_experiment("one by one").await;
    for tag in &tags {
        let body = json!({"experiment_id": one_by_one, "key": tag["key"], "value": tag["value"]});
        hub.post("experiments/set-experiment-tag", body).await.ok();
    }
    let expected: BTreeMap<String, String> =
        (0..90).map(|n| (format!("t{n}"), format!("{n:02}").repeat(2_450))).collect();
    let tags_of = |experiment: &Value| pairs(&json!({"data": experiment}), "tags");
    for id in [all_at_once["experiment_id"].as_str().unwrap(), &one_by_one] {
        let got = hub.get(&format!("experiments/get?experiment_id={id}")).await.ok();
        assert!(tags_of(&got["experiment"]) == expected, "experiment {id}");
        hub.post("experiments/delete-experiment-tag", json!({"experiment_id": id, "key": "t0"})).await.ok();
        hub.post("experiments/update", json!({"experiment_id": id, "new_name": format!("renamed {id}")})).await.ok();
        hub.post("experiments/delete", json!({"experiment_id": id})).await.ok();
        hub.post("experiments/restore", json!({"experiment_id": id})).await.ok();
        let found =
            hub.post("experiments/search", json!({"max_results": 9, "filter": "tags.t89 LIKE '8989%'"})).await.ok();
        let experiments = found["experiments"].as_array().unwrap();
        let found = experiments.iter().find(|experiment| experiment["experiment_id"] == *id).unwrap();
        assert_eq!(found["name"], format!("renamed {id}"));
        assert_eq!(tags_of(found).len(), 89);
    }
}

#[tokio::test]
async fn runs_and_models_with_large_tags_from_the_start() {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("large").await;
    let tags: Vec<Value> =
        (0..90).map(|n| json!({"key": format!("t{n}"), "value": format!("{n:02}").repeat(2_500)})).collect();
    let body = json!({"experiment_id": experiment, "tags": tags});
    let run = hub.post("runs/create", body.clone()).await.ok()["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    assert_eq!(pairs(&hub.run(&run).await, "tags").len(), 91);
    hub.post("runs/set-tag", json!({"run_id": run, "key": "t1", "value": "new"})).await.ok();
    assert_eq!(find(&hub, &experiment, "tags.t1 = 'new' and tags.t89 LIKE '8989%'").await, [run]);
    let model = hub.post("logged-models", body).await.ok()["model"]["info"]["model_id"].as_str().unwrap().to_owned();
    let got = hub.get(&format!("logged-models/{model}")).await.ok();
    assert_eq!(got["model"]["info"]["tags"].as_array().unwrap().len(), 90);
}

#[tokio::test]
async fn points_beyond_one_item() {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("wide points").await;
    for (count, length) in [(1_000, 1_000), (12, 100_000)] {
        let run = hub.new_run(&experiment).await;
        let metrics: Vec<Value> = (0..count)
            .map(|n| {
                let dataset = format!("{n:05}").repeat(length / 5);
                json!({"key": format!("m{n}"), "value": n, "timestamp": n, "step": n, "dataset_name": dataset, "dataset_digest": "d"})
            })
            .collect();
        hub.post("runs/log-batch", json!({"run_id": run, "metrics": metrics})).await.ok();
        assert!(sort_keys(&hub, &run, "S#").await.len() > 1, "several parts");
        let open = hub.run(&run).await;
        assert_eq!(open["data"]["metrics"].as_array().unwrap().len(), count);
        hub.clock.advance(200_000);
        assert_eq!(hub.run(&run).await, open);
        delete_segments(&hub, &run).await;
        assert_eq!(hub.run(&run).await, open, "from META and its pages");
    }
}
