//! `Names`: texts that recur in every row, kept once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Names of properties, by number, and of collections.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    properties: HashMap<Arc<str>, u32>,
    collections: HashSet<Arc<str>>,
}

impl Names {
    /// The number of a property; `None` if no row has it.
    pub fn property(&self, name: &str) -> Option<u32> {
        self.properties.get(name).copied()
    }

    /// The number of a property, a new one if it has none.
    pub fn number_of(&mut self, name: &str) -> u32 {
        if let Some(number) = self.property(name) {
            return number;
        }
        // Each number takes a row of the index: memory ends before they do.
        let number = u32::try_from(self.properties.len()).unwrap_or(u32::MAX);
        self.properties.insert(name.into(), number);
        number
    }

    /// The one copy of a collection's id.
    pub fn collection(&mut self, id: &str) -> Arc<str> {
        if let Some(known) = self.collections.get(id) {
            return known.clone();
        }
        let id: Arc<str> = id.into();
        self.collections.insert(id.clone());
        id
    }
}
