//! Versions of registered models: create, describe, move between stages, delete, tags.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::attributes::{Change, Guard, Refusal, TagChange, put_if_absent};
use super::item::{Attributes, Item, key, number, string};
use super::registered_models::{PATIENCE, delete, registry_tag, wait};
use super::registry_items::{aliases, description, read_version, write_version};
use super::{Store, keys};
use crate::auth::Access;
use crate::error::{Error, Result};
use crate::model::{ExperimentId, ModelVersion, RegisteredModel, Stage};

/// Most versions that are archived in one transaction, which has 100 items.
const MOST_AT_ONCE: usize = 90;
/// The tag of a logged model that names the versions made from it.
const VERSIONS_TAG: &str = "mlflow.modelVersions";

/// A version about to be made; sources and runs have been checked.
#[derive(Clone, Debug)]
pub struct NewModelVersion {
    pub source: String,
    pub storage: String,
    pub default_experiment: Option<ExperimentId>,
    pub run_id: String,
    pub run_link: String,
    pub description: String,
    pub tags: BTreeMap<String, String>,
    /// The logged model that it promotes, which is told.
    pub logged_model: Option<String>,
}

/// The value of [`VERSIONS_TAG`] with one more version in it, spaced as the stock server does. Clients write this tag too,
/// and number versions by text: what stands there is kept as it is.
fn with_promotion(before: Option<&String>, name: &str, version: u64) -> String {
    let known: Vec<Value> = before.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let entries = known.into_iter().chain([json!({"name": name, "version": version})]).map(|entry| match entry {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{}: {value}", Value::from(name.as_str())));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    });
    format!("[{}]", entries.collect::<Vec<_>>().join(", "))
}

/// How a logged model is told of a version.
enum Promotion {
    Together(Box<TransactWriteItem>),
    Later(Change),
}

impl Store {
    /// Creates the next version of a model, in one transaction.
    pub async fn create_model_version(
        &self,
        access: &Access,
        name: &str,
        new: NewModelVersion,
    ) -> Result<(RegisteredModel, ModelVersion)> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut model = self.existing_model(access, name).await?;
            let now = self.clock.now_ms().max(model.last_update_time);
            let version = ModelVersion {
                uid: model.uid.clone(),
                number: model.stages.add(),
                project: model.project,
                creation_time: now,
                last_update_time: now,
                description: Some(new.description.clone()),
                source: new.source.clone(),
                storage: new.storage.clone(),
                default_experiment: new.default_experiment,
                run_id: new.run_id.clone(),
                run_link: new.run_link.clone(),
                stage: Stage::None,
                tags: new.tags.clone(),
            };
            let mut items = self.new_entity(write_version(&version, name))?;
            if !version.run_id.is_empty() {
                items.push(put_if_absent(&self.table, made_from_run(&version))?);
            }
            let mut later = None;
            if let Some(id) = &new.logged_model {
                match self.promotion(id, name, version.number).await? {
                    Promotion::Together(write) => items.push(*write),
                    Promotion::Later(change) => later = Some((keys::logged_model(id), change)),
                }
            }
            let set = vec![("stages", string(model.stages.to_text())), ("updated", number(now))];
            if self.write_model(&model, set, items).await? {
                if let Some((pk, change)) = later.filter(|(_, change)| !change.tags.is_empty()) {
                    // Deleted meanwhile: then there is nobody to tell. The version is there in any case: an error would
                    // make clients create it again.
                    if let Err(error) = self.change(&pk, change, &Guard::Own).await {
                        tracing::warn!(%error, "a logged model was not told of a version made from it");
                    }
                }
                model.last_update_time = now;
                return Ok((model, version));
            }
            wait(deadline).await?;
        }
    }

    /// Tells a logged model of a version made from it: in the version's transaction or, where the model's tags have
    /// overflowed, afterwards.
    async fn promotion(&self, id: &str, name: &str, version: u64) -> Result<Promotion> {
        let pk = keys::logged_model(id);
        let Some(model) = self.get(&pk, keys::META).await? else { return Ok(Promotion::Later(Change::default())) };
        let mut tags = model.strings("tags");
        let has_overflowed = model.contains_key("ov");
        if has_overflowed {
            tags.extend(self.read_overflow(&pk).await?.1);
        }
        let text = with_promotion(tags.get(VERSIONS_TAG), name, version);
        if has_overflowed {
            let tags = BTreeMap::from([(VERSIONS_TAG.to_owned(), text)]);
            return Ok(Promotion::Later(Change { tags, ..Change::default() }));
        }
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(&pk, keys::META)))
            .condition_expression("attribute_exists(PK) AND rev = :seen AND attribute_not_exists(ov)")
            .update_expression("SET tags.#tag = :tag ADD rev :one")
            .expression_attribute_names("#tag", VERSIONS_TAG)
            .expression_attribute_values(":tag", string(text))
            .expression_attribute_values(":seen", number(model.number::<u64>("rev")?))
            .expression_attribute_values(":one", number(1))
            .build()
            .map_err(Error::internal)?;
        Ok(Promotion::Together(Box::new(TransactWriteItem::builder().update(update).build())))
    }

    /// Gives a version another description; `None` takes it away.
    pub async fn describe_model_version(
        &self,
        access: &Access,
        name: &str,
        number: u64,
        text: Option<&str>,
    ) -> Result<()> {
        let now = self.clock.now_ms();
        let change = |_: &RegisteredModel, _: &ModelVersion| Change {
            set: vec![
                ("description", description(text)),
                ("updated", super::item::number(now)),
                ("GSI1SK", string(keys::version_order(now, name, number))),
            ],
            ..Change::default()
        };
        self.change_version(access, name, number, change).await
    }

    /// Sets a tag of a version, or deletes one; it need not be there.
    pub async fn change_model_version_tag(
        &self,
        access: &Access,
        name: &str,
        number: u64,
        tag: TagChange,
    ) -> Result<()> {
        let change = |model: &RegisteredModel, version: &ModelVersion| {
            registry_tag(tag.clone(), &version.tags, |prompt| string(keys::versions_of(model.project, prompt)))
        };
        self.change_version(access, name, number, change).await
    }

    async fn change_version(
        &self,
        access: &Access,
        name: &str,
        number: u64,
        change: impl Fn(&RegisteredModel, &ModelVersion) -> Change,
    ) -> Result<()> {
        let found = self.find_registered_model(access, name, |model| live(model, number)).await?;
        let missing = || no_version(name, &number.to_string());
        let Some((model, versions)) = found else { return Err(missing()) };
        let version = versions.first().ok_or_else(missing)?;
        let pk = keys::model_version(&model.uid, number);
        match self.change(&pk, change(&model, version), &Guard::Own).await? {
            Ok(_) | Err(Refusal::NoSuchTag) => Ok(()),
            Err(_) => Err(missing()),
        }
    }

    /// Moves a version to a stage and, if `archive`, those that are there to `Archived`: as many at a time as a transaction
    /// takes, the version itself with the last of them. What a failure leaves undone, the same call completes.
    pub async fn transition_stage(
        &self,
        access: &Access,
        name: &str,
        version: u64,
        stage: Stage,
        archive: bool,
    ) -> Result<()> {
        let others = |model: &RegisteredModel| -> Vec<u64> {
            model.stages.in_stage(stage).filter(|other| archive && *other != version).collect()
        };
        loop {
            let model = self
                .change_model(access, name, |model, now| {
                    if model.stages.get(version).is_none() {
                        return Err(no_version(name, &version.to_string()));
                    }
                    let now = now.max(model.last_update_time);
                    let others = others(model);
                    let mut moved: Vec<_> =
                        others.iter().take(MOST_AT_ONCE).map(|other| (*other, Stage::Archived)).collect();
                    if others.len() <= MOST_AT_ONCE {
                        moved.push((version, stage));
                    }
                    let mut stages = model.stages.clone();
                    for (number, stage) in &moved {
                        stages.set(*number, Some(*stage));
                    }
                    let more = moved.iter().map(|(number, stage)| self.to_stage(model, *number, *stage, now));
                    let set = vec![("stages", string(stages.to_text())), ("updated", number(now))];
                    Ok((set, more.collect::<Result<_>>()?))
                })
                .await?;
            if others(&model).len() <= MOST_AT_ONCE {
                return Ok(());
            }
        }
    }

    fn to_stage(&self, model: &RegisteredModel, version: u64, stage: Stage, now: i64) -> Result<TransactWriteItem> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(keys::model_version(&model.uid, version), keys::META)))
            .condition_expression("attribute_exists(PK)")
            .update_expression("SET stage = :stage, updated = :now, GSI1SK = :place ADD rev :one")
            .expression_attribute_values(":stage", string(stage.as_str()))
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":place", string(keys::version_order(now, &model.name, version)))
            .expression_attribute_values(":one", number(1))
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Deletes a version, with the aliases that point at it. Its number is never used again.
    pub async fn delete_model_version(&self, access: &Access, name: &str, version: u64) -> Result<()> {
        let missing = || no_version(name, &version.to_string());
        let uid = match self.read_registered_model(access.project(), name).await? {
            Some(model) if model.stages.get(version).is_some() => model.uid,
            _ => return Err(missing()),
        };
        let pk = keys::model_version(&uid, version);
        let item = self.get(&pk, keys::META).await?;
        self.change_model(access, name, |model, now| {
            if model.uid != uid || model.stages.get(version).is_none() {
                return Err(missing());
            }
            let mut stages = model.stages.clone();
            stages.set(version, None);
            let mut left = model.aliases.clone();
            left.retain(|_, of| *of != version);
            let set = vec![
                ("stages", string(stages.to_text())),
                ("aliases", aliases(&left)),
                ("updated", number(now.max(model.last_update_time))),
            ];
            Ok((set, vec![delete(&self.table, key(&pk, keys::META), None)?]))
        })
        .await?;
        if let Some(item) = item
            && let Err(error) = self.remove_rest_of_version(&item).await
        {
            // It is deleted: what is left behind nobody can reach.
            tracing::warn!(%error, uid, version, "not all of a version was removed");
        }
        Ok(())
    }

    /// Removes a version that nobody can reach any more.
    pub(crate) async fn remove_version(&self, uid: &str, version: u64) -> Result<()> {
        let pk = keys::model_version(uid, version);
        let Some(item) = self.get(&pk, keys::META).await? else { return Ok(()) };
        self.remove_rest_of_version(&item).await?;
        self.delete(&pk, keys::META).await
    }

    /// Overflow pages, and the trace in the run.
    async fn remove_rest_of_version(&self, item: &Item) -> Result<()> {
        let version = read_version(item)?;
        if !version.run_id.is_empty() {
            self.delete(&keys::run(&version.run_id), &keys::version_of_run(&version.uid, version.number)).await?;
        }
        if item.contains_key("ov") {
            let pk = keys::model_version(&version.uid, version.number);
            for page in self.query_prefix(&pk, keys::OVERFLOW_PAGES).await? {
                self.delete(&pk, &page.text("SK")?).await?;
            }
        }
        Ok(())
    }
}

/// The version, if the model has it: what to read with the model.
fn live(model: &RegisteredModel, number: u64) -> Vec<u64> {
    model.stages.get(number).map(|_| number).into_iter().collect()
}

/// There is no such version; `version` as the stock server shows it.
pub fn no_version(name: &str, version: &str) -> Error {
    Error::not_found(format!("Model Version (name={name}, version={version}) not found"))
}

fn made_from_run(version: &ModelVersion) -> Item {
    let mut item = key(keys::run(&version.run_id), keys::version_of_run(&version.uid, version.number));
    item.insert("uid".to_owned(), string(&version.uid));
    item.insert("number".to_owned(), number(version.number));
    item
}
