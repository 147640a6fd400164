//! Topics: <https://docs.gitlab.com/api/topics/>.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::paging::offset_page;
use super::{Call, READ_SCOPES, RestError};
use crate::gitlab::state::Visibility;
use crate::gitlab::world::World;

/// GET `/api/v4/topics`: those with the most projects first. Names of topics are public, private projects are not counted.
pub async fn list(State(world): State<World>, call: Call) -> Result<Response, RestError> {
    call.with_scopes(READ_SCOPES)?;
    let search = call.param("search").unwrap_or_default().to_lowercase();
    let counts = world.read(|state| {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for project in &state.projects {
            for topic in &project.topics {
                *counts.entry(topic.clone()).or_default() += u64::from(project.visibility != Visibility::Private);
            }
        }
        counts
    });
    let mut topics: Vec<(u64, String, u64)> = (1..).zip(counts).map(|(id, (name, count))| (id, name, count)).collect();
    topics.sort_by(|a, b| b.2.cmp(&a.2).then(a.0.cmp(&b.0)));
    let entity = |(id, name, count): (u64, String, u64)| -> Option<Value> {
        name.to_lowercase().contains(&search).then(|| {
            json!({
                "id": id,
                "name": name,
                "title": name,
                "description": null,
                "total_projects_count": count,
                "organization_id": 1,
                "avatar_url": null,
            })
        })
    };
    Ok(offset_page(&call, topics.into_iter().filter_map(entity).collect()))
}
