//! One place through which every DynamoDB request for data goes: capacity is counted, SDK errors become ours.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConsumedCapacity, KeysAndAttributes, ReturnConsumedCapacity,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};

use super::item::{Item, key};
use super::{Store, keys};
use crate::error::{Error, Result};
use crate::model::ExperimentId;
use crate::record::note;

/// How long a write that conflicts with transactions is tried again, and what a batch left unread is read.
const PATIENCE: Duration = Duration::from_secs(5);

/// Requests sent and capacity units consumed since the store was built.
#[derive(Debug, Default)]
pub struct Usage {
    requests: AtomicU64,
    read_milliunits: AtomicU64,
    write_milliunits: AtomicU64,
}

/// A reading of [`Usage`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct UsageTotals {
    pub requests: u64,
    /// Read request units.
    pub reads: f64,
    /// Write request units.
    pub writes: f64,
}

impl Usage {
    /// All so far.
    pub fn totals(&self) -> UsageTotals {
        #[expect(clippy::cast_precision_loss, reason = "units far below 2^52")]
        let units = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64 / 1000.0;
        UsageTotals {
            requests: self.requests.load(Ordering::Relaxed),
            reads: units(&self.read_milliunits),
            writes: units(&self.write_milliunits),
        }
    }

    fn request(&self) {
        self.count(|usage| &usage.requests, 1);
    }

    fn read(&self, capacity: Option<&ConsumedCapacity>) {
        self.count(|usage| &usage.read_milliunits, milliunits(capacity));
    }

    fn write(&self, capacity: Option<&ConsumedCapacity>) {
        self.count(|usage| &usage.write_milliunits, milliunits(capacity));
    }

    /// Adds to the store's total and to that of the request in hand.
    fn count(&self, counter: impl Fn(&Self) -> &AtomicU64, by: u64) {
        counter(self).fetch_add(by, Ordering::Relaxed);
        note(|record| {
            counter(&record.usage).fetch_add(by, Ordering::Relaxed);
        });
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
fn milliunits(capacity: Option<&ConsumedCapacity>) -> u64 {
    (capacity.and_then(|capacity| capacity.capacity_units).unwrap_or(0.0) * 1000.0).round() as u64
}

/// What became of a conditional write.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Written; attributes as `ReturnValues` asked, and the write units it took.
    Done { attributes: Item, units: f64 },
    /// The condition did not hold; the item as it is, if it exists.
    Refused(Option<Item>),
}

impl Store {
    /// Opens a connection, by reading what is not there: experiments begin at 1.
    pub async fn connect(&self) -> Result<()> {
        self.get(&keys::experiment(ExperimentId(0)), keys::META).await.map(|_| ())
    }

    /// A strongly consistent read of one item.
    pub(crate) async fn get(&self, pk: &str, sk: &str) -> Result<Option<Item>> {
        self.get_item(pk, sk, true).await
    }

    /// A read of one item that may miss what was written in the last second, at half the price.
    pub(crate) async fn get_weakly(&self, pk: &str, sk: &str) -> Result<Option<Item>> {
        self.get_item(pk, sk, false).await
    }

    async fn get_item(&self, pk: &str, sk: &str, strong: bool) -> Result<Option<Item>> {
        self.usage.request();
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(pk, sk)))
            .consistent_read(strong)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(failed)?;
        self.usage.read(answer.consumed_capacity());
        Ok(answer.item)
    }

    /// A `PutItem` without a condition.
    pub(crate) async fn put(&self, item: Item) -> Result<()> {
        match self.send_put(self.client.put_item().set_item(Some(item))).await? {
            Outcome::Done { .. } => Ok(()),
            Outcome::Refused(_) => Err(Error::internal("an unconditional put was refused")),
        }
    }

    /// A `PutItem`, with the condition that the builder carries.
    pub(crate) async fn send_put(&self, put: PutItemFluentBuilder) -> Result<Outcome> {
        let put = put
            .table_name(&self.table)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            self.usage.request();
            let error = match put.clone().send().await {
                Ok(answer) => {
                    self.usage.write(answer.consumed_capacity());
                    return Ok(Outcome::Done { attributes: Item::new(), units: 0.0 });
                }
                Err(SdkError::ServiceError(error)) => error.into_err(),
                Err(error) => return Err(failed(error)),
            };
            match error {
                PutItemError::ConditionalCheckFailedException(refusal) => return Ok(Outcome::Refused(refusal.item)),
                PutItemError::TransactionConflictException(_) if tokio::time::Instant::now() < deadline => {
                    tokio::time::sleep(jitter()).await;
                }
                other => return Err(service_failure(&other, &DisplayErrorContext(&other).to_string())),
            }
        }
    }

    /// An update builder for an item that must exist; `condition` is joined by AND, so an OR in it needs
    /// parentheses. None are added here: DynamoDB refuses redundant ones.
    /// `UpdateItem` creates what is not there: this keeps it from doing so.
    pub(crate) fn update(&self, pk: &str, sk: &str, condition: Option<&str>) -> UpdateItemFluentBuilder {
        let exists = "attribute_exists(PK)";
        let condition = condition.map_or_else(|| exists.to_owned(), |more| format!("{exists} AND {more}"));
        self.client.update_item().set_key(Some(key(pk, sk))).condition_expression(condition)
    }

    /// Sends an update; again with jitter while a transaction is at work on the item.
    pub(crate) async fn send_update(&self, update: UpdateItemFluentBuilder) -> Result<Outcome> {
        let update = update
            .table_name(&self.table)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            self.usage.request();
            let error = match update.clone().send().await {
                Ok(answer) => {
                    self.usage.write(answer.consumed_capacity());
                    let units = answer.consumed_capacity().and_then(|c| c.capacity_units).unwrap_or(0.0);
                    return Ok(Outcome::Done { attributes: answer.attributes.unwrap_or_default(), units });
                }
                Err(SdkError::ServiceError(error)) => error.into_err(),
                Err(error) => return Err(failed(error)),
            };
            match error {
                UpdateItemError::ConditionalCheckFailedException(refusal) => return Ok(Outcome::Refused(refusal.item)),
                UpdateItemError::TransactionConflictException(_) if tokio::time::Instant::now() < deadline => {
                    tokio::time::sleep(jitter()).await;
                }
                other => return Err(service_failure(&other, &DisplayErrorContext(&other).to_string())),
            }
        }
    }

    /// Deletes an item, whether it is there or not.
    pub(crate) async fn delete(&self, pk: &str, sk: &str) -> Result<()> {
        self.usage.request();
        let answer = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key(pk, sk)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(failed)?;
        self.usage.write(answer.consumed_capacity());
        Ok(())
    }

    /// A query to its last page.
    pub(crate) async fn query(&self, query: QueryFluentBuilder) -> Result<Vec<Item>> {
        let (mut items, mut next) = self.query_page(query.clone()).await?;
        while next.is_some() {
            let (more, after) = self.query_page(query.clone().set_exclusive_start_key(next)).await?;
            items.extend(more);
            next = after;
        }
        Ok(items)
    }

    /// One page of a query, and where the next begins.
    pub(crate) async fn query_page(&self, query: QueryFluentBuilder) -> Result<(Vec<Item>, Option<Item>)> {
        self.usage.request();
        let query = query.table_name(&self.table).return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = query.send().await.map_err(failed)?;
        self.usage.read(answer.consumed_capacity());
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }

    /// All items of a partition whose sort key begins with `prefix`, strongly consistent.
    pub(crate) async fn query_prefix(&self, pk: &str, prefix: &str) -> Result<Vec<Item>> {
        let query = self
            .client
            .query()
            .consistent_read(true)
            .key_condition_expression("PK = :pk AND begins_with(SK, :prefix)")
            .expression_attribute_values(":pk", super::item::string(pk))
            .expression_attribute_values(":prefix", super::item::string(prefix));
        self.query(query).await
    }

    /// Strong reads of many items, in no order; what does not exist is left out.
    pub(crate) async fn batch_get(&self, keys: Vec<(String, String)>) -> Result<Vec<Item>> {
        let mut items = Vec::with_capacity(keys.len());
        let deadline = tokio::time::Instant::now() + PATIENCE;
        for chunk in keys.chunks(100) {
            let mut wanted: Vec<Item> = chunk.iter().map(|(pk, sk)| key(pk, sk)).collect();
            while !wanted.is_empty() {
                self.usage.request();
                let request = KeysAndAttributes::builder()
                    .set_keys(Some(wanted))
                    .consistent_read(true)
                    .build()
                    .map_err(Error::internal)?;
                let mut answer = self
                    .client
                    .batch_get_item()
                    .request_items(&self.table, request)
                    .return_consumed_capacity(ReturnConsumedCapacity::Total)
                    .send()
                    .await
                    .map_err(failed)?;
                for capacity in answer.consumed_capacity() {
                    self.usage.read(Some(capacity));
                }
                items.extend(
                    answer.responses.take().and_then(|mut tables| tables.remove(&self.table)).unwrap_or_default(),
                );
                wanted = answer
                    .unprocessed_keys
                    .and_then(|mut tables| tables.remove(&self.table))
                    .map(|left| left.keys)
                    .unwrap_or_default();
                if !wanted.is_empty() {
                    if tokio::time::Instant::now() >= deadline {
                        return Err(Error::Unavailable("DynamoDB left keys of a batch unread for 5 s".into()));
                    }
                    tokio::time::sleep(jitter()).await;
                }
            }
        }
        Ok(items)
    }

    /// A transaction, replayed under the same token so that a lost answer does no harm, and tried
    /// again with jitter when it conflicts with another. `Err` inside: why it was cancelled, per item.
    pub(crate) async fn transact(
        &self,
        items: Vec<TransactWriteItem>,
    ) -> Result<std::result::Result<(), Vec<CancellationReason>>> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            self.usage.request();
            let answer = self
                .client
                .transact_write_items()
                .set_transact_items(Some(items.clone()))
                .client_request_token(uuid::Uuid::new_v4().to_string())
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await;
            let error = match answer {
                Ok(answer) => {
                    for capacity in answer.consumed_capacity() {
                        self.usage.write(Some(capacity));
                    }
                    return Ok(Ok(()));
                }
                Err(SdkError::ServiceError(error)) => error.into_err(),
                Err(error) => return Err(failed(error)),
            };
            let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
                return Err(service_failure(&error, &DisplayErrorContext(&error).to_string()));
            };
            let reasons = cancelled.cancellation_reasons.unwrap_or_default();
            let any = |code| reasons.iter().any(|reason| reason.code() == Some(code));
            if any("ConditionalCheckFailed") {
                return Ok(Err(reasons));
            }
            if any("ValidationError") {
                return Err(too_large());
            }
            if tokio::time::Instant::now() >= deadline {
                return Err(Error::Unavailable("a transaction kept conflicting with others for 5 s".into()));
            }
            tokio::time::sleep(jitter()).await;
        }
    }
}

/// A pause of 5 to 50 ms before trying again.
pub(crate) fn jitter() -> Duration {
    Duration::from_millis(rand::random_range(5..50))
}

/// An SDK error in our words.
fn failed<E>(error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let text = DisplayErrorContext(&error).to_string();
    match &error {
        SdkError::ServiceError(service) => service_failure(service.err(), &text),
        SdkError::ConstructionFailure(_) => Error::Internal(text),
        _ => Error::Unavailable(text),
    }
}

fn service_failure(error: &impl ProvideErrorMetadata, text: &str) -> Error {
    // Nothing that DynamoDB says: cut off, or of somebody in between.
    let Some(code) = error.code() else { return Error::Unavailable(text.to_owned()) };
    match code {
        "ProvisionedThroughputExceededException"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "TransactionInProgressException"
        | "TransactionConflictException"
        | "InternalServerError"
        | "ServiceUnavailable"
        | "LimitExceededException" => Error::Unavailable(text.to_owned()),
        "ItemCollectionSizeLimitExceededException" => Error::Invalid("this entity has grown too large".into()),
        // No key, expression or count of ours can be too large: it is what the client sent.
        "ValidationException" if text.contains("maximum allowed size") || text.contains("4MB limit") => too_large(),
        _ => Error::Internal(text.to_owned()),
    }
}

/// No expression of ours is malformed: what the client sent made an item larger than DynamoDB's 400 KB.
fn too_large() -> Error {
    Error::TooLarge("A single value, data set or batch of this request is too large to be stored.".into())
}
