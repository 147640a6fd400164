//! Projects and their members: <https://docs.gitlab.com/api/projects/>, <https://docs.gitlab.com/api/project_members/>.

use std::cmp::Ordering;

use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};

use super::paging::{keyset_page, offset_page};
use super::{Call, READ_SCOPES, RestError, ok, visible_project};
use crate::gitlab::belongings::Feature;
use crate::gitlab::repository::{DetectedLicense, detect_license};
use crate::gitlab::state::{Account, Project, Role, State as WorldState};
use crate::gitlab::world::World;

/// GET `/api/v4/projects`
pub async fn list(State(world): State<World>, call: Call) -> Result<Response, RestError> {
    let caller = call.with_scopes(READ_SCOPES)?;
    let keyset = call.param("pagination") == Some("keyset");
    let order = call.param("order_by").unwrap_or("created_at");
    let ascending = call.param("sort") == Some("asc");
    if keyset && order != "id" {
        return Err(RestError::BadRequest("Keyset pagination is not yet available for this type of request"));
    }
    world.read(|state| {
        let mut projects: Vec<&Project> =
            state.projects.iter().filter(|project| wanted(state, &call, caller, project)).collect();
        projects.sort_by(|a, b| {
            let order = compare(state, order, a, b);
            if ascending { order } else { order.reverse() }
        });
        let entity = |project: &Project| match call.flag("simple") == Some(true) || caller.is_none() {
            true => basic(&call, state, project),
            false => full(&call, state, caller, project),
        };
        Ok(match keyset {
            true => keyset_page(&call, projects.iter().map(|p| (p.id, entity(p))).collect(), ascending),
            false => offset_page(&call, projects.iter().map(|p| entity(p)).collect()),
        })
    })
}

fn wanted(state: &WorldState, call: &Call, caller: Option<&Account>, project: &Project) -> bool {
    let role = caller.and_then(|account| state.project_role(account.id, project));
    let min_level = call.number("min_access_level");
    let search = call.param("search").map(str::to_lowercase);
    let within = |text: &str, part: &str| text.to_lowercase().contains(part);
    state.permissions(caller, project).read
        && (call.flag("membership") != Some(true) || role.is_some())
        && (call.flag("starred") != Some(true) || caller.is_some_and(|account| account.starred.contains(&project.id)))
        && (call.flag("owned") != Some(true) || role == Some(Role::Owner))
        && min_level.is_none_or(|level| role.is_some_and(|role| role.level() as u64 >= level))
        && call.param("visibility").is_none_or(|visibility| project.visibility.as_str() == visibility)
        && call.flag("archived").is_none_or(|archived| project.archived == archived)
        && call.number("id_after").is_none_or(|id| project.id > id)
        && call.number("id_before").is_none_or(|id| project.id < id)
        && call.param("topic").is_none_or(|topics| {
            topics.split(',').map(str::trim).all(|topic| project.topics.iter().any(|have| have == topic))
        })
        && search.is_none_or(|part| {
            let own = project.path.rsplit('/').next().unwrap_or_default();
            let path = if call.flag("search_namespaces") == Some(true) { &project.path } else { own };
            within(path, &part) || within(&project.name, &part) || within(&project.description, &part)
        })
}

fn compare(state: &WorldState, order: &str, a: &Project, b: &Project) -> Ordering {
    let by = match order {
        "name" => a.name.to_lowercase().cmp(&b.name.to_lowercase()),
        "path" => a.path.cmp(&b.path),
        "created_at" => a.created_at.cmp(&b.created_at),
        "updated_at" | "last_activity_at" => a.last_activity_at.cmp(&b.last_activity_at),
        "star_count" => state.stars(a).cmp(&state.stars(b)),
        _ => Ordering::Equal,
    };
    by.then(a.id.cmp(&b.id))
}

/// GET `/api/v4/projects/:id`
pub async fn show(State(world): State<World>, Path(id): Path<String>, call: Call) -> Result<Response, RestError> {
    let caller = call.with_scopes(READ_SCOPES)?;
    world.read(|state| {
        let project = visible_project(state, caller, &id)?;
        let mut value = match caller {
            Some(_) => full(&call, state, caller, project),
            None => basic(&call, state, project),
        };
        if call.flag("license") == Some(true) && state.permissions(caller, project).download {
            let license = detect_license(&project.files);
            value["license_url"] = json!(license.as_ref().map(|found| license_url(&call, project, found)));
            value["license"] = license.map_or(Value::Null, |found| {
                json!({
                    "key": found.key,
                    "name": found.name,
                    "nickname": null,
                    "html_url": format!("http://choosealicense.com/licenses/{}/", found.key),
                    "source_url": null,
                })
            });
        }
        Ok(ok(&value))
    })
}

fn license_url(call: &Call, project: &Project, license: &DetectedLicense) -> String {
    format!("{}/{}/-/blob/{}/{}", call.base, project.path, project.default_branch, license.path)
}

/// GET `/api/v4/projects/:id/members/all`
pub async fn members(State(world): State<World>, Path(id): Path<String>, call: Call) -> Result<Response, RestError> {
    let caller = call.with_scopes(READ_SCOPES)?;
    world.read(|state| {
        let project = visible_project(state, caller, &id)?;
        let member = |account: &Account| {
            let role = state.project_role(account.id, project)?;
            Some(json!({
                "id": account.id,
                "username": account.username,
                "name": account.name,
                "state": "active",
                "avatar_url": null,
                "web_url": format!("{}/{}", call.base, account.username),
                "access_level": role.level(),
                "created_at": project.created_at,
                "expires_at": null,
                "membership_state": "active",
            }))
        };
        Ok(offset_page(&call, state.accounts.iter().filter_map(member).collect()))
    })
}

/// What GitLab shows anonymous callers and with `simple=true`.
pub(super) fn basic(call: &Call, state: &WorldState, project: &Project) -> Value {
    let web_url = format!("{}/{}", call.base, project.path);
    let own_path = project.path.rsplit('/').next().unwrap_or_default();
    let (namespace, name_with_namespace) = namespace(call, state, project);
    let has_readme = project.files.get("README.md").is_some();
    let branch = (!project.files.is_empty()).then_some(&project.default_branch);
    json!({
        "id": project.id,
        "description": project.description,
        "name": project.name,
        "name_with_namespace": name_with_namespace,
        "path": own_path,
        "path_with_namespace": project.path,
        "created_at": project.created_at,
        "default_branch": branch,
        "tag_list": project.topics,
        "topics": project.topics,
        "ssh_url_to_repo": format!("git@127.0.0.1:{}.git", project.path),
        "http_url_to_repo": format!("{web_url}.git"),
        "web_url": web_url,
        "readme_url": has_readme.then(|| format!("{web_url}/-/blob/{}/README.md", project.default_branch)),
        "forks_count": 0,
        "avatar_url": null,
        "star_count": state.stars(project),
        "last_activity_at": project.last_activity_at,
        "visibility": project.visibility.as_str(),
        "namespace": namespace,
    })
}

pub(super) fn full(call: &Call, state: &WorldState, caller: Option<&Account>, project: &Project) -> Value {
    let mut value = basic(call, state, project);
    let access = |role: Option<Role>| role.map(|role| json!({ "access_level": role.level(), "notification_level": 3 }));
    if let (Value::Object(map), Some(account)) = (&mut value, caller) {
        let (own, inherited) = state.rest_roles(account.id, project);
        map.insert("archived".into(), project.archived.into());
        map.insert("empty_repo".into(), project.files.is_empty().into());
        map.insert("creator_id".into(), json!(1));
        map.insert("updated_at".into(), project.last_activity_at.clone().into());
        map.insert("issues_enabled".into(), true.into());
        for (part, feature) in [
            ("repository", project.repository),
            ("package_registry", project.package_registry),
            ("container_registry", project.container_registry),
        ] {
            map.insert(format!("{part}_access_level"), feature.as_str().into());
        }
        map.insert("releases_access_level".into(), "enabled".into());
        map.insert("packages_enabled".into(), (project.package_registry != Feature::Disabled).into());
        map.insert("container_registry_enabled".into(), (project.container_registry != Feature::Disabled).into());
        map.insert("permissions".into(), json!({ "project_access": access(own), "group_access": access(inherited) }));
    }
    value
}

/// The `namespace` object, and the project's name with those of its groups before it.
fn namespace(call: &Call, state: &WorldState, project: &Project) -> (Value, String) {
    let parent = project.path.rsplit_once('/').and_then(|(parent, _)| state.group_at(parent));
    let Some(group) = parent else { return (Value::Null, project.name.clone()) };
    let mut names: Vec<&str> = group
        .path
        .match_indices('/')
        .filter_map(|(at, _)| state.group_at(&group.path[..at]))
        .map(|above| above.name.as_str())
        .collect();
    names.extend([group.name.as_str(), project.name.as_str()]);
    let own_path = group.path.rsplit('/').next().unwrap_or_default();
    let above = group.path.rsplit_once('/').and_then(|(parent, _)| state.group_at(parent));
    let value = json!({
        "id": group.id,
        "name": group.name,
        "path": own_path,
        "kind": "group",
        "full_path": group.path,
        "parent_id": above.map(|above| above.id),
        "avatar_url": null,
        "web_url": format!("{}/groups/{}", call.base, group.path),
    });
    (value, names.join(" / "))
}
