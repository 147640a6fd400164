//! URLs by which clients fetch and put files at S3 themselves (mlflow.md B.8, C.2).

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::context::Context;
use shared::download::media_type;
use shared::extract::{Empty, Input, Integer, Json, Path, missing, required};
use shared::model::{ArtifactPath, Holder};
use shared::objects::{ObjectKey, PresignedUrl, download_life};
use shared::{Error, Result};

use crate::download::{no_file, presign};
use crate::logged_models::Model;
use crate::proxy::FilePath;

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "PresignedArtifact")]
pub struct Download {
    /// A URL that works for whoever has it, until it ends.
    url: PresignedUrl,
    /// What the client must send with it: nothing, so that a browser can just go there.
    headers: Empty,
    /// Bytes.
    file_size: u64,
}

/// GET `2.0/mlflow-artifacts/presigned/<path>`
pub async fn get_presigned_download_url(context: Context, Path(file): Path<FilePath>) -> Result<Json<Download>> {
    let path = file.parse()?;
    let (experiment_id, inner) = path.split_first().ok_or_else(|| missing("path"))?;
    let (access, experiment) = context.experiment(experiment_id).await?;
    let key = ObjectKey::of_artifact(&access, &experiment, &inner)?;
    let Some(info) = context.state.objects.head(&key).await? else {
        return Err(no_file(&context, &key, path.as_str()).await);
    };
    let url = presign(&context, &key, path.name(), download_life(info.size)).await?;
    Ok(Json(Download { url, headers: Empty {}, file_size: info.size }))
}

/// Seconds that a URL may be asked to live in the stock server, which is what S3 allows.
const EXPIRATIONS: std::ops::RangeInclusive<i64> = 1..=604_800;
/// The longest that ours live, and those for which no time was asked: to upload and to download.
const UPLOAD_LIFE: Duration = Duration::from_secs(900);
const DOWNLOAD_LIFE: Duration = Duration::from_secs(300);

/// How long a URL lives for which the client asked for so many seconds.
fn life(expiration: Option<Integer>, longest: Duration) -> Result<Duration> {
    let Some(Integer(seconds)) = expiration else { return Ok(longest) };
    match u64::try_from(seconds) {
        Ok(wanted) if EXPIRATIONS.contains(&seconds) => Ok(Duration::from_secs(wanted).min(longest)),
        _ => Err(Error::invalid(format!("expiration must be between 1 and 604800 seconds (got {seconds})."))),
    }
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "CreatePresignedUpload")]
pub struct CreateUpload {
    /// Id of the run; this or `model_id`.
    run_id: Option<String>,
    /// Id of the logged model; this or `run_id`.
    model_id: Option<String>,
    /// Path of the file or directory.
    #[schemars(required)]
    path: Option<String>,
    /// Seconds that the URL is wanted for.
    expiration: Option<Integer>,
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "PresignedUpload")]
pub struct UploadUrl {
    /// A URL that works for whoever has it, until it ends.
    presigned_url: PresignedUrl,
    /// Headers that the client must send with it.
    headers: UploadHeaders,
}

/// What the client must send with its PUT.
#[derive(JsonSchema, Serialize)]
struct UploadHeaders {
    /// Media type that was signed.
    #[serde(rename = "Content-Type")]
    content_type: String,
}

/// POST `2.0/mlflow/artifacts/presigned-upload-url`: one file of a run or of a logged model
pub async fn create_presigned_upload_url(
    context: Context,
    Input(request): Input<CreateUpload>,
) -> Result<Json<UploadUrl>> {
    let path = required("path", request.path.as_ref())?;
    let given = |id: Option<String>| id.filter(|id| !id.is_empty());
    let (run, model) = (given(request.run_id), given(request.model_id));
    if run.is_some() == model.is_some() {
        return Err(Error::invalid("Exactly one of run_id and model_id must be provided."));
    }
    let path = ArtifactPath::parse_file(path)?;
    let life = life(request.expiration, UPLOAD_LIFE)?;
    let (root, (access, experiment)) = match (run, model) {
        (Some(run), _) => (ArtifactPath::of_holder(Holder::Run(&run)), context.run(&run).await?),
        (_, model) => {
            let model = Model { model_id: model.unwrap_or_default() };
            (ArtifactPath::of_holder(Holder::LoggedModel(&model.model_id)), model.open(&context).await?)
        }
    };
    let key = ObjectKey::of_artifact(&access, &experiment, &root.join(&path))?;
    let content_type = media_type(path.name());
    let presigned_url = context.state.objects.presign_put(&key, &content_type, life).await?;
    Ok(Json(UploadUrl { presigned_url, headers: UploadHeaders { content_type } }))
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "CreatePresignedDownload")]
pub struct CreateDownload {
    /// Id of the run.
    #[schemars(required)]
    run_id: Option<String>,
    /// Path of the file or directory.
    #[schemars(required)]
    path: Option<String>,
    /// Seconds that the URL is wanted for.
    expiration: Option<Integer>,
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "PresignedDownload")]
pub struct DownloadUrl {
    /// A URL that works for whoever has it, until it ends.
    presigned_url: PresignedUrl,
    /// Bytes.
    file_size: u64,
}

/// POST `2.0/mlflow/artifacts/presigned-download-url`: one file of a run
pub async fn create_presigned_download_url(
    context: Context,
    Input(request): Input<CreateDownload>,
) -> Result<Json<DownloadUrl>> {
    let run = required("run_id", request.run_id.as_ref())?;
    let path = ArtifactPath::parse(required("path", request.path.as_ref())?)?;
    let life = life(request.expiration, DOWNLOAD_LIFE)?;
    let (access, experiment) = context.run(run).await?;
    let inner = ArtifactPath::of_holder(Holder::Run(run)).join(&path);
    let key = ObjectKey::of_artifact(&access, &experiment, &inner)?;
    let Some(info) = context.state.objects.head(&key).await? else {
        return Err(no_file(&context, &key, path.as_str()).await);
    };
    let presigned_url = presign(&context, &key, path.name(), life).await?;
    Ok(Json(DownloadUrl { presigned_url, file_size: info.size }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_url_lives_as_asked_and_not_longer_than_its_use() {
        let seconds = |expiration: Option<i64>| life(expiration.map(Integer), DOWNLOAD_LIFE).map(|life| life.as_secs());
        assert_eq!((seconds(None), seconds(Some(1)), seconds(Some(604_800))), (Ok(300), Ok(1), Ok(300)));
        for refused in [0, -1, 604_801, i64::MAX, i64::MIN] {
            let text = seconds(Some(refused)).unwrap_err().to_string();
            assert_eq!(text, format!("expiration must be between 1 and 604800 seconds (got {refused})."));
        }
    }
}
