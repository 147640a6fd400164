//! `Project.repository`: refs, blobs and trees.

use std::collections::BTreeSet;

use async_graphql::{Context, Error, Object, Result, Scalar, ScalarType, SimpleObject, Value as GraphqlValue};
use async_graphql::{InputValueError, InputValueResult};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::pages::{MAX_PAGE, PageInfo};
use super::schema::Viewer;
use crate::gitlab::files::RepositoryFile;
use crate::gitlab::repository::{Repository as Content, blob_id, commit_id, pointer};

/// What each path of `blobs` costs besides its fields, and what the query costs without any.
const BASE_COMPLEXITY: usize = 15;

/// Whole numbers beyond 32 bits travel as text.
pub struct BigInt(pub u64);

#[Scalar]
impl ScalarType for BigInt {
    fn parse(value: GraphqlValue) -> InputValueResult<Self> {
        match &value {
            GraphqlValue::String(text) => Ok(BigInt(text.parse().map_err(InputValueError::custom)?)),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> GraphqlValue {
        GraphqlValue::String(self.0.to_string())
    }
}

/// The repository of a project whose code the viewer may read.
pub struct Repository {
    pub content: Content,
    pub branch: String,
    /// Path of the project's pages.
    pub web_path: String,
}

#[Object]
impl Repository {
    async fn exists(&self) -> bool {
        true
    }

    async fn empty(&self) -> bool {
        self.content.list().is_empty()
    }

    /// The default branch; null while there is none.
    async fn root_ref(&self) -> Option<&str> {
        (!self.content.list().is_empty()).then_some(self.branch.as_str())
    }

    /// The blobs at these paths; paths without one are left out.
    async fn blobs(
        &self,
        context: &Context<'_>,
        paths: Vec<String>,
        r#ref: Option<String>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Option<BlobConnection>> {
        let mut each = 0;
        for nodes in context.field().selection_set().filter(|field| field.name() == "nodes") {
            // Asking git's storage server costs one more.
            each += nodes.selection_set().map(|field| 1 + usize::from(field.name() == "lfsOid")).sum::<usize>();
        }
        let complexity = BASE_COMPLEXITY + each * paths.len();
        let viewer = context.data::<Viewer>()?;
        let limit = viewer.complexity_limit();
        if complexity > limit {
            let message = format!("Query has complexity of {complexity}, which exceeds max complexity of {limit}");
            return Err(Error::new(message));
        }
        let files = self.content.list();
        if files.is_empty() || !self.content.knows_ref(&files, r#ref.as_deref()) {
            return Ok(None);
        }
        let wanted: BTreeSet<&str> = paths.iter().map(String::as_str).collect();
        let found = files.iter().filter(|file| wanted.contains(file.path.as_str()));
        let (nodes, page_info) = page(found.map(|file| self.blob(file)).collect(), first, after)?;
        Ok(Some(BlobConnection { nodes, page_info }))
    }

    async fn tree(&self, path: Option<String>, r#ref: Option<String>, recursive: Option<bool>) -> Option<Tree> {
        let files = self.content.list();
        if files.is_empty() || !self.content.knows_ref(&files, r#ref.as_deref()) {
            return None;
        }
        let folder = path.unwrap_or_default().trim_matches('/').to_owned();
        let sha = commit_id(&files);
        let inside = |file: &RepositoryFile| match folder.as_str() {
            "" => Some(file.path.clone()),
            _ => Some(file.path.strip_prefix(&folder)?.strip_prefix('/')?.to_owned()),
        };
        let wanted = |rest: String| recursive == Some(true) || !rest.contains('/');
        let blobs = files.iter().filter(|file| inside(file).is_some_and(wanted));
        let blobs = blobs.map(|file| TreeEntry {
            name: file.path.rsplit('/').next().unwrap_or_default().to_owned(),
            path: file.path.clone(),
            sha: blob_id(file),
            r#type: "blob",
            lfs_oid: pointer(&file.content).map(|pointer| pointer.sha256),
        });
        Some(Tree { blobs: blobs.collect(), last_commit: Commit { short_id: sha[..8].to_owned(), sha } })
    }
}

impl Repository {
    fn blob(&self, file: &RepositoryFile) -> Blob {
        let pointer = pointer(&file.content);
        let size = file.content.len() as u64;
        Blob {
            oid: blob_id(file),
            name: file.path.rsplit('/').next().unwrap_or_default().to_owned(),
            path: file.path.clone(),
            size: BigInt(size),
            raw_size: BigInt(pointer.as_ref().map_or(size, |pointer| pointer.size)),
            stored_externally: pointer.as_ref().is_some_and(|at| self.content.lfs_content(&at.sha256).is_some()),
            lfs_oid: pointer.map(|pointer| pointer.sha256),
            raw_blob: String::from_utf8_lossy(&file.content).into_owned(),
            raw_text_blob: String::from_utf8(file.content.clone()).ok(),
            web_path: format!("{}/-/blob/{}/{}", self.web_path, self.branch, file.path),
        }
    }
}

/// One page of a list; cursors are places in it.
fn page<T>(items: Vec<T>, first: Option<i32>, after: Option<String>) -> Result<(Vec<T>, PageInfo)> {
    let place = |cursor: String| String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?.parse::<usize>().ok();
    let start = match after.filter(|cursor| !cursor.is_empty()) {
        Some(cursor) => place(cursor).ok_or_else(|| Error::new("Please provide a valid cursor"))?,
        None => 0,
    };
    let size = first.map_or(MAX_PAGE, |first| usize::try_from(first).unwrap_or(0).min(MAX_PAGE));
    let total = items.len();
    let shown: Vec<T> = items.into_iter().skip(start).take(size).collect();
    let end = start + shown.len();
    let cursor = |place: usize| (!shown.is_empty()).then(|| STANDARD.encode(place.to_string()));
    let page_info = PageInfo {
        has_next_page: end < total,
        has_previous_page: start > 0,
        start_cursor: cursor(start + 1),
        end_cursor: cursor(end),
    };
    Ok((shown, page_info))
}

#[derive(SimpleObject)]
struct BlobConnection {
    nodes: Vec<Blob>,
    page_info: PageInfo,
}

#[derive(SimpleObject)]
#[graphql(name = "RepositoryBlob")]
struct Blob {
    oid: String,
    name: String,
    path: String,
    /// Of the blob; of a file in LFS: of its pointer.
    size: BigInt,
    /// Of the content.
    raw_size: BigInt,
    stored_externally: bool,
    lfs_oid: Option<String>,
    raw_blob: String,
    raw_text_blob: Option<String>,
    web_path: String,
}

struct Tree {
    blobs: Vec<TreeEntry>,
    last_commit: Commit,
}

#[Object]
impl Tree {
    async fn last_commit(&self) -> &Commit {
        &self.last_commit
    }

    async fn blobs(&self, first: Option<i32>, after: Option<String>) -> Result<TreeEntryConnection> {
        let (nodes, page_info) = page(self.blobs.clone(), first, after)?;
        Ok(TreeEntryConnection { nodes, page_info })
    }
}

#[derive(SimpleObject)]
struct TreeEntryConnection {
    nodes: Vec<TreeEntry>,
    page_info: PageInfo,
}

#[derive(SimpleObject, Clone)]
struct TreeEntry {
    name: String,
    path: String,
    sha: String,
    r#type: &'static str,
    lfs_oid: Option<String>,
}

#[derive(SimpleObject)]
struct Commit {
    sha: String,
    short_id: String,
}
