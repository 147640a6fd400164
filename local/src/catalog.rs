//! Keeps the catalog like GitLab while the hub runs: at start, when a watched file changes, when the model
//! registry changes, and now and then.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use catalog_sync::Extent;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use shared::state::AppState;
use tokio::sync::{Notify, watch};

use crate::say::{complain, say};

/// How often GitLab is asked without a reason.
const NOW_AND_THEN: Duration = Duration::from_secs(300);
/// Files and models are written several at a time.
const SETTLE: Duration = Duration::from_millis(300);

/// Something happened that the catalog tells of.
#[derive(Clone, Default)]
pub struct Changed(Arc<Notify>);

/// Wakes the catalog at every change in a folder, for as long as the watcher lives.
pub fn watch(folder: &Path, changed: &Changed) -> notify::Result<RecommendedWatcher> {
    let changed = changed.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            changed.0.notify_one();
        }
    })?;
    watcher.watch(folder, RecursiveMode::Recursive)?;
    Ok(watcher)
}

/// Wakes the catalog after each request that changed the model registry.
pub async fn notice(changed: Changed, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let writes = *request.method() != Method::GET
        && (path.contains("/mlflow/registered-models/") || path.contains("/mlflow/model-versions/"));
    let response = next.run(request).await;
    if writes && response.status().is_success() {
        changed.0.notify_one();
    }
    response
}

/// Synchronises until the hub stops.
pub async fn keep(state: AppState, changed: Changed, mut stopping: watch::Receiver<bool>) {
    let stopped = async { drop(stopping.wait_for(|stop| *stop).await) };
    tokio::select! {
        () = stopped => {}
        () = synchronise(&state, &changed) => {}
    }
}

async fn synchronise(state: &AppState, changed: &Changed) {
    let mut first = true;
    loop {
        match catalog_sync::reconcile(state, Extent::Everything, None).await {
            Ok(done) if first || done.summary.written + done.summary.removed > 0 => {
                say(format_args!("  catalog   {}", done.summary));
            }
            Ok(_) => {}
            Err(error) => complain(format_args!("the catalog could not be synchronised: {error}")),
        }
        first = false;
        tokio::select! {
            () = changed.0.notified() => tokio::time::sleep(SETTLE).await,
            () = tokio::time::sleep(NOW_AND_THEN) => {}
        }
    }
}
