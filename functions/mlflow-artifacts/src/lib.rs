//! MLflow's artifact API.

use axum::Router;
use shared::dialect::Dialect;
use shared::route::{Route, assemble, no_such_endpoint, render};
use shared::state::AppState;

/// Every endpoint of this function, below `/mlflow` or `/mlflow/<project>/tracking`.
pub fn routes() -> Vec<Route> {
    Vec::new()
}

/// The function as it is served.
pub fn router(state: &AppState) -> Router {
    render(Router::new().nest("/mlflow", assemble(routes(), state)).fallback(no_such_endpoint), Dialect::Mlflow)
}
