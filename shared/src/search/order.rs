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

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::*;

    use super::*;

    fn key(value: Option<f64>, ascending: bool) -> SortKey {
        let mut key = SortKey::with_capacity(1);
        key.push(OrderValue::real(value), ascending);
        key
    }

    /// 0 real, 1 NaN, 2 missing: the classes never mix, whatever the direction.
    fn class(value: Option<f64>) -> u8 {
        value.map_or(2, |real| u8::from(real.is_nan()))
    }

    fn defined_order(left: Option<f64>, right: Option<f64>, ascending: bool) -> Ordering {
        class(left).cmp(&class(right)).then_with(|| match (left, right) {
            (Some(left), Some(right)) if !left.is_nan() && !right.is_nan() => {
                let bounded = |real: f64| real.clamp(f64::MIN, f64::MAX);
                let order = bounded(left).partial_cmp(&bounded(right)).unwrap();
                if ascending { order } else { order.reverse() }
            }
            _ => Ordering::Equal,
        })
    }

    fn value() -> impl Strategy<Value = Option<f64>> {
        prop_oneof![
            8 => any::<f64>().prop_map(Some),
            2 => (-3i8..3).prop_map(|small| Some(f64::from(small))),
            1 => prop::sample::select(vec![
                None, Some(f64::NAN), Some(-f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY),
                Some(-0.0), Some(f64::MAX), Some(f64::MIN), Some(f64::MIN_POSITIVE), Some(5e-324),
            ]),
        ]
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(left in value(), right in value(), ascending: bool) {
            let order = key(left, ascending).cmp(&key(right, ascending));
            prop_assert_eq!(order, defined_order(left, right, ascending));
        }

        #[test]
        fn survives_storage_exactly(values in prop::collection::vec((value(), any::<bool>()), 0..5), text in ".*") {
            let mut key = SortKey::with_capacity(values.len() + 1);
            for (value, ascending) in values {
                key.push(OrderValue::real(value), ascending);
            }
            key.push(OrderValue::Text(&text), false);
            let stored = postcard::to_stdvec(&key).unwrap();
            prop_assert_eq!(&postcard::from_bytes::<SortKey>(&stored).unwrap(), &key);
            let json = serde_json::to_string(&key).unwrap();
            prop_assert_eq!(serde_json::from_str::<SortKey>(&json).unwrap(), key);
        }
    }
}
