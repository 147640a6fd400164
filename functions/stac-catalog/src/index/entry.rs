//! `Entry`: one item of the index.

use std::sync::Arc;

use shared::catalog::{Sight, Visible};
use shared::model::ProjectId;

use super::block::{Block, Head, Packed};
use crate::geometry::Shape;

/// One item, as the index keeps it. Clones share the item.
#[derive(Clone, Debug)]
pub struct Entry {
    block: Arc<Block>,
    at: u32,
}

impl Entry {
    /// The entries of a block's rows, in their order.
    pub(super) fn all_of(block: Block) -> impl Iterator<Item = Self> {
        let count = u32::try_from(block.rows.len()).unwrap_or(u32::MAX);
        let block = Arc::new(block);
        (0..count).map(move |at| Self { block: block.clone(), at })
    }

    fn head(&self) -> &Head {
        &self.block.rows[self.at as usize]
    }

    pub fn project(&self) -> ProjectId {
        self.head().project
    }

    /// The category's id.
    pub fn collection(&self) -> &str {
        &self.head().collection
    }

    /// The item's id: the project's full path.
    pub fn id(&self) -> &str {
        self.block.id(self.head())
    }

    /// How much of it a caller sees.
    pub fn sight(&self, visible: &Visible) -> Sight {
        let head = self.head();
        visible.sight_of(head.project, head.visibility, head.code_visibility)
    }

    /// What entries are ordered by, and known by.
    pub(super) fn key(&self) -> (&str, &str) {
        (self.id(), self.collection())
    }

    /// What somebody with this sight may know; `None` if that is nothing.
    pub(super) fn facts(&self, sight: Sight) -> Option<Packed<'_>> {
        match sight {
            Sight::Hidden => None,
            Sight::Project => Some(self.block.minimal(self.head())),
            Sight::Code => Some(self.block.full(self.head())),
        }
    }

    /// First and last microsecond since 1970 of the item as somebody with this sight knows it.
    pub fn period(&self, sight: Sight) -> Option<(i64, i64)> {
        self.facts(sight).map(Packed::period)
    }

    /// Where the item is as somebody with this sight knows it.
    pub fn shape(&self, sight: Sight) -> Option<&Shape> {
        self.facts(sight)?.shape()
    }
}

#[cfg(test)]
impl Entry {
    /// Are both the same item in memory?
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.block, &other.block) && self.at == other.at
    }
}
