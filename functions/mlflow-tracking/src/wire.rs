//! MLflow's JSON forms of entities (mlflow.md 0 and B): int64 as numbers, empty lists left out,
//! NaN as a string, infinities as the largest doubles.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use shared::answer::{ANSWER_BYTES, json_bytes};
use shared::context::{Context, PROJECT_TAG};
use shared::extract::Double;
use shared::model::{Experiment, Inputs, Metric, Run, RunStatus, ViewType};
use shared::wire::Pair;

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Experiment")]
pub struct ExperimentOut {
    /// Id of the experiment; `0` is a project's own in its view.
    pub experiment_id: String,
    /// Name, in the global view with ` (<project id>)` behind it.
    pub name: String,
    /// Where artifacts lie.
    pub artifact_location: String,
    /// Deleted things can be restored.
    #[schemars(extend("enum" = ["active", "deleted"]))]
    pub lifecycle_stage: &'static str,
    /// Milliseconds since 1970.
    pub last_update_time: i64,
    /// Milliseconds since 1970.
    pub creation_time: i64,
    /// Tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Pair>,
    /// Always `default`.
    pub workspace: &'static str,
}

impl ExperimentOut {
    /// As the request's view shows it. The global view adds the owner as a tag `project`.
    pub fn new(context: &Context, experiment: &Experiment, project_path: &str) -> Self {
        let mut tags = Pair::list(&experiment.tags);
        if context.view == shared::context::View::Global {
            tags.retain(|tag| tag.key != PROJECT_TAG);
            tags.push(Pair { key: PROJECT_TAG.to_owned(), value: project_path.to_owned() });
        }
        Self {
            experiment_id: context.shown_id(experiment).to_string(),
            name: context.shown_name(experiment),
            artifact_location: context.shown_uri(experiment, &experiment.artifact_location),
            lifecycle_stage: experiment.lifecycle.as_str(),
            last_update_time: experiment.last_update_time,
            creation_time: experiment.creation_time,
            tags,
            workspace: "default",
        }
    }
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "RunInfo")]
pub struct RunInfoOut {
    /// The same as `run_id`.
    pub run_uuid: String,
    /// Id of the experiment; `0` is a project's own in its view.
    pub experiment_id: String,
    /// Name.
    pub run_name: String,
    /// Who ran it, as the client says.
    pub user_id: String,
    /// State.
    #[schemars(extend("enum" = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]))]
    pub status: &'static str,
    /// Milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<i64>,
    /// Milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<i64>,
    /// Where artifacts lie.
    pub artifact_uri: String,
    /// Deleted things can be restored.
    #[schemars(extend("enum" = ["active", "deleted"]))]
    pub lifecycle_stage: &'static str,
    /// Id of the run.
    pub run_id: String,
}

impl RunInfoOut {
    pub fn new(context: &Context, experiment: &Experiment, run: &Run) -> Self {
        Self {
            run_uuid: run.id.clone(),
            experiment_id: context.shown_id(experiment).to_string(),
            run_name: run.name.clone(),
            user_id: run.user_id.clone(),
            status: run.status.as_str(),
            start_time: run.start_time,
            end_time: run.end_time,
            artifact_uri: context.shown_uri(experiment, &run.artifact_uri),
            lifecycle_stage: run.lifecycle.as_str(),
            run_id: run.id.clone(),
        }
    }
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "RunData")]
pub struct RunDataOut {
    /// Metrics.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricOut>,
    /// Params.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Pair>,
    /// Tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Pair>,
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Run")]
pub struct RunOut {
    /// What it is.
    pub info: RunInfoOut,
    /// What was logged.
    pub data: RunDataOut,
    /// What it read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<RunInputsOut>,
    /// What it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<RunOutputsOut>,
}

impl RunOut {
    /// As the request's view shows it. If it does not fit into an answer, data sets are shown without schema and profile.
    pub fn new(context: &Context, experiment: &Experiment, run: &Run) -> Self {
        let mut shown = Self {
            info: RunInfoOut::new(context, experiment, run),
            data: RunDataOut {
                metrics: run.metrics.values().map(MetricOut::new).collect(),
                params: Pair::list(&run.params),
                tags: Pair::list(&run.tags),
            },
            inputs: Some(RunInputsOut::new(&run.inputs)),
            outputs: Some(RunOutputsOut::new(&run.inputs)),
        };
        if !run.inputs.datasets.is_empty() && json_bytes(&shown) > ANSWER_BYTES {
            for input in shown.inputs.iter_mut().flat_map(|inputs| &mut inputs.dataset_inputs) {
                input.dataset.schema = None;
                input.dataset.profile = None;
            }
        }
        shown
    }
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "RunInputs")]
pub struct RunInputsOut {
    /// Data sets that the run read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dataset_inputs: Vec<DatasetInputOut>,
    /// Logged models that the run read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_inputs: Vec<ModelInputOut>,
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "DatasetInput")]
struct DatasetInputOut {
    /// Tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Pair>,
    /// The data set.
    dataset: DatasetOut,
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Dataset")]
struct DatasetOut {
    /// Name.
    name: String,
    /// Digest of its content.
    digest: String,
    /// Kind of source.
    source_type: String,
    /// Where it is, as the client says.
    source: String,
    /// Its schema, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<String>,
    /// Its statistics, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "ModelInput")]
struct ModelInputOut {
    /// Id of the logged model.
    model_id: String,
}

impl RunInputsOut {
    fn new(inputs: &Inputs) -> Self {
        let dataset_inputs = inputs.datasets.iter().map(|input| {
            let dataset = &input.dataset;
            DatasetInputOut {
                tags: Pair::list(input.tags.iter().map(|(key, value)| (key, value))),
                dataset: DatasetOut {
                    name: dataset.name.clone(),
                    digest: dataset.digest.clone(),
                    source_type: dataset.source_type.clone(),
                    source: dataset.source.clone(),
                    schema: dataset.schema.clone(),
                    profile: dataset.profile.clone(),
                },
            }
        });
        let model_inputs = inputs.models.iter().map(|model| ModelInputOut { model_id: model.model_id.clone() });
        Self { dataset_inputs: dataset_inputs.collect(), model_inputs: model_inputs.collect() }
    }
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "RunOutputs")]
pub struct RunOutputsOut {
    /// Logged models that the run made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_outputs: Vec<ModelOutputOut>,
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "ModelOutput")]
struct ModelOutputOut {
    /// Id of the logged model.
    model_id: String,
    /// Step at which it was made.
    step: i64,
}

impl RunOutputsOut {
    fn new(inputs: &Inputs) -> Self {
        let model_outputs =
            inputs.outputs.iter().map(|output| ModelOutputOut { model_id: output.model_id.clone(), step: output.step });
        Self { model_outputs: model_outputs.collect() }
    }
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Metric")]
pub struct MetricOut {
    /// Key.
    pub key: String,
    /// Value.
    #[serde(serialize_with = "double")]
    #[schemars(with = "Double")]
    pub value: f64,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// Step of the training.
    pub step: i64,
    /// The logged model that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// Name of the data set that the metric was measured on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset_name: Option<String>,
    /// Its digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset_digest: Option<String>,
    /// The run that logged it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
}

impl MetricOut {
    /// A point of a run: key, value, timestamp, step.
    pub fn new(metric: &Metric) -> Self {
        Self {
            key: metric.key.clone(),
            value: metric.value,
            timestamp: metric.timestamp,
            step: metric.step,
            model_id: None,
            dataset_name: None,
            dataset_digest: None,
            run_id: None,
        }
    }

    /// A point in a list over several runs.
    pub fn of_run(metric: &Metric, run_id: &str) -> Self {
        Self { run_id: Some(run_id.to_owned()), ..Self::new(metric) }
    }

    /// A point of a logged model, with what it says about data sets.
    pub fn of_model(metric: &Metric) -> Self {
        Self {
            model_id: metric.context.model_id.clone(),
            dataset_name: metric.context.dataset_name.clone(),
            dataset_digest: metric.context.dataset_digest.clone(),
            run_id: metric.context.run_id.clone(),
            ..Self::new(metric)
        }
    }
}

fn double<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_nan() {
        serializer.serialize_str("NaN")
    } else {
        serializer.serialize_f64(value.clamp(f64::MIN, f64::MAX))
    }
}

/// A run status by name or wire number.
#[derive(Clone, Copy, Debug, JsonSchema)]
#[schemars(inline)]
pub struct RunStatusIn(
    #[schemars(with = "String", extend("enum" = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]))]
    pub  RunStatus,
);

impl<'de> Deserialize<'de> for RunStatusIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let status = match word_or_number(deserializer)? {
            Word::Text(text) => RunStatus::parse(&text),
            Word::Number(number) => {
                (1..).zip(RunStatus::ALL).find(|(known, _)| *known == number).map(|(_, status)| status)
            }
        };
        status.map(Self).ok_or_else(|| de::Error::custom("not a run status"))
    }
}

/// A view type by name or wire number; `null` and `""` stand for an absent one.
#[derive(Clone, Copy, Debug, Default, JsonSchema)]
#[schemars(inline)]
pub struct ViewTypeIn(
    #[schemars(with = "String", extend("enum" = ["ACTIVE_ONLY", "DELETED_ONLY", "ALL"]))] pub ViewType,
);

impl<'de> Deserialize<'de> for ViewTypeIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match word_or_number(deserializer)? {
            Word::Text(text) if text.is_empty() => Ok(Self::default()),
            Word::Text(text) if text == "ACTIVE_ONLY" => Ok(Self(ViewType::ActiveOnly)),
            Word::Text(text) if text == "DELETED_ONLY" => Ok(Self(ViewType::DeletedOnly)),
            Word::Text(text) if text == "ALL" => Ok(Self(ViewType::All)),
            Word::Number(1) => Ok(Self(ViewType::ActiveOnly)),
            Word::Number(2) => Ok(Self(ViewType::DeletedOnly)),
            Word::Number(3) => Ok(Self(ViewType::All)),
            _ => Err(de::Error::custom("not a view type")),
        }
    }
}

/// An enum value as protobuf's JSON has it; numbers also as text, in queries; `null` as an empty text.
pub enum Word {
    Text(String),
    Number(i64),
}

/// Reads a [`Word`].
pub fn word_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(Word::Text(String::new())),
        Value::String(text) => Ok(text.parse().map_or(Word::Text(text), Word::Number)),
        Value::Number(number) => number.as_i64().map(Word::Number).ok_or_else(|| de::Error::custom("not an integer")),
        _ => Err(de::Error::custom("neither a word nor a number")),
    }
}
