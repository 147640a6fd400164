//! Instances whose clocks differ: up to 5 s nothing is lost, beyond that metrics are refused.

use http::StatusCode;
use serde_json::{Value, json};

use super::half_written::expect_unavailable;
use crate::hub::{Answer, Hub};

async fn log(hub: &Hub, run: &str, step: usize) -> Answer {
    hub.post("runs/log-metric", json!({"run_id": run, "key": "loss", "value": step, "timestamp": 1, "step": step}))
        .await
}

async fn latest(hub: &Hub, run: &str) -> Value {
    hub.run(run).await["data"]["metrics"][0]["step"].clone()
}

async fn history(hub: &Hub, run: &str) -> usize {
    let found = hub.get(&format!("metrics/get-history?run_id={run}&metric_key=loss")).await.ok();
    found["metrics"].as_array().map_or(0, Vec::len)
}

/// Two instances, the first ahead of the second by so many ms in all.
async fn apart(ms: i64) -> ([Hub; 2], String) {
    let first = Hub::start().await;
    let second = first.beside().await;
    first.clock.set_skew(ms / 2);
    second.clock.set_skew(-ms / 2);
    let experiment = first.new_experiment("skew").await;
    let run = first.new_run(&experiment).await;
    ([first, second], run)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn five_seconds_between_instances_hide_nothing() {
    let (hubs, run) = apart(5_000).await;
    // Written through either, read and folded through the other, with windows opening and closing in between.
    let mut step = 0;
    for pause in [0, 1_000, 30_000, 59_000, 61_000, 119_000, 121_000, 125_000, 140_000, 300_000] {
        for (writer, reader) in [(0, 1), (1, 0)] {
            step += 1;
            log(&hubs[writer], &run, step).await.ok();
            assert_eq!(latest(&hubs[reader], &run).await, step, "seen at once by the other");
            hubs.iter().for_each(|hub| hub.clock.advance(pause));
            assert_eq!(latest(&hubs[reader], &run).await, step, "{pause} ms later");
            assert_eq!(latest(&hubs[writer], &run).await, step, "{pause} ms later");
        }
    }
    for hub in &hubs {
        assert_eq!(history(hub, &run).await, step);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_instance_with_a_wrong_clock_writes_no_metrics() {
    for skew in [7_500, -7_500] {
        let (hubs, run) = apart(0).await;
        let [good, bad] = &hubs;
        log(good, &run, 1).await.ok();
        bad.clock.set_skew(skew);
        // Its first answers from DynamoDB tell it.
        for _ in 0..3 {
            expect_unavailable(&log(bad, &run, 2).await, &format!("{skew} ms"));
        }
        let batch = json!({"run_id": run, "metrics": [{"key": "loss", "value": 2, "timestamp": 1, "step": 2}]});
        expect_unavailable(&bad.post("runs/log-batch", batch).await, "a batch");
        assert_eq!((history(good, &run).await, latest(good, &run).await), (1, json!(1)), "nothing was written");
        // What does not depend on time goes on.
        bad.post("runs/set-tag", json!({"run_id": run, "key": "t", "value": "v"})).await.ok();
        bad.post("runs/log-parameter", json!({"run_id": run, "key": "p", "value": "v"})).await.ok();
        assert_eq!(bad.get(&format!("runs/get?run_id={run}")).await.status, StatusCode::OK);
        // Set right, it writes again.
        bad.clock.set_skew(0);
        bad.get(&format!("runs/get?run_id={run}")).await.ok();
        log(bad, &run, 3).await.ok();
        assert_eq!((history(good, &run).await, latest(good, &run).await), (2, json!(3)));
    }
}
