//! What GitLab grants a token: by project id, by path, by membership. Memory first, then the table, then GitLab.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Grant;
use super::authenticate::{ANONYMOUS, Identity, Shared, TokenHash};
use super::memory::{FRESH_MS, Remembered, TABLE_MS};
use crate::error::{Error, Result};
use crate::gitlab::unavailable;
use crate::model::ProjectId;
use crate::store::tokens::TokenKey;

/// An id that no project has. Who asks for an unknown thing makes us ask for this one, so that unknown
/// and hidden things cost the same requests and time.
const NOBODY: ProjectId = ProjectId(0);
const LONGEST_LISTING: Duration = Duration::from_secs(15);

impl Shared {
    /// What the caller may do in the project that owns a thing, `None` if it is hidden. An unknown thing has no owner.
    pub async fn grant_of(&self, identity: &Identity, owner: Option<ProjectId>) -> Result<Option<Arc<Grant>>> {
        let id = owner.unwrap_or(NOBODY);
        let ask = async || {
            let grant = self.gitlab.project_by_id(&identity.token, id).await?.as_ref().map(Grant::of);
            // Where only members read, a project is as good as hidden from everybody else.
            Ok(grant.filter(|grant| grant.is_member() || !self.members_only))
        };
        let find = async || self.look_up(&identity.hash, TokenKey::Project(id), TABLE_MS, ask).await.map(Arc::new);
        self.projects.get_or_ask((identity.hash.clone(), id), find).await
    }

    /// What the caller, or a visitor without a token, may do in the project at a path, `None` if it is hidden or
    /// there is none. `fresh`: as GitLab says now, give or take [`FRESH_MS`].
    pub async fn grant_at(&self, identity: Option<&Identity>, path: &str, fresh: bool) -> Result<Option<Arc<Grant>>> {
        let token = identity.map(|identity| &identity.token);
        let hash: TokenHash = identity.map_or_else(|| ANONYMOUS.into(), |identity| identity.hash.clone());
        let ask = async || Ok(self.gitlab.project_by_path(token, path).await?.as_ref().map(Grant::of));
        let (paths, life) = if fresh { (&self.fresh_paths, FRESH_MS) } else { (&self.paths, TABLE_MS) };
        let find = async || self.look_up(&hash, TokenKey::Path(path), life, ask).await.map(Arc::new);
        paths.get_or_ask((hash.clone(), path.into()), find).await
    }

    /// What the caller may do in each project that they are a member of, by id.
    pub async fn memberships(&self, identity: &Identity) -> Result<Arc<[Arc<Grant>]>> {
        let ask = async || {
            let listing = self.gitlab.memberships(&identity.token);
            let projects = tokio::time::timeout(LONGEST_LISTING, listing)
                .await
                .map_err(|_| unavailable("listing the memberships took longer than 15 s"))??;
            Ok(Some(projects.iter().map(Grant::of).collect::<Vec<_>>()))
        };
        let find = async || {
            let found = self.look_up(&identity.hash, TokenKey::Members, TABLE_MS, ask).await;
            found.map(|grants| grants.into_iter().map(Arc::new).collect::<Arc<[_]>>())
        };
        Ok(self.members.get_or_ask(identity.hash.clone(), find).await?.unwrap_or_default())
    }

    /// The projects that the caller has starred. Not in the table: stars decide nothing.
    pub async fn starred(&self, identity: &Identity) -> Result<Arc<HashSet<ProjectId>>> {
        let find = async || {
            let asked = self.clock.now_ms();
            match self.gitlab.starred(&identity.token).await {
                Ok(starred) => self.keep(Arc::new(starred), asked + TABLE_MS),
                Err(error) => self.refuse(error, asked),
            }
        };
        self.starred.get_or_ask(identity.hash.clone(), find).await
    }

    /// The table's entry, or else GitLab's answer, which is then written there; either is good for `life` (ms) after
    /// GitLab was asked. That a project is hidden is remembered by the name of the thing asked for, not here.
    async fn look_up<T: DeserializeOwned + Serialize>(
        &self,
        hash: &TokenHash,
        key: TokenKey<'_>,
        life: i64,
        ask: impl AsyncFnOnce() -> Result<Option<T>>,
    ) -> Remembered<Option<T>> {
        let asked = self.clock.now_ms();
        if let Some((value, until)) = self.store.recall(hash, key).await {
            let until = until - TABLE_MS + life;
            if until > asked {
                return self.keep(Some(value), until);
            }
        }
        match ask().await {
            Ok(Some(value)) => {
                self.store.record(hash, key, &value, asked + TABLE_MS).await;
                self.keep(Some(value), asked + life)
            }
            Ok(None) => Remembered::once(Ok(None)),
            Err(error) => {
                if matches!(error, Error::Unauthenticated(_)) {
                    self.forget(hash).await;
                }
                self.refuse(error, asked)
            }
        }
    }
}
