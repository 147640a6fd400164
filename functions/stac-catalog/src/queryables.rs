//! By which properties items can be filtered and sorted.

use axum::response::Response;
use serde_json::{Map, Value, json};
use shared::Result;
use shared::context::Context;
use shared::extract::Path;

use crate::answer::{SCHEMA, document, url};
use crate::collections::category;
use crate::query::SORTABLES;

/// What every item has or may have; others that authors add can be asked for as well.
const PROPERTIES: [(&str, &str, &str); 22] = [
    ("id", "string", "Full path of the GitLab project"),
    ("collection", "string", "Id of the collection"),
    ("title", "string", "Title"),
    ("description", "string", "Description"),
    ("datetime", "date-time", "Last activity"),
    ("start_datetime", "date-time", "Begin of the temporal extent"),
    ("end_datetime", "date-time", "End of the temporal extent"),
    ("created", "date-time", "Creation"),
    ("updated", "date-time", "Last activity"),
    ("keywords", "strings", "Topics that are not collections"),
    ("license", "string", "SPDX identifier of the license"),
    ("gitlab:topics", "strings", "All topics"),
    ("gitlab:tags", "strings", "Topics that are not collections"),
    ("sharinghub:id", "integer", "GitLab's id of the project"),
    ("sharinghub:name", "string", "Name of the project with its groups"),
    ("sharinghub:path", "string", "Full path of the project"),
    ("sharinghub:stars", "integer", "Stars"),
    ("sci:doi", "string", "Digital object identifier"),
    ("version", "string", "Version"),
    ("mlm:name", "string", "Name of the model"),
    ("mlm:architecture", "string", "Architecture of the model"),
    ("mlm:tasks", "strings", "Tasks of the model"),
];

/// GET `/api/stac/queryables`
pub async fn get_queryables(context: Context) -> Response {
    queryables(&context, "/api/stac/queryables")
}

/// GET `/api/stac/collections/{collection}/queryables`
pub async fn get_collection_queryables(context: Context, Path(name): Path<String>) -> Result<Response> {
    let id = category(&context, &name)?.id.clone();
    Ok(queryables(&context, &format!("/api/stac/collections/{id}/queryables")))
}

/// GET `/api/stac/sortables`
pub async fn get_sortables(context: Context) -> Response {
    sortables(&context, "/api/stac/sortables")
}

/// GET `/api/stac/collections/{collection}/sortables`
pub async fn get_collection_sortables(context: Context, Path(name): Path<String>) -> Result<Response> {
    let id = category(&context, &name)?.id.clone();
    Ok(sortables(&context, &format!("/api/stac/collections/{id}/sortables")))
}

fn queryables(context: &Context, path: &str) -> Response {
    let mut properties = schemas(|_| true);
    properties.insert(
        "geometry".to_owned(),
        json!({ "title": "Geometry", "$ref": "https://geojson.org/schema/Geometry.json" }),
    );
    document(&schema(context, path, "Queryables", properties, true), SCHEMA)
}

fn sortables(context: &Context, path: &str) -> Response {
    document(&schema(context, path, "Sortables", schemas(|name| SORTABLES.contains(&name)), false), SCHEMA)
}

fn schemas(wanted: impl Fn(&str) -> bool) -> Map<String, Value> {
    let chosen = PROPERTIES.iter().filter(|(name, ..)| wanted(name));
    let described = chosen.map(|(name, kind, title)| {
        let schema = match *kind {
            "date-time" => json!({ "title": title, "type": "string", "format": "date-time" }),
            "strings" => json!({ "title": title, "type": "array", "items": { "type": "string" } }),
            kind => json!({ "title": title, "type": kind }),
        };
        ((*name).to_owned(), schema)
    });
    described.collect()
}

fn schema(context: &Context, path: &str, title: &str, properties: Map<String, Value>, open: bool) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": url(context, path),
        "type": "object",
        "title": title,
        "properties": properties,
        "additionalProperties": open,
    })
}
