//! What hooks are told: <https://docs.gitlab.com/user/project/integrations/webhook_events/>,
//! <https://docs.gitlab.com/administration/system_hooks/>.

use serde_json::{Value, json};

use super::definition::last_part;
use super::repository::{Repository, commit_id};
use super::state::{Project, Visibility};

/// The id before a ref's first commit.
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";
/// Where the instance believes to be.
const BASE: &str = "https://gitlab.example.com";

/// One change in a project, and what hooks hear of it.
pub struct Change {
    pub project: u64,
    /// The `X-Gitlab-Event` of a project's own webhook; `None` if only system hooks hear of it.
    pub webhook_event: Option<&'static str>,
    pub body: Value,
}

/// `project_create`, `project_update`, `project_rename` or `project_destroy`; system hooks only.
pub fn project(event: &str, project: &Project, old_path: Option<&str>) -> Change {
    let mut body = json!({
        "event_name": event,
        "created_at": project.created_at,
        "updated_at": project.last_activity_at,
        "name": project.name,
        "path": project.path.rsplit('/').next().unwrap_or_default(),
        "path_with_namespace": project.path,
        "project_id": project.id,
        "owner_name": project.path.split('/').next().unwrap_or_default(),
        "owners": [],
        "owner_email": "",
        "project_visibility": project.visibility.as_str(),
    });
    if let Some(old) = old_path {
        body["old_path_with_namespace"] = json!(old);
    }
    Change { project: project.id, webhook_event: None, body }
}

/// A push of one commit to the default branch.
pub fn push(project: &Project, before: &str, added: &[String], modified: &[String], removed: &[String]) -> Change {
    let after = head(project);
    let commit = json!({
        "id": after,
        "message": "Change files\n",
        "title": "Change files",
        "timestamp": project.last_activity_at,
        "url": format!("{BASE}/{}/-/commit/{after}", project.path),
        "author": { "name": "Stand-in", "email": "stand-in@example.com" },
        "added": added,
        "modified": modified,
        "removed": removed,
    });
    let reference = format!("refs/heads/{}", project.default_branch);
    let body = pushed("push", project, before, &after, &reference, vec![commit]);
    Change { project: project.id, webhook_event: Some("Push Hook"), body }
}

/// A new tag.
pub fn tag_push(project: &Project, tag: &str) -> Change {
    let body = pushed("tag_push", project, NO_COMMIT, &head(project), &format!("refs/tags/{tag}"), Vec::new());
    Change { project: project.id, webhook_event: Some("Tag Push Hook"), body }
}

/// The commit on the default branch.
pub fn head(project: &Project) -> String {
    let files = Repository::of(project).list();
    if files.is_empty() { NO_COMMIT.to_owned() } else { commit_id(&files) }
}

fn pushed(kind: &str, project: &Project, before: &str, after: &str, reference: &str, commits: Vec<Value>) -> Value {
    let url = format!("{BASE}/{}", project.path);
    let level = match project.visibility {
        Visibility::Private => 0,
        Visibility::Internal => 10,
        Visibility::Public => 20,
    };
    json!({
        "object_kind": kind,
        "event_name": kind,
        "before": before,
        "after": after,
        "ref": reference,
        "ref_protected": true,
        "checkout_sha": after,
        "message": null,
        "user_id": 1,
        "user_name": "Stand-in",
        "user_username": "stand-in",
        "user_email": null,
        "user_avatar": null,
        "project_id": project.id,
        "project": {
            "id": project.id,
            "name": project.name,
            "description": project.description,
            "web_url": url,
            "avatar_url": null,
            "git_ssh_url": format!("git@gitlab.example.com:{}.git", project.path),
            "git_http_url": format!("{url}.git"),
            "namespace": project.path.rsplit_once('/').map(|(parent, _)| last_part(parent)),
            "visibility_level": level,
            "path_with_namespace": project.path,
            "default_branch": project.default_branch,
        },
        "total_commits_count": commits.len(),
        "commits": commits,
        "push_options": {},
        "repository": {
            "name": project.name,
            "url": format!("git@gitlab.example.com:{}.git", project.path),
            "description": project.description,
            "homepage": url,
            "visibility_level": level,
        },
    })
}
