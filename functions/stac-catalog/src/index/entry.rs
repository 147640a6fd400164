//! `Entry`: a row, packed: one string and one list of values for each of an item's documents.

use std::sync::Arc;

use shared::catalog::{Facts, Row, Scalar, Sight, Visible};
use shared::model::{ProjectId, Visibility};

use super::names::Names;
use crate::geometry::Shape;
use crate::instant;
use crate::value::{Datum, Value};

/// One item, as the index keeps it.
#[derive(Debug)]
pub struct Entry {
    project: ProjectId,
    collection: Arc<str>,
    id: Box<str>,
    visibility: Visibility,
    code_visibility: Visibility,
    full: Packed,
    minimal: Option<Box<Packed>>,
}

/// What one of an item's documents can be found by.
#[derive(Debug)]
pub(super) struct Packed {
    /// The text for searches, then the texts of properties.
    texts: Box<str>,
    text_length: usize,
    /// First and last microsecond since 1970.
    pub start: i64,
    pub end: i64,
    pub shape: Option<Shape>,
    /// By the number of the property's name, ascending.
    properties: Box<[(u32, Datum)]>,
    /// Elements of all lists.
    elements: Box<[Datum]>,
}

impl Entry {
    pub(super) fn pack(row: &Row, names: &mut Names) -> Self {
        Self {
            project: row.project,
            collection: names.collection(&row.collection),
            id: row.id.as_str().into(),
            visibility: row.visibility,
            code_visibility: row.code_visibility,
            full: Packed::pack(&row.full, names),
            minimal: row.minimal.as_ref().map(|facts| Box::new(Packed::pack(facts, names))),
        }
    }

    pub fn project(&self) -> ProjectId {
        self.project
    }

    /// The category's id.
    pub fn collection(&self) -> &str {
        &self.collection
    }

    /// The item's id: the project's full path.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How much of it a caller sees.
    pub fn sight(&self, visible: &Visible) -> Sight {
        visible.sight_of(self.project, self.visibility, self.code_visibility)
    }

    /// What entries are ordered by, and known by.
    pub(super) fn key(&self) -> (&str, &str) {
        (&self.id, &self.collection)
    }

    /// What somebody with this sight may know; `None` if that is nothing.
    pub(super) fn facts(&self, sight: Sight) -> Option<&Packed> {
        match sight {
            Sight::Hidden => None,
            Sight::Project => Some(self.minimal.as_deref().unwrap_or(&self.full)),
            Sight::Code => Some(&self.full),
        }
    }

    /// First and last microsecond since 1970 of the item as somebody with this sight knows it.
    pub fn period(&self, sight: Sight) -> Option<(i64, i64)> {
        self.facts(sight).map(|facts| (facts.start, facts.end))
    }

    /// Where the item is as somebody with this sight knows it.
    pub fn shape(&self, sight: Sight) -> Option<&Shape> {
        self.facts(sight)?.shape.as_ref()
    }
}

impl Packed {
    fn pack(facts: &Facts, names: &mut Names) -> Self {
        let mut texts = facts.text.clone();
        let mut elements = Vec::new();
        let mut properties: Vec<(u32, Datum)> = facts
            .properties
            .iter()
            .map(|(name, scalar)| {
                let datum = match scalar {
                    Scalar::List(list) => {
                        let start = size(elements.len());
                        elements.extend(list.iter().map(|element| datum(element, &mut texts)));
                        Datum::List { start, length: size(list.len()) }
                    }
                    single => datum(single, &mut texts),
                };
                (names.number_of(name), datum)
            })
            .collect();
        properties.sort_by_key(|(number, _)| *number);
        Self {
            texts: texts.into(),
            text_length: facts.text.len(),
            start: facts.start.saturating_mul(1_000),
            end: facts.end.saturating_mul(1_000),
            shape: Shape::of_item(facts.geometry.as_deref(), facts.bbox),
            properties: properties.into(),
            elements: elements.into(),
        }
    }

    /// The text that free text is sought in.
    pub fn text(&self) -> &str {
        &self.texts[..self.text_length]
    }

    /// The value of a property by its number.
    pub fn value(&self, property: u32) -> Value<'_> {
        match self.properties.binary_search_by_key(&property, |(number, _)| *number) {
            Ok(at) => self.properties[at].1.value(&self.texts, &self.elements),
            Err(_) => Value::Null,
        }
    }
}

/// A value that is no list; a list within a list says nothing.
fn datum(scalar: &Scalar, texts: &mut String) -> Datum {
    match scalar {
        Scalar::Bool(value) => Datum::Bool(*value),
        Scalar::Number(value) => Datum::Number(*value),
        Scalar::List(_) => Datum::List { start: 0, length: 0 },
        Scalar::Text(text) => {
            let start = size(texts.len());
            texts.push_str(text);
            match (instant::parse(text), u8::try_from(text.len())) {
                (Some(micros), Ok(length)) => Datum::Instant { start, length, micros },
                _ => Datum::Text { start, length: size(text.len()) },
            }
        }
    }
}

/// Documents are far smaller than what a `u32` counts.
fn size(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
