//! Lists of registered models and versions, from the index by project.

use std::collections::{HashMap, HashSet};

use futures::stream::{self, StreamExt, TryStreamExt};

use super::item::{Attributes, Item, string};
use super::{Store, keys};
use crate::auth::Access;
use crate::error::Result;
use crate::model::{ModelVersion, ProjectId, RegisteredModel};

/// Rows completed at a time.
const ROWS_AT_A_TIME: usize = 32;

/// A project's models, or versions, in the order of the index; eventually consistent.
pub struct RegistryRows {
    partition: String,
    /// Where the next rows begin: behind this place, or at it.
    from: Option<(String, bool)>,
    next: Option<Item>,
    exhausted: bool,
}

impl RegistryRows {
    /// Registered models by name; `from` is a place of [`Store::model_rows`] and whether it counts itself.
    pub fn of_models(access: &Access, prompts: bool, from: Option<(String, bool)>) -> Self {
        Self::new(keys::models_of(access.project(), prompts), from)
    }

    /// Versions, the latest changed first.
    pub fn of_versions(access: &Access, prompts: bool, from: Option<(String, bool)>) -> Self {
        Self::new(keys::versions_of(access.project(), prompts), from)
    }

    fn new(partition: String, from: Option<(String, bool)>) -> Self {
        Self { partition, from, next: None, exhausted: false }
    }

    /// Are there no more rows?
    pub fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// The next rows, about `count`; fewer, or none, do not mean that there are no more.
    async fn next(&mut self, store: &Store, count: usize) -> Result<Vec<Item>> {
        if self.exhausted {
            return Ok(Vec::new());
        }
        let condition = match &self.from {
            None => "GSI1PK = :partition",
            Some((_, true)) => "GSI1PK = :partition AND GSI1SK >= :from",
            Some((_, false)) => "GSI1PK = :partition AND GSI1SK > :from",
        };
        let query = store
            .client
            .query()
            .index_name(keys::GSI1)
            .key_condition_expression(condition)
            .expression_attribute_values(":partition", string(&self.partition))
            .set_exclusive_start_key(self.next.take())
            .limit(i32::try_from(count.clamp(1, 1_000)).unwrap_or(1_000));
        let query = match &self.from {
            Some((from, _)) => query.expression_attribute_values(":from", string(from)),
            None => query,
        };
        let (items, next) = store.query_page(query).await?;
        self.exhausted = next.is_none();
        self.next = next;
        Ok(items)
    }
}

impl Store {
    /// The next models of a list with their places in it, about `count`.
    pub async fn model_rows(&self, rows: &mut RegistryRows, count: usize) -> Result<Vec<(String, RegisteredModel)>> {
        let items = rows.next(self, count).await?;
        let complete = |item: Item| async move {
            let place = item.text("GSI1SK")?;
            Ok((place, self.complete_model(&item).await?))
        };
        stream::iter(items).map(complete).buffered(ROWS_AT_A_TIME).try_collect().await
    }

    /// The next versions of a list with their places in it, about `count`.
    pub async fn version_rows(&self, rows: &mut RegistryRows, count: usize) -> Result<Vec<(String, ModelVersion)>> {
        let items = rows.next(self, count).await?;
        let complete = |item: Item| async move { Ok((item.text("GSI1SK")?, self.complete_version(&item).await?)) };
        stream::iter(items).map(complete).buffered(ROWS_AT_A_TIME).try_collect().await
    }

    /// Versions of a project by their models' uid and number; in no order, missing ones left out.
    pub async fn get_model_versions(&self, access: &Access, wanted: &[(String, u64)]) -> Result<Vec<ModelVersion>> {
        let keys = wanted.iter().map(|(uid, number)| (keys::model_version(uid, *number), keys::META.to_owned()));
        let items = self.batch_get(keys.collect()).await?;
        let complete = |item: Item| async move { self.complete_version(&item).await };
        let found: Vec<ModelVersion> = stream::iter(items).map(complete).buffered(ROWS_AT_A_TIME).try_collect().await?;
        found.iter().try_for_each(|version| access.covers(version.project))?;
        Ok(found)
    }

    /// The versions that were made from a run: uid and number.
    pub async fn versions_of_run(&self, run_id: &str) -> Result<Vec<(String, u64)>> {
        let items = self.query_prefix(&keys::run(run_id), keys::VERSIONS_OF_RUN).await?;
        items.iter().map(|item| Ok((item.text("uid")?, item.number("number")?))).collect()
    }

    /// The names that models have now, by uid; deleted models have none.
    pub async fn names_of_models(&self, access: &Access, uids: HashSet<String>) -> Result<HashMap<String, String>> {
        let keys = uids.iter().map(|uid| (keys::model_uid(uid), keys::META.to_owned())).collect();
        let mut names = HashMap::with_capacity(uids.len());
        for item in self.batch_get(keys).await? {
            access.covers(ProjectId(item.number("project")?))?;
            let uid = keys::id_in(item.find_str("PK").unwrap_or_default());
            names.insert(uid.to_owned(), item.text("name")?);
        }
        Ok(names)
    }
}
