//! The catalog's root, what it conforms to, and its children.

use axum::extract::RawQuery;
use axum::response::Response;
use serde_json::{Value, json};
use shared::context::Context;

use crate::answer::{GEOJSON, JSON, SCHEMA, STAC_VERSION, document, link, titled, url};
use crate::collections::collection;
use crate::paging::{parameter, parameters};

/// Exactly what works; each is tried by a test.
pub const CONFORMS_TO: &[&str] = &[
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/collections",
    "https://api.stacspec.org/v1.0.0/ogcapi-features",
    "https://api.stacspec.org/v1.0.0/item-search",
    "https://api.stacspec.org/v1.0.0/item-search#fields",
    "https://api.stacspec.org/v1.0.0/ogcapi-features#fields",
    "https://api.stacspec.org/v1.0.0/item-search#sort",
    "https://api.stacspec.org/v1.0.0/ogcapi-features#sort",
    "https://api.stacspec.org/v1.1.0/item-search#sort",
    "https://api.stacspec.org/v1.1.0/ogcapi-features#sort",
    "https://api.stacspec.org/v1.1.0/item-search#sortables",
    "https://api.stacspec.org/v1.1.0/ogcapi-features#sortables",
    "https://api.stacspec.org/v1.0.0/item-search#filter",
    "https://api.stacspec.org/v1.0.0-rc.1/item-search#free-text",
    "https://api.stacspec.org/v1.0.0-rc.1/ogcapi-features#free-text",
    "https://api.stacspec.org/v1.0.0-rc.1/collection-search",
    "https://api.stacspec.org/v1.0.0-rc.1/collection-search#free-text",
    "https://api.stacspec.org/v1.0.0-rc.2/children",
    "https://api.stacspec.org/v1.0.0-rc.2/children#type-filter",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/simple-query",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/sortables",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-json",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
    "http://www.opengis.net/spec/cql2/1.0/conf/advanced-comparison-operators",
    "http://www.opengis.net/spec/cql2/1.0/conf/case-insensitive-comparison",
    "http://www.opengis.net/spec/cql2/1.0/conf/array-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions",
];

/// GET `/api/stac`
pub async fn get_landing_page(context: Context) -> Response {
    let gitlab = &context.state.config.gitlab_url;
    let mut links = vec![
        // With a slash at the end, so that relative URLs of clients stay below it.
        link("self", url(&context, "/api/stac/"), JSON),
        link("root", url(&context, "/api/stac/"), JSON),
        titled(
            "service-desc",
            url(&context, "/openapi.json"),
            "application/vnd.oai.openapi+json;version=3.1",
            "OpenAPI definition",
        ),
        titled("service-doc", url(&context, "/api/docs"), "text/html", "OpenAPI interactive docs: Swagger UI"),
        link("conformance", url(&context, "/api/stac/conformance"), JSON),
        link("data", url(&context, "/api/stac/collections"), JSON),
        with_method(link("search", url(&context, "/api/stac/search"), GEOJSON), "GET"),
        with_method(link("search", url(&context, "/api/stac/search"), GEOJSON), "POST"),
        link("children", url(&context, "/api/stac/children"), JSON),
        link("http://www.opengis.net/def/rel/ogc/1.0/queryables", url(&context, "/api/stac/queryables"), SCHEMA),
        link("http://www.opengis.net/def/rel/ogc/1.0/sortables", url(&context, "/api/stac/sortables"), SCHEMA),
    ];
    links.extend(context.state.config.categories.iter().map(|category| {
        titled("child", url(&context, &format!("/api/stac/collections/{}", category.id)), JSON, &category.title)
    }));
    let root = json!({
        "stac_version": STAC_VERSION,
        "type": "Catalog",
        "id": "perigee",
        "title": "Perigee",
        "description": format!("AI models, data sets and processors of [GitLab]({gitlab})."),
        "conformsTo": CONFORMS_TO,
        "links": links,
    });
    document(&root, JSON)
}

fn with_method(mut link: Value, method: &str) -> Value {
    link["method"] = method.into();
    link
}

/// GET `/api/stac/conformance`
pub async fn get_conformance() -> Response {
    document(&json!({ "conformsTo": CONFORMS_TO }), JSON)
}

/// GET `/api/stac/children`: the collections; `type=Catalog` asks for none of them.
pub async fn get_children(context: Context, RawQuery(query): RawQuery) -> Response {
    let kind = parameter(&parameters(query.as_deref()), "type");
    let wanted = kind.is_none_or(|kind| kind == "Collection");
    let children: Vec<Value> = match wanted {
        true => context.state.config.categories.iter().map(|category| collection(&context, category)).collect(),
        false => Vec::new(),
    };
    let links = [
        link("self", url(&context, "/api/stac/children"), JSON),
        link("root", url(&context, "/api/stac/"), JSON),
        link("parent", url(&context, "/api/stac/"), JSON),
    ];
    document(&json!({ "children": children, "links": links }), JSON)
}
