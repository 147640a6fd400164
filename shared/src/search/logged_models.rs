//! Searching logged models; metrics can be limited to those on given data sets.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::condition::{NUMBER_COMPARATORS, NumberTest, TEXT_OR_LIST_COMPARATORS, TextTest, number_value};
use super::order::{OrderValue, SortKey};
use super::parser::{Comparison, Literal, list_texts, parse_filter};
use crate::error::{Error, Result};
use crate::model::{LoggedModel, LoggedModelStatus, Metric};

/// Entries of order_by, and of data sets.
const MOST_ENTRIES: usize = 20;

/// An entry of the request's `datasets`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct DatasetFilter {
    pub dataset_name: String,
    /// `None` or empty: any.
    pub dataset_digest: Option<String>,
}

/// An entry of the request's `order_by`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ModelOrderBy {
    /// An attribute or `metrics.<key>`.
    pub field_name: String,
    pub ascending: bool,
    /// Only for metrics.
    pub dataset_name: Option<String>,
    /// Only with a name.
    pub dataset_digest: Option<String>,
}

/// A parsed filter, order_by and data sets of `logged-models/search`.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedModelSearch {
    conditions: Vec<Condition>,
    datasets: Vec<DatasetFilter>,
    order: Vec<Order>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Attribute {
    Name,
    Id,
    ModelType,
    Status,
    SourceRunId,
    ExperimentId,
    ArtifactLocation,
    CreationTime,
    LastUpdateTime,
}

#[derive(Clone, Debug, PartialEq)]
enum Condition {
    Text(Attribute, TextTest),
    Number(Attribute, NumberTest),
    Metric(String, NumberTest),
    Param(String, TextTest),
    Tag(String, TextTest),
}

#[derive(Clone, Debug, PartialEq)]
enum Order {
    Attribute(Attribute, bool),
    Metric { key: String, dataset: Option<DatasetFilter>, ascending: bool },
}

impl LoggedModelSearch {
    /// Parses all three; an unknown field, comparator or form is [`Error::Invalid`].
    pub fn parse(filter: Option<&str>, order_by: &[ModelOrderBy], datasets: &[DatasetFilter]) -> Result<Self> {
        if order_by.len() > MOST_ENTRIES || datasets.len() > MOST_ENTRIES {
            return Err(Error::invalid(format!("`order_by` and `datasets` can have at most {MOST_ENTRIES} entries")));
        }
        if datasets.iter().any(|dataset| dataset.dataset_name.is_empty()) {
            return Err(Error::invalid("`dataset_name` in the `datasets` clause must be specified."));
        }
        let conditions = parse_filter(filter)?.iter().map(Condition::new).collect::<Result<_>>()?;
        let order = order_by.iter().map(Order::new).collect::<Result<_>>()?;
        Ok(Self { conditions, datasets: datasets.to_vec(), order })
    }

    /// Does the model pass the filter? What it lacks never does, also not for `!=`. Data sets limit the
    /// metrics that are looked at; without a comparison of metrics any metric on one of them will do.
    pub fn matches(&self, model: &LoggedModel) -> bool {
        let compares_metrics = self.conditions.iter().any(|condition| matches!(condition, Condition::Metric(..)));
        let on_wanted_dataset =
            || model.metrics.iter().any(|metric| self.datasets.iter().any(|dataset| dataset.covers(metric)));
        (compares_metrics || self.datasets.is_empty() || on_wanted_dataset())
            && self.conditions.iter().all(|condition| condition.accepts(model, &self.datasets))
    }

    /// Where the model sorts: the fields of order_by, then from new to old, then its id.
    pub fn sort_key(&self, model: &LoggedModel) -> SortKey {
        let mut key = SortKey::with_capacity(self.order.len() + 2);
        for order in &self.order {
            match order {
                Order::Attribute(attribute, ascending) => key.push(attribute.order_value(model), *ascending),
                Order::Metric { key: metric, dataset, ascending } => {
                    let wanted = |point: &&Metric| {
                        point.key == *metric && dataset.as_ref().is_none_or(|dataset| dataset.covers(point))
                    };
                    let latest =
                        model.metrics.iter().filter(wanted).max_by_key(|point| {
                            (point.timestamp, point.step, Reverse(point.context.run_id.as_deref()))
                        });
                    key.push(OrderValue::real(latest.map(|point| point.value)), *ascending);
                }
            }
        }
        key.push(OrderValue::Integer(model.creation_time), false);
        key.push(OrderValue::Text(&model.id), true);
        key
    }
}

impl DatasetFilter {
    fn covers(&self, metric: &Metric) -> bool {
        let digest = self.dataset_digest.as_deref().filter(|digest| !digest.is_empty());
        metric.context.dataset_name.as_deref() == Some(&self.dataset_name)
            && digest.is_none_or(|digest| metric.context.dataset_digest.as_deref() == Some(digest))
    }
}

impl Condition {
    fn new(comparison: &Comparison<'_>) -> Result<Self> {
        let key = comparison.name.key.to_owned();
        match comparison.name.entity.unwrap_or("attributes") {
            "attributes" => {
                let attribute = Attribute::new(&key)
                    .ok_or_else(|| Error::invalid(format!("Invalid logged model search key '{key}'")))?;
                if attribute.is_number() {
                    Ok(Self::Number(attribute, number_test(comparison)?))
                } else {
                    Ok(Self::Text(attribute, text_test(comparison)?))
                }
            }
            "metrics" => Ok(Self::Metric(key, number_test(comparison)?)),
            "params" => Ok(Self::Param(key, text_test(comparison)?)),
            "tags" => Ok(Self::Tag(key, text_test(comparison)?)),
            other => Err(Error::invalid(format!(
                "Invalid entity type: '{other}'. Expected one of ['attributes', 'metrics', 'params', 'tags']."
            ))),
        }
    }

    fn accepts(&self, model: &LoggedModel, datasets: &[DatasetFilter]) -> bool {
        match self {
            Self::Text(Attribute::Status, test) => status_passes(test, model.status),
            Self::Text(attribute, test) => match attribute.order_value(model) {
                OrderValue::Text(text) => test.passes(text),
                OrderValue::Integer(number) => test.passes(&number.to_string()),
                _ => false,
            },
            Self::Number(attribute, test) => match attribute.order_value(model) {
                OrderValue::Integer(number) => test.passes_integer(number),
                _ => false,
            },
            Self::Metric(key, test) => model.metrics.iter().any(|metric| {
                metric.key == *key
                    && (datasets.is_empty() || datasets.iter().any(|dataset| dataset.covers(metric)))
                    && test.passes_real(metric.value)
            }),
            Self::Param(key, test) => model.params.get(key).is_some_and(|value| test.passes(value)),
            Self::Tag(key, test) => model.tags.get(key).is_some_and(|value| test.passes(value)),
        }
    }
}

/// A status can be written as its number or its name, with or without `LOGGED_MODEL_`.
fn status_passes(test: &TextTest, status: LoggedModelStatus) -> bool {
    let name = status.as_str();
    let number = status.number().to_string();
    let mut forms = [number.as_str(), name, name.trim_start_matches("LOGGED_MODEL_")].into_iter();
    if test.is_negative() { forms.all(|form| test.passes(form)) } else { forms.any(|form| test.passes(form)) }
}

fn number_test(comparison: &Comparison<'_>) -> Result<NumberTest> {
    check_operator(comparison, NUMBER_COMPARATORS)?;
    let name = comparison.name;
    let what = match name.entity {
        Some(entity) => format!("{entity}.{}", name.key),
        None => name.key.to_owned(),
    };
    NumberTest::new(&comparison.comparator, number_value(&comparison.value, &what)?)
}

fn text_test(comparison: &Comparison<'_>) -> Result<TextTest> {
    check_operator(comparison, TEXT_OR_LIST_COMPARATORS)?;
    match &comparison.value {
        Literal::List { source, items } => TextTest::of_list(&comparison.comparator, list_texts(source, items)?),
        Literal::Text { value, .. } | Literal::Number(value) => TextTest::new(&comparison.comparator, value),
        other => Err(Error::invalid(format!(
            "Expected a quoted string value for {}. Got value {}",
            comparison.name.key,
            other.source()
        ))),
    }
}

fn check_operator(comparison: &Comparison<'_>, allowed: &[&str]) -> Result<()> {
    if allowed.contains(&comparison.comparator.as_str()) {
        return Ok(());
    }
    let name = comparison.name;
    let allowed: Vec<String> = allowed.iter().map(|known| format!("'{known}'")).collect();
    Err(Error::invalid(format!(
        "Invalid comparison operator for {}.{}: '{}'. Expected one of ({}).",
        name.entity.unwrap_or("attributes"),
        name.key,
        comparison.comparator,
        allowed.join(", ")
    )))
}

impl Order {
    fn new(entry: &ModelOrderBy) -> Result<Self> {
        let field = entry.field_name.trim();
        let ascending = entry.ascending;
        let unknown = || Error::invalid(format!("Invalid order by field name: {field}"));
        let Some((entity, key)) = field.split_once('.') else {
            return Ok(Self::Attribute(Attribute::new(field).ok_or_else(unknown)?, ascending));
        };
        if entity != "metrics" {
            return Err(Error::invalid(format!("Invalid order by field name: {field}. Only metrics are supported.")));
        }
        let name = entry.dataset_name.clone().filter(|name| !name.is_empty());
        let digest = entry.dataset_digest.clone().filter(|digest| !digest.is_empty());
        if name.is_none() && digest.is_some() {
            return Err(Error::invalid("`dataset_digest` can only be specified if `dataset_name` is also specified."));
        }
        let dataset = name.map(|dataset_name| DatasetFilter { dataset_name, dataset_digest: digest });
        Ok(Self::Metric { key: key.to_owned(), dataset, ascending })
    }
}

impl Attribute {
    fn new(key: &str) -> Option<Self> {
        Some(match key {
            "name" => Self::Name,
            "model_id" => Self::Id,
            "model_type" => Self::ModelType,
            "status" => Self::Status,
            "source_run_id" => Self::SourceRunId,
            "experiment_id" => Self::ExperimentId,
            "artifact_location" => Self::ArtifactLocation,
            "creation_time" | "creation_timestamp" | "creation_timestamp_ms" => Self::CreationTime,
            "last_updated_time" | "last_updated_timestamp" | "last_updated_timestamp_ms" => Self::LastUpdateTime,
            _ => return None,
        })
    }

    fn is_number(self) -> bool {
        matches!(self, Self::CreationTime | Self::LastUpdateTime)
    }

    fn order_value(self, model: &LoggedModel) -> OrderValue<'_> {
        match self {
            Self::Name => OrderValue::Text(&model.name),
            Self::Id => OrderValue::Text(&model.id),
            Self::ModelType => OrderValue::text(model.model_type.as_ref()),
            Self::Status => OrderValue::Integer(model.status.number()),
            Self::SourceRunId => OrderValue::text(model.source_run_id.as_ref()),
            Self::ExperimentId => OrderValue::Integer(i64::try_from(model.experiment.0).unwrap_or(i64::MAX)),
            Self::ArtifactLocation => OrderValue::Text(&model.artifact_uri),
            Self::CreationTime => OrderValue::Integer(model.creation_time),
            Self::LastUpdateTime => OrderValue::Integer(model.last_update_time),
        }
    }
}
