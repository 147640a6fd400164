//! What one instance does through its memory while another has deleted the thing: it ends in time.

use http::StatusCode;
use serde_json::{Value, json};

use crate::hub::Hub;

/// For how many seconds an instance that has just written acknowledges further writes after another has deleted, and
/// what it answers in the end.
async fn writes_after(delete: (&str, Value), write: impl Fn(i64) -> (&'static str, Value), hubs: &[Hub; 2]) -> i64 {
    let [writer, other] = hubs;
    let (endpoint, body) = write(0);
    writer.post(endpoint, body).await.ok();
    other.post(delete.0, delete.1).await.ok();
    let mut last = 0;
    for second in (3..120).step_by(3) {
        hubs.iter().for_each(|hub| hub.clock.advance(3_000));
        let (endpoint, body) = write(second);
        let answer = writer.post(endpoint, body).await;
        match answer.status {
            StatusCode::OK => last = second,
            _ => assert_eq!(answer.code(), "INVALID_PARAMETER_VALUE", "{second} s: {answer:?}"),
        }
    }
    last
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_another_instance_deleted_takes_writes_for_at_most_a_minute() {
    let first = Hub::start().await;
    let hubs = [first.clone(), first.beside().await];
    let metric = |run: String| {
        move |step: i64| {
            let body = json!({"run_id": run, "key": "loss", "value": step, "timestamp": 1, "step": step});
            ("runs/log-metric", body)
        }
    };
    let tag =
        |run: String| move |step: i64| ("runs/set-tag", json!({"run_id": run, "key": "t", "value": step.to_string()}));
    let experiment = first.new_experiment("deleted elsewhere").await;
    // What was announced may still come: 120 s of announcement less the 60 s that an acknowledgement keeps from its end.
    let run = first.new_run(&experiment).await;
    let seconds = writes_after(("runs/delete", json!({"run_id": run})), metric(run.clone()), &hubs).await;
    assert!(seconds <= 60, "metrics: {seconds} s");
    // Tags and params ask META itself.
    let run = first.new_run(&experiment).await;
    let seconds = writes_after(("runs/delete", json!({"run_id": run})), tag(run.clone()), &hubs).await;
    assert_eq!(seconds, 0, "tags");
    // An experiment is remembered for 30 s.
    let run = first.new_run(&experiment).await;
    let delete = ("experiments/delete", json!({"experiment_id": experiment}));
    let seconds = writes_after(delete.clone(), metric(run.clone()), &hubs).await;
    assert!(seconds <= 30, "metrics of a run of a deleted experiment: {seconds} s");
    // Restored, the run has what was acknowledged.
    first.post("experiments/restore", json!({"experiment_id": experiment})).await.ok();
    let seconds = writes_after(delete, tag(run), &hubs).await;
    assert!(seconds <= 30, "tags of a run of a deleted experiment: {seconds} s");
}
