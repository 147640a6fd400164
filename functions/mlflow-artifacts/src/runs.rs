//! Artifacts of a run, addressed by the run.

use axum::extract::Request;
use axum::http::request::Parts;
use schemars::JsonSchema;
use serde::Deserialize;
use shared::context::Context;
use shared::download::media_type;
use shared::extract::{Input, Json, Query, read_body, required};
use shared::model::{ArtifactPath, Experiment, Holder};
use shared::objects::ObjectKey;
use shared::{Error, Result};

use crate::download::{self, Answer};
use crate::listing::{FileList, list};

/// A place among a run's artifacts. `run_uuid` is the old name of `run_id`; clients send either or both.
#[derive(Deserialize, JsonSchema)]
pub struct RunArtifact {
    /// Id of the run.
    run_id: Option<String>,
    /// The old name of `run_id`.
    run_uuid: Option<String>,
    /// Path below the run's artifacts.
    path: Option<String>,
}

impl RunArtifact {
    fn run(&self) -> Result<&str> {
        let run_id = self.run_id.as_ref().filter(|id| !id.is_empty());
        required("run_id", run_id.or(self.run_uuid.as_ref()))
    }
}

/// GET `2.0/mlflow/artifacts/list`
pub async fn list_artifacts(context: Context, Input(request): Input<RunArtifact>) -> Result<Json<FileList>> {
    let run = request.run()?;
    let path = ArtifactPath::parse(request.path.as_deref().unwrap_or_default())?;
    let (access, experiment) = context.run(run).await?;
    list(&context, &access, &experiment, Holder::Run(run), &path).await
}

/// GET, HEAD `get-artifact`
pub async fn get_artifact(context: Context, Query(query): Query<RunArtifact>, request: Parts) -> Result<Answer> {
    let run = query.run()?;
    let path = ArtifactPath::parse(required("path", query.path.as_ref())?)?;
    let (access, experiment) = context.run(run).await?;
    let inner = ArtifactPath::of_holder(Holder::Run(run)).join(&path);
    let key = ObjectKey::of_artifact(&access, &experiment, &inner)?;
    download::answer(&context, &key, &shown_path(&context, &experiment, &inner), &request).await
}

/// POST `upload-artifact`: the web UI's way to store a file
pub async fn upload_artifact(context: Context, Query(query): Query<RunArtifact>, request: Request) -> Result<()> {
    let given = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
    let run = given(&query.run_uuid).ok_or_else(|| Error::invalid("Request must specify run_uuid."))?;
    let path = given(&query.path).ok_or_else(|| Error::invalid("Request must specify path."))?;
    let path = ArtifactPath::parse_file(&path)?;
    let bytes = read_body(request.into_body()).await?;
    if bytes.is_empty() {
        return Err(Error::invalid("Request must specify data."));
    }
    let (access, experiment) = context.run(&run).await?;
    let inner = ArtifactPath::of_holder(Holder::Run(&run)).join(&path);
    let key = ObjectKey::of_artifact(&access, &experiment, &inner)?;
    context.state.objects.put(&key, bytes, &media_type(path.name())).await
}

/// A path within an experiment as this view addresses it.
pub fn shown_path(context: &Context, experiment: &Experiment, inner: &ArtifactPath) -> String {
    format!("{}/{}", context.shown_id(experiment), inner.as_str())
}
