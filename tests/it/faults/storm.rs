//! Mixed load through two instances while DynamoDB, S3 and GitLab fail by chance: all that was acknowledged is there,
//! once, and nothing that nobody wrote.
//!
//! `SEED=<n>` repeats the choices, `FAULT_SECONDS=<n>` makes it longer (`make faults`).

use std::sync::Arc;
use std::time::Duration;

use load::Plan;
use load::check::check;
use load::client::Client;
use load::report::report;
use local::gitlab::Fault as GitLabFault;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::watch;

use super::Injector;
use super::s3_injector::S3Injector;
use crate::hub::{Hub, listen};

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// Lets time pass in leaps, and GitLab go away and come back.
async fn trouble(hubs: [Hub; 2], seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let world = hubs[0].world.clone();
    loop {
        tokio::time::sleep(Duration::from_millis(random.random_range(100..700))).await;
        match random.random_range(0..6) {
            // What is known of permissions expires on the way.
            0 => {
                let ms = random.random_range(0..30_000);
                hubs.iter().for_each(|hub| hub.clock.advance(ms));
            }
            1 => world.fail_next(3, GitLabFault::Drop),
            2 => world.fail_next(5, GitLabFault::Status { code: 429, retry_after: Some(1) }),
            3 => world.fail_next(5, GitLabFault::Status { code: 502, retry_after: None }),
            4 => world.fail_next(2, GitLabFault::Delay(Duration::from_secs(6))),
            _ => {
                world.fail(GitLabFault::Status { code: 503, retry_after: None });
                tokio::time::sleep(Duration::from_millis(random.random_range(100..900))).await;
                world.heal();
            }
        }
    }
}

#[expect(clippy::print_stdout, reason = "the seed, by which a failure is repeated, and the report")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_acknowledged_is_lost_or_doubled_in_a_storm() {
    let seed = from_environment("SEED", rand::random());
    let duration = Duration::from_secs(from_environment("FAULT_SECONDS", 8));
    println!("SEED={seed}");
    let (hub, dynamodb) = Injector::with_hub().await;
    crate::catalog::everything(&hub).await;
    let (first, s3) = S3Injector::before(&hub).await;
    let second = first.beside().await;
    // 5 s between the two, as much as is allowed.
    first.clock.set_skew(2_400);
    second.clock.set_skew(-2_400);
    let (_stop, stopped) = watch::channel(false);
    let bases = [&first, &second].map(|hub| listen(hub.router.clone(), stopped.clone()));
    // Longer than any outage: a call that is given up shows nothing.
    let client = Arc::new(Client::new(bases.to_vec(), Duration::from_secs(60)));
    let plan = Plan { clients: 24, duration, seed, catalog: true };
    dynamodb.begin_storm(seed, 0.06);
    s3.begin_storm(seed, 0.4);
    let (world, troubled) = (hub.world.clone(), trouble([first.clone(), second.clone()], seed));
    let troubled = tokio::spawn(async move {
        let _over = tokio::time::timeout(duration, troubled).await;
        world.heal();
    });
    let ledger = load::run(&client, &plan).await;
    troubled.await.unwrap();
    let hits = (dynamodb.end_storm(), s3.heal());
    // The last late writes land.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let stats = std::mem::take(&mut *client.stats.lock().unwrap());
    let mut findings = check(&client, &ledger).await;
    // And when every run has been closed, from what its META alone says.
    for hub in [&first, &second] {
        hub.clock.advance(200_000);
    }
    for round in ["closing", "closed"] {
        let closed = check(&client, &ledger).await;
        assert_eq!(closed.points, findings.points, "{round}");
        findings.lost.extend(closed.lost);
        findings.doubled.extend(closed.doubled);
        findings.strange.extend(closed.strange);
    }
    let conditions = format!("SEED={seed}, {hits:?} requests to DynamoDB and S3 hit");
    let text = report(&conditions, &stats, &ledger, &findings);
    println!("{text}");
    assert!(findings.is_clean() && ledger.surprises.is_empty(), "{text}");
    assert!(hits.0 > 20 && hits.1 > 0 && findings.points > 300, "this test does too little:\n{text}");
}
