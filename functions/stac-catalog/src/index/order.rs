//! The order of items: by the fields of `sortby`, then by id and collection.

use std::cmp::Ordering;

use super::Entry;
use super::block::Packed;
use super::names::Names;
use super::position::SortValue;
use crate::query::{Sort, SortField};
use crate::value::Value;

/// A value as items are sorted by it, borrowed. Values of different kinds are ordered as the kinds are here.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key<'a> {
    Bool(bool),
    Number(f64),
    Instant(i64),
    Text(&'a str),
    /// Last in both directions.
    Missing,
}

impl<'a> Key<'a> {
    fn of(value: Value<'a>) -> Self {
        match value {
            Value::Bool(value) => Self::Bool(value),
            Value::Number(value) => Self::Number(value),
            Value::Text(text) => Self::Text(text),
            Value::Instant(_, micros) => Self::Instant(micros),
            Value::Null | Value::List(_) | Value::Span(..) => Self::Missing,
        }
    }

    pub fn from_value(value: &'a SortValue) -> Self {
        match value {
            SortValue::Missing => Self::Missing,
            SortValue::Bool(value) => Self::Bool(*value),
            SortValue::Number(value) => Self::Number(*value),
            SortValue::Instant(micros) => Self::Instant(*micros),
            SortValue::Text(text) => Self::Text(text),
        }
    }

    pub fn to_value(self) -> SortValue {
        match self {
            Self::Missing => SortValue::Missing,
            Self::Bool(value) => SortValue::Bool(value),
            Self::Number(value) => SortValue::Number(value),
            Self::Instant(micros) => SortValue::Instant(micros),
            Self::Text(text) => SortValue::Text(text.to_owned()),
        }
    }

    fn kind(self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Number(_) => 1,
            Self::Instant(_) => 2,
            Self::Text(_) => 3,
            Self::Missing => 4,
        }
    }

    fn ascending(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Bool(left), Self::Bool(right)) => left.cmp(&right),
            (Self::Number(left), Self::Number(right)) => left.total_cmp(&right),
            (Self::Instant(left), Self::Instant(right)) => left.cmp(&right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            (left, right) => left.kind().cmp(&right.kind()),
        }
    }

    fn compare(self, other: Self, descending: bool) -> Ordering {
        let missing = matches!(self, Self::Missing) || matches!(other, Self::Missing);
        let order = self.ascending(other);
        if descending && !missing { order.reverse() } else { order }
    }
}

/// The fields, with the numbers that properties have in this index.
pub(super) struct Order {
    fields: Vec<(Field, bool)>,
}

enum Field {
    Id,
    Collection,
    FirstOf(Vec<u32>),
}

impl Order {
    pub fn new(sorts: &[Sort], names: &Names) -> Self {
        let field = |sort: &Sort| match sort.field {
            SortField::Id => Field::Id,
            SortField::Collection => Field::Collection,
            SortField::Property(chain) => {
                Field::FirstOf(chain.iter().filter_map(|name| names.property(name)).collect())
            }
        };
        Self { fields: sorts.iter().map(|sort| (field(sort), sort.descending)).collect() }
    }

    /// How many values an item is sorted by, besides its id and collection.
    pub fn width(&self) -> usize {
        self.fields.len()
    }

    /// The values that an item is sorted by.
    pub fn keys<'a>(&self, entry: &'a Entry, facts: Packed<'a>) -> impl Iterator<Item = Key<'a>> {
        self.fields.iter().map(move |(field, _)| match field {
            Field::Id => Key::Text(entry.id()),
            Field::Collection => Key::Text(entry.collection()),
            Field::FirstOf(numbers) => {
                let mut keys = numbers.iter().map(|number| Key::of(facts.value(*number)));
                keys.find(|key| !matches!(key, Key::Missing)).unwrap_or(Key::Missing)
            }
        })
    }

    /// By the values alone.
    pub fn compare<'k>(&self, left: impl Iterator<Item = Key<'k>>, right: impl Iterator<Item = Key<'k>>) -> Ordering {
        let pairs = left.zip(right).zip(&self.fields);
        let mut orders = pairs.map(|((left, right), (_, descending))| left.compare(right, *descending));
        orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}
