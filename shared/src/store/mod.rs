//! `Store`: everything that lies in DynamoDB, one file per entity.
//! Methods that change or show a project's data take `&Access`, the proof that the caller may.

mod attributes;
mod catalog;
mod experiments;
mod fold;
mod inputs;
mod item;
pub(crate) mod keys;
mod layout;
mod logged_models;
mod metrics;
mod model_versions;
mod projects;
mod registered_models;
mod registry_items;
mod registry_search;
mod request;
mod run_item;
mod runs;
mod runs_search;
mod sealed;
mod segment;
mod skew;
mod table;
mod texts;
mod throttles;
pub(crate) mod tokens;

use std::collections::BTreeMap;
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::clock::Clock;
use crate::model::{Experiment, ExperimentId, ProjectId, RegisteredModel};
use crate::objects::Objects;

pub use attributes::TagChange;
pub use catalog::{CatalogChange, CatalogDocument};
pub use experiments::DEFAULT_EXPERIMENT;
pub use logged_models::{NewLoggedModel, no_logged_model};
pub use model_versions::{NewModelVersion, no_version};
pub use registered_models::{NewRegisteredModel, no_registered_model};
pub use registry_search::RegistryRows;
pub use request::{Usage, UsageTotals};
pub use run_item::StoredRun;
pub use runs::{NewRun, RUN_NAME_TAG, RunOwner, RunUpdate, no_run};
pub use runs_search::{RunPosition, RunRows};
pub use sealed::Sealed;

/// How long a warm instance may act on an experiment's or run's lifecycle, ms (data.md section 2).
const LIFECYCLE_CACHE_MS: i64 = 30_000;

/// The one DynamoDB table. Clones share caches and counters.
#[derive(Clone)]
pub struct Store {
    pub(crate) client: aws_sdk_dynamodb::Client,
    pub(crate) table: String,
    pub(crate) clock: Clock,
    objects: Option<Objects>,
    usage: Arc<Usage>,
    skew: skew::Skew,
    caches: Arc<Caches>,
}

/// What a warm instance remembers.
struct Caches {
    /// Each as it was when it was read, ms.
    experiments: Cache<ExperimentId, (Arc<Experiment>, i64), ByTags>,
    /// What a run belongs to never changes.
    runs: Cache<String, RunOwner>,
    /// Registered models as last seen: tells which versions to read with a model, and is never trusted for more.
    registered_models: Cache<(ProjectId, String), Arc<RegisteredModel>, ByTags>,
    /// Since when (ms) and how many runs this instance began in an experiment.
    new_runs: Cache<ExperimentId, (i64, u32)>,
    /// Until when (ms) the metrics of a run or logged model are announced as open, by partition key,
    /// and how often its experiment had been deleted or restored by then.
    open_until: Cache<String, (i64, u64)>,
}

/// Bytes that each cache of things with tags may hold.
const TAGGED_BYTES: u64 = 16 * 1024 * 1024;

/// Weighs what is cached by its tags, bytes: they may be large.
#[derive(Clone)]
struct ByTags;

impl Weighter<ExperimentId, (Arc<Experiment>, i64)> for ByTags {
    fn weight(&self, _: &ExperimentId, (experiment, _): &(Arc<Experiment>, i64)) -> u64 {
        weight(&experiment.tags)
    }
}

impl Weighter<(ProjectId, String), Arc<RegisteredModel>> for ByTags {
    fn weight(&self, _: &(ProjectId, String), model: &Arc<RegisteredModel>) -> u64 {
        weight(&model.tags)
    }
}

fn weight(tags: &BTreeMap<String, String>) -> u64 {
    1_024 + tags.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum::<u64>()
}

impl Default for Caches {
    fn default() -> Self {
        Self {
            experiments: Cache::with_weighter(1_000, TAGGED_BYTES, ByTags),
            runs: Cache::new(10_000),
            registered_models: Cache::with_weighter(1_000, TAGGED_BYTES, ByTags),
            new_runs: Cache::new(10_000),
            open_until: Cache::new(10_000),
        }
    }
}

impl Store {
    /// A store on an existing table; `Store::create_table` makes one.
    pub fn new(client: aws_sdk_dynamodb::Client, table: String, clock: Clock) -> Self {
        let skew = skew::Skew::new(clock.clone());
        let config = client.config().to_builder().interceptor(skew.clone()).interceptor(throttles::Throttles);
        let client = aws_sdk_dynamodb::Client::from_conf(config.build());
        Self { client, table, clock, objects: None, usage: Arc::default(), skew, caches: Arc::default() }
    }

    /// The same store with a place for texts that are too large for the table.
    #[must_use]
    pub fn with_objects(self, objects: Objects) -> Self {
        Self { objects: Some(objects), ..self }
    }

    /// DynamoDB requests and capacity units used so far by this store and its clones.
    pub fn usage(&self) -> UsageTotals {
        self.usage.totals()
    }

    /// The time source, shared with everything that must agree with the store.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    fn is_fresh(&self, read_at: i64) -> bool {
        (0..LIFECYCLE_CACHE_MS).contains(&(self.clock.now_ms() - read_at))
    }
}
