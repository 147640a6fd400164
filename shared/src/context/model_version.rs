//! A model version as requests name it.

use super::Context;
use crate::auth::Access;
use crate::error::{Error, Result};
use crate::model::{ModelVersion, RegisteredModel, validation};
use crate::store::no_version;

/// The name of a model and the number of a version, checked for their form.
pub struct VersionRef<'a> {
    name: &'a str,
    pub number: u64,
    /// The number as the client is told of it.
    shown: String,
}

impl<'a> VersionRef<'a> {
    /// `Invalid` if the name cannot be a model's, or the version is no integer.
    pub fn parse(name: &'a str, version: &str) -> Result<Self> {
        validation::registered_model_name("name", name)?;
        let (number, shown) = validation::version_number(version)?;
        Ok(Self { name, number, shown })
    }

    /// Access to the owner, and the model's plain name.
    pub async fn owner(&self, context: &Context) -> Result<(Access, String)> {
        context.registered_model(self.name).await.map_err(|error| self.told(error))
    }

    /// The model and the version.
    pub async fn read(
        &self,
        context: &Context,
        access: &Access,
        plain: &str,
    ) -> Result<(RegisteredModel, ModelVersion)> {
        let wanted = |model: &RegisteredModel| model.stages.get(self.number).map(|_| self.number).into_iter().collect();
        let found = context.store().find_registered_model(access, plain, wanted).await?;
        let (model, versions) = found.ok_or_else(|| self.missing())?;
        let version = versions.into_iter().next().ok_or_else(|| self.missing())?;
        Ok((model, version))
    }

    /// `error`, unless something is missing: model or version, it is told as this version.
    pub fn told(&self, error: Error) -> Error {
        match error {
            Error::NotFound(_) => self.missing(),
            other => other,
        }
    }

    fn missing(&self) -> Error {
        no_version(self.name, &self.shown)
    }
}
