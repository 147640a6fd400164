//! Search over items, by GET and by POST.

use std::collections::HashMap;

use axum::Extension;
use axum::body::Body;
use axum::extract::{RawQuery, Request};
use axum::response::Response;
use serde_json::{Value, json};
use shared::catalog::Category;
use shared::context::Context;
use shared::extract::read_body;
use shared::{Error, Result};

use crate::answer::{GEOJSON, JSON, Mode, STAC_VERSION, Viewer, document, link, rooted_size, url};
use crate::catalog::Catalog;
use crate::paging::{Asked, parameters};
use crate::query::Search;

/// Bytes of documents on a page, with the hub's URL in all their links: below what the gateway carries.
const ROOM: usize = 3_000_000;
/// Bytes of a search: links to its other pages repeat it.
const LARGEST: usize = 256 * 1024;

/// GET `/api/stac/search`
pub async fn get_search(
    context: Context,
    Extension(catalog): Extension<Catalog>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let parameters = parameters(query.as_deref());
    let search = Search::from_parameters(parameters.clone())?;
    answer(&context, &catalog, search, &Asked::new("/api/stac/search", &parameters), None).await
}

/// POST `/api/stac/search`
pub async fn post_search(
    context: Context,
    Extension(catalog): Extension<Catalog>,
    request: Request<Body>,
) -> Result<Response> {
    let parameters = parameters(request.uri().query());
    let bytes = read_body(request.into_body()).await?;
    if bytes.len() > LARGEST {
        return Err(Error::invalid(format!("a search has at most {LARGEST} bytes, not {}", bytes.len())));
    }
    let body: Value = match bytes.is_empty() {
        true => json!({}),
        false => {
            serde_json::from_slice(&bytes).map_err(|error| Error::invalid(format!("the body is not JSON: {error}")))?
        }
    };
    let search = Search::from_body(&body)?;
    answer(&context, &catalog, search, &Asked::new("/api/stac/search", &parameters), None).await
}

/// The page of items that a search finds for this caller.
pub async fn answer(
    context: &Context,
    catalog: &Catalog,
    mut search: Search,
    asked: &Asked,
    collection: Option<&str>,
) -> Result<Response> {
    let mode = Mode::parse(asked.mode.as_deref())?;
    let from = asked.start(context, &search)?;
    let viewer = Viewer::of(context).await?;
    let starred = match search.q.starred {
        false => None,
        true => Some(context.caller.starred().await?),
    };
    // Clients may know a collection by another name, and name it more than once.
    search.collections = search.collections.map(|names| {
        let named = |category: &&Category| names.iter().any(|name| category.is_named(name));
        context.state.config.categories.iter().filter(named).map(|category| category.id.clone()).collect()
    });
    let index = catalog.index().await?;
    let limit = search.limit();
    // A page of large items ends early.
    let (found, documents) = loop {
        let found = index.search(&search, &viewer.visible, starred.as_deref(), from.as_ref());
        let wanted: Vec<_> = found.hits.iter().map(|hit| (hit.entry.project(), hit.entry.collection())).collect();
        let documents = context.store().catalog_documents(&wanted, &viewer.visible).await?;
        let size: usize = documents.iter().map(|document| rooted_size(context, &document.text)).sum();
        if size <= ROOM || found.hits.len() <= 1 {
            break (found, documents);
        }
        search.shrink(found.hits.len() * ROOM / size);
    };
    let documents: HashMap<_, _> =
        documents.iter().map(|document| ((document.project, document.collection.as_str()), document)).collect();
    let mut features = Vec::with_capacity(documents.len());
    for hit in &found.hits {
        // Gone, or hidden, since the index saw it.
        let Some(document) = documents.get(&(hit.entry.project(), hit.entry.collection())) else { continue };
        let item = viewer.render(context, document)?;
        features.push(search.fields.apply(mode.apply(item)));
    }

    let mut links = vec![asked.this(context, &search), link("root", url(context, "/api/stac/"), JSON)];
    if let Some(collection) = collection {
        let href = url(context, &format!("/api/stac/collections/{collection}"));
        links.push(link("collection", &href, JSON));
        links.push(link("parent", &href, JSON));
    }
    for (rel, position) in [("prev", &found.prev), ("next", &found.next)] {
        if let Some(position) = position {
            links.push(asked.page(context, &search, rel, position)?);
        }
    }
    let returned = features.len();
    let body = json!({
        "type": "FeatureCollection",
        "stac_version": STAC_VERSION,
        "stac_extensions": [],
        "context": { "limit": limit, "matched": found.matched, "returned": returned },
        "numberMatched": found.matched,
        "numberReturned": returned,
        "features": features,
        "links": links,
    });
    Ok(document(&body, GEOJSON))
}
