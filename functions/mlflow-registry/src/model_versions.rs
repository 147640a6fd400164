//! Model versions (mlflow.md B.7).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::auth::Access;
use shared::context::{Context, VersionRef};
use shared::extract::{Empty, Input, Json, Many, required};
use shared::model::validation;
use shared::store::{NewModelVersion, TagChange};
use shared::wire::Pair;
use shared::{Error, Result};

use crate::registered_models::{asks_for_prompt, checked_tags, named, parse_stage};
use crate::sources::{self, Claim};
use crate::wire::{ModelVersionOut, OneVersion};

/// The tag that holds a prompt's text.
const PROMPT_TEXT_TAG: &str = "mlflow.prompt.text";

#[derive(Deserialize, JsonSchema)]
pub struct CreateModelVersion {
    /// Name of the registered model.
    #[schemars(required)]
    name: Option<String>,
    /// Where its files are, e.g. `runs:/<run id>/model` or `models:/<logged model id>`.
    #[schemars(required)]
    source: Option<String>,
    /// The run that made it.
    run_id: Option<String>,
    /// Tags.
    #[serde(default)]
    tags: Many<Pair>,
    /// Link to the run.
    run_link: Option<String>,
    /// Description.
    description: Option<String>,
    /// Id of the logged model.
    model_id: Option<String>,
}

/// POST `model-versions/create`
pub async fn create_model_version(
    context: Context,
    Input(request): Input<CreateModelVersion>,
) -> Result<Json<OneVersion>> {
    let (name, source) = (required("name", request.name.as_ref())?, required("source", request.source.as_ref())?);
    validation::registered_model_name("name", name)?;
    if let Some(text) = request.tags.0.iter().find(|tag| tag.key == PROMPT_TEXT_TAG) {
        check_prompt_text(&text.value)?;
    }
    let tags = checked_tags(request.tags)?;
    let claim = Claim { source, run_id: request.run_id.as_deref(), model_id: request.model_id.as_deref() };
    let (access, plain) = context.registered_model(name).await?;
    let origin = match asks_for_prompt(&tags) {
        true => sources::of_prompt(&context, &access, &claim).await?,
        false => sources::of_model(&context, &access, &claim).await?,
    };
    let new = NewModelVersion {
        source: origin.source,
        storage: origin.storage,
        default_experiment: origin.default_experiment,
        run_id: origin.run_id,
        run_link: request.run_link.unwrap_or_default(),
        description: request.description.unwrap_or_default(),
        tags,
        logged_model: origin.logged_model,
    };
    let created = context.store().create_model_version(&access, &plain, new).await;
    let (model, version) = created.map_err(|error| named(error, name, &plain))?;
    Ok(Json(OneVersion { model_version: ModelVersionOut::of_model(&context, &model, &version) }))
}

fn check_prompt_text(text: &str) -> Result<()> {
    let most = validation::LONGEST_MODEL_TAG_VALUE;
    if text.chars().count() > most {
        return Err(Error::invalid(format!("Prompt text exceeds max length of {most} characters.")));
    }
    Ok(())
}

fn version_ref<'a>(name: Option<&'a String>, version: Option<&String>) -> Result<VersionRef<'a>> {
    let (name, version) = (required("name", name)?, required("version", version)?);
    VersionRef::parse(name, version)
}

/// The version as it is now.
async fn shown(context: &Context, version: &VersionRef<'_>, access: &Access, plain: &str) -> Result<Json<OneVersion>> {
    let (model, version) = version.read(context, access, plain).await?;
    Ok(Json(OneVersion { model_version: ModelVersionOut::of_model(context, &model, &version) }))
}

#[derive(Deserialize, JsonSchema)]
pub struct GetModelVersion {
    /// Name of the registered model.
    #[schemars(required)]
    name: Option<String>,
    /// Number of the version.
    #[schemars(required)]
    version: Option<String>,
}

/// GET `model-versions/get`
pub async fn get_model_version(context: Context, Input(request): Input<GetModelVersion>) -> Result<Json<OneVersion>> {
    let version = version_ref(request.name.as_ref(), request.version.as_ref())?;
    let (access, plain) = version.owner(&context).await?;
    shown(&context, &version, &access, &plain).await
}

#[derive(JsonSchema, Serialize)]
pub struct DownloadUri {
    /// Where artifacts lie.
    artifact_uri: String,
}

/// GET `model-versions/get-download-uri`: where the files lie
pub async fn get_download_uri(context: Context, Input(request): Input<GetModelVersion>) -> Result<Json<DownloadUri>> {
    let (name, version) = (request.name.unwrap_or_default(), request.version.unwrap_or_default());
    let version = VersionRef::parse(&name, &version)?;
    let (access, plain) = version.owner(&context).await?;
    let (_, found) = version.read(&context, &access, &plain).await?;
    Ok(Json(DownloadUri { artifact_uri: context.shown_uri_in(found.default_experiment, &found.storage) }))
}

#[derive(Deserialize, JsonSchema)]
pub struct UpdateModelVersion {
    /// Name of the registered model.
    #[schemars(required)]
    name: Option<String>,
    /// Number of the version.
    #[schemars(required)]
    version: Option<String>,
    /// Description.
    description: Option<String>,
}

/// PATCH `model-versions/update`
pub async fn update_model_version(
    context: Context,
    Input(request): Input<UpdateModelVersion>,
) -> Result<Json<OneVersion>> {
    let version = version_ref(request.name.as_ref(), request.version.as_ref())?;
    let (access, plain) = version.owner(&context).await?;
    let description = request.description.as_deref();
    let written = context.store().describe_model_version(&access, &plain, version.number, description).await;
    written.map_err(|error| version.told(error))?;
    shown(&context, &version, &access, &plain).await
}

#[derive(Deserialize, JsonSchema)]
pub struct TransitionStage {
    /// Name of the registered model.
    #[schemars(required)]
    name: Option<String>,
    /// Number of the version.
    #[schemars(required)]
    version: Option<String>,
    /// `None`, `Staging`, `Production` or `Archived`, in any case.
    #[schemars(required)]
    stage: Option<String>,
    /// Move the versions that are in this stage to `Archived`.
    archive_existing_versions: Option<bool>,
}

/// POST `model-versions/transition-stage`
pub async fn transition_stage(context: Context, Input(request): Input<TransitionStage>) -> Result<Json<OneVersion>> {
    let (name, version) = (required("name", request.name.as_ref())?, required("version", request.version.as_ref())?);
    let wanted = required("stage", request.stage.as_ref())?;
    let stage = parse_stage(wanted)?;
    let archive = request.archive_existing_versions.unwrap_or(false);
    if archive && !stage.is_active() {
        return Err(Error::invalid(format!(
            "Model version transition cannot archive existing model versions because '{wanted}' is not an Active stage. \
             Valid stages are ['Staging', 'Production']"
        )));
    }
    let version = VersionRef::parse(name, version)?;
    let (access, plain) = version.owner(&context).await?;
    let written = context.store().transition_stage(&access, &plain, version.number, stage, archive).await;
    written.map_err(|error| version.told(error))?;
    shown(&context, &version, &access, &plain).await
}

/// DELETE `model-versions/delete`: its number is never used again
pub async fn delete_model_version(context: Context, Input(request): Input<GetModelVersion>) -> Result<Json<Empty>> {
    let version = version_ref(request.name.as_ref(), request.version.as_ref())?;
    let (access, plain) = version.owner(&context).await?;
    let deleted = context.store().delete_model_version(&access, &plain, version.number).await;
    deleted.map_err(|error| version.told(error))?;
    Ok(Json(Empty {}))
}

#[derive(Deserialize, JsonSchema)]
pub struct ModelVersionTag {
    /// Name of the registered model.
    #[schemars(required)]
    name: Option<String>,
    /// Number of the version.
    #[schemars(required)]
    version: Option<String>,
    /// Key.
    #[schemars(required)]
    key: Option<String>,
    /// Value.
    value: Option<String>,
}

/// POST `model-versions/set-tag`
pub async fn set_model_version_tag(context: Context, Input(request): Input<ModelVersionTag>) -> Result<Json<Empty>> {
    let version = version_ref(request.name.as_ref(), request.version.as_ref())?;
    let key = required("key", request.key.as_ref())?;
    let value = request.value.unwrap_or_default();
    if key == PROMPT_TEXT_TAG {
        check_prompt_text(&value)?;
    }
    validation::registry_tag(key, &value)?;
    change_tag(&context, &version, TagChange::Set(key.to_owned(), value)).await
}

/// DELETE `model-versions/delete-tag`: it need not be there
pub async fn delete_model_version_tag(context: Context, Input(request): Input<ModelVersionTag>) -> Result<Json<Empty>> {
    let version = version_ref(request.name.as_ref(), request.version.as_ref())?;
    let key = required("key", request.key.as_ref())?;
    validation::tag_name(key)?;
    change_tag(&context, &version, TagChange::Delete(key.to_owned())).await
}

async fn change_tag(context: &Context, version: &VersionRef<'_>, tag: TagChange) -> Result<Json<Empty>> {
    let (access, plain) = version.owner(context).await?;
    let written = context.store().change_model_version_tag(&access, &plain, version.number, tag).await;
    written.map_err(|error| version.told(error))?;
    Ok(Json(Empty {}))
}
