//! The hub's router over the chosen backends.

use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use shared::catalog::default_categories;
use shared::clock::Clock;
use shared::config::Config;
use shared::dialect::{Dialect, RequestId};
use shared::documents::cors;
use shared::gitlab::Token;
use shared::log::{Line, Source};
use shared::record::recorded;
use shared::route::{assemble, no_such_endpoint, render};
use shared::state::AppState;
use tower::ServiceExt;

use crate::aws::AwsService;
use crate::groups::groups;
use crate::start::StartError;

/// Names that nobody has to choose locally.
pub const TABLE: &str = "perigee";
pub const BUCKET: &str = "perigee-artifacts";

/// What the hub is built on; the rest of its settings are environment variables.
#[derive(Debug, Clone)]
pub struct Backends {
    pub dynamodb: AwsService,
    pub s3: AwsService,
    pub table: String,
    pub bucket: String,
    /// Without a slash at the end.
    pub gitlab_url: String,
    /// Where clients reach the hub, without a slash at the end.
    pub public_url: String,
    /// Secret of page tokens and of the credential cache.
    pub token_key: String,
    /// With which the catalog reads GitLab; without one there is no catalog.
    pub sync_token: Option<Token>,
    /// Time, which tests let pass.
    pub clock: Clock,
}

/// Everything that handlers need, over `backends`. Table and bucket exist when this returns.
pub async fn state(backends: &Backends) -> Result<AppState, StartError> {
    let config = Config::with_defaults(&Config {
        table: backends.table.clone(),
        bucket: backends.bucket.clone(),
        gitlab_url: backends.gitlab_url.clone(),
        public_url: backends.public_url.clone(),
        token_key: backends.token_key.clone(),
        members_only: false,
        read_api_writes: false,
        anonymous: true,
        sync_token: backends.sync_token.clone(),
        webhook_secret: None,
        categories: default_categories(),
    });
    let mut config = config.map_err(|error| StartError::Settings(error.to_string()))?;
    // Chosen already, from the command line first.
    config.gitlab_url.clone_from(&backends.gitlab_url);
    let (dynamodb, s3) = (backends.dynamodb.sdk_config().await, backends.s3.sdk_config().await);
    let state = AppState::new(config, &dynamodb, &s3, backends.clock.clone());
    let state = state.map_err(|error| StartError::Settings(error.to_string()))?;
    let storage = |name| move |error: shared::Error| StartError::Storage { name, message: error.to_string() };
    state.store.create_table().await.map_err(storage("table"))?;
    state.objects.create_bucket().await.map_err(storage("bucket"))?;
    Ok(state)
}

/// All endpoint groups.
pub fn router(state: &AppState) -> Router {
    let global = groups().into_iter().filter(|group| group.base == "/mlflow").flat_map(|group| group.routes).collect();
    let mlflow =
        Router::new().nest("/mlflow", assemble(global, state)).fallback_service(mlflow_project::project_views(state));
    let mlflow = render(mlflow, Dialect::Mlflow);
    let others = stac_catalog::service(state)
        .merge(file_download::service(state))
        .merge(catalog_sync::service(state))
        .merge(api_docs::service(state));
    let others = cors(render(others.fallback(no_such_endpoint), Dialect::Detail));
    // Each part speaks its own dialect, also of paths that it does not know.
    Router::new().fallback_service(tower::service_fn(move |request: Request| {
        let part = match Dialect::of(request.uri().path()) {
            Dialect::Mlflow => &mlflow,
            Dialect::Detail => &others,
        };
        part.clone().oneshot(request)
    }))
}

/// The hub's refusal of a body that the gateway would not carry.
pub fn too_large(request: &Request) -> Response {
    Dialect::of(request.uri().path()).render(&shared::extract::too_large(), "")
}

/// Writes a request's line to the log and, where `show_cost`, says in `Server-Timing`, which browsers show, what the
/// answer cost in DynamoDB.
pub async fn record(State(show_cost): State<bool>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let request_id = uuid::Uuid::new_v4().to_string();
    request.extensions_mut().insert(RequestId(request_id.clone()));
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let (mut response, done) = recorded(next.run(request)).await;
    if show_cost {
        let used = &done.usage;
        let cost = format!(
            "dynamodb;desc=\"{} requests, {} write units, {} read units\"",
            used.requests, used.writes, used.reads
        );
        if let Ok(cost) = HeaderValue::from_str(&cost) {
            response.headers_mut().insert("server-timing", cost);
        }
    }
    let status = response.status().as_u16();
    let (duration, now_ms) = (begun.elapsed(), Clock::default().now_ms());
    let line = Line { request_id, lambda_id: None, method, path, status, duration, cold_start: false, done, now_ms };
    line.trace(&Source { function: "local".to_owned(), stack: None });
    response
}
