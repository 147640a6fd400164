//! Experiments (mlflow.md B.4).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::auth::Access;
use shared::context::{Context, View};
use shared::extract::{Empty, Input, Json, Many, required};
use shared::model::{Experiment, Lifecycle, validation};
use shared::store::TagChange;
use shared::{Error, Result};

use shared::wire::Pair;

use crate::wire::ExperimentOut;

#[derive(Deserialize, JsonSchema)]
pub struct CreateExperiment {
    /// Name, unique in the project. In the global view ` (<project id>)` behind it, or the tag `project`, names the project.
    #[schemars(required)]
    name: Option<String>,
    /// A place of your own for artifacts, which this hub then never touches.
    artifact_location: Option<String>,
    /// Tags.
    #[serde(default)]
    tags: Many<Pair>,
}

#[derive(JsonSchema, Serialize)]
pub struct CreatedExperiment {
    /// Id of the experiment; `0` is a project's own in its view.
    experiment_id: String,
}

/// POST `experiments/create`
pub async fn create_experiment(
    context: Context,
    Input(request): Input<CreateExperiment>,
) -> Result<Json<CreatedExperiment>> {
    let name = required("name", request.name.as_ref())?;
    let mut tags = BTreeMap::new();
    for tag in &request.tags.0 {
        validation::experiment_tag(&tag.key, &tag.value)?;
        tags.insert(tag.key.clone(), tag.value.clone());
    }
    validation::custom_views(tags.keys().map(String::as_str))?;
    let location = request.artifact_location.as_deref().filter(|location| !location.is_empty());
    if let Some(location) = location {
        validation::artifact_location(location)?;
    }
    let access = context.owner_of_new("experiment", name, &mut tags).await?;
    let plain = Context::plain_name(access.project(), name);
    validation::experiment_name(plain)?;
    if let Some(location) = location {
        // Ours would be somebody's: only the hub hands those out.
        refuse_own_scheme(location)?;
    }
    let experiment = context.store().create_experiment(&access, plain, location, tags).await?;
    Ok(Json(CreatedExperiment { experiment_id: context.shown_id(&experiment).to_string() }))
}

/// A location inside our own artifact store that is not the new experiment's would open another's files (W17).
fn refuse_own_scheme(location: &str) -> Result<()> {
    if location.trim().to_ascii_lowercase().starts_with("mlflow-artifacts:") {
        return Err(Error::invalid(
            "artifact_location must not lie inside this hub's own artifact store (mlflow-artifacts:); leave it out to get \
             the experiment's own place.",
        ));
    }
    Ok(())
}

#[derive(Deserialize, JsonSchema)]
pub struct ExperimentRef {
    /// Id of the experiment; `0` is a project's own in its view.
    #[schemars(required)]
    experiment_id: Option<String>,
}

impl ExperimentRef {
    fn id(&self) -> Result<&str> {
        required("experiment_id", self.experiment_id.as_ref())
    }
}

#[derive(JsonSchema, Serialize)]
pub struct GotExperiment {
    /// The experiment.
    experiment: ExperimentOut,
}

/// GET `experiments/get`
pub async fn get_experiment(context: Context, Input(request): Input<ExperimentRef>) -> Result<Json<GotExperiment>> {
    let (access, experiment) = context.experiment(request.id()?).await?;
    Ok(Json(GotExperiment { experiment: ExperimentOut::new(&context, &experiment, access.path()) }))
}

#[derive(Deserialize, JsonSchema)]
pub struct GetExperimentByName {
    /// Name, in the global view with ` (<project id>)` behind it.
    #[schemars(required)]
    experiment_name: Option<String>,
}

/// GET `experiments/get-by-name`
pub async fn get_experiment_by_name(
    context: Context,
    Input(request): Input<GetExperimentByName>,
) -> Result<Json<GotExperiment>> {
    let name = required("experiment_name", request.experiment_name.as_ref())?;
    let not_found = || Error::not_found(format!("Could not find experiment with name '{name}'"));
    let (access, experiment) = match (context.project().await?, Context::named_project(name)) {
        (Some(access), _) => {
            let found = find_by_name(&context, &access, name).await?;
            (access, found.ok_or_else(not_found)?)
        }
        (None, Some(id)) => {
            let access = context.require(&format!("experiment name/{name}"), Some(id), not_found()).await?;
            let found = find_by_name(&context, &access, name).await?;
            (access, found.ok_or_else(not_found)?)
        }
        (None, None) => find_everywhere(&context, name).await?.ok_or_else(not_found)?,
    };
    Ok(Json(GotExperiment { experiment: ExperimentOut::new(&context, &experiment, access.path()) }))
}

/// By plain or suffixed name; the default experiment also before its first use.
async fn find_by_name(context: &Context, access: &Access, name: &str) -> Result<Option<Experiment>> {
    let plain = Context::plain_name(access.project(), name);
    if let Some(found) = context.store().find_experiment_by_name(access, plain).await? {
        return Ok(Some(found));
    }
    if context.view == View::Global || !Context::is_default_name(plain) {
        return Ok(None);
    }
    match context.store().find_existing_default(access).await? {
        // It was renamed.
        Some(_) => Ok(None),
        None => Ok(Some(shared::store::Store::virtual_default(access))),
    }
}

/// In the global view a plain name stands for the only experiment of that name among the caller's projects.
async fn find_everywhere(context: &Context, name: &str) -> Result<Option<(Access, Experiment)>> {
    let mut found = Vec::new();
    for access in context.member_projects().await? {
        if let Some(experiment) = context.store().find_experiment_by_name(&access, name).await? {
            found.push((access, experiment));
        }
    }
    if found.len() > 1 {
        let candidates: Vec<String> = found.iter().map(|(_, experiment)| context.shown_name(experiment)).collect();
        return Err(Error::invalid(format!(
            "Several of your projects have an experiment named '{name}'; use one of: {}",
            candidates.join(", ")
        )));
    }
    Ok(found.pop())
}

#[derive(Deserialize, JsonSchema)]
pub struct UpdateExperiment {
    /// Id of the experiment; `0` is a project's own in its view.
    #[schemars(required)]
    experiment_id: Option<String>,
    /// The new name.
    #[schemars(required)]
    new_name: Option<String>,
}

/// POST `experiments/update`
pub async fn update_experiment(context: Context, Input(request): Input<UpdateExperiment>) -> Result<Json<Empty>> {
    let id = required("experiment_id", request.experiment_id.as_ref())?;
    let new_name = required("new_name", request.new_name.as_ref())?;
    let (access, experiment) = to_change(&context, id).await?;
    let plain = Context::plain_name(access.project(), new_name);
    validation::experiment_name(plain)?;
    context.store().rename_experiment(&access, &experiment, plain).await?;
    Ok(Json(Empty {}))
}

/// POST `experiments/delete`: one write, whatever the number of runs
pub async fn delete_experiment(context: Context, Input(request): Input<ExperimentRef>) -> Result<Json<Empty>> {
    let (access, experiment) = to_change(&context, request.id()?).await?;
    context.store().set_experiment_lifecycle(&access, &experiment, Lifecycle::Deleted).await?;
    Ok(Json(Empty {}))
}

/// POST `experiments/restore`: with all its runs, also those deleted one by one before
pub async fn restore_experiment(context: Context, Input(request): Input<ExperimentRef>) -> Result<Json<Empty>> {
    let (access, experiment) = to_change(&context, request.id()?).await?;
    context.store().set_experiment_lifecycle(&access, &experiment, Lifecycle::Active).await?;
    Ok(Json(Empty {}))
}

#[derive(Deserialize, JsonSchema)]
pub struct ExperimentTag {
    /// Id of the experiment; `0` is a project's own in its view.
    #[schemars(required)]
    experiment_id: Option<String>,
    /// Key.
    #[schemars(required)]
    key: Option<String>,
    /// Value.
    value: Option<String>,
}

/// POST `experiments/set-experiment-tag`
pub async fn set_experiment_tag(context: Context, Input(request): Input<ExperimentTag>) -> Result<Json<Empty>> {
    let id = required("experiment_id", request.experiment_id.as_ref())?;
    let key = required("key", request.key.as_ref())?;
    let value = request.value.as_deref().unwrap_or_default();
    validation::experiment_tag(key, value)?;
    context.refuse_project_tag(key)?;
    let (access, experiment) = to_change(&context, id).await?;
    if !experiment.tags.contains_key(key) {
        validation::custom_views(experiment.tags.keys().map(String::as_str).chain([key]))?;
    }
    let change = TagChange::Set(key.to_owned(), value.to_owned());
    context.store().change_experiment_tag(&access, &experiment, change).await?;
    Ok(Json(Empty {}))
}

/// POST `experiments/delete-experiment-tag`
pub async fn delete_experiment_tag(context: Context, Input(request): Input<ExperimentTag>) -> Result<Json<Empty>> {
    let id = required("experiment_id", request.experiment_id.as_ref())?;
    let key = required("key", request.key.as_ref())?;
    context.refuse_project_tag(key)?;
    let (access, experiment) = to_change(&context, id).await?;
    context.store().change_experiment_tag(&access, &experiment, TagChange::Delete(key.to_owned())).await?;
    Ok(Json(Empty {}))
}

/// An experiment as it is now, the default one created if need be.
async fn to_change(context: &Context, id: &str) -> Result<(Access, Experiment)> {
    let (access, experiment) = context.experiment_to_use(id).await?;
    let fresh = context.store().find_experiment(experiment.id).await?;
    let fresh = fresh.ok_or_else(|| Error::internal("an experiment vanished"))?.open(&access)?;
    Ok((access, fresh))
}
