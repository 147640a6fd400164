//! Does an item match? In logic of three values: what cannot be compared is neither true nor false.

use std::cell::OnceCell;
use std::cmp::Ordering;

use super::expr::{Comparison, Expr, ListOperand, ListRelation, Operand, Texts, TimeOperand};
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

/// An item that is asked, and its properties that were made lower-case for it.
pub(super) struct Asked<'s, S> {
    subject: &'s S,
    folded: Vec<OnceCell<String>>,
}

impl<'s, S: Subject> Asked<'s, S> {
    /// `folds` is the number of properties, or 0 if none is needed in lower case.
    pub fn new(subject: &'s S, folds: usize) -> Self {
        Self { subject, folded: vec![OnceCell::new(); folds] }
    }

    fn value(&self, property: usize) -> Value<'s> {
        self.subject.value(property)
    }

    fn shape(&self, property: usize) -> Option<&'s Shape> {
        self.subject.shape(property)
    }

    /// A text in lower case; most are ASCII, which is quicker.
    fn folded(&self, property: usize) -> Option<&str> {
        let (Value::Text(text) | Value::Instant(text, _)) = self.value(property) else { return None };
        let fold = || if text.is_ascii() { text.to_ascii_lowercase() } else { text.to_lowercase() };
        self.folded.get(property).map(|cell| cell.get_or_init(fold).as_str())
    }
}

/// A value, as it is compared.
#[derive(Clone, Copy)]
enum Scalar<'a> {
    Bool(bool),
    Number(f64),
    Text(&'a str, Option<i64>),
    Instant(i64),
    Day(i64),
}

impl Expr {
    /// `None`: unknown.
    pub(super) fn holds(&self, subject: &Asked<'_, impl Subject>) -> Option<bool> {
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
                // Most often a number and a bound, which are compared without detours.
                if let (Operand::Property(at), Operand::Number(bound)) = (left, right)
                    && let Value::Number(value) = subject.value(*at)
                {
                    return value.partial_cmp(bound).map(|order| comparison.holds(order));
                }
                let (left, right) = (left.scalar(subject)?, right.scalar(subject)?);
                match comparison {
                    Comparison::Equal => equal(&left, &right),
                    Comparison::NotEqual => equal(&left, &right).map(|equal| !equal),
                    _ => compare(&left, &right).map(|order| comparison.holds(order)),
                }
            }
            Self::Between { value, low, high } => {
                let value = value.scalar(subject)?;
                let side = |bound: &Operand| compare(&value, &bound.scalar(subject)?);
                let (low, high) = (side(low).map(Ordering::is_ge), side(high).map(Ordering::is_le));
                all([low, high].into_iter())
            }
            Self::In(value, list, texts) => {
                let value = value.scalar(subject)?;
                if let (Scalar::Text(text, _), Some(texts)) = (&value, texts) {
                    return Some(texts.contains(*text));
                }
                any(list.iter().map(|one| equal(&value, &one.scalar(subject)?)))
            }
            Self::Like(value, pattern) => match value.scalar(subject)? {
                Scalar::Text(text, _) => Some(pattern.matches(text)),
                _ => None,
            },
            Self::Lists(relation, left, right) => Some(relation.holds(&left.list(subject)?, &right.list(subject)?)),
            Self::Meets(property, area) => Some(area.meets(subject.shape(*property)?)),
            Self::Times(relation, left, right) => Some(relation.holds(left.span(subject)?, right.span(subject)?)),
        }
    }
}

impl Comparison {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
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
            Value::Text(text) => Self::Text(text, None),
            Value::Instant(text, micros) => Self::Text(text, Some(micros)),
            Value::Null | Value::List(_) | Value::Span(..) => return None,
        })
    }
}

impl Operand {
    fn scalar<'a>(&'a self, subject: &'a Asked<'_, impl Subject>) -> Option<Scalar<'a>> {
        Some(match self {
            Self::Property(at) => Scalar::of(subject.value(*at))?,
            Self::Folded(at) => Scalar::Text(subject.folded(*at)?, None),
            Self::Bool(value) => Scalar::Bool(*value),
            Self::Number(value) => Scalar::Number(*value),
            Self::Text(text, micros) => Scalar::Text(text, *micros),
            Self::Instant(micros) => Scalar::Instant(*micros),
            Self::Day(day) => Scalar::Day(*day),
        })
    }
}

/// What a list holds, as a set.
enum List<'a> {
    Texts(&'a Texts),
    Values(Vec<Option<Scalar<'a>>>),
}

impl List<'_> {
    fn has(&self, one: Option<Scalar<'_>>) -> bool {
        match (self, one) {
            (Self::Texts(texts), Some(Scalar::Text(text, _))) => texts.contains(text),
            (Self::Values(values), Some(one)) => values.iter().flatten().any(|other| equal(&one, other) == Some(true)),
            _ => false,
        }
    }

    fn is_within(&self, outer: &Self) -> bool {
        match self {
            Self::Texts(texts) => texts.iter().all(|text| outer.has(Some(Scalar::Text(text, None)))),
            Self::Values(values) => values.iter().all(|value| outer.has(*value)),
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        match self {
            Self::Texts(texts) => texts.iter().any(|text| other.has(Some(Scalar::Text(text, None)))),
            Self::Values(values) => values.iter().any(|value| other.has(*value)),
        }
    }
}

impl ListOperand {
    /// `None` if there is no such property; a single value is a list of one.
    fn list<'a>(&'a self, subject: &'a Asked<'_, impl Subject>) -> Option<List<'a>> {
        Some(match self {
            Self::Literal(_, Some(texts)) => List::Texts(texts),
            Self::Literal(values, None) => List::Values(values.iter().map(|value| value.scalar(subject)).collect()),
            Self::Property(at) => match subject.value(*at) {
                Value::Null | Value::Span(..) => return None,
                Value::List(list) => List::Values(list.values().map(Scalar::of).collect()),
                single => List::Values(vec![Scalar::of(single)]),
            },
        })
    }
}

impl ListRelation {
    fn holds(self, left: &List<'_>, right: &List<'_>) -> bool {
        match self {
            Self::Equals => left.is_within(right) && right.is_within(left),
            Self::Contains => right.is_within(left),
            Self::ContainedBy => left.is_within(right),
            // The one that is looked up in is the one that may be long.
            Self::Overlaps => match left {
                List::Texts(_) => right.overlaps(left),
                List::Values(_) => left.overlaps(right),
            },
        }
    }
}

impl TimeOperand {
    fn span(&self, subject: &Asked<'_, impl Subject>) -> Option<Span> {
        match self {
            Self::Property(at) => subject.value(*at).span(),
            Self::Literal(first, last) => Some((*first, *last)),
            Self::Between(start, end) => Some((start.span(subject)?.0, end.span(subject)?.1)),
        }
    }
}
