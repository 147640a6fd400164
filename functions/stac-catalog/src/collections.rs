//! Collections: one for each category.

use axum::extract::RawQuery;
use axum::response::Response;
use serde_json::{Value, json};
use shared::catalog::Category;
use shared::context::Context;
use shared::extract::Path;
use shared::{Error, Result};

use crate::answer::{GEOJSON, JSON, SCHEMA, STAC_VERSION, document, link, titled, url};
use crate::paging::{parameter, parameters};
use crate::query::Search;

/// GET `/api/stac/collections`: all of them, or those that a collection search finds (`q`, `bbox`, `datetime`, `limit`).
pub async fn get_collections(context: Context, RawQuery(query): RawQuery) -> Result<Response> {
    let parameters = parameters(query.as_deref());
    let search = Search::from_parameters(parameters.clone())?;
    let limit = if parameter(&parameters, "limit").is_some() { search.limit() } else { usize::MAX };
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
    let shown: Vec<Value> = found.iter().take(limit).map(|category| collection(&context, category)).collect();
    let returned = shown.len();
    let body = json!({
        "collections": shown,
        "links": [
            link("self", url(&context, "/api/stac/collections"), JSON),
            link("root", url(&context, "/api/stac/"), JSON),
            link("parent", url(&context, "/api/stac/"), JSON),
        ],
        "numberMatched": found.len(),
        "numberReturned": returned,
        "context": { "limit": found.len(), "matched": found.len(), "returned": returned },
    });
    Ok(document(&body, JSON))
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

/// A category's collection document (sharinghub.md B.4).
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
