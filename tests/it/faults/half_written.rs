//! A call that fails for good leaves nothing or all of what it promises in one step, and can be repeated.

use futures::future::join_all;
use http::{StatusCode, header};
use serde_json::{Value, json};

use super::cases::{CASES, Case};
use super::things::{Things, difference};
use super::{Fault, Injector};
use crate::hub::{Answer, Hub};

/// What follows their first write is not waited for: it concerns versions that nobody can reach, or time stamps.
const ANSWERED_AFTER_THE_FIRST_WRITE: [&str; 3] =
    ["registered-models/rename", "registered-models/delete", "model-versions/delete"];

/// A clean "try again later".
#[track_caller]
pub fn expect_unavailable(answer: &Answer, call: &str) {
    assert!(
        matches!(answer.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS),
        "{call}: {} {}",
        answer.status,
        String::from_utf8_lossy(&answer.bytes)
    );
    assert!(answer.headers.contains_key(header::RETRY_AFTER), "{call}");
    assert!(!answer.code().is_empty() && answer.json()["message"].is_string(), "{call}: {answer:?}");
}

/// The states before and after a case that meets no fault.
async fn undisturbed(hub: &Hub, case: Case, word: &str) -> (Value, Value) {
    let things = Things::make(hub, word).await;
    let before = things.state(hub).await;
    case.act(hub, &things).await.ok();
    (before, things.state(hub).await)
}

/// Lets every write of a case fail but the first `passing`. `None`: it has no more writes than those.
async fn fails_after(hub: &Hub, injector: &Injector, number: usize, passing: u32) -> Option<()> {
    let case = CASES[number];
    let call = format!("{} failing after {passing} writes", case.name);
    let (before, after) = undisturbed(hub, case, &format!("calm{number:02}x{passing}x")).await;
    let things = Things::make(hub, &format!("case{number:02}x{passing}x")).await;
    let needle = case.needle(&things);
    injector.writes_after(passing, Fault::Broken, &needle);
    let answer = case.act(hub, &things).await;
    let hits = injector.heal(&needle);
    if hits == 0 {
        assert!(passing > 0, "{call}: no write was found");
        answer.ok();
        return None;
    }
    if passing > 0 && ANSWERED_AFTER_THE_FIRST_WRITE.contains(&case.name) {
        answer.ok();
        let found = things.state(hub).await;
        assert!(found == after, "{call}: {}", difference(&found, &after));
        return Some(());
    }
    expect_unavailable(&answer, &call);
    let found = things.state(hub).await;
    // A model's points come after its run's.
    if passing == 0 && case.name != "runs/log-metric of a model" {
        assert!(found == before, "{call}: something was written: {}", difference(&found, &before));
    }
    // The client's own retry completes it.
    case.act(hub, &things).await.ok();
    let found = things.state(hub).await;
    assert!(found == after, "{call}, then repeated: {}", difference(&found, &after));
    Some(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn failed_writes_leave_nothing_and_can_be_repeated() {
    let (hub, injector) = Injector::with_hub().await;
    join_all((0..CASES.len()).map(async |number| {
        let mut passing = 0;
        while fails_after(&hub, &injector, number, passing).await.is_some() {
            passing += 1;
        }
        let name = CASES[number].name;
        assert!(passing > 1 || !ANSWERED_AFTER_THE_FIRST_WRITE.contains(&name), "{name} has one write only");
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writes_that_are_never_answered_are_whole() {
    let (hub, injector) = Injector::with_hub().await;
    join_all((0..CASES.len()).map(async |number| {
        let case = CASES[number];
        let (before, after) = undisturbed(&hub, case, &format!("calm{number:02}x")).await;
        let things = Things::make(&hub, &format!("case{number:02}x")).await;
        let needle = case.needle(&things);
        injector.writes_after(0, Fault::LostAnswer, &needle);
        let answer = case.act(&hub, &things).await;
        assert!(injector.heal(&needle) > 0, "{}", case.name);
        expect_unavailable(&answer, case.name);
        let found = things.state(&hub).await;
        // Calls of several steps stop at the first: params before metrics, edges before their mark.
        let steps = ["runs/log-batch", "runs/update", "runs/log-metric of a model", "runs/log-inputs", "runs/outputs"];
        let whole = found == before || found == after;
        assert!(whole || steps.contains(&case.name), "{}: {}", case.name, difference(&found, &after));
    }))
    .await;
}

#[tokio::test]
async fn a_batch_with_a_param_conflict_leaves_nothing() {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("conflicts").await;
    for count in [2, 60] {
        let run = hub.new_run(&experiment).await;
        hub.post("runs/log-parameter", json!({"run_id": run, "key": "depth", "value": "3"})).await.ok();
        let before = hub.run(&run).await;
        let mut params: Vec<Value> = (0..count).map(|n| json!({"key": format!("p{n}"), "value": "v"})).collect();
        params.push(json!({"key": "depth", "value": "4"}));
        let metrics = json!([{"key": "loss", "value": 1, "timestamp": 1}]);
        let body = json!({"run_id": run, "params": params, "metrics": metrics, "tags": [{"key": "t", "value": "v"}]});
        let answer = hub.post("runs/log-batch", body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "INVALID_PARAMETER_VALUE"));
        assert_eq!(hub.run(&run).await, before, "{count} params");
    }
}
