//! Logged models (MLflow 3): create, read, finalize, list, params, tags, metrics.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt, TryStreamExt};

use super::attributes::{Change, Guard, Refusal, TagChange};
use super::fold::{Latest, WriteBack};
use super::item::{Attributes, Item, key, number, string, string_map};
use super::run_item::FoldState;
use super::{Sealed, Store, keys};
use crate::auth::Access;
use crate::error::{Error, Result};
use crate::model::{Experiment, ExperimentId, Lifecycle, LoggedModel, LoggedModelStatus, Metric, ProjectId};

/// Logged models completed at a time.
const FOLDS_AT_A_TIME: usize = 32;

/// A logged model about to be made.
#[derive(Clone, Debug)]
pub struct NewLoggedModel {
    pub name: String,
    pub model_type: Option<String>,
    pub source_run_id: Option<String>,
    pub params: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
}

impl Store {
    /// Creates a logged model whose files are still to come.
    pub async fn create_logged_model(
        &self,
        access: &Access,
        experiment: &Experiment,
        new: NewLoggedModel,
    ) -> Result<LoggedModel> {
        access.covers(experiment.project)?;
        if experiment.lifecycle == Lifecycle::Deleted {
            return Err(Error::invalid(format!(
                "The experiment {} must be in the 'active' state. Current state is deleted.",
                experiment.id
            )));
        }
        let id = format!("m-{}", uuid::Uuid::new_v4().simple());
        let now = self.clock.now_ms();
        let model = LoggedModel {
            artifact_uri: format!("{}/models/{id}/artifacts", experiment.artifact_location.trim_end_matches('/')),
            experiment: experiment.id,
            project: experiment.project,
            name: new.name,
            model_type: new.model_type,
            source_run_id: new.source_run_id,
            status: LoggedModelStatus::Pending,
            creation_time: now,
            last_update_time: now,
            lifecycle: Lifecycle::Active,
            params: new.params,
            tags: new.tags,
            metrics: Vec::new(),
            id,
        };
        self.put_new(write(&model)).await?;
        Ok(model)
    }

    /// Whom a logged model belongs to, and its experiment.
    pub async fn find_logged_model_owner(&self, id: &str) -> Result<Option<(ProjectId, ExperimentId)>> {
        let Some(item) = self.get(&keys::logged_model(id), keys::META).await? else { return Ok(None) };
        Ok(Some((ProjectId(item.number("project")?), ExperimentId(item.number("experiment")?))))
    }

    /// A logged model, deleted ones included, with its latest metrics.
    pub async fn find_logged_model(&self, id: &str) -> Result<Option<Sealed<LoggedModel>>> {
        let Some(item) = self.get(&keys::logged_model(id), keys::META).await? else { return Ok(None) };
        let model = self.complete_logged_model(&item).await?;
        Ok(Some(Sealed::new(model.project, model)))
    }

    async fn complete_logged_model(&self, item: &Item) -> Result<LoggedModel> {
        let mut model = read(item)?;
        let pk = keys::logged_model(&model.id);
        if item.contains_key("ov") {
            let (params, tags) = self.read_overflow(&pk).await?;
            model.params.extend(params);
            model.tags.extend(tags);
        }
        model.metrics = self.fold(&pk, &FoldState::read(item), Latest::EveryPoint, WriteBack::WhenItCloses).await?;
        Ok(model)
    }

    /// Every active logged model of an experiment, newest first; eventually consistent.
    pub async fn list_logged_models(&self, access: &Access, experiment: &Experiment) -> Result<Vec<LoggedModel>> {
        access.covers(experiment.project)?;
        let query = self
            .client
            .query()
            .index_name(keys::GSI1)
            .key_condition_expression("GSI1PK = :pk")
            .expression_attribute_values(":pk", string(keys::logged_models_of(experiment.id)));
        let items = self.query(query).await?;
        stream::iter(items)
            .map(|item| async move { self.complete_logged_model(&item).await })
            .buffered(FOLDS_AT_A_TIME)
            .try_collect()
            .await
    }

    /// Says whether the files of a model arrived.
    pub async fn finalize_logged_model(&self, access: &Access, id: &str, status: LoggedModelStatus) -> Result<()> {
        let set = vec![("status", string(status.as_str())), ("updated", number(self.clock.now_ms()))];
        self.change_logged_model(access, id, Change { set, ..Change::default() }).await
    }

    /// Deletes a model: it stays in the table, marked. Doing so again is no error.
    pub async fn delete_logged_model(&self, access: &Access, id: &str) -> Result<()> {
        self.proven_logged_model(access, id).await?;
        let set = vec![("lifecycle", string(Lifecycle::Deleted.as_str())), ("updated", number(self.clock.now_ms()))];
        let change = Change { set, ..Change::default() };
        match self.change(&keys::logged_model(id), change, &Guard::Own).await? {
            Ok(_) | Err(Refusal::Deleted) => Ok(()),
            Err(_) => Err(no_logged_model(id)),
        }
    }

    /// Sets or deletes tags.
    pub async fn change_logged_model_tags(&self, access: &Access, id: &str, changes: Vec<TagChange>) -> Result<()> {
        let mut change = Change::default();
        for tag in changes {
            match tag {
                TagChange::Set(key, value) => {
                    change.tags.insert(key, value);
                }
                TagChange::Delete(key) => change.delete_tag = Some(key),
            }
        }
        self.change_logged_model(access, id, change).await
    }

    /// Adds params; a param that has another value already is a conflict.
    pub async fn log_logged_model_params(
        &self,
        access: &Access,
        id: &str,
        params: BTreeMap<String, String>,
    ) -> Result<()> {
        self.change_logged_model(access, id, Change { params, ..Change::default() }).await
    }

    /// Adds points logged by a run about a model of the same project. A deleted model takes none, and that is no error:
    /// the run has them, and a training does not end because somebody deleted a model.
    pub async fn log_logged_model_metrics(&self, access: &Access, id: &str, points: &[Metric]) -> Result<()> {
        self.proven_logged_model(access, id).await?;
        match self.log_points(&keys::logged_model(id), points, &Guard::Own).await? {
            Ok(()) | Err(Refusal::Deleted) => Ok(()),
            Err(_) => Err(no_logged_model(id)),
        }
    }

    async fn change_logged_model(&self, access: &Access, id: &str, change: Change) -> Result<()> {
        self.proven_logged_model(access, id).await?;
        let deleted_tag = change.delete_tag.clone().unwrap_or_default();
        match self.change(&keys::logged_model(id), change, &Guard::Own).await? {
            Ok(_) => Ok(()),
            Err(Refusal::Missing | Refusal::Deleted) => Err(no_logged_model(id)),
            Err(Refusal::NoSuchTag) => {
                Err(Error::not_found(format!("No tag with key '{deleted_tag}' found for model with ID '{id}'.")))
            }
            Err(Refusal::Params(conflicts)) => Err(Error::invalid(format!(
                "Params of a logged model cannot change: {} of model {id} already has another value.",
                conflicts.into_iter().map(|(key, _)| format!("'{key}'")).collect::<Vec<_>>().join(", ")
            ))),
        }
    }

    async fn proven_logged_model(&self, access: &Access, id: &str) -> Result<()> {
        let (owner, _) = self.find_logged_model_owner(id).await?.ok_or_else(|| no_logged_model(id))?;
        access.covers(owner)
    }
}

/// There is no such model, or it is hidden: the same words.
pub fn no_logged_model(id: &str) -> Error {
    Error::not_found(format!("Logged model with ID '{id}' not found."))
}

fn write(model: &LoggedModel) -> Item {
    let mut item = key(keys::logged_model(&model.id), keys::META);
    let attributes = [
        ("GSI1PK", string(keys::logged_models_of(model.experiment))),
        ("GSI1SK", string(keys::logged_model_order(model.creation_time, &model.id))),
        ("experiment", number(model.experiment)),
        ("project", number(model.project)),
        ("name", string(&model.name)),
        ("uri", string(&model.artifact_uri)),
        ("status", string(model.status.as_str())),
        ("created", number(model.creation_time)),
        ("updated", number(model.last_update_time)),
        ("lifecycle", string(model.lifecycle.as_str())),
        ("params", string_map(&model.params)),
        ("tags", string_map(&model.tags)),
        ("rev", number(0)),
    ];
    item.extend(attributes.map(|(name, value)| (name.to_owned(), value)));
    if let Some(model_type) = &model.model_type {
        item.insert("model_type".to_owned(), string(model_type));
    }
    if let Some(run) = &model.source_run_id {
        item.insert("source_run".to_owned(), string(run));
    }
    item
}

fn read(item: &Item) -> Result<LoggedModel> {
    let status = item.text("status")?;
    let lifecycle = item.text("lifecycle")?;
    Ok(LoggedModel {
        id: keys::id_in(&item.text("PK")?).to_owned(),
        experiment: ExperimentId(item.number("experiment")?),
        project: ProjectId(item.number("project")?),
        name: item.text("name")?,
        model_type: item.find_str("model_type").map(str::to_owned),
        source_run_id: item.find_str("source_run").map(str::to_owned),
        artifact_uri: item.text("uri")?,
        status: LoggedModelStatus::parse(&status).ok_or_else(|| Error::internal("a model has an unknown status"))?,
        creation_time: item.number("created")?,
        last_update_time: item.number("updated")?,
        lifecycle: Lifecycle::parse(&lifecycle).ok_or_else(|| Error::internal("a model has an unknown stage"))?,
        params: item.strings("params"),
        tags: item.strings("tags"),
        metrics: Vec::new(),
    })
}
