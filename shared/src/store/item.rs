//! Attribute maps of DynamoDB: building them and reading them back.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::error::{Error, Result};

/// An item as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// A string attribute.
pub(crate) fn string(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number attribute.
pub(crate) fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A binary attribute.
pub(crate) fn binary(bytes: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

/// A map attribute of strings.
pub(crate) fn string_map(map: &BTreeMap<String, String>) -> AttributeValue {
    AttributeValue::M(map.iter().map(|(key, value)| (key.clone(), string(value))).collect())
}

/// The two key attributes of an item.
pub(crate) fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    HashMap::from([("PK".to_owned(), string(pk)), ("SK".to_owned(), string(sk))])
}

/// Typed reading of what `item.rs` wrote; a wrong type is our own fault.
pub(crate) trait Attributes {
    fn find(&self, name: &str) -> Option<&AttributeValue>;

    fn find_str(&self, name: &str) -> Option<&str> {
        self.find(name).and_then(|value| value.as_s().ok()).map(String::as_str)
    }

    fn text(&self, name: &str) -> Result<String> {
        self.find_str(name).map(str::to_owned).ok_or_else(|| missing(name))
    }

    fn find_number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.find(name).and_then(|value| value.as_n().ok()).and_then(|text| text.parse().ok())
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T> {
        self.find_number(name).ok_or_else(|| missing(name))
    }

    fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.find(name).and_then(|value| value.as_b().ok()).map(AsRef::as_ref)
    }

    /// A map of strings; empty when absent.
    fn strings(&self, name: &str) -> BTreeMap<String, String> {
        self.find(name)
            .and_then(|value| value.as_m().ok())
            .map(|map| map.iter().filter_map(|(key, value)| Some((key.clone(), value.as_s().ok()?.clone()))).collect())
            .unwrap_or_default()
    }
}

impl Attributes for Item {
    fn find(&self, name: &str) -> Option<&AttributeValue> {
        self.get(name)
    }
}

fn missing(name: &str) -> Error {
    Error::Internal(format!("an item lacks its attribute `{name}`"))
}
