//! Experiments: create, read, list, rename, delete, restore, tags.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, ReturnValue, TransactWriteItem, Update};

use super::attributes::{Change, Guard, Refusal, TagChange, put_if_absent};
use super::item::{Attributes, Item, key, number, string, string_map};
use super::projects::project_item;
use super::request::Outcome;
use super::{Sealed, Store, keys};
use crate::auth::Access;
use crate::error::{Error, Result};
use crate::model::{Experiment, ExperimentId, Lifecycle, ProjectId};

/// Name of the experiment that every project has.
pub const DEFAULT_EXPERIMENT: &str = "Default";
/// Index partitions over which the runs of a busy experiment are spread.
const BUSY_SHARDS: u32 = 8;

impl Store {
    /// Creates an experiment; `location` is the client's choice, or `mlflow-artifacts:/<id>`.
    ///
    /// # Errors
    /// `AlreadyExists` if the project has one of this name, deleted ones included.
    pub async fn create_experiment(
        &self,
        access: &Access,
        name: &str,
        location: Option<&str>,
        tags: BTreeMap<String, String>,
    ) -> Result<Experiment> {
        let project = access.project();
        if self.is_taken(project, name).await? {
            return Err(name_taken(name));
        }
        let now = self.clock.now_ms();
        let id = self.next_experiment_id().await?;
        let experiment = new_experiment(id, project, name, location, tags, now);
        self.put_experiment(access, experiment, false).await
    }

    /// Has the project an experiment of this name? The default one has its own also before its first use.
    async fn is_taken(&self, project: ProjectId, name: &str) -> Result<bool> {
        let default_is_virtual = name == DEFAULT_EXPERIMENT && self.find_default_experiment(project).await?.is_none();
        Ok(default_is_virtual || self.find_experiment_id(project, name).await?.is_some())
    }

    /// The project's default experiment, created by its first use.
    pub async fn default_experiment(&self, access: &Access) -> Result<Arc<Experiment>> {
        if let Some(id) = self.find_default_experiment(access.project()).await? {
            return self.experiment(id).await?.ok_or_else(|| Error::internal("a default experiment has no META"));
        }
        let id = self.next_experiment_id().await?;
        let experiment = Experiment { id, artifact_location: own_location(id), ..Self::virtual_default(access) };
        match self.put_experiment(access, experiment, true).await {
            Ok(experiment) => Ok(Arc::new(experiment)),
            // Another request was faster.
            Err(Error::AlreadyExists(_)) => match self.find_default_experiment(access.project()).await? {
                Some(id) => {
                    self.experiment(id).await?.ok_or_else(|| Error::internal("a default experiment has no META"))
                }
                None => Err(Error::Conflict("the default experiment is being created; please try again".into())),
            },
            Err(error) => Err(error),
        }
    }

    /// The default experiment as it is shown before its first use; as old as its project.
    pub fn virtual_default(access: &Access) -> Experiment {
        let mut experiment = new_experiment(
            ExperimentId(0),
            access.project(),
            DEFAULT_EXPERIMENT,
            None,
            BTreeMap::new(),
            access.project_created_at(),
        );
        experiment.is_default = true;
        experiment
    }

    async fn next_experiment_id(&self) -> Result<ExperimentId> {
        let (pk, sk) = keys::experiment_counter();
        // The one update that may create its item.
        let update = self
            .client
            .update_item()
            .set_key(Some(key(pk, sk)))
            .update_expression("ADD #last :one")
            .expression_attribute_names("#last", "last")
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::UpdatedNew);
        match self.send_update(update).await? {
            Outcome::Done { attributes, .. } => Ok(ExperimentId(attributes.number("last")?)),
            Outcome::Refused(_) => Err(Error::internal("the experiment counter refused to count")),
        }
    }

    async fn put_experiment(&self, access: &Access, experiment: Experiment, is_default: bool) -> Result<Experiment> {
        let project = access.project();
        let mut name_item = key(keys::project(project), keys::experiment_name(&experiment.name));
        name_item.insert("name".to_owned(), string(&experiment.name));
        name_item.insert("experiment".to_owned(), number(experiment.id));
        let mut items = vec![put_if_absent(&self.table, name_item)?];
        items.extend(self.new_entity(write(&experiment))?);
        items.push(self.see_project(access, is_default.then_some(experiment.id))?);
        match self.transact(items).await? {
            Ok(()) => Ok(experiment),
            Err(_) => Err(name_taken(&experiment.name)),
        }
    }

    /// Writes the project's META; with `default`, only if it has no default experiment yet.
    pub(crate) fn see_project(&self, access: &Access, default: Option<ExperimentId>) -> Result<TransactWriteItem> {
        let mut sets = Vec::new();
        let mut update =
            Update::builder().table_name(&self.table).set_key(Some(key(keys::project(access.project()), keys::META)));
        // This update may create its item: a project has nothing to lose.
        for (number, (name, value)) in
            project_item(access).into_iter().filter(|(name, _)| name != "PK" && name != "SK").enumerate()
        {
            sets.push(format!("#a{number} = :a{number}"));
            update = update
                .expression_attribute_names(format!("#a{number}"), name)
                .expression_attribute_values(format!(":a{number}"), value);
        }
        if let Some(id) = default {
            sets.push("default_experiment = :default".to_owned());
            update = update
                .expression_attribute_values(":default", number(id))
                .condition_expression("attribute_not_exists(default_experiment)");
        }
        let update = update.update_expression(format!("SET {}", sets.join(", "))).build().map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The id of the experiment with this plain name.
    pub(crate) async fn find_experiment_id(&self, project: ProjectId, name: &str) -> Result<Option<ExperimentId>> {
        let item = self.get(&keys::project(project), &keys::experiment_name(name)).await?;
        item.filter(|item| item.find_str("name") == Some(name))
            .map(|item| item.number("experiment").map(ExperimentId))
            .transpose()
    }

    /// An experiment by plain name within a project.
    pub async fn find_experiment_by_name(&self, access: &Access, name: &str) -> Result<Option<Experiment>> {
        match self.find_experiment_id(access.project(), name).await? {
            Some(id) => self.read_experiment(id).await.map(|found| found.map(|experiment| (*experiment).clone())),
            None => Ok(None),
        }
    }

    /// An experiment by id, strongly read.
    pub async fn find_experiment(&self, id: ExperimentId) -> Result<Option<Sealed<Experiment>>> {
        Ok(self.read_experiment(id).await?.map(|experiment| Sealed::new(experiment.project, (*experiment).clone())))
    }

    /// An experiment by id, at most 30 s old.
    pub async fn find_recent_experiment(&self, id: ExperimentId) -> Result<Option<Sealed<Arc<Experiment>>>> {
        Ok(self.experiment(id).await?.map(|experiment| Sealed::new(experiment.project, experiment)))
    }

    /// The default experiment, if it has been used yet; strongly read.
    pub async fn find_existing_default(&self, access: &Access) -> Result<Option<Experiment>> {
        match self.find_default_experiment(access.project()).await? {
            Some(id) => Ok(self.read_experiment(id).await?.map(|experiment| (*experiment).clone())),
            None => Ok(None),
        }
    }

    /// As [`Store::find_recent_experiment`], for the store's own decisions.
    pub(crate) async fn experiment(&self, id: ExperimentId) -> Result<Option<Arc<Experiment>>> {
        if let Some((experiment, read_at)) = self.caches.experiments.get(&id)
            && self.is_fresh(read_at)
        {
            return Ok(Some(experiment));
        }
        self.read_experiment(id).await
    }

    pub(crate) async fn read_experiment(&self, id: ExperimentId) -> Result<Option<Arc<Experiment>>> {
        let read_at = self.clock.now_ms();
        let pk = keys::experiment(id);
        let Some(item) = self.get(&pk, keys::META).await? else {
            return Ok(None);
        };
        let mut experiment = read(&item)?;
        if item.contains_key("ov") {
            experiment.tags.extend(self.read_overflow(&pk).await?.1);
        }
        let experiment = Arc::new(experiment);
        self.caches.experiments.insert(id, (experiment.clone(), read_at));
        Ok(Some(experiment))
    }

    /// Every experiment of the project, newest id first; eventually consistent.
    pub async fn list_experiments(&self, access: &Access) -> Result<Vec<Experiment>> {
        let query = self
            .client
            .query()
            .index_name(keys::GSI1)
            .key_condition_expression("GSI1PK = :pk")
            .expression_attribute_values(":pk", string(keys::experiments_of(access.project())));
        let mut experiments = Vec::new();
        for item in self.query(query).await? {
            let mut experiment = read(&item)?;
            if item.contains_key("ov") {
                experiment.tags.extend(self.read_overflow(&keys::experiment(experiment.id)).await?.1);
            }
            experiments.push(experiment);
        }
        Ok(experiments)
    }

    /// Gives an active experiment another plain name.
    pub async fn rename_experiment(&self, access: &Access, experiment: &Experiment, name: &str) -> Result<()> {
        access.covers(experiment.project)?;
        if experiment.lifecycle == Lifecycle::Deleted {
            return Err(Error::invalid("Cannot rename a non-active experiment."));
        }
        if name == DEFAULT_EXPERIMENT && name != experiment.name && self.is_taken(experiment.project, name).await? {
            return Err(name_taken(name));
        }
        let now = self.clock.now_ms();
        let meta = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(keys::experiment(experiment.id), keys::META)))
            .condition_expression("attribute_exists(PK) AND #name = :old AND lifecycle = :active")
            .update_expression("SET #name = :new, updated = :now ADD rev :one")
            .expression_attribute_names("#name", "name")
            .expression_attribute_values(":old", string(&experiment.name))
            .expression_attribute_values(":new", string(name))
            .expression_attribute_values(":active", string(Lifecycle::Active.as_str()))
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":one", number(1))
            .build()
            .map_err(Error::internal)?;
        let mut items = vec![TransactWriteItem::builder().update(meta).build()];
        if name != experiment.name {
            let mut name_item = key(keys::project(experiment.project), keys::experiment_name(name));
            name_item.insert("name".to_owned(), string(name));
            name_item.insert("experiment".to_owned(), number(experiment.id));
            let old = Delete::builder()
                .table_name(&self.table)
                .set_key(Some(key(keys::project(experiment.project), keys::experiment_name(&experiment.name))))
                .condition_expression("experiment = :id")
                .expression_attribute_values(":id", number(experiment.id))
                .build()
                .map_err(Error::internal)?;
            items.push(put_if_absent(&self.table, name_item)?);
            items.push(TransactWriteItem::builder().delete(old).build());
        }
        self.caches.experiments.remove(&experiment.id);
        match self.transact(items).await? {
            Ok(()) => Ok(()),
            Err(reasons) if reasons.get(1).is_some_and(|reason| reason.code() == Some("ConditionalCheckFailed")) => {
                Err(name_taken(name))
            }
            Err(_) => Err(Error::Conflict("the experiment was changed by another request; please try again".into())),
        }
    }

    /// Deletes or restores an experiment with all its runs, in one update whatever their number.
    ///
    /// # Errors
    /// `NotFound` if it is not in the opposite stage.
    pub async fn set_experiment_lifecycle(
        &self,
        access: &Access,
        experiment: &Experiment,
        lifecycle: Lifecycle,
    ) -> Result<()> {
        access.covers(experiment.project)?;
        let operation = uuid::Uuid::new_v4().to_string();
        let update = self
            // A first try that lands late, after other changes that were answered, must not undo them: hence `xn`.
            .update(&keys::experiment(experiment.id), keys::META, Some("lifecycle <> :to AND xn = :seen"))
            .update_expression("SET lifecycle = :to, updated = :now, op = :op ADD xn :one, rev :one")
            .expression_attribute_values(":to", string(lifecycle.as_str()))
            .expression_attribute_values(":seen", number(experiment.changes))
            .expression_attribute_values(":now", number(self.clock.now_ms()))
            .expression_attribute_values(":op", string(&operation))
            .expression_attribute_values(":one", number(1));
        let outcome = self.send_update(update).await?;
        self.caches.experiments.remove(&experiment.id);
        match outcome {
            Outcome::Done { .. } => Ok(()),
            // The first try had succeeded; its answer was lost.
            Outcome::Refused(Some(item)) if item.find_str("op") == Some(&operation) => Ok(()),
            Outcome::Refused(Some(item)) if item.find_str("lifecycle") != Some(lifecycle.as_str()) => {
                Err(Error::Conflict("the experiment was changed by another request; please try again".into()))
            }
            Outcome::Refused(_) => Err(Error::not_found(format!("No Experiment with id={} exists", experiment.id))),
        }
    }

    /// Sets or deletes a tag of an active experiment.
    pub async fn change_experiment_tag(
        &self,
        access: &Access,
        experiment: &Experiment,
        change: TagChange,
    ) -> Result<()> {
        access.covers(experiment.project)?;
        let (change, tag) = match change {
            TagChange::Set(key, value) => {
                (Change { tags: BTreeMap::from([(key.clone(), value)]), ..Change::default() }, key)
            }
            TagChange::Delete(key) => (Change { delete_tag: Some(key.clone()), ..Change::default() }, key),
        };
        let outcome = self.change(&keys::experiment(experiment.id), change, &Guard::Own).await?;
        self.caches.experiments.remove(&experiment.id);
        match outcome {
            Ok(_) => Ok(()),
            Err(Refusal::NoSuchTag) => {
                Err(Error::not_found(format!("No tag with name: {tag} in experiment with id {}", experiment.id)))
            }
            Err(Refusal::Deleted) => Err(Error::invalid(format!(
                "The experiment {} must be in the 'active' state. Current state is deleted.",
                experiment.id
            ))),
            Err(Refusal::Missing | Refusal::Params(_)) => Err(Error::internal("an experiment's META vanished")),
        }
    }

    /// Spreads the runs of an experiment over more index partitions; readers look into all at once,
    /// writers use them 60 s later.
    pub(crate) async fn spread_runs(&self, experiment: &Experiment) -> Result<()> {
        let update = self
            .update(&keys::experiment(experiment.id), keys::META, Some("shards < :many"))
            .update_expression("SET shards = :many, shards_at = :now")
            .expression_attribute_values(":many", number(BUSY_SHARDS))
            .expression_attribute_values(":now", number(self.clock.now_ms()));
        self.send_update(update).await.map(|_| ())
    }
}

/// Our own artifact location of an experiment.
pub(crate) fn own_location(id: ExperimentId) -> String {
    format!("mlflow-artifacts:/{id}")
}

fn new_experiment(
    id: ExperimentId,
    project: ProjectId,
    name: &str,
    location: Option<&str>,
    tags: BTreeMap<String, String>,
    now: i64,
) -> Experiment {
    Experiment {
        id,
        project,
        name: name.to_owned(),
        artifact_location: location.map_or_else(|| own_location(id), str::to_owned),
        lifecycle: Lifecycle::Active,
        creation_time: now,
        last_update_time: now,
        tags,
        changes: 0,
        shards: 1,
        writer_shards_from: 0,
        is_default: false,
    }
}

fn name_taken(name: &str) -> Error {
    Error::AlreadyExists(format!("Experiment(name={name}) already exists."))
}

fn write(experiment: &Experiment) -> Item {
    let mut item = key(keys::experiment(experiment.id), keys::META);
    let attributes = [
        ("GSI1PK", string(keys::experiments_of(experiment.project))),
        ("GSI1SK", string(keys::experiment_order(experiment.id))),
        ("id", number(experiment.id)),
        ("project", number(experiment.project)),
        ("name", string(&experiment.name)),
        ("location", string(&experiment.artifact_location)),
        ("lifecycle", string(experiment.lifecycle.as_str())),
        ("created", number(experiment.creation_time)),
        ("updated", number(experiment.last_update_time)),
        ("tags", string_map(&experiment.tags)),
        ("xn", number(experiment.changes)),
        ("rev", number(0)),
        ("shards", number(experiment.shards)),
        ("is_default", AttributeValue::Bool(experiment.is_default)),
    ];
    item.extend(attributes.map(|(name, value)| (name.to_owned(), value)));
    item
}

fn read(item: &Item) -> Result<Experiment> {
    let lifecycle = item.text("lifecycle")?;
    Ok(Experiment {
        id: ExperimentId(item.number("id")?),
        project: ProjectId(item.number("project")?),
        name: item.text("name")?,
        artifact_location: item.text("location")?,
        lifecycle: Lifecycle::parse(&lifecycle).ok_or_else(|| Error::internal("an experiment has an unknown stage"))?,
        creation_time: item.number("created")?,
        last_update_time: item.number("updated")?,
        tags: item.strings("tags"),
        changes: item.number("xn")?,
        shards: item.number("shards")?,
        writer_shards_from: item.find_number::<i64>("shards_at").map_or(0, |at| at + 60_000),
        is_default: item.get("is_default").and_then(|value| value.as_bool().ok()).copied().unwrap_or(false),
    })
}
