//! The GitLab stand-in behind something that listens in and interferes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{HeaderMap, StatusCode, header};
use tokio::sync::watch;

use crate::hub::{Hub, listen};

/// What happens to the bytes of files and archives.
#[derive(Clone, Debug, PartialEq)]
pub enum Mood {
    Well,
    /// The connection breaks after so many bytes.
    Breaks(usize),
    /// Nothing more comes after so many bytes.
    Hangs(usize),
    /// Files are elsewhere.
    Redirects(String),
    /// This status, and a body that nobody may see.
    Status(u16),
    /// Sizes are not told.
    Chunked,
}

/// What was asked, of files' and archives' bytes only: path with query, and headers.
pub type Heard = Arc<Mutex<Vec<(String, HeaderMap)>>>;

#[derive(Clone)]
pub struct Upstream {
    pub heard: Heard,
    pub mood: Arc<Mutex<Mood>>,
    _stop: Arc<watch::Sender<bool>>,
}

impl Upstream {
    /// An instance beside `hub` that reaches GitLab through this.
    pub async fn before(hub: &Hub) -> (Hub, Self) {
        let (stop, stopped) = watch::channel(false);
        let heard = Heard::default();
        let mood = Arc::new(Mutex::new(Mood::Well));
        let upstream = Self { heard, mood, _stop: stop.into() };
        let inside = upstream.clone();
        let router = local::gitlab::router(hub.world.clone());
        let router = router.layer(middleware::from_fn(move |request: Request, next: Next| {
            let inside = inside.clone();
            async move { inside.answer(request, next).await }
        }));
        let mut other = hub.clone();
        other.backends.gitlab_url = listen(router, stopped);
        (other.beside().await, upstream)
    }

    pub fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Ranges that were asked for since the last time, `-` for all bytes.
    pub fn ranges(&self) -> Vec<String> {
        let heard = std::mem::take(&mut *self.heard.lock().unwrap());
        let range = |headers: &HeaderMap| headers.get(header::RANGE).map_or("-".into(), text);
        heard.iter().map(|(_, headers)| range(headers)).collect()
    }

    async fn answer(&self, request: Request, next: Next) -> Response {
        let path = request.uri().path().to_owned();
        if !path.ends_with("/raw") && !path.contains("/repository/archive") {
            return next.run(request).await;
        }
        self.heard.lock().unwrap().push((request.uri().to_string(), request.headers().clone()));
        let mood = self.mood.lock().unwrap().clone();
        match mood {
            Mood::Well => next.run(request).await,
            Mood::Breaks(after) => {
                let end = stream::once(async { Err(std::io::Error::other("broken")) });
                cut(next.run(request).await, after, end.boxed())
            }
            Mood::Hangs(after) => cut(next.run(request).await, after, stream::pending().boxed()),
            Mood::Redirects(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
            Mood::Status(status) => {
                let body = "secret detail of http://gitlab.internal/api/v4";
                let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
                if status == 429 {
                    response.headers_mut().insert(header::RETRY_AFTER, 7.into());
                }
                response
            }
            Mood::Chunked => {
                let size = usize::MAX;
                cut(next.run(request).await, size, stream::empty().boxed())
            }
        }
    }
}

type Rest = stream::BoxStream<'static, std::io::Result<Bytes>>;

/// The first bytes of an answer, then something else.
fn cut(response: Response, after: usize, rest: Rest) -> Response {
    let (parts, body) = response.into_parts();
    let size = body.size_hint().exact();
    let mut left = after;
    let first = body.into_data_stream().map(move |chunk| {
        let chunk = chunk.map_err(std::io::Error::other)?;
        let taken = chunk.slice(..chunk.len().min(left));
        left -= taken.len();
        Ok(taken)
    });
    // Time for what was sent to arrive before the connection breaks.
    let pause = stream::once(async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        Ok(Bytes::new())
    });
    let mut response = Response::from_parts(parts, Body::from_stream(first.chain(pause).chain(rest)));
    // As if nothing were amiss.
    if let Some(size) = size.filter(|_| after < usize::MAX) {
        response.headers_mut().insert(header::CONTENT_LENGTH, size.into());
    }
    response
}

fn text(value: &http::HeaderValue) -> String {
    value.to_str().unwrap().to_owned()
}
