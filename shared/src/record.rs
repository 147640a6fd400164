//! What a request does, gathered while it is served: for its line in the log and for metrics.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::ProjectId;
use crate::store::{Usage, UsageTotals};

/// Of a request that was about several projects.
const SEVERAL: u64 = u64::MAX;

#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) usage: Usage,
    pub(crate) gitlab_failures: AtomicU64,
    pub(crate) dynamodb_throttles: AtomicU64,
    route: OnceLock<String>,
    /// 0 as long as there is none.
    project: AtomicU64,
}

/// What a request has done.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// DynamoDB's requests and units.
    pub usage: UsageTotals,
    /// Calls that GitLab failed to answer, after all tries.
    pub gitlab_failures: u64,
    /// Requests that DynamoDB throttled, whether or not another try succeeded.
    pub dynamodb_throttles: u64,
    /// The pattern of the route that was taken.
    pub route: Option<String>,
    /// The one project that it was about, as far as access was granted.
    pub project: Option<ProjectId>,
}

tokio::task_local! {
    static RECORD: Record;
}

/// Runs a request's work and tells what it did.
pub async fn recorded<F: Future>(work: F) -> (F::Output, Done) {
    RECORD
        .scope(Record::default(), async {
            let output = work.await;
            (output, RECORD.with(Record::done))
        })
        .await
}

/// Notes something about the request in hand, if there is one.
pub(crate) fn note(note: impl FnOnce(&Record)) {
    let _outside_a_request = RECORD.try_with(note);
}

/// Access to a project is granted.
pub(crate) fn note_project(project: ProjectId) {
    note(|record| {
        let noted = record.project.compare_exchange(0, project.0, Ordering::Relaxed, Ordering::Relaxed);
        if noted.is_err_and(|other| other != project.0) {
            record.project.store(SEVERAL, Ordering::Relaxed);
        }
    });
}

/// A route is taken.
pub(crate) fn note_route(pattern: &str) {
    note(|record| {
        // The outermost one stays.
        let _ = record.route.set(pattern.to_owned());
    });
}

impl Record {
    fn done(&self) -> Done {
        let project = self.project.load(Ordering::Relaxed);
        Done {
            usage: self.usage.totals(),
            gitlab_failures: self.gitlab_failures.load(Ordering::Relaxed),
            dynamodb_throttles: self.dynamodb_throttles.load(Ordering::Relaxed),
            route: self.route.get().cloned(),
            project: (project != 0 && project != SEVERAL).then_some(ProjectId(project)),
        }
    }
}
