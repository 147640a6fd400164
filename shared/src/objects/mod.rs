//! `Objects`: everything that lies in S3 (data.md section 5).

mod copy;
mod key;
mod multipart;
mod presign;

use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::{ByteStream, DateTime, DateTimeFormat};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration, Delete, ObjectIdentifier};
use bytes::Bytes;

use crate::error::{Error, Result};
use crate::extract::BODY_LIMIT;

pub use copy::{Begun, COPY_PART};
pub use key::ObjectKey;
pub use multipart::{MOST_PARTS, Part, Upload};
pub use presign::{PresignedUrl, download_life};

/// Bytes that JSON puts around each name of a listing, roughly.
const BYTES_AROUND_A_NAME: usize = 60;

/// What is known of an object besides its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectInfo {
    /// Bytes that this answer carries or, of a HEAD, would carry.
    pub size: u64,
    /// Quoted, as HTTP has it.
    pub etag: Option<String>,
    /// As an HTTP date.
    pub last_modified: Option<String>,
    /// `bytes <first>-<last>/<size>` if this is a part.
    pub content_range: Option<String>,
}

/// An object or, if a range was asked for, a part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    pub info: ObjectInfo,
    pub bytes: Bytes,
}

/// What a GET finds.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// All that was asked for.
    Small(Object),
    /// More than the caller takes; its bytes were not read.
    Large(ObjectInfo),
}

/// One line of a listing.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Entry {
    /// Without the directory.
    pub name: String,
    /// Bytes; `None` for a directory.
    pub size: Option<u64>,
}

/// The one bucket.
#[derive(Clone)]
pub struct Objects {
    client: aws_sdk_s3::Client,
    bucket: String,
}

impl Objects {
    /// The bucket with this name.
    pub fn new(client: aws_sdk_s3::Client, bucket: String) -> Self {
        Self { client, bucket }
    }

    /// Creates the bucket if it is missing, for stacks that CloudFormation does not make.
    pub async fn create_bucket(&self) -> Result<()> {
        match self.client.head_bucket().bucket(&self.bucket).send().await {
            Ok(_) => return Ok(()),
            Err(error) if is_missing(&error) => {}
            Err(error) => return Err(failed(&error)),
        }
        let region = self.client.config().region().map(ToString::to_string).unwrap_or_default();
        // The oldest region has no name here.
        let place = (!region.is_empty() && region != "us-east-1").then(|| {
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(region.as_str()))
                .build()
        });
        match self.client.create_bucket().bucket(&self.bucket).set_create_bucket_configuration(place).send().await {
            Ok(_) => Ok(()),
            // Another instance was faster.
            Err(error) if error.code() == Some("BucketAlreadyOwnedByYou") => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Stores an object, in place of what is there.
    pub async fn put(&self, key: &ObjectKey, bytes: Bytes, content_type: &str) -> Result<()> {
        let put = self.client.put_object().bucket(&self.bucket).key(key.as_str()).content_type(content_type);
        put.body(ByteStream::from(bytes)).send().await.map(|_| ()).map_err(|error| failed(&error))
    }

    /// An object, or the part of it that `range` (`bytes=..`) asks for, with its bytes if these are at
    /// most `limit`; a range outside the object counts as none.
    pub async fn get(&self, key: &ObjectKey, range: Option<&str>, limit: usize) -> Result<Option<Found>> {
        let get = self.client.get_object().bucket(&self.bucket).key(key.as_str()).set_range(range.map(str::to_owned));
        let answer = match get.send().await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("InvalidRange") && range.is_some() => {
                return Box::pin(self.get(key, None, limit)).await;
            }
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(failed(&error)),
        };
        let size = answer.content_length().and_then(|size| usize::try_from(size).ok());
        let info = info(size, answer.e_tag(), answer.last_modified(), answer.content_range());
        if size.is_none_or(|size| size > limit) {
            // Dropping the answer ends the transfer.
            return Ok(Some(Found::Large(info)));
        }
        let bytes = answer.body.collect().await.map_err(|error| {
            Error::Unavailable(format!("the body of an object broke off: {}", DisplayErrorContext(&error)))
        })?;
        Ok(Some(Found::Small(Object { info, bytes: bytes.into_bytes() })))
    }

    /// What is known of an object.
    pub async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectInfo>> {
        match self.client.head_object().bucket(&self.bucket).key(key.as_str()).send().await {
            Ok(answer) => {
                let size = answer.content_length().and_then(|size| usize::try_from(size).ok());
                Ok(Some(info(size, answer.e_tag(), answer.last_modified(), None)))
            }
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Is there anything below this key?
    pub async fn is_directory(&self, key: &ObjectKey) -> Result<bool> {
        let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(key.as_prefix()).max_keys(1);
        match list.send().await {
            Ok(answer) => Ok(!answer.contents().is_empty()),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(failed(&error)),
        }
    }

    /// What lies directly in a directory, sorted by name; empty if there is no such directory.
    ///
    /// # Errors
    /// `TooLarge` if the names do not fit into one answer.
    pub async fn list(&self, directory: &ObjectKey) -> Result<Vec<Entry>> {
        let prefix = directory.as_prefix();
        let mut entries = Vec::new();
        let mut room = BODY_LIMIT;
        let mut next = None;
        loop {
            let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(&prefix).delimiter("/");
            let answer = match list.set_continuation_token(next).send().await {
                Ok(answer) => answer,
                Err(error) if is_missing(&error) => return Ok(entries),
                Err(error) => return Err(failed(&error)),
            };
            let names = answer.common_prefixes().iter().filter_map(|common| {
                let name = common.prefix()?.strip_prefix(&prefix)?.strip_suffix('/')?;
                Some(Entry { name: name.to_owned(), size: None })
            });
            let files = answer.contents().iter().filter_map(|object| {
                let name = object.key()?.strip_prefix(&prefix)?;
                let size = object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
                Some(Entry { name: name.to_owned(), size: Some(size) })
            });
            for entry in names.chain(files).filter(|entry| !entry.name.is_empty()) {
                room = room.checked_sub(entry.name.len() + BYTES_AROUND_A_NAME).ok_or_else(|| {
                    Error::TooLarge(
                        "The directory holds more files than one answer can name; spread them over more.".into(),
                    )
                })?;
                entries.push(entry);
            }
            next = answer.next_continuation_token().map(str::to_owned);
            if next.is_none() {
                entries.sort();
                return Ok(entries);
            }
        }
    }

    /// Deletes an object, whether it is there or not.
    pub async fn delete(&self, key: &ObjectKey) -> Result<()> {
        match self.client.delete_object().bucket(&self.bucket).key(key.as_str()).send().await {
            Ok(_) => Ok(()),
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Deletes everything below a key.
    pub async fn delete_directory(&self, directory: &ObjectKey) -> Result<()> {
        loop {
            let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(directory.as_prefix());
            let answer = match list.send().await {
                Ok(answer) => answer,
                Err(error) if is_missing(&error) => return Ok(()),
                Err(error) => return Err(failed(&error)),
            };
            let keys: Vec<ObjectIdentifier> = answer
                .contents()
                .iter()
                .filter_map(|object| ObjectIdentifier::builder().key(object.key()?).build().ok())
                .collect();
            if keys.is_empty() {
                return Ok(());
            }
            let batch = Delete::builder().set_objects(Some(keys)).quiet(true).build().map_err(Error::internal)?;
            let deleted = self.client.delete_objects().bucket(&self.bucket).delete(batch).send().await;
            let deleted = deleted.map_err(|error| failed(&error))?;
            // What is left would be listed again, for ever.
            if let Some(error) = deleted.errors().first() {
                let code = error.code().unwrap_or_default();
                return Err(Error::Unavailable(format!("S3 deleted only some of many objects: {code}")));
            }
        }
    }
}

fn info(size: Option<usize>, etag: Option<&str>, modified: Option<&DateTime>, range: Option<&str>) -> ObjectInfo {
    ObjectInfo {
        size: size.map_or(0, |size| size as u64),
        etag: etag.map(str::to_owned),
        last_modified: modified.and_then(|time| time.fmt(DateTimeFormat::HttpDate).ok()),
        content_range: range.map(str::to_owned),
    }
}

/// Is the object, or the whole bucket, not there? Answers to HEAD have no code, only the status.
fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    matches!(error.code(), Some("NoSuchKey" | "NoSuchBucket" | "NotFound"))
        || error.raw_response().is_some_and(|response| response.status().as_u16() == 404)
}

/// An SDK error in our words; the cause goes to the log only.
fn failed<E>(error: &SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let text = format!("S3: {}", DisplayErrorContext(error));
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    match error {
        SdkError::ConstructionFailure(_) => Error::Internal(text),
        SdkError::ServiceError(_) if !is_passing(error.code().unwrap_or_default(), status) => Error::Internal(text),
        _ => Error::Unavailable(text),
    }
}

/// Will the same request succeed a little later? A success that cannot be read is none of S3's: cut off, or of somebody in between.
fn is_passing(code: &str, status: u16) -> bool {
    status >= 500
        || (200..300).contains(&status)
        || status == 429
        || matches!(code, "SlowDown" | "RequestTimeout" | "Throttling" | "ThrottlingException" | "OperationAborted")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_worth_another_try() {
        assert!(is_passing("SlowDown", 503) && is_passing("", 500) && is_passing("RequestTimeout", 400));
        assert!(is_passing("", 200));
        assert!(!is_passing("AccessDenied", 403) && !is_passing("", 0));
    }
}
