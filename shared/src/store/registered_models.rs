//! Registered models: create, read, rename, describe, delete, tags, aliases.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem, Update};
use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::time::Instant;

use super::attributes::{Change, Guard, Refusal, TagChange, put_if_absent};
use super::item::{Attributes, Item, key, number, string};
use super::registry_items::{aliases, read_model, read_version, write_model};
use super::request::jitter;
use super::{Store, keys};
use crate::auth::Access;
use crate::error::{Error, Result};
use crate::model::{ModelVersion, PROMPT_TAG, ProjectId, RegisteredModel, Stages, is_prompt};

/// How long a write that others outrun is tried again.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// Requests at a time when the versions of a model are changed one by one.
const WRITES_AT_A_TIME: usize = 32;
/// How long a rename or delete works on a model's versions; what is left is told in the log.
const SWEEP: Duration = Duration::from_secs(5);

/// A registered model about to be made.
#[derive(Clone, Debug)]
pub struct NewRegisteredModel {
    pub name: String,
    pub description: String,
    pub tags: BTreeMap<String, String>,
}

impl Store {
    /// Creates a registered model.
    ///
    /// # Errors
    /// `AlreadyExists` if the project has one of this name.
    pub async fn create_registered_model(&self, access: &Access, new: NewRegisteredModel) -> Result<RegisteredModel> {
        let now = self.clock.now_ms();
        let model = RegisteredModel {
            uid: uuid::Uuid::new_v4().simple().to_string(),
            project: access.project(),
            name: new.name,
            description: new.description,
            creation_time: now,
            last_update_time: now,
            tags: new.tags,
            aliases: BTreeMap::new(),
            stages: Stages::default(),
            revision: 0,
        };
        let mut items = self.new_entity(write_model(&model))?;
        items.push(put_if_absent(&self.table, pointer(&model))?);
        items.push(self.see_project(access, None)?);
        if self.transact(items).await?.is_ok() {
            return Ok(model);
        }
        let taken_by = self.read_registered_model(access.project(), &model.name).await?;
        Err(name_taken(&model, taken_by.is_some_and(|other| other.tags.contains_key(PROMPT_TAG))))
    }

    /// A registered model by its plain name, strongly read, with those of its versions that `wanted` names: one request
    /// if this instance has seen the model before, else two.
    pub async fn find_registered_model(
        &self,
        access: &Access,
        name: &str,
        wanted: impl Fn(&RegisteredModel) -> Vec<u64>,
    ) -> Result<Option<(RegisteredModel, Vec<ModelVersion>)>> {
        let project = access.project();
        let pk = keys::registered_model(project, name);
        let seen = self.caches.registered_models.get(&(project, name.to_owned()));
        let guess = seen.map(|seen| versions(&seen.uid, &wanted(&seen))).unwrap_or_default();
        let known = [(pk.clone(), keys::META.to_owned())].into_iter().chain(guess.clone());
        let mut items = self.batch_get(known.collect()).await?;
        let meta = items.iter().position(|item| item.find_str("PK") == Some(&pk)).map(|at| items.swap_remove(at));
        let Some(meta) = meta.filter(|meta| meta.find_str("name") == Some(name)) else {
            self.caches.registered_models.remove(&(project, name.to_owned()));
            return Ok(None);
        };
        let model = self.complete_model(&meta).await?;
        let numbers = wanted(&model);
        let keys = versions(&model.uid, &numbers);
        items.extend(self.batch_get(keys.iter().filter(|key| !guess.contains(key)).cloned().collect()).await?);
        let mut found = Vec::with_capacity(numbers.len());
        for (pk, _) in keys {
            if let Some(item) = items.iter().find(|item| item.find_str("PK") == Some(&pk)) {
                found.push(self.complete_version(item).await?);
            }
        }
        self.caches.registered_models.insert((project, name.to_owned()), Arc::new(model.clone()));
        Ok(Some((model, found)))
    }

    /// As [`Store::find_registered_model`], for the store's own decisions, without versions.
    pub(crate) async fn read_registered_model(
        &self,
        project: ProjectId,
        name: &str,
    ) -> Result<Option<RegisteredModel>> {
        let item = self.get(&keys::registered_model(project, name), keys::META).await?;
        match item.filter(|item| item.find_str("name") == Some(name)) {
            Some(item) => self.complete_model(&item).await.map(Some),
            None => Ok(None),
        }
    }

    pub(crate) async fn complete_model(&self, item: &Item) -> Result<RegisteredModel> {
        let mut model = read_model(item)?;
        if item.contains_key("ov") {
            model.tags.extend(self.read_overflow(&keys::registered_model(model.project, &model.name)).await?.1);
        }
        Ok(model)
    }

    pub(crate) async fn complete_version(&self, item: &Item) -> Result<ModelVersion> {
        let mut version = read_version(item)?;
        if item.contains_key("ov") {
            let pk = keys::model_version(&version.uid, version.number);
            version.tags.extend(self.read_overflow(&pk).await?.1);
        }
        Ok(version)
    }

    /// Gives a model another description.
    pub async fn describe_registered_model(&self, access: &Access, name: &str, text: &str) -> Result<()> {
        self.change_model(access, name, |model, now| {
            let set = vec![("description", string(text)), ("updated", number(now.max(model.last_update_time)))];
            Ok((set, Vec::new()))
        })
        .await
        .map(|_| ())
    }

    /// Gives a model another name. Its versions stay where they are; that they count as changed is written after
    /// the name, and may lack for some if the request breaks off.
    ///
    /// # Errors
    /// `AlreadyExists` if the project has a model of that name.
    pub async fn rename_registered_model(&self, access: &Access, name: &str, new_name: &str) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let old = self.get(&keys::registered_model(access.project(), name), keys::META).await?;
            let Some(old) = old.filter(|item| item.find_str("name") == Some(name)) else {
                return Err(no_registered_model(name));
            };
            let model = self.complete_model(&old).await?;
            let now = self.clock.now_ms().max(model.last_update_time);
            let renamed = RegisteredModel {
                name: new_name.to_owned(),
                last_update_time: now,
                revision: model.revision + 1,
                ..model.clone()
            };
            let done = if name == new_name {
                self.write_model(&model, vec![("updated", number(now))], Vec::new()).await?
            } else {
                // With what a newer version of the hub keeps there.
                let mut meta = old;
                meta.remove("ov");
                meta.extend(write_model(&renamed));
                let mut items = self.new_entity(meta)?;
                items.extend(self.delete_model_items(&model).await?);
                let pointer = Update::builder()
                    .table_name(&self.table)
                    .set_key(Some(key(keys::model_uid(&model.uid), keys::META)))
                    .condition_expression("attribute_exists(PK)")
                    .update_expression("SET #name = :name")
                    .expression_attribute_names("#name", "name")
                    .expression_attribute_values(":name", string(new_name))
                    .build()
                    .map_err(Error::internal)?;
                items.push(TransactWriteItem::builder().update(pointer).build());
                match self.transact(items).await? {
                    Ok(()) => true,
                    Err(reasons)
                        if reasons.first().is_some_and(|reason| reason.code() == Some("ConditionalCheckFailed")) =>
                    {
                        return Err(Error::AlreadyExists(format!(
                            "Registered Model (name={new_name}) already exists."
                        )));
                    }
                    Err(_) => false,
                }
            };
            self.caches.registered_models.remove(&(access.project(), name.to_owned()));
            if done {
                return self.touch_versions(&renamed, now).await;
            }
            wait(deadline).await?;
        }
    }

    /// Says of every version that it was changed, and puts it in its new place of the index.
    async fn touch_versions(&self, model: &RegisteredModel, now: i64) -> Result<()> {
        let touch = |version: u64| {
            let update = self
                .update(&keys::model_version(&model.uid, version), keys::META, Some("updated <= :now"))
                .update_expression("SET updated = :now, GSI1SK = :place ADD rev :one")
                .expression_attribute_values(":now", number(now))
                .expression_attribute_values(":place", string(keys::version_order(now, &model.name, version)))
                .expression_attribute_values(":one", number(1));
            async move { self.send_update(update).await.map(|_| ()) }
        };
        self.sweep(model, "touched", touch).await
    }

    /// Deletes a model and all that belongs to it. It is unreachable at once; its versions follow.
    pub async fn delete_registered_model(&self, access: &Access, name: &str) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let model = self.existing_model(access, name).await?;
            let mut items = self.delete_model_items(&model).await?;
            items.push(delete(&self.table, key(keys::model_uid(&model.uid), keys::META), None)?);
            let done = self.transact(items).await?.is_ok();
            self.caches.registered_models.remove(&(access.project(), name.to_owned()));
            if done {
                let remove = |version: u64| self.remove_version(&model.uid, version);
                return self.sweep(&model, "removed", remove).await;
            }
            wait(deadline).await?;
        }
    }

    /// Does something to every version of a model, within the time that a request has.
    async fn sweep<F>(&self, model: &RegisteredModel, done: &str, work: impl Fn(u64) -> F) -> Result<()>
    where
        F: Future<Output = Result<()>>,
    {
        let all = stream::iter(model.stages.numbers().rev()).map(work).buffer_unordered(WRITES_AT_A_TIME);
        let finished = tokio::time::timeout(SWEEP, all.try_for_each(|()| async { Ok(()) })).await;
        match finished {
            Ok(Ok(())) => {}
            // The model itself is written; only what nobody can reach, or a time stamp, is left behind.
            Ok(Err(error)) => tracing::warn!(%error, uid = model.uid, "not all versions were {done}"),
            Err(_) => tracing::warn!(uid = model.uid, "not all versions were {done} in time"),
        }
        Ok(())
    }

    /// The deletion of a model's own items, in the state in which it was read.
    async fn delete_model_items(&self, model: &RegisteredModel) -> Result<Vec<TransactWriteItem>> {
        let pk = keys::registered_model(model.project, &model.name);
        let mut items = vec![delete(&self.table, key(&pk, keys::META), Some(model))?];
        for page in self.query_prefix(&pk, keys::OVERFLOW_PAGES).await? {
            items.push(delete(&self.table, key(&pk, page.text("SK")?), None)?);
        }
        Ok(items)
    }

    /// Sets a tag, or deletes one; it need not be there.
    pub async fn change_registered_model_tag(&self, access: &Access, name: &str, tag: TagChange) -> Result<()> {
        let model = self.existing_model(access, name).await?;
        let pk = keys::registered_model(model.project, name);
        let partition = |prompt| string(keys::models_of(model.project, prompt));
        match self.change(&pk, registry_tag(tag, &model.tags, partition), &Guard::Own).await? {
            Ok(_) | Err(Refusal::NoSuchTag) => Ok(()),
            Err(_) => Err(no_registered_model(name)),
        }
    }

    /// Points an alias at a version, or nowhere.
    ///
    /// # Errors
    /// `NotFound` if there is no such version.
    pub async fn set_alias(&self, access: &Access, name: &str, alias: &str, version: Option<u64>) -> Result<()> {
        self.change_model(access, name, |model, _| {
            let mut all = model.aliases.clone();
            match version {
                Some(version) if model.stages.get(version).is_none() => {
                    return Err(super::no_version(name, &version.to_string()));
                }
                Some(version) => all.insert(alias.to_owned(), version),
                None => all.remove(alias),
            };
            let set = if all == model.aliases { Vec::new() } else { vec![("aliases", aliases(&all))] };
            Ok((set, Vec::new()))
        })
        .await
        .map(|_| ())
    }

    /// The model, which must exist.
    pub(crate) async fn existing_model(&self, access: &Access, name: &str) -> Result<RegisteredModel> {
        let model = self.read_registered_model(access.project(), name).await?;
        model.ok_or_else(|| no_registered_model(name))
    }

    /// Changes a model as `decide` says, given the model as it is and the time (ms): attributes of the model, and more
    /// items in the same transaction. Decides anew when somebody else was faster. Answers the model as it was decided upon.
    pub(crate) async fn change_model(
        &self,
        access: &Access,
        name: &str,
        decide: impl Fn(&RegisteredModel, i64) -> Result<ModelWrite>,
    ) -> Result<RegisteredModel> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let model = self.existing_model(access, name).await?;
            let (set, more) = decide(&model, self.clock.now_ms())?;
            if (set.is_empty() && more.is_empty()) || self.write_model(&model, set, more).await? {
                return Ok(model);
            }
            wait(deadline).await?;
        }
    }

    /// Writes attributes of a model, and more in the same transaction; `false` if it, or the rest, is no longer as read.
    pub(crate) async fn write_model(
        &self,
        model: &RegisteredModel,
        set: Vec<(&'static str, AttributeValue)>,
        more: Vec<TransactWriteItem>,
    ) -> Result<bool> {
        let mut update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(keys::registered_model(model.project, &model.name), keys::META)))
            .condition_expression("attribute_exists(PK) AND uid = :uid AND rev = :seen")
            .expression_attribute_values(":uid", string(&model.uid))
            .expression_attribute_values(":seen", number(model.revision))
            .expression_attribute_values(":one", number(1));
        let mut sets = Vec::with_capacity(set.len());
        for (at, (name, value)) in set.into_iter().enumerate() {
            sets.push(format!("#s{at} = :s{at}"));
            update = update
                .expression_attribute_names(format!("#s{at}"), name)
                .expression_attribute_values(format!(":s{at}"), value);
        }
        let sets = if sets.is_empty() { String::new() } else { format!("SET {} ", sets.join(", ")) };
        let update = update.update_expression(format!("{sets}ADD rev :one")).build().map_err(Error::internal)?;
        let mut items = vec![TransactWriteItem::builder().update(update).build()];
        items.extend(more);
        Ok(self.transact(items).await?.is_ok())
    }
}

/// Attributes of a model to set, and further writes of the same transaction.
pub(crate) type ModelWrite = (Vec<(&'static str, AttributeValue)>, Vec<TransactWriteItem>);

/// Sets or deletes a tag; the one that makes a prompt moves its holder to the other `partition` of the index.
pub(crate) fn registry_tag(
    tag: TagChange,
    tags: &BTreeMap<String, String>,
    partition: impl Fn(bool) -> AttributeValue,
) -> Change {
    let mut after = tags.clone();
    let mut change = match tag {
        TagChange::Set(key, value) => {
            after.insert(key.clone(), value.clone());
            Change { tags: BTreeMap::from([(key, value)]), ..Change::default() }
        }
        TagChange::Delete(key) => {
            after.remove(&key);
            Change { delete_tag: Some(key), ..Change::default() }
        }
    };
    if after.get(PROMPT_TAG) != tags.get(PROMPT_TAG) {
        change.set.push(("GSI1PK", partition(is_prompt(&after))));
    }
    change
}

/// There is no such model, or it is hidden: the same words.
pub fn no_registered_model(name: &str) -> Error {
    Error::not_found(format!("Registered Model with name={name} not found"))
}

/// A pause before the next try, or the end of trying.
pub(crate) async fn wait(deadline: Instant) -> Result<()> {
    if Instant::now() >= deadline {
        return Err(Error::Unavailable("others kept writing to a registered model for 5 s".into()));
    }
    tokio::time::sleep(jitter()).await;
    Ok(())
}

/// The deletion of an item, in a transaction; of a model only in the state in which it was read.
pub(crate) fn delete(table: &str, key: Item, model: Option<&RegisteredModel>) -> Result<TransactWriteItem> {
    let mut delete = Delete::builder().table_name(table).set_key(Some(key));
    if let Some(model) = model {
        delete = delete
            .condition_expression("uid = :uid AND rev = :seen")
            .expression_attribute_values(":uid", string(&model.uid))
            .expression_attribute_values(":seen", number(model.revision));
    }
    Ok(TransactWriteItem::builder().delete(delete.build().map_err(Error::internal)?).build())
}

/// Leads from a model's uid to its name.
fn pointer(model: &RegisteredModel) -> Item {
    let mut item = key(keys::model_uid(&model.uid), keys::META);
    item.insert("project".to_owned(), number(model.project));
    item.insert("name".to_owned(), string(&model.name));
    item
}

fn versions(uid: &str, numbers: &[u64]) -> Vec<(String, String)> {
    numbers.iter().map(|&number| (keys::model_version(uid, number), keys::META.to_owned())).collect()
}

fn name_taken(new: &RegisteredModel, by_prompt: bool) -> Error {
    let kind = |prompt| if prompt { "Prompt" } else { "Registered Model" };
    let name = &new.name;
    let is_prompt = new.tags.contains_key(PROMPT_TAG);
    if by_prompt == is_prompt {
        return Error::AlreadyExists(format!("{} (name={name}) already exists.", kind(by_prompt)));
    }
    Error::AlreadyExists(format!(
        "Tried to create a {} with name {}, but the name is already taken by a {}. MLflow does not allow creating a model \
         and a prompt with the same name.",
        kind(is_prompt).to_lowercase(),
        crate::model::validation::shown(name),
        kind(by_prompt).to_lowercase()
    ))
}
