//! A logged model (MLflow 3): a model with an id of its own, made by a run or not.

use std::collections::BTreeMap;

use super::{ExperimentId, Lifecycle, Metric, ProjectId};

/// Whether the files of a logged model are all there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LoggedModelStatus {
    Pending,
    Ready,
    UploadFailed,
}

impl LoggedModelStatus {
    /// All, in the order of their wire numbers 1 to 3.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Ready, Self::UploadFailed];

    /// The word used on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "LOGGED_MODEL_PENDING",
            Self::Ready => "LOGGED_MODEL_READY",
            Self::UploadFailed => "LOGGED_MODEL_UPLOAD_FAILED",
        }
    }

    /// The status that `as_str` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// The wire number.
    pub fn number(self) -> i64 {
        match self {
            Self::Pending => 1,
            Self::Ready => 2,
            Self::UploadFailed => 3,
        }
    }
}

/// A logged model as read, with its latest metrics folded in.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedModel {
    /// `m-` and 32 lower-case hex digits.
    pub id: String,
    pub experiment: ExperimentId,
    pub project: ProjectId,
    pub name: String,
    pub model_type: Option<String>,
    pub source_run_id: Option<String>,
    pub artifact_uri: String,
    pub status: LoggedModelStatus,
    /// ms since 1970.
    pub creation_time: i64,
    /// ms since 1970.
    pub last_update_time: i64,
    pub lifecycle: Lifecycle,
    pub params: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    /// Every point, in order of timestamp, step and value.
    pub metrics: Vec<Metric>,
}
