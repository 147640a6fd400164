//! What the server says of itself, and MLflow's endpoints that this hub does not serve yet.

use axum::response::Html;
use schemars::JsonSchema;
use serde::Serialize;
use shared::extract::Json;

/// The version whose API this hub speaks; clients compare it (mlflow.md A).
const VERSION: &str = "3.17.2";

/// GET `/health`
pub async fn health() -> &'static str {
    "OK"
}

/// GET `/version`
pub async fn version() -> Html<&'static str> {
    Html(VERSION)
}

/// What clients want to know before they choose how to call.
#[derive(JsonSchema, Serialize)]
pub struct ServerInfo {
    /// What the stock server says of a store with all features.
    store_type: &'static str,
    /// Several tenants by name: projects take their place here.
    workspaces_enabled: bool,
    /// Are traces archived?
    trace_archival_enabled: bool,
    /// May large files be uploaded in parts?
    multipart_uploads_enabled: bool,
    /// May large files be fetched by presigned URL?
    multipart_downloads_enabled: bool,
    /// Does `presigned-upload-url` take a `run_id`?
    presigned_upload_run_id_supported: bool,
    /// Does `presigned-upload-url` take a `model_id`?
    presigned_upload_model_id_supported: bool,
    /// Parts of MLflow that are not part of every server.
    features_enabled: Features,
}

#[derive(JsonSchema, Serialize)]
struct Features {
    /// The gateway to language models.
    gateway: bool,
}

/// GET `3.0/mlflow/server-info`: capabilities, asked by every client (mlflow.md C).
pub async fn server_info() -> Json<ServerInfo> {
    Json(ServerInfo {
        store_type: "SqlStore",
        workspaces_enabled: false,
        trace_archival_enabled: false,
        multipart_uploads_enabled: true,
        multipart_downloads_enabled: true,
        presigned_upload_run_id_supported: true,
        presigned_upload_model_id_supported: true,
        features_enabled: Features { gateway: false },
    })
}

/// Known endpoints that answer 501; the README lists them.
pub const NOT_IMPLEMENTED: &[&str] = &[
    "/",
    "/static-files/{*file}",
    "/graphql",
    "/v1/traces",
    "/auth/{*page}",
    "/gateway/{*rest}",
    "/api/2.0/mlflow/traces",
    "/api/2.0/mlflow/traces/{*rest}",
    "/ajax-api/2.0/mlflow/traces",
    "/ajax-api/2.0/mlflow/traces/{*rest}",
    "/api/3.0/mlflow/traces",
    "/api/3.0/mlflow/traces/{*rest}",
    "/ajax-api/3.0/mlflow/traces",
    "/ajax-api/3.0/mlflow/traces/{*rest}",
    "/ajax-api/2.0/mlflow/get-trace-artifact",
    "/ajax-api/3.0/mlflow/get-trace-artifact",
    "/ajax-api/2.0/mlflow/gateway-proxy",
    "/ajax-api/2.0/mlflow/runs/create-promptlab-run",
    "/api/2.0/mlflow/webhooks",
    "/api/2.0/mlflow/webhooks/{*rest}",
    "/ajax-api/2.0/mlflow/webhooks",
    "/ajax-api/2.0/mlflow/webhooks/{*rest}",
    "/api/3.0/mlflow/{*rest}",
    "/ajax-api/3.0/mlflow/{*rest}",
];
