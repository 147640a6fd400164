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
mod operations;
mod paging;
pub mod query;
mod queryables;
mod schemas;
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
    let at = |path: &str| format!("/api/stac{path}");
    vec![
        Route::at(get.clone(), &at(""), BROWSE, landing::get_landing_page).documented(operations::GET_LANDING_PAGE),
        Route::at(get.clone(), &at("/"), BROWSE, landing::get_landing_page)
            .documented_at("/api/stac", operations::GET_LANDING_PAGE),
        Route::at(get.clone(), &at("/conformance"), Rule::Anyone, landing::get_conformance)
            .documented(operations::GET_CONFORMANCE),
        Route::at(get.clone(), &at("/children"), BROWSE, landing::get_children).documented(operations::GET_CHILDREN),
        Route::at(get.clone(), &at("/queryables"), BROWSE, queryables::get_queryables)
            .documented(operations::GET_QUERYABLES),
        Route::at(get.clone(), &at("/sortables"), BROWSE, queryables::get_sortables)
            .documented(operations::GET_SORTABLES),
        Route::at(get.clone(), &at("/collections"), BROWSE, collections::get_collections)
            .documented(operations::GET_COLLECTIONS),
        Route::at(get.clone(), &at("/collections/{collection}"), BROWSE, collections::get_collection)
            .documented(operations::GET_COLLECTION),
        Route::at(
            get.clone(),
            &at("/collections/{collection}/queryables"),
            BROWSE,
            queryables::get_collection_queryables,
        )
        .documented(operations::GET_COLLECTION_QUERYABLES),
        Route::at(
            get.clone(),
            &at("/collections/{collection}/sortables"),
            BROWSE,
            queryables::get_collection_sortables,
        )
        .documented(operations::GET_COLLECTION_SORTABLES),
        Route::at(get.clone(), &at("/collections/{collection}/items"), BROWSE, items::get_items)
            .documented(operations::GET_ITEMS),
        Route::at(get.clone(), &at("/collections/{collection}/items/"), BROWSE, items::get_items)
            .documented_at("/api/stac/collections/{collection}/items", operations::GET_ITEMS),
        Route::at(get.clone(), &at("/collections/{collection}/items/{*item}"), BROWSE, items::get_item)
            .documented(operations::GET_ITEM),
        Route::at(get, &at("/search"), BROWSE, search::get_search).documented(operations::GET_SEARCH),
        Route::at(Method::POST, &at("/search"), BROWSE, search::post_search).documented(operations::POST_SEARCH),
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
