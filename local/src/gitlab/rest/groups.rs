//! Groups: <https://docs.gitlab.com/api/groups/>.

use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};

use super::paging::offset_page;
use super::{Call, READ_SCOPES, RestError, ok};
use crate::gitlab::state::{Group, Role, State as WorldState};
use crate::gitlab::world::World;

/// GET `/api/v4/groups`
pub async fn list(State(world): State<World>, call: Call) -> Result<Response, RestError> {
    let caller = call.with_scopes(READ_SCOPES)?;
    let owned = call.flag("owned") == Some(true);
    let top_level = call.flag("top_level_only") == Some(true);
    let search = call.param("search").map(str::to_lowercase);
    world.read(|state| {
        let role = |group: &Group| caller.and_then(|account| state.group_role(account.id, group));
        let mut groups: Vec<&Group> = state
            .groups
            .iter()
            .filter(|group| state.sees_group(caller, group))
            .filter(|group| !owned || role(group) == Some(Role::Owner))
            .filter(|group| !top_level || !group.path.contains('/'))
            .filter(|group| {
                let text = format!("{} {}", group.path, group.name).to_lowercase();
                search.as_ref().is_none_or(|part| text.contains(part))
            })
            .collect();
        groups.sort_by_key(|group| group.name.to_lowercase());
        Ok(offset_page(&call, groups.iter().map(|group| entity(&call, state, group)).collect()))
    })
}

/// GET `/api/v4/groups/:id`
pub async fn show(State(world): State<World>, Path(id): Path<String>, call: Call) -> Result<Response, RestError> {
    let caller = call.with_scopes(READ_SCOPES)?;
    world.read(|state| {
        let group = match id.parse::<u64>() {
            Ok(number) => state.groups.iter().find(|group| group.id == number),
            Err(_) => state.group_at(&id),
        };
        let group = group.filter(|group| state.sees_group(caller, group)).ok_or(RestError::NotFound("Group"))?;
        Ok(ok(&entity(&call, state, group)))
    })
}

fn entity(call: &Call, state: &WorldState, group: &Group) -> Value {
    let above = group.path.rsplit_once('/').and_then(|(parent, _)| state.group_at(parent));
    let full_name = match above {
        Some(above) => format!("{} / {}", above.name, group.name),
        None => group.name.clone(),
    };
    json!({
        "id": group.id,
        "name": group.name,
        "path": group.path.rsplit('/').next().unwrap_or_default(),
        "full_name": full_name,
        "full_path": group.path,
        "description": group.description,
        "visibility": group.visibility.as_str(),
        "parent_id": above.map(|above| above.id),
        "web_url": format!("{}/groups/{}", call.base, group.path),
        "avatar_url": null,
        "created_at": "2025-01-01T00:00:00.000Z",
    })
}
