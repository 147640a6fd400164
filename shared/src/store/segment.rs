//! The packed form of metric points: segments, and the latest metrics in META.
//! A key and a context are written once, the points refer to them by number.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::{Metric, MetricContext};

/// Version of the packed form; readers refuse others, and nobody overwrites what he cannot read.
const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Packed<'a> {
    #[serde(borrow)]
    keys: Vec<&'a str>,
    contexts: Vec<MetricContext>,
    /// key, context, step, timestamp (ms), value
    points: Vec<(u32, u32, i64, i64, f64)>,
}

/// Packs points, about 18 bytes each beside their keys.
pub(crate) fn pack<'a>(points: impl IntoIterator<Item = &'a Metric>) -> Result<Vec<u8>> {
    let mut packed = Packed { keys: Vec::new(), contexts: Vec::new(), points: Vec::new() };
    let mut key_numbers: HashMap<&str, u32> = HashMap::new();
    let mut context_numbers: HashMap<&MetricContext, u32> = HashMap::new();
    for point in points {
        let next = u32::try_from(packed.keys.len()).map_err(Error::internal)?;
        let key = *key_numbers.entry(&point.key).or_insert_with(|| {
            packed.keys.push(&point.key);
            next
        });
        let next = u32::try_from(packed.contexts.len()).map_err(Error::internal)?;
        let context = *context_numbers.entry(&point.context).or_insert_with(|| {
            packed.contexts.push(point.context.clone());
            next
        });
        packed.points.push((key, context, point.step, point.timestamp, point.value));
    }
    postcard::to_extend(&packed, vec![VERSION]).map_err(Error::internal)
}

/// The points that [`pack`] packed, in their order.
pub(crate) fn unpack(bytes: &[u8]) -> Result<Vec<Metric>> {
    let body = match bytes.split_first() {
        Some((&VERSION, body)) => body,
        // An instance of that version can answer, or this one after the upgrade: clients try again.
        Some((version, _)) => {
            return Err(Error::Unavailable(format!(
                "packed metrics of version {version}, which a newer version of the hub has written"
            )));
        }
        None => return Err(Error::internal("packed metrics are empty")),
    };
    let packed: Packed = postcard::from_bytes(body).map_err(Error::internal)?;
    packed
        .points
        .into_iter()
        .map(|(key, context, step, timestamp, value)| {
            let key = packed.keys.get(key as usize);
            let context = packed.contexts.get(context as usize);
            match (key, context) {
                (Some(&key), Some(context)) => {
                    Ok(Metric { key: key.to_owned(), value, timestamp, step, context: context.clone() })
                }
                _ => Err(Error::internal("packed metrics refer to a key that is not there")),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn metric() -> impl Strategy<Value = Metric> {
        let context = proptest::option::of("[a-z]{1,5}")
            .prop_map(|model_id| MetricContext { model_id, ..MetricContext::default() });
        ("[a-z/]{1,9}", any::<f64>(), any::<i64>(), any::<i64>(), context)
            .prop_map(|(key, value, timestamp, step, context)| Metric { key, value, timestamp, step, context })
    }

    proptest! {
        #[test]
        fn unpack_reverses_pack(points in proptest::collection::vec(metric(), 0..50)) {
            let again = unpack(&pack(&points).unwrap()).unwrap();
            prop_assert_eq!(points.len(), again.len());
            for (a, b) in points.iter().zip(&again) {
                prop_assert_eq!(a.value.to_bits(), b.value.to_bits());
                prop_assert_eq!((&a.key, a.step, a.timestamp, &a.context), (&b.key, b.step, b.timestamp, &b.context));
            }
        }

        #[test]
        fn garbage_is_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(&bytes);
        }
    }

    #[test]
    fn a_thousand_points_of_one_key_fit_24_kilobytes() {
        let points: Vec<Metric> = (0..1000)
            .map(|step| Metric {
                key: "loss".into(),
                value: 0.1,
                timestamp: 1_700_000_000_000 + step,
                step,
                context: MetricContext::default(),
            })
            .collect();
        assert!(pack(&points).unwrap().len() <= 23 * 1024);
    }
}
