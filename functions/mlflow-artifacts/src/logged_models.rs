//! Artifacts of a logged model, addressed by the model.

use std::sync::Arc;

use axum::http::request::Parts;
use schemars::JsonSchema;
use serde::Deserialize;
use shared::Result;
use shared::auth::Access;
use shared::context::Context;
use shared::extract::{Input, Json, Path, Query, required};
use shared::model::{ArtifactPath, Experiment, Holder};
use shared::objects::ObjectKey;

use crate::download::{self, Answer};
use crate::listing::{FileList, list};
use crate::runs::shown_path;

#[derive(Deserialize)]
pub struct Model {
    pub model_id: String,
}

impl Model {
    /// Access to the model's owner, and its experiment.
    pub async fn open(&self, context: &Context) -> Result<(Access, Arc<Experiment>)> {
        let (access, experiment) = context.logged_model(&self.model_id).await?;
        Ok((access, context.known_experiment(experiment).await?))
    }
}

#[derive(Deserialize, JsonSchema)]
pub struct Directory {
    /// Directory; the root when absent.
    artifact_directory_path: Option<String>,
}

/// GET `2.0/mlflow/logged-models/<id>/artifacts/directories`
pub async fn list_logged_model_artifacts(
    context: Context,
    Path(model): Path<Model>,
    Input(request): Input<Directory>,
) -> Result<Json<FileList>> {
    let path = ArtifactPath::parse(request.artifact_directory_path.as_deref().unwrap_or_default())?;
    let (access, experiment) = model.open(&context).await?;
    list(&context, &access, &experiment, Holder::LoggedModel(&model.model_id), &path).await
}

#[derive(Deserialize, JsonSchema)]
pub struct File {
    /// Path of the file.
    #[schemars(required)]
    artifact_file_path: Option<String>,
}

/// GET, HEAD `2.0/mlflow/logged-models/<id>/artifacts/files`
pub async fn get_logged_model_artifact(
    context: Context,
    Path(model): Path<Model>,
    Query(query): Query<File>,
    request: Parts,
) -> Result<Answer> {
    let path = ArtifactPath::parse(required("artifact_file_path", query.artifact_file_path.as_ref())?)?;
    let (access, experiment) = model.open(&context).await?;
    let inner = ArtifactPath::of_holder(Holder::LoggedModel(&model.model_id)).join(&path);
    let key = ObjectKey::of_artifact(&access, &experiment, &inner)?;
    download::answer(&context, &key, &shown_path(&context, &experiment, &inner), &request).await
}
