//! Every environment variable of the hub and its functions, read here and nowhere else.

use hmac::{Hmac, Mac};
use http::HeaderMap;
use sha2::Sha256;

use crate::catalog::{Category, default_categories};
use crate::error::{Error, Result};
use crate::gitlab::Token;

/// Settings, the same for the local hub and the deployed functions.
#[derive(Clone)]
pub struct Config {
    /// `PERIGEE_TABLE`: name of the DynamoDB table.
    pub table: String,
    /// `PERIGEE_BUCKET`: name of the S3 bucket.
    pub bucket: String,
    /// `PERIGEE_GITLAB_URL`: root of the GitLab instance, without a trailing slash.
    pub gitlab_url: String,
    /// `PERIGEE_PUBLIC_URL`: how clients reach this hub, without a trailing slash.
    pub public_url: String,
    /// `PERIGEE_TOKEN_KEY`: secret that keys token hashes and signs page tokens; at least 16 bytes.
    pub token_key: String,
    /// `PERIGEE_READERS`: `visible` (default): whoever GitLab shows a project may read its MLflow data;
    /// `members`: only members may.
    pub members_only: bool,
    /// `PERIGEE_READ_API_WRITES=true`: a `read_api` token writes if its owner's role allows it. Off by default.
    pub read_api_writes: bool,
    /// `PERIGEE_ANONYMOUS=true`: visitors without a token browse and download what is public. Off by default.
    pub anonymous: bool,
    /// `PERIGEE_SYNC_TOKEN`: the GitLab token, scope `read_api`, with which the catalog reads projects. Only the
    /// catalog's synchronisation needs it.
    pub sync_token: Option<Token>,
    /// `PERIGEE_WEBHOOK_SECRET`: what GitLab's webhooks send in `X-Gitlab-Token`. Without it webhooks are refused.
    pub webhook_secret: Option<String>,
    /// `PERIGEE_CATEGORIES`: JSON list of the catalog's categories.
    pub categories: Vec<Category>,
}

impl Config {
    /// Reads the environment; one clear sentence when something is missing or malformed.
    pub fn from_environment() -> Result<Self> {
        Self::read(None)
    }

    /// Reads the environment; what it does not set is taken from `defaults`.
    pub fn with_defaults(defaults: &Self) -> Result<Self> {
        Self::read(Some(defaults))
    }

    fn read(defaults: Option<&Self>) -> Result<Self> {
        let find = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let text = |name: &str, default: fn(&Self) -> &String| {
            find(name)
                .or_else(|| defaults.map(|defaults| default(defaults).clone()))
                .ok_or_else(|| Error::Internal(format!("the environment variable {name} is not set")))
        };
        let flag = |name: &str, default: fn(&Self) -> bool| {
            find(name).map_or_else(|| defaults.is_some_and(default), |value| value.eq_ignore_ascii_case("true"))
        };
        let config = Self {
            table: text("PERIGEE_TABLE", |defaults| &defaults.table)?,
            bucket: text("PERIGEE_BUCKET", |defaults| &defaults.bucket)?,
            gitlab_url: text("PERIGEE_GITLAB_URL", |defaults| &defaults.gitlab_url)?.trim_end_matches('/').to_owned(),
            public_url: text("PERIGEE_PUBLIC_URL", |defaults| &defaults.public_url)?.trim_end_matches('/').to_owned(),
            token_key: text("PERIGEE_TOKEN_KEY", |defaults| &defaults.token_key)?,
            members_only: match find("PERIGEE_READERS").as_deref() {
                None | Some("visible") => false,
                Some("members") => true,
                Some(other) => {
                    return Err(Error::Internal(format!("PERIGEE_READERS is `{other}`; use `visible` or `members`")));
                }
            },
            read_api_writes: flag("PERIGEE_READ_API_WRITES", |defaults| defaults.read_api_writes),
            anonymous: flag("PERIGEE_ANONYMOUS", |defaults| defaults.anonymous),
            sync_token: match find("PERIGEE_SYNC_TOKEN") {
                Some(token) => Some(
                    Token::parse(&token)
                        .map_err(|_| Error::Internal("PERIGEE_SYNC_TOKEN is not a GitLab token".into()))?,
                ),
                None => defaults.and_then(|defaults| defaults.sync_token.clone()),
            },
            webhook_secret: find("PERIGEE_WEBHOOK_SECRET")
                .or_else(|| defaults.and_then(|defaults| defaults.webhook_secret.clone())),
            categories: match find("PERIGEE_CATEGORIES") {
                Some(json) => Category::parse(&json)?,
                None => defaults.map_or_else(default_categories, |defaults| defaults.categories.clone()),
            },
        };
        config.validate()?;
        Ok(config)
    }

    /// The category that a client calls `name`: its id or one of its aliases.
    pub fn category(&self, name: &str) -> Option<&Category> {
        self.categories.iter().find(|category| category.is_named(name))
    }

    /// Does a request carry the secret of GitLab's webhooks? `Unauthenticated` otherwise.
    pub(crate) fn check_webhook(&self, headers: &HeaderMap) -> Result<()> {
        let refused = || Error::Unauthenticated("the webhook's secret is wrong or not configured".into());
        let secret = self.webhook_secret.as_ref().filter(|secret| !secret.is_empty()).ok_or_else(refused)?;
        let given = headers.get("x-gitlab-token").ok_or_else(refused)?;
        // Compared by their MACs, so that the time taken tells nothing.
        let mac = |bytes: &[u8]| {
            let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(self.token_key.as_bytes()).map_err(Error::internal)?;
            mac.update(bytes);
            Ok::<_, Error>(mac)
        };
        mac(given.as_bytes())?.verify(&mac(secret.as_bytes())?.finalize().into_bytes()).map_err(|_| refused())
    }

    /// Refuses a token key that could be guessed.
    pub fn validate(&self) -> Result<()> {
        if self.token_key.len() < 16 {
            return Err(Error::Internal("PERIGEE_TOKEN_KEY needs at least 16 bytes".into()));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Config")
            .field("table", &self.table)
            .field("bucket", &self.bucket)
            .field("gitlab_url", &self.gitlab_url)
            .field("public_url", &self.public_url)
            .field("members_only", &self.members_only)
            .field("read_api_writes", &self.read_api_writes)
            .finish_non_exhaustive()
    }
}
