//! Secrets by reference: the environment holds their ARNs, the AWS Parameters and Secrets Lambda extension reads
//! them from Secrets Manager with the function's own rights, and hands them out on loopback.
//!
//! The extension serves nothing while Lambda initialises an environment, so this is asked at an invocation.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::try_join_all;
use http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio::time::Instant;

use crate::config::ExtensionSettings;
use crate::error::{Error, Result};
use crate::http_client;

/// How long all secrets together may take, further tries included.
const TOTAL: Duration = Duration::from_secs(3);
/// How long one try may take.
const ATTEMPT: Duration = Duration::from_millis(1_500);
/// The first pause before another try; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(20);
/// Bytes of a refusal's text that go to the log.
const EXCERPT: usize = 200;

/// What secrets hold, by the setting that each stands for.
pub type Secrets = BTreeMap<&'static str, String>;

/// The extension's loopback server.
pub struct Extension {
    http: reqwest::Client,
    settings: ExtensionSettings,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "SecretString")]
    text: Option<String>,
}

/// Why one try brought nothing.
enum Failed {
    /// Another may.
    ForNow(String),
    ForGood(String),
}

impl Extension {
    /// A client of the extension; opens no connection.
    pub fn new(settings: ExtensionSettings) -> Result<Self> {
        let http = http_client::builder()
            // Loopback and plain: without roots of trust the client is made in no time.
            .tls_certs_only([])
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(ATTEMPT)
            .build()
            .map_err(|cause| Error::internal(format!("cannot build the HTTP client: {cause}")))?;
        Ok(Self { http, settings })
    }

    /// The secrets of `references`, which are pairs of a setting and an ARN.
    ///
    /// # Errors
    /// `Unavailable` if one of them cannot be had within 3 s; the text names it and never shows a secret.
    pub async fn read(&self, references: &[(&'static str, String)]) -> Result<Secrets> {
        let deadline = Instant::now() + TOTAL;
        let secrets = try_join_all(references.iter().map(async |(setting, arn)| {
            let secret = self.read_one(arn, deadline).await;
            secret
                .map(|secret| (*setting, secret))
                .map_err(|cause| Error::Unavailable(format!("the secret for {setting}, {arn}: {cause}")))
        }));
        Ok(secrets.await?.into_iter().collect())
    }

    async fn read_one(&self, arn: &str, deadline: Instant) -> Result<String, String> {
        let mut pause = PAUSE;
        loop {
            let cause = match tokio::time::timeout_at(deadline, self.ask(arn)).await {
                Ok(Ok(secret)) => return Ok(secret),
                Ok(Err(Failed::ForGood(cause))) => return Err(cause),
                Ok(Err(Failed::ForNow(cause))) => cause,
                Err(_) => "no answer in time".to_owned(),
            };
            if Instant::now() + pause >= deadline {
                return Err(cause);
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    async fn ask(&self, arn: &str) -> Result<String, Failed> {
        let ExtensionSettings { root, session_token } = &self.settings;
        let url = format!("{root}/secretsmanager/get?secretId={}", utf8_percent_encode(arn, NON_ALPHANUMERIC));
        let request = self.http.get(url).header("x-aws-parameters-secrets-token", session_token);
        let without_url = |cause: reqwest::Error| {
            let cause = cause.without_url();
            Failed::ForNow(format!("the extension does not answer: {cause}"))
        };
        let answer = request.send().await.map_err(without_url)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(without_url)?;
        if status == StatusCode::OK {
            return serde_json::from_slice::<Answer>(&body)
                .ok()
                .and_then(|answer| answer.text)
                // A file that an editor or `echo` has written ends with a line break.
                .map(|text| text.trim().to_owned())
                .filter(|secret| !secret.is_empty())
                .ok_or_else(|| Failed::ForGood("it holds no text".to_owned()));
        }
        let text = String::from_utf8_lossy(&body[..body.len().min(EXCERPT)]).into_owned();
        let cause = format!("the extension answers {status}: {}", text.trim());
        // Before the first invocation it says `not ready to serve traffic, please wait`.
        let for_now = status.is_server_error() || text.contains("not ready") || status == StatusCode::TOO_MANY_REQUESTS;
        Err(if for_now { Failed::ForNow(cause) } else { Failed::ForGood(cause) })
    }
}
