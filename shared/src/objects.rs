//! `Objects`: everything that lies in S3.

/// The one bucket.
#[derive(Clone)]
pub struct Objects {
    client: aws_sdk_s3::Client,
    bucket: String,
}

impl Objects {
    /// Creates the bucket if it is missing.
    pub async fn create_bucket(&self) -> crate::Result<()> {
        let _ = self.client.create_bucket().bucket(&self.bucket).send().await;
        Ok(())
    }

    /// The bucket with this name.
    pub fn new(client: aws_sdk_s3::Client, bucket: String) -> Self {
        Self { client, bucket }
    }
}
