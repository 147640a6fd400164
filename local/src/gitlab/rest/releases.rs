//! Releases: <https://docs.gitlab.com/api/releases/>.

use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};

use super::paging::offset_page;
use super::{Call, READ_SCOPES, RestError, ok, visible_project};
use crate::gitlab::belongings::Release;
use crate::gitlab::repository::{Repository, commit_id};
use crate::gitlab::state::Project;
use crate::gitlab::world::World;

/// GET `/api/v4/projects/:id/releases`
pub async fn list(State(world): State<World>, Path(id): Path<String>, call: Call) -> Result<Response, RestError> {
    let caller = call.with_scopes(READ_SCOPES)?;
    world.read(|state| {
        let project = visible_project(state, caller, &id)?;
        let code = state.permissions(caller, project).download;
        let mut releases: Vec<Value> =
            project.releases.iter().map(|release| entity(&call, project, release, code)).collect();
        releases.sort_by(|a, b| b["released_at"].as_str().cmp(&a["released_at"].as_str()));
        if call.param("sort") == Some("asc") {
            releases.reverse();
        }
        Ok(offset_page(&call, releases))
    })
}

/// GET `/api/v4/projects/:id/releases/:tag`
pub async fn show(
    State(world): State<World>,
    Path((id, tag)): Path<(String, String)>,
    call: Call,
) -> Result<Response, RestError> {
    let caller = call.with_scopes(READ_SCOPES)?;
    world.read(|state| {
        let project = visible_project(state, caller, &id)?;
        let code = state.permissions(caller, project).download;
        let release = project.releases.iter().find(|release| code && release.tag == tag);
        Ok(ok(&entity(&call, project, release.ok_or(RestError::NotFound("Release"))?, code)))
    })
}

/// Who may not read the code is not told the tag.
fn entity(call: &Call, project: &Project, release: &Release, code: bool) -> Value {
    let url = format!("{}/{}/-/releases/{}", call.base, project.path, release.tag);
    let mut value = json!({
        "name": if release.name.is_empty() { &release.tag } else { &release.name },
        "description": release.description,
        "created_at": release.released_at,
        "released_at": release.released_at,
        "upcoming_release": false,
        "assets": { "count": 0, "sources": [], "links": [] },
    });
    if code {
        let archive = |format: &str| {
            let own = project.path.rsplit('/').next().unwrap_or_default();
            json!({ "format": format, "url": format!(
                "{}/{}/-/archive/{tag}/{own}-{tag}.{format}", call.base, project.path, tag = release.tag) })
        };
        value["tag_name"] = json!(release.tag);
        value["commit"] = json!({ "id": commit_id(&Repository::of(project).list()) });
        value["assets"] = json!({ "count": 2, "sources": [archive("zip"), archive("tar.gz")], "links": [] });
        value["_links"] = json!({ "self": url });
    }
    value
}
