//! `Value`: what a filter reads of an item, borrowed.

use crate::instant;

/// A property's value, as it is compared.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// Absent.
    Null,
    Bool(bool),
    Number(f64),
    Text(&'a str),
    /// A text that is an RFC 3339 instant, and its microseconds since 1970.
    Instant(&'a str, i64),
    List(List<'a>),
    /// The item's time from-to in microseconds, where it has no `datetime`.
    Span(i64, i64),
}

/// A stored value; its text lies in its owner's one string, its elements in its owner's one list.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Datum {
    Bool(bool),
    Number(f64),
    Text { start: u32, length: u32 },
    Instant { start: u32, length: u8, micros: i64 },
    List { start: u32, length: u32 },
}

/// The elements of a list.
#[derive(Clone, Copy, Debug)]
pub struct List<'a> {
    pub(crate) elements: &'a [Datum],
    pub(crate) texts: &'a str,
}

impl Datum {
    /// The value, given its owner's texts and elements of lists.
    pub(crate) fn value<'a>(self, texts: &'a str, elements: &'a [Datum]) -> Value<'a> {
        let text = |start: u32, length: usize| texts.get(start as usize..start as usize + length).unwrap_or_default();
        match self {
            Self::Bool(value) => Value::Bool(value),
            Self::Number(value) => Value::Number(value),
            Self::Text { start, length } => Value::Text(text(start, length as usize)),
            Self::Instant { start, length, micros } => Value::Instant(text(start, usize::from(length)), micros),
            Self::List { start, length } => {
                let range = start as usize..start as usize + length as usize;
                Value::List(List { elements: elements.get(range).unwrap_or_default(), texts })
            }
        }
    }
}

impl<'a> List<'a> {
    /// The elements; a list within the list counts as `Null`.
    pub fn values(self) -> impl Iterator<Item = Value<'a>> {
        self.elements.iter().map(move |element| element.value(self.texts, &[]))
    }
}

impl Value<'_> {
    /// First and last microsecond of an instant, a span or a day.
    pub fn span(&self) -> Option<(i64, i64)> {
        match self {
            Self::Instant(_, micros) => Some((*micros, *micros)),
            Self::Span(start, end) => Some((*start, *end)),
            Self::Text(text) => instant::parse_date(text).map(|day| (day, day + instant::DAY - 1)),
            _ => None,
        }
    }
}
