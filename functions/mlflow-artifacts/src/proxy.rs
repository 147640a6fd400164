//! The artifact store as clients address it: `<experiment>/<run>/artifacts/<path>` or
//! `<experiment>/models/<model>/artifacts/<path>`, below `2.0/mlflow-artifacts`.

use axum::extract::Request;
use axum::http::request::Parts;
use schemars::JsonSchema;
use serde::Deserialize;
use shared::auth::Access;
use shared::context::Context;
use shared::download::media_type;
use shared::extract::{Empty, Input, Json, Path, missing, read_body};
use shared::model::{ArtifactPath, Experiment, Holder};
use shared::objects::ObjectKey;
use shared::store::{no_logged_model, no_run};
use shared::{Error, Result};

use crate::download::{self, Answer};
use crate::listing::{FileInfo, FileList};

#[derive(Deserialize, JsonSchema)]
pub struct ListArtifacts {
    /// Directory: `<experiment id>/<run id>/artifacts/<path>`.
    #[schemars(required)]
    path: Option<String>,
}

/// GET `2.0/mlflow-artifacts/artifacts`: base names; nothing for a file or a missing directory
pub async fn list_artifacts(context: Context, Input(request): Input<ListArtifacts>) -> Result<Json<FileList>> {
    let path = ArtifactPath::parse(&request.path.unwrap_or_default())?;
    let (experiment_id, inner) = path.split_first().ok_or_else(|| missing("path"))?;
    let (access, experiment) = context.experiment(experiment_id).await?;
    let directory = ObjectKey::of_artifact(&access, &experiment, &inner)?;
    let entries = context.state.objects.list(&directory).await?;
    Ok(Json(FileList { root_uri: None, files: FileInfo::list(entries, "") }))
}

#[derive(Deserialize)]
pub struct FilePath {
    pub path: String,
}

impl FilePath {
    /// The path, checked; it may name a directory.
    pub fn parse(&self) -> Result<ArtifactPath> {
        ArtifactPath::parse(&self.path)
    }
}

/// GET, HEAD `2.0/mlflow-artifacts/artifacts/<path>`
pub async fn download_artifact(context: Context, Path(file): Path<FilePath>, request: Parts) -> Result<Answer> {
    let path = file.parse()?;
    let (experiment_id, inner) = path.split_first().ok_or_else(|| missing("path"))?;
    let (access, experiment) = context.experiment(experiment_id).await?;
    let key = ObjectKey::of_artifact(&access, &experiment, &inner)?;
    download::answer(&context, &key, path.as_str(), &request).await
}

/// PUT `2.0/mlflow-artifacts/artifacts/<path>`: replaces what is there
pub async fn upload_artifact(context: Context, Path(file): Path<FilePath>, request: Request) -> Result<()> {
    let path = ArtifactPath::parse_file(&file.path)?;
    let key = writable(&context, &path).await?;
    let bytes = read_body(request.into_body()).await?;
    context.state.objects.put(&key, bytes, &media_type(path.name())).await
}

/// The place of a file that the caller may write: `path` names an experiment of theirs, a run or logged
/// model of that experiment, and a file in it.
pub async fn writable(context: &Context, path: &ArtifactPath) -> Result<ObjectKey> {
    let (experiment_id, inner) = path.split_first().ok_or_else(|| missing("path"))?;
    let (holder, name) = inner.holder().ok_or_else(misplaced)?;
    if name.is_root() {
        return Err(misplaced());
    }
    let (access, experiment) = context.experiment_to_use(experiment_id).await?;
    let key = ObjectKey::of_artifact(&access, &experiment, &inner)?;
    check_holder(context, &access, &experiment, holder).await?;
    Ok(key)
}

/// DELETE `2.0/mlflow-artifacts/artifacts/<path>`: a file or a directory; again is no error
pub async fn delete_artifact(context: Context, Path(file): Path<FilePath>) -> Result<Json<Empty>> {
    let path = file.parse()?;
    let (experiment_id, inner) = path.split_first().ok_or_else(|| missing("path"))?;
    inner.holder().ok_or_else(misplaced)?;
    let (access, experiment) = context.experiment(experiment_id).await?;
    let key = ObjectKey::of_artifact(&access, &experiment, &inner)?;
    let objects = &context.state.objects;
    tokio::try_join!(objects.delete(&key), objects.delete_directory(&key))?;
    Ok(Json(Empty {}))
}

/// Files are put only where a run or logged model of that experiment will look for them.
async fn check_holder(context: &Context, access: &Access, experiment: &Experiment, holder: Holder<'_>) -> Result<()> {
    let (owner, missing) = match holder {
        Holder::Run(id) => {
            let owner = context.store().find_run_owner(id).await?;
            (owner.map(|owner| (owner.project, owner.experiment)), no_run(id))
        }
        Holder::LoggedModel(id) => (context.store().find_logged_model_owner(id).await?, no_logged_model(id)),
    };
    if owner == Some((access.project(), experiment.id)) { Ok(()) } else { Err(missing) }
}

fn misplaced() -> Error {
    Error::invalid(
        "Artifacts belong to a run or to a logged model: the path must be <experiment id>/<run id>/artifacts/<file> or \
         <experiment id>/models/<model id>/artifacts/<file>.",
    )
}
