//! The gateway's limit on bodies, so that what works here works behind API Gateway and Lambda.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http_body_util::{BodyExt, Limited};
use hyper::body::Body as _;
use shared::answer::unsendable;
use shared::dialect::Dialect;
use shared::extract::BODY_LIMIT;

/// Bytes that are read and thrown away before an oversized request is refused. A client that is still sending when
/// the connection closes sees a broken pipe instead of the answer.
const DRAIN_LIMIT: usize = 512 * 1024 * 1024;

/// Applies the limit to both directions of `router`. Requests beyond it are answered by `too_large`.
pub fn gateway(router: Router, too_large: fn(&Request) -> Response) -> Router {
    router.layer(middleware::from_fn(move |request: Request, next: Next| async move {
        let (request, oversized) = match measure(request).await {
            Ok(sized) => sized,
            Err(response) => return response,
        };
        if oversized {
            return too_large(&request);
        }
        let path = request.uri().path().to_owned();
        limit_answer(next.run(request).await, &path).await
    }))
}

/// Reads the body whole, as Lambda gets it; true when it is too large, and then thrown away.
async fn measure(request: Request) -> Result<(Request, bool), Response> {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return Ok((Request::from_parts(parts, body), false));
    }
    if body.size_hint().lower() <= BODY_LIMIT as u64 {
        let mut kept = Vec::new();
        let mut body = body;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| StatusCode::BAD_REQUEST.into_response())?;
            if let Some(data) = frame.data_ref() {
                if kept.len() + data.len() > BODY_LIMIT {
                    drain(body).await;
                    return Ok((Request::from_parts(parts, Body::empty()), true));
                }
                kept.extend_from_slice(data);
            }
        }
        return Ok((Request::from_parts(parts, Body::from(kept)), false));
    }
    drain(body).await;
    Ok((Request::from_parts(parts, Body::empty()), true))
}

async fn drain(mut body: Body) {
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, bytes::Bytes::len);
        if read > DRAIN_LIMIT {
            return;
        }
    }
}

/// An answer beyond the limit becomes what a function says instead.
async fn limit_answer(response: Response, path: &str) -> Response {
    let (parts, body) = response.into_parts();
    if body.size_hint().exact().is_some_and(|size| size <= BODY_LIMIT as u64) {
        return Response::from_parts(parts, body);
    }
    match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(whole) => Response::from_parts(parts, Body::from(whole.to_bytes())),
        Err(error) => {
            let error = unsendable(error.as_ref());
            tracing::error!(path, %error, "request failed");
            Dialect::of(path).render(&error, "")
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::routing::post;
    use tower::ServiceExt;

    use super::*;

    /// Answers a body of the size that the request's text names, after reading a body of any size.
    fn hub() -> Router {
        let sized = async |request: Request| {
            let text = request.into_body().collect().await.unwrap().to_bytes();
            let size = std::str::from_utf8(&text).ok().and_then(|text| text.trim().parse().ok());
            vec![b'x'; size.unwrap_or(text.len())]
        };
        gateway(Router::new().route("/", post(sized)), crate::hub::too_large)
    }

    async fn send(body: Body) -> (u16, usize) {
        let request = Request::post("/").body(body).unwrap();
        let response = hub().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        (status, response.into_body().collect().await.unwrap().to_bytes().len())
    }

    fn streamed(chunks: usize) -> Body {
        let chunk = bytes::Bytes::from(vec![b'x'; 100_000]);
        Body::from_stream(futures::stream::iter((0..chunks).map(move |_| Ok::<_, std::io::Error>(chunk.clone()))))
    }

    #[tokio::test]
    async fn requests_up_to_the_limit_pass() {
        assert_eq!(send(Body::empty()).await, (200, 0));
        assert_eq!(send(Body::from(vec![b'x'; BODY_LIMIT])).await, (200, BODY_LIMIT));
        assert_eq!(send(streamed(45)).await, (200, BODY_LIMIT));
        assert_eq!(send(Body::from(vec![b'x'; BODY_LIMIT + 1])).await.0, 413);
        assert_eq!(send(streamed(46)).await.0, 413);
    }

    #[tokio::test]
    async fn answers_beyond_the_limit_are_refused() {
        assert_eq!(send(Body::from(BODY_LIMIT.to_string())).await, (200, BODY_LIMIT));
        assert_eq!(send(Body::from((BODY_LIMIT + 1).to_string())).await.0, 413);
    }
}
