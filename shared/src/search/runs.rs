//! Searching runs: which fields a filter and an order_by may name, and what a run answers.

use std::collections::BTreeSet;

use super::condition::{
    NULL_COMPARATORS, NumberTest, TEXT_COMPARATORS, TEXT_OR_LIST_COMPARATORS, TextTest, check_comparator, number_value,
    text_value, unknown_attribute,
};
use super::order::{OrderValue, SortKey};
use super::parser::{Comparison, Literal, Name, list_texts, parse_filter, parse_order_by};
use crate::error::{Error, Result};
use crate::model::validation::shown;
use crate::model::{DatasetInput, Run};

const RUN_NAME_TAG: &str = "mlflow.runName";
const DATASET_CONTEXT_TAG: &str = "mlflow.data.context";

/// A parsed filter and order_by of `runs/search`.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSearch {
    conditions: Vec<Condition>,
    order: Vec<(Field, bool)>,
}

/// What a comparison or an order_by speaks of.
#[derive(Clone, Debug, PartialEq)]
enum Field {
    Metric(String),
    Param(String),
    Tag(String),
    RunId,
    RunName,
    Status,
    UserId,
    ArtifactUri,
    StartTime,
    EndTime,
    DatasetName,
    DatasetDigest,
    DatasetContext,
}

#[derive(Clone, Debug, PartialEq)]
struct Condition {
    field: Field,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Text(TextTest),
    Number(NumberTest),
    Missing,
    Present,
}

impl RunSearch {
    /// Parses both; an unknown field, comparator or form is [`Error::Invalid`].
    pub fn parse(filter: Option<&str>, order_by: &[String]) -> Result<Self> {
        let conditions = parse_filter(filter)?.iter().map(Condition::new).collect::<Result<_>>()?;
        let mut order: Vec<(Field, bool)> = Vec::new();
        for clause in parse_order_by(order_by)? {
            let field = Field::for_order(clause.name)?;
            if order.iter().any(|(known, _)| *known == field) {
                let clauses: Vec<String> = order_by.iter().map(|clause| shown(clause)).collect();
                return Err(Error::invalid(format!("`order_by` contains duplicate fields: [{}]", clauses.join(", "))));
            }
            order.push((field, clause.ascending));
        }
        Ok(Self { conditions, order })
    }

    /// Does the run pass the filter? A run that lacks the named key never does, also not for `!=`;
    /// only `IS NULL` asks for its absence.
    pub fn matches(&self, run: &Run) -> bool {
        self.conditions.iter().all(|condition| condition.accepts(run))
    }

    /// Where the run sorts: the fields of order_by, then start time from late to early, those without one
    /// last, then run id.
    pub fn sort_key(&self, run: &Run) -> SortKey {
        // In the default order nothing stands before the start time, so that keys sort as the index does.
        let fields = if self.is_default_order() { &[] } else { self.order.as_slice() };
        let mut key = SortKey::with_capacity(fields.len() + 2);
        for (field, ascending) in fields {
            key.push(field.order_value(run), *ascending);
        }
        key.push(OrderValue::integer(run.start_time), false);
        key.push(OrderValue::Text(&run.id), true);
        key
    }

    /// The position in the default order that a key of this search stands for.
    pub fn default_position(key: &SortKey) -> Option<(Option<i64>, String)> {
        key.start_and_id()
    }

    /// Must runs be read with their inputs for [`Self::matches`]?
    pub fn uses_datasets(&self) -> bool {
        self.conditions.iter().any(|condition| {
            matches!(condition.field, Field::DatasetName | Field::DatasetDigest | Field::DatasetContext)
        })
    }

    /// Must runs be read with their latest metrics for [`Self::matches`] or [`Self::sort_key`]?
    pub fn uses_metrics(&self) -> bool {
        let conditions = self.conditions.iter().map(|condition| &condition.field);
        let order = self.order.iter().map(|(field, _)| field);
        conditions.chain(order).any(|field| matches!(field, Field::Metric(_)))
    }

    /// Is there no filter?
    pub fn matches_all(&self) -> bool {
        self.conditions.is_empty()
    }

    /// The only run ids that can match, in order, if the filter limits them by `=` or `IN`.
    pub fn run_ids(&self) -> Option<Vec<String>> {
        let wanted = self.conditions.iter().filter(|condition| condition.field == Field::RunId);
        let sets = wanted.filter_map(|condition| match &condition.test {
            Test::Text(TextTest::Equal(id)) => Some(BTreeSet::from([id.clone()])),
            Test::Text(TextTest::In(ids)) => Some(ids.clone()),
            _ => None,
        });
        sets.reduce(|left, right| &left & &right).map(|ids| ids.into_iter().collect())
    }

    /// Is the order the one without an order_by: start time from late to early, then run id?
    pub fn is_default_order(&self) -> bool {
        let fields: Vec<_> = self.order.iter().map(|(field, ascending)| (field, *ascending)).collect();
        matches!(
            fields.as_slice(),
            [] | [(Field::StartTime, false)] | [(Field::StartTime, false), (Field::RunId, true)]
        )
    }
}

impl Condition {
    fn new(comparison: &Comparison<'_>) -> Result<Self> {
        let field = Field::for_filter(comparison.name)?;
        let test = Test::new(&field, comparison)?;
        Ok(Self { field, test })
    }

    fn accepts(&self, run: &Run) -> bool {
        match &self.field {
            Field::Metric(key) => self.test.accepts_real(run.metrics.get(key).map(|metric| metric.value)),
            Field::Param(key) => self.test.accepts_text(run.params.get(key).map(String::as_str)),
            Field::Tag(key) => self.test.accepts_text(run.tags.get(key).map(String::as_str)),
            Field::RunId => self.test.accepts_text(Some(&run.id)),
            // As in the stock server, filters look at the tag; it goes missing when it is deleted.
            Field::RunName => self.test.accepts_text(run.tags.get(RUN_NAME_TAG).map(String::as_str)),
            Field::Status => self.test.accepts_text(Some(run.status.as_str())),
            Field::UserId => self.test.accepts_text(Some(&run.user_id)),
            Field::ArtifactUri => self.test.accepts_text(Some(&run.artifact_uri)),
            Field::StartTime => self.test.accepts_integer(Some(start_time(run))),
            Field::EndTime => self.test.accepts_integer(run.end_time),
            Field::DatasetName => self.any_dataset(run, |input| Some(&input.dataset.name)),
            Field::DatasetDigest => self.any_dataset(run, |input| Some(&input.dataset.digest)),
            Field::DatasetContext => self.any_dataset(run, |input| {
                input.tags.iter().find(|(key, _)| key == DATASET_CONTEXT_TAG).map(|(_, value)| value)
            }),
        }
    }

    fn any_dataset(&self, run: &Run, part: impl Fn(&DatasetInput) -> Option<&String>) -> bool {
        run.inputs.datasets.iter().any(|input| self.test.accepts_text(part(input).map(String::as_str)))
    }
}

impl Test {
    fn new(field: &Field, comparison: &Comparison<'_>) -> Result<Self> {
        let comparator = comparison.comparator.as_str();
        if NULL_COMPARATORS.contains(&comparator) {
            return match field {
                Field::Param(_) | Field::Tag(_) if comparator == "IS NULL" => Ok(Self::Missing),
                Field::Param(_) | Field::Tag(_) => Ok(Self::Present),
                other => Err(Error::invalid(format!(
                    "IS NULL / IS NOT NULL is only supported for tags and params, not for '{}' '{}'",
                    other.entity(),
                    comparison.name.key
                ))),
            };
        }
        match field {
            Field::Metric(_) => {
                let number = number_value(&comparison.value, "metric")?;
                Ok(Self::Number(NumberTest::new(comparator, number)?))
            }
            Field::StartTime | Field::EndTime => {
                let number = number_value(&comparison.value, &format!("numeric attribute: {}", comparison.name.key))?;
                Ok(Self::Number(NumberTest::new(comparator, number)?))
            }
            Field::Param(_) | Field::Tag(_) => {
                let what = format!("{} (e.g. 'my-value')", field.entity());
                let text = text_value(&comparison.value, &what)?;
                check_comparator(comparison, TEXT_COMPARATORS)?;
                Ok(Self::Text(TextTest::new(comparator, text)?))
            }
            _ => Self::on_attribute(field, comparison),
        }
    }

    /// Attributes and data sets, some of which can be compared with lists.
    fn on_attribute(field: &Field, comparison: &Comparison<'_>) -> Result<Self> {
        let comparator = comparison.comparator.as_str();
        if let Literal::List { source, items } = &comparison.value {
            if !matches!(field, Field::RunId | Field::DatasetName | Field::DatasetDigest | Field::DatasetContext) {
                return Err(Error::invalid(
                    "Only ['run_id'] attributes support comparison with a list of quoted string values.",
                ));
            }
            let texts = list_texts(source, items)?;
            check_comparator(comparison, TEXT_OR_LIST_COMPARATORS)?;
            return Ok(Self::Text(TextTest::of_list(comparator, texts)?));
        }
        let what = if field.entity() == "dataset" { "dataset attributes" } else { "attributes" };
        let text = text_value(&comparison.value, what)?;
        check_comparator(comparison, TEXT_OR_LIST_COMPARATORS)?;
        Ok(Self::Text(TextTest::new(comparator, text)?))
    }

    fn accepts_text(&self, text: Option<&str>) -> bool {
        match (self, text) {
            (Self::Text(test), Some(text)) => test.passes(text),
            (Self::Missing, text) => text.is_none(),
            (Self::Present, text) => text.is_some(),
            _ => false,
        }
    }

    fn accepts_real(&self, value: Option<f64>) -> bool {
        matches!((self, value), (Self::Number(test), Some(value)) if test.passes_real(value))
    }

    fn accepts_integer(&self, value: Option<i64>) -> bool {
        matches!((self, value), (Self::Number(test), Some(value)) if test.passes_integer(value))
    }
}

impl Field {
    fn for_filter(name: Name<'_>) -> Result<Self> {
        const KEYS: &str = "artifact_uri, created, Created, end_time, run_id, run_name, run name, Run name, \
                            Run Name, start_time, status, user_id";
        match (Self::new(name)?, name.key) {
            (None, "run name" | "Run name" | "Run Name") => Ok(Self::RunName),
            (None, key) => Err(unknown_attribute(key, KEYS)),
            (Some(field), _) => Ok(field),
        }
    }

    fn for_order(name: Name<'_>) -> Result<Self> {
        const KEYS: &str = "artifact_uri, created, Created, end_time, run_id, run_name, start_time, status, user_id";
        match Self::new(name)? {
            Some(Self::DatasetName | Self::DatasetDigest | Self::DatasetContext) => {
                Err(Error::invalid("Invalid identifier type 'dataset'"))
            }
            Some(field) => Ok(field),
            None => Err(unknown_attribute(name.key, KEYS)),
        }
    }

    /// The field of this name; `None` for an unknown attribute.
    fn new(name: Name<'_>) -> Result<Option<Self>> {
        let key = name.key;
        let field = match name.entity.unwrap_or("attribute") {
            "metric" | "metrics" => Self::Metric(key.to_owned()),
            "parameter" | "parameters" | "param" | "params" => Self::Param(key.to_owned()),
            "tag" | "tags" => Self::Tag(key.to_owned()),
            "dataset" | "datasets" => match key {
                "name" => Self::DatasetName,
                "digest" => Self::DatasetDigest,
                "context" => Self::DatasetContext,
                _ => {
                    return Err(Error::invalid(format!(
                        "Invalid dataset key '{key}' specified. Valid keys are 'context, digest, name'"
                    )));
                }
            },
            "attribute" | "attributes" | "attr" | "run" => match key {
                "run_id" => Self::RunId,
                "run_name" => Self::RunName,
                "status" => Self::Status,
                "user_id" => Self::UserId,
                "artifact_uri" => Self::ArtifactUri,
                "start_time" | "created" | "Created" => Self::StartTime,
                "end_time" => Self::EndTime,
                _ => return Ok(None),
            },
            other => {
                return Err(Error::invalid(format!(
                    "Invalid entity type '{other}'. \
                     Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']"
                )));
            }
        };
        Ok(Some(field))
    }

    /// The entity's name in messages.
    fn entity(&self) -> &'static str {
        match self {
            Self::Metric(_) => "metric",
            Self::Param(_) => "parameter",
            Self::Tag(_) => "tag",
            Self::DatasetName | Self::DatasetDigest | Self::DatasetContext => "dataset",
            _ => "attribute",
        }
    }

    fn order_value<'a>(&self, run: &'a Run) -> OrderValue<'a> {
        match self {
            Self::Metric(key) => OrderValue::real(run.metrics.get(key).map(|metric| metric.value)),
            Self::Param(key) => OrderValue::text(run.params.get(key)),
            Self::Tag(key) => OrderValue::text(run.tags.get(key)),
            Self::RunId => OrderValue::Text(&run.id),
            Self::RunName => OrderValue::Text(&run.name),
            Self::Status => OrderValue::Text(run.status.as_str()),
            Self::UserId => OrderValue::Text(&run.user_id),
            Self::ArtifactUri => OrderValue::Text(&run.artifact_uri),
            Self::StartTime => OrderValue::Integer(start_time(run)),
            Self::EndTime => OrderValue::integer(run.end_time),
            Self::DatasetName | Self::DatasetDigest | Self::DatasetContext => OrderValue::Missing,
        }
    }
}

/// A run created without a start time counts as started at 0 where a client names it, as in the stock server.
fn start_time(run: &Run) -> i64 {
    run.start_time.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::recorded_tests::recorded_runs;
    use super::*;

    fn search(filter: &str, order_by: &[&str]) -> RunSearch {
        let order_by: Vec<String> = order_by.iter().map(|&clause| clause.to_owned()).collect();
        RunSearch::parse(Some(filter), &order_by).expect(filter)
    }

    #[test]
    fn tells_what_must_be_read() {
        assert!(!search("params.a = 'x' AND run_id != 'y'", &["start_time"]).uses_metrics());
        assert!(search("metrics.a > 1", &[]).uses_metrics());
        assert!(search("", &["metrics.a"]).uses_metrics());
        assert!(search("dataset.context = 'train'", &[]).uses_datasets());
        assert!(!search("tags.dataset = 'train'", &["metrics.a"]).uses_datasets());
        assert!(search("", &["metrics.a"]).matches_all());
    }

    #[test]
    fn knows_the_only_run_ids() {
        for (filter, expected) in [
            ("run_id = 'a'", Some(vec!["a"])),
            ("run_id IN ('b', 'a', 'b')", Some(vec!["a", "b"])),
            ("attributes.run_id IN ('a', 'b') AND run_id = 'b'", Some(vec!["b"])),
            ("run_id = 'a' AND run_id = 'b'", Some(vec![])),
            ("run_id IN ('a', 'b') AND run_id != 'b' AND status = 'FAILED'", Some(vec!["a", "b"])),
            ("run_id != 'a'", None),
            ("run_id NOT IN ('a')", None),
            ("run_id LIKE 'a'", None),
            ("tags.run_id = 'a'", None),
            ("", None),
        ] {
            let ids = expected.map(|ids| ids.into_iter().map(str::to_owned).collect());
            assert_eq!(search(filter, &[]).run_ids(), ids, "{filter}");
        }
    }

    #[test]
    fn knows_the_default_order() {
        for (order_by, expected) in [
            (vec![], true),
            (vec!["start_time DESC"], true),
            (vec!["attributes.start_time DESC"], true),
            (vec!["Created DESC", "run_id"], true),
            (vec!["start_time"], false),
            (vec!["run_id", "start_time DESC"], false),
            (vec!["start_time DESC", "metrics.a"], false),
        ] {
            let search = search("", &order_by);
            assert_eq!(search.is_default_order(), expected, "{order_by:?}");
            if expected {
                let key = |search: &RunSearch| {
                    let mut runs = recorded_runs();
                    runs.sort_by_cached_key(|run| search.sort_key(run));
                    runs.into_iter().map(|run| run.id).collect::<Vec<_>>()
                };
                assert_eq!(key(&search), key(&RunSearch::parse(None, &[]).unwrap()));
            }
        }
    }

    #[test]
    fn a_key_holds_the_default_position() {
        for run in recorded_runs() {
            for order_by in [vec![], vec!["start_time DESC"], vec!["start_time"], vec!["metrics.acc"]] {
                let key = search("", &order_by).sort_key(&run);
                assert_eq!(RunSearch::default_position(&key), Some((run.start_time, run.id.clone())));
            }
        }
    }

    #[test]
    fn keys_are_paging_positions() {
        for clause in ["metrics.acc DESC", "metrics.loss", "params.model DESC", "tags.team", "end_time DESC"] {
            let search = search("", &[clause]);
            let mut runs = recorded_runs();
            runs.sort_by_cached_key(|run| search.sort_key(run));
            for (index, run) in runs.iter().enumerate() {
                let stored = postcard::to_stdvec(&search.sort_key(run)).unwrap();
                let position: SortKey = postcard::from_bytes(&stored).unwrap();
                let rest = runs.iter().filter(|run| search.sort_key(run) > position).count();
                assert_eq!(rest, runs.len() - index - 1, "{clause} {}", run.name);
            }
        }
    }
}
