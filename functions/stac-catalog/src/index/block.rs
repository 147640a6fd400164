//! `Block`: a few hundred rows, packed by columns, so that a scan reads memory in its order, and of that only what it
//! asks about.

use std::collections::BTreeMap;
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
    /// Ids, the texts for searches, and those of properties, one property after the other.
    texts: String,
    /// Ascending by the number of the property.
    columns: Vec<Column>,
    /// Elements of all lists.
    elements: Vec<Datum>,
}

/// The values of one property.
#[derive(Debug)]
struct Column {
    property: u32,
    /// The documents that have it, ascending; none are listed if all have it.
    documents: Vec<u32>,
    values: Vec<Datum>,
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
    number: u32,
}

impl Block {
    pub fn pack(rows: &[Row], names: &mut Names) -> Self {
        let mut block = Self::default();
        let mut properties: BTreeMap<u32, Vec<(u32, &Scalar)>> = BTreeMap::new();
        for row in rows {
            let id = block.add_text(&row.id);
            let [full, minimal] = [Some(&row.full), row.minimal.as_ref()].map(|facts| {
                let facts = facts?;
                let number = block.add_document(facts);
                for (name, scalar) in &facts.properties {
                    properties.entry(names.number_of(name)).or_default().push((number, scalar));
                }
                Some(number)
            });
            block.rows.push(Head {
                project: row.project,
                collection: names.collection(&row.collection),
                visibility: row.visibility,
                code_visibility: row.code_visibility,
                id,
                full: full.unwrap_or_default(),
                minimal,
            });
        }
        for (property, values) in properties {
            block.add_column(property, values);
        }
        block.rows.shrink_to_fit();
        block.documents.shrink_to_fit();
        block.texts.shrink_to_fit();
        block.columns.shrink_to_fit();
        block.elements.shrink_to_fit();
        block
    }

    pub fn id(&self, head: &Head) -> &str {
        self.text(head.id)
    }

    pub fn full(&self, head: &Head) -> Packed<'_> {
        self.packed(head.full)
    }

    /// The full document's, if the minimal one would say the same.
    pub fn minimal(&self, head: &Head) -> Packed<'_> {
        self.packed(head.minimal.unwrap_or(head.full))
    }

    fn packed(&self, number: u32) -> Packed<'_> {
        Packed { block: self, document: &self.documents[number as usize], number }
    }

    fn text(&self, (from, to): (u32, u32)) -> &str {
        &self.texts[from as usize..to as usize]
    }

    fn add_text(&mut self, text: &str) -> (u32, u32) {
        let from = size(self.texts.len());
        self.texts.push_str(text);
        (from, size(self.texts.len()))
    }

    fn add_document(&mut self, facts: &Facts) -> u32 {
        let text = self.add_text(&facts.text);
        self.documents.push(Document {
            text,
            start: facts.start.saturating_mul(1_000),
            end: facts.end.saturating_mul(1_000),
            shape: Shape::of_item(facts.geometry.as_deref(), facts.bbox),
        });
        size(self.documents.len() - 1)
    }

    /// Adds the values of a property with a higher number than any before, each with its document's number, ascending;
    /// of two of one document, the first counts.
    fn add_column(&mut self, property: u32, mut values: Vec<(u32, &Scalar)>) {
        values.dedup_by_key(|(document, _)| *document);
        let in_all = values.len() == self.documents.len();
        let documents = if in_all { Vec::new() } else { values.iter().map(|(document, _)| *document).collect() };
        let values = values.into_iter().map(|(_, scalar)| self.datum(scalar)).collect();
        self.columns.push(Column { property, documents, values });
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
        let Block { columns, texts, elements, .. } = self.block;
        let column = columns.binary_search_by_key(&property, |column| column.property).ok().map(|at| &columns[at]);
        column.and_then(|column| column.get(self.number)).map_or(Value::Null, |datum| datum.value(texts, elements))
    }
}

impl Column {
    fn get(&self, document: u32) -> Option<Datum> {
        let at = match self.documents.as_slice() {
            [] => document as usize,
            some => some.binary_search(&document).ok()?,
        };
        self.values.get(at).copied()
    }
}

/// A block of documents is far smaller than what a `u32` counts.
fn size(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
