//! What this process remembers of GitLab's answers, and for how long.
//!
//! An answer is good for [`TABLE_MS`] after GitLab was asked, shared through the table, and for at most
//! [`MEMORY_MS`] at a time in memory, never past the table's entry. A refusal is good for [`REFUSAL_MS`], in memory alone.

use std::hash::Hash;
use std::sync::atomic::{AtomicI64, Ordering};

use quick_cache::sync::Cache;

use crate::clock::Clock;
use crate::error::Result;

/// 60 s less the 5 s by which the clocks of two instances may differ: a revoked token stops within 60 s.
pub(super) const TABLE_MS: i64 = 55_000;
/// As long, but for what the catalog shows of a single project: 30 s less the same 5 s.
pub(super) const FRESH_MS: i64 = 25_000;
/// How long memory trusts an answer before it looks into the table again.
pub(super) const MEMORY_MS: i64 = 30_000;
/// How long a refusal stands: a login that has just happened must not look failed.
pub(super) const REFUSAL_MS: i64 = 5_000;
/// Entries per memory; about 1 KB each, the projects of a member of thousands apart.
const CAPACITY: usize = 10_000;
/// How often what no longer holds is thrown away, ms: tokens of people who have gone need not stay.
const SWEEP_MS: i64 = 60_000;

/// The outcome of a look-up and until when it holds (ms). An `until` of 0 is shared by those who were
/// already waiting for it and by nobody else.
#[derive(Clone)]
pub(super) struct Remembered<T> {
    pub outcome: Result<T>,
    pub until: i64,
}

impl<T> Remembered<T> {
    /// For those who wait right now.
    pub fn once(outcome: Result<T>) -> Self {
        Self { outcome, until: 0 }
    }
}

impl<T> Remembered<Option<T>> {
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Remembered<Option<U>> {
        Remembered { outcome: self.outcome.map(|value| value.map(change)), until: self.until }
    }
}

/// A bounded memory in which concurrent look-ups of one key become one.
pub(super) struct Memory<K, T> {
    entries: Cache<K, Remembered<T>>,
    swept_at: AtomicI64,
    clock: Clock,
}

impl<K, T> Memory<K, T>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    pub fn new(clock: &Clock) -> Self {
        Self { entries: Cache::new(CAPACITY), swept_at: AtomicI64::new(clock.now_ms()), clock: clock.clone() }
    }

    /// What is remembered, or else what `ask` finds out. If the task that asks is dropped, a waiting one asks anew.
    pub async fn get_or_ask<A>(&self, key: K, ask: impl FnOnce() -> A) -> Result<T>
    where
        A: Future<Output = Remembered<T>>,
    {
        if let Some(outcome) = self.peek(&key) {
            return outcome;
        }
        // What another task puts into the room from now on is as fresh as an answer of our own.
        self.entries.remove_if(&key, |entry| !self.holds(entry));
        match self.entries.get_value_or_guard_async(&key).await {
            Ok(entry) => entry.outcome,
            Err(guard) => {
                // Asking is a large future and rarely needed: on the heap it burdens neither the stack nor the usual case.
                let entry = Box::pin(ask()).await;
                // Refused when somebody remembered the key meanwhile, who knows better.
                let _ = guard.insert(entry.clone());
                self.sweep();
                entry.outcome
            }
        }
    }

    /// What is remembered, without asking.
    pub fn peek(&self, key: &K) -> Option<Result<T>> {
        self.entries.get(key).filter(|entry| self.holds(entry)).map(|entry| entry.outcome)
    }

    pub fn remember(&self, key: K, entry: Remembered<T>) {
        self.entries.insert(key, entry);
        self.sweep();
    }

    pub fn forget(&self, key: &K) {
        // Who is just asking goes on, and others with them.
        self.entries.remove_if(key, |_| true);
    }

    fn sweep(&self) {
        let now = self.clock.now_ms();
        if (now - self.swept_at.load(Ordering::Relaxed)).abs() > SWEEP_MS {
            self.swept_at.store(now, Ordering::Relaxed);
            self.entries.retain(|_, entry| self.holds(entry));
        }
    }

    /// Also false for an entry from a future that a clock set back has undone.
    fn holds(&self, entry: &Remembered<T>) -> bool {
        let left = entry.until - self.clock.now_ms();
        0 < left && left <= MEMORY_MS
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use futures::future::BoxFuture;

    use super::*;
    use crate::error::Error;

    fn asking(
        count: &Arc<AtomicUsize>,
        entry: Remembered<u8>,
    ) -> impl FnOnce() -> BoxFuture<'static, Remembered<u8>> + use<> {
        let count = count.clone();
        move || {
            Box::pin(async move {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(20)).await;
                entry
            })
        }
    }

    async fn crowd(memory: &Arc<Memory<u8, u8>>, count: &Arc<AtomicUsize>, entry: &Remembered<u8>) -> Vec<Result<u8>> {
        let one = |_| {
            let (memory, ask) = (memory.clone(), asking(count, entry.clone()));
            tokio::spawn(async move { memory.get_or_ask(1, ask).await })
        };
        let tasks: Vec<_> = (0..64).map(one).collect();
        futures::future::join_all(tasks).await.into_iter().map(|task| task.unwrap()).collect()
    }

    #[tokio::test]
    async fn a_crowd_asks_once_also_after_expiry_and_after_failures() {
        let clock = Clock::default();
        let memory = Arc::new(Memory::new(&clock));
        let count = Arc::new(AtomicUsize::new(0));
        let good = || Remembered { outcome: Ok(7), until: clock.now_ms() + 30_000 };
        for expected in 1..=3 {
            assert!(crowd(&memory, &count, &good()).await.iter().all(|outcome| *outcome == Ok(7)));
            assert_eq!(count.load(Ordering::SeqCst), expected);
            assert_eq!(memory.get_or_ask(1, asking(&count, good())).await, Ok(7));
            assert_eq!(count.load(Ordering::SeqCst), expected);
            clock.advance(30_001);
        }
        let failed = Remembered::once(Err(Error::Unavailable("down".into())));
        for expected in 4..=5 {
            assert!(crowd(&memory, &count, &failed).await.iter().all(Result::is_err));
            assert_eq!(count.load(Ordering::SeqCst), expected);
        }
        assert_eq!(memory.get_or_ask(1, asking(&count, good())).await, Ok(7));
    }

    #[tokio::test]
    async fn a_dropped_asker_is_replaced() {
        let memory = Arc::new(Memory::new(&Clock::default()));
        let count = Arc::new(AtomicUsize::new(0));
        let good = Remembered { outcome: Ok(7), until: i64::MAX / 2 };
        let leader = tokio::spawn({
            let (memory, ask) = (memory.clone(), asking(&count, good.clone()));
            async move { memory.get_or_ask(1, ask).await }
        });
        tokio::time::sleep(Duration::from_millis(5)).await;
        let waiter = tokio::spawn({
            let (memory, ask) = (memory.clone(), asking(&count, good));
            async move { memory.get_or_ask(1, ask).await }
        });
        tokio::time::sleep(Duration::from_millis(5)).await;
        leader.abort();
        assert_eq!(waiter.await.unwrap(), Ok(7));
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_clock_set_back_does_not_lengthen_a_life() {
        let clock = Clock::default();
        let memory: Memory<u8, u8> = Memory::new(&clock);
        memory.remember(1, Remembered { outcome: Ok(7), until: clock.now_ms() + 29_000 });
        assert_eq!(memory.peek(&1), Some(Ok(7)));
        clock.advance(-60_000);
        assert_eq!(memory.peek(&1), None);
    }

    #[tokio::test]
    async fn what_no_longer_holds_is_thrown_away() {
        let clock = Clock::default();
        let memory: Memory<u8, u8> = Memory::new(&clock);
        let good = || Remembered { outcome: Ok(7), until: clock.now_ms() + 29_000 };
        for key in 1..=9 {
            memory.remember(key, good());
            assert_eq!(memory.entries.len(), usize::from(key));
        }
        clock.advance(SWEEP_MS + 1);
        memory.remember(10, good());
        assert_eq!(memory.entries.len(), 1);
        clock.advance(SWEEP_MS + 1);
        let asked = memory.get_or_ask(11, async || good()).await;
        assert_eq!((asked, memory.entries.len()), (Ok(7), 1));
    }
}
