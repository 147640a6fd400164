//! A proxy before DynamoDB that does to chosen requests what networks and AWS do to some.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use local::emulators::dynamodb;
use local::serve::{self, DropConnection};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::hub::{Hub, listen, loopback};

/// Longer than any attempt of the SDK.
pub const FOREVER: Duration = Duration::from_secs(30);
const WRITES: [&str; 5] = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"];

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// 400 `ThrottlingException`; not applied.
    Throttle,
    /// 400 `ProvisionedThroughputExceededException`; not applied.
    Exceeded,
    /// 500 `InternalServerError`; not applied.
    Broken,
    /// No answer, not applied.
    Hang,
    /// Applied and answered so much later.
    Slow(Duration),
    /// Applied; the connection closes without an answer.
    LostAnswer,
    /// No answer; applied so much later.
    Late(Duration),
    /// Refused because another transaction is at work on the item; dynoxide never does.
    Conflict,
    /// Applied, and answered with 500 `InternalServerError` all the same.
    BrokenAfterwards,
    /// Applied; the answer is 200 with something that is no JSON.
    Garbage,
    /// Applied; the connection breaks in the middle of the answer.
    Truncated,
    /// Applied; the checksum of the answer does not fit.
    WrongChecksum,
    /// Of a `BatchGetItem` the first key alone is answered; other requests are.
    Unprocessed,
    /// Of a `BatchGetItem` no key is answered; other requests are.
    Unread,
    /// A transaction is refused because it would make an item too large; dynoxide says that in another way.
    TooLarge,
}

/// What a storm does.
const STORM: [Fault; 13] = [
    Fault::Throttle,
    Fault::Exceeded,
    Fault::Broken,
    Fault::Hang,
    Fault::Slow(Duration::from_millis(400)),
    Fault::LostAnswer,
    Fault::Late(Duration::from_millis(300)),
    Fault::Late(Duration::from_millis(2_000)),
    Fault::BrokenAfterwards,
    Fault::Garbage,
    Fault::Truncated,
    Fault::WrongChecksum,
    Fault::Unprocessed,
];

struct Plan {
    fault: Fault,
    /// Name of an operation, as `PutItem`; `None`: any.
    operation: Option<&'static str>,
    /// What the request's body contains.
    needle: String,
    /// How many requests pass before the first is hit.
    skip: u32,
    /// How many are hit; `None`: all until `heal`.
    left: Option<u32>,
    hits: u32,
}

/// Hits requests of all kinds by chance.
struct Storm {
    random: StdRng,
    /// Of a request to be hit.
    chance: f64,
    hits: u32,
}

/// A handle on the proxy; clones share it.
#[derive(Clone)]
pub struct Injector {
    plans: Arc<Mutex<Vec<Plan>>>,
    client: reqwest::Client,
    primary: String,
    /// A second database, behind in time, which answers the Queries of indexes.
    replica: String,
    lag_ms: Arc<AtomicU64>,
    storm: Arc<Mutex<Option<Storm>>>,
    replay: mpsc::UnboundedSender<(Instant, HeaderMap, Bytes)>,
    /// Held while a write is under way, so that it is replayed in its order.
    order: Arc<tokio::sync::Mutex<()>>,
    _stop: Arc<watch::Sender<bool>>,
}

impl Injector {
    /// A hub behind a new injector that injects nothing yet.
    pub async fn with_hub() -> (Hub, Self) {
        let mut started = None;
        let hub = Hub::on(|dynamodb| async {
            let (injector, url) = Self::start(dynamodb);
            started = Some(injector);
            url
        });
        let hub = hub.await;
        (hub, started.unwrap())
    }

    fn start(primary: String) -> (Self, String) {
        let (stop, stopped) = watch::channel(false);
        let listener = serve::bind(loopback(), "").unwrap();
        let replica = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(dynamodb::serve(listener, dynamodb::open(None).unwrap(), stopped.clone()));
        let (replay, mut writes) = mpsc::unbounded_channel();
        let injector = Self {
            plans: Arc::default(),
            client: shared::http_client::client(),
            primary,
            replica,
            lag_ms: Arc::default(),
            storm: Arc::default(),
            replay,
            order: Arc::default(),
            _stop: stop.into(),
        };
        let (client, url) = (injector.client.clone(), injector.replica.clone());
        tokio::spawn(async move {
            while let Some((due, headers, body)) = writes.recv().await {
                tokio::time::sleep_until(due).await;
                client.post(&url).headers(headers).body(body).send().await.unwrap();
            }
        });
        let handler = injector.clone();
        let router = Router::new().fallback(move |request: Request| {
            let injector = handler.clone();
            async move { injector.handle(request).await }
        });
        (injector, listen(router, stopped))
    }

    /// Hits every request whose body contains `needle`, until `heal`.
    pub fn always(&self, fault: Fault, needle: &str) {
        self.plan(Plan { fault, operation: None, needle: needle.to_owned(), skip: 0, left: None, hits: 0 });
    }

    /// Hits the next `times` requests of an operation whose body contains `needle`.
    pub fn next(&self, times: u32, fault: Fault, operation: &'static str, needle: &str) {
        let (operation, needle) = (Some(operation), needle.to_owned());
        self.plan(Plan { fault, operation, needle, skip: 0, left: Some(times), hits: 0 });
    }

    /// Hits the writes whose body contains `needle`, except the first `skip`, until `heal`.
    pub fn writes_after(&self, skip: u32, fault: Fault, needle: &str) {
        self.plan(Plan { fault, operation: Some("write"), needle: needle.to_owned(), skip, left: None, hits: 0 });
    }

    fn plan(&self, plan: Plan) {
        self.plans.lock().unwrap().push(plan);
    }

    /// Ends the faults that were planned for `needle`; answers how many requests they hit.
    pub fn heal(&self, needle: &str) -> u32 {
        let mut plans = self.plans.lock().unwrap();
        let hits = plans.iter().filter(|plan| plan.needle == needle).map(|plan| plan.hits).sum();
        plans.retain(|plan| plan.needle != needle);
        hits
    }

    /// From now on indexes are so far behind.
    pub fn delay_indexes(&self, lag: Duration) {
        self.lag_ms.store(u64::try_from(lag.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// From now on every request meets some fault with this chance.
    pub fn begin_storm(&self, seed: u64, chance: f64) {
        *self.storm.lock().unwrap() = Some(Storm { random: StdRng::seed_from_u64(seed), chance, hits: 0 });
    }

    /// Ends it; answers how many requests it hit.
    pub fn end_storm(&self) -> u32 {
        self.storm.lock().unwrap().take().map_or(0, |storm| storm.hits)
    }

    fn take(&self, operation: &str, body: &str) -> Option<Fault> {
        if let Some(storm) = &mut *self.storm.lock().unwrap()
            && storm.random.random_bool(storm.chance)
        {
            storm.hits += 1;
            return Some(STORM[storm.random.random_range(0..STORM.len())]);
        }
        // The cache of access has its own tests.
        if body.contains("TOKEN#") {
            return None;
        }
        let mut plans = self.plans.lock().unwrap();
        let fits = |plan: &Plan| match plan.operation {
            Some("write") => WRITES.contains(&operation),
            only => only.is_none_or(|only| only == operation),
        };
        let plan = plans.iter_mut().find(|plan| plan.left != Some(0) && fits(plan) && body.contains(&plan.needle))?;
        if plan.skip > 0 {
            plan.skip -= 1;
            return None;
        }
        plan.left = plan.left.map(|left| left - 1);
        plan.hits += 1;
        Some(plan.fault)
    }

    async fn handle(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let target = parts.headers["x-amz-target"].to_str().unwrap().to_owned();
        let operation = target.rsplit('.').next().unwrap().to_owned();
        let text = String::from_utf8_lossy(&body).into_owned();
        match self.take(&operation, &text) {
            None => self.pass(&operation, parts.headers, body).await,
            Some(Fault::Throttle) => {
                refusal(StatusCode::BAD_REQUEST, "com.amazon.coral.availability#ThrottlingException", json!({}))
            }
            Some(Fault::Exceeded) => {
                let kind = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
                refusal(StatusCode::BAD_REQUEST, kind, json!({}))
            }
            Some(Fault::Broken) => {
                let kind = "com.amazonaws.dynamodb.v20120810#InternalServerError";
                refusal(StatusCode::INTERNAL_SERVER_ERROR, kind, json!({}))
            }
            Some(Fault::Hang) => {
                tokio::time::sleep(FOREVER).await;
                dropped()
            }
            Some(Fault::Slow(delay)) => {
                tokio::time::sleep(delay).await;
                self.pass(&operation, parts.headers, body).await
            }
            Some(Fault::LostAnswer) => {
                self.pass(&operation, parts.headers, body).await;
                dropped()
            }
            Some(Fault::Late(delay)) => {
                let injector = self.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    injector.pass(&operation, parts.headers, body).await;
                });
                tokio::time::sleep(FOREVER).await;
                dropped()
            }
            Some(fault @ (Fault::Conflict | Fault::TooLarge)) if operation == "TransactWriteItems" => {
                let items = text.matches("\"TableName\"").count();
                let mut reasons = vec![json!({"Code": "None"}); items];
                reasons[0] = match fault {
                    Fault::Conflict => json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing"}),
                    _ => json!({"Code": "ValidationError", "Message": "Item size to update has exceeded the maximum"}),
                };
                let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
                refusal(StatusCode::BAD_REQUEST, kind, json!({"CancellationReasons": reasons}))
            }
            Some(Fault::Conflict) => {
                let kind = "com.amazonaws.dynamodb.v20120810#TransactionConflictException";
                refusal(StatusCode::BAD_REQUEST, kind, json!({}))
            }
            Some(Fault::BrokenAfterwards) => {
                self.pass(&operation, parts.headers, body).await;
                let kind = "com.amazonaws.dynamodb.v20120810#InternalServerError";
                refusal(StatusCode::INTERNAL_SERVER_ERROR, kind, json!({}))
            }
            Some(Fault::Garbage) => {
                let mut response = self.pass(&operation, parts.headers, body).await;
                *response.body_mut() = Body::from("<html>Welcome to the hotel's network</html>");
                response
            }
            Some(Fault::Truncated) => truncated(self.pass(&operation, parts.headers, body).await).await,
            Some(Fault::WrongChecksum) => {
                let mut response = self.pass(&operation, parts.headers, body).await;
                response.headers_mut().insert("x-amz-crc32", 1.into());
                response
            }
            Some(Fault::Unprocessed) if operation == "BatchGetItem" => self.first_key(parts.headers, &body).await,
            Some(Fault::Unread) if operation == "BatchGetItem" => {
                let mut response = Response::new(Body::empty());
                let request: Value = serde_json::from_slice(&body).unwrap();
                let answer = json!({"Responses": {}, "UnprocessedKeys": request["RequestItems"]});
                *response.body_mut() = Body::from(answer.to_string());
                response
            }
            Some(Fault::Unprocessed | Fault::Unread | Fault::TooLarge) => {
                self.pass(&operation, parts.headers, body).await
            }
        }
    }

    /// Answers a `BatchGetItem` for the first key, and says that the others were not looked at.
    async fn first_key(&self, headers: HeaderMap, body: &Bytes) -> Response {
        let mut request: Value = serde_json::from_slice(body).unwrap();
        let mut left = json!({});
        for (table, wanted) in request["RequestItems"].as_object_mut().unwrap() {
            let keys = wanted["Keys"].as_array_mut().unwrap();
            let others = keys.split_off(1);
            if !others.is_empty() {
                let mut rest = wanted.clone();
                rest["Keys"] = Value::Array(others);
                left[table] = rest;
            }
        }
        let response = self.pass("BatchGetItem", headers, Bytes::from(request.to_string())).await;
        let (parts, body) = response.into_parts();
        let mut answer: Value = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
        answer["UnprocessedKeys"] = left;
        Response::from_parts(parts, Body::from(answer.to_string()))
    }

    async fn pass(&self, operation: &str, headers: HeaderMap, body: Bytes) -> Response {
        let is_write = WRITES.contains(&operation);
        let lag = self.lag_ms.load(Ordering::SeqCst);
        if operation == "CreateTable" {
            self.forward(&self.replica, &headers, &body).await;
        }
        if operation == "Query" && lag > 0 && String::from_utf8_lossy(&body).contains("\"IndexName\"") {
            return self.forward(&self.replica, &headers, &body).await;
        }
        let _order = if is_write { Some(self.order.lock().await) } else { None };
        let response = self.forward(&self.primary, &headers, &body).await;
        if is_write && response.status().is_success() {
            let due = Instant::now() + Duration::from_millis(lag);
            self.replay.send((due, clean(&headers), body)).unwrap();
        }
        response
    }

    async fn forward(&self, url: &str, headers: &HeaderMap, body: &Bytes) -> Response {
        let answer = self.client.post(url).headers(clean(headers)).body(body.clone()).send().await.unwrap();
        let (status, headers) = (answer.status(), clean(answer.headers()));
        let mut response = Response::new(Body::from(answer.bytes().await.unwrap()));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

/// The answer's first half; then the connection breaks.
pub fn halved(headers: HeaderMap, bytes: Bytes) -> Response {
    let half = bytes.slice(..bytes.len() / 2);
    let broken = Err(std::io::Error::other("injected"));
    let mut response = Response::new(Body::from_stream(futures::stream::iter([Ok(half), broken])));
    *response.headers_mut() = headers;
    response.headers_mut().insert(header::CONTENT_LENGTH, bytes.len().into());
    response
}

async fn truncated(response: Response) -> Response {
    let (parts, body) = response.into_parts();
    halved(parts.headers, body.collect().await.unwrap().to_bytes())
}

/// Headers without those that belong to one connection.
pub fn clean(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in [header::HOST, header::CONTENT_LENGTH, header::CONNECTION, header::TRANSFER_ENCODING] {
        headers.remove(name);
    }
    headers
}

/// No answer: the connection closes.
pub fn dropped() -> Response {
    let mut response = Response::default();
    response.extensions_mut().insert(DropConnection);
    response
}

fn refusal(status: StatusCode, kind: &str, mut body: Value) -> Response {
    body["__type"] = json!(kind);
    body["message"] = json!("injected");
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/x-amz-json-1.0")
        .body(Body::from(body.to_string()))
        .unwrap()
}
