//! A deployed function between its events: clients made when it starts, secrets read at its first event and again
//! every five minutes, a router over both.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::config::{Config, ExtensionSettings, Variables, log_source, secret_references};
use crate::error::{Error, Result};
use crate::log::Source;
use crate::secrets::{Extension, Secrets};
use crate::state::{AppState, Clients};

/// How long secrets are used before they are read again, ms.
const REREAD_MS: i64 = 300_000;
/// How long until the next try when they could not be read again, ms.
const RETRY_MS: i64 = 60_000;

/// What serves events, once it has its secrets.
pub struct Function {
    variables: Box<Variables<'static>>,
    clients: Clients,
    router: fn(&AppState) -> Router,
    references: Vec<(&'static str, String)>,
    extension: Extension,
    serving: Mutex<Option<Serving>>,
    /// Who writes its log.
    pub source: Source,
    has_served: AtomicBool,
}

struct Serving {
    state: AppState,
    router: Router,
    secrets: Secrets,
    read_at: i64,
}

impl Serving {
    /// Could it know the hub's URL now, and does not yet?
    fn lacks(&self, domain: Option<&str>) -> bool {
        self.state.config.public_url.is_empty() && domain.is_some()
    }
}

impl Function {
    /// A function with the settings of `variables`. Without secrets to read it is complete at once.
    pub fn new(variables: Box<Variables<'static>>, clients: Clients, router: fn(&AppState) -> Router) -> Result<Self> {
        let references = secret_references(&*variables);
        let extension = Extension::new(ExtensionSettings::read(&*variables))?;
        let source = log_source(&*variables);
        let mut function = Self {
            variables,
            clients,
            router,
            references,
            extension,
            serving: Mutex::new(None),
            source,
            has_served: AtomicBool::new(false),
        };
        if function.references.is_empty() {
            let serving = function.build(Secrets::new(), 0, None)?;
            *function.serving.get_mut() = Some(serving);
        }
        Ok(function)
    }

    /// Is this its first event?
    pub fn is_cold(&self) -> bool {
        !self.has_served.swap(true, Ordering::Relaxed)
    }

    /// Its time source.
    pub fn clock(&self) -> &Clock {
        &self.clients.clock
    }

    /// State and router with secrets that are at most some minutes old. `domain` is where the gateway was asked:
    /// the hub's URL, if the settings name none.
    ///
    /// # Errors
    /// `Unavailable` while there are none yet; the next event tries again. Once there are, they are used until
    /// others can be read.
    pub async fn serving(&self, domain: Option<&str>) -> Result<(AppState, Router)> {
        let mut serving = self.serving.lock().await;
        let now = self.clients.clock.now_ms();
        let is_fresh = |serving: &Serving| {
            let age = now - serving.read_at;
            (self.references.is_empty() || (0..REREAD_MS).contains(&age)) && !serving.lacks(domain)
        };
        if !serving.as_ref().is_some_and(is_fresh) {
            match (self.renew(serving.as_ref(), now, domain).await, &mut *serving) {
                (Ok(Some(new)), old) => *old = Some(new),
                (Ok(None), Some(old)) => old.read_at = now,
                (Err(error), Some(old)) => {
                    tracing::warn!(%error, "the secrets could not be read again");
                    old.read_at = now - REREAD_MS + RETRY_MS;
                }
                (Err(error), None) => return Err(error),
                (Ok(None), None) => return Err(Error::internal("there are no secrets to keep")),
            }
        }
        let serving = serving.as_ref().ok_or_else(|| Error::internal("a function without a router"))?;
        Ok((serving.state.clone(), serving.router.clone()))
    }

    /// Reads the secrets; a new router if they are not those of `old`.
    async fn renew(&self, old: Option<&Serving>, now: i64, domain: Option<&str>) -> Result<Option<Serving>> {
        let secrets = self.extension.read(&self.references).await?;
        if old.is_some_and(|old| old.secrets == secrets && !old.lacks(domain)) {
            return Ok(None);
        }
        // What is wrong with a secret can be mended without a new deployment, so it is worth another try.
        self.build(secrets, now, domain).map(Some).map_err(|error| Error::Unavailable(error.to_string()))
    }

    fn build(&self, secrets: Secrets, read_at: i64, domain: Option<&str>) -> Result<Serving> {
        let find = |name: &str| secrets.get(name).cloned().or_else(|| (self.variables)(name));
        let mut config = Config::read(&find, None)?;
        if let (true, Some(domain)) = (config.public_url.is_empty(), domain) {
            config.public_url = format!("https://{domain}");
        }
        let state = AppState::with_clients(config, self.clients.clone())?;
        Ok(Serving { router: (self.router)(&state), state, secrets, read_at })
    }
}
