//! Uploads that we make ourselves, part by part, and that a later request can go on with.
//!
//! Every part but the last has the same size, so who else works at the same upload puts the same bytes in the same place.

use aws_sdk_s3::config::{Builder, RequestChecksumCalculation};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use super::{ObjectKey, Objects, Part, failed};
use crate::error::{Error, Result};

/// Bytes of every part but the last.
pub const COPY_PART: usize = 8 << 20;

/// An upload that has begun.
#[derive(Debug, Default, PartialEq)]
pub struct Begun {
    /// S3's id of it.
    pub id: String,
    /// Parts that are there, from the first on without a gap.
    pub parts: Vec<Part>,
    /// Bytes of these parts.
    pub stored: u64,
}

impl Objects {
    /// Begins an upload.
    pub async fn begin_copy(&self, key: &ObjectKey) -> Result<Begun> {
        let create = self.client.create_multipart_upload().bucket(&self.bucket).key(key.as_str());
        let created = create.content_type("application/octet-stream").customize().config_override(no_checksums());
        let created = created.send().await.map_err(|error| failed(&error))?;
        let id = created.upload_id().ok_or_else(|| Error::internal("S3 began an upload without an id"))?;
        Ok(Begun { id: id.to_owned(), ..Begun::default() })
    }

    /// The oldest upload of this object that has begun and not ended, or a new one. `size` is that of the whole object.
    pub async fn resume_copy(&self, key: &ObjectKey, size: u64) -> Result<Begun> {
        let list = self.client.list_multipart_uploads().bucket(&self.bucket).prefix(key.as_str());
        let list = list.send().await.map_err(|error| failed(&error))?;
        let found = list.uploads().iter().find(|upload| upload.key() == Some(key.as_str()));
        match found.and_then(|upload| upload.upload_id()) {
            Some(id) => match self.stored_parts(key, id, size).await? {
                Some(begun) => Ok(begun),
                // It has ended since it was listed.
                None => self.begin_copy(key).await,
            },
            None => self.begin_copy(key).await,
        }
    }

    async fn stored_parts(&self, key: &ObjectKey, id: &str, size: u64) -> Result<Option<Begun>> {
        let mut begun = Begun { id: id.to_owned(), ..Begun::default() };
        let mut next = None;
        loop {
            let list = self.client.list_parts().bucket(&self.bucket).key(key.as_str()).upload_id(id);
            let page = match list.set_part_number_marker(next).send().await {
                Ok(page) => page,
                Err(error) if super::is_missing(&error) || error.code() == Some("NoSuchUpload") => return Ok(None),
                Err(error) => return Err(failed(&error)),
            };
            for part in page.parts() {
                let bytes = part.size().and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
                let (Some(number), Some(etag)) = (part.part_number(), part.e_tag()) else { return Ok(Some(begun)) };
                let expected = (size - begun.stored).min(COPY_PART as u64);
                if usize::try_from(number) != Ok(begun.parts.len() + 1) || bytes != expected || bytes == 0 {
                    return Ok(Some(begun));
                }
                begun.parts.push(Part { number, etag: etag.to_owned() });
                begun.stored += bytes;
            }
            next = page.next_part_number_marker().map(str::to_owned);
            if page.is_truncated() != Some(true) || next.is_none() {
                return Ok(Some(begun));
            }
        }
    }

    /// Stores one part; `None` if the upload has ended meanwhile.
    pub async fn put_part(&self, key: &ObjectKey, id: &str, number: i32, bytes: Bytes) -> Result<Option<Part>> {
        let put = self.client.upload_part().bucket(&self.bucket).key(key.as_str()).upload_id(id).part_number(number);
        let put = put.body(ByteStream::from(bytes)).customize().config_override(no_checksums());
        match put.send().await {
            Ok(answer) => {
                let etag = answer.e_tag().ok_or_else(|| Error::internal("S3 stored a part without a tag"))?;
                Ok(Some(Part { number, etag: etag.to_owned() }))
            }
            Err(error) if error.code() == Some("NoSuchUpload") => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }
}

/// Checksums of parts would have to be listed at the end and kept between requests; TLS and the tags guard the bytes.
fn no_checksums() -> Builder {
    Builder::default().request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
}
