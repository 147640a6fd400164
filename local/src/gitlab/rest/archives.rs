//! Commits and packed repositories: <https://docs.gitlab.com/api/commits/>, <https://docs.gitlab.com/api/repositories/#get-file-archive>.

use std::io::{Cursor, Write};

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use bzip2::write::BzEncoder;
use flate2::write::GzEncoder;
use serde_json::json;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::files::{SESSION_COOKIE, set_headers};
use super::repository::readable;
use super::{Call, RestError, ok};
use crate::gitlab::files::RepositoryFile;
use crate::gitlab::repository::{Repository, commit_id};
use crate::gitlab::world::World;

/// GET `/api/v4/projects/:id/repository/commits/:reference`
pub async fn commit(
    State(world): State<World>,
    Path((id, reference)): Path<(String, String)>,
    call: Call,
) -> Result<Response, RestError> {
    let repository = readable(&world, &call, &id)?;
    let (_, commit) = at(&repository, Some(&reference))?;
    Ok(ok(&json!({ "id": commit, "short_id": &commit[..8], "title": "The files as they are now" })))
}

/// GET `/api/v4/projects/:id/repository/archive[.format]`
pub async fn archive(
    State(world): State<World>,
    Path((id, name)): Path<(String, String)>,
    call: Call,
) -> Result<Response, RestError> {
    let format = match name.strip_prefix("archive") {
        Some("") => "tar.gz",
        Some(format) => format.strip_prefix('.').ok_or(RestError::NotFound("Page"))?,
        None => return Err(RestError::NotFound("Page")),
    };
    let repository = readable(&world, &call, &id)?;
    let (files, commit) = at(&repository, call.param("sha"))?;
    let folder = format!("{id}-{commit}");
    let failed = |_: std::io::Error| RestError::BadRequest("the repository cannot be packed");
    let packed = match format {
        "zip" => zipped(&files, &folder).map_err(failed)?,
        "tar" => tarred(&files, &folder, Vec::new()).map_err(failed)?,
        "tar.gz" | "tgz" => {
            let encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
            tarred(&files, &folder, encoder).and_then(GzEncoder::finish).map_err(failed)?
        }
        "tar.bz2" | "tbz" | "tbz2" | "tb2" | "bz2" => {
            let encoder = BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            tarred(&files, &folder, encoder).and_then(BzEncoder::finish).map_err(failed)?
        }
        _ => return Err(RestError::NotFound("Page")),
    };
    let mut response = Response::new(Body::from(packed));
    set_headers(
        &mut response,
        [
            ("content-type", "application/octet-stream".to_owned()),
            ("content-disposition", format!("attachment; filename=\"{folder}.{format}\"")),
            ("set-cookie", SESSION_COOKIE.to_owned()),
        ],
    );
    Ok(response)
}

/// The files at a branch, tag or commit, and the commit.
fn at(repository: &Repository, reference: Option<&str>) -> Result<(Vec<RepositoryFile>, String), RestError> {
    let files = repository.list();
    if files.is_empty() || !repository.knows_ref(&files, reference) {
        return Err(RestError::NotFound("Commit"));
    }
    let commit = commit_id(&files);
    Ok((files, commit))
}

fn zipped(files: &[RepositoryFile], folder: &str) -> std::io::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for file in files {
        zip.start_file(format!("{folder}/{}", file.path), SimpleFileOptions::default())?;
        zip.write_all(&file.content)?;
    }
    Ok(zip.finish()?.into_inner())
}

fn tarred<W: Write>(files: &[RepositoryFile], folder: &str, to: W) -> std::io::Result<W> {
    let mut tar = tar::Builder::new(to);
    for file in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(file.content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("{folder}/{}", file.path), file.content.as_slice())?;
    }
    tar.into_inner()
}
