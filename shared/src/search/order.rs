//! Where an entity sorts: a key that can be compared, and stored in a page token.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::condition::finite;

/// The place of an entity in the order of one search; smaller comes first. Ends in the entity's id,
/// so that no two entities share a key. Comparable only with keys of the same search.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct SortKey(Vec<SortField>);

/// One field; the variants are in sorting order, so that what has no value comes last in either direction.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
enum SortField {
    Up(SortValue),
    Down(Reverse<SortValue>),
    NotANumber,
    Missing,
}

#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
enum SortValue {
    Integer(i64),
    /// Bits of a double, turned so that they sort as the number does.
    Real(u64),
    Text(String),
}

/// The value of an order_by field, or that there is none.
pub(super) enum OrderValue<'a> {
    Integer(i64),
    Real(f64),
    Text(&'a str),
    Missing,
}

impl<'a> OrderValue<'a> {
    pub fn text(value: Option<&'a String>) -> Self {
        value.map_or(Self::Missing, |text| Self::Text(text))
    }

    pub fn integer(value: Option<i64>) -> Self {
        value.map_or(Self::Missing, Self::Integer)
    }

    pub fn real(value: Option<f64>) -> Self {
        value.map_or(Self::Missing, Self::Real)
    }
}

impl SortKey {
    /// The start time and run id in which every key of a run ends.
    pub(super) fn start_and_id(&self) -> Option<(Option<i64>, String)> {
        let [.., start, SortField::Up(SortValue::Text(id))] = self.0.as_slice() else { return None };
        match start {
            SortField::Down(Reverse(SortValue::Integer(start))) => Some((Some(*start), id.clone())),
            SortField::Missing => Some((None, id.clone())),
            _ => None,
        }
    }

    pub(super) fn with_capacity(fields: usize) -> Self {
        Self(Vec::with_capacity(fields))
    }

    pub(super) fn push(&mut self, value: OrderValue<'_>, ascending: bool) {
        let value = match value {
            OrderValue::Missing => return self.0.push(SortField::Missing),
            OrderValue::Real(real) if real.is_nan() => return self.0.push(SortField::NotANumber),
            OrderValue::Real(real) => SortValue::Real(sortable_bits(finite(real))),
            OrderValue::Integer(integer) => SortValue::Integer(integer),
            OrderValue::Text(text) => SortValue::Text(text.to_owned()),
        };
        self.0.push(if ascending { SortField::Up(value) } else { SortField::Down(Reverse(value)) });
    }
}

/// Bits that compare as the doubles do; -0 is 0.
fn sortable_bits(real: f64) -> u64 {
    const SIGN: u64 = 1 << 63;
    let bits = if real == 0.0 { 0 } else { real.to_bits() };
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}
