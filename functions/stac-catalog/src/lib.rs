//! The STAC catalog: collections, items and search, from an index in memory.

mod answer;
pub mod area;
mod catalog;
mod collections;
pub mod geometry;
pub mod index;
pub mod instant;
mod items;
mod landing;
mod paging;
pub mod query;
mod queryables;
mod search;
pub mod value;

use axum::http::Method;
use axum::{Extension, Router};
use shared::dialect::Dialect;
use shared::documents::{cors, documents};
use shared::route::{BROWSE, Route, Rule, assemble, no_such_endpoint, render};
use shared::state::AppState;

use catalog::Catalog;

/// Every endpoint of this function.
pub fn routes() -> Vec<Route> {
    let get = Method::GET;
    vec![
        Route::at(get.clone(), "/api/stac", BROWSE, landing::get_landing_page),
        Route::at(get.clone(), "/api/stac/", BROWSE, landing::get_landing_page),
        Route::at(get.clone(), "/api/stac/conformance", Rule::Anyone, landing::get_conformance),
        Route::at(get.clone(), "/api/stac/children", BROWSE, landing::get_children),
        Route::at(get.clone(), "/api/stac/queryables", BROWSE, queryables::get_queryables),
        Route::at(get.clone(), "/api/stac/sortables", BROWSE, queryables::get_sortables),
        Route::at(get.clone(), "/api/stac/collections", BROWSE, collections::get_collections),
        Route::at(get.clone(), "/api/stac/collections/{collection}", BROWSE, collections::get_collection),
        Route::at(
            get.clone(),
            "/api/stac/collections/{collection}/queryables",
            BROWSE,
            queryables::get_collection_queryables,
        ),
        Route::at(
            get.clone(),
            "/api/stac/collections/{collection}/sortables",
            BROWSE,
            queryables::get_collection_sortables,
        ),
        Route::at(get.clone(), "/api/stac/collections/{collection}/items", BROWSE, items::get_items),
        Route::at(get.clone(), "/api/stac/collections/{collection}/items/", BROWSE, items::get_items),
        Route::at(get.clone(), "/api/stac/collections/{collection}/items/{*item}", BROWSE, items::get_item),
        Route::at(get, "/api/stac/search", BROWSE, search::get_search),
        Route::at(Method::POST, "/api/stac/search", BROWSE, search::post_search),
    ]
}

/// The endpoints over an index of their own, errors not yet rendered.
pub fn service(state: &AppState) -> Router {
    documents(assemble(routes(), state).layer(Extension(Catalog::new(state))))
}

/// The function as it is served.
pub fn router(state: &AppState) -> Router {
    cors(render(service(state).fallback(no_such_endpoint), Dialect::Detail))
}
