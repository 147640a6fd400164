//! Aliases of model versions (mlflow.md B.7).

use schemars::JsonSchema;
use serde::Deserialize;
use shared::context::{Context, VersionRef};
use shared::extract::{Empty, Input, Json, required};
use shared::model::{RegisteredModel, validation};
use shared::store::no_registered_model;
use shared::{Error, Result};

use crate::registered_models::named;
use crate::wire::{ModelVersionOut, OneVersion};

#[derive(Deserialize, JsonSchema)]
pub struct Alias {
    /// Name of the registered model.
    #[schemars(required)]
    name: Option<String>,
    /// Alias.
    #[schemars(required)]
    alias: Option<String>,
    /// The version that it shall name; needed to set one only.
    version: Option<String>,
}

impl Alias {
    fn name_and_alias(&self) -> Result<(&str, &str)> {
        Ok((required("name", self.name.as_ref())?, required("alias", self.alias.as_ref())?))
    }
}

/// POST `registered-models/alias`: points it at a version, wherever it pointed before
pub async fn set_registered_model_alias(context: Context, Input(request): Input<Alias>) -> Result<Json<Empty>> {
    let (name, alias) = request.name_and_alias()?;
    let version = required("version", request.version.as_ref())?;
    validation::registered_model_name("name", name)?;
    validation::new_alias(alias)?;
    let version = VersionRef::parse(name, version)?;
    let (access, plain) = version.owner(&context).await?;
    let set = context.store().set_alias(&access, &plain, alias, Some(version.number)).await;
    set.map_err(|error| version.told(error))?;
    Ok(Json(Empty {}))
}

/// DELETE `registered-models/alias`: it need not be there
pub async fn delete_registered_model_alias(context: Context, Input(request): Input<Alias>) -> Result<Json<Empty>> {
    let (name, alias) = request.name_and_alias()?;
    validation::registered_model_name("name", name)?;
    validation::alias(alias)?;
    let (access, plain) = context.registered_model(name).await?;
    let deleted = context.store().set_alias(&access, &plain, alias, None).await;
    deleted.map_err(|error| named(error, name, &plain))?;
    Ok(Json(Empty {}))
}

/// GET `registered-models/alias`; `latest` is every model's newest version
pub async fn get_model_version_by_alias(context: Context, Input(request): Input<Alias>) -> Result<Json<OneVersion>> {
    let (name, alias) = request.name_and_alias()?;
    validation::registered_model_name("name", name)?;
    validation::alias(alias)?;
    let (access, plain) = context.registered_model(name).await?;
    let wanted = |model: &RegisteredModel| version_at(model, alias).into_iter().collect();
    let found = context.store().find_registered_model(&access, &plain, wanted).await?;
    let (model, versions) = found.ok_or_else(|| no_registered_model(name))?;
    let version = versions.first().ok_or_else(|| no_alias(name, alias))?;
    Ok(Json(OneVersion { model_version: ModelVersionOut::of_model(&context, &model, version) }))
}

/// The version that an alias stands for.
pub fn version_at(model: &RegisteredModel, alias: &str) -> Option<u64> {
    if alias.eq_ignore_ascii_case(validation::LATEST) {
        return model.stages.numbers().next_back();
    }
    model.aliases.get(alias).copied()
}

/// There is no such alias: a mistake in the request, in the stock server's view.
pub fn no_alias(name: &str, alias: &str) -> Error {
    if alias.eq_ignore_ascii_case(validation::LATEST) {
        return Error::not_found(format!("Latest version not found for model {name}."));
    }
    Error::invalid(format!("Registered model alias {alias} not found."))
}
