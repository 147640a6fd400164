//! The world behind one stand-in, shared between its router and whoever steers it.
//!
//! Tests change it while it serves: roles, names, tokens, outages; and read how often each endpoint was called.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use include_dir::{Dir, include_dir};

use super::definition::{Definition, DefinitionError, FILE_NAME, last_part};
use super::files::Files;
use super::state::{Membership, Place, Project, Role, State, Token, Visibility};

static DEMO: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/projects");

/// What happens to a call instead of its normal answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Answer with this status, with `Retry-After` (seconds) when given.
    Status { code: u16, retry_after: Option<u64> },
    /// Answer normally, but so much later.
    Delay(Duration),
    /// Close the connection without an answer.
    Drop,
}

#[derive(Debug, Clone)]
struct PlannedFault {
    fault: Fault,
    /// Only for this call, e.g. `POST /api/graphql`; `None`: for every call.
    call: Option<String>,
    /// How many calls are still to be hit; `None`: all until `heal`.
    left: Option<u32>,
}

#[derive(Debug, Default)]
struct Inner {
    state: State,
    calls: BTreeMap<String, u64>,
    faults: Vec<PlannedFault>,
}

/// A handle on the world; clones share it.
#[derive(Debug, Clone, Default)]
pub struct World {
    inner: Arc<RwLock<Inner>>,
}

/// A steering method named something that is not there.
#[derive(Debug, thiserror::Error)]
#[error("the world has no {0}")]
pub struct NotThere(String);

impl World {
    /// The demo world, plus `DIR/gitlab.yaml` and its files when a folder is given.
    pub fn load(dir: Option<&Path>) -> Result<Self, DefinitionError> {
        let mut state = State::default();
        let text = DEMO.get_file(FILE_NAME).and_then(|file| file.contents_utf8()).unwrap_or_default();
        let origin = "built-in gitlab.yaml";
        let files = |path: &str| DEMO.get_dir(path).map_or(Files::Empty, Files::Embedded);
        Definition::parse(text, origin)?.add_to(&mut state, origin, files)?;
        if let Some(dir) = dir {
            let origin = dir.join(FILE_NAME).display().to_string();
            let files = |path: &str| Files::Folder(dir.join(path));
            Definition::read(dir)?.add_to(&mut state, &origin, files)?;
        }
        Ok(World { inner: Arc::new(RwLock::new(Inner { state, ..Inner::default() })) })
    }

    /// Reads the state under the lock.
    pub fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.inner.read().unwrap_or_else(PoisonError::into_inner).state)
    }

    fn write<T>(&self, write: impl FnOnce(&mut Inner) -> T) -> T {
        write(&mut self.inner.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn change_project(&self, path: &str, change: impl FnOnce(&mut Project)) -> Result<(), NotThere> {
        self.write(|inner| {
            let project = inner.state.projects.iter_mut().find(|project| project.path == path);
            project.map(change).ok_or_else(|| NotThere(format!("project {path:?}")))
        })
    }

    /// Gives a project a new full path. Unlike GitLab, the old path leads nowhere at once.
    pub fn rename_project(&self, path: &str, new_path: &str) -> Result<(), NotThere> {
        self.change_project(path, |project| {
            project.path = new_path.to_owned();
            project.name = last_part(new_path).to_owned();
        })
    }

    pub fn set_archived(&self, path: &str, archived: bool) -> Result<(), NotThere> {
        self.change_project(path, |project| project.archived = archived)
    }

    pub fn set_visibility(&self, path: &str, visibility: Visibility) -> Result<(), NotThere> {
        self.change_project(path, |project| project.visibility = visibility)
    }

    /// Removes a project for good.
    pub fn delete_project(&self, path: &str) -> Result<(), NotThere> {
        self.write(|inner| {
            let id = inner.state.project_at(path).map(|project| project.id);
            let id = id.ok_or_else(|| NotThere(format!("project {path:?}")))?;
            inner.state.projects.retain(|project| project.id != id);
            inner.state.memberships.retain(|membership| membership.place != Place::Project(id));
            Ok(())
        })
    }

    /// Adds an empty project; `None` when its id or path is taken or its group unknown.
    pub fn add_project(&self, id: u64, path: &str, visibility: Visibility) -> Option<()> {
        self.write(|inner| {
            let state = &mut inner.state;
            if state.path_problem(path).is_some() || state.project(id).is_some() {
                return None;
            }
            state.projects.push(Project {
                id,
                path: path.to_owned(),
                name: last_part(path).to_owned(),
                visibility,
                topics: Vec::new(),
                description: String::new(),
                created_at: "2025-06-01T00:00:00.000Z".to_owned(),
                archived: false,
                files: Files::Empty,
            });
            Some(())
        })
    }

    /// Sets an account's own role in a group or project; `None` ends the membership.
    pub fn set_role(&self, username: &str, path: &str, role: Option<Role>) -> Result<(), NotThere> {
        self.write(|inner| {
            let state = &mut inner.state;
            let account = state.account_named(username).map(|account| account.id);
            let account = account.ok_or_else(|| NotThere(format!("account {username:?}")))?;
            let place = state.place(path).ok_or_else(|| NotThere(format!("group or project {path:?}")))?;
            state.memberships.retain(|m| !(m.account == account && m.place == place));
            if let Some(role) = role {
                state.memberships.push(Membership { account, place, role });
            }
            Ok(())
        })
    }

    /// Makes an account an instance administrator, or an ordinary one again.
    pub fn set_admin(&self, username: &str, admin: bool) -> Result<(), NotThere> {
        self.write(|inner| {
            let account = inner.state.accounts.iter_mut().find(|account| account.username == username);
            account.map(|account| account.admin = admin).ok_or_else(|| NotThere(format!("account {username:?}")))
        })
    }

    /// Ends a token as its owner would in GitLab.
    pub fn revoke_token(&self, secret: &str) -> Result<(), NotThere> {
        self.write(|inner| {
            let token = inner.state.tokens.iter_mut().find(|token| token.secret == secret);
            token.map(|token| token.revoked = true).ok_or_else(|| NotThere("such token".to_owned()))
        })
    }

    /// Adds a token, e.g. one of kind OAuth or with unusual scopes; replaces one of the same secret.
    pub fn add_token(
        &self,
        username: &str,
        secret: &str,
        scopes: &[&str],
        kind: super::state::TokenKind,
    ) -> Result<(), NotThere> {
        self.write(|inner| {
            let state = &mut inner.state;
            let account = state.account_named(username).map(|account| account.id);
            let account = account.ok_or_else(|| NotThere(format!("account {username:?}")))?;
            state.tokens.retain(|token| token.secret != secret);
            let id = state.tokens.iter().map(|token| token.id).max().unwrap_or(0) + 1;
            let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
            state.tokens.push(Token { id, secret: secret.to_owned(), account, scopes, kind, revoked: false });
            Ok(())
        })
    }

    /// Hits every call with `fault` until `heal`.
    pub fn fail(&self, fault: Fault) {
        self.write(|inner| inner.faults.push(PlannedFault { fault, call: None, left: None }));
    }

    /// Hits the next `times` calls with `fault`.
    pub fn fail_next(&self, times: u32, fault: Fault) {
        self.write(|inner| inner.faults.push(PlannedFault { fault, call: None, left: Some(times) }));
    }

    /// Hits calls of one kind, e.g. `POST /api/graphql`, with `fault` until `heal`.
    pub fn fail_call(&self, call: &str, fault: Fault) {
        self.write(|inner| inner.faults.push(PlannedFault { fault, call: Some(call.to_owned()), left: None }));
    }

    /// Ends all faults.
    pub fn heal(&self) {
        self.write(|inner| inner.faults.clear());
    }

    /// Calls so far by kind: method and route, e.g. `GET /api/v4/user`; calls hit by a fault count too.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).calls.clone()
    }

    /// The sum of `calls`.
    pub fn call_count(&self) -> u64 {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).calls.values().sum()
    }

    pub fn reset_calls(&self) {
        self.write(|inner| inner.calls.clear());
    }

    /// Counts a call and takes the fault that is planned for it; the oldest plan goes first.
    pub(super) fn record(&self, call: &str) -> Option<Fault> {
        self.write(|inner| {
            *inner.calls.entry(call.to_owned()).or_default() += 1;
            let at = inner.faults.iter().position(|planned| planned.call.as_deref().is_none_or(|only| only == call))?;
            let planned = &mut inner.faults[at];
            let fault = planned.fault.clone();
            if let Some(left) = &mut planned.left {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    inner.faults.remove(at);
                }
            }
            Some(fault)
        })
    }
}
