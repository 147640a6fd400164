//! Inputs and outputs of runs: data sets and models (mlflow.md B.5).

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::context::Context;
use shared::extract::{Empty, Input, Integer, Json, Many, missing, required};
use shared::model::{Dataset, DatasetInput, Inputs, ModelInput, ModelOutput, validation};
use shared::{Error, Result};

use shared::wire::Pair;

use crate::runs_search::readable_experiments;

/// Most experiments of one `search-datasets`.
const MOST_EXPERIMENTS: usize = 20;
/// Most rows that it answers.
const MOST_SUMMARIES: usize = 1_000;

#[derive(Deserialize, JsonSchema)]
pub struct LogInputs {
    /// Id of the run.
    #[schemars(required)]
    run_id: Option<String>,
    /// Data sets.
    #[serde(default)]
    datasets: Many<DatasetInputIn>,
    /// Logged models.
    #[serde(default)]
    models: Many<ModelIn>,
}

#[derive(Deserialize, JsonSchema)]
struct DatasetInputIn {
    /// Tags.
    #[serde(default)]
    tags: Many<Pair>,
    /// The data set.
    #[schemars(required)]
    dataset: Option<DatasetIn>,
}

#[derive(Deserialize, JsonSchema)]
struct DatasetIn {
    /// Name.
    #[serde(default)]
    name: String,
    /// Digest of its content.
    #[serde(default)]
    digest: String,
    /// Kind of source.
    #[serde(default)]
    source_type: String,
    /// Where it is, as the client says.
    #[serde(default)]
    source: String,
    /// Its schema, as JSON.
    schema: Option<String>,
    /// Its statistics, as JSON.
    profile: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct ModelIn {
    /// Id of the logged model.
    #[serde(default)]
    model_id: String,
    /// Step at which it was made.
    #[serde(default)]
    step: Option<Integer>,
}

impl DatasetInputIn {
    fn check(self) -> Result<DatasetInput> {
        let dataset = self.dataset.ok_or_else(|| missing("dataset"))?;
        let fields = [
            ("name", &dataset.name),
            ("digest", &dataset.digest),
            ("source_type", &dataset.source_type),
            ("source", &dataset.source),
        ];
        for (name, text) in fields {
            required(name, Some(text))?;
        }
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        let dataset = Dataset {
            name: dataset.name,
            digest: dataset.digest,
            source_type: dataset.source_type,
            source: dataset.source,
            schema: filled(dataset.schema),
            profile: filled(dataset.profile),
        };
        validation::dataset(&dataset)?;
        let mut tags = Vec::new();
        for tag in self.tags.0 {
            required("key", Some(&tag.key))?;
            validation::input_tag(&tag.key, &tag.value)?;
            tags.push((tag.key, tag.value));
        }
        Ok(DatasetInput { tags, dataset })
    }
}

/// POST `runs/log-inputs`
pub async fn log_inputs(context: Context, Input(request): Input<LogInputs>) -> Result<Json<Empty>> {
    let id = required("run_id", request.run_id.as_ref())?;
    validation::run_id(id)?;
    let datasets = request.datasets.0.into_iter().map(DatasetInputIn::check).collect::<Result<Vec<_>>>()?;
    let (access, _) = context.run(id).await?;
    let mut models = Vec::new();
    for model in request.models.0 {
        context.logged_model_of(&model.model_id, &access).await?;
        models.push(ModelInput { model_id: model.model_id });
    }
    context.store().log_edges(&access, id, Inputs { datasets, models, outputs: Vec::new() }).await?;
    Ok(Json(Empty {}))
}

#[derive(Deserialize, JsonSchema)]
pub struct LogOutputs {
    /// Id of the run.
    #[schemars(required)]
    run_id: Option<String>,
    /// Logged models.
    #[schemars(required)]
    models: Option<Many<ModelIn>>,
}

/// POST `runs/outputs`
pub async fn log_outputs(context: Context, Input(request): Input<LogOutputs>) -> Result<Json<Empty>> {
    let id = required("run_id", request.run_id.as_ref())?;
    let models = request.models.ok_or_else(|| missing("models"))?.0;
    let (access, _) = context.run(id).await?;
    let mut outputs = Vec::new();
    for model in models {
        required("model_id", Some(&model.model_id))?;
        context.logged_model_of(&model.model_id, &access).await?;
        outputs.push(ModelOutput { model_id: model.model_id, step: model.step.unwrap_or_default().0 });
    }
    context.store().log_edges(&access, id, Inputs { outputs, ..Inputs::default() }).await?;
    Ok(Json(Empty {}))
}

#[derive(Deserialize, JsonSchema)]
pub struct SearchDatasets {
    /// Ids of experiments; those that do not exist, or that the caller may not see, are passed over.
    #[serde(default)]
    #[schemars(required, length(min = 1))]
    experiment_ids: Many<String>,
}

#[derive(JsonSchema, Serialize)]
pub struct FoundDatasets {
    /// Data sets and how they were used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dataset_summaries: Vec<SummaryOut>,
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "DatasetSummary")]
struct SummaryOut {
    /// Id of the experiment; `0` is a project's own in its view.
    experiment_id: String,
    /// Name.
    name: String,
    /// Digest of its content.
    digest: String,
    /// How it was used: the tag `mlflow.data.context`.
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<String>,
}

/// POST `experiments/search-datasets`: data sets used in experiments, with the contexts of their use
pub async fn search_datasets(context: Context, Input(request): Input<SearchDatasets>) -> Result<Json<FoundDatasets>> {
    let ids: BTreeSet<String> = request.experiment_ids.0.into_iter().collect();
    if ids.is_empty() {
        return Err(Error::invalid("SearchDatasets request must specify at least one experiment_id."));
    }
    if ids.len() > MOST_EXPERIMENTS {
        return Err(Error::invalid(format!(
            "SearchDatasets request cannot specify more than {MOST_EXPERIMENTS} experiment_ids. Received {} \
             experiment_ids.",
            ids.len()
        )));
    }
    let ids: Vec<String> = ids.into_iter().collect();
    let mut dataset_summaries = Vec::new();
    for (access, experiment) in readable_experiments(&context, &ids).await? {
        for summary in context.store().list_datasets(&access, &experiment).await? {
            dataset_summaries.push(SummaryOut {
                experiment_id: context.shown_id(&experiment).to_string(),
                name: summary.name,
                digest: summary.digest,
                context: summary.context,
            });
        }
    }
    dataset_summaries.truncate(MOST_SUMMARIES);
    Ok(Json(FoundDatasets { dataset_summaries }))
}
