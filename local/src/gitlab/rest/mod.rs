//! REST v4: what all endpoints share: credentials, query parameters, errors and JSON.

pub mod archives;
pub mod files;
pub mod groups;
mod paging;
pub mod projects;
pub mod registries;
pub mod releases;
pub mod repository;
pub mod session;
pub mod stars;
pub mod topics;

use axum::Router;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::request::Parts;
use http::{StatusCode, Uri, header};
use serde_json::{Value, json};

use super::caller::{BadCredential, Caller};
use super::state::{Account, Project, State};
use super::world::World;

/// Scopes that open the read endpoints of projects and groups.
const READ_SCOPES: &[&str] = &["api", "read_api"];

pub fn routes() -> Router<World> {
    Router::new()
        .route("/api/v4/user", get(session::user))
        .route("/api/v4/personal_access_tokens/self", get(session::token_self))
        .route("/api/v4/version", get(session::version))
        .route("/api/v4/metadata", get(session::metadata))
        .route("/api/v4/projects", get(projects::list))
        .route("/api/v4/projects/{id}", get(projects::show))
        .route("/api/v4/projects/{id}/members/all", get(projects::members))
        .route("/api/v4/projects/{id}/star", post(stars::star))
        .route("/api/v4/projects/{id}/unstar", post(stars::unstar))
        .route("/api/v4/users/{id}/starred_projects", get(stars::starred_projects))
        .route("/api/v4/projects/{id}/releases", get(releases::list))
        .route("/api/v4/projects/{id}/releases/{tag}", get(releases::show))
        .route("/api/v4/projects/{id}/packages", get(registries::packages))
        .route("/api/v4/projects/{id}/registry/repositories", get(registries::containers))
        .route("/api/v4/projects/{id}/registry/repositories/{repository}/tags", get(registries::tags))
        .route("/api/v4/topics", get(topics::list))
        .route("/api/v4/projects/{id}/repository/tree", get(repository::tree))
        .route("/api/v4/projects/{id}/repository/files/{path}", get(files::file))
        .route("/api/v4/projects/{id}/repository/files/{path}/raw", get(files::raw))
        .route("/api/v4/projects/{id}/repository/commits/{reference}", get(archives::commit))
        .route("/api/v4/projects/{id}/repository/{archive}", get(archives::archive))
        .route("/api/v4/groups", get(groups::list))
        .route("/api/v4/groups/{id}", get(groups::show))
}

/// GitLab's error answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestError {
    Unauthorized,
    Revoked,
    InsufficientScope(String),
    Forbidden,
    /// What is missing, e.g. `Project`.
    NotFound(&'static str),
    BadRequest(&'static str),
    /// A required parameter that is absent.
    Missing(&'static str),
}

impl IntoResponse for RestError {
    fn into_response(self) -> Response {
        let message = |status: StatusCode, text: String| json_response(status, &json!({ "message": text }));
        match self {
            RestError::Unauthorized => message(StatusCode::UNAUTHORIZED, "401 Unauthorized".into()),
            RestError::Forbidden => message(StatusCode::FORBIDDEN, "403 Forbidden".into()),
            RestError::NotFound(what) => message(StatusCode::NOT_FOUND, format!("404 {what} Not Found")),
            RestError::BadRequest(why) => message(StatusCode::BAD_REQUEST, format!("400 Bad request - {why}")),
            RestError::Missing(name) => json_response(
                StatusCode::BAD_REQUEST,
                &json!({ "error": format!("{name} is missing, {name} is empty") }),
            ),
            RestError::Revoked => json_response(
                StatusCode::UNAUTHORIZED,
                &json!({
                    "error": "invalid_token",
                    "error_description": "Token was revoked. You have to re-authorize from the user.",
                }),
            ),
            RestError::InsufficientScope(scope) => json_response(
                StatusCode::FORBIDDEN,
                &json!({
                    "error": "insufficient_scope",
                    "error_description": "The request requires higher privileges than provided by the access token.",
                    "scope": scope,
                }),
            ),
        }
    }
}

impl From<BadCredential> for RestError {
    fn from(bad: BadCredential) -> Self {
        match bad {
            BadCredential::Unknown => RestError::Unauthorized,
            BadCredential::Revoked => RestError::Revoked,
        }
    }
}

/// One REST request: its caller, its query, and the URLs it can be answered with.
pub struct Call {
    caller: Caller,
    query: Vec<(String, String)>,
    /// Scheme and authority as the client wrote them.
    base: String,
    uri: Uri,
}

impl FromRequestParts<World> for Call {
    type Rejection = RestError;

    async fn from_request_parts(parts: &mut Parts, world: &World) -> Result<Self, RestError> {
        let caller = world.read(|state| Caller::of(state, &parts.headers))?;
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
        let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        Ok(Call { caller, query: query.into_owned().collect(), base: format!("http://{host}"), uri: parts.uri.clone() })
    }
}

impl Call {
    /// The caller, anonymous or not, if a token present carries one of `scopes`.
    fn with_scopes(&self, scopes: &[&str]) -> Result<Option<&Account>, RestError> {
        match &self.caller.token {
            Some(token) if !token.has_any(scopes) => Err(RestError::InsufficientScope(scopes.join(" "))),
            _ => Ok(self.caller.account.as_ref()),
        }
    }

    /// As `with_scopes`, but a credential is required.
    fn signed_in(&self, scopes: &[&str]) -> Result<&Account, RestError> {
        self.with_scopes(scopes)?.ok_or(RestError::Unauthorized)
    }

    fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn flag(&self, name: &str) -> Option<bool> {
        match self.param(name)? {
            "true" | "1" | "True" | "yes" => Some(true),
            "false" | "0" | "False" | "no" => Some(false),
            _ => None,
        }
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.param(name)?.parse().ok()
    }
}

/// The project with this id or full path, if the caller may know of it.
fn visible_project<'a>(state: &'a State, caller: Option<&Account>, id: &str) -> Result<&'a Project, RestError> {
    let project = match id.parse() {
        Ok(number) => state.project(number),
        Err(_) => state.project_at(id),
    };
    project.filter(|project| state.permissions(caller, project).read).ok_or(RestError::NotFound("Project"))
}

fn json_response(status: StatusCode, value: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], Body::from(value.to_string())).into_response()
}

fn ok(value: &Value) -> Response {
    json_response(StatusCode::OK, value)
}

pub async fn no_such_route() -> Response {
    json_response(StatusCode::NOT_FOUND, &json!({ "error": "404 Not Found" }))
}

pub async fn method_not_allowed() -> Response {
    json_response(StatusCode::METHOD_NOT_ALLOWED, &json!({ "error": "405 Not Allowed" }))
}
