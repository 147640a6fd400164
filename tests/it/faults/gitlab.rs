//! A training that goes on while GitLab is down, slow or limiting, takes a token back or a role away.

use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use local::gitlab::Fault;
use serde_json::{Value, json};

use super::half_written::expect_unavailable;
use crate::hub::{Answer, DEVELOPER, FLOOD, Hub};

const SECOND: i64 = 1_000;
/// How long a decision is acted upon.
const WINDOW: i64 = 60;

/// Logs one step.
async fn log(hub: &Hub, run: &str, step: i64) -> Answer {
    hub.post("runs/log-metric", json!({"run_id": run, "key": "loss", "value": step, "timestamp": 1, "step": step}))
        .await
}

/// The steps that the run has.
async fn steps(hub: &Hub, run: &str) -> Vec<i64> {
    let history = hub.get(&format!("metrics/get-history?run_id={run}&metric_key=loss")).await.ok();
    let points = history["metrics"].as_array().cloned().unwrap_or_default();
    points.iter().map(|point| point["step"].as_i64().unwrap()).collect()
}

async fn training() -> (Hub, String) {
    let hub = Hub::start().await;
    let experiment = hub.new_experiment("training").await;
    let run = hub.new_run(&experiment).await;
    (hub, run)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_training_survives_an_absent_gitlab() {
    let outages = [
        Fault::Status { code: 503, retry_after: None },
        Fault::Status { code: 500, retry_after: None },
        Fault::Status { code: 429, retry_after: Some(60) },
        Fault::Drop,
        Fault::Delay(Duration::from_secs(30)),
    ];
    futures::future::join_all(outages.map(async |outage| {
        let (hub, run) = training().await;
        log(&hub, &run, 0).await.ok();
        hub.world.fail(outage.clone());
        // What was decided less than a minute ago holds: on this instance, and on one that has never asked.
        let mut acknowledged = vec![0];
        let other = hub.beside().await;
        for step in 1..5 {
            hub.clock.advance(10 * SECOND);
            other.clock.advance(10 * SECOND);
            for (instance, number) in [(&hub, 2 * step), (&other, 2 * step + 1)] {
                log(instance, &run, number).await.ok();
                acknowledged.push(number);
            }
        }
        // Then nothing is guessed, and nothing written.
        for instance in [&hub, &other] {
            instance.clock.advance(30 * SECOND);
            let begun = Instant::now();
            expect_unavailable(&log(instance, &run, 99).await, &format!("{outage:?}"));
            assert!(begun.elapsed() < Duration::from_secs(8), "{outage:?} took {:?}", begun.elapsed());
        }
        hub.world.heal();
        for instance in [&hub, &other] {
            assert_eq!(steps(instance, &run).await, acknowledged, "{outage:?}");
        }
        log(&hub, &run, 99).await.ok();
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_short_outage_is_not_noticed() {
    for fault in [
        Fault::Status { code: 429, retry_after: Some(1) },
        Fault::Status { code: 502, retry_after: None },
        Fault::Delay(Duration::from_secs(1)),
        Fault::Drop,
    ] {
        let (hub, run) = training().await;
        log(&hub, &run, 0).await.ok();
        hub.clock.advance(61 * SECOND);
        hub.world.fail_next(1, fault);
        log(&hub, &run, 1).await.ok();
        assert_eq!(steps(&hub, &run).await, [0, 1]);
    }
}

/// Trains with two instances whose clocks are 5 s apart, one of which only hears from the table what was decided.
/// Answers after how many seconds the last step was acknowledged, and how the last was refused.
async fn until_refused(taken: impl FnOnce(&Hub)) -> (i64, Answer) {
    let (hub, run) = training().await;
    let other = hub.beside().await;
    hub.clock.set_skew(2_400);
    other.clock.set_skew(-2_400);
    log(&hub, &run, 0).await.ok();
    taken(&hub);
    let (mut acknowledged, mut last, mut refusal) = (vec![0], 0, None);
    for second in (3..90).step_by(3) {
        for instance in [&hub, &other] {
            instance.clock.advance(3 * SECOND);
        }
        let turn = second % 2 == 0;
        let answer = log(if turn { &hub } else { &other }, &run, second).await;
        if answer.status == StatusCode::OK {
            acknowledged.push(second);
            last = second;
        } else {
            refusal = Some(answer);
        }
    }
    // The maintainer sees what was acknowledged, and no more.
    let path = format!("{FLOOD}/api/2.0/mlflow/metrics/get-history?run_id={run}&metric_key=loss");
    let history = hub.call("glpat-local-maintainer", Method::GET, &path, None).await.ok();
    let found: Vec<i64> = history["metrics"].as_array().unwrap().iter().map(|p| p["step"].as_i64().unwrap()).collect();
    assert_eq!(found, acknowledged);
    (last, refusal.expect("refused in the end"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_token_that_is_revoked_mid_run_writes_for_at_most_a_minute() {
    let (last, refusal) = until_refused(|hub| hub.world.revoke_token(DEVELOPER).unwrap()).await;
    assert!(last <= WINDOW, "{last} s after it was revoked");
    assert_eq!((refusal.status, refusal.code().as_str()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_role_that_is_lost_mid_run_writes_for_at_most_a_minute() {
    let (last, refusal) = until_refused(|hub| hub.world.set_role("developer", "earth", None).unwrap()).await;
    assert!(last <= WINDOW, "{last} s after the role was taken");
    assert_eq!((refusal.status, refusal.code().as_str()), (StatusCode::NOT_FOUND, "RESOURCE_DOES_NOT_EXIST"));
}

/// What is no question to GitLab is answered without it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn health_and_errors_need_no_gitlab() {
    let (hub, run) = training().await;
    hub.world.fail(Fault::Status { code: 503, retry_after: None });
    let health = hub.call("", Method::GET, "/mlflow/health", None).await;
    assert_eq!(health.status, StatusCode::OK);
    let nobody = hub
        .call("", Method::POST, &format!("{FLOOD}/api/2.0/mlflow/runs/log-metric"), Some(json!({"run_id": run})))
        .await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{:?}", nobody.json() as Value);
}
