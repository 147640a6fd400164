//! A proxy before S3 that does to chosen requests, or to some by chance, what networks and S3 do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use base64::Engine;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::BodyExt;
use local::aws::AwsService;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::watch;

use super::injector::{FOREVER, clean, dropped, halved};
use crate::hub::{Hub, listen};

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum S3Fault {
    /// 503 `SlowDown`; not applied.
    SlowDown,
    /// 500 `InternalError`; not applied.
    Broken,
    /// No answer; not applied.
    Hang,
    /// Applied and answered so much later.
    Slow(Duration),
    /// Applied; the connection closes without an answer.
    LostAnswer,
    /// Applied, and answered with 500 all the same.
    BrokenAfterwards,
    /// Applied; the connection breaks in the middle of the answer.
    Truncated,
    /// Applied; the answer is 200 with a page of somebody in between.
    Garbage,
    /// Applied; a byte of the answer is another one than its checksum says.
    Flipped,
}

/// What a storm does; an answer that never comes would only take time.
const STORM: [S3Fault; 7] = [
    S3Fault::SlowDown,
    S3Fault::Broken,
    S3Fault::Slow(Duration::from_millis(500)),
    S3Fault::LostAnswer,
    S3Fault::BrokenAfterwards,
    S3Fault::Truncated,
    S3Fault::Flipped,
];

/// What is planned.
enum Plan {
    /// Nothing.
    Calm,
    /// The next requests of a method.
    Next { times: u32, method: Method, fault: S3Fault },
    /// Any request, with this chance.
    Storm { random: Box<StdRng>, chance: f64 },
}

/// A handle on the proxy; clones share it.
#[derive(Clone)]
pub struct S3Injector {
    plan: Arc<Mutex<Plan>>,
    hits: Arc<Mutex<u32>>,
    client: reqwest::Client,
    upstream: String,
    _stop: Arc<watch::Sender<bool>>,
}

impl S3Injector {
    /// The hub again, as an instance behind a new injector.
    pub async fn before(hub: &Hub) -> (Hub, Self) {
        let (stop, stopped) = watch::channel(false);
        let client = shared::http_client::builder().redirect(reqwest::redirect::Policy::none()).build();
        let injector = Self {
            plan: Arc::new(Mutex::new(Plan::Calm)),
            hits: Arc::default(),
            client: client.unwrap(),
            upstream: hub.backends.s3.endpoint().unwrap().to_owned(),
            _stop: stop.into(),
        };
        let handler = injector.clone();
        let router = Router::new().fallback(move |request: Request| {
            let injector = handler.clone();
            async move { injector.handle(request).await }
        });
        let mut behind = hub.clone();
        behind.backends.s3 = AwsService::Embedded { endpoint: listen(router, stopped) };
        (behind.beside().await, injector)
    }

    /// Hits the next `times` requests with this method.
    pub fn next(&self, times: u32, method: Method, fault: S3Fault) {
        *self.plan.lock().unwrap() = Plan::Next { times, method, fault };
    }

    /// From now on every request meets some fault with this chance.
    pub fn begin_storm(&self, seed: u64, chance: f64) {
        let random = StdRng::seed_from_u64(seed).into();
        *self.plan.lock().unwrap() = Plan::Storm { random, chance };
    }

    /// Ends what is planned; answers how many requests were hit since the last time.
    pub fn heal(&self) -> u32 {
        *self.plan.lock().unwrap() = Plan::Calm;
        std::mem::take(&mut self.hits.lock().unwrap())
    }

    fn take(&self, asked: &Method) -> Option<S3Fault> {
        let fault = match &mut *self.plan.lock().unwrap() {
            Plan::Next { times, method, fault } if *times > 0 && method == asked => {
                *times -= 1;
                Some(*fault)
            }
            Plan::Storm { random, chance } => {
                random.random_bool(*chance).then(|| STORM[random.random_range(0..STORM.len())])
            }
            _ => None,
        };
        *self.hits.lock().unwrap() += u32::from(fault.is_some());
        fault
    }

    async fn handle(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let Ok(body) = body.collect().await.map(|body| body.to_bytes()) else { return dropped() };
        let fault = self.take(&parts.method);
        match fault {
            Some(S3Fault::SlowDown) => return refusal(StatusCode::SERVICE_UNAVAILABLE, "SlowDown"),
            Some(S3Fault::Broken) => return refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
            Some(S3Fault::Hang) => {
                tokio::time::sleep(FOREVER).await;
                return dropped();
            }
            Some(S3Fault::Slow(delay)) => tokio::time::sleep(delay).await,
            _ => {}
        }
        let url = format!("{}{}", self.upstream, parts.uri);
        // The signature is over the address that the hub knows.
        let mut headers = clean(&parts.headers);
        headers.insert(header::HOST, parts.headers[header::HOST].clone());
        let answer = self.client.request(parts.method.clone(), url).headers(headers).body(body).send().await.unwrap();
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        let length = headers.remove(header::CONTENT_LENGTH);
        headers = clean(&headers);
        let bytes = answer.bytes().await.unwrap();
        match fault {
            Some(S3Fault::LostAnswer) => return dropped(),
            Some(S3Fault::BrokenAfterwards) => return refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
            Some(S3Fault::Truncated) if bytes.len() > 1 => {
                let mut response = halved(headers, bytes);
                *response.status_mut() = status;
                return response;
            }
            Some(S3Fault::Garbage) => {
                return Response::new(Body::from("<html>Welcome to the hotel's network</html>"));
            }
            Some(S3Fault::Flipped) if parts.method == Method::GET && status == StatusCode::OK && !bytes.is_empty() => {
                return flipped(headers, &bytes);
            }
            _ => {}
        }
        let is_head = parts.method == Method::HEAD;
        let mut response = Response::new(if is_head { Body::empty() } else { Body::from(bytes) });
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        if let (true, Some(length)) = (is_head, length) {
            response.headers_mut().insert(header::CONTENT_LENGTH, length);
        }
        response
    }
}

/// The answer with one bit turned, and the checksum that S3 sends with what it stores.
fn flipped(mut headers: HeaderMap, bytes: &Bytes) -> Response {
    let checksum = base64::engine::general_purpose::STANDARD.encode(crc32(bytes).to_be_bytes());
    headers.insert("x-amz-checksum-crc32", checksum.parse().unwrap());
    headers.insert("x-amz-checksum-type", "FULL_OBJECT".parse().unwrap());
    let mut bytes = bytes.to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let mut response = Response::new(Body::from(bytes));
    *response.headers_mut() = headers;
    response
}

/// CRC-32 as in zip and Ethernet.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
    };
    !bytes.iter().fold(!0, step)
}

fn refusal(status: StatusCode, code: &str) -> Response {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>injected</Message></Error>");
    Response::builder().status(status).header(header::CONTENT_TYPE, "application/xml").body(Body::from(body)).unwrap()
}
