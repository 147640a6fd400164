//! `Position`: where in an order a page begins, by the values of the item next to it, so that items which come and go
//! between two pages cause neither doubles nor holes.

use serde::{Deserialize, Serialize};

/// Behind or before an item that need not exist any more.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Position {
    /// The page is the one before the item, not the one behind it.
    pub backwards: bool,
    /// The item's value of each field that is sorted by.
    pub values: Vec<SortValue>,
    pub id: String,
    pub collection: String,
}

/// A value as items are sorted by it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum SortValue {
    Missing,
    Bool(bool),
    Number(f64),
    /// Microseconds since 1970.
    Instant(i64),
    Text(String),
}
