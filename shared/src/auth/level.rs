//! How much a caller may do in a project.

use serde::{Deserialize, Serialize};

use crate::gitlab::Project;

/// The ordered scale of access. It follows from the owner's permissions in GitLab, not from the token's scopes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessLevel {
    /// The project is hidden.
    NoAccess,
    /// Sees the project but not its code (role Guest). Reads MLflow data.
    Guest,
    /// Reads the code: role Reporter, anybody in a public project, everybody in an archived one.
    ReadOnly,
    /// Pushes code (role Developer). Writes and deletes MLflow data.
    Contributor,
    /// Administers the project (role Maintainer and above, administrators of GitLab).
    Administrator,
}

impl AccessLevel {
    /// The level that GitLab's permissions in a visible project amount to.
    pub fn of(project: &Project) -> Self {
        if project.admin_project && !project.archived {
            Self::Administrator
        } else if project.push_code && !project.archived {
            Self::Contributor
        } else if project.download_code {
            Self::ReadOnly
        } else {
            Self::Guest
        }
    }

    /// Does this level change things?
    pub fn writes(self) -> bool {
        self >= Self::Contributor
    }

    /// The GitLab role that brings this level.
    pub fn role(self) -> &'static str {
        match self {
            Self::NoAccess => "none",
            Self::Guest => "Guest",
            Self::ReadOnly => "Reporter",
            Self::Contributor => "Developer",
            Self::Administrator => "Maintainer",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ProjectId, Visibility};

    fn level(download_code: bool, push_code: bool, admin_project: bool, archived: bool) -> AccessLevel {
        AccessLevel::of(&Project {
            id: ProjectId(1),
            path: "a/b".into(),
            visibility: Visibility::Private,
            created_at: 0,
            archived,
            download_code,
            push_code,
            admin_project,
            role: 0,
        })
    }

    #[test]
    fn permissions_become_levels() {
        assert_eq!(level(false, false, false, false), AccessLevel::Guest);
        assert_eq!(level(true, false, false, false), AccessLevel::ReadOnly);
        assert_eq!(level(true, true, false, false), AccessLevel::Contributor);
        assert_eq!(level(true, true, true, false), AccessLevel::Administrator);
        // A maintainer of a project whose repository is switched off.
        assert_eq!(level(false, false, true, false), AccessLevel::Administrator);
    }

    #[test]
    fn an_archived_project_is_read_only_for_everybody() {
        // GitLab withdraws `pushCode` there, but leaves `adminProject`.
        assert_eq!(level(true, false, true, true), AccessLevel::ReadOnly);
        assert_eq!(level(true, true, true, true), AccessLevel::ReadOnly);
        assert_eq!(level(false, false, false, true), AccessLevel::Guest);
    }

    #[test]
    fn the_scale_is_ordered() {
        use AccessLevel::{Administrator, Contributor, Guest, NoAccess, ReadOnly};
        assert!(NoAccess < Guest && Guest < ReadOnly && ReadOnly < Contributor && Contributor < Administrator);
        assert!(Contributor.writes() && Administrator.writes() && !ReadOnly.writes());
    }
}
