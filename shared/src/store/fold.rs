//! Fold: exact latest metrics without writing them on the hot path (data.md section 3).
//!
//! `latest` of a key is the greatest point over META's `lat` and the segments newer than its
//! watermark minus 60 s. A run is closed when its watermark has passed `open_until`; its META is
//! then complete by itself. The order of steps below is what makes it exact: sample the clock,
//! then read strongly, then write back only if the watermark is still the one that was seen.

use ulid::Ulid;

use super::Store;
use super::item::{Attributes, binary, key, number, string};
use super::keys;
use super::request::Outcome;
use super::run_item::FoldState;
use super::segment::{pack, unpack};
use crate::error::{Error, Result};
use crate::model::{Metric, latest_of};

/// Segments this much older than the watermark may still have landed after it was set, ms.
const LOOK_BACK_MS: i64 = 60_000;
/// A new watermark stays this much behind the clock sampled before the reads, ms.
const WATERMARK_MARGIN_MS: i64 = 10_000;
/// Whoever folds more than this writes back even while the entity is open.
const MANY_SEGMENTS: usize = 256;
const MANY_BYTES: usize = 64 * 1024;
/// Bytes of packed latest metrics kept in META.
const LATEST_ROOM: usize = 16 * 1024;
/// Bytes of one part of latest metrics outside META.
const LATEST_PART: usize = 350 * 1024;

/// What a fold keeps of the points.
#[derive(Clone, Copy)]
pub(crate) enum Latest {
    /// Of a run: one per metric key.
    PerKey,
    /// Of a logged model: all, since clients are shown all.
    EveryPoint,
}

/// When a fold is written back though it does not close the entity.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum WriteBack {
    WhenItCloses,
    Always,
    Never,
}

impl Store {
    /// The latest metrics; `state` may come from an index copy.
    pub(crate) async fn fold(
        &self,
        pk: &str,
        state: &FoldState,
        rule: Latest,
        write_back: WriteBack,
    ) -> Result<Vec<Metric>> {
        let latest = self.read_latest(pk, state).await?;
        if state.is_closed() {
            return Ok(latest);
        }
        let sampled = self.clock.now_ms();
        let since = state.watermark.map_or(0, |watermark| watermark - LOOK_BACK_MS);
        let segments = self.read_segments(pk, since).await?;
        let is_large = segments.count > MANY_SEGMENTS || segments.bytes > MANY_BYTES;
        let folded = fold_points(latest.into_iter().chain(segments.points), rule);
        let watermark = sampled - WATERMARK_MARGIN_MS;
        let closes = state.open_until.is_none_or(|open_until| watermark >= open_until);
        let grows = state.watermark.is_none_or(|seen| watermark > seen);
        let wanted = match write_back {
            WriteBack::Always => true,
            WriteBack::WhenItCloses => closes || is_large,
            WriteBack::Never => false,
        };
        if wanted && grows {
            self.write_fold(pk, state, &folded, watermark).await?;
        }
        Ok(folded)
    }

    async fn read_latest(&self, pk: &str, state: &FoldState) -> Result<Vec<Metric>> {
        let Some((version, parts)) = &state.latest_overflow else {
            return if state.latest.is_empty() { Ok(Vec::new()) } else { unpack(&state.latest) };
        };
        let found = self.query_prefix(pk, &keys::overflow_latest_of(version)).await?;
        if found.len() != *parts {
            // A later fold has replaced the parts; whoever reads META again finds the new ones.
            return Err(Error::Unavailable("latest metrics were folded again while being read".into()));
        }
        let mut packed = Vec::new();
        for part in &found {
            packed.extend_from_slice(part.bytes("part").ok_or_else(|| Error::internal("a part of lat is empty"))?);
        }
        unpack(&packed)
    }

    async fn write_fold(&self, pk: &str, state: &FoldState, folded: &[Metric], watermark: i64) -> Result<()> {
        let packed = pack(folded)?;
        let unchanged = match state.watermark {
            Some(_) => "wm = :seen",
            None => "attribute_not_exists(wm)",
        };
        let mut update =
            self.update(pk, keys::META, Some(unchanged)).expression_attribute_values(":wm", number(watermark));
        if let Some(seen) = state.watermark {
            update = update.expression_attribute_values(":seen", number(seen));
        }
        let mut ours = None;
        if packed.len() <= LATEST_ROOM {
            update = update
                .update_expression("SET lat = :lat, wm = :wm REMOVE lat_ov")
                .expression_attribute_values(":lat", binary(packed));
        } else {
            let version = Ulid::from_parts(u64::try_from(watermark).unwrap_or(0), rand::random()).to_string();
            let parts = packed.chunks(LATEST_PART).count();
            for (part, body) in packed.chunks(LATEST_PART).enumerate() {
                let mut item = key(pk, keys::overflow_latest(&version, part));
                item.insert("part".to_owned(), binary(body.to_vec()));
                self.put(item).await?;
            }
            update = update
                .update_expression("SET lat_ov = :ov, wm = :wm REMOVE lat")
                .expression_attribute_values(":ov", string(format!("{version}:{parts}")));
            ours = Some((version, parts));
        }
        let valid = match self.send_update(update).await? {
            Outcome::Done { .. } => ours.clone(),
            // Another folder was faster, and what it wrote is as good; or this one was, and its first answer got lost.
            Outcome::Refused(Some(item)) => FoldState::read(&item).latest_overflow,
            Outcome::Refused(None) => return Ok(()),
        };
        for (version, parts) in [&state.latest_overflow, &ours].into_iter().flatten() {
            if valid.as_ref().is_none_or(|(kept, _)| kept != version) {
                for part in 0..*parts {
                    self.delete(pk, &keys::overflow_latest(version, part)).await?;
                }
            }
        }
        Ok(())
    }
}

fn fold_points(points: impl IntoIterator<Item = Metric>, rule: Latest) -> Vec<Metric> {
    match rule {
        Latest::PerKey => latest_of(points).into_values().collect(),
        Latest::EveryPoint => {
            let mut points: Vec<Metric> = points.into_iter().collect();
            points.sort_by(Metric::history_order);
            points.dedup_by(|a, b| a.same_point(b) && a.context == b.context);
            points
        }
    }
}
