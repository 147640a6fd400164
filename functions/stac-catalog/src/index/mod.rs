//! `Index`: all rows of the catalog in memory, ordered by id and collection. It never changes; a changed catalog is
//! another index, which shares what stayed.

mod block;
mod entry;
mod names;
mod order;
mod position;
mod search;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use shared::catalog::{Row, Sight, Visible};
use shared::model::ProjectId;

pub use entry::Entry;
pub use position::{Position, SortValue};
pub use search::{Found, Hit};

use block::{Block, MAX_ROWS};
use names::Names;

/// The rows, packed.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// Ascending by id and collection, each pair once; each project once in a collection.
    entries: Vec<Entry>,
    names: Arc<Names>,
}

impl Index {
    /// An index of these rows; of two that exclude each other, the later one.
    pub fn new(rows: Vec<Row>) -> Self {
        Self::default().with_changes(rows, &[])
    }

    /// This index with rows that are new or changed, and without those that are gone. A row replaces its project's
    /// former one in the collection, whatever that one's id was, and any other project's that had its id.
    pub fn with_changes(&self, changed: Vec<Row>, gone: &[(ProjectId, String)]) -> Self {
        let mut names = self.names.clone();
        let fresh = packed(changed, Arc::make_mut(&mut names));
        let owners: HashSet<(ProjectId, &str)> = gone
            .iter()
            .map(|(project, collection)| (*project, collection.as_str()))
            .chain(fresh.iter().map(|entry| (entry.project(), entry.collection())))
            .collect();
        let projects: HashSet<ProjectId> = owners.iter().map(|(project, _)| *project).collect();
        let stays = |entry: &&Entry| {
            let project = entry.project();
            !projects.contains(&project) || !owners.contains(&(project, entry.collection()))
        };
        Self { entries: merged(&self.entries, stays, &fresh), names }
    }

    /// How many rows there are, whoever sees them.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The item of a collection by its id, whoever sees it.
    pub fn find(&self, collection: &str, id: &str) -> Option<&Entry> {
        let at = self.entries.binary_search_by(|entry| entry.key().cmp(&(id, collection))).ok()?;
        Some(&self.entries[at])
    }

    /// All items that a caller sees, and how much of each.
    pub fn seen<'a>(&'a self, visible: &'a Visible) -> impl Iterator<Item = (&'a Entry, Sight)> {
        let sights = self.entries.iter().map(|entry| (entry, entry.sight(visible)));
        sights.filter(|(_, sight)| *sight != Sight::Hidden)
    }
}

/// The rows in the index's order, as entries; each block's rows are dropped when it is packed.
fn packed(rows: Vec<Row>, names: &mut Names) -> Vec<Entry> {
    let rows = without_doubles(rows, names);
    let mut entries = Vec::with_capacity(rows.len());
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let next: Vec<Row> = rows.by_ref().take(MAX_ROWS).collect();
        entries.extend(Entry::all_of(Block::pack(&next, names)));
    }
    entries
}

/// The rows in the index's order: of two of one project, or with one id, the later one.
fn without_doubles(rows: Vec<Row>, names: &mut Names) -> Vec<Row> {
    let mut taken: HashSet<(ProjectId, Arc<str>)> = HashSet::with_capacity(rows.len());
    let mut kept: Vec<Row> =
        rows.into_iter().rev().filter(|row| taken.insert((row.project, names.collection(&row.collection)))).collect();
    // Stable: the later of two comes first and stays.
    kept.sort_by(|left, right| (&left.id, &left.collection).cmp(&(&right.id, &right.collection)));
    kept.dedup_by(|second, first| second.id == first.id && second.collection == first.collection);
    kept
}

/// Both lists in one order, without what does not stay of the old one; of two with one key, the fresh one.
fn merged(old: &[Entry], stays: impl Fn(&&Entry) -> bool, fresh: &[Entry]) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(old.len() + fresh.len());
    let mut rest = old;
    for next in fresh {
        let (before, behind) = rest.split_at(rest.partition_point(|entry| entry.key() < next.key()));
        entries.extend(before.iter().filter(&stays).cloned());
        entries.push(next.clone());
        let is_replaced = behind.first().is_some_and(|entry| entry.key() == next.key());
        rest = &behind[usize::from(is_replaced)..];
    }
    entries.extend(rest.iter().filter(&stays).cloned());
    entries
}
