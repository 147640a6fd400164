//! Endpoints for files beyond the gateway's limit, which this hub does not serve yet.

use axum::http::Method;
use shared::Error;
use shared::route::{READ, Route};

/// Known endpoints that answer 501; server-info says so beforehand.
pub fn routes() -> Vec<Route> {
    let mut routes = Vec::new();
    for prefix in ["/api/2.0", "/ajax-api/2.0"] {
        for step in ["create", "complete", "abort"] {
            let path = format!("{prefix}/mlflow-artifacts/mpu/{step}/{{*path}}");
            let mut route = Route::at(Method::POST, &path, READ, multipart_upload);
            route.implemented = false;
            routes.push(route);
        }
        routes.push(Route::not_implemented(&format!("{prefix}/mlflow-artifacts/presigned/{{*path}}")));
        routes.push(Route::not_implemented(&format!("{prefix}/mlflow/artifacts/presigned-upload-url")));
        routes.push(Route::not_implemented(&format!("{prefix}/mlflow/artifacts/presigned-download-url")));
    }
    routes.push(Route::not_implemented("/model-versions/get-artifact"));
    routes
}

/// POST `2.0/mlflow-artifacts/mpu/..`
async fn multipart_upload() -> Error {
    // Clients that read these first words go on with a simple upload.
    Error::NotImplemented("Multipart upload is not supported for the current artifact repository".into())
}
