//! Metric points and the rule which of them is the latest.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a point says about a model or a data set besides its run; empty for plain points.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct MetricContext {
    pub model_id: Option<String>,
    pub dataset_name: Option<String>,
    pub dataset_digest: Option<String>,
    /// The run that logged the point; set on points kept with a logged model.
    pub run_id: Option<String>,
}

/// One logged value.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    pub key: String,
    /// NaN and infinities survive storage; the wire form is the dialect's matter.
    pub value: f64,
    /// ms since 1970.
    pub timestamp: i64,
    pub step: i64,
    pub context: MetricContext,
}

impl Metric {
    /// Order of "latest" (mlflow.md B.5): step, then timestamp, then value, NaN counting as 0.
    pub fn latest_order(&self, other: &Self) -> Ordering {
        let rank = |value: f64| if value.is_nan() { 0.0 } else { value };
        (self.step, self.timestamp)
            .cmp(&(other.step, other.timestamp))
            .then(rank(self.value).total_cmp(&rank(other.value)))
            // Equal in all that the rule names (NaN beside 0): any total order will do, so that folds agree.
            .then(self.value.is_nan().cmp(&other.value.is_nan()).reverse())
            .then_with(|| self.context.cmp(&other.context))
    }

    /// Order of histories: timestamp, step, value, NaN counting as 0.
    pub fn history_order(&self, other: &Self) -> Ordering {
        self.history_position().cmp(&other.history_position()).then_with(|| self.context.cmp(&other.context))
    }

    /// Where a point stands in its history: timestamp, step, value (as an integer of the same order), is NaN.
    pub fn history_position(&self) -> (i64, i64, u64, bool) {
        let rank = if self.value.is_nan() || self.value == 0.0 { 0.0 } else { self.value };
        let bits = rank.to_bits();
        let sign = 1 << 63;
        (self.timestamp, self.step, if bits & sign == 0 { bits | sign } else { !bits }, self.value.is_nan())
    }

    /// Are the two the same point? (key, timestamp, step and value, NaN equal to itself)
    pub fn same_point(&self, other: &Self) -> bool {
        self.key == other.key
            && self.timestamp == other.timestamp
            && self.step == other.step
            && (self.value == other.value || (self.value.is_nan() && other.value.is_nan()))
    }
}

/// The latest point of each key.
pub fn latest_of(points: impl IntoIterator<Item = Metric>) -> BTreeMap<String, Metric> {
    let mut latest: BTreeMap<String, Metric> = BTreeMap::new();
    for point in points {
        match latest.get_mut(&point.key) {
            Some(known) if known.latest_order(&point) != Ordering::Less => {}
            Some(known) => *known = point,
            None => {
                latest.insert(point.key.clone(), point);
            }
        }
    }
    latest
}
