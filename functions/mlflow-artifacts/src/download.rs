//! The answer to who asks for an artifact.

use std::time::Duration;

use axum::http::Method;
use axum::http::header::IF_NONE_MATCH;
use axum::http::request::Parts;
use bytes::Bytes;
use shared::context::Context;
pub use shared::download::Answer;
use shared::download::{attachment, is_known, media_type, wanted_range};
use shared::extract::BODY_LIMIT;
use shared::objects::{Found, ObjectKey, PresignedUrl, download_life};
use shared::{Error, Result};

/// The file at `key`, which the client knows as `path` (mlflow.md B.8, C.2).
///
/// # Errors
/// `NotFound` if nothing is there, `Invalid` if it is a directory.
pub async fn answer(context: &Context, key: &ObjectKey, path: &str, request: &Parts) -> Result<Answer> {
    let objects = &context.state.objects;
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    let is_head = request.method == Method::HEAD;
    // Asked for beforehand, because a large file leaves by a URL that knows no conditions.
    if is_head || request.headers.contains_key(IF_NONE_MATCH) {
        let Some(info) = objects.head(key).await? else { return Err(no_file(context, key, path).await) };
        if is_known(&request.headers, info.etag.as_deref()) {
            return Ok(Answer::Unchanged(info));
        }
        if is_head {
            return Ok(Answer::Here { name, info, bytes: Bytes::new() });
        }
    }
    match objects.get(key, wanted_range(&request.headers), BODY_LIMIT).await? {
        Some(Found::Small(object)) => Ok(Answer::Here { name, info: object.info, bytes: object.bytes }),
        Some(Found::Large(info)) => presign(context, key, &name, download_life(info.size)).await.map(Answer::Elsewhere),
        None => Err(no_file(context, key, path).await),
    }
}

/// A URL that downloads the file at `key`, which the client knows by `name`, as [`Answer::Here`] would.
pub async fn presign(context: &Context, key: &ObjectKey, name: &str, life: Duration) -> Result<PresignedUrl> {
    context.state.objects.presign_get(key, &media_type(name), &attachment(name), life).await
}

/// Why there is no file at `key`.
pub async fn no_file(context: &Context, key: &ObjectKey, path: &str) -> Error {
    match context.state.objects.is_directory(key).await {
        Ok(true) => Error::invalid(format!("Artifact path refers to a directory, not a file: '{path}'")),
        Ok(false) => Error::not_found(format!("No such artifact: '{path}'")),
        Err(error) => error,
    }
}
