//! Changing the world while it serves, as people would in GitLab. What GitLab tells its hooks of, they are told.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::belongings::Release;
use super::definition::last_part;
use super::events::{self, Change};
use super::state::{Membership, Place, Project, Role, State, Token, TokenKind, Visibility};
use super::world::{NotThere, World};

/// What a push tells of: files that were added, changed and removed.
#[derive(Default)]
struct Pushed {
    added: Vec<String>,
    modified: Vec<String>,
    removed: Vec<String>,
}

impl World {
    /// Changes a project and tells the hooks what `told` makes of it.
    fn change_project<T>(
        &self,
        path: &str,
        change: impl FnOnce(&mut Project) -> T,
        told: impl FnOnce(&Project, T) -> Change,
    ) -> Result<(), NotThere> {
        self.write(|inner| {
            let project = inner.state.projects.iter_mut().find(|project| project.path == path);
            let project = project.ok_or_else(|| NotThere(format!("project {path:?}")))?;
            let changed = change(project);
            inner.hooks.tell(told(project, changed));
            Ok(())
        })
    }

    /// Gives a project a new full path. Unlike GitLab, the old path leads nowhere at once.
    pub fn rename_project(&self, path: &str, new_path: &str) -> Result<(), NotThere> {
        let change = |project: &mut Project| {
            project.path = new_path.to_owned();
            project.name = last_part(new_path).to_owned();
        };
        self.change_project(path, change, |project, ()| events::project("project_rename", project, Some(path)))
    }

    /// Changes whatever is to change but the path and the files.
    pub fn edit_project(&self, path: &str, edit: impl FnOnce(&mut Project)) -> Result<(), NotThere> {
        self.change_project(path, edit, |project, ()| events::project("project_update", project, None))
    }

    pub fn set_archived(&self, path: &str, archived: bool) -> Result<(), NotThere> {
        self.edit_project(path, |project| project.archived = archived)
    }

    pub fn set_visibility(&self, path: &str, visibility: Visibility) -> Result<(), NotThere> {
        self.edit_project(path, |project| project.visibility = visibility)
    }

    pub fn set_topics(&self, path: &str, topics: &[&str]) -> Result<(), NotThere> {
        self.edit_project(path, |project| project.topics = topics.iter().map(|topic| (*topic).to_owned()).collect())
    }

    /// Pushes a commit with one file, new or changed.
    pub fn put_file(&self, path: &str, file: &str, content: impl Into<Vec<u8>>) -> Result<(), NotThere> {
        self.put_files(path, [(file.to_owned(), content.into())])
    }

    /// Pushes a commit with these files, new or changed.
    pub fn put_files(&self, path: &str, files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<(), NotThere> {
        self.push(path, |project| {
            let mut pushed = Pushed::default();
            for (file, content) in files {
                match project.files.get(&file) {
                    Some(_) => pushed.modified.push(file.clone()),
                    None => pushed.added.push(file.clone()),
                }
                project.files.put(&file, Some(content));
            }
            pushed
        })
    }

    /// Pushes a commit without the file. A projects folder on disk is left as it is.
    pub fn remove_file(&self, path: &str, file: &str) -> Result<(), NotThere> {
        self.push(path, |project| {
            project.files.put(file, None);
            Pushed { removed: vec![file.to_owned()], ..Pushed::default() }
        })
    }

    /// Pushes a commit with a pointer to `content` in LFS.
    pub fn put_lfs_file(&self, path: &str, file: &str, content: &[u8]) -> Result<(), NotThere> {
        let (pointer, sha256) = super::repository::pointer_to(content);
        self.push(path, |project| {
            project.files.put(file, Some(pointer.into_bytes()));
            project.files.put_lfs(&sha256, content.to_vec());
            Pushed { added: vec![file.to_owned()], ..Pushed::default() }
        })
    }

    fn push(&self, path: &str, change: impl FnOnce(&mut Project) -> Pushed) -> Result<(), NotThere> {
        let change = |project: &mut Project| {
            let before = events::head(project);
            let pushed = change(project);
            project.last_activity_at = now();
            (before, pushed)
        };
        self.change_project(path, change, |project, (before, pushed)| {
            events::push(project, &before, &pushed.added, &pushed.modified, &pushed.removed)
        })
    }

    /// Publishes a release, whose tag is new.
    pub fn add_release(&self, path: &str, tag: &str, name: &str, description: &str) -> Result<(), NotThere> {
        let change = |project: &mut Project| {
            project.last_activity_at = now();
            let (name, description) = (name.to_owned(), description.to_owned());
            let released_at = project.last_activity_at.clone();
            project.releases.insert(0, Release { tag: tag.to_owned(), name, description, released_at });
        };
        self.change_project(path, change, |project, ()| events::tag_push(project, tag))
    }

    /// Removes a project for good.
    pub fn delete_project(&self, path: &str) -> Result<(), NotThere> {
        self.write(|inner| {
            let project = inner.state.project_at(path).cloned();
            let project = project.ok_or_else(|| NotThere(format!("project {path:?}")))?;
            inner.state.projects.retain(|other| other.id != project.id);
            inner.state.memberships.retain(|membership| membership.place != Place::Project(project.id));
            inner.hooks.tell(events::project("project_destroy", &project, None));
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
            let created = now();
            let project = Project {
                visibility,
                created_at: created.clone(),
                last_activity_at: created,
                ..Project::new(id, path)
            };
            let told = events::project("project_create", &project, None);
            state.projects.push(project);
            inner.hooks.tell(told);
            Some(())
        })
    }

    /// Sets an account's own role in a group or project; `None` ends the membership.
    pub fn set_role(&self, username: &str, path: &str, role: Option<Role>) -> Result<(), NotThere> {
        self.write(|inner| {
            let state = &mut inner.state;
            let account = account_id(state, username)?;
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
            let account = account_id(&inner.state, username)?;
            inner.state.accounts.iter_mut().filter(|other| other.id == account).for_each(|a| a.admin = admin);
            Ok(())
        })
    }

    /// Makes an account external, or an ordinary one again.
    pub fn set_external(&self, username: &str, external: bool) -> Result<(), NotThere> {
        self.write(|inner| {
            let account = account_id(&inner.state, username)?;
            inner.state.accounts.iter_mut().filter(|other| other.id == account).for_each(|a| a.external = external);
            Ok(())
        })
    }

    /// Sets or takes an account's star; false if there is nothing to change.
    pub(super) fn star(&self, account: u64, project: u64, starred: bool) -> bool {
        self.write(|inner| match inner.state.accounts.iter_mut().find(|other| other.id == account) {
            Some(account) if starred => account.starred.insert(project),
            Some(account) => account.starred.remove(&project),
            None => false,
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
    pub fn add_token(&self, username: &str, secret: &str, scopes: &[&str], kind: TokenKind) -> Result<(), NotThere> {
        self.write(|inner| {
            let state = &mut inner.state;
            let account = account_id(state, username)?;
            state.tokens.retain(|token| token.secret != secret);
            let id = state.tokens.iter().map(|token| token.id).max().unwrap_or(0) + 1;
            let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
            state.tokens.push(Token { id, secret: secret.to_owned(), account, scopes, kind, revoked: false });
            Ok(())
        })
    }
}

fn account_id(state: &State, username: &str) -> Result<u64, NotThere> {
    let account = state.account_named(username).map(|account| account.id);
    account.ok_or_else(|| NotThere(format!("account {username:?}")))
}

/// The present as GitLab writes it, to the millisecond.
fn now() -> String {
    let now = OffsetDateTime::now_utc();
    let now = now.replace_nanosecond(now.nanosecond() / 1_000_000 * 1_000_000).unwrap_or(now);
    now.format(&Rfc3339).unwrap_or_default()
}
