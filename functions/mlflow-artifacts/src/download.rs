//! The answer to who asks for a file: its bytes, what is known of it, or where to fetch it.

use std::time::Duration;

use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, LOCATION, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use shared::context::Context;
use shared::extract::BODY_LIMIT;
use shared::objects::{Found, ObjectInfo, ObjectKey, PresignedUrl, download_life};
use shared::openapi::{Answers, Contract, Schemas, StoredFile};
use shared::{Error, Result};

use crate::disposition::attachment;
use crate::media_type::media_type;

/// How a file is given.
pub enum Answer {
    /// Whole, a part of it or, to a HEAD, without its bytes.
    Here { name: String, info: ObjectInfo, bytes: Bytes },
    /// More than the gateway carries: to be fetched from S3.
    Elsewhere(PresignedUrl),
    /// The client has it already.
    Unchanged(ObjectInfo),
}

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

/// Does the client name the tag of what is there (`If-None-Match`, RFC 9110 13.1.2)?
fn is_known(headers: &HeaderMap, etag: Option<&str>) -> bool {
    fn opaque(tag: &str) -> &str {
        tag.strip_prefix("W/").unwrap_or(tag)
    }
    let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || etag.is_some_and(|etag| opaque(etag) == opaque(tag)))
}

/// One range of bytes; anything else is answered with the whole file, as HTTP allows.
fn wanted_range(headers: &HeaderMap) -> Option<&str> {
    let range = headers.get(RANGE)?.to_str().ok()?;
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let is_number = |text: &str| text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_range = is_number(first)
        && is_number(last)
        && match (first.parse::<u64>(), last.parse::<u64>()) {
            (Ok(first), Ok(last)) => first <= last,
            (first, last) => first.is_ok() || last.is_ok(),
        };
    (is_range && !headers.contains_key(IF_RANGE)).then_some(range)
}

impl Answers for Answer {
    fn answers(contract: &mut Contract, schemas: &mut Schemas) {
        StoredFile::answers(contract, schemas);
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self {
            Self::Here { name, info, bytes } => file(&name, &info, bytes),
            Self::Elsewhere(url) => {
                let mut response = StatusCode::FOUND.into_response();
                insert(response.headers_mut(), LOCATION, Some(url.as_str()));
                // The URL ends before any cache does.
                insert(response.headers_mut(), CACHE_CONTROL, Some("no-store"));
                response
            }
            Self::Unchanged(info) => {
                let mut response = StatusCode::NOT_MODIFIED.into_response();
                insert(response.headers_mut(), ETAG, info.etag.as_deref());
                insert(response.headers_mut(), LAST_MODIFIED, info.last_modified.as_deref());
                response
            }
        }
    }
}

fn file(name: &str, info: &ObjectInfo, bytes: Bytes) -> Response {
    let status = if info.content_range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let mut response = (status, bytes).into_response();
    let headers = response.headers_mut();
    // A browser must neither show a file under our address nor guess what it is.
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(info.size));
    insert(headers, CONTENT_DISPOSITION, Some(&attachment(name)));
    insert(headers, CONTENT_TYPE, Some(&media_type(name)));
    insert(headers, CONTENT_RANGE, info.content_range.as_deref());
    insert(headers, ETAG, info.etag.as_deref());
    insert(headers, LAST_MODIFIED, info.last_modified.as_deref());
    response
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: Option<&str>) {
    if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_plain_range_counts() {
        let range = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, HeaderValue::from_static(text));
            wanted_range(&headers).map(str::to_owned)
        };
        for plain in ["bytes=0-1", "bytes=5-", "bytes=-5"] {
            assert_eq!(range(plain).as_deref(), Some(plain));
        }
        for other in
            ["bytes=-", "bytes=5-4", "bytes=a-b", "bytes=0-1,3-4", "lines=0-1", "bytes", "bytes=0-99999999999999999999"]
        {
            assert_eq!(range(other), None, "{other}");
        }
    }

    #[test]
    fn a_client_knows_what_it_names() {
        let known = |given: &'static str, etag: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static(given));
            is_known(&headers, etag)
        };
        for given in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", "\"b\" ,W/\"a\"", "*"] {
            assert!(known(given, Some("\"a\"")), "{given}");
        }
        for given in ["\"b\"", "a", "", "\"A\""] {
            assert!(!known(given, Some("\"a\"")), "{given}");
        }
        assert!(!known("\"a\"", None) && !is_known(&HeaderMap::new(), Some("\"a\"")));
    }
}
