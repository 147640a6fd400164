//! A client of the hub that tries again as MLflow's own does, and counts.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, StatusCode, header};
use serde_json::Value;

const PROJECT: &str = "/mlflow/earth/flood-model/tracking";
const TOKEN: &str = "glpat-local-developer";
/// What MLflow's client sends again.
const RETRIED: [u16; 6] = [408, 429, 500, 502, 503, 504];

/// Calls one or more instances in turn.
pub struct Client {
    http: reqwest::Client,
    /// Root URLs of the instances.
    bases: Vec<String>,
    next: AtomicUsize,
    /// How long one call is tried again.
    patience: Duration,
    pub stats: Mutex<Stats>,
}

/// Latencies of answered tries and kinds of failed ones, by call.
#[derive(Default)]
pub struct Stats {
    /// Microseconds.
    pub answered: BTreeMap<&'static str, Vec<u32>>,
    pub failed: BTreeMap<(&'static str, String), u32>,
    /// Writes that were sent once more although they had been acknowledged.
    pub replayed: u32,
}

/// The end of a call.
#[derive(Debug)]
pub struct Reply {
    /// `None`: given up.
    pub status: Option<StatusCode>,
    pub bytes: Bytes,
    /// Tries without an answer that counts; each of them may have been applied.
    pub unanswered: usize,
}

impl Reply {
    pub fn is_ok(&self) -> bool {
        self.status == Some(StatusCode::OK)
    }

    /// May a try before the last have been applied?
    pub fn retried(&self) -> bool {
        self.unanswered > 0
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }
}

impl Client {
    /// A client of the instances at `bases`, root URLs without a slash at the end.
    pub fn new(bases: Vec<String>, patience: Duration) -> Self {
        let http = shared::http_client::builder().timeout(Duration::from_secs(30)).tcp_nodelay(true).no_proxy();
        // A redirect leads to S3 and is none of the hub's answers.
        let http = http.redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { http, bases, next: AtomicUsize::new(0), patience, stats: Mutex::default() }
    }

    /// POST to an MLflow endpoint.
    pub async fn post(&self, endpoint: &'static str, body: &Value) -> Reply {
        self.mlflow(endpoint, Method::POST, endpoint, body).await
    }

    /// Another method than POST, with a JSON body; `call` is the name in the report.
    pub async fn mlflow(&self, call: &'static str, method: Method, endpoint: &str, body: &Value) -> Reply {
        let path = format!("{PROJECT}/api/2.0/mlflow/{endpoint}");
        self.call(call, method, &path, Some(Bytes::from(body.to_string()))).await
    }

    /// GET of an MLflow endpoint with its query.
    pub async fn get(&self, call: &'static str, endpoint: &str) -> Reply {
        self.call(call, Method::GET, &format!("{PROJECT}/api/2.0/mlflow/{endpoint}"), None).await
    }

    /// The bytes of an artifact, or of one to be put.
    pub async fn artifact(&self, call: &'static str, path: &str, body: Option<Bytes>) -> Reply {
        let method = if body.is_some() { Method::PUT } else { Method::GET };
        self.call(call, method, &format!("{PROJECT}/api/2.0/mlflow-artifacts/artifacts/{path}"), body).await
    }

    /// Sends until there is an answer that counts, or patience ends.
    pub async fn call(&self, call: &'static str, method: Method, path: &str, body: Option<Bytes>) -> Reply {
        let (begun, mut pause, mut unanswered) = (Instant::now(), Duration::from_millis(40), 0);
        loop {
            let base = &self.bases[self.next.fetch_add(1, Ordering::Relaxed) % self.bases.len()];
            let tried = Instant::now();
            let failure = match self.once(base, method.clone(), path, body.clone()).await {
                Ok((status, bytes)) if !RETRIED.contains(&status.as_u16()) => {
                    let micros = u32::try_from(tried.elapsed().as_micros()).unwrap_or(u32::MAX);
                    let mut stats = self.stats.lock().unwrap();
                    stats.answered.entry(call).or_default().push(micros);
                    if status.as_u16() >= 400 {
                        *stats.failed.entry((call, status.as_u16().to_string())).or_default() += 1;
                    }
                    return Reply { status: Some(status), bytes, unanswered };
                }
                Ok((status, _)) => status.as_u16().to_string(),
                Err(error) if error.is_timeout() => "no answer in 30 s".to_owned(),
                Err(_) => "connection lost".to_owned(),
            };
            *self.stats.lock().unwrap().failed.entry((call, failure)).or_default() += 1;
            unanswered += 1;
            if begun.elapsed() + pause >= self.patience {
                return Reply { status: None, bytes: Bytes::new(), unanswered };
            }
            tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..1.0))).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }

    async fn once(
        &self,
        base: &str,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> reqwest::Result<(StatusCode, Bytes)> {
        let mut request = self.http.request(method, format!("{base}{path}")).bearer_auth(TOKEN);
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        Ok((status, answer.bytes().await?))
    }
}

/// A part of a query.
pub fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
