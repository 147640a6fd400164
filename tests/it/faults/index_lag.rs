//! An index that is 2 s behind its table: late, but never wrong.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use super::Injector;
use crate::hub::{Hub, table};

const LAG: Duration = Duration::from_secs(2);
const LATER: Duration = Duration::from_millis(2_600);

async fn lagging() -> (Hub, Injector, String) {
    let (hub, injector) = Injector::with_hub().await;
    let experiment = hub.new_experiment("lagging").await;
    injector.delay_indexes(LAG);
    (hub, injector, experiment)
}

fn ids(found: &Value) -> Vec<String> {
    let runs = found["runs"].as_array().cloned().unwrap_or_default();
    runs.iter().map(|run| run["info"]["run_id"].as_str().unwrap().to_owned()).collect()
}

async fn search(hub: &Hub, mut body: Value, experiment: &str) -> Value {
    body["experiment_ids"] = json!([experiment]);
    hub.post("runs/search", body).await.ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_written_can_be_read_at_once_and_found_later() {
    let (hub, _injector, experiment) = lagging().await;
    let run = hub.new_run(&experiment).await;
    let metric = json!({"run_id": run, "key": "loss", "value": 7, "timestamp": 1});
    hub.post("runs/log-metric", metric).await.ok();
    hub.post("runs/set-tag", json!({"run_id": run, "key": "team", "value": "water"})).await.ok();
    let seen = hub.run(&run).await;
    assert_eq!(seen["data"]["metrics"][0]["value"], 7.0);
    assert!(seen["data"]["tags"].as_array().unwrap().contains(&json!({"key": "team", "value": "water"})));
    assert!(ids(&search(&hub, json!({}), &experiment).await).is_empty(), "the index is behind");
    // By id a run is found at once.
    let by_id = json!({"filter": format!("attributes.run_id = '{run}'")});
    assert_eq!(ids(&search(&hub, by_id, &experiment).await), std::slice::from_ref(&run));
    tokio::time::sleep(LATER).await;
    for body in [json!({}), json!({"filter": "metrics.loss = 7 and tags.team = 'water'"})] {
        let found = search(&hub, body, &experiment).await;
        assert_eq!(ids(&found), std::slice::from_ref(&run));
        assert_eq!(found["runs"][0]["data"], seen["data"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn metrics_of_a_found_run_are_exact_once_the_index_knows_it_is_open() {
    let (hub, _injector, experiment) = lagging().await;
    let run = hub.new_run(&experiment).await;
    let log = |step: i64| {
        let metric = json!({"run_id": run, "key": "loss", "value": step, "timestamp": 1, "step": step});
        async { hub.post("runs/log-metric", metric).await.ok() }
    };
    log(0).await;
    tokio::time::sleep(LATER).await;
    for step in 1..5 {
        log(step).await;
        // Segments are read from the table, not from the index.
        let found = search(&hub, json!({}), &experiment).await;
        assert_eq!(found["runs"][0]["data"]["metrics"][0]["value"], step as f64);
    }
    // A fold that is written back from an old copy of META must not go back in time.
    hub.clock.advance(140_000);
    search(&hub, json!({}), &experiment).await;
    log(5).await;
    hub.post("runs/update", json!({"run_id": run, "status": "FINISHED"})).await.ok();
    hub.clock.advance(140_000);
    for _ in 0..3 {
        search(&hub, json!({}), &experiment).await;
        assert_eq!(hub.run(&run).await["data"]["metrics"][0]["value"], 5.0);
        tokio::time::sleep(LATER / 2).await;
    }
    assert_eq!(search(&hub, json!({}), &experiment).await["runs"][0]["data"]["metrics"][0]["value"], 5.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deleted_and_restored_runs_stand_in_one_place_only() {
    let (hub, _injector, experiment) = lagging().await;
    let runs = [hub.new_run(&experiment).await, hub.new_run(&experiment).await];
    tokio::time::sleep(LATER).await;
    hub.post("runs/delete", json!({"run_id": runs[0]})).await.ok();
    let everything = json!({"run_view_type": "ALL"});
    for wait in [0, 700, 2_000] {
        tokio::time::sleep(Duration::from_millis(wait)).await;
        for order in [json!([]), json!(["attributes.run_name ASC"])] {
            let mut body = everything.clone();
            body["order_by"] = order;
            let found = ids(&search(&hub, body, &experiment).await);
            let distinct: BTreeSet<String> = found.iter().cloned().collect();
            assert_eq!((found.len(), distinct.len()), (2, 2), "after {wait} ms: each run once");
        }
    }
    assert_eq!(ids(&search(&hub, json!({}), &experiment).await), [runs[1].clone()]);
    assert_eq!(ids(&search(&hub, json!({"run_view_type": "DELETED_ONLY"}), &experiment).await), [runs[0].clone()]);
    // Deleting the experiment needs no index to be up to date.
    hub.post("experiments/delete", json!({"experiment_id": experiment})).await.ok();
    assert!(ids(&search(&hub, json!({}), &experiment).await).is_empty());
    assert_eq!(ids(&search(&hub, json!({"run_view_type": "DELETED_ONLY"}), &experiment).await).len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_show_no_run_twice_while_the_index_moves() {
    let (hub, _injector, experiment) = lagging().await;
    let mut old = Vec::new();
    for number in 0..30 {
        let body = json!({"experiment_id": experiment, "start_time": 1_000 + number});
        let created = hub.post("runs/create", body).await.ok();
        old.push(created["run"]["info"]["run_id"].as_str().unwrap().to_owned());
    }
    tokio::time::sleep(LATER).await;
    for order in [json!([]), json!(["attributes.start_time ASC"]), json!(["attributes.run_name ASC"])] {
        let (mut seen, mut token) = (Vec::new(), Value::Null);
        for page in 0.. {
            // New runs on both sides of where the page stands; they come into the index while it is read.
            for start_time in [1, 1_015, 5_000 + page] {
                hub.post("runs/create", json!({"experiment_id": experiment, "start_time": start_time})).await.ok();
            }
            let body = json!({"max_results": 7, "order_by": order, "page_token": token});
            let found = search(&hub, body, &experiment).await;
            seen.extend(ids(&found));
            tokio::time::sleep(Duration::from_millis(500)).await;
            match found["next_page_token"].as_str() {
                Some(next) => token = json!(next),
                None => break,
            }
        }
        let distinct: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len(), "{order}: a run came twice");
        assert!(old.iter().all(|run| distinct.contains(run)), "{order}: a run was left out");
    }
}

#[tokio::test]
async fn of_two_copies_in_the_index_the_newer_one_counts() {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("copies").await;
    let run = hub.new_run(&experiment).await;
    // While a run moves within the index, its old entry may be there, too: here as an item of its own.
    let (table, name) = (table(&hub).await, &hub.state.config.table);
    let key = |sk: &str| [("PK", format!("RUN#{run}")), ("SK", sk.to_owned())];
    let meta = key("META").map(|(name, text)| (name.to_owned(), AttributeValue::S(text))).into();
    let mut copy = table.get_item().table_name(name).set_key(Some(meta)).send().await.unwrap().item.unwrap();
    copy.insert("SK".into(), AttributeValue::S("COPY".into()));
    hub.post("runs/delete", json!({"run_id": run})).await.ok();
    table.put_item().table_name(name).set_item(Some(copy)).send().await.unwrap();
    for order in [json!([]), json!(["metrics.loss"])] {
        let found = search(&hub, json!({"run_view_type": "ALL", "order_by": order}), &experiment).await;
        assert_eq!(ids(&found), std::slice::from_ref(&run), "{order}");
        assert_eq!(found["runs"][0]["info"]["lifecycle_stage"], "deleted", "{order}");
    }
}
