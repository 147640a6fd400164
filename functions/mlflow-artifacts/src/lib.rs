//! MLflow's artifact endpoints (mlflow.md A, B.8, C): files of runs and logged models, over S3.

mod download;
mod listing;
mod logged_models;
mod model_versions;
mod multipart;
mod operations;
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
        Route::api(get.clone(), "/2.0/mlflow/artifacts/list", READ, runs::list_artifacts)
            .documented(operations::LIST_RUN_ARTIFACTS),
        Route::api(get.clone(), "/2.0/mlflow-artifacts/artifacts", READ, proxy::list_artifacts)
            .documented(operations::LIST_ARTIFACTS),
        Route::api(get.clone(), "/2.0/mlflow-artifacts/artifacts/{*path}", READ, proxy::download_artifact)
            .documented(operations::DOWNLOAD_ARTIFACT),
        Route::api(Method::PUT, "/2.0/mlflow-artifacts/artifacts/{*path}", WRITE, proxy::upload_artifact)
            .documented(operations::PUT_ARTIFACT),
        Route::api(Method::DELETE, "/2.0/mlflow-artifacts/artifacts/{*path}", WRITE, proxy::delete_artifact)
            .documented(operations::DELETE_ARTIFACT),
        Route::api(
            get.clone(),
            "/2.0/mlflow/logged-models/{model_id}/artifacts/directories",
            READ,
            logged_models::list_logged_model_artifacts,
        )
        .documented(operations::LIST_LOGGED_MODEL_ARTIFACTS),
        Route::api(post.clone(), "/2.0/mlflow-artifacts/mpu/create/{*path}", WRITE, multipart::create_multipart_upload)
            .documented(operations::CREATE_MULTIPART_UPLOAD),
        Route::api(
            post.clone(),
            "/2.0/mlflow-artifacts/mpu/complete/{*path}",
            WRITE,
            multipart::complete_multipart_upload,
        )
        .documented(operations::COMPLETE_MULTIPART_UPLOAD),
        Route::api(post.clone(), "/2.0/mlflow-artifacts/mpu/abort/{*path}", WRITE, multipart::abort_multipart_upload)
            .documented(operations::ABORT_MULTIPART_UPLOAD),
        Route::api(get.clone(), "/2.0/mlflow-artifacts/presigned/{*path}", READ, presigned::get_presigned_download_url)
            .documented(operations::GET_PRESIGNED_DOWNLOAD_URL),
        Route::api(
            post.clone(),
            "/2.0/mlflow/artifacts/presigned-upload-url",
            WRITE,
            presigned::create_presigned_upload_url,
        )
        .documented(operations::CREATE_PRESIGNED_UPLOAD_URL),
        Route::api(
            post.clone(),
            "/2.0/mlflow/artifacts/presigned-download-url",
            READ,
            presigned::create_presigned_download_url,
        )
        .documented(operations::CREATE_PRESIGNED_DOWNLOAD_URL),
    ];
    let mut routes: Vec<Route> = twins.into_iter().flatten().collect();
    routes.push(Route::at(get.clone(), "/get-artifact", READ, runs::get_artifact).documented(operations::GET_ARTIFACT));
    routes.push(
        Route::at(get.clone(), "/model-versions/get-artifact", READ, model_versions::get_model_version_artifact)
            .documented(operations::GET_MODEL_VERSION_ARTIFACT),
    );
    routes.push(
        Route::at(post, "/ajax-api/2.0/mlflow/upload-artifact", WRITE, runs::upload_artifact)
            .documented(operations::UPLOAD_ARTIFACT),
    );
    routes.push(
        Route::at(
            get,
            "/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files",
            READ,
            logged_models::get_logged_model_artifact,
        )
        .documented(operations::GET_LOGGED_MODEL_ARTIFACT),
    );
    routes
}

/// The function as it is served.
pub fn router(state: &AppState) -> Router {
    render(Router::new().nest("/mlflow", assemble(routes(), state)).fallback(no_such_endpoint), Dialect::Mlflow)
}
