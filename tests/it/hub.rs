//! The assembled hub on real emulators, called without a socket in between.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use local::aws::{AwsService, EndpointVariables};
use local::emulators::{dynamodb, s3};
use local::gitlab::{CATALOG_TOKEN, World};
use local::hub::{self, Backends};
use local::serve;
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::gitlab::Token;
use shared::state::AppState;
use tokio::sync::watch;
use tower::ServiceExt;

pub const DEVELOPER: &str = "glpat-local-developer";
pub const GUEST: &str = "glpat-local-guest";
pub const OUTSIDER: &str = "glpat-local-outsider";
pub const READ_ONLY: &str = "glpat-local-developer-ro";

/// The view of one project.
pub const FLOOD: &str = "/mlflow/earth/flood-model/tracking";
/// The view of every project.
pub const GLOBAL: &str = "/mlflow";

/// One instance of the hub, its emulators and its GitLab.
#[derive(Clone)]
pub struct Hub {
    pub world: World,
    pub state: AppState,
    pub router: Router,
    pub clock: Clock,
    pub backends: Backends,
    _stop: std::sync::Arc<watch::Sender<bool>>,
    _folder: std::sync::Arc<tempfile::TempDir>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: bytes::Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    /// The body of a success.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", String::from_utf8_lossy(&self.bytes));
        self.json()
    }

    /// MLflow's error code.
    pub fn code(&self) -> String {
        self.json()["error_code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Hub {
    pub async fn start() -> Self {
        Self::on(|dynamodb| async move { dynamodb }).await
    }

    /// With something between the hub and DynamoDB: `between` gets DynamoDB's URL and answers the one to use.
    pub async fn on<F: Future<Output = String>>(between: impl FnOnce(String) -> F) -> Self {
        // With RUST_LOG=error a failed test shows what the hub logged.
        let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "off".into());
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().without_time().try_init();
        let world = World::load(None).unwrap();
        let (stop, stopped) = watch::channel(false);
        let gitlab_url = listen(local::gitlab::router(world.clone()), stopped.clone());
        let folder = tempfile::tempdir().unwrap();
        // Other services where the environment names them; what they hold outlives a test, so each test has its own.
        let others = EndpointVariables::read(|name| std::env::var(name).ok());
        let other =
            |endpoint| AwsService::Endpoint { endpoint, credentials: others.credentials, region: others.region };
        let own_name = || format!("perigee-{}", uuid::Uuid::new_v4());
        let (s3, bucket) = match others.s3.clone() {
            Some(endpoint) => (other(endpoint), own_name()),
            None => {
                let endpoint = listen(s3::router(folder.path()).unwrap(), stopped.clone());
                (AwsService::Embedded { endpoint }, hub::BUCKET.to_owned())
            }
        };
        let (dynamodb, table) = match others.dynamodb.clone() {
            Some(endpoint) => (other(between(endpoint).await), own_name()),
            None => {
                let listener = serve::bind(loopback(), "").unwrap();
                let endpoint = format!("http://{}", listener.local_addr().unwrap());
                tokio::spawn(dynamodb::serve(listener, dynamodb::open(None).unwrap(), stopped));
                (AwsService::Embedded { endpoint: between(endpoint).await }, hub::TABLE.to_owned())
            }
        };
        let clock = Clock::default();
        let backends = Backends {
            dynamodb,
            s3,
            table,
            bucket,
            gitlab_url,
            public_url: "http://127.0.0.1".into(),
            token_key: "a key of the tests".into(),
            sync_token: Token::parse(CATALOG_TOKEN).ok(),
            clock: clock.clone(),
        };
        let state = hub::state(&backends).await.map_err(|error| error.to_string()).unwrap();
        let router = hub::router(&state);
        Self { world, state, router, clock, backends, _stop: stop.into(), _folder: folder.into() }
    }

    /// Another instance on the same table, bucket and GitLab: nothing in memory, a clock of its own.
    pub async fn beside(&self) -> Self {
        let clock = Clock::default();
        let backends = Backends { clock: clock.clone(), ..self.backends.clone() };
        let state = hub::state(&backends).await.map_err(|error| error.to_string()).unwrap();
        let router = hub::router(&state);
        Self {
            world: self.world.clone(),
            state,
            router,
            clock,
            backends,
            _stop: self._stop.clone(),
            _folder: self._folder.clone(),
        }
    }

    /// Sends a request.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    /// Calls as a token's owner; a body makes it JSON.
    pub async fn call(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    /// POST to an MLflow endpoint of the project `earth/flood-model`, as its developer.
    pub async fn post(&self, endpoint: &str, body: Value) -> Answer {
        self.call(DEVELOPER, Method::POST, &format!("{FLOOD}/api/2.0/mlflow/{endpoint}"), Some(body)).await
    }

    /// GET from it.
    pub async fn get(&self, endpoint: &str) -> Answer {
        self.call(DEVELOPER, Method::GET, &format!("{FLOOD}/api/2.0/mlflow/{endpoint}"), None).await
    }

    /// A new experiment's id.
    pub async fn new_experiment(&self, name: &str) -> String {
        let created = self.post("experiments/create", json!({"name": name})).await.ok();
        created["experiment_id"].as_str().unwrap().to_owned()
    }

    /// A new run's id.
    pub async fn new_run(&self, experiment: &str) -> String {
        let body = json!({"experiment_id": experiment, "start_time": self.clock.now_ms()});
        let created = self.post("runs/create", body).await.ok();
        created["run"]["info"]["run_id"].as_str().unwrap().to_owned()
    }

    /// A run as `runs/get` answers it.
    pub async fn run(&self, id: &str) -> Value {
        self.get(&format!("runs/get?run_id={id}")).await.ok()["run"].clone()
    }
}

/// A client for looking into the hub's table, past the hub.
pub async fn table(hub: &Hub) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(&hub.backends.dynamodb.sdk_config().await)
}

pub fn loopback() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

/// Serves a router on a free port; its root URL.
pub fn listen(router: Router, stop: watch::Receiver<bool>) -> String {
    let listener = serve::bind(loopback(), "").unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve::serve(listener, router, stop));
    format!("http://{address}")
}
