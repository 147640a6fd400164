//! Runs (mlflow.md B.5): create, get, update, delete, restore.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::context::Context;
use shared::extract::{Empty, Input, Integer, Json, Many, required};
use shared::model::{Lifecycle, Run, names, validation};
use shared::store::{NewRun, RUN_NAME_TAG, RunUpdate};
use shared::{Error, Result};

use shared::wire::Pair;

use crate::wire::{RunInfoOut, RunOut, RunStatusIn};

/// `run_id`, or its old name `run_uuid`: clients send either or both, and `run_id` counts where both are given.
pub fn run_id_of<'a>(run_id: &'a Option<String>, run_uuid: &'a Option<String>) -> Result<&'a str> {
    let given = run_id.as_ref().filter(|id| !id.is_empty());
    required("run_id", given.or(run_uuid.as_ref()))
}

#[derive(Deserialize, JsonSchema)]
pub struct GetRun {
    /// Id of the run.
    run_id: Option<String>,
    /// The old name of `run_id`.
    run_uuid: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
pub struct RunRef {
    /// Id of the run.
    #[schemars(required)]
    run_id: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
pub struct CreateRun {
    /// Id of the experiment; `0` is a project's own in its view.
    #[schemars(required)]
    experiment_id: Option<String>,
    /// Who ran it, as the client says.
    user_id: Option<String>,
    /// Name; made up when absent.
    run_name: Option<String>,
    /// Milliseconds since 1970.
    start_time: Option<Integer>,
    /// Tags.
    #[serde(default)]
    tags: Many<Pair>,
}

#[derive(JsonSchema, Serialize)]
pub struct OneRun {
    /// The run.
    run: RunOut,
}

/// POST `runs/create`
pub async fn create_run(context: Context, Input(request): Input<CreateRun>) -> Result<Json<OneRun>> {
    let experiment_id = required("experiment_id", request.experiment_id.as_ref())?;
    let mut tags = BTreeMap::new();
    for (number, tag) in request.tags.0.into_iter().enumerate() {
        required(&format!("tags[{number}].key"), Some(&tag.key))?;
        tags.insert(tag.key, validation::tag_value(tag.value));
    }
    let name = name_of_new(request.run_name.as_deref().unwrap_or_default(), tags.get(RUN_NAME_TAG))?;
    let (access, experiment) = context.experiment_to_use(experiment_id).await?;
    let new = NewRun {
        name,
        user_id: request.user_id.unwrap_or_default(),
        start_time: Some(request.start_time.unwrap_or_default().0),
        tags,
    };
    let run = context.store().create_run(&access, &experiment, new).await?;
    let mut run = RunOut::new(&context, &experiment, &run);
    run.outputs = None;
    Ok(Json(OneRun { run }))
}

/// From the parameter, else the tag, else made up; both and different is a mistake.
fn name_of_new(name: &str, tag: Option<&String>) -> Result<String> {
    match (name, tag.map(String::as_str).filter(|tag| !tag.is_empty())) {
        ("", None) => Ok(names::random_name()),
        ("", Some(tag)) => Ok(tag.to_owned()),
        (name, None) => Ok(name.to_owned()),
        (name, Some(tag)) if name == tag => Ok(name.to_owned()),
        (name, Some(tag)) => Err(Error::invalid(format!(
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values \
             (run_name='{name}', mlflow.runName='{tag}')."
        ))),
    }
}

/// GET `runs/get`
pub async fn get_run(context: Context, Input(request): Input<GetRun>) -> Result<Json<OneRun>> {
    let (_, stored) = context.stored_run(run_id_of(&request.run_id, &request.run_uuid)?).await?;
    let experiment = context.known_experiment(stored.experiment()).await?;
    let run: Run = context.store().complete_run(stored).await?;
    Ok(Json(OneRun { run: RunOut::new(&context, &experiment, &run) }))
}

#[derive(Deserialize, JsonSchema)]
pub struct UpdateRun {
    /// Id of the run.
    run_id: Option<String>,
    /// The old name of `run_id`.
    run_uuid: Option<String>,
    /// State.
    status: Option<RunStatusIn>,
    /// Milliseconds since 1970.
    end_time: Option<Integer>,
    /// New name.
    run_name: Option<String>,
}

#[derive(JsonSchema, Serialize)]
pub struct UpdatedRun {
    /// The run, without its data.
    run_info: RunInfoOut,
}

/// POST `runs/update`
pub async fn update_run(context: Context, Input(request): Input<UpdateRun>) -> Result<Json<UpdatedRun>> {
    let id = run_id_of(&request.run_id, &request.run_uuid)?;
    let (access, experiment) = context.run(id).await?;
    let update = RunUpdate {
        status: request.status.map(|status| status.0),
        end_time: request.end_time.map(|time| time.0),
        name: request.run_name.filter(|name| !name.is_empty()),
    };
    let run = context.store().update_run(&access, id, update).await?.into_info(&experiment);
    Ok(Json(UpdatedRun { run_info: RunInfoOut::new(&context, &experiment, &run) }))
}

/// POST `runs/delete`; again is no error
pub async fn delete_run(context: Context, Input(request): Input<RunRef>) -> Result<Json<Empty>> {
    set_lifecycle(&context, required("run_id", request.run_id.as_ref())?, Lifecycle::Deleted).await
}

/// POST `runs/restore`; again is no error
pub async fn restore_run(context: Context, Input(request): Input<RunRef>) -> Result<Json<Empty>> {
    set_lifecycle(&context, required("run_id", request.run_id.as_ref())?, Lifecycle::Active).await
}

async fn set_lifecycle(context: &Context, id: &str, lifecycle: Lifecycle) -> Result<Json<Empty>> {
    let (access, _) = context.run(id).await?;
    context.store().set_run_lifecycle(&access, id, lifecycle).await?;
    Ok(Json(Empty {}))
}
