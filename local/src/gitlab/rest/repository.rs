//! Repository tree and files: <https://docs.gitlab.com/api/repositories/>, <https://docs.gitlab.com/api/repository_files/>.
//!
//! What is in a repository: `crate::gitlab::repository`.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, header};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::paging::{offset_page, token_page};
use super::{Call, READ_SCOPES, RestError, ok, visible_project};
use crate::gitlab::files::RepositoryFile;
use crate::gitlab::repository::{Repository, blob_id, commit_id, hex};
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
    let trees = folders.into_iter().map(|(path, hash)| entry("tree", "040000", &path, &hex(&hash.finalize())));
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

/// GET `/api/v4/projects/:id/repository/files/:path`
pub async fn file(
    State(world): State<World>,
    Path((id, path)): Path<(String, String)>,
    call: Call,
) -> Result<Response, RestError> {
    let files = readable(&world, &call, &id)?;
    call.param("ref").filter(|reference| !reference.is_empty()).ok_or(RestError::Missing("ref"))?;
    let (file, commit) = find(&call, &files, &path)?;
    let mut response = ok(&json!({
        "file_name": file.path.rsplit('/').next().unwrap_or_default(),
        "file_path": file.path,
        "size": file.content.len(),
        "encoding": "base64",
        "content": STANDARD.encode(&file.content),
        "content_sha256": hex(&Sha256::digest(&file.content)),
        "ref": call.param("ref"),
        "blob_id": blob_id(&file),
        "commit_id": commit,
        "last_commit_id": commit,
        "execute_filemode": false,
    }));
    describe(&mut response, &call, &file, &commit);
    Ok(response)
}

/// GET `/api/v4/projects/:id/repository/files/:path/raw`
pub async fn raw(
    State(world): State<World>,
    Path((id, path)): Path<(String, String)>,
    call: Call,
) -> Result<Response, RestError> {
    let files = readable(&world, &call, &id)?;
    let (file, commit) = find(&call, &files, &path)?;
    let name = file.path.rsplit('/').next().unwrap_or_default().to_owned();
    let kind = match std::str::from_utf8(&file.content) {
        Ok(_) => "text/plain; charset=utf-8",
        Err(_) => "application/octet-stream",
    };
    let mut response = Response::new(Body::from(file.content.clone()));
    describe(&mut response, &call, &file, &commit);
    set_headers(
        &mut response,
        [
            ("content-type", kind.to_owned()),
            ("content-disposition", format!("inline; filename=\"{name}\"; filename*=UTF-8''{name}")),
            ("cache-control", "max-age=0, private, must-revalidate, no-store, no-cache".to_owned()),
            ("etag", format!("W/\"{}\"", blob_id(&file))),
        ],
    );
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// The headers in which HEAD tells of a file.
fn describe(response: &mut Response, call: &Call, file: &RepositoryFile, commit: &str) {
    set_headers(
        response,
        [
            ("x-gitlab-blob-id", blob_id(file)),
            ("x-gitlab-commit-id", commit.to_owned()),
            ("x-gitlab-last-commit-id", commit.to_owned()),
            ("x-gitlab-content-sha256", hex(&Sha256::digest(&file.content))),
            ("x-gitlab-encoding", "base64".to_owned()),
            ("x-gitlab-execute-filemode", "false".to_owned()),
            ("x-gitlab-file-name", file.path.rsplit('/').next().unwrap_or_default().to_owned()),
            ("x-gitlab-file-path", file.path.clone()),
            ("x-gitlab-ref", call.param("ref").unwrap_or("HEAD").to_owned()),
            ("x-gitlab-size", file.content.len().to_string()),
        ],
    );
}

/// Values that a header cannot hold are left out, as GitLab's proxies would.
fn set_headers<const N: usize>(response: &mut Response, headers: [(&'static str, String); N]) {
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
}

/// The files of a project whose code the caller may read.
fn readable(world: &World, call: &Call, id: &str) -> Result<Repository, RestError> {
    let caller = call.with_scopes(&[READ_SCOPES, &["read_repository"]].concat())?;
    world.read(|state| {
        let project = visible_project(state, caller, id)?;
        match state.permissions(caller, project).download {
            true => Ok(Repository::of(project)),
            false => Err(RestError::Forbidden),
        }
    })
}

/// The file and the commit that has it.
fn find(call: &Call, repository: &Repository, path: &str) -> Result<(RepositoryFile, String), RestError> {
    let all = repository.list();
    if !repository.knows_ref(&all, call.param("ref")) {
        return Err(RestError::NotFound("Commit"));
    }
    let commit = commit_id(&all);
    let file = all.into_iter().find(|file| file.path == path).ok_or(RestError::NotFound("File"))?;
    Ok((file, commit))
}
