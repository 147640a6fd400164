//! A stand-in for GitLab: the part of its REST v4 and GraphQL APIs that the hub needs, over a world from `gitlab.yaml`.
//!
//! It speaks GitLab's wire and follows GitLab's access rules; a client written for GitLab works with it unchanged.
// The hub's own extractors render the hub's errors; GitLab's are others.
#![allow(clippy::disallowed_types)]

mod belongings;
mod caller;
mod definition;
mod events;
mod files;
mod graphql;
mod hooks;
mod repository;
mod rest;
mod state;
mod steering;
mod world;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderValue, StatusCode, header};

pub use belongings::{Container, Feature, Package, Release};
pub use definition::DefinitionError;
pub use hooks::Delivery;
pub use state::{Project, Role, TokenKind, Visibility};
pub use world::{Fault, NotThere, World};

use crate::serve::DropConnection;

/// Token of the demo account that reads every project for the catalog.
pub const CATALOG_TOKEN: &str = "glpat-local-catalog";

/// The stand-in's routes over `world`.
pub fn router(world: World) -> Router {
    Router::new()
        .route("/api/graphql", post(graphql::execute))
        .route("/oauth/token/info", get(rest::session::oauth_token_info))
        .merge(rest::routes())
        .fallback(rest::no_such_route)
        .method_not_allowed_fallback(rest::method_not_allowed)
        .layer(middleware::from_fn_with_state(world.clone(), gate))
        .with_state(world)
}

/// Counts each call and puts the planned fault in its place.
async fn gate(State(world): State<World>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("(no route)", MatchedPath::as_str);
    let call = format!("{} {route}", request.method());
    match world.record(&call) {
        None => next.run(request).await,
        Some(Fault::Delay(time)) => {
            tokio::time::sleep(time).await;
            next.run(request).await
        }
        Some(Fault::Drop) => {
            let mut response = Response::default();
            response.extensions_mut().insert(DropConnection);
            response
        }
        Some(Fault::Status { code, retry_after }) => outage(code, retry_after),
    }
}

/// An answer of GitLab's front end (load balancer, rate limiter), which knows neither API.
fn outage(code: u16, retry_after: Option<u64>) -> Response {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = match status {
        StatusCode::TOO_MANY_REQUESTS => (status, "Retry later\n").into_response(),
        _ => {
            let page = format!("<html><head><title>GitLab is not responding ({code})</title></head></html>\n");
            (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
        }
    };
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
