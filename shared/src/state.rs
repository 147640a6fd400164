//! `AppState`: what every handler needs, built once per cold start.

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::StalledStreamProtectionConfig;
use aws_sdk_dynamodb::config::retry::{RetryPartition, TokenBucket};

use crate::auth::Auth;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::Result;
use crate::gitlab::GitLab;
use crate::objects::Objects;
use crate::paging::PageTokens;
use crate::store::Store;

/// Store, objects, access, GitLab and settings. Clones are cheap.
#[derive(Clone)]
pub struct AppState {
    pub store: Store,
    pub objects: Objects,
    pub auth: Auth,
    pub gitlab: GitLab,
    pub pages: PageTokens,
    pub config: Arc<Config>,
    pub clock: Clock,
}

/// The clients of what lies behind the hub. They know no secret: a cold start makes them before it has any.
#[derive(Clone)]
pub struct Clients {
    pub store: Store,
    pub clock: Clock,
    objects: Objects,
    gitlab: GitLab,
}

impl Clients {
    /// Makes them; opens no connection. DynamoDB and S3 may be different places.
    pub fn new(config: &Config, dynamodb: &SdkConfig, s3: &SdkConfig, clock: Clock) -> Result<Self> {
        // As many attempts as fit into an operation's time: it is the time-out that ends them.
        let retries = RetryConfig::standard()
            .with_max_attempts(15)
            .with_initial_backoff(Duration::from_millis(50))
            .with_max_backoff(Duration::from_secs(1));
        // A bucket that fills up by time: the SDK's own gets a token per success only, so that one bad minute
        // would leave an instance without retries for long.
        let retry_quota = TokenBucket::builder().capacity(1_000).refill_rate(50.0).build();
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(dynamodb)
            .retry_config(retries)
            .retry_partition(RetryPartition::custom("dynamodb").token_bucket(retry_quota).build())
            .timeout_config(timeouts())
            // Answers are small, and the time-outs bound them; watching their pace would cost CPU time on every call.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        let store = Store::new(aws_sdk_dynamodb::Client::from_conf(dynamodb), config.table.clone(), clock.clone());
        let s3 = aws_sdk_s3::config::Builder::from(s3)
            .force_path_style(s3.endpoint_url().is_some())
            .timeout_config(s3_timeouts())
            .build();
        let objects = Objects::new(aws_sdk_s3::Client::from_conf(s3), config.bucket.clone());
        let gitlab = GitLab::new(&config.gitlab_url)?;
        Ok(Self { store: store.with_objects(objects.clone()), clock, objects, gitlab })
    }
}

impl AppState {
    /// Wires everything; opens no connection. DynamoDB and S3 may be different places.
    pub fn new(config: Config, dynamodb: &SdkConfig, s3: &SdkConfig, clock: Clock) -> Result<Self> {
        let clients = Clients::new(&config, dynamodb, s3, clock)?;
        Self::with_clients(config, clients)
    }

    /// As [`AppState::new`], with clients made before.
    pub fn with_clients(config: Config, clients: Clients) -> Result<Self> {
        config.validate()?;
        let Clients { store, clock, objects, gitlab } = clients;
        Ok(Self {
            objects,
            auth: Auth::new(&config, gitlab.clone(), store.clone())?,
            gitlab,
            pages: PageTokens::new(config.token_key.as_bytes()),
            store,
            config: Arc::new(config),
            clock,
        })
    }
}

/// Every DynamoDB operation has 5 s in all, retries included (data.md section 2).
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_millis(1_500))
        .operation_timeout(Duration::from_secs(5))
        .build()
}

/// An S3 operation moves at most some megabytes; the gateway gives up on us after 29 s.
fn s3_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        // As DynamoDB's, so that both share a connector and its certificates.
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(8))
        .operation_timeout(Duration::from_secs(20))
        .build()
}
