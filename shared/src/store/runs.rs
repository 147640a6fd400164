//! Runs: create, read, update, delete, restore, and what they log.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_dynamodb::types::ReturnValue;
use serde_json::Value;
use tokio::time::Instant;

use super::attributes::{Change, Guard, Refusal, TagChange};
use super::fold::{Latest, WriteBack};
use super::item::{Item, number, string};
use super::registered_models::PATIENCE;
use super::request::{Outcome, jitter};
use super::run_item::{FoldState, StoredRun};
use super::{Sealed, Store, keys};
use crate::auth::Access;
use crate::error::{Error, Result};
use crate::model::{Experiment, ExperimentId, Inputs, Lifecycle, Metric, ProjectId, Run, RunStatus};

/// The tag that mirrors a run's name.
pub const RUN_NAME_TAG: &str = "mlflow.runName";

/// A run about to begin.
#[derive(Clone, Debug)]
pub struct NewRun {
    pub name: String,
    pub user_id: String,
    /// ms since 1970.
    pub start_time: Option<i64>,
    pub tags: BTreeMap<String, String>,
}

/// What `runs/update` changes; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct RunUpdate {
    pub status: Option<RunStatus>,
    /// ms since 1970.
    pub end_time: Option<i64>,
    pub name: Option<String>,
}

/// Whom a run belongs to; never changes.
#[derive(Clone, Copy, Debug)]
pub struct RunOwner {
    pub project: ProjectId,
    pub experiment: ExperimentId,
}

impl Store {
    /// Begins a run in an active experiment.
    pub async fn create_run(&self, access: &Access, experiment: &Experiment, new: NewRun) -> Result<Run> {
        access.covers(experiment.project)?;
        if experiment.lifecycle == Lifecycle::Deleted {
            return Err(Error::invalid(format!(
                "The experiment {} must be in the 'active' state. Current state is deleted.",
                experiment.id
            )));
        }
        let id = uuid::Uuid::new_v4().simple().to_string();
        let mut tags = new.tags;
        tags.insert(RUN_NAME_TAG.to_owned(), new.name.clone());
        let run = StoredRun {
            artifact_uri: format!("{}/{id}/artifacts", experiment.artifact_location.trim_end_matches('/')),
            experiment: experiment.id,
            project: experiment.project,
            shard: self.shard_for(experiment, &id),
            name: new.name,
            user_id: new.user_id,
            status: RunStatus::Running,
            start_time: new.start_time,
            end_time: None,
            lifecycle: Lifecycle::Active,
            changes: experiment.changes,
            revision: 0,
            params: BTreeMap::new(),
            tags,
            metrics: FoldState::default(),
            has_edges: false,
            overflow: false,
            id,
        };
        self.put_new(run.write()).await?;
        self.remember_owner(&run);
        if self.is_busy(experiment.id) && experiment.shards == 1 {
            self.spread_runs(experiment).await?;
        }
        Ok(run.into_run(Lifecycle::Active, BTreeMap::new(), Inputs::default()))
    }

    fn shard_for(&self, experiment: &Experiment, run_id: &str) -> u32 {
        if experiment.shards <= 1 || self.clock.now_ms() < experiment.writer_shards_from {
            return 0;
        }
        run_id.bytes().fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % experiment.shards
    }

    /// Does this instance begin more than 50 runs a second in the experiment?
    fn is_busy(&self, experiment: ExperimentId) -> bool {
        const WINDOW_MS: i64 = 10_000;
        const MANY: u32 = 500;
        let now = self.clock.now_ms();
        let (since, count) = match self.caches.new_runs.get(&experiment) {
            Some((since, count)) if now - since < WINDOW_MS => (since, count + 1),
            _ => (now, 1),
        };
        self.caches.new_runs.insert(experiment, (since, count));
        count == MANY
    }

    fn remember_owner(&self, run: &StoredRun) {
        let owner = RunOwner { project: run.project, experiment: run.experiment };
        self.caches.runs.insert(run.id.clone(), owner);
    }

    /// Whom a run belongs to, from memory where possible.
    pub async fn find_run_owner(&self, id: &str) -> Result<Option<RunOwner>> {
        if let Some(owner) = self.caches.runs.get(id) {
            return Ok(Some(owner));
        }
        let run = self.read_run(id).await?;
        Ok(run.map(|run| RunOwner { project: run.project, experiment: run.experiment }))
    }

    /// A run's META, strongly read; [`Store::complete_run`] adds the rest.
    pub async fn find_run(&self, id: &str) -> Result<Option<Sealed<StoredRun>>> {
        Ok(self.read_run(id).await?.map(|run| Sealed::new(run.project, run)))
    }

    async fn read_run(&self, id: &str) -> Result<Option<StoredRun>> {
        let item = self.get(&keys::run(id), keys::META).await?;
        let run = item.as_ref().map(StoredRun::read).transpose()?;
        if let Some(run) = &run {
            self.remember_owner(run);
        }
        Ok(run)
    }

    /// Adds latest metrics, overflowing params and tags, inputs and outputs to a META as read.
    pub async fn complete_run(&self, run: StoredRun) -> Result<Run> {
        let inputs = match run.has_edges {
            true => self.read_edges(&run.id).await?,
            false => Inputs::default(),
        };
        self.complete_run_with(run, inputs).await
    }

    pub(crate) async fn complete_run_with(&self, mut run: StoredRun, inputs: Inputs) -> Result<Run> {
        let pk = keys::run(&run.id);
        let experiment =
            self.experiment(run.experiment).await?.ok_or_else(|| Error::internal("a run has no experiment"))?;
        if run.overflow {
            let (params, tags) = self.read_overflow(&pk).await?;
            run.params.extend(params);
            run.tags.extend(tags);
        }
        let metrics = self.fold_run(&pk, &run.metrics).await?;
        let metrics = metrics.into_iter().map(|metric| (metric.key.clone(), metric)).collect();
        let lifecycle = run.effective_lifecycle(&experiment);
        Ok(run.into_run(lifecycle, metrics, inputs))
    }

    async fn fold_run(&self, pk: &str, state: &FoldState) -> Result<Vec<Metric>> {
        match self.fold(pk, state, Latest::PerKey, WriteBack::WhenItCloses).await {
            // The parts of `lat` were replaced while being read: META names the new ones.
            Err(Error::Unavailable(_)) if state.latest_overflow.is_some() => {
                tokio::time::sleep(jitter()).await;
                let item = self.get(pk, keys::META).await?.ok_or_else(|| Error::internal("a run vanished"))?;
                self.fold(pk, &FoldState::read(&item), Latest::PerKey, WriteBack::Never).await
            }
            folded => folded,
        }
    }

    /// Changes status, end time and name of an active run; a terminal status also folds its metrics.
    pub async fn update_run(&self, access: &Access, id: &str, update: RunUpdate) -> Result<StoredRun> {
        let mut change = Change::default();
        if let Some(status) = update.status {
            change.set.push(("status", string(status.as_str())));
        }
        if let Some(end_time) = update.end_time {
            change.set.push(("end", number(end_time)));
        }
        if let Some(name) = update.name {
            change.set.push(("name", string(&name)));
            change.tags.insert(RUN_NAME_TAG.to_owned(), name);
        }
        if change.set.is_empty() {
            let run = self.active_run(access, id).await?;
            return Ok(run);
        }
        let item = self.change_run(access, id, change).await?;
        let run = StoredRun::read(&item)?;
        if update.status.is_some_and(RunStatus::is_terminal) && !run.metrics.is_closed() {
            self.fold(&keys::run(id), &run.metrics, Latest::PerKey, WriteBack::Always).await?;
        }
        Ok(run)
    }

    /// Writes params and tags of an active run, in one step: a param conflict leaves nothing behind. An empty name is
    /// passed over: a run always has one.
    pub async fn log_params_and_tags(
        &self,
        access: &Access,
        id: &str,
        params: BTreeMap<String, String>,
        tags: BTreeMap<String, String>,
    ) -> Result<()> {
        let mut change = Change { params, tags, ..Change::default() };
        change.tags.retain(|key, value| key != RUN_NAME_TAG || !value.is_empty());
        if let Some(name) = change.tags.get(RUN_NAME_TAG) {
            change.set.push(("name", string(name)));
        }
        self.change_run(access, id, change).await.map(|_| ())
    }

    /// Deletes a tag of an active run.
    pub async fn delete_run_tag(&self, access: &Access, id: &str, tag: &str) -> Result<()> {
        let change = Change { delete_tag: Some(tag.to_owned()), ..Change::default() };
        self.change_run(access, id, change).await.map(|_| ())
    }

    /// Sets a tag of an active run.
    pub async fn set_run_tag(&self, access: &Access, id: &str, change: TagChange) -> Result<()> {
        match change {
            TagChange::Set(key, value) => {
                self.log_params_and_tags(access, id, BTreeMap::new(), BTreeMap::from([(key, value)])).await
            }
            TagChange::Delete(key) => self.delete_run_tag(access, id, &key).await,
        }
    }

    /// Adds a value to the JSON list that a tag of an active run holds, whoever else adds to it.
    pub async fn append_to_run_tag(&self, access: &Access, id: &str, tag: &str, value: Value) -> Result<()> {
        let change = Change { append: Some((tag.to_owned(), value)), ..Change::default() };
        self.change_run(access, id, change).await.map(|_| ())
    }

    async fn change_run(&self, access: &Access, id: &str, change: Change) -> Result<Item> {
        let guard = self.run_guard(access, id).await?;
        let deleted_tag = change.delete_tag.clone();
        let new_params = change.params.clone();
        match self.change(&keys::run(id), change, &guard).await? {
            Ok(item) => Ok(item),
            Err(Refusal::Missing) => Err(no_run(id)),
            Err(Refusal::Deleted) => Err(not_active(id)),
            Err(Refusal::NoSuchTag) => Err(Error::not_found(format!(
                "No tag with name: {} in run with id {id}",
                deleted_tag.unwrap_or_default()
            ))),
            Err(Refusal::Params(conflicts)) => Err(param_conflict(id, &conflicts, &new_params)),
        }
    }

    /// Makes the points of one logging call durable.
    pub async fn log_metrics(&self, access: &Access, id: &str, points: &[Metric]) -> Result<()> {
        if points.is_empty() {
            return Ok(());
        }
        let guard = self.run_guard(access, id).await?;
        match self.log_points(&keys::run(id), points, &guard).await? {
            Ok(()) => Ok(()),
            Err(Refusal::Missing) => Err(no_run(id)),
            Err(_) => Err(not_active(id)),
        }
    }

    /// Every point of a metric, sorted by timestamp, step and value.
    pub async fn metric_history(&self, access: &Access, id: &str, metric: &str) -> Result<Vec<Metric>> {
        self.proven_run(access, id).await?;
        self.history(&keys::run(id), metric).await
    }

    /// The run's owner, if the proof is for it.
    pub(crate) async fn proven_run(&self, access: &Access, id: &str) -> Result<RunOwner> {
        let owner = self.find_run_owner(id).await?.ok_or_else(|| no_run(id))?;
        access.covers(owner.project)?;
        Ok(owner)
    }

    pub(crate) async fn run_guard(&self, access: &Access, id: &str) -> Result<Guard> {
        let owner = self.proven_run(access, id).await?;
        let experiment = self.experiment(owner.experiment).await?;
        Ok(Guard::Run(experiment.ok_or_else(|| Error::internal("a run has no experiment"))?))
    }

    /// A run's META, which must be in the active stage.
    pub async fn active_run(&self, access: &Access, id: &str) -> Result<StoredRun> {
        let run = self.find_run(id).await?.ok_or_else(|| no_run(id))?.open(access)?;
        let experiment =
            self.experiment(run.experiment).await?.ok_or_else(|| Error::internal("a run has no experiment"))?;
        if run.effective_lifecycle(&experiment) == Lifecycle::Deleted {
            return Err(not_active(id));
        }
        Ok(run)
    }

    /// Deletes or restores a run; doing so again is no error.
    pub async fn set_run_lifecycle(&self, access: &Access, id: &str, lifecycle: Lifecycle) -> Result<()> {
        let owner = self.proven_run(access, id).await?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let experiment = self
                .read_experiment(owner.experiment)
                .await?
                .ok_or_else(|| Error::internal("a run has no experiment"))?;
            let run = self.find_run(id).await?.ok_or_else(|| no_run(id))?.open(access)?;
            let update = self
                // A first try that lands late, after other changes that were answered, must not undo them: hence `rev`.
                .update(&keys::run(id), keys::META, Some("xn <= :xn AND rev = :seen"))
                .update_expression("SET lifecycle = :to, xn = :xn, GSI1PK = :pk ADD rev :one")
                .expression_attribute_values(":to", string(lifecycle.as_str()))
                .expression_attribute_values(":xn", number(experiment.changes))
                .expression_attribute_values(":pk", string(keys::runs_of(run.experiment, lifecycle, run.shard)))
                .expression_attribute_values(":seen", number(run.revision))
                .expression_attribute_values(":one", number(1))
                .return_values(ReturnValue::None);
            if let Outcome::Done { .. } = self.send_update(update).await? {
                // Metrics are refused from now on, at the latest when the announced window has passed.
                self.caches.open_until.remove(&keys::run(id));
                return Ok(());
            }
            tokio::time::sleep(jitter()).await;
        }
        Err(Error::Conflict("others keep writing to this run or its experiment; please try again".into()))
    }
}

impl StoredRun {
    /// The experiment that owns the run.
    pub fn experiment(&self) -> ExperimentId {
        self.experiment
    }

    /// Where its artifacts lie, with the real experiment id.
    pub fn artifact_uri(&self) -> &str {
        &self.artifact_uri
    }

    /// The run without metrics and inputs: enough for `run_info`.
    pub fn into_info(self, experiment: &Arc<Experiment>) -> Run {
        let lifecycle = self.effective_lifecycle(experiment);
        self.into_run(lifecycle, BTreeMap::new(), Inputs::default())
    }
}

/// There is no such run, or it is hidden: the same words.
pub fn no_run(id: &str) -> Error {
    Error::not_found(format!("Run with id={id} not found"))
}

fn not_active(id: &str) -> Error {
    Error::invalid(format!("The run {id} must be in the 'active' state. Current state is deleted."))
}

/// The stock server has one wording for a single param and one for batches.
fn param_conflict(id: &str, conflicts: &[(String, String)], new: &BTreeMap<String, String>) -> Error {
    let new_value = |key: &String| new.get(key).map(String::as_str).unwrap_or_default();
    if let ([(key, old)], 1) = (conflicts, new.len()) {
        let new = new_value(key);
        return Error::invalid(format!(
            "Changing param values is not allowed. Param with key='{key}' was already logged with value='{old}' for run \
             ID='{id}'. Attempted logging new value '{new}'."
        ));
    }
    let list: Vec<String> = conflicts
        .iter()
        .map(|(key, old)| format!("{{'key': '{key}', 'old_value': '{old}', 'new_value': '{}'}}", new_value(key)))
        .collect();
    Error::invalid(format!(
        "Changing param values is not allowed. Params were already logged='[{}]' for run ID='{id}'.",
        list.join(", ")
    ))
}
