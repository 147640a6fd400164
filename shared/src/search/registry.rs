//! Searching registered models and their versions, by the names that the caller's view shows (mlflow.md B.7).

use std::collections::BTreeSet;

use super::condition::{NumberTest, TEXT_COMPARATORS, TextTest, text_value, unknown_attribute};
use super::order::{OrderValue, SortKey};
use super::parser::{Comparison, Literal, Name, OrderClause, list_texts, parse_filter, parse_order_by};
use crate::error::{Error, Result};
use crate::model::{ModelVersion, PROMPT_TAG, RegisteredModel};

const MODEL_KEYS: &str = "name";
const MODEL_ORDER_KEYS: &str = "name, timestamp";
const VERSION_KEYS: &str = "name, run_id, source_path, version_number";
const VERSION_ORDER_KEYS: &str = "creation_timestamp, last_updated_timestamp, name, version_number";

/// Which of a project's models, or their versions, a search looks at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Models that are no prompts: what a search finds unless it asks for prompts.
    Models,
    Prompts,
    Both,
}

#[derive(Clone, Debug, PartialEq)]
enum Condition {
    Name(TextTest),
    RunId(TextTest),
    Source(TextTest),
    Number(NumberTest),
    Tag(String, TextTest),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Attribute {
    Name,
    CreationTime,
    LastUpdateTime,
    Number,
}

/// A parsed filter and order_by of `registered-models/search` or `model-versions/search`.
#[derive(Clone, Debug, PartialEq)]
pub struct RegistrySearch {
    conditions: Vec<Condition>,
    order: Vec<(Attribute, bool)>,
    kind: Kind,
    by_default: bool,
}

/// A version, with its model and its source as the caller's view shows them.
#[derive(Clone, Copy, Debug)]
pub struct VersionView<'a> {
    pub name: &'a str,
    /// With the experiment's id that the view shows.
    pub source: &'a str,
    pub version: &'a ModelVersion,
}

impl RegistrySearch {
    /// A search for registered models; an unknown field, comparator or form is [`Error::Invalid`].
    pub fn models(filter: Option<&str>, order_by: &[String]) -> Result<Self> {
        let order = parse_order_by(order_by)?.iter().map(model_order).collect::<Result<Vec<_>>>()?;
        let mut search = Self::new(filter, order, order_by, model_condition)?;
        search.by_default = matches!(search.order.as_slice(), [] | [(Attribute::Name, true)]);
        if !search.order.iter().any(|(attribute, _)| *attribute == Attribute::Name) {
            search.order.push((Attribute::Name, true));
        }
        Ok(search)
    }

    /// A search for model versions; errors as [`RegistrySearch::models`].
    pub fn versions(filter: Option<&str>, order_by: &[String]) -> Result<Self> {
        let order = parse_order_by(order_by)?.iter().map(version_order).collect::<Result<Vec<_>>>()?;
        let mut search = Self::new(filter, order, order_by, version_condition)?;
        if search.order.is_empty() {
            search.order.push((Attribute::LastUpdateTime, false));
        }
        for (tie_breaker, ascending) in [(Attribute::Name, true), (Attribute::Number, false)] {
            if !search.order.iter().any(|(attribute, _)| *attribute == tie_breaker) {
                search.order.push((tie_breaker, ascending));
            }
        }
        search.by_default =
            search.order == [(Attribute::LastUpdateTime, false), (Attribute::Name, true), (Attribute::Number, false)];
        Ok(search)
    }

    fn new(
        filter: Option<&str>,
        order: Vec<(Attribute, bool)>,
        order_by: &[String],
        condition: fn(&Comparison<'_>) -> Result<Condition>,
    ) -> Result<Self> {
        for (number, (attribute, _)) in order.iter().enumerate() {
            if order[..number].iter().any(|(earlier, _)| earlier == attribute) {
                return Err(Error::invalid(format!("`order_by` contains duplicate fields: {order_by:?}")));
            }
        }
        let mut conditions = parse_filter(filter)?.iter().map(condition).collect::<Result<Vec<_>>>()?;
        let kind = kind(&conditions);
        if kind == Kind::Models {
            // Their absence from the index says it all.
            conditions.retain(|condition| !matches!(condition, Condition::Tag(key, _) if key == PROMPT_TAG));
        }
        Ok(Self { conditions, order, kind, by_default: false })
    }

    /// Which of them it looks at.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Does every model, or version, of its kind pass?
    pub fn matches_all(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Is the order that of the index: models by name, versions by their last update?
    pub fn is_default_order(&self) -> bool {
        self.by_default
    }

    /// Are versions sorted by their number, or by their age, which is the same within one model? `Some(true)`: from the first.
    pub fn is_number_order(&self) -> Option<bool> {
        match self.order.iter().find(|(attribute, _)| *attribute != Attribute::Name)? {
            (Attribute::Number, ascending) => Some(*ascending),
            (Attribute::CreationTime, false) => Some(false),
            _ => None,
        }
    }

    /// The only names that can match; `None` if the filter does not say.
    pub fn names(&self) -> Option<BTreeSet<String>> {
        self.conditions.iter().find_map(|condition| match condition {
            Condition::Name(test) => wanted(test),
            _ => None,
        })
    }

    /// The only runs whose versions can match; `None` if the filter does not say.
    pub fn run_ids(&self) -> Option<BTreeSet<String>> {
        self.conditions.iter().find_map(|condition| match condition {
            Condition::RunId(test) => wanted(test),
            _ => None,
        })
    }

    /// The same search, its names as `rename` gives them.
    #[must_use]
    pub fn with_names(mut self, rename: impl Fn(&str) -> String) -> Self {
        let renamed = |condition| match condition {
            Condition::Name(test) => Condition::Name(test.renamed(&rename)),
            other => other,
        };
        self.conditions = self.conditions.into_iter().map(renamed).collect();
        self
    }

    /// Does a model, as the view names it, pass the filter? Without the named tag it never does.
    pub fn matches_model(&self, name: &str, model: &RegisteredModel) -> bool {
        self.conditions.iter().all(|condition| match condition {
            Condition::Name(test) => test.passes(name),
            Condition::Tag(key, test) => model.tags.get(key).is_some_and(|value| test.passes(value)),
            Condition::RunId(_) | Condition::Source(_) | Condition::Number(_) => false,
        })
    }

    /// Does a version pass the filter? Without the named tag it never does.
    pub fn matches_version(&self, view: &VersionView<'_>) -> bool {
        let version = view.version;
        self.conditions.iter().all(|condition| match condition {
            Condition::Name(test) => test.passes(view.name),
            Condition::RunId(test) => test.passes(&version.run_id),
            Condition::Source(test) => test.passes(view.source),
            Condition::Number(test) => test.passes_integer(integer(version.number)),
            Condition::Tag(key, test) => version.tags.get(key).is_some_and(|value| test.passes(value)),
        })
    }

    /// Where a model sorts. Its own name and its project come last, so that no two share a key.
    pub fn model_key(&self, name: &str, model: &RegisteredModel) -> SortKey {
        let mut key = SortKey::with_capacity(self.order.len() + 1);
        for (attribute, ascending) in &self.order {
            let value = match attribute {
                Attribute::Name => OrderValue::Text(name),
                Attribute::CreationTime => OrderValue::Integer(model.creation_time),
                Attribute::LastUpdateTime | Attribute::Number => OrderValue::Integer(model.last_update_time),
            };
            key.push(value, *ascending);
        }
        key.push(OrderValue::Text(&model.uid), true);
        key
    }

    /// Where a version sorts.
    pub fn version_key(&self, view: &VersionView<'_>) -> SortKey {
        let version = view.version;
        let mut key = SortKey::with_capacity(self.order.len() + 1);
        for (attribute, ascending) in &self.order {
            let value = match attribute {
                Attribute::Name => OrderValue::Text(view.name),
                Attribute::CreationTime => OrderValue::Integer(version.creation_time),
                Attribute::LastUpdateTime => OrderValue::Integer(version.last_update_time),
                Attribute::Number => OrderValue::Integer(integer(version.number)),
            };
            key.push(value, *ascending);
        }
        key.push(OrderValue::Text(&version.uid), true);
        key
    }
}

/// The texts that alone pass a test.
fn wanted(test: &TextTest) -> Option<BTreeSet<String>> {
    match test {
        TextTest::Equal(text) => Some(BTreeSet::from([text.clone()])),
        TextTest::In(texts) => Some(texts.clone()),
        _ => None,
    }
}

fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// As the stock server: the first comparison of the prompt tag decides.
fn kind(conditions: &[Condition]) -> Kind {
    let of_prompts = conditions.iter().find_map(|condition| match condition {
        Condition::Tag(key, test) if key == PROMPT_TAG => Some(test),
        _ => None,
    });
    match of_prompts {
        Some(TextTest::Equal(value)) if value == "true" => Kind::Prompts,
        Some(TextTest::Equal(value)) if value.eq_ignore_ascii_case("true") => Kind::Both,
        Some(TextTest::NotEqual(value)) if value.eq_ignore_ascii_case("false") => Kind::Both,
        _ => Kind::Models,
    }
}

fn model_condition(comparison: &Comparison<'_>) -> Result<Condition> {
    let Some(key) = attribute_key(comparison)? else { return tag_condition(comparison) };
    if key != "name" {
        return Err(unknown_attribute(key, MODEL_KEYS));
    }
    text_test(comparison, true, "['name']").map(Condition::Name)
}

fn version_condition(comparison: &Comparison<'_>) -> Result<Condition> {
    let Some(key) = attribute_key(comparison)? else { return tag_condition(comparison) };
    let lists = "['name', 'run_id']";
    match key {
        "name" => text_test(comparison, true, lists).map(Condition::Name),
        "run_id" => text_test(comparison, true, lists).map(Condition::RunId),
        "source_path" => text_test(comparison, false, lists).map(Condition::Source),
        "version_number" => {
            let written = match &comparison.value {
                Literal::Number(number) => number,
                Literal::List { .. } => return Err(no_list(lists)),
                other => text_value(other, "attributes")?,
            };
            if !matches!(comparison.comparator.as_str(), "=" | "!=" | ">" | ">=" | "<" | "<=") {
                return Err(Error::invalid(format!(
                    "Invalid comparator for attribute {key}: {}",
                    comparison.comparator
                )));
            }
            if written.trim().parse::<i64>().is_err() {
                return Err(Error::invalid(format!("Invalid value for numeric attribute '{key}': '{written}'")));
            }
            NumberTest::new(&comparison.comparator, written.trim()).map(Condition::Number)
        }
        other => Err(unknown_attribute(other, VERSION_KEYS)),
    }
}

/// The attribute that is compared; `None` for a tag.
fn attribute_key<'a>(comparison: &Comparison<'a>) -> Result<Option<&'a str>> {
    let Name { entity, key } = comparison.name;
    match entity.unwrap_or("attribute") {
        "attribute" => Ok(Some(key)),
        "tag" | "tags" => Ok(None),
        other => Err(Error::invalid(format!(
            "Invalid entity type '{other}'. Valid entity types are ('attribute', 'tag', 'tags')"
        ))),
    }
}

fn tag_condition(comparison: &Comparison<'_>) -> Result<Condition> {
    let text = text_value(&comparison.value, "tag (e.g. 'my-value')")?;
    let comparator = comparison.comparator.as_str();
    if !TEXT_COMPARATORS.contains(&comparator) {
        return Err(Error::invalid(format!("Invalid comparator for tag: {comparator}")));
    }
    Ok(Condition::Tag(comparison.name.key.to_owned(), TextTest::new(comparator, text)?))
}

fn text_test(comparison: &Comparison<'_>, takes_lists: bool, lists: &str) -> Result<TextTest> {
    let comparator = comparison.comparator.as_str();
    let refused = || Error::invalid(format!("Invalid comparator for attribute: {comparator}"));
    match &comparison.value {
        Literal::List { .. } if !takes_lists => Err(no_list(lists)),
        Literal::List { source, items } => {
            let texts = list_texts(source, items)?;
            if matches!(comparator, "IN" | "NOT IN") { TextTest::of_list(comparator, texts) } else { Err(refused()) }
        }
        Literal::None => Err(refused()),
        value => {
            let text = text_value(value, "attributes")?;
            if TEXT_COMPARATORS.contains(&comparator) { TextTest::new(comparator, text) } else { Err(refused()) }
        }
    }
}

fn no_list(lists: &str) -> Error {
    Error::invalid(format!("Only {lists} attributes support comparison with a list of quoted string values."))
}

fn model_order(clause: &OrderClause<'_>) -> Result<(Attribute, bool)> {
    let attribute = match (clause.name.entity, clause.name.key) {
        (None, "name") => Attribute::Name,
        (None, "timestamp" | "last_updated_timestamp") => Attribute::LastUpdateTime,
        (entity, key) => {
            let entity = entity.map(|entity| format!("{entity}.")).unwrap_or_default();
            return Err(Error::invalid(format!(
                "Invalid order by key '{entity}{key}' specified. Valid keys are '{MODEL_ORDER_KEYS}'"
            )));
        }
    };
    Ok((attribute, clause.ascending))
}

fn version_order(clause: &OrderClause<'_>) -> Result<(Attribute, bool)> {
    match clause.name.entity.unwrap_or("attribute") {
        "attribute" => {}
        "tag" | "tags" => return Err(Error::invalid("Invalid order_by entity: tag")),
        other => {
            return Err(Error::invalid(format!(
                "Invalid entity type '{other}'. Valid entity types are ('attribute', 'tag', 'tags')"
            )));
        }
    }
    let attribute = match clause.name.key {
        "name" => Attribute::Name,
        "version_number" => Attribute::Number,
        "creation_timestamp" => Attribute::CreationTime,
        "last_updated_timestamp" => Attribute::LastUpdateTime,
        other => return Err(unknown_attribute(other, VERSION_ORDER_KEYS)),
    };
    Ok((attribute, clause.ascending))
}
