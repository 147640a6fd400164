//! `Node`: an expression as it was written, in either encoding, before anybody asked whether it makes sense.

use crate::geometry::Shape;

/// How deep an expression may nest.
pub(super) const MAX_DEPTH: usize = 32;

#[derive(Debug)]
pub(super) enum Node {
    /// An operator or function by its name in CQL2-JSON, and what it is applied to.
    Call(String, Vec<Node>),
    Property(String),
    Bool(bool),
    Number(f64),
    Text(String),
    Timestamp(String),
    Date(String),
    Interval(Vec<Node>),
    List(Vec<Node>),
    Place(Shape),
}

impl Node {
    pub fn call(name: &str, arguments: Vec<Self>) -> Self {
        Self::Call(name.to_owned(), arguments)
    }

    /// What it is, for messages.
    pub fn kind(&self) -> String {
        match self {
            Self::Call(name, _) => format!("`{name}`"),
            Self::Property(name) => format!("the property `{name}`"),
            Self::Bool(value) => format!("`{value}`"),
            Self::Number(value) => format!("the number {value}"),
            Self::Text(value) => format!("the text '{value}'"),
            Self::Timestamp(_) => "a timestamp".into(),
            Self::Date(_) => "a date".into(),
            Self::Interval(_) => "an interval".into(),
            Self::List(_) => "a list".into(),
            Self::Place(_) => "a geometry".into(),
        }
    }
}
