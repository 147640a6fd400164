//! From a request's headers to a `Caller`.

use std::collections::HashSet;
use std::sync::Arc;

use hmac::{Hmac, Mac};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::memory::{MEMORY_MS, Memory, REFUSAL_MS, Remembered, TABLE_MS};
use super::{Caller, Grant, find_token, token_of};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::gitlab::{GitLab, SCOPE_HINT, Token};
use crate::model::ProjectId;
use crate::store::Store;
use crate::store::tokens::TokenKey;

/// HMAC of a token in hex. It stands for the token in every memory and in the table.
pub(super) type TokenHash = Arc<str>;

/// Documented scopes that reach nothing we need. Others that we do not know count as read-only.
const SCOPES_WITHOUT_API: [&str; 17] = [
    "admin_mode",
    "ai_features",
    "create_runner",
    "email",
    "k8s_proxy",
    "manage_runner",
    "openid",
    "profile",
    "read_registry",
    "read_repository",
    "read_service_ping",
    "read_user",
    "read_virtual_registry",
    "self_rotate",
    "sudo",
    "write_registry",
    "write_repository",
];

/// Decides who may do what; built once per process. Clones share everything.
#[derive(Clone)]
pub struct Auth(pub(super) Arc<Shared>);

/// GitLab, the table, and what is remembered of both.
pub(super) struct Shared {
    pub gitlab: GitLab,
    pub store: Store,
    pub clock: Clock,
    pub members_only: bool,
    anonymous: bool,
    read_api_writes: bool,
    key: Hmac<Sha256>,
    identities: Memory<TokenHash, Arc<Identity>>,
    pub projects: Memory<(TokenHash, ProjectId), Option<Arc<Grant>>>,
    pub paths: Memory<(TokenHash, Arc<str>), Option<Arc<Grant>>>,
    /// The same, for callers who are told nothing that is older than [`super::memory::FRESH_MS`].
    pub fresh_paths: Memory<(TokenHash, Arc<str>), Option<Arc<Grant>>>,
    pub members: Memory<TokenHash, Option<Arc<[Arc<Grant>]>>>,
    pub starred: Memory<TokenHash, Arc<HashSet<ProjectId>>>,
    /// What a token was refused, by the name that the client gave.
    pub refusals: Memory<(TokenHash, Arc<str>), ()>,
}

/// Who a token is.
pub(super) struct Identity {
    pub user: String,
    pub can_write: bool,
    /// An administrator of GitLab.
    pub admin: bool,
    /// Sees no internal projects.
    pub external: bool,
    pub hash: TokenHash,
    pub token: Token,
}

/// What stands for the hash of callers without a token; no hash is spelled so.
pub(super) const ANONYMOUS: &str = "anonymous";

/// The table's entry of a token: facts of GitLab, not our conclusions.
#[derive(Deserialize, Serialize)]
struct KnownToken {
    user: String,
    #[serde(default)]
    admin: bool,
    #[serde(default)]
    external: bool,
    /// `None`: GitLab does not tell.
    scopes: Option<Vec<String>>,
}

impl Auth {
    /// `config` gives the token key and the access settings.
    pub fn new(config: &Config, gitlab: GitLab, store: Store) -> Result<Self> {
        config.validate()?;
        let clock = store.clock.clone();
        Ok(Self(Arc::new(Shared {
            gitlab,
            members_only: config.members_only,
            anonymous: config.anonymous,
            read_api_writes: config.read_api_writes,
            key: Hmac::new_from_slice(config.token_key.as_bytes()).map_err(Error::internal)?,
            identities: Memory::new(&clock),
            projects: Memory::new(&clock),
            paths: Memory::new(&clock),
            fresh_paths: Memory::new(&clock),
            members: Memory::new(&clock),
            starred: Memory::new(&clock),
            refusals: Memory::new(&clock),
            store,
            clock,
        })))
    }

    /// The caller behind the request's token. `Unauthenticated` without one or if GitLab does not know it,
    /// `Forbidden` if its scopes cannot even read, `Unavailable` if GitLab cannot be asked.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller> {
        self.identify(token_of(headers)?).await
    }

    /// As [`Auth::authenticate`], for routes that also serve visitors: without any credential the caller is
    /// nobody, if the hub's settings allow that, and `Unauthenticated` otherwise.
    pub async fn authenticate_visitor(&self, headers: &HeaderMap) -> Result<Caller> {
        match find_token(headers)? {
            Some(token) => Ok(self.identify(token).await?.for_visitors()),
            None if self.0.anonymous => Ok(Caller::nobody(self.clone())),
            None => Err(Error::Unauthenticated(
                "missing token: send a GitLab token with scope `read_api` in `X-Gitlab-Token` or as \
                 `Authorization: Bearer`; this hub does not serve anonymous visitors"
                    .into(),
            )),
        }
    }

    async fn identify(&self, token: Token) -> Result<Caller> {
        let hash = self.0.hash(&token);
        let identity = self.0.identities.get_or_ask(hash.clone(), || self.0.identify(token, hash)).await?;
        Ok(Caller::new(self.clone(), identity))
    }
}

impl Shared {
    fn hash(&self, token: &Token) -> TokenHash {
        let mut mac = self.key.clone();
        // The key also signs other things; the label keeps them apart.
        mac.update(b"perigee gitlab token\0");
        mac.update(token.bytes());
        hex::encode(mac.finalize().into_bytes()).into()
    }

    async fn identify(&self, token: Token, hash: TokenHash) -> Remembered<Arc<Identity>> {
        let asked = self.clock.now_ms();
        let (known, until) = match self.store.recall(&hash, TokenKey::Identity).await {
            Some(found) => found,
            None => match self.ask_who(&token).await {
                Ok(known) => {
                    self.store.record(&hash, TokenKey::Identity, &known, asked + TABLE_MS).await;
                    (known, asked + TABLE_MS)
                }
                Err(error) => return self.refuse(error, asked),
            },
        };
        match self.may_write(known.scopes.as_deref()) {
            Ok(can_write) => {
                let KnownToken { user, admin, external, .. } = known;
                self.keep(Arc::new(Identity { user, can_write, admin, external, hash, token }), until)
            }
            Err(error) => self.refuse(error, asked),
        }
    }

    async fn ask_who(&self, token: &Token) -> Result<KnownToken> {
        let user = self.gitlab.current_user(token).await?;
        let scopes = self.gitlab.token_scopes(token).await?;
        Ok(KnownToken { user: user.username, admin: user.is_admin, external: user.external, scopes })
    }

    fn may_write(&self, scopes: Option<&[String]>) -> Result<bool> {
        let Some(scopes) = scopes else { return Ok(false) };
        let has = |scope: &str| scopes.iter().any(|one| one == scope);
        if has("api") || (has("read_api") && self.read_api_writes) {
            return Ok(true);
        }
        if !has("read_api") && scopes.iter().all(|scope| SCOPES_WITHOUT_API.contains(&scope.as_str())) {
            return Err(Error::Forbidden(SCOPE_HINT.into()));
        }
        Ok(false)
    }

    /// An answer that the table holds until `until` (ms).
    pub fn keep<T>(&self, value: T, until: i64) -> Remembered<T> {
        let now = self.clock.now_ms();
        // Another instance's clock may be ahead: its entry does not live longer for that.
        Remembered { outcome: Ok(value), until: until.min(now + MEMORY_MS) }
    }

    /// GitLab's own refusals stand for a moment, faults for nobody but those who wait.
    pub fn refuse<T>(&self, error: Error, asked: i64) -> Remembered<T> {
        let stands = matches!(error, Error::Unauthenticated(_) | Error::Forbidden(_));
        Remembered { outcome: Err(error), until: if stands { asked + REFUSAL_MS } else { 0 } }
    }

    /// GitLab has just refused a token that we still remember as good.
    pub async fn forget(&self, hash: &TokenHash) {
        self.store.forget(hash, TokenKey::Identity).await;
        self.identities.forget(hash);
    }
}
