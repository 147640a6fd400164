//! Registered models (mlflow.md B.7).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::auth::Access;
use shared::context::Context;
use shared::extract::{Empty, Input, Json, Many, OneOrMany, required};
use shared::model::{ModelVersion, PROMPT_TAG, RegisteredModel, Stage, validation};
use shared::store::{NewRegisteredModel, TagChange, no_registered_model};
use shared::wire::Pair;
use shared::{Error, Result};

use crate::wire::{ModelVersionOut, OneModel, RegisteredModelOut};

#[derive(Deserialize, JsonSchema)]
pub struct CreateRegisteredModel {
    /// Name, unique in the project. In the global view ` (<project id>)` behind it, or the tag `project`, names the project.
    #[schemars(required)]
    name: Option<String>,
    /// Tags.
    #[serde(default)]
    tags: Many<Pair>,
    /// Description.
    description: Option<String>,
}

/// POST `registered-models/create`
pub async fn create_registered_model(
    context: Context,
    Input(request): Input<CreateRegisteredModel>,
) -> Result<Json<OneModel>> {
    let name = checked_name("name", request.name.as_ref())?;
    let mut tags = checked_tags(request.tags)?;
    let access = context.owner_of_new("model", name, &mut tags).await?;
    let plain = Context::plain_name(access.project(), name);
    validation::registered_model_name("name", plain)?;
    let description = request.description.unwrap_or_default();
    let new = NewRegisteredModel { name: plain.to_owned(), description, tags };
    let model = context.store().create_registered_model(&access, new).await?;
    Ok(Json(OneModel { registered_model: RegisteredModelOut::new(&context, &access, &model, &[]) }))
}

/// A name that the request must hold.
pub fn checked_name<'a>(parameter: &str, name: Option<&'a String>) -> Result<&'a str> {
    let name = required(parameter, name)?;
    validation::registered_model_name(parameter, name)?;
    Ok(name)
}

/// Tags of a new model or version; the last of several with one key counts.
pub fn checked_tags(tags: Many<Pair>) -> Result<BTreeMap<String, String>> {
    for tag in &tags.0 {
        validation::registry_tag(&tag.key, &tag.value)?;
    }
    Ok(tags.0.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

#[derive(Deserialize, JsonSchema)]
pub struct ModelRef {
    /// Name.
    #[schemars(required)]
    name: Option<String>,
}

/// GET `registered-models/get`
pub async fn get_registered_model(context: Context, Input(request): Input<ModelRef>) -> Result<Json<OneModel>> {
    let name = checked_name("name", request.name.as_ref())?;
    let (access, plain) = context.registered_model(name).await?;
    shown(&context, &access, name, &plain).await
}

/// The model as it is now.
async fn shown(context: &Context, access: &Access, name: &str, plain: &str) -> Result<Json<OneModel>> {
    let (model, latest) = with_latest(context, access, name, plain).await?;
    Ok(Json(OneModel { registered_model: RegisteredModelOut::new(context, access, &model, &latest) }))
}

async fn with_latest(
    context: &Context,
    access: &Access,
    name: &str,
    plain: &str,
) -> Result<(RegisteredModel, Vec<ModelVersion>)> {
    let found = context.store().find_registered_model(access, plain, |model| model.stages.latest()).await?;
    found.ok_or_else(|| no_registered_model(name))
}

/// `error`, with a missing model called as the client called it.
pub fn named(error: Error, name: &str, plain: &str) -> Error {
    match error {
        Error::NotFound(text) if name != plain && text == no_registered_model(plain).to_string() => {
            no_registered_model(name)
        }
        other => other,
    }
}

#[derive(Deserialize, JsonSchema)]
pub struct UpdateRegisteredModel {
    /// Name.
    #[schemars(required)]
    name: Option<String>,
    /// The new description; none when absent.
    description: Option<String>,
}

/// PATCH `registered-models/update`
pub async fn update_registered_model(
    context: Context,
    Input(request): Input<UpdateRegisteredModel>,
) -> Result<Json<OneModel>> {
    let name = checked_name("name", request.name.as_ref())?;
    let (access, plain) = context.registered_model(name).await?;
    let description = request.description.unwrap_or_default();
    let written = context.store().describe_registered_model(&access, &plain, &description).await;
    written.map_err(|error| named(error, name, &plain))?;
    shown(&context, &access, name, &plain).await
}

#[derive(Deserialize, JsonSchema)]
pub struct RenameRegisteredModel {
    /// Name.
    #[schemars(required)]
    name: Option<String>,
    /// The new name.
    #[schemars(required)]
    new_name: Option<String>,
}

/// POST `registered-models/rename`: within its project (W15)
pub async fn rename_registered_model(
    context: Context,
    Input(request): Input<RenameRegisteredModel>,
) -> Result<Json<OneModel>> {
    let name = required("name", request.name.as_ref())?;
    let new_name = checked_name("new_name", request.new_name.as_ref())?;
    validation::registered_model_name("name", name)?;
    let (access, plain) = context.registered_model(name).await?;
    let new_plain = Context::plain_name(access.project(), new_name);
    validation::registered_model_name("new_name", new_plain)?;
    let written = context.store().rename_registered_model(&access, &plain, new_plain).await;
    written.map_err(|error| named(error, name, &plain))?;
    shown(&context, &access, new_name, new_plain).await
}

/// DELETE `registered-models/delete`: with its versions
pub async fn delete_registered_model(context: Context, Input(request): Input<ModelRef>) -> Result<Json<Empty>> {
    let name = checked_name("name", request.name.as_ref())?;
    let (access, plain) = context.registered_model(name).await?;
    let deleted = context.store().delete_registered_model(&access, &plain).await;
    deleted.map_err(|error| named(error, name, &plain))?;
    Ok(Json(Empty {}))
}

#[derive(Deserialize, JsonSchema)]
pub struct RegisteredModelTag {
    /// Name.
    #[schemars(required)]
    name: Option<String>,
    /// Key.
    #[schemars(required)]
    key: Option<String>,
    /// Value.
    value: Option<String>,
}

/// POST `registered-models/set-tag`
pub async fn set_registered_model_tag(
    context: Context,
    Input(request): Input<RegisteredModelTag>,
) -> Result<Json<Empty>> {
    let (name, key) = (required("name", request.name.as_ref())?, required("key", request.key.as_ref())?);
    let value = request.value.as_deref().unwrap_or_default();
    validation::registered_model_name("name", name)?;
    validation::registry_tag(key, value)?;
    context.refuse_project_tag(key)?;
    let (access, plain) = context.registered_model(name).await?;
    let tag = TagChange::Set(key.to_owned(), value.to_owned());
    let written = context.store().change_registered_model_tag(&access, &plain, tag).await;
    written.map_err(|error| named(error, name, &plain))?;
    Ok(Json(Empty {}))
}

/// DELETE `registered-models/delete-tag`: it need not be there
pub async fn delete_registered_model_tag(
    context: Context,
    Input(request): Input<RegisteredModelTag>,
) -> Result<Json<Empty>> {
    let (name, key) = (required("name", request.name.as_ref())?, required("key", request.key.as_ref())?);
    validation::registered_model_name("name", name)?;
    validation::tag_name(key)?;
    context.refuse_project_tag(key)?;
    let (access, plain) = context.registered_model(name).await?;
    let written = context.store().change_registered_model_tag(&access, &plain, TagChange::Delete(key.to_owned())).await;
    written.map_err(|error| named(error, name, &plain))?;
    Ok(Json(Empty {}))
}

#[derive(Deserialize, JsonSchema)]
pub struct GetLatestVersions {
    /// Name.
    #[schemars(required)]
    name: Option<String>,
    /// Stages; all when absent.
    #[serde(default)]
    stages: Many<String>,
}

/// The same in a query, where a list may have one value.
#[derive(Deserialize, JsonSchema)]
pub struct QueryLatestVersions {
    /// Name.
    #[schemars(required)]
    name: Option<String>,
    /// Stages; all when absent.
    #[serde(default)]
    stages: OneOrMany<String>,
}

#[derive(JsonSchema, Serialize)]
pub struct LatestVersions {
    /// The versions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_versions: Vec<ModelVersionOut>,
}

/// GET `registered-models/get-latest-versions`
pub async fn query_latest_versions(
    context: Context,
    Input(request): Input<QueryLatestVersions>,
) -> Result<Json<LatestVersions>> {
    latest_versions(&context, request.name.as_ref(), &request.stages.0).await
}

/// POST `registered-models/get-latest-versions`
pub async fn get_latest_versions(
    context: Context,
    Input(request): Input<GetLatestVersions>,
) -> Result<Json<LatestVersions>> {
    latest_versions(&context, request.name.as_ref(), &request.stages.0).await
}

/// The newest version of each stage, or of those asked for.
async fn latest_versions(context: &Context, name: Option<&String>, stages: &[String]) -> Result<Json<LatestVersions>> {
    let name = checked_name("name", name)?;
    let (access, plain) = context.registered_model(name).await?;
    let (model, mut latest) = with_latest(context, &access, name, &plain).await?;
    let stages = stages.iter().map(|stage| parse_stage(stage)).collect::<Result<Vec<Stage>>>()?;
    latest.retain(|version| stages.is_empty() || stages.contains(&version.stage));
    let versions = latest.iter().map(|version| ModelVersionOut::of_model(context, &model, version));
    Ok(Json(LatestVersions { model_versions: versions.collect() }))
}

/// A stage by name, in any case.
pub fn parse_stage(text: &str) -> Result<Stage> {
    Stage::parse(text).ok_or_else(|| {
        Error::invalid(format!(
            "Invalid Model Version stage: {text}. Value must be one of None, Staging, Production, Archived."
        ))
    })
}

/// Do the tags of a request make a prompt?
pub fn asks_for_prompt(tags: &BTreeMap<String, String>) -> bool {
    tags.get(PROMPT_TAG).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}
