//! MLflow's tracking API (mlflow.md A): experiments, runs, metrics, params, tags, inputs, logged models.

mod experiments;
mod experiments_search;
mod inputs;
mod logged_models;
mod logged_models_search;
mod metrics;
mod operations;
mod run_logging;
mod runs;
mod runs_search;
mod server;
mod wire;

use axum::Router;
use axum::http::Method;
use shared::dialect::Dialect;
use shared::route::{READ, Route, Rule, WRITE, assemble, no_such_endpoint, render};
use shared::state::AppState;

/// Every endpoint of this function, below `/mlflow` or `/mlflow/<project>/tracking`.
pub fn routes() -> Vec<Route> {
    let get = Method::GET;
    let post = Method::POST;
    let patch = Method::PATCH;
    let delete = Method::DELETE;
    let twins = [
        Route::api(post.clone(), "/2.0/mlflow/experiments/create", WRITE, experiments::create_experiment)
            .documented(operations::CREATE_EXPERIMENT),
        Route::api(get.clone(), "/2.0/mlflow/experiments/get", READ, experiments::get_experiment)
            .documented(operations::GET_EXPERIMENT),
        Route::api(get.clone(), "/2.0/mlflow/experiments/get-by-name", READ, experiments::get_experiment_by_name)
            .documented(operations::GET_EXPERIMENT_BY_NAME),
        Route::api(get.clone(), "/2.0/mlflow/experiments/search", READ, experiments_search::search_experiments)
            .documented(operations::QUERY_EXPERIMENTS),
        Route::api(post.clone(), "/2.0/mlflow/experiments/search", READ, experiments_search::search_experiments)
            .documented(operations::SEARCH_EXPERIMENTS),
        Route::api(post.clone(), "/2.0/mlflow/experiments/update", WRITE, experiments::update_experiment)
            .documented(operations::UPDATE_EXPERIMENT),
        Route::api(post.clone(), "/2.0/mlflow/experiments/delete", WRITE, experiments::delete_experiment)
            .documented(operations::DELETE_EXPERIMENT),
        Route::api(post.clone(), "/2.0/mlflow/experiments/restore", WRITE, experiments::restore_experiment)
            .documented(operations::RESTORE_EXPERIMENT),
        Route::api(post.clone(), "/2.0/mlflow/experiments/set-experiment-tag", WRITE, experiments::set_experiment_tag)
            .documented(operations::SET_EXPERIMENT_TAG),
        Route::api(
            post.clone(),
            "/2.0/mlflow/experiments/delete-experiment-tag",
            WRITE,
            experiments::delete_experiment_tag,
        )
        .documented(operations::DELETE_EXPERIMENT_TAG),
        Route::api(post.clone(), "/2.0/mlflow/runs/create", WRITE, runs::create_run).documented(operations::CREATE_RUN),
        Route::api(get.clone(), "/2.0/mlflow/runs/get", READ, runs::get_run).documented(operations::GET_RUN),
        Route::api(post.clone(), "/2.0/mlflow/runs/update", WRITE, runs::update_run).documented(operations::UPDATE_RUN),
        Route::api(post.clone(), "/2.0/mlflow/runs/delete", WRITE, runs::delete_run).documented(operations::DELETE_RUN),
        Route::api(post.clone(), "/2.0/mlflow/runs/restore", WRITE, runs::restore_run)
            .documented(operations::RESTORE_RUN),
        Route::api(post.clone(), "/2.0/mlflow/runs/search", READ, runs_search::search_runs)
            .documented(operations::SEARCH_RUNS),
        Route::api(post.clone(), "/2.0/mlflow/runs/set-tag", WRITE, run_logging::set_tag)
            .documented(operations::SET_TAG),
        Route::api(post.clone(), "/2.0/mlflow/runs/delete-tag", WRITE, run_logging::delete_tag)
            .documented(operations::DELETE_TAG),
        Route::api(post.clone(), "/2.0/mlflow/runs/log-metric", WRITE, run_logging::log_metric)
            .documented(operations::LOG_METRIC),
        Route::api(post.clone(), "/2.0/mlflow/runs/log-parameter", WRITE, run_logging::log_parameter)
            .documented(operations::LOG_PARAMETER),
        Route::api(post.clone(), "/2.0/mlflow/runs/log-batch", WRITE, run_logging::log_batch)
            .documented(operations::LOG_BATCH),
        Route::api(post.clone(), "/2.0/mlflow/runs/log-model", WRITE, run_logging::log_model)
            .documented(operations::LOG_MODEL),
        Route::api(post.clone(), "/2.0/mlflow/runs/log-inputs", WRITE, inputs::log_inputs)
            .documented(operations::LOG_INPUTS),
        Route::api(post.clone(), "/2.0/mlflow/runs/outputs", WRITE, inputs::log_outputs)
            .documented(operations::LOG_OUTPUTS),
        Route::api(get.clone(), "/2.0/mlflow/metrics/get-history", READ, metrics::get_history)
            .documented(operations::GET_HISTORY),
        Route::api(
            get.clone(),
            "/2.0/mlflow/metrics/get-history-bulk-interval",
            READ,
            metrics::get_history_bulk_interval,
        )
        .documented(operations::GET_HISTORY_BULK_INTERVAL),
        Route::api(post.clone(), "/2.0/mlflow/logged-models", WRITE, logged_models::create_logged_model)
            .documented(operations::CREATE_LOGGED_MODEL),
        Route::api(post.clone(), "/2.0/mlflow/logged-models/search", READ, logged_models_search::search_logged_models)
            .documented(operations::SEARCH_LOGGED_MODELS),
        Route::api(get.clone(), "/2.0/mlflow/logged-models/{model_id}", READ, logged_models::get_logged_model)
            .documented(operations::GET_LOGGED_MODEL),
        Route::api(patch.clone(), "/2.0/mlflow/logged-models/{model_id}", WRITE, logged_models::finalize_logged_model)
            .documented(operations::FINALIZE_LOGGED_MODEL),
        Route::api(delete.clone(), "/2.0/mlflow/logged-models/{model_id}", WRITE, logged_models::delete_logged_model)
            .documented(operations::DELETE_LOGGED_MODEL),
        Route::api(patch, "/2.0/mlflow/logged-models/{model_id}/tags", WRITE, logged_models::set_logged_model_tags)
            .documented(operations::SET_LOGGED_MODEL_TAGS),
        Route::api(
            delete,
            "/2.0/mlflow/logged-models/{model_id}/tags/{tag_key}",
            WRITE,
            logged_models::delete_logged_model_tag,
        )
        .documented(operations::DELETE_LOGGED_MODEL_TAG),
        Route::api(post, "/2.0/mlflow/logged-models/{model_id}/params", WRITE, logged_models::log_logged_model_params)
            .documented(operations::LOG_LOGGED_MODEL_PARAMS),
        Route::api(get.clone(), "/3.0/mlflow/server-info", Rule::Anyone, server::server_info)
            .documented(operations::SERVER_INFO),
    ];
    let mut routes: Vec<Route> = twins.into_iter().flatten().collect();
    // Only the web UI calls these two; the stock server has no `/api` twins of them.
    routes.push(
        Route::at(Method::POST, "/ajax-api/2.0/mlflow/experiments/search-datasets", READ, inputs::search_datasets)
            .documented(operations::SEARCH_DATASETS),
    );
    routes.push(
        Route::at(get.clone(), "/ajax-api/2.0/mlflow/metrics/get-history-bulk", READ, metrics::get_history_bulk)
            .documented(operations::GET_HISTORY_BULK),
    );
    routes.push(Route::at(get.clone(), "/health", Rule::Anyone, server::health).documented(operations::HEALTH));
    routes.push(Route::at(get, "/version", Rule::Anyone, server::version).documented(operations::VERSION));
    routes.extend(server::NOT_IMPLEMENTED.iter().map(|path| Route::not_implemented("MLflow", path, READ)));
    routes
}

/// The function as it is served.
pub fn router(state: &AppState) -> Router {
    render(Router::new().nest("/mlflow", assemble(routes(), state)).fallback(no_such_endpoint), Dialect::Mlflow)
}
