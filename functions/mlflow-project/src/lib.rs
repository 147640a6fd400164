//! Project views: the MLflow groups composed under `/mlflow/<project full path>/tracking`.
//! The gateway cannot split that path, so this function does.

mod split;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Uri, uri::PathAndQuery};
use axum::response::{IntoResponse, Response};
use shared::Error;
use shared::context::View;
use shared::dialect::Dialect;
use shared::route::{Route, assemble, render};
use shared::state::AppState;
use tower::ServiceExt;

pub use split::Splitter;

/// Every endpoint of a project view, below `/mlflow/<project>/tracking`.
pub fn routes() -> Vec<Route> {
    [mlflow_tracking::routes(), mlflow_registry::routes(), mlflow_artifacts::routes()].into_iter().flatten().collect()
}

/// The function as it is served.
pub fn router(state: &AppState) -> Router {
    render(Router::new().fallback_service(project_views(state)), Dialect::Mlflow)
}

/// Serves whatever is a project view, errors not yet rendered; for the hosts that compose groups.
pub fn project_views(state: &AppState) -> Router {
    let endpoints = assemble(routes(), state);
    let splitter = std::sync::Arc::new(Splitter::new(&routes()));
    Router::new().fallback(move |request: Request| async move { serve(&splitter, endpoints, request).await })
}

async fn serve(splitter: &Splitter, endpoints: Router, request: Request) -> Response {
    match into_project_view(splitter, request) {
        Ok(request) => match endpoints.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        },
        Err(error) => error.into_response(),
    }
}

/// The request as its endpoint sees it: a path below the view, and which project the view is of.
fn into_project_view(splitter: &Splitter, request: Request) -> Result<Request<Body>, Error> {
    let path = request.uri().path();
    let no_endpoint = || Error::NoSuchEndpoint(path.to_owned());
    let (project, rest) = splitter.split(path).ok_or_else(no_endpoint)?;
    let target = match request.uri().query() {
        Some(query) => format!("{rest}?{query}"),
        None => rest.to_owned(),
    };
    let target: PathAndQuery = target.parse().map_err(|_| no_endpoint())?;
    let (mut parts, body) = request.into_parts();
    parts.uri = Uri::from(target);
    parts.extensions.insert(View::Project(project));
    Ok(Request::from_parts(parts, body))
}
