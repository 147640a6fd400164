//! Every environment variable of the hub and its functions, read here and nowhere else.

use crate::error::{Error, Result};

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
}

impl Config {
    /// Reads the environment; one clear sentence when something is missing or malformed.
    pub fn from_environment() -> Result<Self> {
        Self::read(|name| Err(Error::Internal(format!("the environment variable {name} is not set"))))
    }

    /// Reads the environment; what it does not set is taken from `defaults`.
    pub fn with_defaults(defaults: Self) -> Result<Self> {
        Self::read(|name| {
            Ok(match name {
                "PERIGEE_TABLE" => defaults.table.clone(),
                "PERIGEE_BUCKET" => defaults.bucket.clone(),
                "PERIGEE_GITLAB_URL" => defaults.gitlab_url.clone(),
                "PERIGEE_PUBLIC_URL" => defaults.public_url.clone(),
                _ => defaults.token_key.clone(),
            })
        })
    }

    fn read(otherwise: impl Fn(&str) -> Result<String>) -> Result<Self> {
        let find = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let variable = |name: &str| find(name).map_or_else(|| otherwise(name), Ok);
        let config = Self {
            table: variable("PERIGEE_TABLE")?,
            bucket: variable("PERIGEE_BUCKET")?,
            gitlab_url: variable("PERIGEE_GITLAB_URL")?.trim_end_matches('/').to_owned(),
            public_url: variable("PERIGEE_PUBLIC_URL")?.trim_end_matches('/').to_owned(),
            token_key: variable("PERIGEE_TOKEN_KEY")?,
            members_only: match find("PERIGEE_READERS").as_deref() {
                None | Some("visible") => false,
                Some("members") => true,
                Some(other) => {
                    return Err(Error::Internal(format!("PERIGEE_READERS is `{other}`; use `visible` or `members`")));
                }
            },
            read_api_writes: find("PERIGEE_READ_API_WRITES").is_some_and(|value| value.eq_ignore_ascii_case("true")),
        };
        config.validate()?;
        Ok(config)
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
