//! Metric histories (mlflow.md B.5).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::answer::fitting;
use shared::context::Context;
use shared::extract::{API_DOCS, Input, Integer, Json, OneOrMany, required};
use shared::model::{Metric, validation};
use shared::{Error, Result};

use crate::runs::run_id_of;
use crate::wire::MetricOut;

/// Most points that `get-history-bulk` answers.
const BULK_POINTS: usize = 25_000;
/// Most runs of a bulk request.
const BULK_RUNS: usize = 100;

#[derive(Deserialize, JsonSchema)]
pub struct GetHistory {
    /// Id of the run.
    run_id: Option<String>,
    /// The old name of `run_id`.
    run_uuid: Option<String>,
    /// Key of the metric.
    #[schemars(required)]
    metric_key: Option<String>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
    /// Most points of a page; all, or 413 if they are too many for one answer, when absent.
    max_results: Option<Integer>,
}

#[derive(JsonSchema, Serialize)]
pub struct History {
    /// The points of this page.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<MetricOut>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

/// GET `metrics/get-history`; pages only when asked to
pub async fn get_history(context: Context, Input(request): Input<GetHistory>) -> Result<Json<History>> {
    let id = run_id_of(&request.run_id, &request.run_uuid)?;
    let key = required("metric_key", request.metric_key.as_ref())?;
    let count = match request.max_results {
        Some(Integer(count)) if count <= 0 => {
            return Err(Error::invalid(format!(
                "Invalid value {count} for parameter 'max_results' supplied. It must be a positive integer."
            )));
        }
        Some(Integer(count)) => usize::try_from(count).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    let query = ("history", context.scope(), id, key);
    let after: Option<(i64, i64, u64, bool)> = context.state.pages.start(&query, request.page_token.as_deref())?;
    let (access, _) = context.run(id).await?;
    let mut points = context.store().metric_history(&access, id, key).await?;
    if let Some(after) = after {
        points.retain(|point| point.history_position() > after);
    }
    let mut metrics: Vec<MetricOut> = points.iter().take(count).map(MetricOut::new).collect();
    if request.max_results.is_some() {
        metrics.truncate(fitting(&metrics));
    }
    let last = points[..metrics.len()].last().map(Metric::history_position);
    let next_page_token = context.state.pages.next(&query, metrics.len() < points.len(), last.as_ref())?;
    Ok(Json(History { metrics, next_page_token }))
}

#[derive(Deserialize, JsonSchema)]
pub struct GetHistoryBulk {
    /// Ids of runs, at most 100.
    #[serde(default)]
    #[schemars(required, length(min = 1))]
    run_id: OneOrMany<String>,
    /// Key of the metric.
    #[schemars(required)]
    metric_key: Option<String>,
    /// Most points, at most 25,000.
    max_results: Option<Integer>,
}

#[derive(JsonSchema, Serialize)]
pub struct BulkHistory {
    /// The points, run by run.
    metrics: Vec<MetricOut>,
}

/// GET `metrics/get-history-bulk`: one flat list over the runs
pub async fn get_history_bulk(context: Context, Input(request): Input<GetHistoryBulk>) -> Result<Json<BulkHistory>> {
    let mut ids = request.run_id.0;
    if ids.is_empty() {
        return Err(Error::invalid("GetMetricHistoryBulk request must specify at least one run_id."));
    }
    if ids.len() > BULK_RUNS {
        return Err(Error::invalid(format!(
            "GetMetricHistoryBulk request cannot specify more than {BULK_RUNS} run_ids. Received {} run_ids.",
            ids.len()
        )));
    }
    let Some(key) = request.metric_key else {
        return Err(Error::invalid("GetMetricHistoryBulk request must specify a metric_key."));
    };
    let count = request.max_results.map_or(BULK_POINTS, |count| usize::try_from(count.0).unwrap_or(0)).min(BULK_POINTS);
    ids.sort();
    ids.dedup();
    let mut metrics = Vec::new();
    for (id, points) in histories(&context, &ids, &key).await? {
        metrics.extend(points.iter().map(|point| MetricOut::of_run(point, &id)));
    }
    metrics.truncate(count);
    Ok(Json(BulkHistory { metrics }))
}

/// The histories of the runs that exist and that the caller may see; others are passed over alike.
async fn histories(context: &Context, ids: &[String], key: &str) -> Result<Vec<(String, Vec<Metric>)>> {
    // The view of a hidden project is no empty one.
    context.project().await?;
    let mut histories = Vec::new();
    for id in ids {
        match context.run(id).await {
            Ok((access, _)) => histories.push((id.clone(), context.store().metric_history(&access, id, key).await?)),
            Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(histories)
}

#[derive(Deserialize, JsonSchema)]
pub struct GetHistoryBulkInterval {
    /// Ids of runs, at most 100.
    #[serde(default)]
    #[schemars(required, length(min = 1))]
    run_ids: OneOrMany<String>,
    /// Key of the metric.
    #[schemars(required)]
    metric_key: Option<String>,
    /// First step; needs `end_step`.
    start_step: Option<Integer>,
    /// Last step; needs `start_step`.
    end_step: Option<Integer>,
    /// Most points of each run, at most 2,500.
    max_results: Option<Integer>,
}

#[derive(JsonSchema, Serialize)]
pub struct IntervalHistory {
    /// The points, run by run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<MetricOut>,
}

/// GET `metrics/get-history-bulk-interval`: points sampled evenly per run, first and last kept
pub async fn get_history_bulk_interval(
    context: Context,
    Input(request): Input<GetHistoryBulkInterval>,
) -> Result<Json<IntervalHistory>> {
    let ids = request.run_ids.0;
    if ids.is_empty() {
        return Err(shared::extract::missing("run_ids"));
    }
    if ids.len() > BULK_RUNS {
        return Err(Error::invalid(format!(
            "GetMetricHistoryBulkInterval request must specify at most {BULK_RUNS} run_ids. Received {} run_ids. {API_DOCS}",
            ids.len()
        )));
    }
    let key = required("metric_key", request.metric_key.as_ref())?;
    let count =
        validation::interval_points(request.max_results.map_or(validation::MOST_INTERVAL_POINTS, |count| count.0))?;
    let steps = match (request.start_step, request.end_step) {
        (None, None) => i64::MIN..=i64::MAX,
        (Some(Integer(start)), Some(Integer(end))) if start > end => {
            return Err(Error::invalid(format!(
                "end_step must be greater than start_step. Found start_step={start} and end_step={end}."
            )));
        }
        (Some(Integer(start)), Some(Integer(end))) => start..=end,
        _ => {
            return Err(Error::invalid("If either start step or end step are specified, both must be specified."));
        }
    };
    let mut histories = histories(&context, &ids, key).await?;
    for (_, points) in &mut histories {
        points.retain(|point| steps.contains(&point.step));
        // Already in order of timestamp, step and value.
        points.sort_by_key(|point| point.step);
    }
    let mut count = count;
    loop {
        let sampled = histories.iter().flat_map(|(id, points)| {
            sample(points.len(), count).map(move |number| MetricOut::of_run(&points[number], id))
        });
        let metrics: Vec<MetricOut> = sampled.collect();
        let fitting = fitting(&metrics);
        if fitting == metrics.len() || count == 1 {
            return Ok(Json(IntervalHistory { metrics }));
        }
        // Of each run fewer, until all fit.
        count = (count * fitting / metrics.len()).max(1);
    }
}

/// At most `wanted` of `0..length`: the first of each of `wanted` even buckets, the larger ones first,
/// the last of all in the place of the last bucket's (as the stock server samples).
fn sample(length: usize, wanted: usize) -> impl Iterator<Item = usize> {
    let buckets = wanted.min(length);
    let (size, larger) = (length.checked_div(buckets).unwrap_or(0), length.checked_rem(buckets).unwrap_or(0));
    (0..buckets).map(move |bucket| {
        if bucket + 1 == buckets && buckets == wanted { length - 1 } else { bucket * size + bucket.min(larger) }
    })
}

#[cfg(test)]
mod tests {
    use super::sample;

    #[test]
    fn samples_keep_both_ends_and_their_number() {
        assert_eq!(sample(3, 5).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(sample(20, 3).collect::<Vec<_>>(), [0, 7, 19]);
        assert_eq!(sample(100, 1).collect::<Vec<_>>(), [99]);
        assert_eq!(sample(0, 1).count(), 0);
        let many: Vec<_> = sample(1_000, 320).collect();
        assert_eq!((many.len(), many[0], many[319]), (320, 0, 999));
        assert!(many.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
