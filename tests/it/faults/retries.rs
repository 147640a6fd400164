//! A request to DynamoDB that fails once, or whose answer is lost, changes nothing of the outcome.

use std::time::Duration;

use futures::future::join_all;
use http::StatusCode;
use serde_json::{Value, json};

use super::cases::{CASES, Case};
use super::things::{Things, difference};
use super::{Fault, Injector};

/// A case's answer and all that is seen afterwards, with a fault in its first write.
async fn outcome(hub: &crate::hub::Hub, injector: &Injector, number: usize, fault: Option<Fault>) -> (Value, Value) {
    let case: Case = CASES[number];
    let things = Things::make(hub, &format!("case{number:02}x")).await;
    let needle = case.needle(&things);
    if let Some(fault) = fault {
        injector.next(1, fault, "write", &needle);
    }
    let answer = case.act(hub, &things).await;
    assert_eq!(answer.status, StatusCode::OK, "{} with {fault:?}: {answer:?}", case.name);
    if let Some(Fault::Late(delay)) = fault {
        // Until the first try has landed, too.
        tokio::time::sleep(delay.saturating_sub(Duration::from_millis(1_400))).await;
    }
    if fault.is_some() {
        assert_eq!(injector.heal(&needle), 1, "{}: the fault has hit", case.name);
    }
    let mut body = answer.json();
    things.redact(&mut body);
    (body, things.state(hub).await)
}

async fn outcomes(fault: Option<Fault>) -> Vec<(Value, Value)> {
    let (hub, injector) = Injector::with_hub().await;
    join_all((0..CASES.len()).map(|number| outcome(&hub, &injector, number, fault))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_fault_changes_no_outcome() {
    let expected = outcomes(None).await;
    let faults = [
        Fault::Throttle,
        Fault::Exceeded,
        Fault::Broken,
        Fault::Hang,
        Fault::LostAnswer,
        Fault::Late(Duration::from_millis(300)),
        Fault::Late(Duration::from_millis(2_500)),
        Fault::Conflict,
    ];
    // One after the other, so that slow machines do not run into the SDK's time-outs.
    for fault in faults {
        let found = outcomes(Some(fault)).await;
        for (case, (found, expected)) in CASES.iter().zip(found.iter().zip(&expected)) {
            assert_eq!(found.0, expected.0, "{} with {fault:?}: the answer", case.name);
            let difference = difference(&found.1, &expected.1);
            assert!(difference.is_empty(), "{} with {fault:?}, seen afterwards: {difference}", case.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deletion_that_lands_late_undoes_no_restoration() {
    let (hub, injector) = Injector::with_hub().await;
    let experiment = hub.new_experiment("late").await;
    let needle = format!("EXP#{experiment}\"");
    // The first try lands when the second has long been answered, and the experiment is restored.
    injector.next(1, Fault::Late(Duration::from_millis(4_000)), "UpdateItem", &needle);
    hub.post("experiments/delete", json!({"experiment_id": experiment})).await.ok();
    hub.post("experiments/restore", json!({"experiment_id": experiment})).await.ok();
    assert_eq!(injector.heal(&needle), 1);
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    let found = hub.get(&format!("experiments/get?experiment_id={experiment}")).await.ok();
    assert_eq!(found["experiment"]["lifecycle_stage"], "active");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn models_logged_at_once_are_listed_once_each_though_answers_are_lost() {
    let (hub, injector) = Injector::with_hub().await;
    let experiment = hub.new_experiment("lost answers").await;
    let run = hub.new_run(&experiment).await;
    injector.next(8, Fault::LostAnswer, "write", &run);
    let logged = (0..16).map(|number| {
        let model =
            json!({"artifact_path": format!("m{number}"), "flavors": {}, "utc_time_created": "x", "run_id": run});
        hub.post("runs/log-model", json!({"run_id": run, "model_json": model.to_string()}))
    });
    for answer in join_all(logged).await {
        answer.ok();
    }
    assert_eq!(injector.heal(&run), 8);
    let tags = hub.run(&run).await["data"]["tags"].clone();
    let history = tags.as_array().unwrap().iter().find(|tag| tag["key"] == "mlflow.log-model.history").unwrap();
    let history: Vec<Value> = serde_json::from_str(history["value"].as_str().unwrap()).unwrap();
    let paths: std::collections::BTreeSet<_> = history.iter().map(|model| model["artifact_path"].to_string()).collect();
    assert_eq!((history.len(), paths.len()), (16, 16));
}
