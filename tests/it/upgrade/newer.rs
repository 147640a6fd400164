//! Two versions of the hub on one table: what the newer one writes, this one keeps, passes over or, if it must understand
//! it to answer, says that it cannot. It never writes over it.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use http::StatusCode;
use serde_json::{Value, json};

use super::fixture::{Item, key_of, scan};
use crate::faults::cases::CASES;
use crate::faults::half_written::expect_unavailable;
use crate::faults::things::Things;
use crate::hub::{Hub, table};

/// An attribute that this version does not know.
const FUTURE: &str = "future";

async fn put(hub: &Hub, item: Item) {
    table(hub).await.put_item().table_name(&hub.state.config.table).set_item(Some(item)).send().await.unwrap();
}

/// Gives an unknown attribute to every item but those that are made anew from elsewhere: what tokens may do.
async fn add_unknown_attributes(hub: &Hub) {
    for mut item in scan(hub).await {
        if !key_of(&item).0.starts_with("TOKEN#") {
            item.insert(FUTURE.to_owned(), AttributeValue::S("kept".into()));
            put(hub, item).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_write_keeps_unknown_attributes() {
    let hub = Hub::start().await;
    let mut all = Vec::new();
    for number in 0..CASES.len() {
        let things = Things::make(&hub, &format!("case{number:02}x")).await;
        // Past what META holds, so that pages are written, too.
        let pairs: Vec<Value> =
            (0..4).map(|n| json!({"key": format!("large {n}"), "value": "v".repeat(5_000)})).collect();
        hub.post("runs/log-batch", json!({"run_id": things.run, "params": pairs, "tags": pairs})).await.ok();
        all.push(things);
    }
    // Runs are closed, so that reading writes nothing; later they are open again.
    add_unknown_attributes(&hub).await;
    let before: BTreeMap<_, _> = scan(&hub).await.into_iter().map(|item| (key_of(&item), item)).collect();
    for (case, things) in CASES.iter().zip(&all) {
        case.act(&hub, things).await.ok();
        // Refused where the case has deleted the run, and fine elsewhere.
        hub.post("runs/set-tag", json!({"run_id": things.run, "key": "large 1", "value": "replaced"})).await;
        let kind = match case.name {
            "registered-models/delete" => continue,
            "registered-models/rename" => "new",
            _ => "old",
        };
        let name = format!("{kind} {}", things.word);
        let renamed = json!({"name": name, "new_name": format!("renamed {}", things.word)});
        hub.post("registered-models/rename", renamed).await.ok();
    }
    hub.clock.advance(200_000);
    for things in &all {
        // A fold that closes the run and is written back.
        hub.run(&things.run).await;
    }
    let after: BTreeMap<_, _> = scan(&hub).await.into_iter().map(|item| (key_of(&item), item)).collect();
    // What the cases themselves have deleted.
    let deleted = CASES.iter().zip(&all).filter_map(|(case, things)| match case.name {
        "registered-models/delete" => Some(things.uid.clone()),
        "model-versions/delete" => Some(format!("{}#2", things.uid)),
        "model-versions/delete with its alias" => Some(format!("{}#1", things.uid)),
        _ => None,
    });
    let deleted: Vec<String> = deleted.collect();
    let mut kept = 0;
    for (key, item) in &before {
        match after.get(key) {
            Some(found) if item.contains_key(FUTURE) => {
                assert_eq!(found.get(FUTURE), item.get(FUTURE), "{key:?} was written over");
                kept += 1;
            }
            Some(_) => {}
            // Under its old name it is gone.
            None if key.0.starts_with("PROJECT#") || key.0.starts_with("MODEL#") => {}
            None => assert!(deleted.iter().any(|part| key.0.contains(part) || key.1.contains(part)), "{key:?} is gone"),
        }
    }
    assert!(kept > 200, "only {kept} items: this test does too little");
    for (key, item) in after.iter().filter(|(key, _)| key.0.contains("#renamed case")) {
        assert!(item.contains_key(FUTURE) || key.1 != "META", "{key:?} has lost it with the old name");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn unknown_items_are_passed_over() {
    let hub = Hub::start().await;
    let things = Things::make(&hub, "unknown").await;
    hub.post("runs/log-inputs", json!({"run_id": things.run, "models": [{"model_id": things.model}]})).await.ok();
    let before = things.state(&hub).await;
    let partitions: std::collections::BTreeSet<String> = scan(&hub).await.iter().map(|item| key_of(item).0).collect();
    for pk in partitions {
        for sk in ["A#kind", "H#of#items", "META2", "IN#Z#edge", "X#last", "~"] {
            let item = [("PK", pk.as_str()), ("SK", sk), ("what", "this version cannot know")];
            put(&hub, item.map(|(name, text)| (name.to_owned(), AttributeValue::S(text.to_owned()))).into()).await;
        }
    }
    let nothing_in_memory = hub.beside().await;
    assert_eq!(things.state(&nothing_in_memory).await, before);
}

/// The segment's packed points with another version in front.
async fn with_version(hub: &Hub, run: &str, version: u8) -> usize {
    let mut changed = 0;
    for mut item in scan(hub).await {
        let (pk, sk) = key_of(&item);
        if pk.contains(run) && sk.starts_with("S#") {
            let mut bytes = item["points"].as_b().unwrap().clone().into_inner();
            bytes[0] = version;
            item.insert("points".to_owned(), AttributeValue::B(Blob::new(bytes)));
            put(hub, item).await;
            changed += 1;
        }
    }
    changed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn points_of_an_unknown_version_are_a_503_and_are_not_lost() {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("newer").await;
    let run = hub.new_run(&experiment).await;
    let log = |step: i64| {
        let body = json!({"run_id": run, "key": "loss", "value": step, "timestamp": 1, "step": step});
        async { hub.post("runs/log-metric", body).await }
    };
    log(0).await.ok();
    log(1).await.ok();
    assert_eq!(with_version(&hub, &run, 2).await, 2);
    let reads = [format!("runs/get?run_id={run}"), format!("metrics/get-history?run_id={run}&metric_key=loss")];
    for pass in [0, 200_000, 200_000] {
        hub.clock.advance(pass);
        for path in &reads {
            expect_unavailable(&hub.get(path).await, path);
        }
        let search = hub.post("runs/search", json!({"experiment_ids": [experiment]})).await;
        expect_unavailable(&search, "a search that would show it");
        // Writing needs nothing of what is there.
        assert_eq!(log(10).await.status, StatusCode::OK);
    }
    // Another version of the hub, which can read them: nothing was folded away meanwhile.
    for item in scan(&hub).await {
        let (pk, sk) = key_of(&item);
        assert!(!(pk.contains(&run) && sk == "META" && item.contains_key("wm")), "a fold was written without them");
    }
    with_version(&hub, &run, 1).await;
    let history = hub.get(&reads[1]).await.ok();
    let steps: Vec<i64> = history["metrics"].as_array().unwrap().iter().map(|p| p["step"].as_i64().unwrap()).collect();
    assert_eq!(steps, [0, 1, 10]);
    assert_eq!(hub.run(&run).await["data"]["metrics"][0]["step"], 10);
}
