//! YAML to JSON values under a budget: what aliases multiply is counted, so that no document grows beyond it.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde_json::{Map, Value};

const NODES: usize = 20_000;
const BYTES: usize = 128 * 1024;
const DEPTH: usize = 32;
/// Brackets that are open at once; the parser's time grows with their square.
const BRACKETS: usize = 64;
/// Opening brackets in all: those that text closes are still open to the parser.
const OPENINGS: usize = 4_000;

/// Reads one YAML document.
///
/// # Errors
/// A phrase for the author: the document is malformed, nested too deeply or too large.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    let (mut open, mut openings) = (0_usize, 0_usize);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => {
                open += 1;
                openings += 1;
            }
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        if open > BRACKETS || openings > OPENINGS {
            return Err("it is nested too deeply".into());
        }
    }
    let budget = Budget { nodes: Cell::new(NODES), bytes: Cell::new(BYTES) };
    let deserializer = serde_yaml_ng::Deserializer::from_str(text);
    Node { budget: &budget, depth: 0 }.deserialize(deserializer).map_err(|error| error.to_string())
}

struct Budget {
    nodes: Cell<usize>,
    bytes: Cell<usize>,
}

#[derive(Clone, Copy)]
struct Node<'a> {
    budget: &'a Budget,
    depth: usize,
}

impl Node<'_> {
    fn spend<E: Error>(self, bytes: usize) -> Result<(), E> {
        let nodes = self.budget.nodes.get().checked_sub(1);
        let left = self.budget.bytes.get().checked_sub(bytes);
        let (Some(nodes), Some(left)) = (nodes, left) else {
            return Err(E::custom("it is too large"));
        };
        self.budget.nodes.set(nodes);
        self.budget.bytes.set(left);
        Ok(())
    }

    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == DEPTH {
            return Err(E::custom("it is nested too deeply"));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a YAML value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.spend(1).map(|()| Value::from(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.spend(8).map(|()| Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.spend(8).map(|()| Value::from(value))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Value, E> {
        self.visit_string(value.to_string())
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Value, E> {
        self.visit_string(value.to_string())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        self.spend(8).map(|()| Value::from(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        self.spend(value.len()).map(|()| Value::from(super::text::plain(value)))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.spend(1).map(|()| Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.spend(1)?;
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    /// Of a key that is there twice, the last one counts. `<<` brings what is missing.
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.spend(1)?;
        let inner = self.deeper()?;
        let mut map = Map::new();
        let mut merged = Map::new();
        while let Some(key) = entries.next_key_seed(inner)? {
            let key = match key {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Bool(truth) => truth.to_string(),
                _ => return Err(A::Error::custom("a key is not text")),
            };
            match (key.as_str(), entries.next_value_seed(inner)?) {
                ("<<", Value::Object(more)) => merged = more,
                (_, value) => {
                    map.insert(key, value);
                }
            }
        }
        for (key, value) in merged {
            map.entry(key).or_insert(value);
        }
        Ok(Value::Object(map))
    }

    /// A tag says nothing here: `!anything value` is the value.
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let (_, value) = tagged.variant_seed(inner)?;
        value.newtype_variant_seed(inner)
    }
}
