//! Files: <https://docs.gitlab.com/api/repository_files/>. As in GitLab only files in LFS can be had in parts.

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::repository::readable;
use super::{Call, RestError, ok};
use crate::gitlab::files::RepositoryFile;
use crate::gitlab::repository::{Repository, blob_id, commit_id, pointer};
use crate::gitlab::world::World;

/// What GitLab sets on many an answer, and nobody else may see.
pub const SESSION_COOKIE: &str = "_gitlab_session=of-gitlab; path=/; HttpOnly";

/// GET, HEAD `/api/v4/projects/:id/repository/files/:path`
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
        "content_sha256": hex::encode(Sha256::digest(&file.content)),
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
    headers: HeaderMap,
    call: Call,
) -> Result<Response, RestError> {
    let files = readable(&world, &call, &id)?;
    let (file, commit) = find(&call, &files, &path)?;
    let name = file.path.rsplit('/').next().unwrap_or_default().to_owned();
    let disposition = |kind: &str| format!("{kind}; filename=\"{name}\"; filename*=UTF-8''{name}");
    if call.flag("lfs") == Some(true)
        && let Some(pointer) = pointer(&file.content)
    {
        let content = files.lfs_content(&pointer.sha256).ok_or(RestError::NotFound("File"))?;
        let mut response = part(content.into(), &headers);
        let kind = ("content-type", "application/octet-stream".to_owned());
        set_headers(&mut response, [kind, ("content-disposition", disposition("attachment")), session()]);
        return Ok(response);
    }
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
            ("content-disposition", disposition("inline")),
            ("cache-control", "max-age=0, private, must-revalidate, no-store, no-cache".to_owned()),
            ("etag", format!("W/\"{}\"", blob_id(&file))),
        ],
    );
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// The content, or the part of it that `Range: bytes=<first>-[<last>]` asks for.
fn part(content: Bytes, headers: &HeaderMap) -> Response {
    let size = content.len();
    let wanted = headers.get(header::RANGE).and_then(|range| {
        let (first, last) = range.to_str().ok()?.strip_prefix("bytes=")?.split_once('-')?;
        let last = if last.is_empty() { size.checked_sub(1)? } else { last.parse().ok()? };
        Some((first.parse::<usize>().ok()?, last.min(size.saturating_sub(1))))
    });
    let mut response = match wanted {
        None => Response::new(Body::from(content)),
        Some((first, last)) if first <= last && first < size => {
            let mut response = Response::new(Body::from(content.slice(first..=last)));
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            set_headers(&mut response, [("content-range", format!("bytes {first}-{last}/{size}"))]);
            response
        }
        Some(_) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            set_headers(&mut response, [("content-range", format!("bytes */{size}"))]);
            response
        }
    };
    response.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    response
}

fn session() -> (&'static str, String) {
    ("set-cookie", SESSION_COOKIE.to_owned())
}

/// The headers in which HEAD tells of a file.
fn describe(response: &mut Response, call: &Call, file: &RepositoryFile, commit: &str) {
    set_headers(
        response,
        [
            ("x-gitlab-blob-id", blob_id(file)),
            ("x-gitlab-commit-id", commit.to_owned()),
            ("x-gitlab-last-commit-id", commit.to_owned()),
            ("x-gitlab-content-sha256", hex::encode(Sha256::digest(&file.content))),
            ("x-gitlab-encoding", "base64".to_owned()),
            ("x-gitlab-execute-filemode", "false".to_owned()),
            ("x-gitlab-file-name", file.path.rsplit('/').next().unwrap_or_default().to_owned()),
            ("x-gitlab-file-path", file.path.clone()),
            ("x-gitlab-ref", call.param("ref").unwrap_or("HEAD").to_owned()),
            ("x-gitlab-size", file.content.len().to_string()),
            session(),
        ],
    );
}

/// Values that a header cannot hold are left out, as GitLab's proxies would.
pub(super) fn set_headers<const N: usize>(response: &mut Response, headers: [(&'static str, String); N]) {
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
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
