//! Writing metric points as segments, and reading histories (data.md sections 2 and 3).
//! Serves runs and logged models alike: `pk` is the partition of either.

use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnValue;
use futures::future::try_join_all;
use tokio::time::Instant;
use ulid::Ulid;

use super::Store;
use super::attributes::{Guard, Refusal};
use super::item::{Attributes, Item, binary, key, number, string};
use super::keys;
use super::request::Outcome;
use super::segment::{pack, unpack};
use crate::error::{Error, Result};
use crate::model::Metric;

/// A touch announces metrics for this long, ms.
const OPEN_WINDOW_MS: i64 = 120_000;
/// A segment may be acknowledged while its ULID time is at least this much before `open_until`, ms.
const OPEN_MARGIN_MS: i64 = 60_000;
/// A segment may be acknowledged this long after its ULID was minted, ms.
const ACKNOWLEDGE_WITHIN_MS: i64 = 20_000;
/// Bytes of packed points in one item; an item may have 400 KB.
const LARGEST_SEGMENT: usize = 380 * 1024;
/// Points per item that surely fit: a point takes at most 36 bytes beside its key.
const MOST_POINTS: usize = 5_000;
impl Store {
    /// Writes the points of one logging call; `Ok(Ok(()))` means that they are durable and will be seen.
    /// Writing the same points again is harmless.
    pub(crate) async fn log_points(&self, pk: &str, points: &[Metric], guard: &Guard) -> Result<Result<(), Refusal>> {
        self.skew.check()?;
        let bodies = split(points)?;
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let open_until = match self.announce(pk, guard).await? {
                Ok(open_until) => open_until,
                Err(refusal) => return Ok(Err(refusal)),
            };
            // Minted just before the send, so that its time says when the points landed.
            let minted = self.clock.now_ms();
            let id = Ulid::from_parts(u64::try_from(minted).unwrap_or(0), rand::random());
            try_join_all(bodies.iter().enumerate().map(|(part, body)| {
                let mut item = key(pk, keys::segment(id, part));
                item.insert("points".to_owned(), binary(body.clone()));
                self.put(item)
            }))
            .await?;
            if open_until >= minted + OPEN_MARGIN_MS && self.clock.now_ms() <= minted + ACKNOWLEDGE_WITHIN_MS {
                return Ok(Ok(()));
            }
            if Instant::now() >= deadline {
                return Err(Error::Unavailable("metrics were written too slowly to be acknowledged".into()));
            }
        }
    }

    /// Sees to it that META says "open" for at least another minute; answers until when (ms).
    async fn announce(&self, pk: &str, guard: &Guard) -> Result<Result<i64, Refusal>> {
        let now = self.clock.now_ms();
        if let Some((open_until, changes)) = self.caches.open_until.get(pk)
            && open_until >= now + OPEN_MARGIN_MS
            && changes == guard.changes()
        {
            return Ok(Ok(open_until));
        }
        let until = now + OPEN_WINDOW_MS;
        let earlier = "attribute_not_exists(open_until) OR open_until < :until";
        let condition = format!("{} AND ({earlier})", guard.condition());
        let touch = guard
            .bind(self.update(pk, keys::META, Some(&condition)))
            .update_expression("SET open_until = :until")
            .expression_attribute_values(":until", number(until))
            .return_values(ReturnValue::None);
        let open_until = match self.send_update(touch).await? {
            Outcome::Done { .. } => until,
            Outcome::Refused(None) => return Ok(Err(Refusal::Missing)),
            Outcome::Refused(Some(meta)) if !guard.allows(&meta) => return Ok(Err(Refusal::Deleted)),
            Outcome::Refused(Some(meta)) => meta.number("open_until")?,
        };
        self.caches.open_until.insert(pk.to_owned(), (open_until, guard.changes()));
        Ok(Ok(open_until))
    }

    /// The points of segments minted at `since` (ms) or later, as written: unsorted, with duplicates.
    /// Strongly consistent. Also answers how many bytes and segments that were.
    pub(crate) async fn read_segments(&self, pk: &str, since: i64) -> Result<Segments> {
        let items = self.segments(pk, since).await?;
        let mut segments = Segments { count: items.len(), ..Segments::default() };
        for item in &items {
            let body = points_of(item)?;
            segments.bytes += body.len();
            segments.points.extend(unpack(body)?);
        }
        Ok(segments)
    }

    async fn segments(&self, pk: &str, since: i64) -> Result<Vec<Item>> {
        let query = self
            .client
            .query()
            .consistent_read(true)
            .key_condition_expression("PK = :pk AND SK BETWEEN :from AND :to")
            .expression_attribute_values(":pk", string(pk))
            .expression_attribute_values(":from", string(keys::segments_from(since)))
            .expression_attribute_values(":to", string(keys::SEGMENTS_END));
        self.query(query).await
    }

    /// Every point of a metric, in order of timestamp, step and value, without duplicates.
    pub(crate) async fn history(&self, pk: &str, metric: &str) -> Result<Vec<Metric>> {
        let mut points = Vec::new();
        // Unpacked one by one: a run's points of all metrics may be more than fit into memory.
        for item in &self.segments(pk, 0).await? {
            points.extend(unpack(points_of(item)?)?.into_iter().filter(|point| point.key == metric));
        }
        points.sort_by(Metric::history_order);
        points.dedup_by(|a, b| a.same_point(b));
        Ok(points)
    }
}

/// What [`Store::read_segments`] found.
#[derive(Default)]
pub(crate) struct Segments {
    pub(crate) points: Vec<Metric>,
    pub(crate) bytes: usize,
    pub(crate) count: usize,
}

fn points_of(item: &Item) -> Result<&[u8]> {
    item.bytes("points").ok_or_else(|| Error::internal("a segment has no points"))
}

/// Packs points into as few bodies as fit into items.
fn split(points: &[Metric]) -> Result<Vec<Vec<u8>>> {
    let whole = pack(points)?;
    if whole.len() <= LARGEST_SEGMENT {
        return Ok(vec![whole]);
    }
    points.chunks(MOST_POINTS.min(points.len().div_ceil(whole.len().div_ceil(LARGEST_SEGMENT / 2)))).map(pack).collect()
}
