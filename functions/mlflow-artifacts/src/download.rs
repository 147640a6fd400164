//! The answer that carries a file.

use axum::http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_RANGE, LAST_MODIFIED,
    RANGE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use shared::context::Context;
use shared::extract::BODY_LIMIT;
use shared::objects::{ObjectInfo, ObjectKey};
use shared::{Error, Result};

use crate::disposition::attachment;
use crate::media_type::media_type;

/// A file, a part of one, or what a HEAD tells of it.
pub struct Answer {
    name: String,
    info: ObjectInfo,
    bytes: Bytes,
}

/// The file at `key`, which the client knows as `path`.
///
/// # Errors
/// `NotFound` if nothing is there, `Invalid` if it is a directory, `TooLarge` beyond the gateway's limit.
pub async fn answer(context: &Context, key: &ObjectKey, path: &str, request: &Parts) -> Result<Answer> {
    let objects = &context.state.objects;
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    if request.method == Method::HEAD {
        if let Some(info) = objects.head(key).await? {
            return Ok(Answer { name, info, bytes: Bytes::new() });
        }
    } else if let Some(object) = objects.get(key, wanted_range(&request.headers), BODY_LIMIT).await? {
        return Ok(Answer { name, info: object.info, bytes: object.bytes });
    }
    if objects.is_directory(key).await? {
        return Err(Error::invalid(format!("Artifact path refers to a directory, not a file: '{path}'")));
    }
    Err(Error::not_found(format!("No such artifact: '{path}'")))
}

/// One range of bytes; anything else is answered with the whole file, as HTTP allows.
fn wanted_range(headers: &HeaderMap) -> Option<&str> {
    let range = headers.get(RANGE)?.to_str().ok()?;
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let is_number = |text: &str| text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_range = is_number(first) && is_number(last) && !(first.is_empty() && last.is_empty());
    (is_range && !headers.contains_key(IF_RANGE)).then_some(range)
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = if self.info.content_range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
        let mut response = (status, self.bytes).into_response();
        let headers = response.headers_mut();
        // A browser must neither show a file under our address nor guess what it is.
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(self.info.size));
        insert(headers, CONTENT_DISPOSITION, Some(&attachment(&self.name)));
        insert(headers, CONTENT_TYPE, Some(&media_type(&self.name)));
        insert(headers, CONTENT_RANGE, self.info.content_range.as_deref());
        insert(headers, ETAG, self.info.etag.as_deref());
        insert(headers, LAST_MODIFIED, self.info.last_modified.as_deref());
        response
    }
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
        for other in ["bytes=-", "bytes=a-b", "bytes=0-1,3-4", "lines=0-1", "bytes", "bytes=0-99999999999999999999"] {
            assert_eq!(range(other), None, "{other}");
        }
    }
}
