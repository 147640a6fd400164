//! `gitlab.yaml`: the file format of a stand-in world, and its checks.
//!
//! Several files add up to one world; the same id, path, name or token twice is an error that names both places.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::belongings::{Container, Feature, Package, Release};
use super::files::Files;
use super::state::{Account, Group, Membership, Place, Project, Role, Share, State, Token, TokenKind, Visibility};

/// The file's name inside a projects folder.
pub const FILE_NAME: &str = "gitlab.yaml";

/// Why a world could not be built; the text is one line that says where and what.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    #[error("cannot read {path}: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{origin}: {message}")]
    Invalid { origin: String, message: String },
}

/// One `gitlab.yaml`, as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Definition {
    accounts: Vec<AccountEntry>,
    tokens: Vec<TokenEntry>,
    groups: Vec<GroupEntry>,
    memberships: Vec<MembershipEntry>,
    shares: Vec<ShareEntry>,
    projects: Vec<ProjectEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountEntry {
    id: Option<u64>,
    username: String,
    name: Option<String>,
    #[serde(default)]
    admin: bool,
    #[serde(default)]
    external: bool,
    /// Full paths of projects, here or in the demo world.
    #[serde(default)]
    starred: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenEntry {
    token: String,
    account: String,
    scopes: BTreeSet<String>,
    #[serde(default)]
    kind: TokenKind,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupEntry {
    id: Option<u64>,
    path: String,
    name: Option<String>,
    #[serde(default)]
    visibility: Visibility,
    #[serde(default)]
    description: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MembershipEntry {
    account: String,
    r#in: String,
    role: Role,
}

/// Members of `group` get at most `role` in the group or project `with` (GitLab's "invite a group").
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShareEntry {
    group: String,
    with: String,
    role: Role,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProjectEntry {
    id: u64,
    path: String,
    name: Option<String>,
    #[serde(default)]
    visibility: Visibility,
    #[serde(default)]
    topics: Vec<String>,
    #[serde(default)]
    description: String,
    #[serde(alias = "createdAt")]
    created_at: Option<String>,
    last_activity_at: Option<String>,
    #[serde(default)]
    archived: bool,
    default_branch: Option<String>,
    #[serde(default)]
    stars: u64,
    #[serde(default)]
    repository: Feature,
    #[serde(default)]
    package_registry: Feature,
    #[serde(default)]
    container_registry: Feature,
    #[serde(default)]
    releases: Vec<Release>,
    #[serde(default)]
    packages: Vec<Package>,
    #[serde(default)]
    containers: Vec<Container>,
}

impl Definition {
    /// Parses the text of a `gitlab.yaml`; `origin` names it in errors.
    pub fn parse(text: &str, origin: &str) -> Result<Self, DefinitionError> {
        serde_yaml_ng::from_str::<Option<Definition>>(text)
            .map(Option::unwrap_or_default)
            .map_err(|error| invalid(origin, error))
    }

    /// Reads `DIR/gitlab.yaml`.
    pub fn read(dir: &Path) -> Result<Self, DefinitionError> {
        let path = dir.join(FILE_NAME);
        let text = std::fs::read_to_string(&path)
            .map_err(|source| DefinitionError::Unreadable { path: path.clone(), source })?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Adds this definition to `state`. `files` gives the repository files of a project by its full path.
    pub fn add_to(self, state: &mut State, origin: &str, files: impl Fn(&str) -> Files) -> Result<(), DefinitionError> {
        let fail = |message: String| Err(invalid(origin, message));
        let mut stars = Vec::new();
        for entry in self.accounts {
            if state.account_named(&entry.username).is_some() {
                return fail(format!("account {:?} is there already", entry.username));
            }
            let id = entry.id.unwrap_or_else(|| free_id(state.accounts.iter().map(|a| a.id)));
            if let Some(other) = state.accounts.iter().find(|a| a.id == id) {
                return fail(format!("account id {id} belongs to {:?} already", other.username));
            }
            let name = entry.name.unwrap_or_else(|| entry.username.clone());
            stars.extend(entry.starred.into_iter().map(|path| (id, path)));
            let (admin, external) = (entry.admin, entry.external);
            let starred = BTreeSet::new();
            state.accounts.push(Account { id, username: entry.username, name, admin, external, starred });
        }
        for entry in self.tokens {
            let Some(account) = state.account_named(&entry.account).map(|a| a.id) else {
                return fail(format!("token {:?} is for the unknown account {:?}", entry.token, entry.account));
            };
            if state.tokens.iter().any(|t| t.secret == entry.token) {
                return fail(format!("token {:?} is there already", entry.token));
            }
            let id = free_id(state.tokens.iter().map(|t| t.id));
            let (secret, scopes, kind) = (entry.token, entry.scopes, entry.kind);
            state.tokens.push(Token { id, secret, account, scopes, kind, revoked: false });
        }
        for entry in self.groups {
            if let Some(problem) = state.path_problem(&entry.path) {
                return fail(problem);
            }
            let id = entry.id.unwrap_or_else(|| free_id(state.groups.iter().map(|g| g.id)));
            if let Some(other) = state.groups.iter().find(|g| g.id == id) {
                return fail(format!("group id {id} belongs to {:?} already", other.path));
            }
            state.groups.push(Group {
                id,
                name: entry.name.unwrap_or_else(|| last_part(&entry.path).to_owned()),
                path: entry.path,
                visibility: entry.visibility,
                description: entry.description,
            });
        }
        for entry in self.projects {
            if let Some(problem) = state.path_problem(&entry.path) {
                return fail(problem);
            }
            if let Some(other) = state.project(entry.id) {
                return fail(format!("project id {} belongs to {:?} already", entry.id, other.path));
            }
            let mut project = Project::new(entry.id, &entry.path);
            project.files = files(&entry.path);
            project.name = entry.name.unwrap_or(project.name);
            project.created_at = entry.created_at.unwrap_or(project.created_at);
            project.last_activity_at = entry.last_activity_at.unwrap_or_else(|| project.created_at.clone());
            project.default_branch = entry.default_branch.unwrap_or(project.default_branch);
            state.projects.push(Project {
                visibility: entry.visibility,
                topics: entry.topics,
                description: entry.description,
                archived: entry.archived,
                stars: entry.stars,
                repository: entry.repository,
                package_registry: entry.package_registry,
                container_registry: entry.container_registry,
                releases: entry.releases,
                packages: entry.packages,
                containers: entry.containers,
                ..project
            });
        }
        for (account, path) in stars {
            let Some(project) = state.project_at(&path).map(|project| project.id) else {
                return fail(format!("a star for the unknown project {path:?}"));
            };
            state.accounts.iter_mut().filter(|a| a.id == account).for_each(|a| {
                a.starred.insert(project);
            });
        }
        for entry in self.memberships {
            let Some(account) = state.account_named(&entry.account).map(|a| a.id) else {
                return fail(format!("membership of the unknown account {:?} in {:?}", entry.account, entry.r#in));
            };
            let Some(place) = state.place(&entry.r#in) else {
                return fail(format!(
                    "membership of {:?} in the unknown group or project {:?}",
                    entry.account, entry.r#in
                ));
            };
            if state.memberships.iter().any(|m| m.account == account && m.place == place) {
                return fail(format!("{:?} is a member of {:?} already", entry.account, entry.r#in));
            }
            state.memberships.push(Membership { account, place, role: entry.role });
        }
        for entry in self.shares {
            let Some(Place::Group(group)) = state.place(&entry.group) else {
                return fail(format!("share of the unknown group {:?}", entry.group));
            };
            let Some(with) = state.place(&entry.with) else {
                return fail(format!("share with the unknown group or project {:?}", entry.with));
            };
            state.shares.push(Share { group, with, role: entry.role });
        }
        Ok(())
    }
}

fn invalid(origin: &str, message: impl ToString) -> DefinitionError {
    DefinitionError::Invalid { origin: origin.to_owned(), message: message.to_string() }
}

fn free_id(taken: impl Iterator<Item = u64>) -> u64 {
    taken.max().map_or(1, |highest| highest + 1)
}

/// `c` of `a/b/c`.
pub(crate) fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
