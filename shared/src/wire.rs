//! JSON forms that several endpoint groups share.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// A key and a value: tags and params, both ways.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Pair {
    /// Key.
    #[serde(default, deserialize_with = "text")]
    pub key: String,
    /// Value.
    #[serde(default, deserialize_with = "text")]
    pub value: String,
}

/// A text; `null` stands for an absent one.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Pair {
    /// Pairs in the order of their keys.
    pub fn list<'a>(map: impl IntoIterator<Item = (&'a String, &'a String)>) -> Vec<Self> {
        map.into_iter().map(|(key, value)| Self { key: key.clone(), value: value.clone() }).collect()
    }
}
