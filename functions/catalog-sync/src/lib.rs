//! The catalog's synchronisation: reads GitLab's projects and writes one item for each and each of its categories.

mod events;
pub mod item;
mod project;
mod reconcile;
mod summary;
mod webhook;

use axum::Router;
use axum::http::Method;
use shared::dialect::Dialect;
use shared::extract::Input;
use shared::openapi::Operation;
use shared::route::{Route, Rule, assemble, no_such_endpoint, render};
use shared::state::AppState;

pub use events::handle;
pub use project::refresh;
pub use reconcile::{Extent, Progress, reconcile};
pub use summary::Summary;

/// Every endpoint of this function.
pub fn routes() -> Vec<Route> {
    vec![
        Route::at(Method::POST, "/api/webhooks/gitlab", Rule::Webhook, webhook::receive_webhook).documented(
            Operation::new("Webhooks", "Take an event of GitLab")
                .about("Project, group and system hooks: the project's items are refreshed before the answer.")
                .taking::<Input<webhook::Event>>()
                .example(r#"{"object_kind": "push", "project_id": 2}"#),
        ),
    ]
}

/// The endpoints, errors not yet rendered.
pub fn service(state: &AppState) -> Router {
    assemble(routes(), state)
}

/// The function as it is served.
pub fn router(state: &AppState) -> Router {
    render(service(state).fallback(no_such_endpoint), Dialect::Detail)
}
