//! Collections: one for each category.

use std::ops::Range;

use axum::extract::RawQuery;
use axum::response::Response;
use serde_json::{Value, json};
use shared::catalog::Category;
use shared::context::Context;
use shared::extract::Path;
use shared::{Error, Result};

use crate::answer::{GEOJSON, JSON, SCHEMA, STAC_VERSION, document, link, titled, url};
use crate::index::Position;
use crate::paging::{Asked, parameter, parameters};
use crate::query::Search;

/// GET `/api/stac/collections`: all of them, or those that a collection search finds (`q`, `bbox`, `datetime`), in
/// pages if there is a `limit`.
pub async fn get_collections(context: Context, RawQuery(query): RawQuery) -> Result<Response> {
    let parameters = parameters(query.as_deref());
    let search = Search::from_parameters(parameters.clone())?;
    let asked = Asked::new("/api/stac/collections", &parameters);
    // Every collection spans the whole world and all time, so place and time leave none out.
    let found: Vec<&Category> = context
        .state
        .config
        .categories
        .iter()
        .filter(|category| {
            let text = format!("{}\n{}\n{}", category.id, category.title, category.description).to_lowercase();
            search.q.terms.is_empty() || search.q.terms.iter().any(|term| text.contains(term.as_str()))
        })
        .collect();
    let limit = if parameter(&parameters, "limit").is_some() { search.limit() } else { found.len().max(1) };
    let from = asked.start(&context, &search)?;
    let page = page(&found, limit, from.as_ref());
    let mut links = vec![
        asked.this(&context, &search),
        link("root", url(&context, "/api/stac/"), JSON),
        link("parent", url(&context, "/api/stac/"), JSON),
    ];
    let neighbours = [
        ("prev", found.get(page.start).filter(|_| page.start > 0)),
        ("next", page.end.checked_sub(1).and_then(|last| found.get(last)).filter(|_| page.end < found.len())),
    ];
    for (rel, category) in neighbours {
        if let Some(category) = category {
            let (id, collection) = (category.id.clone(), String::new());
            let position = Position { backwards: rel == "prev", values: Vec::new(), id, collection };
            links.push(asked.page(&context, &search, rel, &position)?);
        }
    }
    links.iter_mut().for_each(|link| link["type"] = JSON.into());
    let shown: Vec<Value> = found[page].iter().map(|category| collection(&context, category)).collect();
    let returned = shown.len();
    let body = json!({
        "collections": shown,
        "links": links,
        "numberMatched": found.len(),
        "numberReturned": returned,
        "context": { "limit": limit, "matched": found.len(), "returned": returned },
    });
    Ok(document(&body, JSON))
}

/// The places of a page behind or before a position. That of a category which is gone is the beginning.
fn page(found: &[&Category], limit: usize, from: Option<&Position>) -> Range<usize> {
    let place = from.and_then(|from| found.iter().position(|category| category.id == from.id));
    let (start, end) = match (from, place) {
        (Some(from), Some(place)) if from.backwards => (place.saturating_sub(limit), place),
        (_, Some(place)) => (place + 1, place.saturating_add(1).saturating_add(limit)),
        (_, None) => (0, limit),
    };
    start..end.min(found.len())
}

/// GET `/api/stac/collections/{collection}`
pub async fn get_collection(context: Context, Path(name): Path<String>) -> Result<Response> {
    let category = category(&context, &name)?;
    Ok(document(&collection(&context, category), JSON))
}

/// The category that the client names.
///
/// # Errors
/// `NotFound` if there is none.
pub fn category<'a>(context: &'a Context, name: &str) -> Result<&'a Category> {
    context.state.config.category(name).ok_or_else(|| Error::not_found("Collection not found"))
}

/// A category's collection document.
pub fn collection(context: &Context, category: &Category) -> Value {
    let gitlab = &context.state.config.gitlab_url;
    let this = url(context, &format!("/api/stac/collections/{}", category.id));
    let mut links = vec![
        link("self", &this, JSON),
        link("parent", url(context, "/api/stac/"), JSON),
        link("root", url(context, "/api/stac/"), JSON),
        link("items", format!("{this}/items"), GEOJSON),
        link("http://www.opengis.net/def/rel/ogc/1.0/queryables", format!("{this}/queryables"), SCHEMA),
        link("http://www.opengis.net/def/rel/ogc/1.0/sortables", format!("{this}/sortables"), SCHEMA),
    ];
    if let Some(logo) = &category.logo {
        links.push(match mime_guess::from_path(logo).first_raw() {
            Some(media_type) => titled("preview", logo, media_type, "Logo"),
            None => json!({ "rel": "preview", "href": logo, "title": "Logo" }),
        });
    }
    let description = match category.description.as_str() {
        "" => format!("{} of [GitLab]({gitlab}).", category.title),
        text => text.to_owned(),
    };
    json!({
        "stac_version": STAC_VERSION,
        "stac_extensions": [],
        "type": "Collection",
        "id": category.id,
        "title": category.title,
        "description": description,
        "license": "other",
        "keywords": [category.id],
        "providers": [{ "name": format!("GitLab ({gitlab})"), "roles": ["host"], "url": gitlab }],
        "extent": { "spatial": { "bbox": [[-180, -90, 180, 90]] }, "temporal": { "interval": [[null, null]] } },
        "links": links,
    })
}
