//! What runs log (mlflow.md B.5): metrics, params, tags, old-style models.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use shared::auth::Access;
use shared::context::Context;
use shared::extract::{Double, Empty, Input, Integer, Json, Many, missing, required};
use shared::model::{Metric, MetricContext, validation};
use shared::store::TagChange;
use shared::{Error, Result};

use crate::runs::run_id_of;
use shared::wire::Pair;

/// The tag that lists models logged by 2.x clients.
const LOGGED_MODELS_TAG: &str = "mlflow.log-model.history";

#[derive(Deserialize, JsonSchema)]
pub struct MetricIn {
    /// Key.
    #[schemars(required)]
    key: Option<String>,
    /// Value.
    #[schemars(required)]
    value: Option<Double>,
    /// Milliseconds since 1970.
    #[schemars(required)]
    timestamp: Option<Integer>,
    /// Step of the training.
    #[serde(default)]
    step: Option<Integer>,
    /// The logged model that it is about.
    model_id: Option<String>,
    /// Name of the data set that the metric was measured on.
    dataset_name: Option<String>,
    /// Its digest.
    dataset_digest: Option<String>,
}

impl MetricIn {
    /// `path` is where in the request the point stands: empty, or `metrics[3]`.
    fn check(self, path: &str) -> Result<Metric> {
        let key = self.key.filter(|key| !key.is_empty()).ok_or_else(|| missing(&at(path, "key")))?;
        let value = self.value.ok_or_else(|| missing(&at(path, "value")))?.0;
        let timestamp = self.timestamp.ok_or_else(|| missing(&at(path, "timestamp")))?.0;
        validation::metric(path, &key, value, timestamp)?;
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        let context = MetricContext {
            model_id: filled(self.model_id),
            dataset_name: filled(self.dataset_name),
            dataset_digest: filled(self.dataset_digest),
            run_id: None,
        };
        Ok(Metric { key, value, timestamp, step: self.step.unwrap_or_default().0, context })
    }
}

/// The name of a field at a place in the request.
fn at(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

#[derive(Deserialize, JsonSchema)]
pub struct LogMetric {
    /// Id of the run.
    run_id: Option<String>,
    /// The old name of `run_id`.
    run_uuid: Option<String>,
    /// Key.
    #[schemars(required)]
    key: Option<String>,
    /// Value.
    #[schemars(required)]
    value: Option<Double>,
    /// Milliseconds since 1970.
    #[schemars(required)]
    timestamp: Option<Integer>,
    /// Step of the training.
    step: Option<Integer>,
    /// The logged model that it is about.
    model_id: Option<String>,
    /// Name of the data set that the metric was measured on.
    dataset_name: Option<String>,
    /// Its digest.
    dataset_digest: Option<String>,
}

/// POST `runs/log-metric`
pub async fn log_metric(context: Context, Input(request): Input<LogMetric>) -> Result<Json<Empty>> {
    let id = run_id_of(&request.run_id, &request.run_uuid)?;
    let metric = MetricIn {
        key: request.key,
        value: request.value,
        timestamp: request.timestamp,
        step: request.step,
        model_id: request.model_id,
        dataset_name: request.dataset_name,
        dataset_digest: request.dataset_digest,
    };
    let metric = metric.check("")?;
    let (access, _) = context.run(id).await?;
    let metrics = vec![metric];
    let models = models_of(&context, &access, &metrics).await?;
    log_points(&context, &access, id, metrics, &models).await?;
    Ok(Json(Empty {}))
}

/// The logged models that points are about. One of another project counts as missing: no point enters it.
async fn models_of(context: &Context, access: &Access, points: &[Metric]) -> Result<BTreeSet<String>> {
    let model_ids: BTreeSet<String> = points.iter().filter_map(|point| point.context.model_id.clone()).collect();
    for model_id in &model_ids {
        context.logged_model_of(model_id, access).await?;
    }
    Ok(model_ids)
}

/// Points go to the run, and those about a logged model to that model too.
async fn log_points(
    context: &Context,
    access: &Access,
    run_id: &str,
    points: Vec<Metric>,
    model_ids: &BTreeSet<String>,
) -> Result<()> {
    context.store().log_metrics(access, run_id, &points).await?;
    for model_id in model_ids {
        let of_model: Vec<Metric> = points
            .iter()
            .filter(|point| point.context.model_id.as_ref() == Some(model_id))
            .map(|point| Metric {
                context: MetricContext { run_id: Some(run_id.to_owned()), ..point.context.clone() },
                ..point.clone()
            })
            .collect();
        context.store().log_logged_model_metrics(access, model_id, &of_model).await?;
    }
    Ok(())
}

#[derive(Deserialize, JsonSchema)]
pub struct LogParameter {
    /// Id of the run.
    run_id: Option<String>,
    /// The old name of `run_id`.
    run_uuid: Option<String>,
    /// Key.
    #[schemars(required)]
    key: Option<String>,
    /// Value.
    value: Option<String>,
}

/// POST `runs/log-parameter`: write-once
pub async fn log_parameter(context: Context, Input(request): Input<LogParameter>) -> Result<Json<Empty>> {
    let id = run_id_of(&request.run_id, &request.run_uuid)?;
    let key = required("key", request.key.as_ref())?;
    let value = validation::param("", key, request.value.unwrap_or_default())?;
    let (access, _) = context.run(id).await?;
    let params = BTreeMap::from([(key.to_owned(), value)]);
    context.store().log_params_and_tags(&access, id, params, BTreeMap::new()).await?;
    Ok(Json(Empty {}))
}

#[derive(Deserialize, JsonSchema)]
pub struct RunTag {
    /// Id of the run.
    run_id: Option<String>,
    /// The old name of `run_id`.
    run_uuid: Option<String>,
    /// Key.
    #[schemars(required)]
    key: Option<String>,
    /// Value.
    value: Option<String>,
}

/// POST `runs/set-tag`
pub async fn set_tag(context: Context, Input(request): Input<RunTag>) -> Result<Json<Empty>> {
    let id = run_id_of(&request.run_id, &request.run_uuid)?;
    let key = required("key", request.key.as_ref())?;
    let value = validation::tag("", key, request.value.unwrap_or_default())?;
    let (access, _) = context.run(id).await?;
    context.store().set_run_tag(&access, id, TagChange::Set(key.to_owned(), value)).await?;
    Ok(Json(Empty {}))
}

/// POST `runs/delete-tag`
pub async fn delete_tag(context: Context, Input(request): Input<RunTag>) -> Result<Json<Empty>> {
    let id = run_id_of(&request.run_id, &request.run_uuid)?;
    let key = required("key", request.key.as_ref())?;
    let (access, _) = context.run(id).await?;
    context.store().set_run_tag(&access, id, TagChange::Delete(key.to_owned())).await?;
    Ok(Json(Empty {}))
}

#[derive(Deserialize, JsonSchema)]
pub struct LogBatch {
    /// Id of the run.
    #[schemars(required)]
    run_id: Option<String>,
    /// Metrics.
    #[serde(default)]
    metrics: Many<MetricIn>,
    /// Params.
    #[serde(default)]
    params: Many<PartialPair>,
    /// Tags.
    #[serde(default)]
    tags: Many<PartialPair>,
}

/// A pair whose key may be lacking, to say so by its place in the list.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NewPair")]
struct PartialPair {
    /// Key.
    #[schemars(required)]
    key: Option<String>,
    /// Value.
    value: Option<String>,
}

impl PartialPair {
    fn check(self, path: &str) -> Result<Pair> {
        let key = self.key.filter(|key| !key.is_empty()).ok_or_else(|| missing(&at(path, "key")))?;
        Ok(Pair { key, value: self.value.unwrap_or_default() })
    }
}

/// POST `runs/log-batch`: params and tags in one write, then metrics in one write
pub async fn log_batch(context: Context, Input(request): Input<LogBatch>) -> Result<Json<Empty>> {
    let id = required("run_id", request.run_id.as_ref())?;
    validation::run_id(id)?;
    validation::batch_sizes(request.metrics.0.len(), request.params.0.len(), request.tags.0.len())?;
    let mut metrics = Vec::with_capacity(request.metrics.0.len());
    for (number, metric) in request.metrics.0.into_iter().enumerate() {
        metrics.push(metric.check(&format!("metrics[{number}]"))?);
    }
    let mut params = Vec::with_capacity(request.params.0.len());
    for (number, param) in request.params.0.into_iter().enumerate() {
        let path = format!("params[{number}]");
        let param = param.check(&path)?;
        let value = validation::param(&path, &param.key, param.value)?;
        params.push((param.key, value));
    }
    validation::distinct_param_keys(params.iter().map(|(key, _)| key.as_str()))?;
    let params: BTreeMap<String, String> = params.into_iter().collect();
    let mut tags = BTreeMap::new();
    for (number, tag) in request.tags.0.into_iter().enumerate() {
        let path = format!("tags[{number}]");
        let tag = tag.check(&path)?;
        let value = validation::tag(&path, &tag.key, tag.value)?;
        tags.insert(tag.key, value);
    }
    let (access, _) = context.run(id).await?;
    // Before the first write: a refused batch leaves nothing behind.
    let models = models_of(&context, &access, &metrics).await?;
    if !(params.is_empty() && tags.is_empty()) {
        context.store().log_params_and_tags(&access, id, params, tags).await?;
    }
    if metrics.is_empty() {
        return Ok(Json(Empty {}));
    }
    log_points(&context, &access, id, metrics, &models).await?;
    Ok(Json(Empty {}))
}

#[derive(Deserialize, JsonSchema)]
pub struct LogModel {
    /// Id of the run.
    #[schemars(required)]
    run_id: Option<String>,
    /// The `MLmodel` file, as JSON.
    #[schemars(required)]
    model_json: Option<String>,
}

/// POST `runs/log-model`: 2.x clients record a model in a tag of its run
pub async fn log_model(context: Context, Input(request): Input<LogModel>) -> Result<Json<Empty>> {
    let id = required("run_id", request.run_id.as_ref())?;
    let text = required("model_json", request.model_json.as_ref())?;
    let Ok(model) = serde_json::from_str::<Value>(text) else {
        return Err(Error::invalid(format!("Malformed model info. \n {text} \n is not a valid JSON.")));
    };
    let mandatory = ["artifact_path", "flavors", "utc_time_created", "run_id"];
    let lacking: Vec<String> =
        mandatory.iter().filter(|field| model.get(field).is_none()).map(|field| format!("'{field}'")).collect();
    if !lacking.is_empty() {
        let lacking = lacking.join(", ");
        return Err(Error::invalid(format!("Model json is missing mandatory fields: {{{lacking}}}")));
    }
    let (access, _) = context.run(id).await?;
    context.store().append_to_run_tag(&access, id, LOGGED_MODELS_TAG, model).await?;
    Ok(Json(Empty {}))
}
