//! Artifacts of a model version, addressed by the version.

use axum::http::request::Parts;
use schemars::JsonSchema;
use serde::Deserialize;
use shared::auth::Access;
use shared::context::{Context, VersionRef};
use shared::extract::{Query, missing};
use shared::model::{ArtifactPath, ExperimentId, Holder, ModelVersion, VersionSource};
use shared::objects::ObjectKey;
use shared::{Error, Result};

use crate::download::{self, Answer};
use crate::runs::shown_path;

#[derive(Deserialize, JsonSchema)]
pub struct VersionArtifact {
    /// Name of the registered model.
    #[schemars(required)]
    name: Option<String>,
    /// Number of the version.
    #[schemars(required)]
    version: Option<String>,
    /// Path below the version's files.
    #[schemars(required)]
    path: Option<String>,
}

/// GET, HEAD `model-versions/get-artifact`
pub async fn get_model_version_artifact(
    context: Context,
    Query(query): Query<VersionArtifact>,
    request: Parts,
) -> Result<Answer> {
    let path = ArtifactPath::parse(query.path.as_deref().ok_or_else(|| missing("path"))?)?;
    let version = VersionRef::parse(query.name.as_deref().unwrap_or_default(), &query.version.unwrap_or_default())?;
    let (access, plain) = version.owner(&context).await?;
    let (_, found) = version.read(&context, &access, &plain).await?;
    let (key, shown) = place(&context, &access, &found, &path).await?;
    download::answer(&context, &key, &shown, &request).await
}

/// Where a file of a version lies, and the path by which this view addresses it. Runs and experiments of other projects
/// hold none (W5).
async fn place(
    context: &Context,
    access: &Access,
    version: &ModelVersion,
    path: &ArtifactPath,
) -> Result<(ObjectKey, String)> {
    let elsewhere = || {
        Error::invalid(
            "The files of this model version lie at a place of its creator's choice (its source), which this hub never \
             touches: use a client of that place.",
        )
    };
    let nothing = || Error::not_found(format!("No such artifact: '{}'", path.as_str()));
    let (experiment, root) = match VersionSource::parse(&version.storage)? {
        VersionSource::Run { run_id, path } => {
            let owner = context.store().find_run_owner(&run_id).await?;
            let owner = owner.filter(|owner| owner.project == access.project()).ok_or_else(nothing)?;
            (owner.experiment, ArtifactPath::of_holder(Holder::Run(&run_id)).join(&path))
        }
        VersionSource::Artifacts { experiment, path } => {
            (ExperimentId(experiment.parse().map_err(|_| nothing())?), path)
        }
        _ => return Err(elsewhere()),
    };
    let found = context.store().find_recent_experiment(experiment).await?;
    let experiment = found.filter(|found| found.owner() == access.project()).ok_or_else(nothing)?.open(access)?;
    let inner = root.join(path);
    let key = ObjectKey::of_artifact(access, &experiment, &inner)?;
    Ok((key, shown_path(context, &experiment, &inner)))
}
