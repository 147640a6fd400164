//! DynamoDB requests and capacity units per call on a warm instance (data.md section 6).

use serde_json::{Value, json};
use shared::store::UsageTotals;

use crate::hub::Hub;

/// What a call may cost.
struct Budget {
    requests: u64,
    writes: f64,
    reads: f64,
}

const fn at_most(requests: u64, writes: f64, reads: f64) -> Budget {
    Budget { requests, writes, reads }
}

struct Meter<'a> {
    hub: &'a Hub,
    rows: Vec<String>,
    over: Vec<String>,
}

impl Meter<'_> {
    /// Runs a call and holds it against its budget.
    async fn measure(&mut self, name: &str, budget: Budget, call: impl Future<Output = Value>) -> Value {
        let before = self.hub.state.store.usage();
        let answer = call.await;
        let after = self.hub.state.store.usage();
        let used = UsageTotals {
            requests: after.requests - before.requests,
            reads: after.reads - before.reads,
            writes: after.writes - before.writes,
        };
        let row = format!("{name}: {} requests, {} WRU, {} RRU", used.requests, used.writes, used.reads);
        if used.requests > budget.requests || used.writes > budget.writes || used.reads > budget.reads {
            self.over.push(row.clone());
        }
        self.rows.push(row);
        answer
    }
}

fn points(count: usize, key: impl Fn(usize) -> String) -> Vec<Value> {
    (0..count)
        .map(|n| json!({"key": key(n), "value": 0.5, "timestamp": 1_700_000_000_000_i64 + n as i64, "step": n}))
        .collect()
}

#[tokio::test]
async fn every_call_keeps_its_budget() {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("budgets").await;
    let warm = hub.new_run(&experiment).await;
    hub.post("runs/log-metric", json!({"run_id": warm, "key": "warm", "value": 1, "timestamp": 1})).await.ok();
    let mut meter = Meter { hub: &hub, rows: Vec::new(), over: Vec::new() };

    let create = || async { hub.post("runs/create", json!({"experiment_id": experiment, "start_time": 5})).await.ok() };
    let created = meter.measure("runs/create", at_most(1, 2.0, 0.0), create()).await;
    let run = created["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    let post = |endpoint: &'static str, body: Value| {
        let hub = &hub;
        async move { hub.post(endpoint, body).await.ok() }
    };
    let metric = |step: i64| json!({"run_id": run, "key": "loss", "value": 0.5, "timestamp": 7, "step": step});
    meter.measure("first log-metric of a run (touch)", at_most(2, 3.0, 0.0), post("runs/log-metric", metric(0))).await;
    meter.measure("runs/log-metric", at_most(1, 1.0, 0.0), post("runs/log-metric", metric(1))).await;
    let body = json!({"run_id": run, "metrics": points(10, |n| format!("metric_{n}"))});
    meter.measure("log-batch of 10 keys", at_most(1, 1.0, 0.0), post("runs/log-batch", body)).await;
    let body = json!({"run_id": run, "metrics": points(100, |n| format!("metric_{n}"))});
    meter.measure("log-batch of 100 keys", at_most(1, 4.0, 0.0), post("runs/log-batch", body)).await;
    let body = json!({"run_id": run, "metrics": points(1_000, |_| "loss".into())});
    meter.measure("log-batch of 1,000 points of one key", at_most(1, 24.0, 0.0), post("runs/log-batch", body)).await;
    let pairs = |count: usize, kind: &str| -> Vec<Value> {
        (0..count).map(|n| json!({"key": format!("{kind}_{n}"), "value": "v"})).collect()
    };
    let body = json!({"run_id": run, "params": pairs(10, "param"), "tags": pairs(5, "tag")});
    meter.measure("log-batch of 10 params and 5 tags", at_most(1, 6.0, 0.0), post("runs/log-batch", body)).await;
    let body = json!({"run_id": run, "key": "team", "value": "water"});
    meter.measure("runs/set-tag", at_most(1, 6.0, 0.0), post("runs/set-tag", body)).await;
    let body = json!({"run_id": run, "key": "team"});
    meter.measure("runs/delete-tag", at_most(1, 6.0, 0.0), post("runs/delete-tag", body)).await;
    let body = json!({"run_id": run, "key": "depth", "value": "3"});
    meter.measure("runs/log-parameter", at_most(1, 6.0, 0.0), post("runs/log-parameter", body)).await;
    let body = json!({"run_id": run, "status": "SCHEDULED"});
    meter.measure("non-terminal runs/update", at_most(1, 6.0, 0.0), post("runs/update", body)).await;
    let body = json!({"run_id": run, "metrics": points(10, |n| format!("metric_{n}")), "params": pairs(3, "more"), "tags": pairs(2, "more")});
    meter.measure("mixed log-batch", at_most(2, 7.0, 0.0), post("runs/log-batch", body)).await;

    let short = hub.new_run(&experiment).await;
    hub.post("runs/log-metric", json!({"run_id": short, "key": "loss", "value": 1, "timestamp": 1})).await.ok();
    let body = json!({"run_id": short, "status": "FINISHED", "end_time": 9});
    meter.measure("terminal runs/update", at_most(3, 7.0, 2.0), post("runs/update", body)).await;
    hub.clock.advance(140_000);
    hub.run(&short).await;
    let read = || async { hub.run(&short).await };
    hub.get(&format!("experiments/get?experiment_id={experiment}")).await.ok();
    meter.measure("runs/get of a closed run", at_most(1, 0.0, 1.0), read()).await;

    let history = hub.new_run(&experiment).await;
    for batch in 0..10 {
        let points: Vec<Value> = (0..100)
            .map(|n| json!({"key": "loss", "value": 0.5, "timestamp": 1_700_000_000_000_i64 + batch * 100 + n, "step": n}))
            .collect();
        hub.post("runs/log-batch", json!({"run_id": history, "metrics": points})).await.ok();
    }
    let path = format!("metrics/get-history?run_id={history}&metric_key=loss");
    let call = || async { hub.get(&path).await.ok() };
    let answer = meter.measure("get-history of 1,000 points in 10 segments", at_most(1, 0.0, 6.0), call()).await;
    assert_eq!(answer["metrics"].as_array().unwrap().len(), 1_000);

    let body = json!({"experiment_id": experiment});
    let cost = at_most(2, 2.0, 1.0);
    meter
        .measure("experiments/delete (with the strong read of its state)", cost, post("experiments/delete", body))
        .await;
    assert!(meter.over.is_empty(), "over budget:\n{}\nall:\n{}", meter.over.join("\n"), meter.rows.join("\n"));
}

#[tokio::test]
async fn a_search_page_of_100_reads_every_shard_once() {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("shards").await;
    for start in 0..260 {
        let body = json!({"experiment_id": experiment, "start_time": start});
        hub.post("runs/create", body).await.ok();
    }
    let search = json!({"experiment_ids": [experiment], "max_results": 100});
    hub.post("runs/search", search.clone()).await.ok();
    let before = hub.state.store.usage();
    let page = hub.post("runs/search", search).await.ok();
    let after = hub.state.store.usage();
    assert_eq!(page["runs"].as_array().unwrap().len(), 100);
    // One page of the one shard, and one read of the experiment.
    assert!(after.requests - before.requests <= 2, "{} requests", after.requests - before.requests);
    assert!(after.reads - before.reads <= 28.0, "{} units", after.reads - before.reads);
}
