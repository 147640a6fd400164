//! The hub's front page, the OpenAPI document of all functions, Swagger UI, which shows it, and a clear 501 for what
//! SharingHub serves and this hub does not.

mod document;
mod landing;
mod page;

use axum::Router;
use axum::http::Method;
use shared::dialect::Dialect;
use shared::documents::{cors, documents};
use shared::openapi::Operation;
use shared::route::{Route, Rule, assemble, no_such_endpoint, render};
use shared::state::AppState;

const TAG: &str = "Documentation";

/// Endpoints of SharingHub's that answer 501; the README lists them.
const NOT_IMPLEMENTED: &[&str] =
    &["/api/auth/{*page}", "/api/config/", "/api/proxy/{*endpoint}", "/api/store/{*object}", "/status"];

/// Every endpoint of this function.
pub fn routes() -> Vec<Route> {
    let get = Method::GET;
    let mut routes = vec![
        Route::at(get.clone(), "/", Rule::Anyone, landing::get_front_page)
            .documented(Operation::new(TAG, "Get the hub's front page")),
        Route::at(get.clone(), "/openapi.json", Rule::Anyone, document::get_openapi)
            .documented(Operation::new(TAG, "Get this document")),
        Route::at(get.clone(), "/api/docs", Rule::Anyone, page::get_docs)
            .documented(Operation::new(TAG, "Get Swagger UI, which shows this document")),
        Route::at(get, "/api/docs/{file}", Rule::Anyone, page::get_docs_file).documented(
            Operation::new(TAG, "Get a file of Swagger UI").path(&[("file", "Name, e.g. `swagger-ui.css`.")]),
        ),
    ];
    routes.extend(NOT_IMPLEMENTED.iter().map(|path| Route::not_implemented("SharingHub", path, Rule::Anyone)));
    routes
}

/// The endpoints, errors not yet rendered.
pub fn service(state: &AppState) -> Router {
    documents(assemble(routes(), state))
}

/// The function as it is served.
pub fn router(state: &AppState) -> Router {
    cors(render(service(state).fallback(no_such_endpoint), Dialect::Detail))
}
