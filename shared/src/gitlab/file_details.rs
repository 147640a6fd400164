//! Sizes of files, and checksums of those in LFS.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::{GitLab, RepositoryFile, Token, unavailable};
use crate::error::Result;

/// Paths asked for at once. GitLab limits what a query may cost, by release and by instance: a batch that costs too
/// much is halved.
const BATCH: usize = 50;
/// Of the content, `rawSize` is the size behind a pointer, too; the checksum is the pointer's.
const DETAILS: &str = "query($path: ID!, $ref: String, $paths: [String!]!) { project(fullPath: $path) { \
                       repository { blobs(ref: $ref, paths: $paths) { nodes { path rawSize lfsOid } } } } }";

impl GitLab {
    /// What is known of the files at `paths` of a project's branch, tag or commit. Files that are not there are left
    /// out, and so are all if the project or its code is hidden.
    ///
    /// # Errors
    /// `Unavailable` if GitLab is down or refuses even to tell of a single file.
    pub async fn file_details(
        &self,
        token: &Token,
        project_path: &str,
        reference: &str,
        paths: &[String],
    ) -> Result<Vec<RepositoryFile>> {
        let mut files = Vec::with_capacity(paths.len());
        let mut batch = BATCH;
        let mut rest = paths;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(batch.min(rest.len()));
            let variables = json!({ "path": project_path, "ref": reference, "paths": now });
            match self.try_graphql::<Data>(Some(token), DETAILS, variables).await? {
                Ok(data) => {
                    let blobs = data.project.and_then(|project| project.repository?.blobs);
                    files.extend(blobs.into_iter().flat_map(|blobs| blobs.nodes).flatten().map(RepositoryFile::from));
                    rest = later;
                }
                Err(errors) if errors.contains("complexity") && now.len() > 1 => batch = now.len() / 2,
                Err(errors) => return Err(unavailable(format!("GraphQL errors: {errors}"))),
            }
        }
        Ok(files)
    }
}

#[derive(Deserialize)]
struct Data {
    project: Option<Project>,
}

#[derive(Deserialize)]
struct Project {
    repository: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    blobs: Option<Blobs>,
}

#[derive(Deserialize)]
struct Blobs {
    nodes: Vec<Option<Blob>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blob {
    path: String,
    #[serde(default, deserialize_with = "big_int")]
    raw_size: Option<u64>,
    lfs_oid: Option<String>,
}

/// GitLab's `BigInt` is a text; it was a number once.
fn big_int<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    })
}

impl From<Blob> for RepositoryFile {
    fn from(blob: Blob) -> Self {
        let is_sha256 = |oid: &String| oid.len() == 64 && oid.bytes().all(|byte| byte.is_ascii_hexdigit());
        let sha256 = blob.lfs_oid.filter(is_sha256).map(|oid| oid.to_ascii_lowercase());
        Self { path: blob.path, size: blob.raw_size, sha256 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_texts_or_numbers() {
        let file = |blob: Value| RepositoryFile::from(serde_json::from_value::<Blob>(blob).unwrap());
        assert_eq!(file(json!({"path": "a", "rawSize": "5000000000", "lfsOid": null})).size, Some(5_000_000_000));
        assert_eq!(file(json!({"path": "a", "rawSize": 12})).size, Some(12));
        for unknown in [json!({"path": "a"}), json!({"path": "a", "rawSize": null, "lfsOid": "x"})] {
            assert_eq!((file(unknown.clone()).size, file(unknown).sha256), (None, None));
        }
        let oid = "AB".repeat(32);
        assert_eq!(file(json!({"path": "a", "lfsOid": oid})).sha256, Some("ab".repeat(32)));
    }
}
