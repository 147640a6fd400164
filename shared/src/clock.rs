//! The one source of time, so that tests can let it pass or go wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Wall-clock time in ms since 1970. Clones share what tests change.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// ms by which the whole world, DynamoDB's clock included, has been moved on.
    elapsed_ms: Arc<AtomicI64>,
    /// ms by which this instance's clock is wrong.
    skew_ms: Arc<AtomicI64>,
}

impl Clock {
    /// Now, in ms since 1970-01-01T00:00:00Z.
    pub fn now_ms(&self) -> i64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let real = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
        real + self.elapsed_ms.load(Ordering::Relaxed) + self.skew_ms.load(Ordering::Relaxed)
    }

    /// How far this clock is ahead of a server's `Date`, given in ms since 1970.
    pub fn ahead_of(&self, server_ms: i64) -> i64 {
        self.now_ms() - self.elapsed_ms.load(Ordering::Relaxed) - server_ms
    }

    /// Lets `ms` pass for everybody.
    pub fn advance(&self, ms: i64) {
        self.elapsed_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// Makes this instance's clock wrong by `ms`.
    pub fn set_skew(&self, ms: i64) {
        self.skew_ms.store(ms, Ordering::Relaxed);
    }
}
