//! Who may do what, over real wires: the GitLab stand-in and the embedded DynamoDB.

mod answers;
mod levels;
mod lifetimes;
mod likeness;
mod outages;
mod scopes;
mod walk;

use std::net::SocketAddr;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use axum::Router;
use http::HeaderMap;
use local::emulators::{ACCESS_KEY, REGION, SECRET_KEY, dynamodb};
use local::gitlab::World;
use local::serve;
use shared::auth::{Access, AccessLevel, Auth, Caller, Subject};
use shared::clock::Clock;
use shared::config::Config;
use shared::gitlab::GitLab;
use shared::model::ProjectId;
use shared::store::Store;
use shared::{Error, Result};
use tokio::sync::watch;

const FLOOD: ProjectId = ProjectId(1);
const LAND_COVER: ProjectId = ProjectId(2);
const NDVI: ProjectId = ProjectId(4);
const SECRET: ProjectId = ProjectId(5);

const SECOND: i64 = 1_000;

/// A stand-in for GitLab, a table, and an instance of the hub's access rules on both.
struct Stage {
    world: World,
    config: Config,
    table: aws_sdk_dynamodb::Client,
    clock: Clock,
    auth: Auth,
    _stop: watch::Sender<bool>,
}

impl Stage {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With changed settings.
    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let world = World::load(None).unwrap();
        let (stop, stopped) = watch::channel(false);
        let gitlab = listen(local::gitlab::router(world.clone()), stopped.clone());
        let listener = serve::bind(loopback(), "").unwrap();
        let table = table_at(listener.local_addr().unwrap());
        tokio::spawn(dynamodb::serve(listener, dynamodb::open(None).unwrap(), stopped));
        let mut config = config(gitlab);
        change(&mut config);
        let clock = Clock::default();
        let store = Store::new(table.clone(), config.table.clone(), clock.clone());
        store.create_table().await.unwrap();
        let auth = Auth::new(&config, GitLab::new(&config.gitlab_url).unwrap(), store).unwrap();
        Self { world, config, table, clock, auth, _stop: stop }
    }

    /// Another instance on the same table and GitLab, with an empty memory and a clock of its own.
    fn instance(&self, clock: &Clock) -> Auth {
        let store = Store::new(self.table.clone(), self.config.table.clone(), clock.clone());
        Auth::new(&self.config, GitLab::new(&self.config.gitlab_url).unwrap(), store).unwrap()
    }

    /// The caller with this token on a route that reads.
    async fn reader(&self, token: &str) -> Result<Caller> {
        Ok(caller(&self.auth, token).await?.for_route(AccessLevel::Guest))
    }

    /// The caller with this token on a route that writes.
    async fn writer(&self, token: &str) -> Result<Caller> {
        Ok(caller(&self.auth, token).await?.for_route(AccessLevel::Contributor))
    }

    /// Calls of one kind since the last reset, e.g. `GET /api/v4/user`.
    fn calls(&self, kind: &str) -> u64 {
        self.world.calls().get(kind).copied().unwrap_or(0)
    }
}

const GRAPHQL: &str = "POST /api/graphql";
const USER: &str = "GET /api/v4/user";
const SCOPES: &str = "GET /api/v4/personal_access_tokens/self";

fn loopback() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

/// Serves a router on a free port; its root URL.
fn listen(router: Router, stop: watch::Receiver<bool>) -> String {
    let listener = serve::bind(loopback(), "").unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve::serve(listener, router, stop));
    format!("http://{address}")
}

fn table_at(address: SocketAddr) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(shared::aws::http_client())
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "test"))
        .endpoint_url(format!("http://{address}"))
        .build();
    aws_sdk_dynamodb::Client::from_conf(config)
}

fn config(gitlab_url: String) -> Config {
    Config {
        table: "perigee".into(),
        bucket: "perigee".into(),
        gitlab_url,
        public_url: "http://127.0.0.1".into(),
        token_key: "a key of the tests".into(),
        members_only: false,
        read_api_writes: false,
        anonymous: true,
        sync_token: None,
        webhook_secret: None,
        categories: shared::catalog::default_categories(),
    }
}

fn bearer(token: &str) -> HeaderMap {
    let value = format!("Bearer {token}").parse().unwrap();
    HeaderMap::from_iter([(http::header::AUTHORIZATION, value)])
}

async fn caller(auth: &Auth, token: &str) -> Result<Caller> {
    auth.authenticate(&bearer(token)).await
}

/// A run that belongs to `owner`, or does not exist.
fn run(name: &str, owner: Option<ProjectId>) -> Subject {
    Subject { id: format!("run/{name}"), owner, missing: format!("Run with id={name} not found") }
}

fn is_unavailable<T>(result: &Result<T>) -> bool {
    matches!(result, Err(Error::Unavailable(_)))
}

fn is_unauthenticated<T>(result: &Result<T>) -> bool {
    matches!(result, Err(Error::Unauthenticated(_)))
}

fn level_of(access: Result<Access>) -> Option<AccessLevel> {
    access.ok().map(|access| access.level())
}
