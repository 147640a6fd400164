//! Presigned URLs: whoever holds one may do one thing to one object, until it expires.
//!
//! They are credentials: they go to the client and nowhere else, and live no longer than their use takes.

use std::fmt;
use std::time::Duration;

use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use serde::Serialize;

use super::{ObjectKey, Objects, failed};
use crate::error::{Error, Result};

/// No URL lives longer, whatever it is for; the credentials behind it end by then, too.
const LONGEST_LIFE: Duration = Duration::from_secs(12 * 3600);
/// The begun 100 MiB of a download, each of which adds a minute.
const BYTES_PER_MINUTE: u64 = 100 * 1024 * 1024;

/// A URL that opens something by itself. `Debug` does not show it, so that no log does.
#[derive(Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct PresignedUrl(String);

impl PresignedUrl {
    /// For the answer to the client.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PresignedUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PresignedUrl(..)")
    }
}

/// How long a URL to download `size` bytes lives: 5 minutes and one for each 100 MiB. A transfer that
/// has begun may outlast it; clients that fetch in pieces begin the last one late.
pub fn download_life(size: u64) -> Duration {
    let minutes = 5_u64.saturating_add(size.div_ceil(BYTES_PER_MINUTE));
    Duration::from_secs(minutes.saturating_mul(60)).min(LONGEST_LIFE)
}

/// How long the URLs of an upload of so many parts live: 15 minutes and 6 seconds for each.
pub(super) fn upload_life(parts: u16) -> Duration {
    Duration::from_secs(15 * 60 + 6 * u64::from(parts)).min(LONGEST_LIFE)
}

/// The SDK's form of a life.
pub(super) fn expiring(life: Duration) -> Result<PresigningConfig> {
    PresigningConfig::expires_in(life).map_err(Error::internal)
}

/// The URL of a request that is signed and not sent.
pub(super) fn url_of(request: &PresignedRequest) -> PresignedUrl {
    PresignedUrl(request.uri().to_owned())
}

impl Objects {
    /// A URL to GET an object, whole or in parts, for `life`. Media type and disposition are signed into
    /// it: who has the URL cannot make a browser show the object instead of saving it.
    pub async fn presign_get(
        &self,
        key: &ObjectKey,
        media_type: &str,
        disposition: &str,
        life: Duration,
    ) -> Result<PresignedUrl> {
        let get = self.client.get_object().bucket(&self.bucket).key(key.as_str());
        let get = get.response_content_type(media_type).response_content_disposition(disposition);
        let request = get.presigned(expiring(life)?).await.map_err(|error| failed(&error))?;
        Ok(url_of(&request))
    }

    /// A URL to PUT an object for `life`, by a request whose `Content-Type` is `media_type`.
    pub async fn presign_put(&self, key: &ObjectKey, media_type: &str, life: Duration) -> Result<PresignedUrl> {
        let put = self.client.put_object().bucket(&self.bucket).key(key.as_str()).content_type(media_type);
        let request = put.presigned(expiring(life)?).await.map_err(|error| failed(&error))?;
        Ok(url_of(&request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_grow_with_the_work_and_end() {
        let seconds = |size: u64| download_life(size).as_secs();
        assert_eq!((seconds(0), seconds(1), seconds(BYTES_PER_MINUTE)), (300, 360, 360));
        assert_eq!((seconds(BYTES_PER_MINUTE + 1), seconds(u64::MAX)), (420, 12 * 3600));
        assert_eq!((upload_life(1).as_secs(), upload_life(100).as_secs()), (906, 1500));
        assert_eq!(upload_life(10_000), LONGEST_LIFE);
    }

    #[test]
    fn no_log_shows_a_url() {
        let url = PresignedUrl("https://bucket/key?X-Amz-Signature=secret".into());
        assert_eq!(format!("{url:?} {:?}", Some(&url)), "PresignedUrl(..) Some(PresignedUrl(..))");
    }
}
