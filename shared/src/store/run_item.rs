//! Run META item <-> `StoredRun`.

use std::collections::BTreeMap;

use super::item::{Attributes, Item, key, number, string, string_map};
use super::keys;
use crate::error::{Error, Result};
use crate::model::{Experiment, ExperimentId, Inputs, Lifecycle, Metric, ProjectId, Run, RunStatus};

/// A run's META as it lies in the table: without overflow pages, unfolded segments and inputs.
#[derive(Clone, Debug)]
pub struct StoredRun {
    pub(crate) id: String,
    pub(crate) experiment: ExperimentId,
    pub(crate) project: ProjectId,
    pub(crate) shard: u32,
    pub(crate) name: String,
    pub(crate) user_id: String,
    pub(crate) status: RunStatus,
    pub(crate) start_time: Option<i64>,
    pub(crate) end_time: Option<i64>,
    /// Its own stage, which holds only while `changes` is not older than the experiment's.
    pub(crate) lifecycle: Lifecycle,
    pub(crate) changes: u64,
    /// Counts the writes of params, tags and plain attributes.
    pub(crate) revision: u64,
    pub(crate) artifact_uri: String,
    pub(crate) params: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) metrics: FoldState,
    /// Has it inputs or outputs?
    pub(crate) has_edges: bool,
    /// Have params or tags moved to overflow pages?
    pub(crate) overflow: bool,
}

/// What META knows of the metrics of a run or logged model (data.md section 3).
#[derive(Clone, Debug, Default)]
pub(crate) struct FoldState {
    /// Packed latest metrics at the watermark.
    pub(crate) latest: Vec<u8>,
    /// Where the latest metrics lie when they outgrew META: version and number of parts.
    pub(crate) latest_overflow: Option<(String, usize)>,
    /// ms; segments older than this minus 60 s are in `latest`.
    pub(crate) watermark: Option<i64>,
    /// ms; segments may be acknowledged until then.
    pub(crate) open_until: Option<i64>,
}

impl FoldState {
    pub(crate) fn read(item: &Item) -> Self {
        let latest_overflow = item.find_str("lat_ov").and_then(|text| {
            let (version, parts) = text.split_once(':')?;
            Some((version.to_owned(), parts.parse().ok()?))
        });
        Self {
            latest: item.bytes("lat").map(<[u8]>::to_vec).unwrap_or_default(),
            latest_overflow,
            watermark: item.find_number("wm"),
            open_until: item.find_number("open_until"),
        }
    }

    /// Is META complete by itself?
    pub(crate) fn is_closed(&self) -> bool {
        match (self.open_until, self.watermark) {
            (None, _) => true,
            (Some(open_until), Some(watermark)) => watermark >= open_until,
            (Some(_), None) => false,
        }
    }
}

impl StoredRun {
    /// The stage that counts: its own, unless its experiment was deleted or restored later.
    pub(crate) fn effective_lifecycle(&self, experiment: &Experiment) -> Lifecycle {
        if self.changes >= experiment.changes { self.lifecycle } else { experiment.lifecycle }
    }

    pub(crate) fn read(item: &Item) -> Result<Self> {
        let pk = item.text("PK")?;
        let status = item.text("status")?;
        let lifecycle = item.text("lifecycle")?;
        Ok(Self {
            // Ids of existing runs are our own hex digits: never escaped or shortened.
            id: keys::id_in(&pk).to_owned(),
            experiment: ExperimentId(item.number("experiment")?),
            project: ProjectId(item.number("project")?),
            shard: item.number("shard")?,
            name: item.text("name")?,
            user_id: item.find_str("user").unwrap_or_default().to_owned(),
            status: RunStatus::parse(&status).ok_or_else(|| Error::internal("a run has an unknown status"))?,
            start_time: item.find_number("start"),
            end_time: item.find_number("end"),
            lifecycle: Lifecycle::parse(&lifecycle).ok_or_else(|| Error::internal("a run has an unknown stage"))?,
            changes: item.number("xn")?,
            revision: item.number("rev")?,
            artifact_uri: item.text("uri")?,
            params: item.strings("params"),
            tags: item.strings("tags"),
            metrics: FoldState::read(item),
            has_edges: item.contains_key("edges"),
            overflow: item.contains_key("ov"),
        })
    }

    /// The item of a run that has just begun.
    pub(crate) fn write(&self) -> Item {
        let mut item = key(keys::run(&self.id), keys::META);
        let mut set = |name: &str, value| {
            item.insert(name.to_owned(), value);
        };
        set("GSI1PK", string(keys::runs_of(self.experiment, self.lifecycle, self.shard)));
        set("GSI1SK", string(keys::run_order(self.start_time, &self.id)));
        set("experiment", number(self.experiment));
        set("project", number(self.project));
        set("shard", number(self.shard));
        set("name", string(&self.name));
        set("status", string(self.status.as_str()));
        set("lifecycle", string(self.lifecycle.as_str()));
        set("xn", number(self.changes));
        set("rev", number(self.revision));
        set("uri", string(&self.artifact_uri));
        set("params", string_map(&self.params));
        set("tags", string_map(&self.tags));
        if !self.user_id.is_empty() {
            set("user", string(&self.user_id));
        }
        if let Some(start_time) = self.start_time {
            set("start", number(start_time));
        }
        if let Some(end_time) = self.end_time {
            set("end", number(end_time));
        }
        item
    }

    /// The run as clients see it.
    pub(crate) fn into_run(self, lifecycle: Lifecycle, metrics: BTreeMap<String, Metric>, inputs: Inputs) -> Run {
        Run {
            id: self.id,
            experiment: self.experiment,
            project: self.project,
            name: self.name,
            user_id: self.user_id,
            status: self.status,
            start_time: self.start_time,
            end_time: self.end_time,
            lifecycle,
            artifact_uri: self.artifact_uri,
            params: self.params,
            tags: self.tags,
            metrics,
            inputs,
        }
    }
}
