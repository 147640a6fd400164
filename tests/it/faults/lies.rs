//! Services that lie: what was done is called failed, answers are cut off, changed, or somebody else's.

use std::time::{Duration, Instant};

use futures::future::join_all;
use http::{Method, StatusCode};
use load::ledger::content;
use serde_json::json;

use super::cases::CASES;
use super::half_written::expect_unavailable;
use super::s3_injector::{S3Fault, S3Injector};
use super::things::{Things, difference};
use super::{Fault, Injector};
use crate::hub::{Answer, DEVELOPER, FLOOD, Hub};

/// A write that is done, and whose answer is no good: the client hears 200 or "try again", and having tried again finds
/// what it would have found without.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_write_with_a_false_answer_can_be_repeated() {
    let (hub, injector) = Injector::with_hub().await;
    for fault in [Fault::BrokenAfterwards, Fault::Garbage, Fault::Truncated, Fault::WrongChecksum] {
        let tried = (0..CASES.len()).map(async |number| {
            let (case, kind) = (CASES[number], format!("{fault:?}").to_lowercase());
            let calm = Things::make(&hub, &format!("calm{kind}{number:02}x")).await;
            case.act(&hub, &calm).await.ok();
            let expected = calm.state(&hub).await;
            let things = Things::make(&hub, &format!("case{kind}{number:02}x")).await;
            let needle = case.needle(&things);
            injector.next(1, fault, "write", &needle);
            let answer = case.act(&hub, &things).await;
            assert_eq!(injector.heal(&needle), 1, "{} with {fault:?}", case.name);
            if answer.status != StatusCode::OK {
                expect_unavailable(&answer, &format!("{} with {fault:?}", case.name));
                let again = case.act(&hub, &things).await;
                // What makes something new each time, or names what is taken, cannot know the first try.
                if again.code() == "RESOURCE_ALREADY_EXISTS" || again.code() == "RESOURCE_DOES_NOT_EXIST" {
                    assert!(MADE_OR_GONE.contains(&case.name), "{}: {again:?}", case.name);
                } else {
                    assert_eq!(again.status, StatusCode::OK, "{} repeated after {fault:?}: {again:?}", case.name);
                }
            }
            if !NEW_EACH_TIME.contains(&case.name) {
                let found = things.state(&hub).await;
                assert!(found == expected, "{} with {fault:?}: {}", case.name, difference(&found, &expected));
            }
        });
        join_all(tried).await;
    }
}

/// A retry after an answer that was no good makes a second one.
const NEW_EACH_TIME: [&str; 4] = ["runs/create", "runs/log-model", "logged-models create", "model-versions/create"];
/// A retry after an answer that was no good finds it done.
const MADE_OR_GONE: [&str; 12] = [
    "experiments/create",
    "experiments/delete",
    "experiments/restore",
    "experiments/delete-experiment-tag",
    "registered-models/create",
    "registered-models/rename",
    "registered-models/delete",
    "model-versions/delete",
    "model-versions/delete with its alias",
    "runs/delete-tag",
    "logged-models delete",
    "logged-models delete tag",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_read_with_a_false_answer_is_right_or_a_503() {
    let (hub, injector) = Injector::with_hub().await;
    let things = Things::make(&hub, "reads").await;
    let paths = [
        format!("runs/get?run_id={}", things.run),
        format!("metrics/get-history?run_id={}&metric_key=loss", things.run),
        format!("experiments/get?experiment_id={}", things.experiment),
        format!("logged-models/{}", things.model),
        "registered-models/get?name=old%20reads".to_owned(),
        "model-versions/search?filter=name%3D'old%20reads'".to_owned(),
    ];
    let mut expected = Vec::new();
    for path in &paths {
        expected.push(hub.get(path).await.ok());
    }
    for fault in [Fault::Garbage, Fault::Truncated, Fault::WrongChecksum, Fault::Unprocessed, Fault::BrokenAfterwards] {
        injector.always(fault, "");
        let answers = join_all(paths.iter().map(|path| hub.get(path))).await;
        injector.heal("");
        for ((path, expected), answer) in paths.iter().zip(&expected).zip(answers) {
            match fault {
                // Every batch, until nothing is left.
                Fault::Unprocessed => assert_eq!(answer.ok(), *expected, "{path}"),
                _ if answer.status == StatusCode::OK => assert_eq!(answer.ok(), *expected, "{path} with {fault:?}"),
                _ => expect_unavailable(&answer, &format!("{path} with {fault:?}")),
            }
        }
    }
}

/// Patience with a batch ends, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_batch_of_which_nothing_is_read_is_a_503() {
    let (hub, injector) = Injector::with_hub().await;
    let things = Things::make(&hub, "unread").await;
    injector.always(Fault::Unread, "");
    let begun = Instant::now();
    let answer = hub.get(&format!("model-versions/get?name={}&version=1", "old%20unread")).await;
    expect_unavailable(&answer, "a version");
    assert!((4..8).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    injector.heal("");
    assert_eq!(hub.run(&things.run).await["info"]["lifecycle_stage"], "active");
}

/// No try will make it smaller.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_transaction_of_something_too_large_is_the_clients_mistake() {
    let (hub, injector) = Injector::with_hub().await;
    Things::make(&hub, "large").await;
    injector.always(Fault::TooLarge, "old large");
    let begun = Instant::now();
    let body = json!({"name": "old large", "alias": "another", "version": "1"});
    let answer = hub.post("registered-models/alias", body).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{answer:?}");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

/// The first try of a deletion lands when the run has been restored.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deletion_of_a_run_that_lands_late_undoes_no_restoration() {
    let (hub, injector) = Injector::with_hub().await;
    let experiment = hub.new_experiment("late").await;
    let run = hub.new_run(&experiment).await;
    injector.next(1, Fault::Late(Duration::from_millis(4_000)), "UpdateItem", &run);
    hub.post("runs/delete", json!({"run_id": run})).await.ok();
    hub.post("runs/restore", json!({"run_id": run})).await.ok();
    assert_eq!(injector.heal(&run), 1);
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    assert_eq!(hub.run(&run).await["info"]["lifecycle_stage"], "active");
}

async fn file(hub: &Hub, method: Method, path: &str, body: Vec<u8>) -> Answer {
    let url = format!("{FLOOD}/api/2.0/mlflow-artifacts/artifacts/{path}");
    let request = http::Request::builder().method(method).uri(url);
    let request = request.header(http::header::AUTHORIZATION, format!("Bearer {DEVELOPER}"));
    hub.send(request.body(body.into()).unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_file_is_whole_or_not_there() {
    let faults = [
        S3Fault::SlowDown,
        S3Fault::Broken,
        S3Fault::Slow(Duration::from_millis(300)),
        S3Fault::LostAnswer,
        S3Fault::BrokenAfterwards,
        S3Fault::Truncated,
        S3Fault::Flipped,
    ];
    // One that passes and one that stays: with three tries the client of S3 gives up.
    let all = faults.into_iter().flat_map(|fault| [(1, fault), (9, fault)]);
    join_all(all.map(|(times, fault)| a_file_with(times, fault))).await;
}

/// Puts a file and reads it, with so many faults on each way.
async fn a_file_with(times: u32, fault: S3Fault) {
    let what = format!("{times} x {fault:?}");
    let (hub, injector) = S3Injector::before(&Hub::start().await).await;
    let experiment = hub.new_experiment("files").await;
    let run = hub.new_run(&experiment).await;
    let path = format!("{experiment}/{run}/artifacts/a.bin");
    let bytes = content(100_000, u64::from(times));
    injector.next(times, Method::PUT, fault);
    let answer = file(&hub, Method::PUT, &path, bytes.clone()).await;
    assert!(injector.heal() > 0, "{what}");
    if answer.status != StatusCode::OK {
        assert!(times > 1, "{what}: {answer:?}");
        expect_unavailable(&answer, &what);
        assert_eq!(file(&hub, Method::PUT, &path, bytes.clone()).await.status, StatusCode::OK);
    }
    injector.next(times, Method::GET, fault);
    let answer = file(&hub, Method::GET, &path, Vec::new()).await;
    assert!(injector.heal() > 0, "{what}");
    match answer.status {
        StatusCode::OK => assert!(answer.bytes == bytes, "{what}: other bytes than were put"),
        _ => expect_unavailable(&answer, &what),
    }
    let answer = file(&hub, Method::GET, &path, Vec::new()).await;
    assert!(answer.status == StatusCode::OK && answer.bytes == bytes, "{what}: afterwards");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_listing_is_right_or_a_503() {
    let faults = [S3Fault::Garbage, S3Fault::Truncated, S3Fault::BrokenAfterwards];
    let all = faults.into_iter().flat_map(|fault| [(1, fault), (9, fault)]);
    let listed = all.map(async |(times, fault)| {
        let (hub, injector) = S3Injector::before(&Hub::start().await).await;
        let experiment = hub.new_experiment("files").await;
        let run = hub.new_run(&experiment).await;
        file(&hub, Method::PUT, &format!("{experiment}/{run}/artifacts/a.bin"), vec![1; 9]).await.ok();
        let path = format!("artifacts/list?run_id={run}");
        let expected = hub.get(&path).await.ok();
        injector.next(times, Method::GET, fault);
        let answer = hub.get(&path).await;
        assert!(injector.heal() > 0);
        match answer.status {
            StatusCode::OK => assert_eq!(answer.ok(), expected, "{fault:?}"),
            _ => expect_unavailable(&answer, &format!("{times} x {fault:?}")),
        }
    });
    join_all(listed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_s3_that_never_answers_is_given_up_in_time() {
    let (hub, injector) = S3Injector::before(&Hub::start().await).await;
    let experiment = hub.new_experiment("files").await;
    let run = hub.new_run(&experiment).await;
    injector.next(99, Method::PUT, S3Fault::Hang);
    let begun = std::time::Instant::now();
    let path = format!("{experiment}/{run}/artifacts/a.bin");
    // Metrics need no S3.
    let (answer, metric) = tokio::join!(
        file(&hub, Method::PUT, &path, vec![1; 9]),
        hub.post("runs/log-metric", json!({"run_id": run, "key": "loss", "value": 1, "timestamp": 1}))
    );
    expect_unavailable(&answer, "a file for an S3 that hangs");
    assert!(begun.elapsed() < Duration::from_secs(25), "the gateway gives up after 29 s: {:?}", begun.elapsed());
    metric.ok();
}
