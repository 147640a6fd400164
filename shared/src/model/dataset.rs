//! Data sets and models as inputs and outputs of runs.

use serde::{Deserialize, Serialize};

/// A data set, unique per experiment by name and digest; the first write wins.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Dataset {
    pub name: String,
    pub digest: String,
    pub source_type: String,
    pub source: String,
    pub schema: Option<String>,
    pub profile: Option<String>,
}

/// The edge from a run to a data set it used.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct DatasetInput {
    /// Key and value, in the order sent.
    pub tags: Vec<(String, String)>,
    pub dataset: Dataset,
}

/// A row of `experiments/search-datasets`.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct DatasetSummary {
    pub name: String,
    pub digest: String,
    /// Value of the input tag `mlflow.data.context`.
    pub context: Option<String>,
}

/// A logged model that a run used.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ModelInput {
    pub model_id: String,
}

/// A logged model that a run made.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ModelOutput {
    pub model_id: String,
    pub step: i64,
}
