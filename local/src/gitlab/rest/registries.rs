//! Packages and container images: <https://docs.gitlab.com/api/packages/>,
//! <https://docs.gitlab.com/api/container_registry/>.

use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};

use super::paging::offset_page;
use super::{Call, READ_SCOPES, RestError, visible_project};
use crate::gitlab::belongings::{Container, id_in};
use crate::gitlab::state::{Permissions, Project, State as WorldState};
use crate::gitlab::world::World;

/// The host under which images are known.
pub const REGISTRY: &str = "registry.example.com";

/// GET `/api/v4/projects/:id/packages`
pub async fn packages(State(world): State<World>, Path(id): Path<String>, call: Call) -> Result<Response, RestError> {
    world.read(|state| {
        let project = usable(state, &call, &id, |permissions| permissions.packages)?;
        let kind = call.param("package_type");
        let mut packages: Vec<Value> = (0..)
            .zip(&project.packages)
            .filter(|(_, package)| kind.is_none_or(|kind| package.kind == kind))
            .map(|(index, package)| {
                let id = id_in(project.id, index);
                json!({
                    "id": id,
                    "name": package.name,
                    "version": package.version,
                    "package_type": package.kind,
                    "status": "default",
                    "_links": { "web_path": format!("/{}/-/packages/{id}", project.path) },
                    "created_at": project.created_at,
                    "tags": [],
                })
            })
            .collect();
        // The list is written newest first.
        if call.param("sort") != Some("desc") {
            packages.reverse();
        }
        Ok(offset_page(&call, packages))
    })
}

/// GET `/api/v4/projects/:id/registry/repositories`
pub async fn containers(State(world): State<World>, Path(id): Path<String>, call: Call) -> Result<Response, RestError> {
    world.read(|state| {
        let project = usable(state, &call, &id, |permissions| permissions.containers)?;
        let entity = |(index, container): (usize, &Container)| {
            let path = image(project, container);
            json!({
                "id": id_in(project.id, index),
                "name": container.name,
                "path": path,
                "project_id": project.id,
                "location": format!("{REGISTRY}/{path}"),
                "created_at": project.created_at,
                "cleanup_policy_started_at": null,
                "status": null,
            })
        };
        Ok(offset_page(&call, project.containers.iter().enumerate().map(entity).collect()))
    })
}

/// GET `/api/v4/projects/:id/registry/repositories/:repository_id/tags`, by name.
pub async fn tags(
    State(world): State<World>,
    Path((id, repository)): Path<(String, String)>,
    call: Call,
) -> Result<Response, RestError> {
    world.read(|state| {
        let project = usable(state, &call, &id, |permissions| permissions.containers)?;
        let found = project.containers.iter().enumerate();
        let found = found.into_iter().find(|(index, _)| id_in(project.id, *index).to_string() == repository);
        let (_, container) = found.ok_or(RestError::NotFound("Repository"))?;
        let path = image(project, container);
        let mut names: Vec<&String> = container.tags.iter().collect();
        names.sort();
        let entity = |name: &&String| {
            json!({ "name": name, "path": format!("{path}:{name}"), "location": format!("{REGISTRY}/{path}:{name}") })
        };
        Ok(offset_page(&call, names.iter().map(entity).collect()))
    })
}

/// The image's path in the registry.
pub fn image(project: &Project, container: &Container) -> String {
    match container.name.as_str() {
        "" => project.path.clone(),
        name => format!("{}/{name}", project.path),
    }
}

/// A project one of whose registries the caller may use.
fn usable<'a>(
    state: &'a WorldState,
    call: &Call,
    id: &str,
    may: impl Fn(Permissions) -> bool,
) -> Result<&'a Project, RestError> {
    let caller = call.with_scopes(READ_SCOPES)?;
    let project = visible_project(state, caller, id)?;
    if may(state.permissions(caller, project)) { Ok(project) } else { Err(RestError::Forbidden) }
}
