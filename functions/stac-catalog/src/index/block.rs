//! `Block`: a few hundred rows, packed side by side, so that a scan reads memory in its order.

use std::sync::Arc;

use shared::catalog::{Facts, Row, Scalar};
use shared::model::{ProjectId, Visibility};

use super::names::Names;
use crate::geometry::Shape;
use crate::instant;
use crate::value::{Datum, Value};

/// How many rows a block has at most: enough to be read in one go, few enough not to be kept for long by the last one
/// that is still in use.
pub(super) const MAX_ROWS: usize = 256;

/// Rows, and what they point to. Ranges are from-to in the list or string that the field's name says.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub rows: Vec<Head>,
    documents: Vec<Document>,
    /// Ids, the texts for searches and those of properties.
    texts: String,
    /// Numbers of the names of properties, and their values: two lists, because most searches look at one value of many.
    names: Vec<u32>,
    values: Vec<Datum>,
    /// Elements of all lists.
    elements: Vec<Datum>,
}

/// A row without its facts.
#[derive(Debug)]
pub(super) struct Head {
    pub project: ProjectId,
    pub collection: Arc<str>,
    pub visibility: Visibility,
    pub code_visibility: Visibility,
    id: (u32, u32),
    full: u32,
    minimal: Option<u32>,
}

#[derive(Debug)]
struct Document {
    text: (u32, u32),
    properties: (u32, u32),
    /// First and last microsecond since 1970.
    start: i64,
    end: i64,
    shape: Option<Shape>,
}

/// What one of an item's documents can be found by.
#[derive(Clone, Copy)]
pub(super) struct Packed<'a> {
    block: &'a Block,
    document: &'a Document,
}

impl Block {
    pub fn pack(rows: &[Row], names: &mut Names) -> Self {
        let mut block = Self::default();
        for row in rows {
            let id = block.add_text(&row.id);
            let full = block.add_document(&row.full, names);
            let minimal = row.minimal.as_ref().map(|facts| block.add_document(facts, names));
            block.rows.push(Head {
                project: row.project,
                collection: names.collection(&row.collection),
                visibility: row.visibility,
                code_visibility: row.code_visibility,
                id,
                full,
                minimal,
            });
        }
        block.rows.shrink_to_fit();
        block.documents.shrink_to_fit();
        block.texts.shrink_to_fit();
        block.names.shrink_to_fit();
        block.values.shrink_to_fit();
        block.elements.shrink_to_fit();
        block
    }

    pub fn id(&self, head: &Head) -> &str {
        self.text(head.id)
    }

    pub fn full(&self, head: &Head) -> Packed<'_> {
        Packed { block: self, document: &self.documents[head.full as usize] }
    }

    /// The full document's, if the minimal one would say the same.
    pub fn minimal(&self, head: &Head) -> Packed<'_> {
        Packed { block: self, document: &self.documents[head.minimal.unwrap_or(head.full) as usize] }
    }

    fn text(&self, (from, to): (u32, u32)) -> &str {
        &self.texts[from as usize..to as usize]
    }

    fn add_text(&mut self, text: &str) -> (u32, u32) {
        let from = size(self.texts.len());
        self.texts.push_str(text);
        (from, size(self.texts.len()))
    }

    fn add_document(&mut self, facts: &Facts, names: &mut Names) -> u32 {
        let text = self.add_text(&facts.text);
        let from = self.names.len();
        for (name, scalar) in &facts.properties {
            let datum = self.datum(scalar);
            self.values.push(datum);
            self.names.push(names.number_of(name));
        }
        self.documents.push(Document {
            text,
            properties: (size(from), size(self.names.len())),
            start: facts.start.saturating_mul(1_000),
            end: facts.end.saturating_mul(1_000),
            shape: Shape::of_item(facts.geometry.as_deref(), facts.bbox),
        });
        size(self.documents.len() - 1)
    }

    fn datum(&mut self, scalar: &Scalar) -> Datum {
        match scalar {
            Scalar::List(list) => {
                let elements: Vec<Datum> = list.iter().map(|element| self.single(element)).collect();
                let start = size(self.elements.len());
                self.elements.extend(elements);
                Datum::List { start, length: size(list.len()) }
            }
            single => self.single(single),
        }
    }

    /// A value that is no list; a list within a list says nothing.
    fn single(&mut self, scalar: &Scalar) -> Datum {
        match scalar {
            Scalar::Bool(value) => Datum::Bool(*value),
            Scalar::Number(value) => Datum::Number(*value),
            Scalar::List(_) => Datum::List { start: 0, length: 0 },
            Scalar::Text(text) => {
                let (start, end) = self.add_text(text);
                match (instant::parse(text), u8::try_from(text.len())) {
                    (Some(micros), Ok(length)) => Datum::Instant { start, length, micros },
                    _ => Datum::Text { start, length: end - start },
                }
            }
        }
    }
}

impl<'a> Packed<'a> {
    /// The text that free text is sought in.
    pub fn text(self) -> &'a str {
        self.block.text(self.document.text)
    }

    /// First and last microsecond since 1970.
    pub fn period(self) -> (i64, i64) {
        (self.document.start, self.document.end)
    }

    pub fn shape(self) -> Option<&'a Shape> {
        self.document.shape.as_ref()
    }

    /// The value of a property by its number.
    pub fn value(self, property: u32) -> Value<'a> {
        let (from, to) = self.document.properties;
        let (from, to) = (from as usize, to as usize);
        match self.block.names[from..to].iter().position(|name| *name == property) {
            Some(at) => self.block.values[from + at].value(&self.block.texts, &self.block.elements),
            None => Value::Null,
        }
    }
}

/// A block of documents is far smaller than what a `u32` counts.
fn size(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
