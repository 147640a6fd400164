//! A run: one execution whose params, metrics and tags are logged.

use std::collections::BTreeMap;

use super::{DatasetInput, ExperimentId, Lifecycle, Metric, ModelInput, ModelOutput, ProjectId};

/// How far a run has come.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum RunStatus {
    Running,
    Scheduled,
    Finished,
    Failed,
    Killed,
}

impl RunStatus {
    /// All, in the order of their wire numbers 1 to 5.
    pub const ALL: [Self; 5] = [Self::Running, Self::Scheduled, Self::Finished, Self::Failed, Self::Killed];

    /// The word used on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Scheduled => "SCHEDULED",
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Killed => "KILLED",
        }
    }

    /// The status that `as_str` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Has the run ended?
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Killed)
    }
}

/// What a run used and made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inputs {
    pub datasets: Vec<DatasetInput>,
    pub models: Vec<ModelInput>,
    pub outputs: Vec<ModelOutput>,
}

/// A run as read: complete, with its latest metrics folded in.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// 32 lower-case hex digits.
    pub id: String,
    pub experiment: ExperimentId,
    pub project: ProjectId,
    pub name: String,
    /// As sent by the client, `""` if it sent none.
    pub user_id: String,
    pub status: RunStatus,
    /// ms since 1970, as sent; `None` if the client sent none.
    pub start_time: Option<i64>,
    pub end_time: Option<i64>,
    /// The effective stage, its experiment's included.
    pub lifecycle: Lifecycle,
    /// With the real experiment id, also in project views.
    pub artifact_uri: String,
    pub params: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    /// Latest point of each metric.
    pub metrics: BTreeMap<String, Metric>,
    pub inputs: Inputs,
}
