//! What a comparison asks of one value: tests on texts and on numbers.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::like::Pattern;
use super::parser::{Comparison, Literal};
use crate::error::{Error, Result};

pub(super) const NUMBER_COMPARATORS: &[&str] = &["=", "!=", ">", ">=", "<", "<="];
pub(super) const TEXT_COMPARATORS: &[&str] = &["=", "!=", "LIKE", "ILIKE"];
pub(super) const TEXT_OR_LIST_COMPARATORS: &[&str] = &["=", "!=", "LIKE", "ILIKE", "IN", "NOT IN"];

pub(super) const NULL_COMPARATORS: &[&str] = &["IS NULL", "IS NOT NULL"];

/// A test on a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TextTest {
    Equal(String),
    NotEqual(String),
    Like(Pattern),
    In(BTreeSet<String>),
    NotIn(BTreeSet<String>),
}

impl TextTest {
    /// Compares with one text.
    pub fn new(comparator: &str, value: &str) -> Result<Self> {
        Ok(match comparator {
            "=" => Self::Equal(value.to_owned()),
            "!=" => Self::NotEqual(value.to_owned()),
            "LIKE" => Self::Like(Pattern::new(value, false)?),
            "ILIKE" => Self::Like(Pattern::new(value, true)?),
            other => return Err(unusable(other, TEXT_COMPARATORS)),
        })
    }

    /// Compares with a list of texts.
    pub fn of_list(comparator: &str, values: BTreeSet<String>) -> Result<Self> {
        match comparator {
            "IN" => Ok(Self::In(values)),
            "NOT IN" => Ok(Self::NotIn(values)),
            other => Err(Error::invalid(format!("Invalid comparator '{other}' for a list; use IN or NOT IN"))),
        }
    }

    /// The same test, its texts as `rename` gives them; patterns stay.
    #[must_use]
    pub fn renamed(self, rename: impl Fn(&str) -> String) -> Self {
        let all = |texts: BTreeSet<String>| texts.iter().map(|text| rename(text)).collect();
        match self {
            Self::Equal(text) => Self::Equal(rename(&text)),
            Self::NotEqual(text) => Self::NotEqual(rename(&text)),
            Self::In(texts) => Self::In(all(texts)),
            Self::NotIn(texts) => Self::NotIn(all(texts)),
            Self::Like(pattern) => Self::Like(pattern),
        }
    }

    /// Does the text pass?
    pub fn passes(&self, text: &str) -> bool {
        match self {
            Self::Equal(wanted) => text == wanted,
            Self::NotEqual(wanted) => text != wanted,
            Self::Like(pattern) => pattern.matches(text),
            Self::In(wanted) => wanted.contains(text),
            Self::NotIn(wanted) => !wanted.contains(text),
        }
    }

    /// Is it true of most texts (`!=`, `NOT IN`)?
    pub fn is_negative(&self) -> bool {
        matches!(self, Self::NotEqual(_) | Self::NotIn(_))
    }
}

/// A test on a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NumberTest {
    wanted: Wanted,
    number: Number,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Wanted {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// A number as written: exact if it is a 64-bit integer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Number {
    Integer(i64),
    Real(f64),
}

impl NumberTest {
    /// Compares with a number written as in the filter.
    pub fn new(comparator: &str, number: &str) -> Result<Self> {
        let wanted = match comparator {
            "=" => Wanted::Equal,
            "!=" => Wanted::NotEqual,
            ">" => Wanted::Greater,
            ">=" => Wanted::GreaterOrEqual,
            "<" => Wanted::Less,
            "<=" => Wanted::LessOrEqual,
            other => return Err(unusable(other, NUMBER_COMPARATORS)),
        };
        let number = match number.parse() {
            Ok(integer) => Number::Integer(integer),
            Err(_) => {
                Number::Real(number.parse().map_err(|_| Error::invalid(format!("Expected a number. Found {number}")))?)
            }
        };
        Ok(Self { wanted, number })
    }

    /// Does a metric's value pass? NaN differs from every number; infinities count as the largest finite
    /// numbers, which is how they are shown.
    pub fn passes_real(&self, value: f64) -> bool {
        let number = match self.number {
            Number::Integer(integer) => integer as f64,
            Number::Real(real) => real,
        };
        self.accepts(finite(value).partial_cmp(&number))
    }

    /// Does a time in ms, or another integer, pass?
    pub fn passes_integer(&self, value: i64) -> bool {
        self.accepts(match self.number {
            Number::Integer(integer) => Some(value.cmp(&integer)),
            Number::Real(real) => (value as f64).partial_cmp(&real),
        })
    }

    fn accepts(&self, ordering: Option<Ordering>) -> bool {
        let Some(ordering) = ordering else { return self.wanted == Wanted::NotEqual };
        match self.wanted {
            Wanted::Equal => ordering.is_eq(),
            Wanted::NotEqual => ordering.is_ne(),
            Wanted::Greater => ordering.is_gt(),
            Wanted::GreaterOrEqual => ordering.is_ge(),
            Wanted::Less => ordering.is_lt(),
            Wanted::LessOrEqual => ordering.is_le(),
        }
    }
}

/// The value as the wire shows it: infinities as the largest finite numbers, NaN unchanged.
pub(super) fn finite(value: f64) -> f64 {
    if value.is_infinite() { f64::MAX.copysign(value) } else { value }
}

/// The number that a field is compared with; `what` names the field.
pub(super) fn number_value<'a>(value: &Literal<'a>, what: &str) -> Result<&'a str> {
    match value {
        Literal::Number(number) => Ok(number),
        other => Err(Error::invalid(format!("Expected numeric value type for {what}. Found {}", other.source()))),
    }
}

/// The quoted text that a field is compared with; `what` names the field.
pub(super) fn text_value<'a>(value: &Literal<'a>, what: &str) -> Result<&'a str> {
    match value {
        Literal::Text { value, .. } => Ok(value),
        Literal::Word(word) => Err(Error::invalid(format!(
            "Parameter value is either not quoted or unidentified quote types used for string value {word}. \
             Use either single or double quotes."
        ))),
        other => {
            Err(Error::invalid(format!("Expected a quoted string value for {what}. Got value {}", other.source())))
        }
    }
}

/// Refuses an attribute that cannot be searched or sorted by.
pub(super) fn unknown_attribute(key: &str, known: &str) -> Error {
    Error::invalid(format!("Invalid attribute key '{key}' specified. Valid keys are '{known}'"))
}

/// Refuses a comparator that the compared thing does not know.
pub(super) fn check_comparator(comparison: &Comparison<'_>, allowed: &[&str]) -> Result<()> {
    if allowed.contains(&comparison.comparator.as_str()) {
        return Ok(());
    }
    Err(unusable(&comparison.comparator, allowed))
}

fn unusable(comparator: &str, allowed: &[&str]) -> Error {
    let allowed: Vec<String> = allowed.iter().map(|known| format!("'{known}'")).collect();
    Error::invalid(format!("Invalid comparator '{comparator}' not one of {{{}}}", allowed.join(", ")))
}
