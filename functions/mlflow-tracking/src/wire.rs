//! MLflow's JSON forms of entities (mlflow.md 0 and B): int64 as numbers, empty lists left out,
//! NaN as a string, infinities as the largest doubles.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use shared::context::{Context, PROJECT_TAG};
use shared::model::{Experiment, Inputs, Metric, Run, RunStatus, ViewType};
use shared::wire::Pair;

#[derive(Serialize)]
pub struct ExperimentOut {
    pub experiment_id: String,
    pub name: String,
    pub artifact_location: String,
    pub lifecycle_stage: &'static str,
    pub last_update_time: i64,
    pub creation_time: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Pair>,
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

#[derive(Serialize)]
pub struct RunInfoOut {
    pub run_uuid: String,
    pub experiment_id: String,
    pub run_name: String,
    pub user_id: String,
    pub status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<i64>,
    pub artifact_uri: String,
    pub lifecycle_stage: &'static str,
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

#[derive(Serialize)]
pub struct RunDataOut {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricOut>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Pair>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Pair>,
}

#[derive(Serialize)]
pub struct RunOut {
    pub info: RunInfoOut,
    pub data: RunDataOut,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<RunInputsOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<RunOutputsOut>,
}

impl RunOut {
    pub fn new(context: &Context, experiment: &Experiment, run: &Run) -> Self {
        Self {
            info: RunInfoOut::new(context, experiment, run),
            data: RunDataOut {
                metrics: run.metrics.values().map(MetricOut::new).collect(),
                params: Pair::list(&run.params),
                tags: Pair::list(&run.tags),
            },
            inputs: Some(RunInputsOut::new(&run.inputs)),
            outputs: Some(RunOutputsOut::new(&run.inputs)),
        }
    }
}

#[derive(Serialize)]
pub struct RunInputsOut {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dataset_inputs: Vec<DatasetInputOut>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_inputs: Vec<ModelInputOut>,
}

#[derive(Serialize)]
struct DatasetInputOut {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Pair>,
    dataset: DatasetOut,
}

#[derive(Serialize)]
struct DatasetOut {
    name: String,
    digest: String,
    source_type: String,
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
}

#[derive(Serialize)]
struct ModelInputOut {
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

#[derive(Serialize)]
pub struct RunOutputsOut {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_outputs: Vec<ModelOutputOut>,
}

#[derive(Serialize)]
struct ModelOutputOut {
    model_id: String,
    step: i64,
}

impl RunOutputsOut {
    fn new(inputs: &Inputs) -> Self {
        let model_outputs =
            inputs.outputs.iter().map(|output| ModelOutputOut { model_id: output.model_id.clone(), step: output.step });
        Self { model_outputs: model_outputs.collect() }
    }
}

#[derive(Serialize)]
pub struct MetricOut {
    pub key: String,
    #[serde(serialize_with = "double")]
    pub value: f64,
    pub timestamp: i64,
    pub step: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset_digest: Option<String>,
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
#[derive(Clone, Copy, Debug)]
pub struct RunStatusIn(pub RunStatus);

impl<'de> Deserialize<'de> for RunStatusIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let status = match word_or_number(deserializer)? {
            Word::Text(text) => RunStatus::parse(&text),
            Word::Number(number) => {
                usize::try_from(number - 1).ok().and_then(|index| RunStatus::ALL.get(index).copied())
            }
        };
        status.map(Self).ok_or_else(|| de::Error::custom("not a run status"))
    }
}

/// A view type by name or wire number.
#[derive(Clone, Copy, Debug, Default)]
pub struct ViewTypeIn(pub ViewType);

impl<'de> Deserialize<'de> for ViewTypeIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match word_or_number(deserializer)? {
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

/// An enum value as protobuf's JSON has it; numbers also as text, in queries.
pub enum Word {
    Text(String),
    Number(i64),
}

/// Reads a [`Word`].
pub fn word_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text.parse().map_or(Word::Text(text), Word::Number)),
        Value::Number(number) => number.as_i64().map(Word::Number).ok_or_else(|| de::Error::custom("not an integer")),
        _ => Err(de::Error::custom("neither a word nor a number")),
    }
}
