//! From GitLab into S3, part by part with bounded memory.
//!
//! The gateway gives up after 29 s and a function is frozen once it has answered. So a request copies for [`TURN`], says
//! how far it came, and the next one goes on there: finished parts wait in S3. Two requests at once write the same bytes.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::{TryStreamExt, stream};
use shared::gitlab::{Download, unavailable};
use shared::objects::{Begun, COPY_PART, MOST_PARTS, ObjectKey, Objects, Part};
use shared::{Error, Result};
use tokio::time::{Instant, sleep, timeout_at};

/// How long one request copies.
pub const TURN: Duration = Duration::from_secs(18);
/// How long S3 may then take to put the parts together before the client is asked to come again.
const COMPLETION: Duration = Duration::from_secs(6);
/// Parts that are under way to S3 at once; memory holds one more.
const PARTS_AT_ONCE: usize = 3;
/// Bytes of the largest copy that S3 takes in parts of this size.
const LARGEST: u64 = MOST_PARTS as u64 * COPY_PART as u64;
/// How often to look whether another request has finished.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Copies a file of `size` bytes, beginning where an earlier request was interrupted. `open` gives the bytes from some
/// place on, or from the beginning where GitLab knows no parts.
///
/// # Errors
/// `InProgress` when the turn is over before the file is complete.
pub async fn in_turns<O: Future<Output = Result<Download>>>(
    objects: &Objects,
    key: &ObjectKey,
    size: u64,
    deadline: Instant,
    open: impl FnOnce(u64) -> O,
) -> Result<()> {
    if size > LARGEST {
        return Err(Error::TooLarge(format!(
            "A file of {size} bytes is more than this hub copies: fetch it from GitLab"
        )));
    }
    let begun = objects.resume_copy(key, size).await?;
    let (id, stored) = (begun.id.clone(), AtomicU64::new(begun.stored));
    let turn = async {
        if begun.stored == size {
            return Ok(Some(begun.parts));
        }
        let source = open(begun.stored).await?;
        fill(objects, key, begun, source, &stored).await
    };
    let outcome = timeout_at(deadline, turn).await;
    let stored = stored.into_inner();
    match outcome {
        Ok(Ok(Some(parts))) if stored == size => finish(objects, key, &id, &parts, deadline).await,
        Ok(Ok(Some(_))) => Err(unavailable("a file is not as long as it said")),
        Ok(Ok(None)) => expect(objects, key, deadline).await,
        Ok(Err(error)) => Err(error),
        Err(_) => {
            let megabytes = |bytes: u64| bytes / 1_000_000;
            let (done, all) = (megabytes(stored), megabytes(size));
            Err(in_progress(format!(
                "This large file is being fetched from GitLab, {done} of {all} MB so far: ask again to go on"
            )))
        }
    }
}

/// Copies what has no size beforehand and no parts, in one turn or not at all; its size.
///
/// # Errors
/// `InProgress` when the turn is over before it is complete.
pub async fn at_once(objects: &Objects, key: &ObjectKey, source: Download, deadline: Instant) -> Result<u64> {
    let begun = objects.begin_copy(key).await?;
    let (id, stored) = (begun.id.clone(), AtomicU64::new(0));
    let outcome = timeout_at(deadline, fill(objects, key, begun, source, &stored)).await;
    let error = match outcome {
        Ok(Ok(Some(parts))) if !parts.is_empty() => {
            finish(objects, key, &id, &parts, deadline).await?;
            return Ok(stored.into_inner());
        }
        Ok(Ok(_)) => unavailable("an empty archive"),
        Ok(Err(error)) => error,
        Err(_) => in_progress(format!(
            "GitLab did not give all of this within {} s: try again, or clone the repository with git",
            TURN.as_secs()
        )),
    };
    // Should this fail, the bucket's rule ends the upload after a day.
    let _ = objects.abort_upload(key, &id).await;
    Err(error)
}

/// Stores what is missing; all parts, or nothing if somebody else ended the upload. Counts the bytes that are stored.
async fn fill(
    objects: &Objects,
    key: &ObjectKey,
    begun: Begun,
    source: Download,
    stored: &AtomicU64,
) -> Result<Option<Vec<Part>>> {
    let Begun { id, mut parts, stored: before } = begun;
    let id = id.as_str();
    let number = i32::try_from(parts.len()).map_err(Error::internal)? + 1;
    let pieces = Pieces { skip: before.saturating_sub(source.start()), source, left: Bytes::new(), number };
    let puts = stream::try_unfold(pieces, Pieces::next).map_ok(|(number, bytes)| async move {
        let size = bytes.len() as u64;
        let part = objects.put_part(key, id, number, bytes).await?;
        stored.fetch_add(size, Ordering::Relaxed);
        Ok(part)
    });
    let mut puts = pin!(puts.try_buffered(PARTS_AT_ONCE));
    while let Some(part) = puts.try_next().await? {
        match part {
            Some(part) => parts.push(part),
            None => return Ok(None),
        }
    }
    Ok(Some(parts))
}

/// Makes the object of its parts.
async fn finish(objects: &Objects, key: &ObjectKey, id: &str, parts: &[Part], deadline: Instant) -> Result<()> {
    match timeout_at(deadline + COMPLETION, objects.complete_upload(key, id, parts)).await {
        Ok(Ok(())) => Ok(()),
        // Somebody else was faster.
        Ok(Err(Error::NotFound(_))) => expect(objects, key, deadline).await,
        Ok(Err(error)) => Err(error),
        Err(_) => Err(nearly_ready()),
    }
}

/// Waits for the object that another request is making of the same parts.
async fn expect(objects: &Objects, key: &ObjectKey, deadline: Instant) -> Result<()> {
    let patience = deadline.min(Instant::now()) + COMPLETION;
    while objects.head(key).await?.is_none() {
        if Instant::now() >= patience {
            return Err(nearly_ready());
        }
        sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

fn nearly_ready() -> Error {
    in_progress("This file is nearly ready: ask again".into())
}

fn in_progress(message: String) -> Error {
    Error::InProgress { message, retry_after: 1 }
}

/// A download cut into parts.
struct Pieces {
    source: Download,
    /// Bytes that are stored already.
    skip: u64,
    /// What was read of the next part.
    left: Bytes,
    /// The next part's.
    number: i32,
}

impl Pieces {
    /// The next part; only the last one is shorter than [`COPY_PART`].
    async fn next(mut self) -> Result<Option<((i32, Bytes), Self)>> {
        let mut piece = Vec::with_capacity(COPY_PART);
        let number = self.number;
        self.number += 1;
        loop {
            let room = COPY_PART - piece.len();
            let taken = self.left.split_to(self.left.len().min(room));
            piece.extend_from_slice(&taken);
            if piece.len() == COPY_PART {
                return Ok(Some(((number, piece.into()), self)));
            }
            match self.source.chunk().await? {
                Some(mut chunk) => {
                    let skipped = chunk.len().min(usize::try_from(self.skip).unwrap_or(usize::MAX));
                    self.skip -= skipped as u64;
                    self.left = chunk.split_off(skipped);
                }
                None if piece.is_empty() => return Ok(None),
                None => return Ok(Some(((number, piece.into()), self))),
            }
        }
    }
}
