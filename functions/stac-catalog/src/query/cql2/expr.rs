//! `Expr`: a filter that makes sense. Properties are numbers into the filter's list of names.

use std::collections::HashSet;

use super::like::Pattern;
use super::temporal::Relation;
use crate::area::Area;

#[derive(Debug)]
pub(super) enum Expr {
    Constant(bool),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    IsNull(usize),
    Compare(Comparison, Operand, Operand),
    Between {
        value: Operand,
        low: Operand,
        high: Operand,
    },
    In(Operand, Vec<Operand>, Option<Texts>),
    Like(Operand, Pattern),
    Lists(ListRelation, ListOperand, ListOperand),
    /// Does the item's geometry, as this property, meet the area?
    Meets(usize, Area),
    Times(Relation, TimeOperand, TimeOperand),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What a comparison compares.
#[derive(Debug)]
pub(super) enum Operand {
    Property(usize),
    /// `CASEI` of a property.
    Folded(usize),
    Bool(bool),
    Number(f64),
    /// A text, and its microseconds since 1970 if it is an instant.
    Text(String, Option<i64>),
    /// Microseconds since 1970.
    Instant(i64),
    /// The day that begins at these microseconds since 1970.
    Day(i64),
}

/// What the left list is to the right one, both taken as sets.
#[derive(Clone, Copy, Debug)]
pub(super) enum ListRelation {
    Equals,
    Contains,
    ContainedBy,
    Overlaps,
}

#[derive(Debug)]
pub(super) enum ListOperand {
    Property(usize),
    Literal(Vec<Operand>, Option<Texts>),
}

/// The values of a list whose values are texts and no instants, to be looked up.
pub(super) type Texts = HashSet<String>;

/// `None` if there is anything else in the list.
pub(super) fn texts(list: &[Operand]) -> Option<Texts> {
    let text = |operand: &Operand| match operand {
        Operand::Text(text, None) => Some(text.clone()),
        _ => None,
    };
    list.iter().map(text).collect()
}

#[derive(Debug)]
pub(super) enum TimeOperand {
    Property(usize),
    /// First and last microsecond.
    Literal(i64, i64),
    /// From the first of one to the last of the other.
    Between(Box<TimeOperand>, Box<TimeOperand>),
}
