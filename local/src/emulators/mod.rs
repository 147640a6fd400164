//! Embedded AWS: DynamoDB (dynoxide) and S3 (s3s), each an HTTP server on a loopback port.

pub mod dynamodb;
pub mod s3;

/// Access key of the embedded services. They verify signatures, but guard nothing: they listen on loopback only.
pub const ACCESS_KEY: &str = "perigee-local";
/// Secret key of the embedded services.
pub const SECRET_KEY: &str = "perigee-local-secret";
/// Region that clients of the embedded services sign for.
pub const REGION: &str = "us-east-1";
