//! Files that come in parts, which the client puts straight to S3 (mlflow.md C.1), below `2.0/mlflow-artifacts/mpu`.
//!
//! The URL names the artifact directory, which decides access; the body's `path` is the client's local
//! path, of which only the file's name counts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::context::Context;
use shared::download::media_type;
use shared::extract::{Empty, Input, Integer, Json, Many, Path, missing, required};
use shared::model::ArtifactPath;
use shared::objects::{MOST_PARTS, ObjectKey, Part, PresignedUrl};
use shared::{Error, Result};

use crate::proxy::{FilePath, writable};

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "CreateMultipartUpload")]
pub struct Create {
    /// The client's local path, of which only the file name counts.
    #[schemars(required)]
    path: Option<String>,
    /// Number of parts.
    #[schemars(required)]
    num_parts: Option<Integer>,
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "MultipartUpload")]
pub struct Created {
    /// Id of the upload.
    upload_id: String,
    /// A URL for each part.
    credentials: Vec<Credential>,
}

/// Where to put a part.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "PartCredential")]
struct Credential {
    /// A URL that works for whoever has it, until it ends.
    url: PresignedUrl,
    /// Number of the part, from 1.
    part_number: usize,
    /// What the client must send with it: nothing.
    headers: Empty,
}

/// POST `2.0/mlflow-artifacts/mpu/create/<directory>`
pub async fn create_multipart_upload(
    context: Context,
    Path(directory): Path<FilePath>,
    Input(request): Input<Create>,
) -> Result<Json<Created>> {
    let file = file_in(&directory, request.path.as_ref())?;
    let Integer(parts) = request.num_parts.ok_or_else(|| missing("num_parts"))?;
    let parts = u16::try_from(parts).ok().filter(|parts| (1..=MOST_PARTS).contains(parts)).ok_or_else(|| {
        Error::invalid(format!(
            "num_parts must be between 1 and {MOST_PARTS} (got {parts}); MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE sets the \
             bytes of a part."
        ))
    })?;
    let key = writable(&context, &file).await?;
    let upload = context.state.objects.create_upload(&key, &media_type(file.name()), parts).await?;
    let credentials =
        (1..).zip(upload.urls).map(|(part_number, url)| Credential { url, part_number, headers: Empty {} });
    Ok(Json(Created { upload_id: upload.id, credentials: credentials.collect() }))
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "CompleteMultipartUpload")]
pub struct Complete {
    /// As when it was created.
    #[schemars(required)]
    path: Option<String>,
    /// Id of the upload.
    #[schemars(required)]
    upload_id: Option<String>,
    /// All parts.
    #[serde(default)]
    #[schemars(required, length(min = 1))]
    parts: Many<CompletedPart>,
}

/// A part's `url`, which clients send too, says nothing that we do not know.
#[derive(Deserialize, JsonSchema)]
struct CompletedPart {
    /// Number of the part, from 1.
    #[schemars(required)]
    part_number: Option<Integer>,
    /// `ETag` of S3's answer to the part.
    #[schemars(required)]
    etag: Option<String>,
}

impl CompletedPart {
    fn read(self) -> Result<Part> {
        let Integer(number) = self.part_number.ok_or_else(|| missing("part_number"))?;
        let etag = required("etag", self.etag.as_ref())?.to_owned();
        match i32::try_from(number) {
            Ok(number) if (1..=i32::from(MOST_PARTS)).contains(&number) => Ok(Part { number, etag }),
            _ => Err(Error::invalid(format!("part_number must be between 1 and {MOST_PARTS} (got {number})."))),
        }
    }
}

/// POST `2.0/mlflow-artifacts/mpu/complete/<directory>`: the parts become the file; again is no error
pub async fn complete_multipart_upload(
    context: Context,
    Path(directory): Path<FilePath>,
    Input(request): Input<Complete>,
) -> Result<Json<Empty>> {
    let (key, id) = upload_of(&context, &directory, request.path.as_ref(), request.upload_id.as_ref()).await?;
    let parts = request.parts.0.into_iter().map(CompletedPart::read).collect::<Result<Vec<_>>>()?;
    if parts.is_empty() {
        return Err(missing("parts"));
    }
    if parts.len() > usize::from(MOST_PARTS) {
        return Err(Error::invalid(format!("An upload has at most {MOST_PARTS} parts (got {}).", parts.len())));
    }
    context.state.objects.complete_upload(&key, id, &parts).await?;
    Ok(Json(Empty {}))
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "AbortMultipartUpload")]
pub struct Abort {
    /// As when it was created.
    #[schemars(required)]
    path: Option<String>,
    /// Id of the upload.
    #[schemars(required)]
    upload_id: Option<String>,
}

/// POST `2.0/mlflow-artifacts/mpu/abort/<directory>`: again is no error
pub async fn abort_multipart_upload(
    context: Context,
    Path(directory): Path<FilePath>,
    Input(request): Input<Abort>,
) -> Result<Json<Empty>> {
    let (key, id) = upload_of(&context, &directory, request.path.as_ref(), request.upload_id.as_ref()).await?;
    context.state.objects.abort_upload(&key, id).await?;
    Ok(Json(Empty {}))
}

/// The place of an upload that has begun, and its id.
async fn upload_of<'a>(
    context: &Context,
    directory: &FilePath,
    local: Option<&String>,
    id: Option<&'a String>,
) -> Result<(ObjectKey, &'a str)> {
    let file = file_in(directory, local)?;
    let id = required("upload_id", id)?;
    Ok((writable(context, &file).await?, id))
}

/// The file of an upload: the name of the client's local file in the artifact directory.
fn file_in(directory: &FilePath, local: Option<&String>) -> Result<ArtifactPath> {
    let directory = directory.parse()?;
    let local = required("path", local)?;
    let name = ArtifactPath::parse_file(local.rsplit(['/', '\\']).next().unwrap_or_default())?;
    // An escaped slash would put the file elsewhere than the URL says.
    if name.as_str() != name.name() {
        return Err(Error::invalid("Invalid path"));
    }
    Ok(directory.join(&name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn file(directory: &str, local: &str) -> Result<String> {
        let directory = FilePath { path: directory.into() };
        file_in(&directory, Some(&local.to_owned())).map(|file| file.as_str().to_owned())
    }

    #[test]
    fn of_a_local_path_only_the_name_counts() {
        for (local, name) in [
            ("weights.bin", "weights.bin"),
            ("/home/me/weights.bin", "weights.bin"),
            ("../../../etc/passwd", "passwd"),
            ("C:\\data\\weights.bin", "weights.bin"),
            ("\\\\host\\share\\größe 1.bin", "größe 1.bin"),
            ("a/../b", "b"),
        ] {
            assert_eq!(file("7/r/artifacts/d", local).unwrap(), format!("7/r/artifacts/d/{name}"), "{local}");
        }
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        for local in ["", "/", "d/", "..", "a/..", "%2e%2e", "a%2fb", "a%252Fb", "a%5Cb", "a#b", "C:", "d/."] {
            assert!(matches!(file("7/r/artifacts", local), Err(Error::Invalid(_))), "{local:?}");
        }
        assert!(matches!(file("7/../8", "a"), Err(Error::Invalid(_))));
    }
}
