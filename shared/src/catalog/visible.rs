//! What one caller sees of the catalog.

use std::collections::HashMap;

use super::Row;
use crate::model::{ProjectId, Visibility};

/// What a caller may see, as GitLab says.
#[derive(Clone, Debug, Default)]
pub struct Visible {
    /// Signed in and not an external user: sees internal projects.
    pub internal: bool,
    /// The projects that the caller is a member of, and whether they may read the repository there, which in an
    /// open project guests may, too.
    pub projects: HashMap<ProjectId, bool>,
    /// An administrator of GitLab.
    pub everything: bool,
}

/// How much of an item a caller sees.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Sight {
    Hidden,
    /// What does not come from the repository.
    Project,
    /// All of it.
    Code,
}

impl Visible {
    /// How much of the item behind `row` the caller sees.
    pub fn sight(&self, row: &Row) -> Sight {
        self.sight_of(row.project, row.visibility, row.code_visibility)
    }

    /// How much of a project the caller sees that is, and whose code is, visible to these.
    pub fn sight_of(&self, project: ProjectId, visibility: Visibility, code_visibility: Visibility) -> Sight {
        if self.everything {
            return Sight::Code;
        }
        // What GitLab says of the caller is newer than what the catalog heard of the project.
        match self.projects.get(&project) {
            Some(true) => Sight::Code,
            Some(false) => Sight::Project,
            None if self.is_open(code_visibility) => Sight::Code,
            None if self.is_open(visibility) => Sight::Project,
            None => Sight::Hidden,
        }
    }

    fn is_open(&self, visibility: Visibility) -> bool {
        match visibility {
            Visibility::Public => true,
            Visibility::Internal => self.internal,
            Visibility::Private => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Facts;

    fn row(visibility: Visibility, code_visibility: Visibility) -> Row {
        Row {
            project: ProjectId(7),
            collection: "aimodel".into(),
            id: "a/b".into(),
            visibility,
            code_visibility,
            full: Facts::default(),
            minimal: None,
        }
    }

    #[test]
    fn sight_is_what_gitlab_shows() {
        use Sight::{Code, Hidden, Project};
        use Visibility::{Internal, Private, Public};
        let nobody = Visible::default();
        let user = Visible { internal: true, ..Visible::default() };
        let guest = Visible { projects: [(ProjectId(7), false)].into(), ..user.clone() };
        let external = Visible { internal: false, ..guest.clone() };
        let reporter = Visible { projects: [(ProjectId(7), true)].into(), ..user.clone() };
        let admin = Visible { everything: true, ..Visible::default() };
        for (visibility, code, expected) in [
            (Public, Public, [Code, Code, Project, Project, Code, Code]),
            (Public, Private, [Project, Project, Project, Project, Code, Code]),
            (Internal, Internal, [Hidden, Code, Project, Project, Code, Code]),
            (Internal, Private, [Hidden, Project, Project, Project, Code, Code]),
            (Private, Private, [Hidden, Hidden, Project, Project, Code, Code]),
        ] {
            let row = row(visibility, code);
            let seen = [&nobody, &user, &guest, &external, &reporter, &admin].map(|visible| visible.sight(&row));
            assert_eq!(seen, expected, "{visibility:?} {code:?}");
        }
    }
}
