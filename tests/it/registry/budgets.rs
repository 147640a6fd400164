//! DynamoDB requests and capacity units per call of the registry (data.md section 6).

use futures::future::join_all;
use serde_json::{Value, json};
use shared::store::UsageTotals;

use super::{new_model, new_version};
use crate::hub::Hub;

/// What a call used.
async fn used<T>(hub: &Hub, call: impl Future<Output = T>) -> UsageTotals {
    let before = hub.state.store.usage();
    call.await;
    let after = hub.state.store.usage();
    UsageTotals {
        requests: after.requests - before.requests,
        reads: after.reads - before.reads,
        writes: after.writes - before.writes,
    }
}

#[track_caller]
fn at_most(name: &str, used: UsageTotals, requests: u64, writes: f64, reads: f64) {
    assert!(
        used.requests <= requests && used.writes <= writes && used.reads <= reads,
        "{name}: {} requests, {} WRU, {} RRU; allowed are {requests}, {writes}, {reads}",
        used.requests,
        used.writes,
        used.reads
    );
}

#[tokio::test]
async fn reads_cost_one_request_warm_and_two_cold() {
    let hub = Hub::start().await;
    new_model(&hub, "budgets").await;
    for _ in 0..6 {
        new_version(&hub, "budgets").await;
    }
    hub.post("registered-models/alias", json!({"name": "budgets", "alias": "best", "version": "1"})).await.ok();
    let cold = hub.beside().await;
    for (name, endpoint) in [
        ("registered-models/get", "registered-models/get?name=budgets"),
        ("get by alias", "registered-models/alias?name=budgets&alias=best"),
        ("model-versions/get", "model-versions/get?name=budgets&version=2"),
        ("get-latest-versions", "registered-models/get-latest-versions?name=budgets"),
        ("get-download-uri", "model-versions/get-download-uri?name=budgets&version=1"),
    ] {
        let beside = cold.beside().await;
        beside.get("experiments/search?max_results=1").await.ok();
        let first = used(&beside, async { beside.get(endpoint).await.ok() }).await;
        at_most(&format!("{name}, cold"), first, 2, 0.0, 2.0);
        let second = used(&beside, async { beside.get(endpoint).await.ok() }).await;
        at_most(&format!("{name}, warm"), second, 1, 0.0, 2.0);
    }
}

#[tokio::test]
async fn a_version_costs_one_transaction() {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("training").await;
    let run = hub.new_run(&experiment).await;
    let body = json!({"experiment_id": experiment, "source_run_id": run, "name": "m"});
    let logged = hub.post("logged-models", body).await.ok();
    let logged = logged["model"]["info"]["model_id"].as_str().unwrap().to_owned();
    let created = used(&hub, new_model(&hub, "budgets")).await;
    at_most("registered-models/create", created, 1, 8.0, 0.0);
    new_version(&hub, "budgets").await;
    let create = |body: Value| async { hub.post("model-versions/create", body).await.ok() };
    let body = json!({"name": "budgets", "source": format!("runs:/{run}/model"), "run_id": run});
    at_most("model-versions/create of a run", used(&hub, create(body)).await, 3, 10.0, 2.0);
    let body = json!({"name": "budgets", "source": format!("models:/{logged}"), "model_id": logged});
    at_most("model-versions/create of a logged model", used(&hub, create(body)).await, 5, 14.0, 4.0);
    let body = json!({"name": "budgets", "alias": "best", "version": "1"});
    let set = used(&hub, async { hub.post("registered-models/alias", body).await.ok() }).await;
    at_most("alias set", set, 2, 3.0, 1.0);
}

#[tokio::test]
async fn a_page_costs_the_same_among_few_and_many() {
    let hub = Hub::start().await;
    let mut costs = Vec::new();
    for until in [200, 10_000] {
        let known = if costs.is_empty() { 0 } else { 200 };
        let numbers: Vec<usize> = (known..until).collect();
        for chunk in numbers.chunks(50) {
            join_all(chunk.iter().map(async |number| {
                let name = format!("model {number:05}");
                new_model(&hub, &name).await;
                new_version(&hub, &name).await;
            }))
            .await;
        }
        let mut cost = Vec::new();
        for endpoint in [
            "registered-models/search?max_results=50",
            "registered-models/search?max_results=50&order_by=name%20ASC",
            "model-versions/search?max_results=50",
            "model-versions/search?filter=name%3D'model%2000001'&max_results=10&order_by=version_number%20DESC",
        ] {
            cost.push((endpoint, used(&hub, async { hub.get(endpoint).await.ok() }).await));
        }
        costs.push(cost);
    }
    for ((endpoint, few), (_, many)) in costs[0].iter().zip(&costs[1]) {
        assert_eq!(few.requests, many.requests, "{endpoint}");
        assert!(many.requests <= 3, "{endpoint}: {} requests", many.requests);
        assert!(
            (few.reads - many.reads).abs() < 1.0 && many.reads <= 60.0,
            "{endpoint}: {} and {} units",
            few.reads,
            many.reads
        );
    }
}
