//! The OpenAPI document. `local openapi` writes it from the routes of all functions; a test compares.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use schemars::json_schema;
use shared::catalog::ROOT;
use shared::openapi::{Answer, Answers, Contract, Schemas};
use shared::state::AppState;

const DOCUMENT: &str = include_str!("../openapi.json");
const MEDIA_TYPE: &str = "application/vnd.oai.openapi+json;version=3.1";

/// The document as this hub's clients need it.
pub struct OpenApi(String);

/// GET `/openapi.json`
pub async fn get_openapi(State(state): State<Arc<AppState>>) -> OpenApi {
    OpenApi(DOCUMENT.replace(&format!("\"{ROOT}\""), &format!("\"{}\"", state.config.public_url)))
}

impl Answers for OpenApi {
    fn answers(contract: &mut Contract, _: &mut Schemas) {
        contract.answers.push(Answer::ok(MEDIA_TYPE, json_schema!({ "type": "object" })));
    }
}

impl IntoResponse for OpenApi {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, MEDIA_TYPE)], self.0).into_response()
    }
}
