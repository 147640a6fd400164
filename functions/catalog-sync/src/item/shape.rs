//! The shapes that fields of STAC and its extensions may have, as data: authors write anything.

use serde_json::Value;

use super::instant;

/// What a value must look like.
pub(super) enum Shape {
    Any,
    Null,
    Bool,
    /// Text, also empty.
    Text,
    /// Text that says something.
    Word,
    /// Between, both included.
    Number(f64, f64),
    /// A number above this.
    Above(f64),
    /// A whole number, at least.
    Integer(i64),
    /// RFC 3339, in UTC.
    Instant,
    OneOf(&'static [&'static str]),
    /// A list of at least so many.
    List(&'static Shape, usize),
    /// A list without repetitions.
    Set(&'static Shape, usize),
    /// A mapping with these fields, and perhaps others.
    Map(&'static [Field]),
    /// A mapping of any names to such values.
    Names(&'static Shape),
    Either(&'static [Shape]),
    Is(fn(&Value) -> bool),
}

/// A field of a mapping.
pub(super) struct Field {
    pub name: &'static str,
    pub required: bool,
    pub shape: Shape,
}

/// A field that must be there.
pub(super) const fn must(name: &'static str, shape: Shape) -> Field {
    Field { name, required: true, shape }
}

/// A field that may be there.
pub(super) const fn may(name: &'static str, shape: Shape) -> Field {
    Field { name, required: false, shape }
}

pub(super) const TEXTS: Shape = Shape::List(&Shape::Text, 0);
pub(super) const NUMBER: Shape = Shape::Number(f64::MIN, f64::MAX);

/// What STAC calls types of data.
pub(super) const DATA_TYPES: &[&str] = &[
    "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
    "cint16", "cint32", "cfloat32", "cfloat64", "other",
];

impl Shape {
    pub fn fits(&self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Null => value.is_null(),
            Self::Bool => value.is_boolean(),
            Self::Text => value.is_string(),
            Self::Word => value.as_str().is_some_and(|text| !text.trim().is_empty()),
            Self::Number(least, most) => value.as_f64().is_some_and(|number| (*least..=*most).contains(&number)),
            Self::Above(least) => value.as_f64().is_some_and(|number| number > *least),
            Self::Integer(least) => {
                value.as_i64().is_some_and(|number| number >= *least) || (value.is_u64() && *least >= 0)
            }
            Self::Instant => value.as_str().is_some_and(|text| instant::parse(text).as_deref() == Some(text)),
            Self::OneOf(words) => value.as_str().is_some_and(|text| words.contains(&text)),
            Self::List(shape, least) => {
                value.as_array().is_some_and(|items| items.len() >= *least && items.iter().all(|item| shape.fits(item)))
            }
            Self::Set(shape, least) => {
                let unique = |items: &[Value]| items.iter().enumerate().all(|(at, item)| !items[..at].contains(item));
                value.as_array().is_some_and(|items| {
                    (*least..=100).contains(&items.len()) && items.iter().all(|item| shape.fits(item)) && unique(items)
                })
            }
            Self::Map(fields) => value.as_object().is_some_and(|map| {
                fields.iter().all(|field| map.get(field.name).map_or(!field.required, |value| field.shape.fits(value)))
            }),
            Self::Names(shape) => value.as_object().is_some_and(|map| map.values().all(|value| shape.fits(value))),
            Self::Either(shapes) => shapes.iter().any(|shape| shape.fits(value)),
            Self::Is(test) => test(value),
        }
    }
}
