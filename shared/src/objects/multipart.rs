//! Multipart uploads: the client puts the parts to presigned URLs, we begin and end the upload
//! (mlflow.md C.1, data.md section 5).

use std::time::Duration;

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use md5::{Digest, Md5};

use super::presign::{expiring, upload_life, url_of};
use super::{ObjectKey, Objects, PresignedUrl, failed};
use crate::error::{Error, Result};
use crate::extract::BODY_LIMIT;

/// S3's limit on the parts of an upload.
pub const MOST_PARTS: u16 = 10_000;
/// Bytes that an answer holds besides a part's URL, at most, the digits of its number in the URL included.
const BYTES_AROUND_A_URL: usize = 60;
/// Bytes that an answer holds besides the parts, the upload's id among them.
const BYTES_AROUND_THE_URLS: usize = 2_000;
/// No id of S3's is longer, bytes.
const LONGEST_ID: usize = 1_000;
/// S3 takes its time to put many parts together; the gateway gives up on us after 29 s.
const COMPLETION: Duration = Duration::from_secs(25);

/// An upload that has begun.
#[derive(Debug)]
pub struct Upload {
    pub id: String,
    /// Where to put the parts, the first part first.
    pub urls: Vec<PresignedUrl>,
}

/// A part that the client says it has put.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// From 1 on.
    pub number: i32,
    /// As S3 answered it.
    pub etag: String,
}

impl Objects {
    /// Begins the upload of an object in `parts` parts.
    ///
    /// # Errors
    /// `Invalid` if so many URLs do not fit into one answer.
    pub async fn create_upload(&self, key: &ObjectKey, media_type: &str, parts: u16) -> Result<Upload> {
        let create = self.client.create_multipart_upload().bucket(&self.bucket).key(key.as_str());
        let created = create.content_type(media_type).send().await.map_err(|error| failed(&error))?;
        let id = created.upload_id().ok_or_else(|| Error::internal("S3 began an upload without an id"))?.to_owned();
        match self.presign_parts(key, &id, parts).await {
            Ok(urls) => Ok(Upload { id, urls }),
            Err(error) => {
                // Should this fail, the bucket's rule ends the upload after a day.
                let _ = self.abort_upload(key, &id).await;
                Err(error)
            }
        }
    }

    async fn presign_parts(&self, key: &ObjectKey, id: &str, parts: u16) -> Result<Vec<PresignedUrl>> {
        let life = expiring(upload_life(parts))?;
        let room = BODY_LIMIT - BYTES_AROUND_THE_URLS;
        let mut urls = Vec::new();
        for number in 1..=parts {
            let part = self.client.upload_part().bucket(&self.bucket).key(key.as_str()).upload_id(id);
            let request = part.part_number(number.into()).presigned(life.clone()).await;
            let url = url_of(&request.map_err(|error| failed(&error))?);
            let size = url.as_str().len() + BYTES_AROUND_A_URL;
            // All are as long as the first one, but for the number of the part.
            if urls.is_empty() && usize::from(parts) * size > room {
                return Err(too_many(parts, room / size));
            }
            urls.push(url);
        }
        Ok(urls)
    }

    /// Ends an upload: its parts become the object, in place of what is there. Again is no error.
    ///
    /// # Errors
    /// `NotFound` if there is no such upload of this object, `Invalid` if the parts are not those that were put.
    pub async fn complete_upload(&self, key: &ObjectKey, id: &str, parts: &[Part]) -> Result<()> {
        if id.len() > LONGEST_ID {
            return Err(no_upload());
        }
        // S3 says so, too, but not every service that speaks its protocol does.
        if parts.iter().any(|part| part.etag.contains(char::is_control)) {
            return Err(refusal(MALFORMED));
        }
        if !parts.is_sorted_by(|one, next| one.number < next.number) {
            return Err(refusal("the parts are not in the order of their numbers"));
        }
        let completed =
            parts.iter().map(|part| CompletedPart::builder().part_number(part.number).e_tag(&part.etag).build());
        let completed = CompletedMultipartUpload::builder().set_parts(Some(completed.collect())).build();
        let complete = self.client.complete_multipart_upload().bucket(&self.bucket).key(key.as_str()).upload_id(id);
        let patience =
            TimeoutConfig::builder().operation_attempt_timeout(COMPLETION).operation_timeout(COMPLETION).build();
        let complete = complete.multipart_upload(completed).customize();
        match complete.config_override(Builder::default().timeout_config(patience)).send().await {
            Ok(_) => Ok(()),
            Err(error) if is_no_upload(&error) => self.check_completed(key, parts).await,
            Err(error) => Err(refused(&error).unwrap_or_else(|| failed(&error))),
        }
    }

    /// A client whose answer got lost asks again, when S3 has forgotten the upload. By its tag the object
    /// itself says whether it was made of these parts.
    async fn check_completed(&self, key: &ObjectKey, parts: &[Part]) -> Result<()> {
        let expected = etag_of(parts);
        let there = if expected.is_some() { self.head(key).await? } else { None };
        match there.and_then(|info| info.etag) {
            Some(etag) if Some(etag.trim_matches('"')) == expected.as_deref() => Ok(()),
            _ => Err(no_upload()),
        }
    }

    /// Ends an upload and drops its parts. One that is not there counts as ended.
    pub async fn abort_upload(&self, key: &ObjectKey, id: &str) -> Result<()> {
        if id.len() > LONGEST_ID {
            return Ok(());
        }
        let abort = self.client.abort_multipart_upload().bucket(&self.bucket).key(key.as_str()).upload_id(id);
        match abort.send().await {
            Ok(_) => Ok(()),
            Err(error) if is_no_upload(&error) => Ok(()),
            Err(error) => Err(refused(&error).unwrap_or_else(|| failed(&error))),
        }
    }
}

fn too_many(parts: u16, fitting: usize) -> Error {
    Error::invalid(format!(
        "The URLs of {parts} parts are more than one answer holds; raise MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE (bytes of a \
         part, 10485760 by default) until there are at most {fitting} parts."
    ))
}

fn no_upload() -> Error {
    Error::not_found(
        "No such multipart upload of this artifact: it was aborted, has expired or never began. Upload the file again.",
    )
}

fn is_no_upload<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    error.code() == Some("NoSuchUpload")
}

const MALFORMED: &str = "the upload id or the list of parts is malformed";

/// What S3 says of a client's mistake; `None` for faults.
fn refused<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<Error> {
    let text = match error.code()? {
        "InvalidPart" => "a part was not put, or its etag is not the one that was answered",
        "EntityTooSmall" => "every part but the last needs at least 5 MiB; set MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE so",
        "EntityTooLarge" => "an object has at most 5 TiB",
        "InvalidRequest" | "InvalidArgument" | "MalformedXML" => MALFORMED,
        _ => return None,
    };
    Some(refusal(text))
}

fn refusal(why: &str) -> Error {
    Error::invalid(format!("S3 refuses the multipart upload: {why}."))
}

/// The tag of an object that is made of these parts: the MD5 of their MD5s and their number. `None` if
/// their tags are no MD5s, as in buckets with keys of their own.
fn etag_of(parts: &[Part]) -> Option<String> {
    let mut digest = Md5::new();
    for part in parts {
        let mut md5 = [0; 16];
        hex::decode_to_slice(part.etag.trim_matches('"'), &mut md5).ok()?;
        digest.update(md5);
    }
    Some(format!("{}-{}", hex::encode(digest.finalize()), parts.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: i32, etag: &str) -> Part {
        Part { number, etag: etag.into() }
    }

    #[test]
    fn an_object_tells_its_parts() {
        // MD5 of "a" and "b", and of those 32 bytes: what S3 answers for an upload of these parts.
        let (a, b) = ("\"0cc175b9c0f1b6a831c399e269772661\"", "92eb5ffee6ae2fec3ad71c777531578f");
        assert_eq!(etag_of(&[part(1, a), part(2, b)]).as_deref(), Some("96e024ba2074fe77e8e965ba43a704be-2"));
        for foreign in [
            "",
            "\"\"",
            "opaque",
            "ééééééééééééééééé",
            "0cc175b9c0f1b6a831c399e26977266g",
            "+cc175b9c0f1b6a831c399e269772661",
            "0cc1",
        ] {
            assert_eq!(etag_of(&[part(1, foreign)]), None, "{foreign}");
        }
    }

    #[test]
    fn a_refusal_says_what_to_change() {
        let text = too_many(10_000, 2_100).to_string();
        assert!(text.contains("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE") && text.contains("at most 2100 parts"), "{text}");
    }
}
