//! JSON forms that several endpoint groups share.

use serde::{Deserialize, Serialize};

/// A key and a value: tags and params, both ways.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Pair {
    #[serde(default)]
    pub key: String,
    #[serde(default)]
    pub value: String,
}

impl Pair {
    /// Pairs in the order of their keys.
    pub fn list<'a>(map: impl IntoIterator<Item = (&'a String, &'a String)>) -> Vec<Self> {
        map.into_iter().map(|(key, value)| Self { key: key.clone(), value: value.clone() }).collect()
    }
}
