//! Every environment variable of the hub and its functions, read here and nowhere else.

use hmac::{Hmac, Mac};
use http::HeaderMap;
use sha2::Sha256;

use crate::catalog::{Category, default_categories};
use crate::error::{Error, Result};
use crate::gitlab::Token;
use crate::log::Source;

/// Settings, the same for the local hub and the deployed functions.
#[derive(Clone)]
pub struct Config {
    /// `PERIGEE_TABLE`: name of the DynamoDB table.
    pub table: String,
    /// `PERIGEE_BUCKET`: name of the S3 bucket.
    pub bucket: String,
    /// `PERIGEE_GITLAB_URL`: root of the GitLab instance, without a trailing slash.
    pub gitlab_url: String,
    /// `PERIGEE_PUBLIC_URL`: how clients reach this hub, without a trailing slash. A deployed function without it
    /// takes the gateway's domain from its first request.
    pub public_url: String,
    /// `PERIGEE_TOKEN_KEY`: secret that keys token hashes and signs page tokens; at least 16 bytes. Empty as long as
    /// it lies in a secret that has not been read.
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

/// The setting that no function can do without.
pub const TOKEN_KEY: &str = "PERIGEE_TOKEN_KEY";

/// The settings that are secrets, and the variables that hold the ARN of a secret in Secrets Manager instead.
const SECRETS: [(&str, &str); 3] = [
    (TOKEN_KEY, "PERIGEE_TOKEN_KEY_ARN"),
    ("PERIGEE_SYNC_TOKEN", "PERIGEE_SYNC_TOKEN_ARN"),
    ("PERIGEE_WEBHOOK_SECRET", "PERIGEE_WEBHOOK_SECRET_ARN"),
];

/// Where the AWS Parameters and Secrets Lambda extension answers, and what it wants to see.
pub struct ExtensionSettings {
    /// `http://localhost:` and `PARAMETERS_SECRETS_EXTENSION_HTTP_PORT`, by default 2773.
    pub root: String,
    /// `AWS_SESSION_TOKEN`.
    pub session_token: String,
}

/// Who writes a function's log: `AWS_LAMBDA_FUNCTION_NAME`, and `PERIGEE_STACK`, the stack whose metrics they are.
pub fn log_source(find: &Variables) -> Source {
    Source {
        function: find("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|| "function".to_owned()),
        stack: find("PERIGEE_STACK"),
    }
}

/// Where settings are looked up by name: the environment, and in tests something else.
pub type Variables<'a> = dyn Fn(&str) -> Option<String> + Send + Sync + 'a;

/// A variable of the environment; an empty one counts as missing.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The settings that lie in secrets, each with the secret's ARN; those given in clear are not among them.
pub fn secret_references(find: &Variables) -> Vec<(&'static str, String)> {
    let referred = SECRETS.iter().filter(|(setting, _)| find(setting).is_none());
    referred.filter_map(|(setting, reference)| Some((*setting, find(reference)?))).collect()
}

impl ExtensionSettings {
    /// What Lambda sets, with the defaults of AWS.
    pub fn read(find: &Variables) -> Self {
        let port = find("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT").unwrap_or_else(|| "2773".to_owned());
        Self { root: format!("http://localhost:{port}"), session_token: find("AWS_SESSION_TOKEN").unwrap_or_default() }
    }
}

impl Config {
    /// Reads the environment; what it does not set is taken from `defaults`.
    pub fn with_defaults(defaults: &Self) -> Result<Self> {
        let config = Self::read(&variable, Some(defaults))?;
        config.validate()?;
        Ok(config)
    }

    /// Reads the settings; one clear sentence when something is missing or malformed. What lies in secrets may be
    /// missing: [`Config::validate`] tells.
    pub fn read(find: &Variables, defaults: Option<&Self>) -> Result<Self> {
        let text = |name: &str, default: fn(&Self) -> &String| {
            find(name)
                .or_else(|| defaults.map(|defaults| default(defaults).clone()))
                .ok_or_else(|| Error::Internal(format!("the environment variable {name} is not set")))
        };
        let flag = |name: &str, default: fn(&Self) -> bool| {
            find(name).map_or_else(|| defaults.is_some_and(default), |value| value.eq_ignore_ascii_case("true"))
        };
        Ok(Self {
            table: text("PERIGEE_TABLE", |defaults| &defaults.table)?,
            bucket: text("PERIGEE_BUCKET", |defaults| &defaults.bucket)?,
            gitlab_url: text("PERIGEE_GITLAB_URL", |defaults| &defaults.gitlab_url)?.trim_end_matches('/').to_owned(),
            public_url: find("PERIGEE_PUBLIC_URL")
                .or_else(|| defaults.map(|defaults| defaults.public_url.clone()))
                .map_or_else(String::new, |url| url.trim_end_matches('/').to_owned()),
            token_key: match secret_references(find).iter().any(|(name, _)| *name == TOKEN_KEY) {
                true => String::new(),
                false => text(TOKEN_KEY, |defaults| &defaults.token_key)?,
            },
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
        })
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
