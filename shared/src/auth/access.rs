//! What GitLab grants in one project, and the proof that it was checked.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::AccessLevel;
use crate::error::{Error, Result};
use crate::gitlab::Project;
use crate::model::{ProjectId, Visibility};

/// GitLab's lowest role that counts as membership; `minimal access` (5) does not.
const GUEST_ROLE: u32 = 10;

/// What a token's owner may do in a project that GitLab shows them. `Caller::admit` makes an [`Access`] of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Grant {
    project: ProjectId,
    path: String,
    visibility: Visibility,
    created_at: i64,
    archived: bool,
    level: AccessLevel,
    member: bool,
}

impl Grant {
    pub(super) fn of(project: &Project) -> Self {
        Self {
            project: project.id,
            path: project.path.clone(),
            visibility: project.visibility,
            created_at: project.created_at,
            archived: project.archived,
            level: AccessLevel::of(project),
            // Administrators of the instance see and do everything without a role.
            member: project.role >= GUEST_ROLE || project.admin_project,
        }
    }

    /// The project.
    pub fn project(&self) -> ProjectId {
        self.project
    }

    /// Its full path, as GitLab spells it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The owner's level there, before the token's scopes.
    pub fn level(&self) -> AccessLevel {
        self.level
    }

    pub(super) fn is_member(&self) -> bool {
        self.member
    }

    pub(super) fn is_archived(&self) -> bool {
        self.archived
    }
}

/// Proof that the caller may act in a project at the level that the route demands. Only this module's
/// neighbour `Caller` makes one, after asking.
#[derive(Clone, Debug)]
pub struct Access {
    grant: Arc<Grant>,
    level: AccessLevel,
}

impl Access {
    /// `level` is the owner's, lowered to what the token may do.
    pub(super) fn new(grant: Arc<Grant>, level: AccessLevel) -> Self {
        Self { grant, level }
    }

    /// Is the proof for this owner? Anything else is a mistake of ours, never a client's.
    pub(crate) fn covers(&self, owner: ProjectId) -> Result<()> {
        if self.project() == owner {
            Ok(())
        } else {
            Err(Error::internal("access to one project was used for another"))
        }
    }

    /// The project: the tenant key.
    pub fn project(&self) -> ProjectId {
        self.grant.project
    }

    /// The project's full path, as GitLab spells it.
    pub fn path(&self) -> &str {
        &self.grant.path
    }

    /// What this caller with this token may do; at least what the route demands.
    pub fn level(&self) -> AccessLevel {
        self.level
    }

    /// Who sees the project in GitLab.
    pub fn visibility(&self) -> Visibility {
        self.grant.visibility
    }

    /// When the project was created in GitLab, ms since 1970; 0 if unknown.
    pub fn project_created_at(&self) -> i64 {
        self.grant.created_at
    }
}
