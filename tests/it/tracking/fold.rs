//! Latest metrics: which point counts, and when a fold is written back.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::faults::{Fault, Injector};
use crate::hub::{Hub, table};

/// All sort keys of a run that begin with a prefix.
pub async fn sort_keys(hub: &Hub, run: &str, prefix: &str) -> Vec<String> {
    let query = table(hub)
        .await
        .query()
        .table_name(&hub.state.config.table)
        .consistent_read(true)
        .key_condition_expression("PK = :pk AND begins_with(SK, :prefix)")
        .expression_attribute_values(":pk", AttributeValue::S(format!("RUN#{run}")))
        .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()));
    let mut pages = query.into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(item) = pages.next().await {
        found.push(item.unwrap()["SK"].as_s().unwrap().clone());
    }
    found
}

/// Deletes a run's segments behind the hub's back; answers how many there were.
pub async fn delete_segments(hub: &Hub, run: &str) -> usize {
    let (client, keys) = (table(hub).await, sort_keys(hub, run, "S#").await);
    for key in &keys {
        let delete = client
            .delete_item()
            .table_name(&hub.state.config.table)
            .key("PK", AttributeValue::S(format!("RUN#{run}")))
            .key("SK", AttributeValue::S(key.clone()));
        delete.send().await.unwrap();
    }
    keys.len()
}

async fn start() -> (Hub, String) {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("folds").await;
    let run = hub.new_run(&experiment).await;
    (hub, run)
}

async fn log(hub: &Hub, run: &str, key: &str, value: Value, timestamp: i64, step: i64) {
    let body = json!({"run_id": run, "key": key, "value": value, "timestamp": timestamp, "step": step});
    hub.post("runs/log-metric", body).await.ok();
}

/// The latest value of a key, as the wire has it.
async fn latest(hub: &Hub, run: &str, key: &str) -> Value {
    let run = hub.run(run).await;
    let metrics = run["data"]["metrics"].as_array().cloned().unwrap_or_default();
    metrics.into_iter().find(|metric| metric["key"] == key).unwrap_or_default()["value"].clone()
}

/// Requests and read units of `runs/get`.
async fn cost_of_get(hub: &Hub, run: &str) -> (u64, f64) {
    let before = hub.state.store.usage();
    hub.run(run).await;
    let after = hub.state.store.usage();
    (after.requests - before.requests, after.reads - before.reads)
}

#[tokio::test]
async fn the_latest_point_is_the_greatest_by_step_then_time_then_value() {
    let (hub, run) = start().await;
    let inf = json!("Infinity");
    for (key, points, expected) in [
        ("step", vec![(json!(1), 9, 2), (json!(7), 1, 3), (json!(2), 99, 1)], json!(7.0)),
        ("time", vec![(json!(1), 9, 2), (json!(7), 8, 2)], json!(1.0)),
        ("value", vec![(json!(1), 9, 2), (json!(7), 9, 2), (json!(3), 9, 2)], json!(7.0)),
        ("negative step", vec![(json!(1), 9, -5), (json!(2), 9, -6)], json!(1.0)),
        ("nan is zero: below", vec![(json!("NaN"), 1, 0), (json!(1), 1, 0)], json!(1.0)),
        ("nan is zero: above", vec![(json!(-1), 1, 0), (json!("NaN"), 1, 0)], json!("NaN")),
        ("later nan", vec![(json!(5), 1, 0), (json!("NaN"), 1, 1)], json!("NaN")),
        ("infinity", vec![(inf, 1, 0), (json!(1e300), 1, 0)], json!(f64::MAX)),
        ("minus infinity", vec![(json!("-Infinity"), 1, 1), (json!(1), 1, 0)], json!(-f64::MAX)),
    ] {
        for order in [points.clone(), points.into_iter().rev().collect()] {
            for (value, timestamp, step) in order {
                log(&hub, &run, key, value, timestamp, step).await;
            }
            assert_eq!(latest(&hub, &run, key).await, expected, "{key}");
        }
    }
    let open = hub.run(&run).await;
    hub.clock.advance(200_000);
    assert_eq!(hub.run(&run).await, open, "the read that closes the run");
    delete_segments(&hub, &run).await;
    assert_eq!(hub.run(&run).await, open, "from META alone");
}

#[tokio::test]
async fn the_first_read_after_the_window_closes_a_run() {
    let (hub, run) = start().await;
    log(&hub, &run, "loss", json!(1), 1, 1).await;
    hub.clock.advance(125_000);
    let (requests, _) = cost_of_get(&hub, &run).await;
    assert!(requests >= 2, "still open: segments are read");
    hub.clock.advance(10_000);
    cost_of_get(&hub, &run).await;
    let (requests, units) = cost_of_get(&hub, &run).await;
    assert_eq!((requests, units), (1, 1.0), "closed: META alone");
    // Logging again opens it.
    log(&hub, &run, "loss", json!(2), 1, 2).await;
    assert_eq!(latest(&hub, &run, "loss").await, 2.0);
    hub.clock.advance(200_000);
    assert_eq!(latest(&hub, &run, "loss").await, 2.0);
}

#[tokio::test]
async fn a_terminal_update_folds() {
    let (hub, run) = start().await;
    let other = hub.beside().await;
    for step in 0..20 {
        log(&hub, &run, "loss", json!(step), 1, step).await;
    }
    let time = |ms| [&hub, &other].iter().for_each(|hub| hub.clock.advance(ms));
    time(61_000);
    hub.post("runs/update", json!({"run_id": run, "status": "FINISHED", "end_time": 5})).await.ok();
    time(20_000);
    // The segments are in META: a reader skips them, though the run is open still.
    assert!(delete_segments(&hub, &run).await >= 20);
    assert_eq!(latest(&other, &run, "loss").await, 19.0);
    // After the end more may be logged.
    log(&other, &run, "loss", json!(99), 1, 50).await;
    assert_eq!(latest(&hub, &run, "loss").await, 99.0);
}

#[tokio::test]
async fn many_segments_are_written_back_while_the_run_is_open() {
    let (hub, run) = start().await;
    for step in 0..300 {
        log(&hub, &run, "loss", json!(step), 1, step).await;
    }
    hub.clock.advance(65_000);
    log(&hub, &run, "loss", json!(300), 1, 300).await;
    hub.clock.advance(6_000);
    let (_, first) = cost_of_get(&hub, &run).await;
    let (_, second) = cost_of_get(&hub, &run).await;
    assert!(first > 5.0 && second <= 2.0, "{first} units, then {second}");
    assert_eq!(latest(&hub, &run, "loss").await, 300.0);
    let history = hub.get(&format!("metrics/get-history?run_id={run}&metric_key=loss")).await.ok();
    assert_eq!(history["metrics"].as_array().unwrap().len(), 301);
}

/// Logs points of 2,000 metrics.
async fn log_many(hub: &Hub, run: &str, round: i64) {
    for batch in 0..2 {
        let metrics: Vec<Value> = (0..1_000)
            .map(|n| {
                let key = format!("a rather long name of a metric: number {batch}/{n}");
                json!({"key": key, "value": round * 10_000 + n, "timestamp": 1, "step": round})
            })
            .collect();
        hub.post("runs/log-batch", json!({"run_id": run, "metrics": metrics})).await.ok();
    }
}

/// How many versions of a run's latest metrics lie outside META.
async fn versions(hub: &Hub, run: &str) -> usize {
    let parts = sort_keys(hub, run, "OV#L#").await;
    parts.iter().filter_map(|part| part.rsplit_once('#')).map(|(version, _)| version).collect::<BTreeSet<_>>().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn latest_metrics_outgrow_meta() {
    let (hub, run) = start().await;
    let other = hub.beside().await;
    let check = |run: &Value, round: i64| {
        let metrics = run["data"]["metrics"].as_array().unwrap();
        assert_eq!(metrics.len(), 2_000);
        for metric in metrics {
            let number: i64 = metric["key"].as_str().unwrap().rsplit('/').next().unwrap().parse().unwrap();
            assert_eq!(metric["value"].as_f64().unwrap() as i64, round * 10_000 + number);
        }
    };
    for round in 1..4 {
        log_many(&hub, &run, round).await;
        check(&hub.run(&run).await, round);
        [&hub, &other].iter().for_each(|hub| hub.clock.advance(140_000));
        // Several readers close the run at the same time.
        let readers = (0..8).map(|number| [&hub, &other][number % 2].run(&run));
        for seen in futures::future::join_all(readers).await {
            check(&seen, round);
        }
        let search = json!({"experiment_ids": [hub.run(&run).await["info"]["experiment_id"]]});
        check(&other.post("runs/search", search).await.ok()["runs"][0], round);
    }
    delete_segments(&hub, &run).await;
    check(&other.run(&run).await, 3);
    assert_eq!(versions(&hub, &run).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_latest_metrics_outside_meta_only_those_that_count_stay() {
    let (hub, injector) = Injector::with_hub().await;
    let experiment = hub.new_experiment("folds").await;
    let run = hub.new_run(&experiment).await;
    // The second fold is told that it came too late, the third does.
    for (round, fault) in [(1, None), (2, Some(Fault::LostAnswer)), (3, Some(Fault::Slow(Duration::from_millis(400))))]
    {
        log_many(&hub, &run, round).await;
        hub.clock.advance(140_000);
        if let Some(fault) = fault {
            injector.next(1, fault, "UpdateItem", "SET lat_ov");
        }
        let (seen, again) = tokio::join!(hub.run(&run), hub.run(&run));
        assert_eq!(seen, again);
        assert_eq!(injector.heal("SET lat_ov"), u32::from(fault.is_some()));
        assert_eq!(versions(&hub, &run).await, 1, "after {fault:?}");
        delete_segments(&hub, &run).await;
        assert_eq!(hub.run(&run).await, seen);
    }
}
