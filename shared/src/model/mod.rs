//! Ids and entities; no I/O.

mod artifact_path;
mod dataset;
mod experiment;
mod lifecycle;
mod logged_model;
mod metric;
pub mod names;
mod project;
mod registered_model;
mod run;
pub mod validation;
mod version_source;

pub use artifact_path::{ArtifactPath, Holder};
pub use dataset::{Dataset, DatasetInput, DatasetSummary, ModelInput, ModelOutput};
pub use experiment::{Experiment, ExperimentId};
pub use lifecycle::{Lifecycle, ViewType};
pub use logged_model::{LoggedModel, LoggedModelStatus};
pub use metric::{Metric, MetricContext, latest_of};
pub use project::{ProjectId, Visibility};
pub use registered_model::{ModelVersion, PROMPT_TAG, RegisteredModel, Stage, Stages, is_prompt};
pub use run::{Inputs, Run, RunStatus};
pub use version_source::{VersionSource, Which, contains};
