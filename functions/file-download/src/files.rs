//! One file of a repository: small ones pass through, large ones are copied to S3 once and fetched from there.

use axum::http::Method;
use axum::http::request::Parts;
use bytes::{Bytes, BytesMut};
use shared::Result;
use shared::auth::Access;
use shared::context::Context;
use shared::download::{Answer, attachment, is_known, media_type, part_of, wanted_range};
use shared::extract::BODY_LIMIT;
use shared::gitlab::{Download, FileMetadata, unavailable};
use shared::objects::{ObjectInfo, ObjectKey, download_life};
use tokio::time::Instant;

use crate::copy::{self, TURN};

/// No pointer to a file in LFS is longer, bytes: <https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>.
const LONGEST_POINTER: u64 = 1_024;

/// A file that is about to be given.
struct Asked<'a> {
    context: &'a Context,
    access: &'a Access,
    path: &'a str,
    metadata: FileMetadata,
    deadline: Instant,
}

/// The file at `path`, of the default branch without a `reference`.
pub async fn file(
    context: &Context,
    access: &Access,
    path: &str,
    reference: Option<&str>,
    request: &Parts,
) -> Result<Answer> {
    let deadline = Instant::now() + TURN;
    let (gitlab, token) = (&context.state.gitlab, context.caller.token());
    let reference = reference.unwrap_or("HEAD");
    let metadata = gitlab.file_metadata(token, access.project(), path, reference, deadline).await?;
    Asked { context, access, path, metadata, deadline }.answer(request).await
}

impl Asked<'_> {
    async fn answer(&self, request: &Parts) -> Result<Answer> {
        if is_known(&request.headers, Some(&self.etag())) {
            return Ok(Answer::Unchanged(self.info(0, None)));
        }
        let is_head = request.method == Method::HEAD;
        let size = self.metadata.size;
        if is_head && size > LONGEST_POINTER {
            return Ok(self.here(self.info(size, None), Bytes::new()));
        }
        if size > BODY_LIMIT as u64 {
            return self.elsewhere(Some(size)).await;
        }
        let source = self.open(0).await?;
        match source.size() {
            Some(size) if is_head => return Ok(self.here(self.info(size, None), Bytes::new())),
            None if is_head => {
                let (name, etag) = (self.name().to_owned(), self.etag());
                return Ok(Answer::Described { media_type: media_type(&name), name, etag, size: None });
            }
            Some(size) if size > BODY_LIMIT as u64 => return self.elsewhere(Some(size)).await,
            _ => {}
        }
        let Some(bytes) = whole(source).await? else { return self.elsewhere(None).await };
        if size > LONGEST_POINTER && bytes.len() as u64 != size {
            return Err(unavailable("a file is not as long as it said"));
        }
        let part = wanted_range(&request.headers).and_then(|range| part_of(range, bytes.len()));
        let Some(part) = part else {
            return Ok(self.here(self.info(bytes.len() as u64, None), bytes));
        };
        let range = format!("bytes {}-{}/{}", part.start(), part.end(), bytes.len());
        let bytes = bytes.slice(part);
        Ok(self.here(self.info(bytes.len() as u64, Some(range)), bytes))
    }

    /// The content from the commit that the metadata are of: a branch may move on meanwhile.
    async fn open(&self, from: u64) -> Result<Download> {
        let Self { context, access, path, metadata, deadline } = self;
        let token = context.caller.token();
        context.state.gitlab.raw_file(token, access.project(), path, &metadata.commit_id, from, *deadline).await
    }

    /// A URL of the copy in S3, which is made if it is not there; the size is not known for all files in LFS.
    async fn elsewhere(&self, size: Option<u64>) -> Result<Answer> {
        let objects = &self.context.state.objects;
        let key = ObjectKey::of_blob(self.access, &self.metadata.blob_id)?;
        let there = objects.head(&key).await?.map(|info| info.size);
        let size = match (there, size) {
            (Some(there), size) if size.is_none_or(|size| size == there) => there,
            (_, Some(size)) => {
                copy::in_turns(objects, &key, size, self.deadline, |from| self.open(from)).await?;
                size
            }
            (_, None) => copy::at_once(objects, &key, self.open(0).await?, self.deadline).await?,
        };
        let name = self.name();
        let url = objects.presign_get(&key, &media_type(name), &attachment(name), download_life(size)).await?;
        Ok(Answer::Elsewhere(url))
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    fn etag(&self) -> String {
        format!("\"{}\"", self.metadata.blob_id)
    }

    fn info(&self, size: u64, content_range: Option<String>) -> ObjectInfo {
        ObjectInfo { size, etag: Some(self.etag()), last_modified: None, content_range }
    }

    fn here(&self, info: ObjectInfo, bytes: Bytes) -> Answer {
        Answer::Here { name: self.name().to_owned(), info, bytes }
    }
}

/// All bytes, or nothing if they are more than the gateway carries.
async fn whole(mut source: Download) -> Result<Option<Bytes>> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = source.chunk().await? {
        if bytes.len() + chunk.len() > BODY_LIMIT {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes.freeze()))
}
