//! JSON forms that several endpoint groups share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A key and a value: tags and params, both ways.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Pair {
    /// Key.
    #[serde(default)]
    pub key: String,
    /// Value.
    #[serde(default)]
    pub value: String,
}

impl Pair {
    /// Pairs in the order of their keys.
    pub fn list<'a>(map: impl IntoIterator<Item = (&'a String, &'a String)>) -> Vec<Self> {
        map.into_iter().map(|(key, value)| Self { key: key.clone(), value: value.clone() }).collect()
    }
}
