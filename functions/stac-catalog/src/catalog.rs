//! `Catalog`: the index in memory of this instance, and how it follows what is written.

use std::collections::HashMap;
use std::sync::Arc;

use shared::catalog::{Row, Snapshot};
use shared::model::ProjectId;
use shared::state::AppState;
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
        let age = known.as_ref().map(|known| now - known.read_at);
        if let (Some(age), Some(known)) = (age, known.as_ref())
            && (0..FRESH_MS).contains(&age)
        {
            return Ok(known.index.clone());
        }
        let followed = match known.take() {
            Some(old) => self.follow(old, now).await,
            None => self.load(now).await.map_err(|error| (None, error)),
        };
        match followed {
            Ok(new) => Ok(known.insert(new).index.clone()),
            Err((Some(old), error)) if now - old.read_at < STALE_MS && matches!(error, Error::Unavailable(_)) => {
                tracing::warn!(%error, "the catalog's changes cannot be read; answering with what is known");
                Ok(known.insert(old).index.clone())
            }
            Err((old, error)) => {
                *known = old;
                Err(error)
            }
        }
    }

    async fn load(&self, now: i64) -> Result<Known> {
        let snapshot = Snapshot::read(&self.state.objects).await?;
        let rows = snapshot.rows.into_iter().map(|(row, ..)| row).collect();
        let index = Arc::new(Index::new(rows));
        let begun = Known { index, read_at: snapshot.upto, recent: HashMap::new() };
        self.follow(begun, now).await.map_err(|(_, error)| error)
    }

    /// Applies what was written since; gives the old state back if that fails.
    async fn follow(&self, mut known: Known, now: i64) -> Result<Known, (Option<Known>, Error)> {
        let since = known.read_at - LATE_MS;
        let changes = match self.state.store.catalog_changes(since).await {
            Ok(changes) => changes,
            Err(error) => return Err((Some(known), error)),
        };
        known.recent.retain(|_, written_at| *written_at >= since);
        let mut changed: Vec<Row> = Vec::new();
        let mut gone = Vec::new();
        for change in changes {
            let item = (change.project, change.collection);
            if known.recent.get(&item).is_some_and(|written_at| *written_at >= change.written_at) {
                continue;
            }
            match change.row {
                Some(row) => changed.push(row),
                None => gone.push(item.clone()),
            }
            known.recent.insert(item, change.written_at);
        }
        if !changed.is_empty() || !gone.is_empty() {
            known.index = Arc::new(known.index.with_changes(changed, &gone));
        }
        known.read_at = now;
        Ok(known)
    }
}
