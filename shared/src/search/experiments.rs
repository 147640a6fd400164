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

impl<'a> ExperimentView<'a> {
    /// As stored.
    pub fn plain(experiment: &'a Experiment) -> Self {
        Self { name: &experiment.name, id: experiment.id, experiment }
    }
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

    /// Does the experiment pass the filter? Without the named tag it never does, also not for `!=`.
    pub fn matches(&self, view: &ExperimentView<'_>) -> bool {
        self.conditions.iter().all(|condition| condition.accepts(view))
    }

    /// Where the experiment sorts: the fields of order_by (by default from new to old), then its id.
    pub fn sort_key(&self, view: &ExperimentView<'_>) -> SortKey {
        let mut key = SortKey::with_capacity(self.order.len());
        for (attribute, ascending) in &self.order {
            let value = match attribute {
                Attribute::Name => OrderValue::Text(view.name),
                Attribute::Id => OrderValue::Integer(i64::try_from(view.id.0).unwrap_or(i64::MAX)),
                Attribute::CreationTime => OrderValue::Integer(view.experiment.creation_time),
                Attribute::LastUpdateTime => OrderValue::Integer(view.experiment.last_update_time),
            };
            key.push(value, *ascending);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Lifecycle, ProjectId};

    fn experiment(name: &str, id: u64, tags: &[(&str, &str)]) -> Experiment {
        Experiment {
            id: ExperimentId(id),
            project: ProjectId(1),
            name: name.into(),
            artifact_location: String::new(),
            lifecycle: Lifecycle::Active,
            creation_time: 1_000_000 + i64::try_from(id).unwrap(),
            last_update_time: 1_000_000 + i64::try_from(id).unwrap(),
            tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            changes: 0,
            shards: 1,
            writer_shards_from: Default::default(),
            is_default: false,
        }
    }

    fn found(filter: &str, order_by: &[&str]) -> Result<String> {
        let experiments = [
            experiment("Able", 11, &[("team", "red"), ("empty", "")]),
            experiment("baker", 12, &[("team", "Blue")]),
            experiment("charlie", 13, &[("a.b", "x y")]),
        ];
        let order_by: Vec<String> = order_by.iter().map(|&clause| clause.to_owned()).collect();
        let search = ExperimentSearch::parse(Some(filter), &order_by)?;
        let view = |experiment| ExperimentView::plain(experiment);
        let mut views: Vec<ExperimentView<'_>> =
            experiments.iter().map(view).filter(|view| search.matches(view)).collect();
        views.sort_by_cached_key(|view| search.sort_key(view));
        let names: Vec<&str> = views.iter().map(|view| view.name).collect();
        Ok(names.join(" "))
    }

    #[test]
    fn filters_find_what_the_stock_server_finds() {
        for (filter, expected) in [
            ("", "charlie baker Able"),
            ("name = 'Able'", "Able"),
            ("attribute.name != 'Able'", "charlie baker"),
            ("name LIKE 'a%'", ""),
            ("name LIKE 'A%'", "Able"),
            ("name ILIKE 'a%'", "Able"),
            ("tags.team = 'red'", "Able"),
            ("tag.team != 'red'", "baker"),
            ("tags.team LIKE '%e%'", "baker Able"),
            ("tags.team ILIKE 'b%'", "baker"),
            ("tags.team IS NULL", "charlie"),
            ("tags.`team` is not null", "baker Able"),
            ("tags.empty = ''", "Able"),
            ("tags.a.b = 'x y'", "charlie"),
            ("tags.\"a.b\" LIKE 'x_y'", "charlie"),
            ("tags.a.b = 'x y' AND name LIKE 'c%'", "charlie"),
            ("experiment_id = '12'", "baker"),
            ("experiment_id != '12'", "charlie Able"),
            ("experiment_id IN ('11', '13')", "charlie Able"),
            ("experiment_id NOT IN ('11')", "charlie baker"),
            ("experiment_id = '012'", "baker"),
            ("experiment_id = '-1'", ""),
            ("creation_time > 0", "charlie baker Able"),
            ("last_update_time < 5", ""),
            ("creation_time != 7", "charlie baker Able"),
        ] {
            assert_eq!(found(filter, &[]).expect(filter), expected, "{filter}");
        }
    }

    #[test]
    fn orders_are_those_of_the_stock_server() {
        for (order_by, expected) in [
            (vec!["name"], "Able baker charlie"),
            (vec!["name DESC"], "charlie baker Able"),
            (vec!["attribute.name ASC"], "Able baker charlie"),
            (vec!["experiment_id"], "Able baker charlie"),
            (vec!["experiment_id DESC"], "charlie baker Able"),
            (vec!["creation_time"], "Able baker charlie"),
            (vec!["last_update_time DESC"], "charlie baker Able"),
            (vec!["creation_time DESC", "name"], "charlie baker Able"),
            (vec!["name", "name DESC"], "Able baker charlie"),
        ] {
            assert_eq!(found("", &order_by).unwrap(), expected, "{order_by:?}");
        }
    }

    #[test]
    fn what_the_stock_server_refuses_is_refused() {
        for (filter, expected) in [
            ("name = 'a' OR name = 'b'", "Invalid clause(s) in filter string: "),
            (
                "attributes.name = 'x'",
                "Invalid entity type 'attributes'. Valid entity types are ('attribute', 'tag', 'tags')",
            ),
            ("experiment_id = 1", "Expected a quoted string value for attributes. Got value 1"),
            ("experiment_id = 'x'", "Invalid experiment ID 'x'. Experiment ID must be a valid integer."),
            ("experiment_id IN ('1', 'x')", "Invalid experiment ID 'x'. Experiment ID must be a valid integer."),
            ("experiment_id > '1'", "Invalid comparator for experiment_id: >"),
            ("experiment_id LIKE '1'", "Invalid comparator for experiment_id: LIKE"),
            (
                "name IN ('a','b')",
                "Only ['experiment_id'] attributes support comparison with a list of quoted string values.",
            ),
            ("name > 'a'", "Invalid comparator '>' not one of "),
            ("name IS NULL", "IS NULL / IS NOT NULL is only supported for tags, not for attribute 'name'"),
            ("name = 5", "Expected a quoted string value for attributes. Got value 5"),
            ("creation_time > 5.5", "Invalid value for numeric attribute 'creation_time': '5.5'"),
            ("creation_time > '5'", "Expected numeric value type for numeric attribute: creation_time. Found '5'"),
            ("creation_time LIKE 5", "Invalid comparator 'LIKE' not one of "),
            ("metrics.a = 1", "Invalid entity type 'metrics'. Valid entity types are ('attribute', 'tag', 'tags')"),
            ("lifecycle_stage = 'a'", "Invalid attribute key 'lifecycle_stage' specified. Valid keys are "),
            ("tags.a > 'b'", "Invalid comparator for tag: >"),
            ("tags.a IN ('b')", "Expected a quoted string value for tag (e.g. 'my-value'). Got value ('b')"),
        ] {
            let Err(Error::Invalid(message)) = found(filter, &[]) else { panic!("{filter} is not refused") };
            assert!(message.starts_with(expected), "{filter}: {message}");
        }
        for order_by in
            ["tags.a", "tag.a DESC", "attributes.name", "metrics.a", "foo", "name FOO", "name,creation_time"]
        {
            assert!(matches!(found("", &[order_by]), Err(Error::Invalid(_))), "{order_by}");
        }
    }

    #[test]
    fn the_shown_name_and_id_count() {
        let default = experiment("Default", 7, &[]);
        let shown = ExperimentView { name: "Default (42)", id: ExperimentId(0), experiment: &default };
        for (filter, expected) in [
            ("name = 'Default (42)'", true),
            ("name = 'Default'", false),
            ("experiment_id = '0'", true),
            ("experiment_id = '7'", false),
        ] {
            let search = ExperimentSearch::parse(Some(filter), &[]).unwrap();
            assert_eq!(search.matches(&shown), expected, "{filter}");
        }
        let search = ExperimentSearch::parse(None, &["name".into()]).unwrap();
        let plain = ExperimentView::plain(&default);
        assert!(search.sort_key(&plain) < search.sort_key(&shown));
    }
}
