//! Delete and restore: against a plain model of the stock server's rule, and over many shards.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use http::StatusCode;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::hub::{Answer, Hub, table};

/// The stock server's rule: deleting or restoring an experiment does the same to each of its runs.
struct Model {
    experiment_is_active: bool,
    runs: BTreeMap<String, bool>,
}

impl Model {
    fn shown(&self, view: &str) -> BTreeSet<String> {
        let shows = |active: bool| match view {
            "ACTIVE_ONLY" => active,
            "DELETED_ONLY" => !active,
            _ => true,
        };
        self.runs.iter().filter(|(_, active)| shows(**active)).map(|(id, _)| id.clone()).collect()
    }
}

fn ids(found: &Value) -> Vec<String> {
    let runs = found["runs"].as_array().cloned().unwrap_or_default();
    runs.iter().map(|run| run["info"]["run_id"].as_str().unwrap().to_owned()).collect()
}

/// Every page of a search.
async fn search_all(hub: &Hub, experiment: &str, view: &str, page: usize) -> Vec<String> {
    let (mut found, mut token) = (Vec::new(), Value::Null);
    loop {
        let body =
            json!({"experiment_ids": [experiment], "run_view_type": view, "max_results": page, "page_token": token});
        let answer = hub.post("runs/search", body).await.ok();
        found.extend(ids(&answer));
        match answer["next_page_token"].as_str() {
            Some(next) => token = json!(next),
            None => return found,
        }
    }
}

async fn check(hub: &Hub, experiment: &str, model: &Model, trail: &str) {
    for view in ["ACTIVE_ONLY", "DELETED_ONLY", "ALL"] {
        let found = search_all(hub, experiment, view, 3).await;
        let set: BTreeSet<String> = found.iter().cloned().collect();
        assert_eq!(set.len(), found.len(), "{trail}: {view} shows a run twice");
        assert_eq!(set, model.shown(view), "{trail}: {view}");
        let body = json!({
            "experiment_ids": [experiment], "run_view_type": view, "order_by": ["attributes.run_name"],
        });
        let sorted: BTreeSet<String> = ids(&hub.post("runs/search", body).await.ok()).into_iter().collect();
        assert_eq!(sorted, model.shown(view), "{trail}: {view}, sorted");
    }
    for (run, active) in &model.runs {
        let stage = if *active { "active" } else { "deleted" };
        assert_eq!(hub.run(run).await["info"]["lifecycle_stage"], stage, "{trail}: {run}");
    }
}

#[track_caller]
fn expect(answer: &Answer, status: u16, trail: &str) {
    assert_eq!(answer.status.as_u16(), status, "{trail}: {}", String::from_utf8_lossy(&answer.bytes));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn random_histories_agree_with_the_stock_rule() {
    let seeds = match std::env::var("SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (0..3).map(|_| rand::random::<u32>() as u64).collect(),
    };
    join_all(seeds.into_iter().map(|seed| async move {
        let hub = Hub::start().await;
        let other = hub.beside().await;
        let experiment = hub.new_experiment("stages").await;
        let mut random = StdRng::seed_from_u64(seed);
        let mut model = Model { experiment_is_active: true, runs: BTreeMap::new() };
        let mut trail = format!("SEED={seed}");
        for _ in 0..60 {
            let run = model.runs.keys().nth(random.random_range(0..model.runs.len().max(1))).cloned();
            let action = random.random_range(0..20);
            trail = format!("{trail} {action}");
            match (action, run) {
                (0..4, _) | (_, None) => {
                    let answer = hub.post("runs/create", json!({"experiment_id": experiment})).await;
                    expect(&answer, if model.experiment_is_active { 200 } else { 400 }, &trail);
                    if model.experiment_is_active {
                        let id = answer.json()["run"]["info"]["run_id"].as_str().unwrap().to_owned();
                        model.runs.insert(id, true);
                    }
                }
                (4..6, _) => {
                    let answer = hub.post("experiments/delete", json!({"experiment_id": experiment})).await;
                    expect(&answer, if model.experiment_is_active { 200 } else { 404 }, &trail);
                    if model.experiment_is_active {
                        model.runs.values_mut().for_each(|active| *active = false);
                    }
                    model.experiment_is_active = false;
                }
                (6..9, _) => {
                    let answer = hub.post("experiments/restore", json!({"experiment_id": experiment})).await;
                    expect(&answer, if model.experiment_is_active { 404 } else { 200 }, &trail);
                    if !model.experiment_is_active {
                        model.runs.values_mut().for_each(|active| *active = true);
                    }
                    model.experiment_is_active = true;
                }
                (9..12, Some(run)) => {
                    expect(&hub.post("runs/delete", json!({"run_id": run})).await, 200, &trail);
                    model.runs.insert(run, false);
                }
                (12..15, Some(run)) => {
                    expect(&hub.post("runs/restore", json!({"run_id": run})).await, 200, &trail);
                    model.runs.insert(run, true);
                }
                (_, Some(run)) => {
                    let status = if model.runs[&run] { 200 } else { 400 };
                    let (endpoint, body) = match action {
                        15 => ("runs/set-tag", json!({"run_id": run, "key": "k", "value": "v"})),
                        16 => ("runs/log-parameter", json!({"run_id": run, "key": "k", "value": "v"})),
                        17 => ("runs/update", json!({"run_id": run, "run_name": "n"})),
                        _ => ("runs/log-metric", json!({"run_id": run, "key": "k", "value": 1, "timestamp": 1})),
                    };
                    expect(&hub.post(endpoint, body).await, status, &format!("{trail} {endpoint}"));
                }
            }
            if random.random_bool(0.25) {
                check(&hub, &experiment, &model, &trail).await;
            }
        }
        check(&hub, &experiment, &model, &trail).await;
        // Another instance knows it all as soon as what it remembers is too old.
        [&hub, &other].iter().for_each(|hub| hub.clock.advance(31_000));
        check(&other, &experiment, &model, &format!("{trail}, the other instance")).await;
    }))
    .await;
}

#[tokio::test]
async fn restoring_an_experiment_restores_runs_deleted_before() {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("stages").await;
    let runs = [hub.new_run(&experiment).await, hub.new_run(&experiment).await];
    let stage = async |run: &str| hub.run(run).await["info"]["lifecycle_stage"].as_str().unwrap().to_owned();
    hub.post("runs/delete", json!({"run_id": runs[0]})).await.ok();
    hub.post("experiments/delete", json!({"experiment_id": experiment})).await.ok();
    assert_eq!((&*stage(&runs[0]).await, &*stage(&runs[1]).await), ("deleted", "deleted"));
    hub.post("experiments/restore", json!({"experiment_id": experiment})).await.ok();
    assert_eq!((&*stage(&runs[0]).await, &*stage(&runs[1]).await), ("active", "active"));
    hub.post("runs/delete", json!({"run_id": runs[1]})).await.ok();
    let later = hub.new_run(&experiment).await;
    assert_eq!((&*stage(&runs[1]).await, &*stage(&later).await), ("deleted", "active"));
    let found: BTreeSet<String> = search_all(&hub, &experiment, "ACTIVE_ONLY", 10).await.into_iter().collect();
    assert_eq!(found, BTreeSet::from([runs[0].clone(), later]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_busy_experiment_spreads_and_loses_no_run() {
    let hub = Hub::start().await;
    let other = hub.beside().await;
    let experiment = hub.new_experiment("busy").await;
    let create = async |hub: &Hub, from: i64, count: i64| {
        let creators = (0..8).map(async |creator| {
            let mut made = Vec::new();
            for number in (from..from + count).filter(|number| number % 8 == creator) {
                let body = json!({"experiment_id": experiment, "start_time": number});
                let run = hub.post("runs/create", body).await.ok();
                made.push((number, run["run"]["info"]["run_id"].as_str().unwrap().to_owned()));
            }
            made
        });
        join_all(creators).await.into_iter().flatten().collect::<BTreeMap<i64, String>>()
    };
    let mut runs = create(&hub, 0, 520).await;
    let get = table(&hub).await.get_item().table_name(&hub.state.config.table).consistent_read(true);
    let get = get.key("PK", AttributeValue::S(format!("EXP#{experiment}")));
    let meta = get.key("SK", AttributeValue::S("META".into())).send().await.unwrap().item.unwrap();
    assert_eq!(meta["shards"].as_n().unwrap(), "8", "500 runs in 10 s make an experiment busy");
    // Readers look into all shards before the first writer uses them.
    for hub in [&hub, &other] {
        assert_eq!(search_all(hub, &experiment, "ACTIVE_ONLY", 100).await.len(), 520);
        hub.clock.advance(95_000);
    }
    runs.extend(create(&hub, 1_000, 60).await);
    runs.extend(create(&other, 2_000, 60).await);
    let expected: Vec<String> = runs.values().rev().cloned().collect();
    for hub in [&hub, &other] {
        for page in [7, 100, 1_000] {
            assert!(search_all(hub, &experiment, "ALL", page).await == expected, "pages of {page}, latest start first");
        }
    }
    let shards: BTreeSet<String> = index_partitions(&hub, &runs).await;
    assert!(shards.len() > 4, "{shards:?}");
}

/// The index partitions in which runs stand.
async fn index_partitions(hub: &Hub, runs: &BTreeMap<i64, String>) -> BTreeSet<String> {
    let client = table(hub).await;
    let reads = runs.values().map(async |run| {
        let get =
            client.get_item().table_name(&hub.state.config.table).key("PK", AttributeValue::S(format!("RUN#{run}")));
        let item = get.key("SK", AttributeValue::S("META".into())).send().await.unwrap().item.unwrap();
        item["GSI1PK"].as_s().unwrap().clone()
    });
    join_all(reads).await.into_iter().collect()
}

#[tokio::test]
async fn a_search_names_so_many_experiments_and_no_more() {
    let hub = Hub::start().await;
    for endpoint in ["runs/search", "logged-models/search"] {
        let ids: Vec<String> = (1..=1_001).map(|id: u32| id.to_string()).collect();
        hub.post(endpoint, json!({"experiment_ids": ids[..3]})).await.ok();
        let refused = hub.post(endpoint, json!({"experiment_ids": ids})).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE"));
        assert!(refused.json()["message"].as_str().unwrap().contains("at most 1000"), "{endpoint}");
    }
}

#[tokio::test]
async fn nothing_is_renamed_to_default_before_the_default_experiment_is_used() {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("mine").await;
    let rename = json!({"experiment_id": experiment, "new_name": "Default"});
    assert_eq!(hub.post("experiments/update", rename).await.code(), "RESOURCE_ALREADY_EXISTS");
    hub.new_run("0").await;
}

#[tokio::test]
async fn a_status_is_a_word_or_its_number() {
    let hub = Hub::start().await;
    let run = hub.new_run(&hub.new_experiment("states").await).await;
    hub.post("runs/update", json!({"run_id": run, "status": 3})).await.ok();
    assert_eq!(hub.run(&run).await["info"]["status"], "FINISHED");
    for status in [json!(0), json!(6), json!(i64::MIN), json!(i64::MAX)] {
        let refused = hub.post("runs/update", json!({"run_id": run, "status": status})).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{status}");
    }
}
