//! MLflow's model registry (mlflow.md A, B.7): registered models, model versions, aliases and stages. Prompts are
//! registered models with a tag.

mod aliases;
mod model_versions;
mod model_versions_search;
mod operations;
mod page;
mod registered_models;
mod registered_models_search;
mod sources;
mod wire;

use axum::Router;
use axum::http::Method;
use shared::dialect::Dialect;
use shared::route::{READ, Route, WRITE, assemble, no_such_endpoint, render};
use shared::state::AppState;

/// Every endpoint of this function, below `/mlflow` or `/mlflow/<project>/tracking`.
pub fn routes() -> Vec<Route> {
    let get = Method::GET;
    let post = Method::POST;
    let patch = Method::PATCH;
    let delete = Method::DELETE;
    let models = "/2.0/mlflow/registered-models";
    let versions = "/2.0/mlflow/model-versions";
    let at = |root: &str, operation: &str| format!("{root}/{operation}");
    let twins = [
        Route::api(post.clone(), &at(models, "create"), WRITE, registered_models::create_registered_model)
            .documented(operations::CREATE_REGISTERED_MODEL),
        Route::api(get.clone(), &at(models, "get"), READ, registered_models::get_registered_model)
            .documented(operations::GET_REGISTERED_MODEL),
        Route::api(get.clone(), &at(models, "search"), READ, registered_models_search::search_registered_models)
            .documented(operations::SEARCH_REGISTERED_MODELS),
        Route::api(patch.clone(), &at(models, "update"), WRITE, registered_models::update_registered_model)
            .documented(operations::UPDATE_REGISTERED_MODEL),
        Route::api(post.clone(), &at(models, "rename"), WRITE, registered_models::rename_registered_model)
            .documented(operations::RENAME_REGISTERED_MODEL),
        Route::api(delete.clone(), &at(models, "delete"), WRITE, registered_models::delete_registered_model)
            .documented(operations::DELETE_REGISTERED_MODEL),
        Route::api(post.clone(), &at(models, "set-tag"), WRITE, registered_models::set_registered_model_tag)
            .documented(operations::SET_REGISTERED_MODEL_TAG),
        Route::api(delete.clone(), &at(models, "delete-tag"), WRITE, registered_models::delete_registered_model_tag)
            .documented(operations::DELETE_REGISTERED_MODEL_TAG),
        Route::api(get.clone(), &at(models, "get-latest-versions"), READ, registered_models::query_latest_versions)
            .documented(operations::QUERY_LATEST_VERSIONS),
        Route::api(post.clone(), &at(models, "get-latest-versions"), READ, registered_models::get_latest_versions)
            .documented(operations::GET_LATEST_VERSIONS),
        Route::api(post.clone(), &at(models, "alias"), WRITE, aliases::set_registered_model_alias)
            .documented(operations::SET_REGISTERED_MODEL_ALIAS),
        Route::api(delete.clone(), &at(models, "alias"), WRITE, aliases::delete_registered_model_alias)
            .documented(operations::DELETE_REGISTERED_MODEL_ALIAS),
        Route::api(get.clone(), &at(models, "alias"), READ, aliases::get_model_version_by_alias)
            .documented(operations::GET_MODEL_VERSION_BY_ALIAS),
        Route::api(post.clone(), &at(versions, "create"), WRITE, model_versions::create_model_version)
            .documented(operations::CREATE_MODEL_VERSION),
        Route::api(get.clone(), &at(versions, "get"), READ, model_versions::get_model_version)
            .documented(operations::GET_MODEL_VERSION),
        Route::api(get.clone(), &at(versions, "search"), READ, model_versions_search::search_model_versions)
            .documented(operations::SEARCH_MODEL_VERSIONS),
        Route::api(patch, &at(versions, "update"), WRITE, model_versions::update_model_version)
            .documented(operations::UPDATE_MODEL_VERSION),
        Route::api(delete.clone(), &at(versions, "delete"), WRITE, model_versions::delete_model_version)
            .documented(operations::DELETE_MODEL_VERSION),
        Route::api(post.clone(), &at(versions, "transition-stage"), WRITE, model_versions::transition_stage)
            .documented(operations::TRANSITION_MODEL_VERSION_STAGE),
        Route::api(get, &at(versions, "get-download-uri"), READ, model_versions::get_download_uri)
            .documented(operations::GET_MODEL_VERSION_DOWNLOAD_URI),
        Route::api(post, &at(versions, "set-tag"), WRITE, model_versions::set_model_version_tag)
            .documented(operations::SET_MODEL_VERSION_TAG),
        Route::api(delete, &at(versions, "delete-tag"), WRITE, model_versions::delete_model_version_tag)
            .documented(operations::DELETE_MODEL_VERSION_TAG),
    ];
    twins.into_iter().flatten().collect()
}

/// The function as it is served.
pub fn router(state: &AppState) -> Router {
    render(Router::new().nest("/mlflow", assemble(routes(), state)).fallback(no_such_endpoint), Dialect::Mlflow)
}
