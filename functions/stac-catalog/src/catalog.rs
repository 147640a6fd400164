//! `Catalog`: the index in memory of this instance, and how it follows what is written.

use std::collections::HashMap;
use std::sync::Arc;

use shared::catalog::{Row, Snapshot};
use shared::model::ProjectId;
use shared::state::AppState;
use shared::store::CatalogChange;
use shared::{Error, Result};
use tokio::sync::Mutex;

use crate::index::Index;

/// How old the index may be before a search looks for changes, ms.
const FRESH_MS: i64 = 1_000;
/// How old it may be if the changes cannot be had, ms.
const STALE_MS: i64 = 60_000;
/// Changes may show up this much later than their time says, ms: the table's index lags and clocks differ.
const LATE_MS: i64 = 60_000;

/// The rows of the whole catalog. Clones share them.
#[derive(Clone)]
pub struct Catalog {
    state: AppState,
    known: Arc<Mutex<Option<Known>>>,
}

struct Known {
    index: Arc<Index>,
    /// When the last look at the changes began, ms.
    read_at: i64,
    /// When the items that changed lately were written, ms.
    recent: HashMap<(ProjectId, String), i64>,
}

impl Catalog {
    /// Reads nothing yet.
    pub fn new(state: &AppState) -> Self {
        Self { state: state.clone(), known: Arc::default() }
    }

    /// The index, at most a second behind the table's own.
    ///
    /// # Errors
    /// `Unavailable` if neither table nor bucket can be read and the last look was more than a minute ago.
    pub async fn index(&self) -> Result<Arc<Index>> {
        let mut known = self.known.lock().await;
        let now = self.state.clock.now_ms();
        let known = match &mut *known {
            Some(known) => {
                if !(0..FRESH_MS).contains(&(now - known.read_at)) {
                    match self.changes(known.read_at).await {
                        Ok(changes) => known.apply(changes, now),
                        Err(error) if now - known.read_at < STALE_MS && matches!(error, Error::Unavailable(_)) => {
                            tracing::warn!(%error, "the catalog's changes cannot be read; answering with what is known");
                        }
                        Err(error) => return Err(error),
                    }
                }
                known
            }
            nothing => nothing.insert(self.load(now).await?),
        };
        Ok(known.index.clone())
    }

    async fn load(&self, now: i64) -> Result<Known> {
        let snapshot = Snapshot::read(&self.state.objects).await?;
        let rows = snapshot.rows.into_iter().map(|(row, ..)| row).collect();
        let index = Arc::new(Index::new(rows));
        let mut known = Known { index, read_at: snapshot.upto, recent: HashMap::new() };
        known.apply(self.changes(snapshot.upto).await?, now);
        Ok(known)
    }

    /// What was written since a look at the changes that began at `read_at`.
    async fn changes(&self, read_at: i64) -> Result<Vec<CatalogChange>> {
        self.state.store.catalog_changes(read_at - LATE_MS).await
    }
}

impl Known {
    /// Takes over what a look at the changes saw that began at `now`. Nothing is awaited here: a request that is
    /// given up leaves the index as it was or as it is now.
    fn apply(&mut self, changes: Vec<CatalogChange>, now: i64) {
        let since = self.read_at - LATE_MS;
        self.recent.retain(|_, written_at| *written_at >= since);
        let mut changed: Vec<Row> = Vec::new();
        let mut gone = Vec::new();
        for change in changes {
            let item = (change.project, change.collection);
            if self.recent.get(&item).is_some_and(|written_at| *written_at >= change.written_at) {
                continue;
            }
            match change.row {
                Some(row) => changed.push(row),
                None => gone.push(item.clone()),
            }
            self.recent.insert(item, change.written_at);
        }
        if !changed.is_empty() || !gone.is_empty() {
            self.index = Arc::new(self.index.with_changes(changed, &gone));
        }
        self.read_at = now;
    }
}
