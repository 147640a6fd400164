//! What all documents of `/api` share on their way out: CORS, ETags, compression, and how long they may be kept.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{
    ACCEPT_RANGES, AUTHORIZATION, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    ETAG, IF_NONE_MATCH, LOCATION, RANGE, RETRY_AFTER, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, Limited};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{Any, CorsLayer};

use crate::download::is_known;
use crate::error::Error;
use crate::extract::BODY_LIMIT;

/// The headers by which a caller says who they are; what they get depends on them.
const CREDENTIALS: [HeaderName; 3] =
    [AUTHORIZATION, HeaderName::from_static("x-gitlab-token"), HeaderName::from_static("private-token")];
/// The same for `Vary`, and the encoding, which the compressing layer names only if there is a body.
const VARIES_BY: &str = "authorization, x-gitlab-token, private-token, accept-encoding";
/// How long a browser remembers what it may ask.
const PREFLIGHT: Duration = Duration::from_secs(600);

/// Who may keep an answer that does not say so itself: nobody, or, where its ETag can be asked about, the caller alone.
pub fn kept(mut response: Response) -> Response {
    let headers = response.headers_mut();
    if !headers.contains_key(CACHE_CONTROL) {
        let kept = if headers.contains_key(ETAG) { "private, no-cache" } else { "no-store" };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
        if headers.contains_key(ETAG) {
            headers.append(VARY, HeaderValue::from_static(VARIES_BY));
        }
    }
    response
}

/// Lets pages of any origin ask with a token in a header, and answers their preflight requests. There are no
/// cookies, so a page can do nothing in a visitor's name that it could not do by itself.
pub fn cors(router: Router) -> Router {
    let asked = [CONTENT_TYPE, IF_NONE_MATCH, RANGE];
    router.layer(
        CorsLayer::new()
            .allow_origin(Any)
            .allow_methods([Method::GET, Method::HEAD, Method::POST])
            .allow_headers(CREDENTIALS.into_iter().chain(asked).collect::<Vec<_>>())
            .expose_headers([
                ETAG,
                CONTENT_DISPOSITION,
                CONTENT_LENGTH,
                CONTENT_RANGE,
                ACCEPT_RANGES,
                LOCATION,
                RETRY_AFTER,
            ])
            .max_age(PREFLIGHT),
    )
}

/// Gives answers to GET and HEAD an ETag, answers 304 to who has them already, and compresses them.
pub fn documents(router: Router) -> Router {
    router.layer(ServiceBuilder::new().layer(CompressionLayer::new()).layer(middleware::from_fn(conditional)))
}

async fn conditional(mut request: Request, next: Next) -> Response {
    let is_head = request.method() == Method::HEAD;
    if !is_head && request.method() != Method::GET {
        return next.run(request).await;
    }
    // The tag is that of the body, which a HEAD would not show.
    *request.method_mut() = Method::GET;
    let headers = request.headers().clone();
    let has_credential = CREDENTIALS.iter().any(|name| headers.contains_key(name));
    let mut response = next.run(request).await;
    if response.extensions().get::<Error>().is_some() {
        // Caches may keep a 404 unasked, but the next caller may see what this one does not.
        response.headers_mut().append(VARY, HeaderValue::from_static(VARIES_BY));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        return response;
    }
    if response.status() != StatusCode::OK {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return Error::internal(format!("the document cannot be sent: {error}")).into_response(),
    };
    describe(&mut parts.headers, &bytes, has_credential);
    if is_known(&headers, parts.headers.get(ETAG).and_then(|tag| tag.to_str().ok())) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(CONTENT_LENGTH);
        parts.headers.remove(CONTENT_TYPE);
        return Response::from_parts(parts, Body::empty());
    }
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    Response::from_parts(parts, if is_head { Body::empty() } else { Body::from(bytes) })
}

fn describe(headers: &mut HeaderMap, bytes: &Bytes, has_credential: bool) {
    if !headers.contains_key(ETAG) {
        let hash = hex::encode(&Sha256::digest(bytes)[..16]);
        // Weak: the same document may come compressed or not.
        if let Ok(tag) = HeaderValue::from_str(&format!("W/\"{hash}\"")) {
            headers.insert(ETAG, tag);
        }
    }
    if !headers.contains_key(CACHE_CONTROL) {
        let kept = if has_credential { "private, no-cache" } else { "public, no-cache" };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
    }
    headers.append(VARY, HeaderValue::from_static(VARIES_BY));
}
