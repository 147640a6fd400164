//! What a synchronisation did.

use std::ops::AddAssign;

use serde::Serialize;

/// Counts of items, but for `skipped`, which are projects of which nothing new was listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    pub written: u64,
    pub removed: u64,
    pub unchanged: u64,
    pub skipped: u64,
    /// A later reading was stored already.
    pub overtaken: u64,
    /// Could not be read; what was known of them stays.
    pub failed: u64,
}

impl AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.written += other.written;
        self.removed += other.removed;
        self.unchanged += other.unchanged;
        self.skipped += other.skipped;
        self.overtaken += other.overtaken;
        self.failed += other.failed;
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { written, removed, unchanged, skipped, overtaken, failed } = self;
        write!(
            formatter,
            "{written} items written, {removed} removed, {unchanged} unchanged; {skipped} projects skipped, \
             {overtaken} overtaken, {failed} failed"
        )
    }
}
