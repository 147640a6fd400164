//! The OpenAPI document of every group. `local openapi` prints it; `functions/api-docs/openapi.json` is a copy that
//! a test compares.

mod errors;
mod operations;
mod schemas;

use serde_json::{Map, Value, json};
use shared::catalog::ROOT;
use shared::openapi::Schemas;

use crate::groups::groups;
use errors::Errors;

const ABOUT: &str = "\
An MLflow tracking server and model registry, and a catalog, of the projects of a GitLab: who may read or push to a \
project may read or write what belongs to it.

**Credentials.** A GitLab token as `Authorization: Bearer`, `PRIVATE-TOKEN`, `X-Gitlab-Token`, or as the password of \
Basic authentication. What the caller may not see is answered by 404, like what does not exist.

**Two views of MLflow.** Every path below `/mlflow` is that of the *global view*: all projects of the caller. The same \
path below `/mlflow/{project path}/tracking` is that of *one project's view*, as if it were a whole server: \
`/mlflow/earth/flood-model/tracking/api/2.0/mlflow/runs/get`. Requests and answers are the same, and so this document \
has each endpoint once.

**Twins.** MLflow's web UI calls `/ajax-api` where clients call `/api`. Both are served alike; only `/api` is listed \
where both exist.

**Lenience.** MLflow's requests may spell fields in snake_case or lowerCamelCase, numbers as numeric strings, and \
enum values as their numbers. `HEAD` is answered wherever `GET` is.";

/// The document. The server's URL in it is [`ROOT`], which `api-docs` replaces by the hub's own.
pub fn document() -> Value {
    let mut schemas = Schemas::default();
    let mut errors = Errors::default();
    let mut paths = Map::new();
    let mut tags: Vec<Value> = Vec::new();
    for group in groups() {
        for route in operations::documented(&group.routes) {
            for shape in &route.shapes {
                let path = operations::path(group.base, shape.path.unwrap_or(&route.path));
                let words = &shape.operation;
                let operation = operations::operation(group.dialect, &path, route, words, &mut schemas, &mut errors);
                let tag = json!({"name": words.tag});
                if !tags.contains(&tag) {
                    tags.push(tag);
                }
                let item = paths.entry(path).or_insert_with(|| json!({}));
                item[route.method.as_str().to_lowercase()] = operation;
            }
        }
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Perigee",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": ROOT, "description": "This hub"}],
        "tags": tags,
        "paths": paths,
        "components": {
            "responses": errors.responses(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A GitLab token."},
                "gitlabToken": {"type": "apiKey", "in": "header", "name": "X-Gitlab-Token", "description": "A GitLab token."},
                "privateToken": {"type": "apiKey", "in": "header", "name": "PRIVATE-TOKEN", "description": "A GitLab token."},
                "webhook": {"type": "apiKey", "in": "header", "name": "X-Gitlab-Token", "description": "A webhook's secret."},
                "basic": {"type": "http", "scheme": "basic", "description": "Any name, and a GitLab token as password."},
            },
        },
    });
    schemas::place(&mut document, schemas, errors.schemas());
    document
}

/// The document as it is kept in `functions/api-docs`.
pub fn text() -> String {
    // Maps come out sorted however serde_json was built, so that a change of ours is all that a diff shows.
    let mut document = document();
    document.sort_all_objects();
    format!("{document:#}\n")
}
