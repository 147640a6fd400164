//! MLflow's artifact endpoints (mlflow.md A, B.8, C): files of runs and logged models, over S3.

mod download;
mod listing;
mod logged_models;
mod model_versions;
mod multipart;
mod presigned;
mod proxy;
mod runs;

use axum::Router;
use axum::http::Method;
use shared::dialect::Dialect;
use shared::route::{READ, Route, WRITE, assemble, no_such_endpoint, render};
use shared::state::AppState;

/// Every endpoint of this function, below `/mlflow` or `/mlflow/<project>/tracking`.
pub fn routes() -> Vec<Route> {
    let get = Method::GET;
    let post = Method::POST;
    let twins = [
        Route::api(get.clone(), "/2.0/mlflow/artifacts/list", READ, runs::list_artifacts),
        Route::api(get.clone(), "/2.0/mlflow-artifacts/artifacts", READ, proxy::list_artifacts),
        Route::api(get.clone(), "/2.0/mlflow-artifacts/artifacts/{*path}", READ, proxy::download_artifact),
        Route::api(Method::PUT, "/2.0/mlflow-artifacts/artifacts/{*path}", WRITE, proxy::upload_artifact),
        Route::api(Method::DELETE, "/2.0/mlflow-artifacts/artifacts/{*path}", WRITE, proxy::delete_artifact),
        Route::api(
            get.clone(),
            "/2.0/mlflow/logged-models/{model_id}/artifacts/directories",
            READ,
            logged_models::list_logged_model_artifacts,
        ),
        Route::api(post.clone(), "/2.0/mlflow-artifacts/mpu/create/{*path}", WRITE, multipart::create_multipart_upload),
        Route::api(
            post.clone(),
            "/2.0/mlflow-artifacts/mpu/complete/{*path}",
            WRITE,
            multipart::complete_multipart_upload,
        ),
        Route::api(post.clone(), "/2.0/mlflow-artifacts/mpu/abort/{*path}", WRITE, multipart::abort_multipart_upload),
        Route::api(get.clone(), "/2.0/mlflow-artifacts/presigned/{*path}", READ, presigned::get_presigned_download_url),
        Route::api(
            post.clone(),
            "/2.0/mlflow/artifacts/presigned-upload-url",
            WRITE,
            presigned::create_presigned_upload_url,
        ),
        Route::api(
            post.clone(),
            "/2.0/mlflow/artifacts/presigned-download-url",
            READ,
            presigned::create_presigned_download_url,
        ),
    ];
    let mut routes: Vec<Route> = twins.into_iter().flatten().collect();
    routes.push(Route::at(get.clone(), "/get-artifact", READ, runs::get_artifact));
    routes.push(Route::at(
        get.clone(),
        "/model-versions/get-artifact",
        READ,
        model_versions::get_model_version_artifact,
    ));
    routes.push(Route::at(post, "/ajax-api/2.0/mlflow/upload-artifact", WRITE, runs::upload_artifact));
    routes.push(Route::at(
        get,
        "/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files",
        READ,
        logged_models::get_logged_model_artifact,
    ));
    routes
}

/// The function as it is served.
pub fn router(state: &AppState) -> Router {
    render(Router::new().nest("/mlflow", assemble(routes(), state)).fallback(no_such_endpoint), Dialect::Mlflow)
}
