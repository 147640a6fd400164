//! A throttled table: a short one is not noticed, a long one is a clean "try again later".

use std::time::{Duration, Instant};

use futures::future::join_all;
use http::StatusCode;
use serde_json::json;

use super::cases::CASES;
use super::half_written::expect_unavailable;
use super::things::Things;
use super::{Fault, Injector};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_short_throttle_is_survived() {
    for fault in [Fault::Throttle, Fault::Exceeded] {
        let (hub, injector) = Injector::with_hub().await;
        let experiment = hub.new_experiment("throttled").await;
        let run = hub.new_run(&experiment).await;
        injector.always(fault, "");
        let metric = json!({"run_id": run, "key": "loss", "value": 1, "timestamp": 1});
        let search = json!({"experiment_ids": [experiment]});
        let calls = async {
            let read = format!("runs/get?run_id={run}");
            tokio::join!(
                hub.post("runs/log-metric", metric),
                hub.post("runs/create", json!({"experiment_id": experiment})),
                hub.post("runs/search", search),
                hub.get(&read),
            )
        };
        let healing = async {
            tokio::time::sleep(Duration::from_millis(2_000)).await;
            injector.heal("")
        };
        let ((metric, create, search, read), hits) = tokio::join!(calls, healing);
        assert!(hits > 0);
        for answer in [metric, create, search, read] {
            assert_eq!(answer.status, StatusCode::OK, "{fault:?}: {answer:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_fault_that_stays_is_never_a_500() {
    let (hub, injector) = Injector::with_hub().await;
    let things = Things::make(&hub, "reads").await;
    let of_case = join_all((0..CASES.len()).map(|number| {
        let hub = hub.clone();
        async move { Things::make(&hub, &format!("case{number:02}x")).await }
    }))
    .await;
    for fault in [Fault::Throttle, Fault::Exceeded, Fault::Broken, Fault::Hang, Fault::LostAnswer] {
        // Nothing is known any more of experiments; who may do what is.
        hub.clock.advance(31_000);
        for (number, things) in of_case.iter().enumerate() {
            let answer = CASES[number].act(&hub, things).await;
            assert!(answer.status.as_u16() < 500, "{}: {answer:?}", CASES[number].name);
        }
        injector.always(fault, "");
        let begun = Instant::now();
        let writes = join_all((0..CASES.len()).map(|number| CASES[number].act(&hub, &of_case[number])));
        let reads = [
            format!("runs/get?run_id={}", things.run),
            format!("experiments/get?experiment_id={}", things.experiment),
            format!("experiments/get-by-name?experiment_name=old%20{}", things.word),
            format!("metrics/get-history?run_id={}&metric_key=loss", things.run),
            format!("logged-models/{}", things.model),
            "experiments/search?max_results=5".to_owned(),
        ];
        let reads = join_all(reads.iter().map(|path| hub.get(path)));
        let (writes, reads) = tokio::join!(writes, reads);
        for (number, answer) in writes.iter().enumerate() {
            expect_unavailable(answer, &format!("{} with {fault:?}", CASES[number].name));
        }
        for answer in &reads {
            expect_unavailable(answer, &format!("a read with {fault:?}"));
        }
        assert!(begun.elapsed() < Duration::from_secs(8), "{fault:?} took {:?}", begun.elapsed());
        injector.heal("");
    }
}
