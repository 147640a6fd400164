//! Items of registered models and their versions.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{Attributes, Item, key, number, string, string_map};
use super::keys;
use crate::error::{Error, Result};
use crate::model::{ExperimentId, Lifecycle, ModelVersion, ProjectId, RegisteredModel, Stage, Stages, is_prompt};

pub(crate) fn write_model(model: &RegisteredModel) -> Item {
    let mut item = key(keys::registered_model(model.project, &model.name), keys::META);
    let attributes = [
        ("GSI1PK", string(keys::models_of(model.project, model.is_prompt()))),
        ("GSI1SK", string(&model.name)),
        ("uid", string(&model.uid)),
        ("project", number(model.project)),
        ("name", string(&model.name)),
        ("description", string(&model.description)),
        ("created", number(model.creation_time)),
        ("updated", number(model.last_update_time)),
        ("lifecycle", string(Lifecycle::Active.as_str())),
        ("tags", string_map(&model.tags)),
        ("aliases", aliases(&model.aliases)),
        ("stages", string(model.stages.to_text())),
        ("rev", number(model.revision)),
    ];
    item.extend(attributes.map(|(name, value)| (name.to_owned(), value)));
    item
}

pub(crate) fn read_model(item: &Item) -> Result<RegisteredModel> {
    let aliases = item.find("aliases").and_then(|value| value.as_m().ok());
    let aliases = aliases
        .into_iter()
        .flatten()
        .filter_map(|(alias, version)| Some((alias.clone(), version.as_n().ok()?.parse().ok()?)));
    Ok(RegisteredModel {
        uid: item.text("uid")?,
        project: ProjectId(item.number("project")?),
        name: item.text("name")?,
        description: item.text("description")?,
        creation_time: item.number("created")?,
        last_update_time: item.number("updated")?,
        tags: item.strings("tags"),
        aliases: aliases.collect(),
        stages: Stages::parse(&item.text("stages")?).ok_or_else(|| Error::internal("a model's stages are damaged"))?,
        revision: item.number("rev")?,
    })
}

pub(crate) fn aliases(aliases: &BTreeMap<String, u64>) -> AttributeValue {
    AttributeValue::M(aliases.iter().map(|(alias, version)| (alias.clone(), number(version))).collect())
}

/// `name` is the model's: it is part of the version's place in the index.
pub(crate) fn write_version(version: &ModelVersion, name: &str) -> Item {
    let mut item = key(keys::model_version(&version.uid, version.number), keys::META);
    let attributes = [
        ("GSI1PK", string(keys::versions_of(version.project, is_prompt(&version.tags)))),
        ("GSI1SK", string(keys::version_order(version.last_update_time, name, version.number))),
        ("uid", string(&version.uid)),
        ("number", number(version.number)),
        ("project", number(version.project)),
        ("created", number(version.creation_time)),
        ("updated", number(version.last_update_time)),
        ("description", description(version.description.as_deref())),
        ("source", string(&version.source)),
        ("storage", string(&version.storage)),
        ("run", string(&version.run_id)),
        ("run_link", string(&version.run_link)),
        ("stage", string(version.stage.as_str())),
        ("lifecycle", string(Lifecycle::Active.as_str())),
        ("tags", string_map(&version.tags)),
        ("rev", number(0)),
    ];
    item.extend(attributes.map(|(name, value)| (name.to_owned(), value)));
    if let Some(experiment) = version.default_experiment {
        item.insert("default_experiment".to_owned(), number(experiment));
    }
    item
}

pub(crate) fn description(text: Option<&str>) -> AttributeValue {
    text.map_or(AttributeValue::Null(true), string)
}

pub(crate) fn read_version(item: &Item) -> Result<ModelVersion> {
    let stage = item.text("stage")?;
    Ok(ModelVersion {
        uid: item.text("uid")?,
        number: item.number("number")?,
        project: ProjectId(item.number("project")?),
        creation_time: item.number("created")?,
        last_update_time: item.number("updated")?,
        description: item.find_str("description").map(str::to_owned),
        source: item.text("source")?,
        storage: item.text("storage")?,
        default_experiment: item.find_number("default_experiment").map(ExperimentId),
        run_id: item.text("run")?,
        run_link: item.text("run_link")?,
        stage: Stage::parse(&stage).ok_or_else(|| Error::internal("a version has an unknown stage"))?,
        tags: item.strings("tags"),
    })
}
