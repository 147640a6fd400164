//! An experiment: a named group of runs that belongs to one project.

use std::collections::BTreeMap;

use super::{Lifecycle, ProjectId};

/// Small decimal integers as in the stock server. 0 never exists in the store: it names a project's
/// own default experiment in that project's view.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ExperimentId(pub u64);

impl std::fmt::Display for ExperimentId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

/// An experiment as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    pub id: ExperimentId,
    /// The owner.
    pub project: ProjectId,
    /// Plain, without a project suffix; unique per project, deleted experiments included.
    pub name: String,
    /// `mlflow-artifacts:/<id>`, or what the client chose.
    pub artifact_location: String,
    pub lifecycle: Lifecycle,
    /// ms since 1970.
    pub creation_time: i64,
    /// ms since 1970; tags do not change it.
    pub last_update_time: i64,
    pub tags: BTreeMap<String, String>,
    /// Counts deletes and restores: a run's own lifecycle holds only while its `changes` is not older.
    pub changes: u64,
    /// Over how many index partitions its runs are spread.
    pub shards: u32,
    /// From when on (ms since 1970) writers use all `shards`; until then only the first.
    pub writer_shards_from: i64,
    /// Is it the project's default experiment, shown as `0` in the project's view?
    pub is_default: bool,
}
