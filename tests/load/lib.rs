//! Mixed load whose every acknowledged write is remembered and at the end read back.
//!
//! The example beside this file, `make load`, runs it against the local hub as a process; the tests in `tests/it/faults`
//! run it while faults are injected. It knows the hub by its HTTP API alone.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

pub mod catalog;
pub mod check;
pub mod check_registry;
pub mod client;
pub mod ledger;
pub mod registry;
pub mod report;
pub mod runs;
pub mod worker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::ledger::Ledger;
use crate::worker::{Shared, Worker};

/// How much is done, and with which randomness.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Clients at work at the same time.
    pub clients: usize,
    pub duration: Duration,
    /// Repeats the same choices; what is timed differently may still go differently.
    pub seed: u64,
    /// Also searches and downloads of the catalog.
    pub catalog: bool,
}

/// Puts the hub under load; answers what it has acknowledged.
pub async fn run(client: &Arc<Client>, plan: &Plan) -> Ledger {
    if plan.catalog {
        catalog::wait(client).await;
    }
    let shared = Arc::new(Shared::make(client, plan).await);
    let until = Instant::now() + plan.duration;
    let workers: Vec<_> = (0..plan.clients)
        .map(|number| tokio::spawn(Worker::new(number, client.clone(), shared.clone(), plan).run(until)))
        .collect();
    let mut ledger = Ledger::default();
    for worker in workers {
        ledger.add(worker.await.unwrap());
    }
    ledger.add(shared.ledger());
    ledger
}
