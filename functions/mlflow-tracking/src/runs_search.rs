//! Searching runs (mlflow.md B.5, data.md section 4).

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::answer::{ANSWER_BYTES, fitting};
use shared::auth::Access;
use shared::context::Context;
use shared::extract::{Input, Integer, Json, Many};
use shared::model::{Experiment, Run, ViewType, validation};
use shared::search::{RunSearch, SortKey};
use shared::store::StoredRun;
use shared::{Error, Result};

use crate::wire::{RunOut, ViewTypeIn};

/// Runs that are completed, and looked at, at a time.
const RUNS_AT_A_TIME: usize = 256;
/// Runs whose inputs and outputs are read at a time.
const EDGES_AT_A_TIME: usize = 32;
/// Most experiments that a search names: each is read, and its project's access asked for.
const MOST_EXPERIMENTS: usize = 1_000;
/// Most of them that are missing or hidden: GitLab is asked about each.
const MOST_MISSING: usize = 100;

#[derive(Deserialize, JsonSchema)]
pub struct SearchRuns {
    /// Ids of experiments; those that do not exist, or that the caller may not see, are passed over.
    #[serde(default)]
    experiment_ids: Many<String>,
    /// Which ones, in MLflow's filter language, e.g. `tags.team = 'water' AND metrics.loss < 1`.
    filter: Option<String>,
    /// Which by their lifecycle stage.
    #[serde(default)]
    run_view_type: ViewTypeIn,
    /// Most things of a page.
    max_results: Option<Integer>,
    /// Order, e.g. `metrics.loss DESC`.
    #[serde(default)]
    order_by: Many<String>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

#[derive(JsonSchema, Serialize)]
pub struct FoundRuns {
    /// The runs of this page.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    runs: Vec<RunOut>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

/// A run that was found, where it sorts, and its experiment's place in the request.
struct Row {
    key: SortKey,
    experiment: usize,
    run: Run,
}

/// POST `runs/search`
pub async fn search_runs(context: Context, Input(request): Input<SearchRuns>) -> Result<Json<FoundRuns>> {
    let count = validation::runs_max_results(request.max_results.map_or(1_000, |count| count.0))?;
    let search = RunSearch::parse(request.filter.as_deref(), &request.order_by.0)?;
    let view = request.run_view_type.0;
    let query = ("runs", context.scope(), &request.experiment_ids.0, &request.filter, &request.order_by.0, view as u8);
    let after: Option<SortKey> = context.state.pages.start(&query, request.page_token.as_deref())?;
    let experiments = readable_experiments(&context, &request.experiment_ids.0).await?;
    let mut with_edges = HashSet::new();
    let mut rows = Vec::new();
    let mut has_more = false;
    for (number, (access, experiment)) in experiments.iter().enumerate() {
        let mut stored =
            candidates(&context, access, experiment, view, &search, after.as_ref(), count).await?.into_iter();
        // Never more whole runs in memory than a page and these.
        while stored.len() > 0 {
            let some: Vec<StoredRun> = stored.by_ref().take(RUNS_AT_A_TIME).collect();
            with_edges.extend(some.iter().filter(|run| run.has_edges()).map(|run| run.id().to_owned()));
            let runs = context.store().complete_runs(some, search.uses_datasets()).await?;
            rows.extend(
                runs.into_iter()
                    .map(|run| Run { artifact_uri: context.shown_uri(experiment, &run.artifact_uri), ..run })
                    .filter(|run| search.matches(run))
                    .map(|run| Row { key: search.sort_key(&run), experiment: number, run })
                    .filter(|row| after.as_ref().is_none_or(|after| row.key > *after)),
            );
            has_more |= keep_page(&mut rows, count);
            // A long search must let the limit on a request's time end it.
            tokio::task::yield_now().await;
        }
    }
    let mut found: Vec<RunOut> = Vec::with_capacity(rows.len());
    let mut bytes = 0;
    for some in rows.chunks_mut(EDGES_AT_A_TIME) {
        if !search.uses_datasets() {
            let mut runs: Vec<&mut Run> = some.iter_mut().map(|row| &mut row.run).collect();
            context.store().add_inputs(&mut runs, &with_edges).await?;
        }
        found.extend(some.iter().map(|row| RunOut::new(&context, &experiments[row.experiment].1, &row.run)));
        bytes += some.iter().map(|row| least_bytes(&row.run)).sum::<usize>();
        if bytes > ANSWER_BYTES {
            break;
        }
    }
    found.truncate(fitting(&found));
    has_more |= found.len() < rows.len();
    let last = rows[..found.len()].last().map(|row| &row.key);
    let next_page_token = context.state.pages.next(&query, has_more, last)?;
    Ok(Json(FoundRuns { runs: found, next_page_token }))
}

/// Sorts the rows and drops those that cannot be on the page. Were there any?
fn keep_page(rows: &mut Vec<Row>, count: usize) -> bool {
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    let mut bytes = 0;
    let fits = |row: &&Row| {
        let fits = bytes <= ANSWER_BYTES;
        bytes += least_bytes(&row.run);
        fits
    };
    let kept = rows.iter().take(count).take_while(fits).count();
    let dropped = kept < rows.len();
    rows.truncate(kept);
    dropped
}

/// The experiments that exist and that the caller may see; others are passed over alike.
pub(crate) async fn readable_experiments(context: &Context, ids: &[String]) -> Result<Vec<(Access, Experiment)>> {
    if ids.len() > MOST_EXPERIMENTS {
        return Err(Error::invalid(format!(
            "A search takes at most {MOST_EXPERIMENTS} experiment_ids, and these are {}. Search some at a time.",
            ids.len()
        )));
    }
    // The view of a hidden project is no empty one.
    context.project().await?;
    let mut experiments: Vec<(Access, Experiment)> = Vec::new();
    let mut missing = 0;
    for id in ids {
        match context.experiment(id).await {
            Ok((access, experiment)) => {
                if !experiments.iter().any(|(_, known)| known.id == experiment.id) {
                    experiments.push((access, experiment));
                }
            }
            Err(Error::NotFound(_)) if missing < MOST_MISSING => missing += 1,
            Err(Error::NotFound(_)) => {
                return Err(Error::invalid(format!(
                    "More than {MOST_MISSING} of these experiment_ids are of no experiment that you can see. \
                     Name only experiments that you can see."
                )));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(experiments)
}

/// Rows that may be on the page: in the default order without a filter just that page (and one more),
/// else all that the view shows.
async fn candidates(
    context: &Context,
    access: &Access,
    experiment: &Experiment,
    view: ViewType,
    search: &RunSearch,
    after: Option<&SortKey>,
    count: usize,
) -> Result<Vec<StoredRun>> {
    if experiment.id.0 == 0 {
        // The default experiment before its first use.
        return Ok(Vec::new());
    }
    if let Some(ids) = search.run_ids() {
        return context.store().get_runs(access, experiment, view, &ids).await;
    }
    if search.matches_all() && search.is_default_order() {
        let position = after.and_then(RunSearch::default_position);
        let mut rows = context.store().run_rows(access, experiment, view, position.as_ref())?;
        return rows.take(experiment, view, count.saturating_add(1)).await;
    }
    context.store().list_runs(access, experiment, view).await
}

/// What a run takes in an answer at the least, bytes: its texts may grow in JSON.
fn least_bytes(run: &Run) -> usize {
    let pairs = run.params.iter().chain(&run.tags).map(|(key, value)| key.len() + value.len()).sum::<usize>();
    pairs + run.metrics.keys().map(String::len).sum::<usize>()
}
