//! A GitLab project, the owner of everything.

use serde::{Deserialize, Serialize};

/// GitLab's numeric project id: the tenant key. It survives renames and moves.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct ProjectId(pub u64);

impl std::fmt::Display for ProjectId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Who sees a project in GitLab.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Everybody.
    Public,
    /// Every signed-in user.
    Internal,
    /// Members only; also what an unknown word counts as.
    #[default]
    #[serde(other)]
    Private,
}
