//! The catalog's items: their documents (`META`), and the row that searches read of them (`ROW`), which the
//! index orders by the time of its writing, so that every instance can follow.

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};

use super::Store;
use super::item::{Attributes, Item, binary, key, number, string};
use super::keys;
use super::request::Outcome;
use crate::catalog::{ModelOfProject, Row, Visible};
use crate::catalog::{Sight, StoredItem};
use crate::error::{Error, Result};
use crate::model::{ProjectId, RegisteredModel, Visibility};

/// How long what stands for a vanished item tells so, ms. Snapshots are younger.
const TOMBSTONE_MS: i64 = 90 * 24 * 3_600_000;
/// How long a webhook's delivery is remembered, ms.
const DELIVERY_MS: i64 = 24 * 3_600_000;
/// Most registered models of a project that its item names.
const MOST_MODELS: i32 = 20;

/// What became of an item, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct CatalogChange {
    pub project: ProjectId,
    /// The category's id.
    pub collection: String,
    /// `None`: the item is gone.
    pub row: Option<Row>,
    /// Hash of the documents.
    pub version: String,
    /// Hash of what GitLab's list of projects said.
    pub listing: String,
    /// ms since 1970.
    pub written_at: i64,
}

/// The documents of an item, for callers who see enough of it.
#[derive(Clone, Debug, PartialEq)]
pub struct CatalogDocument {
    pub project: ProjectId,
    pub collection: String,
    /// JSON text in which the hub's own URLs begin with [`crate::catalog::ROOT`].
    pub text: String,
    /// How much of the item this is.
    pub sight: Sight,
    pub visibility: Visibility,
}

impl Store {
    /// Writes an item, read from GitLab from `read_at` (ms) on. False if a later reading is there already.
    pub async fn write_catalog_item(&self, item: &StoredItem, read_at: i64) -> Result<bool> {
        let row = &item.row;
        let pk = keys::catalog_item(row.project, &row.collection);
        let mut meta = key(&pk, keys::META);
        meta.insert("project".to_owned(), number(row.project));
        meta.insert("collection".to_owned(), string(&row.collection));
        meta.insert("visibility".to_owned(), visibility(row.visibility));
        meta.insert("code_visibility".to_owned(), visibility(row.code_visibility));
        meta.insert("full".to_owned(), string(&item.full));
        if let Some(minimal) = &item.minimal {
            meta.insert("minimal".to_owned(), string(minimal));
        }
        let mut entry = self.catalog_row(row.project, &row.collection, read_at);
        entry.insert("row".to_owned(), binary(postcard::to_stdvec(row).map_err(Error::internal)?));
        entry.insert("version".to_owned(), string(&item.version));
        entry.insert("listing".to_owned(), string(&item.listing));
        self.write_catalog(meta, entry, read_at).await
    }

    /// Removes an item that was not to be had any more from `read_at` (ms) on.
    pub async fn remove_catalog_item(&self, project: ProjectId, collection: &str, read_at: i64) -> Result<bool> {
        let mut meta = key(keys::catalog_item(project, collection), keys::META);
        let mut entry = self.catalog_row(project, collection, read_at);
        for item in [&mut meta, &mut entry] {
            item.insert("ttl".to_owned(), number((self.clock.now_ms() + TOMBSTONE_MS) / 1000));
        }
        self.write_catalog(meta, entry, read_at).await
    }

    /// Lets the next reconciliation read a project, whatever GitLab's list says of it.
    pub async fn doubt_catalog_items(&self, project: ProjectId, categories: &[&str]) -> Result<()> {
        for collection in categories {
            let place = keys::catalog_change(self.clock.now_ms(), project, collection);
            // The row of a vanished item has no `row`.
            let update = self
                .update(&keys::catalog_item(project, collection), keys::CATALOG_ROW, Some("attribute_exists(#row)"))
                .update_expression("SET listing = :unknown, GSI1SK = :place")
                .expression_attribute_names("#row", "row")
                .expression_attribute_values(":unknown", string(""))
                .expression_attribute_values(":place", string(place));
            self.send_update(update).await?;
        }
        Ok(())
    }

    fn catalog_row(&self, project: ProjectId, collection: &str, read_at: i64) -> Item {
        let mut entry = key(keys::catalog_item(project, collection), keys::CATALOG_ROW);
        let written_at = self.clock.now_ms();
        entry.insert("project".to_owned(), number(project));
        entry.insert("collection".to_owned(), string(collection));
        entry.insert("read_at".to_owned(), number(read_at));
        entry.insert("GSI1PK".to_owned(), string(keys::CATALOG_CHANGES));
        entry.insert("GSI1SK".to_owned(), string(keys::catalog_change(written_at, project, collection)));
        entry
    }

    /// Both items of a catalog item, unless what is there was read later; a META without documents stands for none.
    async fn write_catalog(&self, meta: Item, row: Item, read_at: i64) -> Result<bool> {
        let put = |item: Item, condition: Option<&str>| {
            let put = Put::builder().table_name(&self.table).set_item(Some(item));
            let put = match condition {
                Some(condition) => {
                    put.condition_expression(condition).expression_attribute_values(":read_at", number(read_at))
                }
                None => put,
            };
            put.build().map_err(Error::internal).map(|put| TransactWriteItem::builder().put(put).build())
        };
        let writes = vec![put(meta, None)?, put(row, Some("attribute_not_exists(PK) OR read_at <= :read_at"))?];
        Ok(self.transact(writes).await?.is_ok())
    }

    /// What changed in the catalog from `since` (ms) on, in the order of writing; perhaps seconds late.
    pub async fn catalog_changes(&self, since: i64) -> Result<Vec<CatalogChange>> {
        let query = self
            .client
            .query()
            .index_name(keys::GSI1)
            .key_condition_expression("GSI1PK = :pk AND GSI1SK >= :from")
            .expression_attribute_values(":pk", string(keys::CATALOG_CHANGES))
            .expression_attribute_values(":from", string(keys::catalog_changes_from(since)));
        self.query(query).await?.iter().map(read_change).collect()
    }

    /// What is known of a project's items in these categories, strongly read.
    pub async fn catalog_rows(&self, project: ProjectId, categories: &[&str]) -> Result<Vec<CatalogChange>> {
        let wanted = categories
            .iter()
            .map(|category| (keys::catalog_item(project, category), keys::CATALOG_ROW.to_owned()))
            .collect();
        self.batch_get(wanted).await?.iter().map(read_change).collect()
    }

    /// The documents of these items, in no order, as far as `visible` shows them now.
    pub async fn catalog_documents(
        &self,
        wanted: &[(ProjectId, &str)],
        visible: &Visible,
    ) -> Result<Vec<CatalogDocument>> {
        let wanted = wanted
            .iter()
            .map(|(id, collection)| (keys::catalog_item(*id, collection), keys::META.to_owned()))
            .collect();
        let items = self.batch_get(wanted).await?;
        items.iter().filter_map(|item| read_document(item, visible).transpose()).collect()
    }

    /// The newest version of each registered model of a project, prompts left out; for the project's item.
    pub async fn catalog_models(&self, project: ProjectId) -> Result<Vec<ModelOfProject>> {
        let query = self
            .client
            .query()
            .index_name(keys::GSI1)
            .key_condition_expression("GSI1PK = :pk")
            .expression_attribute_values(":pk", string(keys::models_of(project, false)))
            .limit(MOST_MODELS);
        let (items, _) = self.query_page(query).await?;
        let mut models: Vec<RegisteredModel> = Vec::with_capacity(items.len());
        for item in items {
            models.push(self.complete_model(&item).await?);
        }
        let newest: Vec<(String, String)> = models
            .iter()
            .filter_map(|model| {
                Some((keys::model_version(&model.uid, model.stages.numbers().next_back()?), keys::META.to_owned()))
            })
            .collect();
        let versions = self.batch_get(newest).await?;
        let mut found = Vec::with_capacity(models.len());
        for model in models {
            let version = versions.iter().find(|item| item.find_str("uid") == Some(&model.uid));
            if let Some(version) = version {
                found.push(ModelOfProject { name: model.name, version: self.complete_version(version).await? });
            }
        }
        Ok(found)
    }

    /// Claims a webhook's delivery; false if somebody has it already.
    pub async fn claim_delivery(&self, id: &str) -> Result<bool> {
        let mut item = key(keys::delivery(id), keys::META);
        let until = self.clock.now_ms() + DELIVERY_MS;
        // Knows the claim again whose answer was lost, when the SDK repeats it.
        let claim = uuid::Uuid::new_v4().to_string();
        item.insert("claim".to_owned(), string(&claim));
        item.insert("expires".to_owned(), number(until));
        item.insert("ttl".to_owned(), number(until / 1000 + 1));
        let put = self
            .client
            .put_item()
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(PK) OR expires < :now")
            .expression_attribute_values(":now", number(self.clock.now_ms()));
        Ok(match self.send_put(put).await? {
            Outcome::Done { .. } => true,
            Outcome::Refused(holder) => holder.is_some_and(|holder| holder.find_str("claim") == Some(&claim)),
        })
    }

    /// Gives a delivery back, so that it can be sent again.
    pub async fn release_delivery(&self, id: &str) -> Result<()> {
        self.delete(&keys::delivery(id), keys::META).await
    }

    /// Where a synchronisation that ran out of time goes on.
    pub async fn sync_cursor(&self) -> Result<Option<String>> {
        let item = self.get(keys::SYNC_CURSOR, keys::META).await?;
        Ok(item.and_then(|item| item.find_str("position").map(str::to_owned)))
    }

    /// Remembers where to go on; `None`: at the beginning.
    pub async fn save_sync_cursor(&self, position: Option<&str>) -> Result<()> {
        let Some(position) = position else { return self.delete(keys::SYNC_CURSOR, keys::META).await };
        let mut item = key(keys::SYNC_CURSOR, keys::META);
        item.insert("position".to_owned(), string(position));
        self.put(item).await
    }
}

fn visibility(visibility: Visibility) -> AttributeValue {
    string(match visibility {
        Visibility::Public => "public",
        Visibility::Internal => "internal",
        Visibility::Private => "private",
    })
}

fn read_visibility(item: &Item, name: &str) -> Visibility {
    match item.find_str(name) {
        Some("public") => Visibility::Public,
        Some("internal") => Visibility::Internal,
        _ => Visibility::Private,
    }
}

fn read_change(item: &Item) -> Result<CatalogChange> {
    let row = item.bytes("row").map(postcard::from_bytes).transpose().map_err(Error::internal)?;
    let written_at = keys::time_of_catalog_change(&item.text("GSI1SK")?).unwrap_or(0);
    Ok(CatalogChange {
        project: ProjectId(item.number("project")?),
        collection: item.text("collection")?,
        row,
        version: item.find_str("version").unwrap_or_default().to_owned(),
        listing: item.find_str("listing").unwrap_or_default().to_owned(),
        written_at,
    })
}

/// `None` for an item that is gone, or hidden.
fn read_document(item: &Item, visible: &Visible) -> Result<Option<CatalogDocument>> {
    let Some(full) = item.find_str("full") else { return Ok(None) };
    let project = ProjectId(item.number("project")?);
    let (seen, code) = (read_visibility(item, "visibility"), read_visibility(item, "code_visibility"));
    let sight = visible.sight_of(project, seen, code);
    let text = match sight {
        Sight::Hidden => return Ok(None),
        Sight::Project => match item.find_str("minimal") {
            Some(minimal) => minimal,
            // The catalog has not heard yet that the code is no longer everybody's.
            None if code == Visibility::Public => return Ok(None),
            None => full,
        },
        Sight::Code => full,
    };
    Ok(Some(CatalogDocument {
        project,
        collection: item.text("collection")?,
        text: text.to_owned(),
        sight,
        visibility: seen,
    }))
}
