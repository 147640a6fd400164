//! The answer to who asks for a file: its bytes, what is known of it, or where to fetch it.

mod disposition;
mod media_type;
mod request;

use std::convert::Infallible;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    LAST_MODIFIED, LOCATION, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;

use crate::objects::{ObjectInfo, PresignedUrl};

pub use disposition::attachment;
pub use media_type::media_type;
pub use request::{is_known, part_of, wanted_range};

/// How a file is given.
pub enum Answer {
    /// Whole, a part of it or, to a HEAD, without its bytes.
    Here { name: String, info: ObjectInfo, bytes: Bytes },
    /// More than the gateway carries: to be fetched from S3.
    Elsewhere(PresignedUrl),
    /// The client has it already.
    Unchanged(ObjectInfo),
    /// To a HEAD: a file that has not been looked into, so that its size may not be known.
    Described { name: String, media_type: String, etag: String, size: Option<u64> },
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
            Self::Described { name, media_type, etag, size } => {
                // A body without a known size: else an empty one would be announced.
                let mut response = Response::new(Body::from_stream(stream::empty::<Result<Bytes, Infallible>>()));
                let headers = response.headers_mut();
                insert(headers, CONTENT_DISPOSITION, Some(&attachment(&name)));
                insert(headers, CONTENT_TYPE, Some(&media_type));
                insert(headers, ETAG, Some(&etag));
                if let Some(size) = size {
                    headers.insert(CONTENT_LENGTH, HeaderValue::from(size));
                }
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
