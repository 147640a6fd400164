//! What the stand-in knows: accounts, tokens, groups, projects, and the rules that decide who may do what.
//!
//! The rules are GitLab's: <https://docs.gitlab.com/user/permissions/> and <https://docs.gitlab.com/user/public_access/>.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::belongings::{Container, Feature, Package, Release};
use super::files::Files;

#[derive(Debug, Clone)]
pub struct Account {
    pub id: u64,
    pub username: String,
    pub name: String,
    /// Instance administrator: sees and may do everything.
    pub admin: bool,
    /// External users do not see internal projects.
    pub external: bool,
    /// Ids of the projects that the account has starred.
    pub starred: BTreeSet<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// A personal, project or group access token.
    #[default]
    Personal,
    Oauth,
}

#[derive(Debug, Clone)]
pub struct Token {
    pub id: u64,
    pub secret: String,
    pub account: u64,
    pub scopes: BTreeSet<String>,
    pub kind: TokenKind,
    pub revoked: bool,
}

impl Token {
    /// True when the token carries one of `scopes`.
    pub fn has_any(&self, scopes: &[&str]) -> bool {
        scopes.iter().any(|scope| self.scopes.contains(*scope))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    #[default]
    Private,
    Internal,
    Public,
}

impl Visibility {
    pub fn as_str(self) -> &'static str {
        match self {
            Visibility::Private => "private",
            Visibility::Internal => "internal",
            Visibility::Public => "public",
        }
    }
}

/// Ordered as GitLab's access levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Guest = 10,
    Planner = 15,
    Reporter = 20,
    Developer = 30,
    Maintainer = 40,
    Owner = 50,
}

impl Role {
    /// GitLab's number of the role.
    pub fn level(self) -> i32 {
        self as i32
    }
}

#[derive(Debug, Clone)]
pub struct Group {
    pub id: u64,
    pub path: String,
    pub name: String,
    pub visibility: Visibility,
    pub description: String,
}

#[derive(Debug, Clone)]
pub struct Project {
    pub id: u64,
    /// Full path, groups included.
    pub path: String,
    pub name: String,
    pub visibility: Visibility,
    pub topics: Vec<String>,
    pub description: String,
    pub created_at: String,
    pub last_activity_at: String,
    pub archived: bool,
    pub default_branch: String,
    /// Stars besides those of the accounts here.
    pub stars: u64,
    pub repository: Feature,
    pub package_registry: Feature,
    pub container_registry: Feature,
    pub files: Files,
    /// Newest first, like the lists below.
    pub releases: Vec<Release>,
    pub packages: Vec<Package>,
    pub containers: Vec<Container>,
}

impl Project {
    /// A private, empty project.
    pub fn new(id: u64, path: &str) -> Self {
        Project {
            id,
            path: path.to_owned(),
            name: super::definition::last_part(path).to_owned(),
            visibility: Visibility::Private,
            topics: Vec::new(),
            description: String::new(),
            created_at: "2025-01-01T00:00:00.000Z".to_owned(),
            last_activity_at: "2025-01-01T00:00:00.000Z".to_owned(),
            archived: false,
            default_branch: "main".to_owned(),
            stars: 0,
            repository: Feature::Enabled,
            package_registry: Feature::Enabled,
            container_registry: Feature::Enabled,
            files: Files::default(),
            releases: Vec::new(),
            packages: Vec::new(),
            containers: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Group(u64),
    Project(u64),
}

#[derive(Debug, Clone)]
pub struct Membership {
    pub account: u64,
    pub place: Place,
    pub role: Role,
}

#[derive(Debug, Clone)]
pub struct Share {
    pub group: u64,
    pub with: Place,
    pub role: Role,
}

/// What one caller may do in one visible project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permissions {
    pub read: bool,
    pub download: bool,
    pub push: bool,
    pub admin: bool,
    pub packages: bool,
    pub containers: bool,
}

#[derive(Debug, Clone, Default)]
pub struct State {
    pub accounts: Vec<Account>,
    pub tokens: Vec<Token>,
    pub groups: Vec<Group>,
    pub projects: Vec<Project>,
    pub memberships: Vec<Membership>,
    pub shares: Vec<Share>,
}

impl State {
    pub fn account(&self, id: u64) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    pub fn account_named(&self, username: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.username == username)
    }

    pub fn project(&self, id: u64) -> Option<&Project> {
        self.projects.iter().find(|project| project.id == id)
    }

    /// Paths compare without case, as GitLab's do.
    pub fn project_at(&self, path: &str) -> Option<&Project> {
        self.projects.iter().find(|project| project.path.eq_ignore_ascii_case(path))
    }

    pub fn group_at(&self, path: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.path.eq_ignore_ascii_case(path))
    }

    pub fn place(&self, path: &str) -> Option<Place> {
        let group = self.group_at(path).map(|group| Place::Group(group.id));
        group.or_else(|| self.project_at(path).map(|project| Place::Project(project.id)))
    }

    /// Why a new group or project cannot have this full path.
    pub fn path_problem(&self, path: &str) -> Option<String> {
        let clean = |part: &str| {
            !part.is_empty()
                && !part.starts_with(['-', '.'])
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };
        if !path.split('/').all(clean) {
            return Some(format!("{path:?} is not a path of letters, digits, '-', '_' and '.' between single slashes"));
        }
        if self.place(path).is_some() {
            return Some(format!("path {path:?} is taken already"));
        }
        match path.rsplit_once('/') {
            Some((parent, _)) if self.group_at(parent).is_none() => {
                Some(format!("{path:?} lies in the unknown group {parent:?}"))
            }
            _ => None,
        }
    }

    /// The group at `path`'s parent, then that group's parent, and so on.
    fn groups_above<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a Group> {
        path.rmatch_indices('/').filter_map(|(at, _)| self.group_at(&path[..at]))
    }

    fn direct_role(&self, account: u64, place: Place) -> Option<Role> {
        let member = |m: &&Membership| m.account == account && m.place == place;
        self.memberships.iter().find(member).map(|m| m.role)
    }

    /// Membership in the place itself or through a group that was invited to it.
    fn role_at(&self, account: u64, place: Place) -> Option<Role> {
        let invited = self.shares.iter().filter(|share| share.with == place).filter_map(|share| {
            let group = self.groups.iter().find(|group| group.id == share.group)?;
            // Invited groups bring their own and their ancestors' members, not those of other invitations.
            let own = self.direct_role(account, Place::Group(group.id));
            let above = self.groups_above(&group.path).map(|g| self.direct_role(account, Place::Group(g.id)));
            above.fold(own, Option::max).map(|role| role.min(share.role))
        });
        invited.map(Some).fold(self.direct_role(account, place), Option::max)
    }

    /// The account's highest role in a group: its own, inherited, or by invitation.
    pub fn group_role(&self, account: u64, group: &Group) -> Option<Role> {
        let above = self.groups_above(&group.path).map(|g| self.role_at(account, Place::Group(g.id)));
        above.fold(self.role_at(account, Place::Group(group.id)), Option::max)
    }

    /// The account's highest role in a project: its own, inherited, or by invitation.
    pub fn project_role(&self, account: u64, project: &Project) -> Option<Role> {
        let above = self.groups_above(&project.path).map(|g| self.role_at(account, Place::Group(g.id)));
        above.fold(self.role_at(account, Place::Project(project.id)), Option::max)
    }

    /// The roles that GitLab's REST API shows as `permissions`: direct in the project, and inherited from its groups.
    /// Invitations are missing there, in GitLab too.
    pub fn rest_roles(&self, account: u64, project: &Project) -> (Option<Role>, Option<Role>) {
        let groups = self.groups_above(&project.path).map(|g| self.direct_role(account, Place::Group(g.id)));
        (self.direct_role(account, Place::Project(project.id)), groups.fold(None, Option::max))
    }

    /// What the caller (`None`: anonymous) may do in the project; `read` is false when it is hidden.
    pub fn permissions(&self, caller: Option<&Account>, project: &Project) -> Permissions {
        let role = caller.and_then(|account| self.project_role(account.id, project));
        let admin = caller.is_some_and(|account| account.admin);
        let open = self.open_to(caller, project.visibility);
        let at_least = |needed: Role| admin || role.is_some_and(|role| role >= needed);
        // Code and registries of a private project begin with reporters; where the project is open, with its guests.
        let may_use = |feature: Feature| match feature {
            Feature::Enabled => open || at_least(Role::Reporter),
            Feature::Private => at_least(if open { Role::Guest } else { Role::Reporter }),
            Feature::Disabled => false,
        };
        Permissions {
            read: open || at_least(Role::Guest),
            download: may_use(project.repository),
            push: at_least(Role::Developer) && !project.archived && project.repository != Feature::Disabled,
            admin: at_least(Role::Maintainer),
            packages: may_use(project.package_registry),
            containers: may_use(project.container_registry),
        }
    }

    /// How many have starred a project.
    pub fn stars(&self, project: &Project) -> u64 {
        project.stars + self.accounts.iter().filter(|account| account.starred.contains(&project.id)).count() as u64
    }

    /// A group is visible by its visibility, to its members, and to members of anything inside it.
    pub fn sees_group(&self, caller: Option<&Account>, group: &Group) -> bool {
        if self.open_to(caller, group.visibility) {
            return true;
        }
        let Some(account) = caller else { return false };
        let inside = |path: &str| path.strip_prefix(&group.path).is_some_and(|rest| rest.starts_with('/'));
        account.admin
            || self.group_role(account.id, group).is_some()
            || self.groups.iter().any(|g| inside(&g.path) && self.group_role(account.id, g).is_some())
            || self.projects.iter().any(|p| inside(&p.path) && self.project_role(account.id, p).is_some())
    }

    fn open_to(&self, caller: Option<&Account>, visibility: Visibility) -> bool {
        match visibility {
            Visibility::Public => true,
            Visibility::Internal => caller.is_some_and(|account| !account.external),
            Visibility::Private => false,
        }
    }
}
