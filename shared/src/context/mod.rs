//! `Context`: who asks, through which view, and what that view shows.
//!
//! The global view (`/mlflow`) shows every project's data, names with their project's id behind them.
//! A project view (`/mlflow/<path>/tracking`) shows one project as if it were the whole server:
//! plain names, and the project's default experiment as `0`.

mod model_version;
mod naming;

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::auth::{Access, Caller, Subject};
use crate::error::{Error, Result};
use crate::model::{Experiment, ExperimentId, ProjectId};
use crate::state::AppState;
use crate::store::{Sealed, Store, StoredRun, no_logged_model, no_run};

pub use model_version::VersionRef;
pub use naming::PROJECT_TAG;

/// Which part of the hub a URL speaks of.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum View {
    #[default]
    Global,
    /// One project, by its full path as the client wrote it, percent-decoded.
    Project(String),
}

/// A request's surroundings; handlers take it as their first argument.
pub struct Context {
    pub state: Arc<AppState>,
    pub caller: Caller,
    pub view: View,
}

impl FromRequestParts<Arc<AppState>> for Context {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<AppState>) -> Result<Self> {
        let caller = parts.extensions.get::<Caller>().cloned();
        Ok(Self {
            state: state.clone(),
            caller: caller.ok_or_else(|| Error::internal("a route without a rule of access has a caller"))?,
            view: parts.extensions.get::<View>().cloned().unwrap_or_default(),
        })
    }
}

/// The default experiment's id in a project view.
const DEFAULT_ID: &str = "0";

impl Context {
    /// The store.
    pub fn store(&self) -> &Store {
        &self.state.store
    }

    /// Access to the project that the URL names; `None` in the global view.
    pub async fn project(&self) -> Result<Option<Access>> {
        match &self.view {
            View::Global => Ok(None),
            View::Project(path) => self.caller.require_path(path).await.map(Some),
        }
    }

    /// The projects that a search looks at: the URL's, or all that the caller is a member of.
    pub async fn searched_projects(&self) -> Result<Vec<Access>> {
        match self.project().await? {
            Some(access) => Ok(vec![access]),
            None => self.member_projects().await,
        }
    }

    /// The projects that the caller is a member of and that own something, with access to each.
    pub async fn member_projects(&self) -> Result<Vec<Access>> {
        let grants = self.caller.memberships().await?;
        let ids: Vec<ProjectId> = grants.iter().map(|grant| grant.project()).collect();
        let with_data: HashSet<ProjectId> = self.store().projects_with_data(&ids).await?.into_iter().collect();
        let owners = grants.iter().filter(|grant| with_data.contains(&grant.project()));
        Ok(owners.filter_map(|grant| self.caller.admit(grant).ok()).collect())
    }

    /// Access to a thing's owner. No owner (no such thing), a hidden owner and, in a project view,
    /// another project all end in the same `missing`.
    pub async fn require(&self, id: &str, owner: Option<ProjectId>, missing: Error) -> Result<Access> {
        match self.project().await? {
            Some(access) if owner == Some(access.project()) => Ok(access),
            Some(_) => Err(missing),
            None => self.caller.require(&Subject { id: id.to_owned(), owner, missing: missing.to_string() }).await,
        }
    }

    /// An experiment by the id that the client used, strongly read. In a project view `0` is the
    /// project's default experiment, shown as if it existed before its first use.
    pub async fn experiment(&self, id: &str) -> Result<(Access, Experiment)> {
        if let Some(access) = self.asks_for_default(id).await? {
            let experiment = match self.store().find_existing_default(&access).await? {
                Some(experiment) => experiment,
                None => Store::virtual_default(&access),
            };
            return Ok((access, experiment));
        }
        let found = match parse_experiment_id(id)? {
            Some(id) => self.store().find_experiment(id).await?,
            None => None,
        };
        self.open_experiment(id, found).await
    }

    /// As [`Context::experiment`], to change it or put something into it: at most 30 s old, and the
    /// default experiment is created by its first use.
    pub async fn experiment_to_use(&self, id: &str) -> Result<(Access, Arc<Experiment>)> {
        if let Some(access) = self.asks_for_default(id).await? {
            let experiment = self.store().default_experiment(&access).await?;
            return Ok((access, experiment));
        }
        let found = match parse_experiment_id(id)? {
            Some(id) => self.store().find_recent_experiment(id).await?,
            None => None,
        };
        self.open_experiment(id, found).await
    }

    async fn asks_for_default(&self, id: &str) -> Result<Option<Access>> {
        if id == DEFAULT_ID { self.project().await } else { Ok(None) }
    }

    async fn open_experiment<T>(&self, id: &str, found: Option<Sealed<T>>) -> Result<(Access, T)> {
        let owner = found.as_ref().map(Sealed::owner);
        let access = self.require(&format!("experiment/{id}"), owner, self.no_experiment(id)).await?;
        match found {
            Some(sealed) => sealed.open(&access).map(|experiment| (access, experiment)),
            None => Err(self.no_experiment(id)),
        }
    }

    fn no_experiment(&self, id: &str) -> Error {
        if id == DEFAULT_ID && self.view == View::Global {
            return Error::not_found(
                "No Experiment with id=0 exists: every project has a default experiment of its own. Use the tracking URI \
                 of a project, <hub>/mlflow/<project path>/tracking, or set an experiment.",
            );
        }
        Error::not_found(format!("No Experiment with id={id} exists"))
    }

    /// Access to a run's owner, and the run's experiment, at most 30 s old.
    pub async fn run(&self, id: &str) -> Result<(Access, Arc<Experiment>)> {
        let owner = self.store().find_run_owner(id).await?;
        let access = self.require(&format!("run/{id}"), owner.map(|owner| owner.project), no_run(id)).await?;
        let experiment = owner.ok_or_else(|| no_run(id))?.experiment;
        Ok((access, self.known_experiment(experiment).await?))
    }

    /// A run's META, strongly read, with the access that opened it.
    pub async fn stored_run(&self, id: &str) -> Result<(Access, StoredRun)> {
        let found = self.store().find_run(id).await?;
        let owner = found.as_ref().map(Sealed::owner);
        let access = self.require(&format!("run/{id}"), owner, no_run(id)).await?;
        let run = found.ok_or_else(|| no_run(id))?.open(&access)?;
        Ok((access, run))
    }

    /// Access to a logged model's owner, and its experiment.
    pub async fn logged_model(&self, id: &str) -> Result<(Access, ExperimentId)> {
        let found = self.store().find_logged_model_owner(id).await?;
        let owner = found.map(|(project, _)| project);
        let access = self.require(&format!("logged model/{id}"), owner, no_logged_model(id)).await?;
        let (_, experiment) = found.ok_or_else(|| no_logged_model(id))?;
        Ok((access, experiment))
    }

    /// Refuses a logged model that is not of the project that was proven: it counts as missing.
    pub async fn logged_model_of(&self, id: &str, access: &Access) -> Result<()> {
        match self.store().find_logged_model_owner(id).await? {
            Some((owner, _)) if owner == access.project() => Ok(()),
            _ => Err(no_logged_model(id)),
        }
    }

    /// The experiment of something that exists.
    pub async fn known_experiment(&self, id: ExperimentId) -> Result<Arc<Experiment>> {
        self.store().experiment(id).await?.ok_or_else(|| Error::internal("an experiment vanished"))
    }

    /// The id that this view shows.
    pub fn shown_id(&self, experiment: &Experiment) -> ExperimentId {
        match self.view {
            View::Project(_) if experiment.is_default => ExperimentId(0),
            _ => experiment.id,
        }
    }

    /// A stored artifact URI of this experiment as this view shows it.
    pub fn shown_uri(&self, experiment: &Experiment, uri: &str) -> String {
        with_experiment(uri, experiment.id, self.shown_id(experiment))
    }

    /// A stored artifact URI as this view shows it, given which experiment is the default one of its project.
    pub fn shown_uri_in(&self, default_experiment: Option<ExperimentId>, uri: &str) -> String {
        match (&self.view, default_experiment) {
            (View::Project(_), Some(id)) => with_experiment(uri, id, ExperimentId(0)),
            _ => uri.to_owned(),
        }
    }

    /// What a page token is bound to besides its query: the view and the caller.
    pub fn scope(&self) -> (String, String) {
        let view = match &self.view {
            View::Global => String::new(),
            View::Project(path) => path.clone(),
        };
        (view, self.caller.user().to_owned())
    }
}

/// An artifact URI that lies in one experiment, with another's id in it.
fn with_experiment(uri: &str, id: ExperimentId, shown: ExperimentId) -> String {
    match uri.strip_prefix(&format!("mlflow-artifacts:/{id}")) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("mlflow-artifacts:/{shown}{rest}"),
        _ => uri.to_owned(),
    }
}

/// `None`: an integer that no experiment has.
fn parse_experiment_id(id: &str) -> Result<Option<ExperimentId>> {
    let digits = id.strip_prefix('-').unwrap_or(id);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::invalid(format!("Invalid experiment ID '{id}'. Experiment ID must be a valid integer.")));
    }
    Ok(id.parse().ok().map(ExperimentId))
}
