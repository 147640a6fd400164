//! Repository tree: <https://docs.gitlab.com/api/repositories/>.
//!
//! What is in a repository: `crate::gitlab::repository`.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::paging::{offset_page, token_page};
use super::{Call, READ_SCOPES, RestError, visible_project};
use crate::gitlab::repository::{Repository, blob_id};
use crate::gitlab::world::World;

/// GET `/api/v4/projects/:id/repository/tree`
pub async fn tree(State(world): State<World>, Path(id): Path<String>, call: Call) -> Result<Response, RestError> {
    let repository = readable(&world, &call, &id)?;
    let files = repository.list();
    if files.is_empty() || !repository.knows_ref(&files, call.param("ref")) {
        return Err(RestError::NotFound("Tree"));
    }
    let folder = call.param("path").unwrap_or_default().trim_matches('/');
    let recursive = call.flag("recursive") == Some(true);
    let mut folders: BTreeMap<String, Sha1> = BTreeMap::new();
    let mut blobs = Vec::new();
    for file in &files {
        let inside = match folder {
            "" => Some(file.path.as_str()),
            _ => file.path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')),
        };
        let Some(inside) = inside else { continue };
        let offset = file.path.len() - inside.len();
        for (at, _) in inside.match_indices('/') {
            let hash = folders.entry(file.path[..offset + at].to_owned()).or_default();
            hash.update(file.path.as_bytes());
            hash.update(blob_id(file));
            if !recursive {
                break;
            }
        }
        if recursive || !inside.contains('/') {
            blobs.push(entry("blob", "100644", &file.path, &blob_id(file)));
        }
    }
    if folders.is_empty() && blobs.is_empty() {
        return Err(RestError::NotFound("Tree"));
    }
    let trees = folders.into_iter().map(|(path, hash)| entry("tree", "040000", &path, &hex::encode(hash.finalize())));
    let entries = trees.chain(blobs).collect();
    match call.param("pagination") {
        Some("keyset") => token_page(&call, entries, |entry| entry["path"].as_str().unwrap_or_default()),
        _ => Ok(offset_page(&call, entries)),
    }
}

fn entry(kind: &str, mode: &str, path: &str, id: &str) -> Value {
    let name = path.rsplit('/').next().unwrap_or_default();
    json!({ "id": id, "name": name, "type": kind, "path": path, "mode": mode })
}

/// The files of a project whose code the caller may read.
pub(super) fn readable(world: &World, call: &Call, id: &str) -> Result<Repository, RestError> {
    let caller = call.with_scopes(&[READ_SCOPES, &["read_repository"]].concat())?;
    world.read(|state| {
        let project = visible_project(state, caller, id)?;
        match state.permissions(caller, project).download {
            true => Ok(Repository::of(project)),
            false => Err(RestError::Forbidden),
        }
    })
}
