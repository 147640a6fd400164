//! The one source of time, so that tests can set it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Wall-clock time in ms since 1970, shifted by an offset that only tests change.
/// Clones share the offset.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset_ms: Arc<AtomicI64>,
}

impl Clock {
    /// Now, in ms since 1970-01-01T00:00:00Z.
    pub fn now_ms(&self) -> i64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let real = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
        real + self.offset_ms.load(Ordering::Relaxed)
    }

    /// Moves this clock and its clones by `ms` (backwards if negative): a skewed instance, or time passing.
    pub fn advance(&self, ms: i64) {
        self.offset_ms.fetch_add(ms, Ordering::Relaxed);
    }
}
