//! The objects of the embedded S3: bytes kept by s3s-fs, names by our index.
//!
//! s3s-fs alone maps keys to paths: keys above some 120 bytes, a key that is another's folder, and `..` break it, and
//! every listing walks the whole bucket. Here it sees short hashes only. The index decides what exists.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;
use sha2::{Digest, Sha256};

use super::index::{Entry, Index};
use super::listing;
use super::uploads::{Uploads, part_file, sweep};

/// Clones are the same shelf.
#[derive(Clone, Debug)]
pub struct Shelf {
    root: PathBuf,
    bytes: Arc<FileSystem>,
    index: Arc<RwLock<Index>>,
    uploads: Arc<Uploads>,
    /// Held by writes with a condition, so that of two only one finds it true.
    conditional: Arc<tokio::sync::Mutex<()>>,
}

/// Where s3s-fs keeps the bytes of a key.
fn hashed(key: &str) -> String {
    let hash = hex::encode(Sha256::digest(key));
    format!("{}/{}", &hash[..2], &hash[2..])
}

impl Shelf {
    /// Opens the folder; the error is a reason without the path.
    pub fn open(root: &Path) -> Result<Self, String> {
        std::fs::create_dir_all(root).map_err(|error| error.to_string())?;
        sweep(root).map_err(|error| error.to_string())?;
        let index = Index::open(&root.join(".index.jsonl")).map_err(|error| error.to_string())?;
        let bytes = FileSystem::new(root).map_err(|error| format!("{error:?}"))?;
        Ok(Shelf {
            root: root.to_owned(),
            bytes: Arc::new(bytes),
            index: Arc::new(RwLock::new(index)),
            uploads: Arc::default(),
            conditional: Arc::default(),
        })
    }

    fn read<T>(&self, read: impl FnOnce(&Index) -> T) -> T {
        read(&self.index.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn bucket(&self, bucket: &str) -> S3Result<()> {
        match self.root.join(bucket).is_dir() {
            true => Ok(()),
            false => Err(s3_error!(NoSuchBucket)),
        }
    }

    fn existing(&self, bucket: &str, key: &str) -> S3Result<Entry> {
        self.bucket(bucket)?;
        self.read(|index| index.get(bucket, key).cloned()).ok_or_else(|| s3_error!(NoSuchKey))
    }

    /// Enters an object whose bytes s3s-fs has just put in place.
    fn enter(&self, bucket: &str, key: &str, etag: Option<&ETag>) -> S3Result<()> {
        let path = self.root.join(bucket).join(hashed(key));
        let size = std::fs::metadata(path).map_err(|error| s3_error!(error, InternalError))?.len();
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let modified = u64::try_from(since.as_millis()).unwrap_or_default();
        let entry = Entry { size, etag: etag.map(|etag| etag.value().to_owned()).unwrap_or_default(), modified };
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        index.put(bucket, key, entry).map_err(|error| s3_error!(error, InternalError))
    }

    async fn remove(&self, bucket: &str, key: &str) -> S3Result<()> {
        let gone = {
            let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
            index.delete(bucket, key).map_err(|error| s3_error!(error, InternalError))?
        };
        if gone {
            // Nobody sees the bytes any more: should this fail, they are only litter.
            let _ = tokio::fs::remove_file(self.root.join(bucket).join(hashed(key))).await;
        }
        Ok(())
    }

    async fn complete(
        &self,
        mut req: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let (bucket, key) = (req.input.bucket.clone(), req.input.key.clone());
        let (if_match, if_none_match) = (req.input.if_match.take(), req.input.if_none_match.take());
        // Who asks a second time waits for the first.
        let _turn = self.conditional.lock().await;
        self.check_write(&bucket, &key, if_match.as_ref(), if_none_match.as_ref())?;
        let id = req.input.upload_id.clone();
        let parts = req.input.multipart_upload.as_ref().and_then(|upload| upload.parts.as_deref()).unwrap_or_default();
        let unused = self.uploads.complete(&id, &bucket, &key, parts)?;
        req.input.key = hashed(&key);
        let response = self.bytes.complete_multipart_upload(req).await?;
        // s3s-fs has done the work by now; the future holds only the answer.
        let mut output = match response.output.future {
            Some(answer) => answer.await?,
            None => response.output,
        };
        self.enter(&bucket, &key, output.e_tag.as_ref())?;
        for number in unused {
            // Should this fail, the next start sweeps it away.
            let _ = tokio::fs::remove_file(self.root.join(part_file(&id, number))).await;
        }
        output.key = Some(key);
        Ok(S3Response::new(output))
    }

    /// The conditions of a write against what is there now.
    fn check_write(
        &self,
        bucket: &str,
        key: &str,
        if_match: Option<&ETagCondition>,
        if_none_match: Option<&ETagCondition>,
    ) -> S3Result<()> {
        let there = self.read(|index| index.get(bucket, key).cloned());
        let matches = |condition: &ETagCondition| match (&there, condition) {
            (None, _) => false,
            (Some(_), ETagCondition::Any) => true,
            (Some(entry), ETagCondition::ETag(etag)) => etag.value() == entry.etag,
        };
        match if_match.is_none_or(matches) && !if_none_match.is_some_and(matches) {
            true => Ok(()),
            false => Err(s3_error!(PreconditionFailed)),
        }
    }
}

/// The conditions of a read: 412 or 304 instead of the object.
fn check_read(entry: &Entry, if_match: Option<&ETagCondition>, if_none_match: Option<&ETagCondition>) -> S3Result<()> {
    let matches = |condition: &ETagCondition| match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(etag) => etag.value() == entry.etag,
    };
    if !if_match.is_none_or(matches) {
        return Err(s3_error!(PreconditionFailed));
    }
    if if_none_match.is_some_and(matches) {
        return Err(s3_error!(NotModified));
    }
    Ok(())
}

#[async_trait::async_trait]
impl S3 for Shelf {
    async fn create_bucket(&self, req: S3Request<CreateBucketInput>) -> S3Result<S3Response<CreateBucketOutput>> {
        if self.bucket(&req.input.bucket).is_ok() {
            return Err(s3_error!(BucketAlreadyOwnedByYou));
        }
        self.bytes.create_bucket(req).await
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.bytes.head_bucket(req).await
    }

    async fn list_buckets(&self, req: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
        self.bytes.list_buckets(req).await
    }

    async fn get_bucket_location(
        &self,
        req: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.bytes.get_bucket_location(req).await
    }

    async fn put_object(&self, mut req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let (bucket, key) = (req.input.bucket.clone(), req.input.key.clone());
        self.bucket(&bucket)?;
        let (if_match, if_none_match) = (req.input.if_match.take(), req.input.if_none_match.take());
        let conditional = if_match.is_some() || if_none_match.is_some();
        let _turn = if conditional { Some(self.conditional.lock().await) } else { None };
        self.check_write(&bucket, &key, if_match.as_ref(), if_none_match.as_ref())?;
        req.input.key = hashed(&key);
        let response = self.bytes.put_object(req).await?;
        self.enter(&bucket, &key, response.output.e_tag.as_ref())?;
        Ok(response)
    }

    async fn get_object(&self, mut req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let entry = self.existing(&req.input.bucket, &req.input.key)?;
        check_read(&entry, req.input.if_match.as_ref(), req.input.if_none_match.as_ref())?;
        req.input.key = hashed(&req.input.key);
        let input = &mut req.input;
        // s3s-fs fails at a suffix that is longer than the object.
        if let Some(Range::Suffix { length }) = input.range {
            if length == 0 || entry.size == 0 {
                return Err(s3_error!(InvalidRange));
            }
            input.range = Some(Range::Int { first: entry.size.saturating_sub(length), last: None });
        }
        let (kind, disposition) = (input.response_content_type.take(), input.response_content_disposition.take());
        let (cache, encoding) = (input.response_cache_control.take(), input.response_content_encoding.take());
        let mut response = self.bytes.get_object(req).await?;
        let output = &mut response.output;
        output.content_type = kind.or(output.content_type.take());
        output.content_disposition = disposition.or(output.content_disposition.take());
        output.cache_control = cache.or(output.cache_control.take());
        output.content_encoding = encoding.or(output.content_encoding.take());
        output.accept_ranges = Some("bytes".to_owned());
        Ok(response)
    }

    async fn head_object(&self, mut req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let entry = self.existing(&req.input.bucket, &req.input.key)?;
        check_read(&entry, req.input.if_match.as_ref(), req.input.if_none_match.as_ref())?;
        req.input.key = hashed(&req.input.key);
        self.bytes.head_object(req).await
    }

    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.bucket(&req.input.bucket)?;
        self.remove(&req.input.bucket, &req.input.key).await?;
        Ok(S3Response::with_status(DeleteObjectOutput::default(), http::StatusCode::NO_CONTENT))
    }

    async fn delete_objects(&self, req: S3Request<DeleteObjectsInput>) -> S3Result<S3Response<DeleteObjectsOutput>> {
        self.bucket(&req.input.bucket)?;
        let mut deleted = Vec::new();
        for object in req.input.delete.objects {
            self.remove(&req.input.bucket, &object.key).await?;
            deleted.push(DeletedObject { key: Some(object.key), ..Default::default() });
        }
        let quiet = req.input.delete.quiet == Some(true);
        let deleted = if quiet { None } else { Some(deleted) };
        Ok(S3Response::new(DeleteObjectsOutput { deleted, ..Default::default() }))
    }

    async fn list_objects_v2(&self, req: S3Request<ListObjectsV2Input>) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.bucket(&req.input.bucket)?;
        self.read(|index| listing::list(index, req.input)).map(S3Response::new)
    }

    async fn copy_object(&self, mut req: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
        let (bucket, key) = (req.input.bucket.clone(), req.input.key.clone());
        self.bucket(&bucket)?;
        if let CopySource::Bucket { bucket, key, .. } = &mut req.input.copy_source {
            self.existing(bucket, key)?;
            *key = hashed(key).into();
        }
        req.input.key = hashed(&key);
        let response = self.bytes.copy_object(req).await?;
        let etag = response.output.copy_object_result.as_ref().and_then(|result| result.e_tag.as_ref());
        self.enter(&bucket, &key, etag)?;
        Ok(response)
    }

    async fn create_multipart_upload(
        &self,
        mut req: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let (bucket, key) = (req.input.bucket.clone(), req.input.key.clone());
        self.bucket(&bucket)?;
        req.input.key = hashed(&key);
        let mut response = self.bytes.create_multipart_upload(req).await?;
        self.uploads.begin(response.output.upload_id.as_deref().unwrap_or_default(), &bucket, &key);
        response.output.key = Some(key);
        Ok(response)
    }

    async fn upload_part(&self, mut req: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        let (id, number) = (req.input.upload_id.clone(), req.input.part_number);
        self.uploads.check(&id, &req.input.bucket, &req.input.key)?;
        req.input.key = hashed(&req.input.key);
        let response = self.bytes.upload_part(req).await?;
        let etag = response.output.e_tag.as_ref().map(ETag::value).unwrap_or_default();
        let put = std::fs::metadata(self.root.join(part_file(&id, number)));
        // An upload that was ended meanwhile has taken its parts along.
        let size = put.map_err(|_| s3_error!(NoSuchUpload))?.len();
        self.uploads.put(&id, number, etag, size)?;
        Ok(response)
    }

    async fn list_parts(&self, req: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        self.uploads.list_parts(&req.input).map(S3Response::new)
    }

    async fn list_multipart_uploads(
        &self,
        req: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        self.bucket(&req.input.bucket)?;
        let uploads = self.uploads.list(&req.input.bucket, req.input.prefix.as_deref().unwrap_or_default());
        let (bucket, prefix) = (Some(req.input.bucket), req.input.prefix);
        let (uploads, is_truncated) = (Some(uploads), Some(false));
        Ok(S3Response::new(ListMultipartUploadsOutput { bucket, prefix, uploads, is_truncated, ..Default::default() }))
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        // A client that hangs up must not leave half an object: S3 goes on, too.
        let shelf = self.clone();
        let completed = tokio::spawn(async move { shelf.complete(req).await });
        completed.await.map_err(|error| s3_error!(error, InternalError))?
    }

    async fn abort_multipart_upload(
        &self,
        mut req: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.uploads.abort(&req.input.upload_id, &req.input.bucket, &req.input.key)?;
        req.input.key = hashed(&req.input.key);
        let mut response = self.bytes.abort_multipart_upload(req).await?;
        response.status = Some(http::StatusCode::NO_CONTENT);
        Ok(response)
    }
}
