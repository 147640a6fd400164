//! Writing params, tags and plain attributes of a META item (data.md section 2).
//!
//! A small change is one conditional `UpdateItem`. A large one, one that adds to a list, or one of an entity
//! that has outgrown its META, reads, merges and writes under the condition that `rev` has not moved.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use serde_json::Value;
use tokio::time::Instant;

use super::Store;
use super::item::{Attributes, Item, key, number, string, string_map};
use super::keys;
use super::layout::{Layout, META_ROOM};
use super::request::{Outcome, jitter};
use crate::error::{Error, Result};
use crate::model::{Experiment, Lifecycle};

/// Most params, and most tags, that one expression carries (it may have 4 KB).
const MOST_IN_EXPRESSION: usize = 40;
/// Write units, table and index together, that tell a META past `META_ROOM`.
const LARGE_META_UNITS: f64 = 34.0;

/// A tag to set or delete.
#[derive(Clone, Debug)]
pub enum TagChange {
    Set(String, String),
    Delete(String),
}

/// One write to a META item. Params are write-once; of several tags with one name the last wins.
#[derive(Default)]
pub(crate) struct Change {
    pub(crate) params: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// A tag that must be there.
    pub(crate) delete_tag: Option<String>,
    pub(crate) set: Vec<(&'static str, AttributeValue)>,
    /// A tag that holds a list in JSON, and what is added to it.
    pub(crate) append: Option<(String, Value)>,
}

impl Change {
    /// No expression of DynamoDB adds to a list within a text.
    fn is_small(&self) -> bool {
        self.append.is_none()
            && self.params.len() <= MOST_IN_EXPRESSION
            && self.tags.len() <= MOST_IN_EXPRESSION
            && self.bytes() <= META_ROOM
    }

    fn bytes(&self) -> usize {
        self.params.iter().chain(&self.tags).map(|(key, value)| key.len() + value.len()).sum()
    }
}

/// Why a change was not made.
#[derive(Debug)]
pub(crate) enum Refusal {
    Missing,
    /// The entity, or its experiment, is deleted.
    Deleted,
    /// These params have other values already: key, old value.
    Params(Vec<(String, String)>),
    NoSuchTag,
}

/// The lifecycle stage that a write demands.
#[derive(Clone)]
pub(crate) enum Guard {
    /// The entity's own stage must be active.
    Own,
    /// A run: its own stage counts unless this experiment was deleted or restored later.
    Run(Arc<Experiment>),
}

impl Guard {
    /// How often the experiment behind the guard has been deleted or restored.
    pub(crate) fn changes(&self) -> u64 {
        match self {
            Self::Own => 0,
            Self::Run(experiment) => experiment.changes,
        }
    }

    pub(crate) fn condition(&self) -> &'static str {
        match self {
            Self::Own => "lifecycle = :active",
            Self::Run(experiment) => match experiment.lifecycle {
                Lifecycle::Active => "((xn >= :xn AND lifecycle = :active) OR xn < :xn)",
                Lifecycle::Deleted => "xn >= :xn AND lifecycle = :active",
            },
        }
    }

    pub(crate) fn bind(&self, update: UpdateItemFluentBuilder) -> UpdateItemFluentBuilder {
        match self {
            Self::Own => update.expression_attribute_values(":active", string(Lifecycle::Active.as_str())),
            Self::Run(experiment) => update
                .expression_attribute_values(":active", string(Lifecycle::Active.as_str()))
                .expression_attribute_values(":xn", number(experiment.changes)),
        }
    }

    pub(crate) fn allows(&self, item: &Item) -> bool {
        let own_is_active = item.find_str("lifecycle") == Some(Lifecycle::Active.as_str());
        match self {
            Self::Own => own_is_active,
            Self::Run(experiment) => {
                if item.find_number::<u64>("xn").unwrap_or(0) >= experiment.changes {
                    own_is_active
                } else {
                    experiment.lifecycle == Lifecycle::Active
                }
            }
        }
    }
}

impl Store {
    /// Makes a change; when it sets plain attributes, answers META as it is afterwards.
    pub(crate) async fn change(&self, pk: &str, change: Change, guard: &Guard) -> Result<Result<Item, Refusal>> {
        if !change.is_small() {
            return self.rewrite(pk, &change, guard).await;
        }
        let operation = uuid::Uuid::new_v4().to_string();
        let outcome = self.send_update(self.small_update(pk, &change, guard, &operation)).await?;
        let refused = match outcome {
            Outcome::Done { attributes, units } => {
                if units >= LARGE_META_UNITS {
                    self.begin_overflow(pk).await?;
                }
                return Ok(Ok(attributes));
            }
            Outcome::Refused(None) => return Ok(Err(Refusal::Missing)),
            Outcome::Refused(Some(item)) => item,
        };
        // The first try may have succeeded and its answer been lost.
        if refused.find_str("op") == Some(&operation) {
            return Ok(Ok(refused));
        }
        if !guard.allows(&refused) {
            return Ok(Err(Refusal::Deleted));
        }
        if let Some(refusal) = conflict(&change, &refused.strings("params")) {
            return Ok(Err(refusal));
        }
        if !refused.contains_key("ov")
            && change.delete_tag.as_ref().is_some_and(|tag| !refused.strings("tags").contains_key(tag))
        {
            return Ok(Err(Refusal::NoSuchTag));
        }
        self.rewrite(pk, &change, guard).await
    }

    fn small_update(&self, pk: &str, change: &Change, guard: &Guard, operation: &str) -> UpdateItemFluentBuilder {
        let mut conditions = vec![guard.condition().to_owned()];
        let mut sets = vec!["op = :op".to_owned()];
        let mut removes = String::new();
        if !(change.params.is_empty() && change.tags.is_empty() && change.delete_tag.is_none()) {
            conditions.push("attribute_not_exists(ov)".to_owned());
        }
        for number in 0..change.params.len() {
            conditions.push(format!("(attribute_not_exists(params.#p{number}) OR params.#p{number} = :p{number})"));
            sets.push(format!("params.#p{number} = :p{number}"));
        }
        for number in 0..change.tags.len() {
            sets.push(format!("tags.#t{number} = :t{number}"));
        }
        if change.delete_tag.is_some() {
            conditions.push("attribute_exists(tags.#d)".to_owned());
            " REMOVE tags.#d".clone_into(&mut removes);
        }
        for number in 0..change.set.len() {
            sets.push(format!("#s{number} = :s{number}"));
        }
        let mut update = guard.bind(self.update(pk, keys::META, Some(&conditions.join(" AND "))));
        update = update
            .update_expression(format!("SET {}{removes} ADD rev :one", sets.join(", ")))
            .expression_attribute_values(":op", string(operation))
            .expression_attribute_values(":one", number(1))
            .return_values(if change.set.is_empty() { ReturnValue::None } else { ReturnValue::AllNew });
        for (number, (name, value)) in change.params.iter().enumerate() {
            update = update
                .expression_attribute_names(format!("#p{number}"), name)
                .expression_attribute_values(format!(":p{number}"), string(value));
        }
        for (number, (name, value)) in change.tags.iter().enumerate() {
            update = update
                .expression_attribute_names(format!("#t{number}"), name)
                .expression_attribute_values(format!(":t{number}"), string(value));
        }
        if let Some(tag) = &change.delete_tag {
            update = update.expression_attribute_names("#d", tag);
        }
        for (number, (name, value)) in change.set.iter().enumerate() {
            update = update
                .expression_attribute_names(format!("#s{number}"), *name)
                .expression_attribute_values(format!(":s{number}"), value.clone());
        }
        update
    }

    async fn begin_overflow(&self, pk: &str) -> Result<()> {
        let update = self
            .update(pk, keys::META, Some("attribute_not_exists(ov)"))
            .update_expression("SET ov = :true")
            .expression_attribute_values(":true", AttributeValue::Bool(true));
        self.send_update(update).await.map(|_| ())
    }

    async fn rewrite(&self, pk: &str, change: &Change, guard: &Guard) -> Result<Result<Item, Refusal>> {
        let deadline = Instant::now() + Duration::from_secs(5);
        let operation = uuid::Uuid::new_v4().to_string();
        loop {
            let Some(meta) = self.get(pk, keys::META).await? else {
                return Ok(Err(Refusal::Missing));
            };
            if meta.find_str("op") == Some(&operation) {
                return Ok(Ok(meta));
            }
            if !guard.allows(&meta) {
                return Ok(Err(Refusal::Deleted));
            }
            let pages = match meta.contains_key("ov") {
                true => self.query_prefix(pk, keys::OVERFLOW_PAGES).await?,
                false => Vec::new(),
            };
            let mut layout = Layout::read(&meta, &pages)?;
            if let Err(refusal) = layout.apply(change) {
                return Ok(Err(refusal));
            }
            // What is larger, from before this limit, may still shrink.
            if !(change.params.is_empty() && change.tags.is_empty() && change.append.is_none()) {
                layout.check_size()?;
            }
            if self.write_layout(pk, &meta, &layout, change, &operation).await? {
                return self.get(pk, keys::META).await?.map(Ok).ok_or_else(|| Error::internal("META vanished"));
            }
            if Instant::now() >= deadline {
                return Err(Error::Conflict("others keep writing to this entity; please try again".into()));
            }
            tokio::time::sleep(jitter()).await;
        }
    }

    /// `false`: somebody else wrote since `meta` was read.
    async fn write_layout(
        &self,
        pk: &str,
        meta: &Item,
        layout: &Layout,
        change: &Change,
        operation: &str,
    ) -> Result<bool> {
        let mut sets = vec!["tags = :tags".to_owned(), "op = :op".to_owned()];
        let mut update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(pk, keys::META)))
            .condition_expression("attribute_exists(PK) AND rev = :seen")
            .expression_attribute_values(":seen", number(meta.number::<u64>("rev")?))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":op", string(operation))
            .expression_attribute_values(":tags", string_map(&layout.meta.tags));
        if meta.contains_key("params") {
            sets.push("params = :params".to_owned());
            update = update.expression_attribute_values(":params", string_map(&layout.meta.params));
        }
        if !layout.pages.is_empty() {
            sets.push("ov = :true".to_owned());
            update = update.expression_attribute_values(":true", AttributeValue::Bool(true));
        }
        for (number, (name, value)) in change.set.iter().enumerate() {
            sets.push(format!("#s{number} = :s{number}"));
            update = update
                .expression_attribute_names(format!("#s{number}"), *name)
                .expression_attribute_values(format!(":s{number}"), value.clone());
        }
        let update = update
            .update_expression(format!("SET {} ADD rev :one", sets.join(", ")))
            .build()
            .map_err(Error::internal)?;
        let mut items = vec![TransactWriteItem::builder().update(update).build()];
        for &touched in &layout.touched {
            let page = layout.page_item(pk, touched);
            let put = Put::builder().table_name(&self.table).set_item(Some(page)).build().map_err(Error::internal)?;
            items.push(TransactWriteItem::builder().put(put).build());
        }
        Ok(self.transact(items).await?.is_ok())
    }

    /// Writes the META of a new entity, whose id is new and random: if it is there, the first try had
    /// succeeded and its answer was lost.
    pub(crate) async fn put_new(&self, meta: Item) -> Result<()> {
        if Layout::read(&meta, &[])?.is_small() {
            let put = self.client.put_item().set_item(Some(meta)).condition_expression("attribute_not_exists(PK)");
            return self.send_put(put).await.map(|_| ());
        }
        self.transact(self.new_entity(meta)?).await.map(|_| ())
    }

    /// The writes of a new entity: its META and, where that would be too large, overflow pages.
    pub(crate) fn new_entity(&self, mut meta: Item) -> Result<Vec<TransactWriteItem>> {
        let pk = meta.text("PK")?;
        let mut layout = Layout::read(&meta, &[])?;
        layout.check_size()?;
        layout.spill();
        if !layout.pages.is_empty() {
            meta.insert("ov".to_owned(), AttributeValue::Bool(true));
            meta.insert("tags".to_owned(), string_map(&layout.meta.tags));
            if meta.contains_key("params") {
                meta.insert("params".to_owned(), string_map(&layout.meta.params));
            }
        }
        let mut items = vec![put_if_absent(&self.table, meta)?];
        for number in 0..layout.pages.len() {
            items.push(put_if_absent(&self.table, layout.page_item(&pk, number))?);
        }
        Ok(items)
    }

    /// Params and tags that lie on overflow pages.
    pub(crate) async fn read_overflow(&self, pk: &str) -> Result<(BTreeMap<String, String>, BTreeMap<String, String>)> {
        let mut params = BTreeMap::new();
        let mut tags = BTreeMap::new();
        for page in self.query_prefix(pk, keys::OVERFLOW_PAGES).await? {
            params.extend(page.strings("params"));
            tags.extend(page.strings("tags"));
        }
        Ok((params, tags))
    }
}

/// The params that have other values already.
pub(crate) fn conflict(change: &Change, params: &BTreeMap<String, String>) -> Option<Refusal> {
    let other = |(key, value): (&String, &String)| {
        let old = params.get(key).filter(|old| *old != value)?;
        Some((key.clone(), old.clone()))
    };
    let conflicts: Vec<(String, String)> = change.params.iter().filter_map(other).collect();
    (!conflicts.is_empty()).then_some(Refusal::Params(conflicts))
}

/// A put, in a transaction, of an item that must not be there.
pub(crate) fn put_if_absent(table: &str, item: Item) -> Result<TransactWriteItem> {
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression("attribute_not_exists(PK)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::None)
        .build()
        .map_err(Error::internal)?;
    Ok(TransactWriteItem::builder().put(put).build())
}
