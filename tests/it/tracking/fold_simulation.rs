//! Latest metrics stay exact: random writers and readers on several instances with wrong clocks, while
//! time passes and answers get lost or late. The protocol is that of `shared/src/store/fold.rs`.
//!
//! `SEED=<n>` repeats one trial.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::StatusCode;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::fold::delete_segments;
use crate::faults::{Fault, Injector};
use crate::hub::Hub;

const KEYS: [&str; 3] = ["a", "b", "c"];
const STEPS: usize = 150;
/// Trials begin while this has not passed.
const ENOUGH: Duration = Duration::from_secs(12);

/// Key, step, timestamp, value; the value is different for each point.
type Point = (usize, i64, i64, i64);

/// Clients' points: sent, and acknowledged.
#[derive(Default)]
struct Ledger {
    sent: BTreeSet<Point>,
    acknowledged: BTreeSet<Point>,
}

struct Trial {
    seed: u64,
    random: StdRng,
    hubs: Vec<Hub>,
    /// Replaced instances, which may have calls under way.
    retired: Vec<Hub>,
    injector: Injector,
    run: String,
    experiment: String,
    ledger: Arc<Mutex<Ledger>>,
    /// Calls that were left to themselves.
    pending: JoinSet<()>,
    next_value: i64,
    /// ms by which time has been moved on.
    passed: i64,
}

impl Trial {
    async fn new(seed: u64) -> Self {
        let (hub, injector) = Injector::with_hub().await;
        let experiment = hub.new_experiment("simulation").await;
        let run = hub.new_run(&experiment).await;
        let mut trial = Self {
            seed,
            random: StdRng::seed_from_u64(seed),
            hubs: vec![hub.clone(), hub.beside().await, hub.beside().await],
            retired: Vec::new(),
            injector,
            run,
            experiment,
            ledger: Arc::default(),
            pending: JoinSet::new(),
            next_value: 0,
            passed: 0,
        };
        for number in 0..3 {
            trial.skew(number);
        }
        trial
    }

    /// Any two instances differ by at most 5 s.
    fn skew(&mut self, number: usize) {
        let skew = self.random.random_range(-2_400..=2_400);
        self.hubs[number].clock.set_skew(skew);
    }

    fn hub(&mut self) -> Hub {
        let number = self.random.random_range(0..self.hubs.len());
        self.hubs[number].clone()
    }

    fn advance(&mut self, ms: i64) {
        self.passed += ms;
        self.hubs.iter().chain(&self.retired).for_each(|hub| hub.clock.advance(ms));
    }

    async fn step(&mut self) {
        match self.random.random_range(0..100) {
            0..40 => self.log().await,
            40..50 => self.log_slowly().await,
            50..65 => self.read().await,
            65..72 => self.search().await,
            72..86 => {
                let longest = [500, 5_000, 25_000, 75_000, 150_000][self.random.random_range(0..5)];
                let passed = self.random.random_range(0..longest);
                self.advance(passed);
            }
            86..90 => self.finish().await,
            90..93 => {
                let body = json!({"run_id": self.run, "key": "tag", "value": "v"});
                self.hub().post("runs/set-tag", body).await.ok();
            }
            93..95 => {
                let params: Vec<Value> = (0..50).map(|n| json!({"key": format!("p{n}"), "value": "v"})).collect();
                self.hub().post("runs/log-batch", json!({"run_id": self.run, "params": params})).await.ok();
            }
            95..97 => {
                // An instance is replaced; the new one has nothing in memory and is as late in time as the others.
                let number = self.random.random_range(0..self.hubs.len());
                let fresh = self.hubs[number].beside().await;
                let skew = self.random.random_range(-2_400..=2_400);
                fresh.clock.advance(self.passed);
                fresh.clock.set_skew(skew);
                let old = std::mem::replace(&mut self.hubs[number], fresh);
                self.retired.push(old);
            }
            _ => self.history().await,
        }
    }

    fn point(&mut self) -> Point {
        self.next_value += 1;
        let step =
            if self.random.random_bool(0.7) { self.next_value } else { self.random.random_range(0..=self.next_value) };
        (self.random.random_range(0..KEYS.len()), step, self.random.random_range(0..5), self.next_value)
    }

    async fn log(&mut self) {
        let points: Vec<Point> = (0..self.random.random_range(1..4)).map(|_| self.point()).collect();
        let fault = match self.random.random_range(0..40) {
            0 | 1 => Some(Fault::LostAnswer),
            2 => Some(Fault::Throttle),
            3 => Some(Fault::Broken),
            4 => Some(Fault::Hang),
            5 | 6 => Some(Fault::Late(Duration::from_millis(self.random.random_range(0..3_000)))),
            _ => None,
        };
        if let Some(fault) = fault {
            let operation = if self.random.random_bool(0.7) { "PutItem" } else { "UpdateItem" };
            self.injector.next(1, fault, operation, &self.run);
        }
        let call = self.call(points);
        let is_slow = matches!(fault, Some(Fault::Hang | Fault::Late(_)));
        if is_slow || self.random.random_bool(0.2) {
            self.pending.spawn(call);
        } else {
            call.await;
        }
    }

    /// Sends points through any instance; whoever gets a 200 may rely on them.
    fn call(&mut self, points: Vec<Point>) -> impl Future<Output = ()> + Send + 'static {
        let metrics: Vec<Value> = points
            .iter()
            .map(|(key, step, timestamp, value)| {
                json!({"key": KEYS[*key], "step": step, "timestamp": timestamp, "value": value})
            })
            .collect();
        let body = json!({"run_id": self.run, "metrics": metrics});
        let (hub, ledger, seed) = (self.hub(), self.ledger.clone(), self.seed);
        ledger.lock().unwrap().sent.extend(&points);
        async move {
            let answer = hub.post("runs/log-batch", body).await;
            match answer.status {
                StatusCode::OK => ledger.lock().unwrap().acknowledged.extend(&points),
                StatusCode::SERVICE_UNAVAILABLE => {}
                _ => panic!("seed {seed}: {answer:?}"),
            }
        }
    }

    /// A write that is under way while time passes and others fold.
    async fn log_slowly(&mut self) {
        let delay = Duration::from_millis(self.random.random_range(60..200));
        let operation = if self.random.random_bool(0.8) { "PutItem" } else { "UpdateItem" };
        self.injector.next(1, Fault::Slow(delay), operation, &self.run);
        let point = self.point();
        let call = tokio::spawn(self.call(vec![point]));
        tokio::time::sleep(delay / 3).await;
        let longest = [12_000, 24_000, 24_000, 100_000, 140_000][self.random.random_range(0..5)];
        let passed = self.random.random_range(longest / 3..longest);
        self.advance(passed);
        for _ in 0..self.random.random_range(1..4) {
            match self.random.random_range(0..3) {
                0 => self.finish().await,
                1 => self.read().await,
                _ => self.search().await,
            }
        }
        call.await.unwrap();
        if self.random.random_bool(0.5) {
            self.advance(65_000);
            self.finish().await;
        }
        self.read().await;
    }

    async fn finish(&mut self) {
        let body = json!({"run_id": self.run, "status": "FINISHED", "end_time": 1});
        let answer = self.hub().post("runs/update", body).await;
        assert!(matches!(answer.status.as_u16(), 200 | 503), "seed {}: {answer:?}", self.seed);
    }

    fn acknowledged(&self) -> BTreeSet<Point> {
        self.ledger.lock().unwrap().acknowledged.clone()
    }

    async fn read(&mut self) {
        let acknowledged = self.acknowledged();
        let run = self.run.clone();
        let answer = self.hub().get(&format!("runs/get?run_id={run}")).await;
        if answer.status == StatusCode::OK {
            self.check_latest("runs/get", &acknowledged, &answer.json()["run"]);
        } else {
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "seed {}: {answer:?}", self.seed);
        }
    }

    async fn search(&mut self) {
        let acknowledged = self.acknowledged();
        let body = json!({"experiment_ids": [self.experiment]});
        let answer = self.hub().post("runs/search", body).await;
        if answer.status == StatusCode::OK {
            self.check_latest("runs/search", &acknowledged, &answer.json()["runs"][0]);
        }
    }

    /// What is shown is the greatest acknowledged point of its key, or a greater one that was sent.
    fn check_latest(&self, call: &str, acknowledged: &BTreeSet<Point>, run: &Value) {
        let shown: BTreeMap<String, Point> = run["data"]["metrics"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|metric| (metric["key"].as_str().unwrap().to_owned(), point_of(metric)))
            .collect();
        let seed = self.seed;
        for (number, key) in KEYS.iter().enumerate() {
            let greatest = acknowledged.iter().filter(|point| point.0 == number).max();
            let shown = shown.get(*key);
            assert!(shown >= greatest, "seed {seed}: {call} shows {shown:?}, acknowledged was {greatest:?}");
            let sent = &self.ledger.lock().unwrap().sent;
            assert!(shown.is_none_or(|point| sent.contains(point)), "seed {seed}: {call} shows {shown:?}");
        }
    }

    async fn history(&mut self) {
        let acknowledged = self.acknowledged();
        for (number, key) in KEYS.iter().enumerate() {
            let path = format!("metrics/get-history?run_id={}&metric_key={key}", self.run);
            let answer = self.hub().get(&path).await;
            if answer.status == StatusCode::SERVICE_UNAVAILABLE {
                continue;
            }
            let answer = answer.ok();
            let list: Vec<Point> = answer["metrics"].as_array().into_iter().flatten().map(point_of).collect();
            let set: BTreeSet<Point> = list.iter().copied().collect();
            let seed = self.seed;
            assert_eq!(set.len(), list.len(), "seed {seed}: a point of {key} came twice");
            let lost: Vec<&Point> =
                acknowledged.iter().filter(|point| point.0 == number && !set.contains(point)).collect();
            assert!(lost.is_empty(), "seed {seed}: history lost {lost:?}");
            assert!(set.is_subset(&self.ledger.lock().unwrap().sent), "seed {seed}: history shows what nobody sent");
        }
    }

    /// When all is quiet the run closes, and its META alone shows what it showed before.
    async fn end(mut self) {
        while let Some(done) = self.pending.join_next().await {
            done.unwrap();
        }
        // What is still on its way to the table lands.
        tokio::time::sleep(Duration::from_millis(3_000)).await;
        self.injector.heal(&self.run);
        self.history().await;
        self.advance(200_000);
        self.read().await;
        let seen = self.hubs[0].run(&self.run).await;
        self.check_latest("the last runs/get", &self.acknowledged(), &seen);
        assert!(delete_segments(&self.hubs[0], &self.run).await > 0);
        for hub in &self.hubs {
            assert_eq!(hub.run(&self.run).await["data"]["metrics"], seen["data"]["metrics"], "seed {}", self.seed);
        }
    }
}

fn point_of(metric: &Value) -> Point {
    let key = KEYS.iter().position(|key| metric["key"] == *key).unwrap();
    let number = |name: &str| metric[name].as_f64().unwrap() as i64;
    (key, number("step"), number("timestamp"), number("value"))
}

async fn run_trial(seed: u64) {
    let mut trial = Trial::new(seed).await;
    for _ in 0..STEPS {
        trial.step().await;
    }
    trial.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn latest_metrics_are_exact_whatever_happens() {
    if let Ok(seed) = std::env::var("SEED") {
        return run_trial(seed.parse().unwrap()).await;
    }
    let begun = Instant::now();
    let mut trials = 0;
    while begun.elapsed() < ENOUGH {
        // Two at a time: a trial waits a lot.
        let seeds: [u64; 2] = rand::random();
        let pair = seeds.map(|seed| tokio::spawn(run_trial(seed)));
        for (trial, seed) in pair.into_iter().zip(seeds) {
            trial.await.unwrap_or_else(|error| panic!("SEED={seed} fails: {error}"));
            trials += 1;
        }
    }
    assert!(trials >= 2);
}
