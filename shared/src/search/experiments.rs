//! Searching experiments, by the name and id that the caller's view shows.

use std::collections::BTreeSet;

use super::condition::{
    NULL_COMPARATORS, NumberTest, TEXT_COMPARATORS, TextTest, check_comparator, number_value, text_value,
    unknown_attribute,
};
use super::order::{OrderValue, SortKey};
use super::parser::{Comparison, Literal, Name, list_texts, parse_filter, parse_order_by};
use crate::error::{Error, Result};
use crate::model::{Experiment, ExperimentId};

const KEYS: &str = "creation_time, experiment_id, last_update_time, name";

/// An experiment as a view shows it.
#[derive(Clone, Copy, Debug)]
pub struct ExperimentView<'a> {
    /// With the project's id in the global view, plain in a project view.
    pub name: &'a str,
    /// 0 for the default experiment in its project's view.
    pub id: ExperimentId,
    pub experiment: &'a Experiment,
}

/// A parsed filter and order_by of `experiments/search`.
#[derive(Clone, Debug, PartialEq)]
pub struct ExperimentSearch {
    conditions: Vec<Condition>,
    order: Vec<(Attribute, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Attribute {
    Name,
    Id,
    CreationTime,
    LastUpdateTime,
}

#[derive(Clone, Debug, PartialEq)]
enum Condition {
    Name(TextTest),
    /// Is the id one of these?
    Ids {
        ids: BTreeSet<u64>,
        wanted: bool,
    },
    Time(Attribute, NumberTest),
    Tag(String, TextTest),
    TagPresent {
        key: String,
        wanted: bool,
    },
}

impl ExperimentSearch {
    /// Parses both; an unknown field, comparator or form is [`Error::Invalid`].
    pub fn parse(filter: Option<&str>, order_by: &[String]) -> Result<Self> {
        let conditions = parse_filter(filter)?.iter().map(Condition::new).collect::<Result<_>>()?;
        let mut order = parse_order_by(order_by)?
            .into_iter()
            .map(|clause| Ok((Attribute::for_order(clause.name)?, clause.ascending)))
            .collect::<Result<Vec<_>>>()?;
        if order.is_empty() {
            order = vec![(Attribute::CreationTime, false), (Attribute::Id, true)];
        } else if !order.iter().any(|(attribute, _)| *attribute == Attribute::Id) {
            order.push((Attribute::Id, false));
        }
        Ok(Self { conditions, order })
    }

    /// Does the experiment pass the filter? Without the named tag it never does, also not for `!=`.
    pub fn matches(&self, view: &ExperimentView<'_>) -> bool {
        self.conditions.iter().all(|condition| condition.accepts(view))
    }

    /// Where the experiment sorts: the fields of order_by (by default from new to old), then its id.
    pub fn sort_key(&self, view: &ExperimentView<'_>) -> SortKey {
        let mut key = SortKey::with_capacity(self.order.len() + 1);
        for (attribute, ascending) in &self.order {
            let value = match attribute {
                Attribute::Name => OrderValue::Text(view.name),
                Attribute::Id => OrderValue::Integer(i64::try_from(view.id.0).unwrap_or(i64::MAX)),
                Attribute::CreationTime => OrderValue::Integer(view.experiment.creation_time),
                Attribute::LastUpdateTime => OrderValue::Integer(view.experiment.last_update_time),
            };
            key.push(value, *ascending);
        }
        // Two views of one search never show one id twice, but a virtual default may stand beside real ones.
        key.push(OrderValue::Integer(i64::try_from(view.experiment.id.0).unwrap_or(i64::MAX)), true);
        key
    }
}

impl Condition {
    fn new(comparison: &Comparison<'_>) -> Result<Self> {
        let key = comparison.name.key;
        let is_tag = match comparison.name.entity.unwrap_or("attribute") {
            "attribute" => false,
            "tag" | "tags" => true,
            other => return Err(unknown_entity(other)),
        };
        let attribute = if is_tag { None } else { Some(Attribute::new(key)?) };
        let comparator = comparison.comparator.as_str();
        if NULL_COMPARATORS.contains(&comparator) {
            if attribute.is_some() {
                return Err(Error::invalid(format!(
                    "IS NULL / IS NOT NULL is only supported for tags, not for attribute '{key}'"
                )));
            }
            return Ok(Self::TagPresent { key: key.to_owned(), wanted: comparator == "IS NOT NULL" });
        }
        match attribute {
            None => {
                let text = text_value(&comparison.value, "tag (e.g. 'my-value')")?;
                if !TEXT_COMPARATORS.contains(&comparator) {
                    return Err(Error::invalid(format!("Invalid comparator for tag: {comparator}")));
                }
                Ok(Self::Tag(key.to_owned(), TextTest::new(comparator, text)?))
            }
            Some(Attribute::Name) => {
                if matches!(comparison.value, Literal::List { .. }) {
                    return Err(Error::invalid(
                        "Only ['experiment_id'] attributes support comparison with a list of quoted string values.",
                    ));
                }
                let text = text_value(&comparison.value, "attributes")?;
                check_comparator(comparison, TEXT_COMPARATORS)?;
                Ok(Self::Name(TextTest::new(comparator, text)?))
            }
            Some(Attribute::Id) => Self::on_id(comparison),
            Some(time) => {
                let number = number_value(&comparison.value, &format!("numeric attribute: {key}"))?;
                let test = NumberTest::new(comparator, number)?;
                if number.parse::<i64>().is_err() {
                    return Err(Error::invalid(format!("Invalid value for numeric attribute '{key}': '{number}'")));
                }
                Ok(Self::Time(time, test))
            }
        }
    }

    fn on_id(comparison: &Comparison<'_>) -> Result<Self> {
        let (texts, is_list) = match &comparison.value {
            Literal::List { source, items } => (list_texts(source, items)?, true),
            other => (BTreeSet::from([text_value(other, "attributes")?.to_owned()]), false),
        };
        let wanted = match (comparison.comparator.as_str(), is_list) {
            ("=", false) | ("IN", true) => true,
            ("!=", false) | ("NOT IN", true) => false,
            (other, _) => {
                return Err(Error::invalid(format!("Invalid comparator for experiment_id: {other}")));
            }
        };
        let mut ids = BTreeSet::new();
        for text in texts {
            // A negative number is an integer that no experiment has.
            let number: i64 = text.trim().parse().map_err(|_| {
                Error::invalid(format!("Invalid experiment ID '{text}'. Experiment ID must be a valid integer."))
            })?;
            ids.extend(u64::try_from(number).ok());
        }
        Ok(Self::Ids { ids, wanted })
    }

    fn accepts(&self, view: &ExperimentView<'_>) -> bool {
        let tags = &view.experiment.tags;
        match self {
            Self::Name(test) => test.passes(view.name),
            Self::Ids { ids, wanted } => ids.contains(&view.id.0) == *wanted,
            Self::Time(Attribute::LastUpdateTime, test) => test.passes_integer(view.experiment.last_update_time),
            Self::Time(_, test) => test.passes_integer(view.experiment.creation_time),
            Self::Tag(key, test) => tags.get(key).is_some_and(|value| test.passes(value)),
            Self::TagPresent { key, wanted } => tags.contains_key(key) == *wanted,
        }
    }
}

impl Attribute {
    fn new(key: &str) -> Result<Self> {
        match key {
            "name" => Ok(Self::Name),
            "experiment_id" => Ok(Self::Id),
            "creation_time" => Ok(Self::CreationTime),
            "last_update_time" => Ok(Self::LastUpdateTime),
            other => Err(unknown_attribute(other, KEYS)),
        }
    }

    fn for_order(name: Name<'_>) -> Result<Self> {
        match name.entity.unwrap_or("attribute") {
            "attribute" => Self::new(name.key),
            "tag" | "tags" => Err(Error::invalid("Invalid order_by entity: tag")),
            other => Err(unknown_entity(other)),
        }
    }
}

fn unknown_entity(entity: &str) -> Error {
    Error::invalid(format!("Invalid entity type '{entity}'. Valid entity types are ('attribute', 'tag', 'tags')"))
}
