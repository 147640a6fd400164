//! Writes that take several steps, of which a later one fails, and claims whose answer is lost.

use futures::future::join_all;
use serde_json::json;

use super::half_written::expect_unavailable;
use super::{Fault, Injector};
use crate::hub::Hub;

async fn transition(hub: &Hub, name: &str, version: usize, archive: bool) -> crate::hub::Answer {
    let stage = "Production";
    let body =
        json!({"name": name, "version": version.to_string(), "stage": stage, "archive_existing_versions": archive});
    hub.post("model-versions/transition-stage", body).await
}

/// The numbers of the versions that say of themselves that they are in a stage, as a search finds them.
async fn in_stage(hub: &Hub, name: &str, stage: &str) -> Vec<u64> {
    let found = hub.get(&format!("model-versions/search?filter=name%3D'{name}'&max_results=1000")).await.ok();
    let versions = found["model_versions"].as_array().unwrap().iter();
    let mut numbers: Vec<u64> = versions
        .filter(|version| version["current_stage"] == stage)
        .map(|version| version["version"].as_str().unwrap().parse().unwrap())
        .collect();
    numbers.sort_unstable();
    numbers
}

/// More versions than one transaction takes: the second fails, and the same call completes what it left.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn archiving_many_versions_goes_on_where_it_stopped() {
    let (hub, injector) = Injector::with_hub().await;
    hub.post("registered-models/create", json!({"name": "many"})).await.ok();
    for number in 1..=100 {
        hub.post("model-versions/create", json!({"name": "many", "source": "s3://elsewhere/model"})).await.ok();
        if number < 100 {
            transition(&hub, "many", number, false).await.ok();
        }
    }
    let before: Vec<u64> = (1..100).collect();
    assert_eq!(in_stage(&hub, "many", "Production").await, before);
    injector.writes_after(1, Fault::Broken, "many");
    expect_unavailable(&transition(&hub, "many", 100, true).await, "the second transaction fails");
    assert!(injector.heal("many") > 0);
    // What was written is whole: each version is in one stage, and the model says the same.
    let (left, archived) = (in_stage(&hub, "many", "Production").await, in_stage(&hub, "many", "Archived").await);
    assert_eq!((left.len(), archived.len()), (9, 90));
    let latest = hub.get("registered-models/get-latest-versions?name=many&stages=Production").await.ok();
    assert_eq!(latest["model_versions"][0]["version"], left.last().unwrap().to_string());
    transition(&hub, "many", 100, true).await.ok();
    assert_eq!(in_stage(&hub, "many", "Production").await, [100]);
    assert_eq!(in_stage(&hub, "many", "Archived").await, before);
}

/// The SDK sends a claim again whose answer was lost: it is the same claim.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_claim_with_a_lost_answer_is_a_claim() {
    let (hub, injector) = Injector::with_hub().await;
    for fault in [Fault::LostAnswer, Fault::BrokenAfterwards] {
        let id = format!("delivery-{fault:?}");
        injector.next(1, fault, "PutItem", &id);
        assert!(matches!(hub.state.store.claim_delivery(&id).await, Ok(true)), "{fault:?}");
        assert_eq!(injector.heal(&id), 1, "{fault:?}");
        let others = join_all((0..4).map(|_| hub.state.store.claim_delivery(&id))).await;
        assert!(others.into_iter().all(|claimed| matches!(claimed, Ok(false))), "{fault:?}");
    }
}
