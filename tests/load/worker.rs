//! One client of many: what it does next is chance, what it has done is written down.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::Plan;
use crate::client::{Client, Reply};
use crate::ledger::{ExperimentRecord, Ledger, ModelRecord, RunRecord};

/// Registered models that all clients use.
const SHARED_MODELS: usize = 3;
/// Runs that a client has in hand.
pub const RUNS_IN_HAND: usize = 4;
/// Calls of a client after which it takes another run.
const CALLS_PER_RUN: u64 = 60;

/// What all clients write to at once.
pub struct Shared {
    pub run: Mutex<RunRecord>,
    pub models: Vec<Mutex<ModelRecord>>,
    experiment: ExperimentRecord,
}

/// What became of a write.
#[derive(Debug)]
pub enum Written {
    Yes(Value),
    /// Given up: written or not.
    Perhaps,
    No,
}

impl Shared {
    pub async fn make(client: &Client, plan: &Plan) -> Self {
        let mark = format!("{:x}-{:x}", plan.seed, rand::random::<u32>());
        let create = client.post("experiments/create", &json!({"name": format!("shared {mark}")})).await;
        let id =
            create.json()["experiment_id"].as_str().unwrap_or_else(|| panic!("no experiment: {create:?}")).to_owned();
        let (mut run, mut perhaps_runs) = (None, 0);
        while run.is_none() {
            let created = client.post("runs/create", &json!({"experiment_id": id, "run_name": "shared"})).await;
            perhaps_runs += created.unanswered;
            run = created.json()["run"]["info"]["run_id"].as_str().map(str::to_owned);
        }
        let mut run = RunRecord { id: run.unwrap(), experiment: id.clone(), seed: plan.seed, ..RunRecord::default() };
        run.status.written(Some("RUNNING"), true);
        run.lifecycle.written(Some("active"), true);
        let mut models = Vec::new();
        for number in 0..SHARED_MODELS {
            let name = format!("shared {mark} {number}");
            client.post("registered-models/create", &json!({"name": name})).await;
            models.push(Mutex::new(ModelRecord { name, ..ModelRecord::default() }));
        }
        let mut experiment = ExperimentRecord { id, perhaps_runs, ..ExperimentRecord::default() };
        experiment.lifecycle.written(Some("active"), true);
        Self { run: run.into(), models, experiment }
    }

    pub fn ledger(&self) -> Ledger {
        Ledger {
            experiments: vec![self.experiment.clone()],
            runs: vec![self.run.lock().unwrap().clone()],
            models: self.models.iter().map(|model| model.lock().unwrap().clone()).collect(),
            ..Ledger::default()
        }
    }
}

pub struct Worker {
    pub number: usize,
    pub client: Arc<Client>,
    pub shared: Arc<Shared>,
    pub random: StdRng,
    pub ledger: Ledger,
    /// Places in the ledger of the runs in hand, which are active.
    pub in_hand: Vec<usize>,
    /// Counts what must have a name of its own.
    pub names: u64,
    pub mark: String,
    catalog: bool,
    calls: u64,
}

impl Worker {
    pub fn new(number: usize, client: Arc<Client>, shared: Arc<Shared>, plan: &Plan) -> Self {
        let random = StdRng::seed_from_u64(plan.seed.wrapping_mul(1_000_003).wrapping_add(number as u64));
        let mark = format!("{:x} {number} {:x}", plan.seed, rand::random::<u32>());
        let (ledger, in_hand, catalog) = (Ledger::default(), Vec::new(), plan.catalog);
        Self { number, client, shared, random, ledger, in_hand, names: 0, mark, catalog, calls: 0 }
    }

    /// Works until then.
    pub async fn run(mut self, until: Instant) -> Ledger {
        while !self.begin_experiment().await {
            if Instant::now() >= until {
                return self.ledger;
            }
        }
        self.create_own_model().await;
        while Instant::now() < until {
            if self.in_hand.len() < RUNS_IN_HAND || self.calls.is_multiple_of(CALLS_PER_RUN) {
                self.create_run().await;
            }
            self.calls += 1;
            self.act().await;
        }
        self.ledger
    }

    async fn act(&mut self) {
        let Some(&run) = self.in_hand.get(self.calls as usize % RUNS_IN_HAND) else { return };
        match self.random.random_range(0..100) {
            0..22 => self.log_metric(run).await,
            22..40 => self.log_metrics(run).await,
            40..46 => self.log_batch(run).await,
            46..52 => self.log_parameter(run).await,
            52..58 => self.set_tag(run).await,
            58..60 => self.delete_tag(run).await,
            60..63 => self.log_to_shared_run().await,
            63..65 => self.change_status(run).await,
            65..67 => self.delete_and_restore_run(run).await,
            67..72 => self.read_run(run).await,
            72..74 => self.read_history(run).await,
            74..77 => self.search_runs().await,
            77..80 => self.put_file(run).await,
            80..82 => self.get_file(run).await,
            82..85 => self.create_version().await,
            85..86 => self.set_alias().await,
            86..87 => self.move_to_stage().await,
            87..88 => self.search_versions().await,
            88..89 => self.tag_experiment().await,
            89..90 => self.delete_and_restore_experiment().await,
            _ if self.catalog => self.use_catalog().await,
            _ => self.log_metrics(run).await,
        }
    }

    /// A write; one of ten acknowledged ones is sent once more, as a client does that has not heard the answer.
    pub async fn write(&mut self, endpoint: &'static str, body: &Value) -> Written {
        let reply = self.client.post(endpoint, body).await;
        let written = self.outcome(endpoint, &reply);
        if matches!(written, Written::Yes(_)) && self.random.random_bool(0.1) {
            self.client.stats.lock().unwrap().replayed += 1;
            let again = self.client.post(endpoint, body).await;
            self.outcome(endpoint, &again);
        }
        written
    }

    /// A write that makes something new each time that it is sent, and how many times it was sent without an answer.
    pub async fn create(&mut self, endpoint: &'static str, body: &Value) -> (Written, usize) {
        let reply = self.client.post(endpoint, body).await;
        (self.outcome(endpoint, &reply), reply.unanswered)
    }

    pub fn outcome(&mut self, call: &str, reply: &Reply) -> Written {
        match reply.status {
            Some(status) if status.is_success() || status.is_redirection() => Written::Yes(reply.json()),
            // Others were faster: nothing was written, and the client is told so.
            Some(status) if status.as_u16() == 409 => Written::No,
            Some(status) => {
                let text = String::from_utf8_lossy(&reply.bytes);
                self.ledger.surprises.push(format!("{call}: {status} {}", text.chars().take(300).collect::<String>()));
                Written::No
            }
            None => {
                self.ledger.given_up += 1;
                Written::Perhaps
            }
        }
    }

    /// A word that no other call has.
    pub fn new_name(&mut self) -> String {
        self.names += 1;
        format!("{} {}", self.mark, self.names)
    }

    /// A text of up to `longest` letters.
    pub fn text(&mut self, longest: usize) -> String {
        let length = self.random.random_range(1..=longest);
        (0..length).map(|_| char::from(self.random.random_range(b'a'..=b'z'))).collect()
    }

    pub fn record(&mut self, run: usize) -> &mut RunRecord {
        &mut self.ledger.runs[run]
    }
}
