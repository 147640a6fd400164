//! Files and archives of GitLab's repositories, and what a caller may do in a project (docs/catalog.md, "Downloads").

mod archives;
mod check;
mod copy;
mod download;
mod files;
mod freshness;
mod operations;
mod target;

use axum::Router;
use axum::http::Method;
use shared::dialect::Dialect;
use shared::documents::cors;
use shared::route::{BROWSE, DOWNLOAD, Route, assemble, no_such_endpoint, render};
use shared::state::AppState;

/// Every endpoint of this function.
pub fn routes() -> Vec<Route> {
    vec![
        Route::at(Method::GET, "/api/download/{*target}", DOWNLOAD, download::download)
            .documented_at("/api/download/{project}/repository/{file}", operations::DOWNLOAD_FILE)
            .documented_at("/api/download/{project}/archive.{format}", operations::DOWNLOAD_ARCHIVE),
        Route::at(Method::GET, "/api/check/{*project}", BROWSE, check::check_project)
            .documented(operations::CHECK_PROJECT),
    ]
}

/// The endpoints, errors not yet rendered.
pub fn service(state: &AppState) -> Router {
    assemble(routes(), state)
}

/// The function as it is served.
pub fn router(state: &AppState) -> Router {
    cors(render(service(state).fallback(no_such_endpoint), Dialect::Detail))
}
