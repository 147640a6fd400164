//! Logged models (mlflow.md B.6): create, get, finalize, tags, params.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};
use shared::answer::{ANSWER_BYTES, json_bytes};
use shared::auth::Access;
use shared::context::Context;
use shared::extract::{Empty, Flag, Input, Json, Many, Path, missing, required};
use shared::model::{Experiment, Lifecycle, LoggedModel, LoggedModelStatus, Metric, MetricContext, names, validation};
use shared::store::{NewLoggedModel, TagChange, no_logged_model};
use shared::{Error, Result};

use shared::wire::Pair;

use crate::wire::{MetricOut, Word, word_or_number};

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "OneLoggedModel")]
pub struct OneModel {
    /// The logged model.
    model: LoggedModelOut,
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "LoggedModel")]
pub struct LoggedModelOut {
    /// What it is.
    info: InfoOut,
    /// What was logged.
    data: DataOut,
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "LoggedModelInfo")]
struct InfoOut {
    /// Id of the logged model.
    model_id: String,
    /// Id of the experiment; `0` is a project's own in its view.
    experiment_id: String,
    /// Name.
    name: String,
    /// Milliseconds since 1970.
    creation_timestamp_ms: i64,
    /// Milliseconds since 1970.
    last_updated_timestamp_ms: i64,
    /// Where artifacts lie.
    artifact_uri: String,
    /// State.
    #[schemars(extend("enum" = ["LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"]))]
    status: &'static str,
    /// What kind of model it is.
    model_type: String,
    /// The run that made it.
    source_run_id: String,
    /// Tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Pair>,
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "LoggedModelData")]
struct DataOut {
    /// Params.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    params: Vec<Pair>,
    /// Metrics.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<MetricOut>,
}

impl LoggedModelOut {
    /// As the request's view shows it. If all its points do not fit into an answer, the latest of each metric are shown.
    pub fn new(context: &Context, experiment: &Experiment, model: &LoggedModel) -> Self {
        let mut shown = Self {
            info: InfoOut {
                model_id: model.id.clone(),
                experiment_id: context.shown_id(experiment).to_string(),
                name: model.name.clone(),
                creation_timestamp_ms: model.creation_time,
                last_updated_timestamp_ms: model.last_update_time,
                artifact_uri: context.shown_uri(experiment, &model.artifact_uri),
                status: model.status.as_str(),
                model_type: model.model_type.clone().unwrap_or_default(),
                source_run_id: model.source_run_id.clone().unwrap_or_default(),
                tags: Pair::list(&model.tags),
            },
            data: DataOut {
                params: Pair::list(&model.params),
                metrics: model.metrics.iter().map(MetricOut::of_model).collect(),
            },
        };
        if json_bytes(&shown) > ANSWER_BYTES {
            let mut latest: BTreeMap<(&str, &MetricContext), &Metric> = BTreeMap::new();
            for point in &model.metrics {
                let known = latest.entry((&point.key, &point.context)).or_insert(point);
                if known.latest_order(point).is_lt() {
                    *known = point;
                }
            }
            shown.data.metrics = latest.into_values().map(MetricOut::of_model).collect();
        }
        shown
    }
}

#[derive(Deserialize, JsonSchema)]
pub struct CreateLoggedModel {
    /// Id of the experiment; `0` is a project's own in its view.
    #[schemars(required)]
    experiment_id: Option<String>,
    /// Name; made up when absent.
    name: Option<String>,
    /// What kind of model it is.
    model_type: Option<String>,
    /// The run that made it.
    source_run_id: Option<String>,
    /// Params.
    #[serde(default)]
    params: Many<Pair>,
    /// Tags.
    #[serde(default)]
    tags: Many<Pair>,
}

/// POST `logged-models`
pub async fn create_logged_model(context: Context, Input(request): Input<CreateLoggedModel>) -> Result<Json<OneModel>> {
    let experiment_id = required("experiment_id", request.experiment_id.as_ref())?;
    let name = match request.name.filter(|name| !name.is_empty()) {
        Some(name) => name,
        None => names::random_name(),
    };
    validation::logged_model_name(&name)?;
    let (params, tags) = (checked(request.params)?, checked(request.tags)?);
    let (access, experiment) = context.experiment_to_use(experiment_id).await?;
    let new =
        NewLoggedModel { name, model_type: request.model_type, source_run_id: request.source_run_id, params, tags };
    let model = context.store().create_logged_model(&access, &experiment, new).await?;
    Ok(Json(OneModel { model: LoggedModelOut::new(&context, &experiment, &model) }))
}

/// Params or tags; of several with one key the last wins.
fn checked(pairs: Many<Pair>) -> Result<BTreeMap<String, String>> {
    let mut checked = BTreeMap::new();
    for pair in pairs.0 {
        validation::logged_model_pair(&pair.key, &pair.value)?;
        checked.insert(pair.key, pair.value);
    }
    Ok(checked)
}

#[derive(Deserialize, JsonSchema)]
pub struct GetLoggedModel {
    /// Also a deleted one.
    #[serde(default)]
    allow_deleted: Flag,
}

/// GET `logged-models/{model_id}`
pub async fn get_logged_model(
    context: Context,
    Path(model_id): Path<String>,
    Input(request): Input<GetLoggedModel>,
) -> Result<Json<OneModel>> {
    let (_, model) = find(&context, &model_id).await?;
    if model.lifecycle == Lifecycle::Deleted && !request.allow_deleted.0 {
        return Err(no_logged_model(&model_id));
    }
    one_model(&context, &model).await
}

async fn find(context: &Context, model_id: &str) -> Result<(Access, LoggedModel)> {
    let found = context.store().find_logged_model(model_id).await?;
    let owner = found.as_ref().map(shared::store::Sealed::owner);
    let missing = no_logged_model(model_id);
    let access = context.require(&format!("logged model/{model_id}"), owner, missing.clone()).await?;
    let model = found.ok_or(missing)?.open(&access)?;
    Ok((access, model))
}

async fn one_model(context: &Context, model: &LoggedModel) -> Result<Json<OneModel>> {
    let experiment = context.known_experiment(model.experiment).await?;
    Ok(Json(OneModel { model: LoggedModelOut::new(context, &experiment, model) }))
}

#[derive(Deserialize, JsonSchema)]
pub struct FinalizeLoggedModel {
    /// The id of the path again.
    #[schemars(required)]
    model_id: Option<String>,
    /// Are its files all there?
    #[schemars(required)]
    status: Option<StatusIn>,
}

/// A status by name or wire number.
#[derive(JsonSchema)]
#[schemars(inline)]
struct StatusIn(
    #[schemars(
        with = "String",
        extend("enum" = ["LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"])
    )]
    LoggedModelStatus,
);

impl<'de> Deserialize<'de> for StatusIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = word_or_number(deserializer)?;
        let status = LoggedModelStatus::ALL.into_iter().find(|status| match &word {
            Word::Text(text) => status.as_str() == text,
            Word::Number(number) => status.number() == *number,
        });
        status.map(Self).ok_or_else(|| de::Error::custom("not a status of a logged model"))
    }
}

/// PATCH `logged-models/{model_id}`: its files are all there, or will not come
pub async fn finalize_logged_model(
    context: Context,
    Path(model_id): Path<String>,
    Input(request): Input<FinalizeLoggedModel>,
) -> Result<Json<OneModel>> {
    // The body's id is demanded by the API; the URL's is the one that counts, and they must agree (W4).
    if required("model_id", request.model_id.as_ref())? != model_id {
        return Err(Error::invalid("The 'model_id' of the body is not the one of the URL."));
    }
    let status = request.status.ok_or_else(|| missing("status"))?.0;
    let (access, _) = context.logged_model(&model_id).await?;
    context.store().finalize_logged_model(&access, &model_id, status).await?;
    let (_, model) = find(&context, &model_id).await?;
    one_model(&context, &model).await
}

/// DELETE `logged-models/{model_id}`: hidden from then on, but for `allow_deleted=true`; again is no error
pub async fn delete_logged_model(context: Context, Path(model_id): Path<String>) -> Result<Json<Empty>> {
    let (access, _) = context.logged_model(&model_id).await?;
    context.store().delete_logged_model(&access, &model_id).await?;
    Ok(Json(Empty {}))
}

#[derive(Deserialize, JsonSchema)]
pub struct SetLoggedModelTags {
    /// Tags.
    #[serde(default)]
    tags: Many<Pair>,
}

/// PATCH `logged-models/{model_id}/tags`
pub async fn set_logged_model_tags(
    context: Context,
    Path(model_id): Path<String>,
    Input(request): Input<SetLoggedModelTags>,
) -> Result<Json<Empty>> {
    let tags = checked(request.tags)?;
    let (access, _) = context.logged_model(&model_id).await?;
    let changes = tags.into_iter().map(|(key, value)| TagChange::Set(key, value)).collect();
    context.store().change_logged_model_tags(&access, &model_id, changes).await?;
    Ok(Json(Empty {}))
}

/// DELETE `logged-models/{model_id}/tags/{tag_key}`
pub async fn delete_logged_model_tag(
    context: Context,
    Path((model_id, tag_key)): Path<(String, String)>,
) -> Result<Json<Empty>> {
    let (access, _) = context.logged_model(&model_id).await?;
    context.store().change_logged_model_tags(&access, &model_id, vec![TagChange::Delete(tag_key)]).await?;
    Ok(Json(Empty {}))
}

#[derive(Deserialize, JsonSchema)]
pub struct LogLoggedModelParams {
    /// Params.
    #[serde(default)]
    params: Many<Pair>,
}

/// POST `logged-models/{model_id}/params`
pub async fn log_logged_model_params(
    context: Context,
    Path(model_id): Path<String>,
    Input(request): Input<LogLoggedModelParams>,
) -> Result<Json<Empty>> {
    let params = checked(request.params)?;
    let (access, _) = context.logged_model(&model_id).await?;
    context.store().log_logged_model_params(&access, &model_id, params).await?;
    Ok(Json(Empty {}))
}
