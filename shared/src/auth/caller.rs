//! `Caller`: who asks, and the one place where the question "may they?" is answered.

use std::collections::HashSet;
use std::sync::Arc;

use super::authenticate::TokenHash;
use super::authenticate::{ANONYMOUS, Auth, Identity};
use super::memory::{REFUSAL_MS, Remembered};
use super::{Access, AccessLevel, Grant};
use crate::catalog::Visible;
use crate::error::{Error, Result};
use crate::gitlab::Token;
use crate::model::ProjectId;
use crate::record::note_project;

/// Longer than any path that GitLab allows.
const LONGEST_PATH: usize = 1_000;

/// An authenticated caller on one route. Cheap to clone.
#[derive(Clone)]
pub struct Caller {
    auth: Auth,
    /// `None`: a visitor without a token.
    identity: Option<Arc<Identity>>,
    demand: AccessLevel,
    /// Only members may do anything.
    members_only: bool,
    /// On a route for visitors: what is shown of a single project is what GitLab shows now.
    fresh: bool,
}

/// A thing that a client named and the project that owns it.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What the client named, e.g. `run/0a1b..`: refusals are remembered under this name and the owner's.
    pub id: String,
    /// The owner; `None` if there is no such thing.
    pub owner: Option<ProjectId>,
    /// What the client is told when the thing is not there, or hidden.
    pub missing: String,
}

impl Caller {
    pub(super) fn new(auth: Auth, identity: Arc<Identity>) -> Self {
        let members_only = auth.0.members_only;
        // A route that forgets to state its demand demands everything.
        Self { auth, identity: Some(identity), demand: AccessLevel::Administrator, members_only, fresh: false }
    }

    /// A visitor without a token.
    pub(super) fn nobody(auth: Auth) -> Self {
        Self { auth, identity: None, demand: AccessLevel::Administrator, members_only: false, fresh: true }
    }

    /// The same caller where whoever GitLab shows a project may look at it.
    pub(super) fn for_visitors(self) -> Self {
        Self { members_only: false, fresh: true, ..self }
    }

    /// The same caller, on a route that demands `level`.
    #[must_use]
    pub fn for_route(self, level: AccessLevel) -> Self {
        Self { demand: level, ..self }
    }

    /// The user's name in GitLab; empty for a visitor without a token.
    pub fn user(&self) -> &str {
        self.identity.as_ref().map_or("", |identity| &identity.user)
    }

    /// Has the caller no token?
    pub fn is_anonymous(&self) -> bool {
        self.identity.is_none()
    }

    /// The caller's token, for requests to GitLab on their behalf.
    pub fn token(&self) -> Option<&Token> {
        self.identity.as_ref().map(|identity| &identity.token)
    }

    /// May the token change anything at all?
    pub fn can_write(&self) -> bool {
        self.identity.as_ref().is_some_and(|identity| identity.can_write)
    }

    /// HMAC of the token in hex: what may stand for this caller in keys and logs.
    pub fn token_hash(&self) -> &str {
        self.identity.as_ref().map_or(ANONYMOUS, |identity| &identity.hash)
    }

    fn hash(&self) -> TokenHash {
        self.identity.as_ref().map_or_else(|| ANONYMOUS.into(), |identity| identity.hash.clone())
    }

    fn signed_in(&self) -> Result<&Identity> {
        self.identity.as_deref().ok_or_else(|| Error::Unauthenticated("this needs a GitLab token".into()))
    }

    /// What the caller sees of the catalog. Errors as [`Caller::memberships`].
    pub async fn visible(&self) -> Result<Visible> {
        let Some(identity) = &self.identity else { return Ok(Visible::default()) };
        if identity.admin {
            return Ok(Visible { everything: true, ..Visible::default() });
        }
        let grants = self.memberships().await?;
        let projects = grants.iter().map(|grant| (grant.project(), grant.level() >= AccessLevel::ReadOnly)).collect();
        Ok(Visible { internal: !identity.external, projects, everything: false })
    }

    /// The projects that the caller has starred; `Unauthenticated` without a token.
    pub async fn starred(&self) -> Result<Arc<HashSet<ProjectId>>> {
        self.auth.0.starred(self.signed_in()?).await
    }

    /// Access to the project that owns `subject`, at the level that the route demands.
    ///
    /// `NotFound(subject.missing)` if the thing is unknown or hidden, at the same price; `Forbidden` if the level or
    /// the token's scope is too low; `Unavailable` if GitLab cannot be asked.
    pub async fn require(&self, subject: &Subject) -> Result<Access> {
        let shared = &self.auth.0;
        let identity = self.signed_in()?;
        let known = match subject.owner {
            Some(owner) => shared.projects.peek(&(identity.hash.clone(), owner)),
            None => None,
        };
        // With its owner, or a thing would stay missing for some seconds after it was created.
        let owner = subject.owner.map_or_else(|| "none".to_owned(), |owner| owner.to_string());
        let name = format!("thing {} of {owner}", subject.id);
        self.decide(known, name, &subject.missing, shared.grant_of(identity, subject.owner)).await
    }

    /// Access to the project at `path`, in any case, at the level that the route demands. Errors as
    /// [`Caller::require`]; `Forbidden` also where only members read.
    pub async fn require_path(&self, path: &str) -> Result<Access> {
        let shared = &self.auth.0;
        let shown: String = path.chars().take(200).collect();
        let missing = format!("No project `{shown}`, or it is not visible to you");
        if path.is_empty() || path.len() > LONGEST_PATH {
            return Err(Error::NotFound(missing));
        }
        let memory = if self.fresh { &shared.fresh_paths } else { &shared.paths };
        let known = memory.peek(&(self.hash(), path.into()));
        let look_up = shared.grant_at(self.identity.as_deref(), path, self.fresh);
        self.decide(known, format!("path {path}"), &missing, look_up).await
    }

    /// The grant that is known, or else looked up, is admitted; that there is none is remembered under `name`.
    async fn decide(
        &self,
        known: Option<Result<Option<Arc<Grant>>>>,
        name: String,
        missing: &str,
        look_up: impl Future<Output = Result<Option<Arc<Grant>>>>,
    ) -> Result<Access> {
        if let Some(Ok(Some(grant))) = known {
            return self.admit(&grant);
        }
        let shared = &self.auth.0;
        let refusal = (self.hash(), Arc::from(name));
        let asked = shared.clock.now_ms();
        if shared.refusals.peek(&refusal).is_none() {
            if let Some(grant) = look_up.await? {
                return self.admit(&grant);
            }
            shared.refusals.remember(refusal, Remembered { outcome: Ok(()), until: asked + REFUSAL_MS });
        }
        Err(Error::NotFound(missing.to_owned()))
    }

    /// What the caller may do in each project that they are a member of, by id. [`Caller::admit`] makes an [`Access`] of one.
    pub async fn memberships(&self) -> Result<Arc<[Arc<Grant>]>> {
        self.auth.0.memberships(self.signed_in()?).await
    }

    /// Is what GitLab grants enough for this route and this token? `Forbidden` says what is lacking.
    pub fn admit(&self, grant: &Arc<Grant>) -> Result<Access> {
        let path = grant.path();
        if self.members_only && !grant.is_member() {
            return Err(Error::Forbidden(format!("only members of the project `{path}` may read its data here")));
        }
        let demand = self.demand.max(AccessLevel::Guest);
        if grant.level() < demand {
            let archived = if grant.is_archived() { "; the project is archived" } else { "" };
            return Err(Error::Forbidden(format!(
                "this needs the GitLab role {} or higher in the project `{path}`{archived}",
                demand.role()
            )));
        }
        if demand.writes() && !self.can_write() {
            return Err(Error::Forbidden(
                "this GitLab token may only read (scope `read_api`); writing needs one with scope `api`".into(),
            ));
        }
        let level = if self.can_write() { grant.level() } else { grant.level().min(AccessLevel::ReadOnly) };
        note_project(grant.project());
        Ok(Access::new(grant.clone(), level))
    }
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Caller")
            .field("user", &self.user())
            .field("demand", &self.demand)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// axum runs handlers on any thread.
    #[test]
    fn decisions_can_move_between_threads() {
        fn send<T: Send>(_: fn(&'static Caller, &'static Subject) -> T) {}
        send(|caller, subject| caller.require(subject));
        send(|caller, _| caller.require_path("a/b"));
        send(|caller, _| caller.memberships());
        fn sync<T: Clone + Send + Sync + 'static>() {}
        sync::<Caller>();
        sync::<Auth>();
    }
}
