//! Searching logged models; metrics can be limited to those on given data sets.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::condition::{NUMBER_COMPARATORS, NumberTest, TEXT_OR_LIST_COMPARATORS, TextTest, number_value};
use super::lexer::Keys;
use super::order::{OrderValue, SortKey};
use super::parser::{Comparison, Literal, list_of, parse_filter_with};
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
        let conditions =
            parse_filter_with(filter, Keys::AsWritten)?.iter().map(Condition::new).collect::<Result<_>>()?;
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
        Literal::List { source, items } => TextTest::of_list(&comparison.comparator, list_of(source, items, true)?),
        // Numbers and bare words are taken as the texts they are, as in the stock server.
        Literal::Text { value, .. } | Literal::Number(value) | Literal::Word(value) => {
            TextTest::new(&comparison.comparator, value)
        }
        Literal::None => Err(Error::invalid("IS NULL / IS NOT NULL is not supported for logged models")),
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
            "last_updated_timestamp" | "last_updated_timestamp_ms" => Self::LastUpdateTime,
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
            // What a model was created without counts as empty, as in the stock server.
            Self::ModelType => OrderValue::Text(model.model_type.as_deref().unwrap_or_default()),
            Self::Status => OrderValue::Integer(model.status.number()),
            Self::SourceRunId => OrderValue::Text(model.source_run_id.as_deref().unwrap_or_default()),
            Self::ExperimentId => OrderValue::Integer(i64::try_from(model.experiment.0).unwrap_or(i64::MAX)),
            Self::ArtifactLocation => OrderValue::Text(&model.artifact_uri),
            Self::CreationTime => OrderValue::Integer(model.creation_time),
            Self::LastUpdateTime => OrderValue::Integer(model.last_update_time),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{ExperimentId, Lifecycle, MetricContext, ProjectId};

    const RUN: &str = "7fd7e31c49db4208a37486de425df895";

    fn point(key: &str, value: f64, timestamp: i64, dataset: Option<(&str, &str)>) -> Metric {
        let context = MetricContext {
            dataset_name: dataset.map(|(name, _)| name.to_owned()),
            dataset_digest: dataset.map(|(_, digest)| digest.to_owned()),
            run_id: Some(RUN.to_owned()),
            ..MetricContext::default()
        };
        Metric { key: key.to_owned(), value, timestamp, step: 0, context }
    }

    fn model(name: &str, number: i64, status: LoggedModelStatus, metrics: Vec<Metric>) -> LoggedModel {
        LoggedModel {
            id: format!("m-{number:032x}"),
            experiment: ExperimentId(1),
            project: ProjectId(1),
            name: name.to_owned(),
            model_type: None,
            source_run_id: None,
            artifact_uri: String::new(),
            status,
            creation_time: 1_000_000 + number,
            last_update_time: 1_000_000 + number,
            lifecycle: Lifecycle::Active,
            params: BTreeMap::new(),
            tags: BTreeMap::new(),
            metrics,
        }
    }

    fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    /// The models that a stock server was given for the answers below.
    fn models() -> Vec<LoggedModel> {
        let mnist = Some(("mnist", "d1"));
        let points = vec![point("acc", 0.9, 1, mnist), point("acc", 0.2, 5, Some(("cifar", "d2")))];
        let mut one = model("one", 1, LoggedModelStatus::Ready, points);
        one.model_type = Some("cnn".into());
        one.source_run_id = Some(RUN.into());
        one.params = texts(&[("lr", "0.1")]);
        one.tags = texts(&[("team", "red")]);
        let points = vec![point("acc", 0.5, 1, mnist), point("loss", 3.0, 1, None)];
        let mut two = model("two", 2, LoggedModelStatus::UploadFailed, points);
        two.model_type = Some("Agent".into());
        two.params = texts(&[("lr", "0.2"), ("n", "5")]);
        two.tags = texts(&[("team", "Blue"), ("a.b", "x")]);
        let points = vec![point("loss", 1.0, 1, None), point("val/loss", 0.75, 1, None)];
        let mut three = model("three", 3, LoggedModelStatus::Pending, points);
        three.params = texts(&[("a/b-c", "1")]);
        three.tags = texts(&[("k/v", "w"), ("a b", "c")]);
        vec![one, two, three]
    }

    fn found(filter: &str, order_by: &[ModelOrderBy], datasets: &[DatasetFilter]) -> Result<String> {
        let mut models = models();
        let filter = models
            .iter()
            .fold(filter.to_owned(), |text, model| text.replace(&format!("{{{}}}", model.name), &model.id));
        let search = LoggedModelSearch::parse(Some(&filter), order_by, datasets)?;
        models.retain(|model| search.matches(model));
        models.sort_by_cached_key(|model| search.sort_key(model));
        let names: Vec<String> = models.into_iter().map(|model| model.name).collect();
        Ok(names.join(" "))
    }

    #[test]
    fn filters_find_what_the_stock_server_finds() {
        for (filter, expected) in [
            ("", "three two one"),
            ("name = 'one'", "one"),
            ("attributes.name != 'one'", "three two"),
            ("name LIKE 't%'", "three two"),
            ("name ILIKE 'T%'", "three two"),
            ("name IN ('one', 'three')", "three one"),
            ("name NOT IN ('one')", "three two"),
            ("model_id = '{two}'", "two"),
            ("attributes.model_id NOT IN ('{two}')", "three one"),
            ("model_type != 'cnn'", "three two"),
            ("model_type = ''", "three"),
            ("model_type LIKE '%'", "three two one"),
            ("source_run_id != 'x'", "three two one"),
            ("source_run_id = ''", "three two"),
            ("status = 2", "one"),
            ("status = '2'", "one"),
            ("status != 2", "three two"),
            ("status IN ('2', '3')", "two one"),
            ("creation_timestamp > 5", "three two one"),
            ("creation_timestamp_ms < 5", ""),
            ("last_updated_timestamp >= 5.5", "three two one"),
            ("metrics.acc > 0.5", "one"),
            ("metrics.acc < 0.3", "one"),
            ("metrics.acc != 0.9", "two one"),
            ("metrics.missing != 1", ""),
            ("metrics.loss >= 1 AND metrics.acc = .5", "two"),
            ("params.lr = '0.1'", "one"),
            ("params.n = 5", "two"),
            ("params.lr != '0.1'", "two"),
            ("params.lr IN ('0.1','0.3')", "one"),
            ("tags.team ILIKE 'r%'", "one"),
            ("tags.`a.b` = 'x'", "two"),
            ("tags.team NOT IN ('red')", "two"),
            ("metrics.val/loss > 0.5", "three"),
            ("metrics.val/loss>0.5", "three"),
            ("params.a/b-c = '1'", "three"),
            ("params.a/b-c IN (1, 'x')", "three"),
            ("params.n IN (5,'x')", "two"),
            ("params.n NOT IN (5,'x')", ""),
            ("tags.k/v = 'w' AND tags.a b = 'c'", "three"),
            ("tags.a b NOT IN ('x') AND metrics.val/loss < 2", "three"),
            ("name = one", "one"),
            ("experiment_id != 'x'", "three two one"),
        ] {
            assert_eq!(found(filter, &[], &[]).expect(filter), expected, "{filter}");
        }
    }

    #[test]
    fn a_status_can_be_named() {
        for (filter, expected) in [
            ("status = 'READY'", "one"),
            ("status != 'LOGGED_MODEL_READY'", "three two"),
            ("status IN ('READY', 'LOGGED_MODEL_PENDING')", "three one"),
            ("status NOT IN ('READY', 'LOGGED_MODEL_PENDING')", "two"),
        ] {
            assert_eq!(found(filter, &[], &[]).expect(filter), expected, "{filter}");
        }
    }

    #[test]
    fn datasets_limit_the_metrics_compared() {
        let on = |name: &str, digest: Option<&str>| DatasetFilter {
            dataset_name: name.into(),
            dataset_digest: digest.map(str::to_owned),
        };
        for (filter, datasets, expected) in [
            ("", vec![on("mnist", Some("d1"))], "two one"),
            ("", vec![on("mnist", None)], "two one"),
            ("", vec![on("mnist", Some("d2"))], ""),
            ("", vec![on("cifar", Some("d2"))], "one"),
            ("metrics.acc > 0.3", vec![on("cifar", Some("d2"))], ""),
            ("metrics.acc > 0.3", vec![on("mnist", Some("d1")), on("cifar", Some("d2"))], "two one"),
            ("metrics.loss > 0", vec![on("mnist", Some("d1"))], ""),
            ("name = 'one'", vec![on("mnist", Some("d1"))], "one"),
        ] {
            assert_eq!(found(filter, &[], &datasets).expect(filter), expected, "{filter} {datasets:?}");
        }
        assert!(found("", &[], &[on("", Some("d1"))]).is_err());
    }

    #[test]
    fn orders_are_those_of_the_stock_server() {
        for (field, ascending, dataset, expected) in [
            ("name", true, None, "one three two"),
            ("name", false, None, "two three one"),
            ("status", true, None, "three one two"),
            ("model_type", true, None, "three two one"),
            ("source_run_id", true, None, "three two one"),
            ("creation_time", true, None, "one two three"),
            ("creation_timestamp", false, None, "three two one"),
            ("metrics.acc", true, None, "one two three"),
            ("metrics.acc", false, None, "two one three"),
            ("metrics.loss", true, None, "three two one"),
            ("metrics.loss", false, None, "two three one"),
            ("metrics.acc", true, Some(("mnist", None)), "two one three"),
            ("metrics.acc", false, Some(("mnist", Some("d1"))), "one two three"),
            ("metrics.acc", true, Some(("cifar", Some("d2"))), "one three two"),
            ("experiment_id", true, None, "three two one"),
        ] {
            let order = ModelOrderBy {
                field_name: field.into(),
                ascending,
                dataset_name: dataset.map(|(name, _)| name.to_owned()),
                dataset_digest: dataset.and_then(|(_, digest)| digest).map(str::to_owned),
            };
            assert_eq!(found("", &[order], &[]).expect(field), expected, "{field} {ascending}");
        }
    }

    #[test]
    fn what_cannot_be_searched_or_sorted_is_refused() {
        for filter in [
            "status > 1",
            "tags.team IS NULL",
            "tags.team > 'x'",
            "metrics.acc > 'x'",
            "metrics.acc LIKE 1",
            "attribute.name = 'one'",
            "metric.acc > 1",
            "datasets.name = 'x'",
            "name = 'a' OR name = 'b'",
            "(name = 'a')",
            "name = 'a';",
            "foo = 'x'",
            "name",
        ] {
            assert!(matches!(found(filter, &[], &[]), Err(Error::Invalid(_))), "{filter}");
        }
        for field in ["", "foo", "params.lr", "tags.team", "last_updated_time"] {
            let order =
                ModelOrderBy { field_name: field.into(), ascending: true, dataset_name: None, dataset_digest: None };
            assert!(matches!(found("", &[order], &[]), Err(Error::Invalid(_))), "{field}");
        }
    }
}
