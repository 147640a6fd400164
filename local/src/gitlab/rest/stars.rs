//! Stars: <https://docs.gitlab.com/api/project_starring/>.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::paging::offset_page;
use super::projects::full;
use super::{Call, READ_SCOPES, RestError, json_response, visible_project};
use crate::gitlab::world::World;

/// POST `/api/v4/projects/:id/star`
pub async fn star(State(world): State<World>, Path(id): Path<String>, call: Call) -> Result<Response, RestError> {
    set(&world, &id, &call, true)
}

/// POST `/api/v4/projects/:id/unstar`
pub async fn unstar(State(world): State<World>, Path(id): Path<String>, call: Call) -> Result<Response, RestError> {
    set(&world, &id, &call, false)
}

/// 201 with the project, or 304 if there is nothing to change.
fn set(world: &World, id: &str, call: &Call, starred: bool) -> Result<Response, RestError> {
    let account = call.signed_in(&["api"])?;
    let project = world.read(|state| visible_project(state, Some(account), id).map(|project| project.id))?;
    if !world.star(account.id, project, starred) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    world.read(|state| {
        let project = visible_project(state, Some(account), id)?;
        Ok(json_response(StatusCode::CREATED, &full(call, state, Some(account), project)))
    })
}

/// GET `/api/v4/users/:id/starred_projects`, also by user name.
pub async fn starred_projects(
    State(world): State<World>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Response, RestError> {
    let caller = call.with_scopes(&[READ_SCOPES, &["read_user"]].concat())?;
    world.read(|state| {
        let user = match id.parse() {
            Ok(number) => state.account(number),
            Err(_) => state.account_named(&id),
        };
        let user = user.ok_or(RestError::NotFound("User"))?;
        let visible = state.projects.iter().filter(|project| state.permissions(caller, project).read);
        let starred = visible.filter(|project| user.starred.contains(&project.id));
        Ok(offset_page(&call, starred.map(|project| full(&call, state, caller, project)).collect()))
    })
}
