//! Does an item match? In logic of three values: what cannot be compared is neither true nor false.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::expr::{Comparison, Expr, ListOperand, ListRelation, Operand, TimeOperand};
use super::temporal::Span;
use crate::geometry::Shape;
use crate::instant::DAY;
use crate::value::Value;

/// What a filter asks of an item.
pub trait Subject {
    /// The value of the filter's property of this number.
    fn value(&self, property: usize) -> Value<'_>;
    /// The place that the filter's property of this number names.
    fn shape(&self, property: usize) -> Option<&Shape>;
}

/// A value, as it is compared.
enum Scalar<'a> {
    Bool(bool),
    Number(f64),
    Text(Cow<'a, str>, Option<i64>),
    Instant(i64),
    Day(i64),
}

impl Expr {
    /// `None`: unknown.
    pub(super) fn holds(&self, subject: &impl Subject) -> Option<bool> {
        match self {
            Self::Constant(value) => Some(*value),
            Self::And(parts) => all(parts.iter().map(|part| part.holds(subject))),
            Self::Or(parts) => any(parts.iter().map(|part| part.holds(subject))),
            Self::Not(inner) => inner.holds(subject).map(|holds| !holds),
            Self::IsNull(property) => {
                let absent = matches!(subject.value(*property), Value::Null | Value::Span(..));
                Some(absent && subject.shape(*property).is_none())
            }
            Self::Compare(comparison, left, right) => {
                let (left, right) = (left.scalar(subject)?, right.scalar(subject)?);
                match comparison {
                    Comparison::Equal => equal(&left, &right),
                    Comparison::NotEqual => equal(&left, &right).map(|equal| !equal),
                    Comparison::Less => compare(&left, &right).map(Ordering::is_lt),
                    Comparison::LessOrEqual => compare(&left, &right).map(Ordering::is_le),
                    Comparison::Greater => compare(&left, &right).map(Ordering::is_gt),
                    Comparison::GreaterOrEqual => compare(&left, &right).map(Ordering::is_ge),
                }
            }
            Self::Between { value, low, high } => {
                let value = value.scalar(subject)?;
                let side = |bound: &Operand| compare(&value, &bound.scalar(subject)?);
                let (low, high) = (side(low).map(Ordering::is_ge), side(high).map(Ordering::is_le));
                all([low, high].into_iter())
            }
            Self::In(value, list) => {
                let value = value.scalar(subject)?;
                any(list.iter().map(|one| equal(&value, &one.scalar(subject)?)))
            }
            Self::Like(value, pattern) => match value.scalar(subject)? {
                Scalar::Text(text, _) => Some(pattern.matches(&text)),
                _ => None,
            },
            Self::Lists(relation, left, right) => {
                Some(relation.holds(&left.scalars(subject)?, &right.scalars(subject)?))
            }
            Self::Meets(property, area) => Some(area.meets(subject.shape(*property)?)),
            Self::Times(relation, left, right) => Some(relation.holds(left.span(subject)?, right.span(subject)?)),
        }
    }
}

/// False if one is false, else unknown if one is unknown.
fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(true);
    for part in parts {
        match part {
            Some(false) => return part,
            Some(true) => {}
            None => result = None,
        }
    }
    result
}

/// True if one is true, else unknown if one is unknown.
fn any(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(parts.map(|part| part.map(|holds| !holds))).map(|none| !none)
}

/// `None`: they cannot be compared.
fn compare(left: &Scalar<'_>, right: &Scalar<'_>) -> Option<Ordering> {
    use Scalar::{Bool, Day, Instant, Number, Text};
    match (left, right) {
        (Bool(left), Bool(right)) => Some(left.cmp(right)),
        (Number(left), Number(right)) => left.partial_cmp(right),
        (Text(_, Some(left)) | Instant(left), Text(_, Some(right)) | Instant(right)) => Some(left.cmp(right)),
        (Text(left, _), Text(right, _)) => Some(left.cmp(right)),
        (Day(left), right) => Some(left.cmp(&right.day()?)),
        (left, Day(right)) => Some(left.day()?.cmp(right)),
        _ => None,
    }
}

/// As `compare` says; texts of different length need not be read for it.
fn equal(left: &Scalar<'_>, right: &Scalar<'_>) -> Option<bool> {
    match (left, right) {
        (Scalar::Text(left, None), Scalar::Text(right, _)) => Some(left == right),
        _ => compare(left, right).map(Ordering::is_eq),
    }
}

impl Scalar<'_> {
    /// Where the UTC day that it lies in begins.
    fn day(&self) -> Option<i64> {
        match self {
            Self::Day(day) => Some(*day),
            Self::Instant(micros) | Self::Text(_, Some(micros)) => Some(micros.div_euclid(DAY) * DAY),
            Self::Text(text, None) => crate::instant::parse_date(text),
            _ => None,
        }
    }
}

impl<'a> Scalar<'a> {
    fn of(value: Value<'a>) -> Option<Self> {
        Some(match value {
            Value::Bool(value) => Self::Bool(value),
            Value::Number(value) => Self::Number(value),
            Value::Text(text) => Self::Text(Cow::Borrowed(text), None),
            Value::Instant(text, micros) => Self::Text(Cow::Borrowed(text), Some(micros)),
            Value::Null | Value::List(_) | Value::Span(..) => return None,
        })
    }
}

impl Operand {
    fn scalar<'a>(&'a self, subject: &'a impl Subject) -> Option<Scalar<'a>> {
        Some(match self {
            Self::Property(at) => Scalar::of(subject.value(*at))?,
            Self::Folded(at) => match subject.value(*at) {
                Value::Text(text) | Value::Instant(text, _) => Scalar::Text(Cow::Owned(text.to_lowercase()), None),
                _ => return None,
            },
            Self::Bool(value) => Scalar::Bool(*value),
            Self::Number(value) => Scalar::Number(*value),
            Self::Text(text, micros) => Scalar::Text(Cow::Borrowed(text), *micros),
            Self::Instant(micros) => Scalar::Instant(*micros),
            Self::Day(day) => Scalar::Day(*day),
        })
    }
}

impl ListOperand {
    /// `None` if there is no such property; a single value is a list of one.
    fn scalars<'a>(&'a self, subject: &'a impl Subject) -> Option<Vec<Option<Scalar<'a>>>> {
        match self {
            Self::Literal(operands) => Some(operands.iter().map(|operand| operand.scalar(subject)).collect()),
            Self::Property(at) => match subject.value(*at) {
                Value::Null | Value::Span(..) => None,
                Value::List(list) => Some(list.values().map(Scalar::of).collect()),
                single => Some(vec![Scalar::of(single)]),
            },
        }
    }
}

impl ListRelation {
    fn holds(self, left: &[Option<Scalar<'_>>], right: &[Option<Scalar<'_>>]) -> bool {
        let same = |left: &Option<Scalar<'_>>, right: &Option<Scalar<'_>>| match (left, right) {
            (Some(left), Some(right)) => equal(left, right) == Some(true),
            _ => false,
        };
        let within = |inner: &[Option<Scalar<'_>>], outer: &[Option<Scalar<'_>>]| {
            inner.iter().all(|one| outer.iter().any(|other| same(one, other)))
        };
        match self {
            Self::Equals => within(left, right) && within(right, left),
            Self::Contains => within(right, left),
            Self::ContainedBy => within(left, right),
            Self::Overlaps => left.iter().any(|one| right.iter().any(|other| same(one, other))),
        }
    }
}

impl TimeOperand {
    fn span(&self, subject: &impl Subject) -> Option<Span> {
        match self {
            Self::Property(at) => subject.value(*at).span(),
            Self::Literal(first, last) => Some((*first, *last)),
            Self::Between(start, end) => Some((start.span(subject)?.0, end.span(subject)?.1)),
        }
    }
}
