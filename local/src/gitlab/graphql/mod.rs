//! POST `/api/graphql`: <https://docs.gitlab.com/api/graphql/>.
//!
//! Errors of a query come with status 200; a bad token or one without `api` or `read_api` is a 401.

mod containers;
mod pages;
mod repository;
mod schema;

use std::sync::LazyLock;

use async_graphql::{EmptyMutation, EmptySubscription, Request, Schema, Variables};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::Caller;
use super::world::World;

/// Characters of one query, as in GitLab.
const MAX_QUERY: usize = 10_000;

static SCHEMA: LazyLock<Schema<schema::Query, EmptyMutation, EmptySubscription>> =
    LazyLock::new(|| Schema::build(schema::Query, EmptyMutation, EmptySubscription).finish());

#[derive(Deserialize)]
#[serde(untagged)]
enum Payload {
    One(Operation),
    /// Several queries in one call, answered in order.
    Many(Vec<Operation>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Operation {
    #[serde(default)]
    query: String,
    #[serde(default)]
    variables: Option<Value>,
    #[serde(default)]
    operation_name: Option<String>,
}

pub async fn execute(State(world): State<World>, headers: HeaderMap, body: Bytes) -> Response {
    let caller = match world.read(|state| Caller::of(state, &headers)) {
        Ok(caller) if caller.token.as_ref().is_none_or(|token| token.has_any(&["api", "read_api"])) => caller,
        _ => return errors(StatusCode::UNAUTHORIZED, "Invalid token"),
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    let viewer = schema::Viewer { caller, world, base: format!("http://{host}") };
    let answer = match serde_json::from_slice(&body) {
        Ok(Payload::One(operation)) if operation.query.len() <= MAX_QUERY => run(operation, &viewer).await,
        Ok(Payload::Many(operations)) if operations.iter().map(|o| o.query.len()).sum::<usize>() <= MAX_QUERY => {
            let mut answers = Vec::new();
            for operation in operations {
                answers.push(run(operation, &viewer).await);
            }
            Value::Array(answers)
        }
        Ok(_) => return errors(StatusCode::UNPROCESSABLE_ENTITY, "Query too large"),
        Err(_) => return errors(StatusCode::UNPROCESSABLE_ENTITY, "Unexpected end of document"),
    };
    json_response(StatusCode::OK, &answer)
}

async fn run(operation: Operation, viewer: &schema::Viewer) -> Value {
    if operation.query.trim().is_empty() {
        return json!({ "errors": [{ "message": "No query string was present" }] });
    }
    let variables = operation.variables.map(Variables::from_json).unwrap_or_default();
    let mut request = Request::new(operation.query).variables(variables).data(viewer.clone());
    if let Some(name) = operation.operation_name {
        request = request.operation_name(name);
    }
    let response = SCHEMA.execute(request).await;
    // A query that does not validate has no data at all, not even null.
    let too_complex = response.errors.iter().any(|error| error.message.starts_with("Query has complexity of"));
    let failed = too_complex || (response.data == async_graphql::Value::Null && !response.errors.is_empty());
    let mut answer = serde_json::to_value(&response)
        .unwrap_or_else(|error| json!({ "errors": [{ "message": format!("Internal server error: {error}") }] }));
    if let Value::Object(map) = &mut answer
        && failed
    {
        map.remove("data");
    }
    answer
}

fn errors(status: StatusCode, message: &str) -> Response {
    json_response(status, &json!({ "errors": [{ "message": message }] }))
}

fn json_response(status: StatusCode, value: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (status, headers, Body::from(value.to_string())).into_response()
}
