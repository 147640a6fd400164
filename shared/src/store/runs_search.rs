//! Finding the runs of experiments (data.md section 4).

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use futures::future::try_join_all;
use futures::stream::{self, StreamExt, TryStreamExt};

use super::item::{Attributes, Item, string};
use super::run_item::StoredRun;
use super::{Store, keys};
use crate::auth::Access;
use crate::error::Result;
use crate::model::{Experiment, Inputs, Lifecycle, Run, ViewType};

/// Open runs whose segments are read at a time.
const FOLDS_AT_A_TIME: usize = 32;
/// Rows asked of a shard beyond its even share of a page: shards are never quite even.
const SPARE_ROWS: usize = 25;

/// A position in the default order: latest start first, then run id.
pub type RunPosition = (Option<i64>, String);

/// Runs of one experiment in the default order, one shard page after the other.
pub struct RunRows<'a> {
    store: &'a Store,
    shards: Vec<Shard>,
}

/// One index partition, read page by page.
struct Shard {
    partition: String,
    /// Rows not yet given out, latest start first.
    rows: std::collections::VecDeque<(String, StoredRun)>,
    /// Where the next page begins; `None` when the partition is read to its end.
    next: Option<Cursor>,
}

enum Cursor {
    After(String),
    Start,
    Page(Item),
}

impl Store {
    /// The runs of an experiment that a view shows, unfolded, in the default order, after a position.
    pub fn run_rows<'a>(
        &'a self,
        access: &Access,
        experiment: &Experiment,
        view: ViewType,
        after: Option<&RunPosition>,
    ) -> Result<RunRows<'a>> {
        access.covers(experiment.project)?;
        // While the experiment was never deleted a run's own stage is the one that counts.
        let stages: &[Lifecycle] = match (view, experiment.changes) {
            (ViewType::ActiveOnly, 0) => &[Lifecycle::Active],
            (ViewType::DeletedOnly, 0) => &[Lifecycle::Deleted],
            _ => &[Lifecycle::Active, Lifecycle::Deleted],
        };
        let mut shards = Vec::new();
        for &stage in stages {
            for shard in 0..experiment.shards {
                let next = after.map_or(Cursor::Start, |(start, id)| Cursor::After(keys::run_order(*start, id)));
                shards.push(Shard {
                    partition: keys::runs_of(experiment.id, stage, shard),
                    rows: std::collections::VecDeque::new(),
                    next: Some(next),
                });
            }
        }
        Ok(RunRows { store: self, shards })
    }

    /// Every run of an experiment that a view shows, unfolded, in no order.
    pub async fn list_runs(&self, access: &Access, experiment: &Experiment, view: ViewType) -> Result<Vec<StoredRun>> {
        let mut rows = self.run_rows(access, experiment, view, None)?;
        try_join_all(rows.shards.iter_mut().map(|shard| shard.read_all(self))).await?;
        let mut runs: Vec<StoredRun> =
            rows.shards.into_iter().flat_map(|shard| shard.rows).map(|(_, run)| run).collect();
        runs.sort_by(|a, b| a.id.cmp(&b.id).then_with(|| b.age().cmp(&a.age())));
        runs.dedup_by(|a, b| a.id == b.id);
        runs.retain(|run| view.shows(run.effective_lifecycle(experiment)));
        Ok(runs)
    }

    /// The runs with these ids that belong to the experiment, strongly read.
    pub async fn get_runs(
        &self,
        access: &Access,
        experiment: &Experiment,
        view: ViewType,
        ids: &[String],
    ) -> Result<Vec<StoredRun>> {
        access.covers(experiment.project)?;
        let mut wanted: Vec<(String, String)> = ids.iter().map(|id| (keys::run(id), keys::META.to_owned())).collect();
        wanted.sort();
        wanted.dedup();
        let runs: Vec<StoredRun> = self.batch_get(wanted).await?.iter().map(StoredRun::read).collect::<Result<_>>()?;
        Ok(runs
            .into_iter()
            .filter(|run| run.experiment == experiment.id && view.shows(run.effective_lifecycle(experiment)))
            .collect())
    }

    /// Completes rows, a bounded number at a time, keeping their order.
    pub async fn complete_runs(&self, rows: Vec<StoredRun>, with_inputs: bool) -> Result<Vec<Run>> {
        stream::iter(rows)
            .map(|row| async move {
                if with_inputs {
                    self.complete_run(row).await
                } else {
                    self.complete_run_with(row, Inputs::default()).await
                }
            })
            .buffered(FOLDS_AT_A_TIME)
            .try_collect()
            .await
    }

    /// Adds inputs and outputs to runs that were completed without.
    pub async fn add_inputs(
        &self,
        runs: &mut [&mut Run],
        with_edges: &std::collections::HashSet<String>,
    ) -> Result<()> {
        let wanted: Vec<usize> = (0..runs.len()).filter(|&number| with_edges.contains(&runs[number].id)).collect();
        let ids: Vec<String> = wanted.iter().map(|&number| runs[number].id.clone()).collect();
        let edges: Vec<Inputs> = stream::iter(ids)
            .map(|id| async move { self.read_edges(&id).await })
            .buffered(FOLDS_AT_A_TIME)
            .try_collect()
            .await?;
        for (number, inputs) in wanted.into_iter().zip(edges) {
            runs[number].inputs = inputs;
        }
        Ok(())
    }
}

impl RunRows<'_> {
    /// The next rows in the default order, at most `count`; fewer only at the end.
    pub async fn take(&mut self, experiment: &Experiment, view: ViewType, count: usize) -> Result<Vec<StoredRun>> {
        let mut taken: Vec<StoredRun> = Vec::with_capacity(count.min(1_000));
        let rows = count.div_ceil(self.shards.len()) + SPARE_ROWS;
        while taken.len() < count {
            let dry = self.shards.iter_mut().filter(|shard| shard.rows.is_empty() && shard.next.is_some());
            try_join_all(dry.map(|shard| shard.read_page(self.store, rows))).await?;
            if self.shards.iter().any(|shard| shard.rows.is_empty() && shard.next.is_some()) {
                continue;
            }
            let first = self.shards.iter().filter_map(|shard| shard.rows.front()).map(|(position, _)| position).min();
            let Some(first) = first.cloned() else { break };
            let copies = self.shards.iter_mut().filter_map(|shard| shard.rows.pop_front_if(|(at, _)| *at == first));
            let newest = copies.map(|(_, run)| run).max_by_key(StoredRun::age);
            taken.extend(newest.filter(|run| view.shows(run.effective_lifecycle(experiment))));
        }
        Ok(taken)
    }
}

impl Shard {
    async fn read_page(&mut self, store: &Store, rows: usize) -> Result<()> {
        let Some(cursor) = self.next.take() else { return Ok(()) };
        let mut query: QueryFluentBuilder = store
            .client
            .query()
            .index_name(keys::GSI1)
            .limit(i32::try_from(rows).unwrap_or(i32::MAX))
            .expression_attribute_values(":pk", string(&self.partition));
        query = match cursor {
            Cursor::Start => query.key_condition_expression("GSI1PK = :pk"),
            Cursor::After(position) => query
                .key_condition_expression("GSI1PK = :pk AND GSI1SK > :after")
                .expression_attribute_values(":after", string(position)),
            Cursor::Page(start) => query.key_condition_expression("GSI1PK = :pk").set_exclusive_start_key(Some(start)),
        };
        let (items, next) = store.query_page(query).await?;
        for item in &items {
            self.rows.push_back((item.text("GSI1SK")?, StoredRun::read(item)?));
        }
        self.next = next.map(Cursor::Page);
        Ok(())
    }

    async fn read_all(&mut self, store: &Store) -> Result<()> {
        let query = store
            .client
            .query()
            .index_name(keys::GSI1)
            .key_condition_expression("GSI1PK = :pk")
            .expression_attribute_values(":pk", string(&self.partition));
        for item in &store.query(query).await? {
            self.rows.push_back((item.text("GSI1SK")?, StoredRun::read(item)?));
        }
        self.next = None;
        Ok(())
    }
}

impl StoredRun {
    /// Has it inputs or outputs to add?
    pub fn has_edges(&self) -> bool {
        self.has_edges
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Greater in a newer copy: while an update of the index is on its way a run may stand in both stages.
    fn age(&self) -> (u64, u64) {
        (self.changes, self.revision)
    }
}
