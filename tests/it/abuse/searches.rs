//! MLflow's filters and orders, over each kind of thing.

use std::collections::BTreeMap;

use proptest::prelude::*;
use shared::Error;
use shared::model::{Experiment, ExperimentId, Inputs, Lifecycle, Metric, MetricContext, ProjectId, Run, RunStatus};
use shared::search::{
    DatasetFilter, ExperimentSearch, ExperimentView, LoggedModelSearch, ModelOrderBy, RegistrySearch, RunSearch,
};

use super::mutation::mutated;
use super::survive;

const FILTERS: &[&str] = &[
    "metrics.rmse < 1.5 and params.model = 'tree' AND tags.`mlflow.user` LIKE '%a_b%'",
    "attributes.run_id IN ('4bd17e95ae5f4bb0b3a9c0c4c7b6a1f2', 'b') AND status != \"FINISHED\"",
    "metrics.\"a b\" >= -1e-3 AND start_time > 1700000000000",
    "datasets.name ILIKE '%x' AND dataset.digest = 's8ds293b'",
    "name LIKE 'Exp%' AND creation_time <= 17 AND tag.team = 'it''s'",
    "tags.x IS NULL and params.y IS NOT NULL",
    "run_name = 'C:\\' AND `name` NOT IN ('a')",
    "version_number > 1 and source_path = 'x' and aliases = 'champion'",
    "params.`a.b`.c = 'ß' AND metrics.loss != 0",
];
const ORDERS: &[&str] = &[
    "metrics.`val loss` DESC",
    "attribute.start_time asc",
    "name",
    "params.x",
    "tags.\"a\" DESC",
    "last_updated_timestamp",
];
const WORDS: &[&str] = &[
    " AND ",
    " and ",
    " OR ",
    " IN ",
    " NOT ",
    " IS NULL",
    " LIKE ",
    " ILIKE ",
    "metrics.",
    "params.",
    "tags.",
    "attributes.",
    "datasets.",
    "run_id",
    "status",
    "'%_%'",
    "(",
    ")",
    "('a', 'b')",
    "!=",
    "<=",
    ">",
    "''",
    "\\'",
    "``",
    ".",
    "1",
    "-1.5e3",
];

fn run() -> Run {
    let metric =
        Metric { key: "rmse".into(), value: f64::NAN, timestamp: 1, step: -1, context: MetricContext::default() };
    Run {
        id: "4bd17e95ae5f4bb0b3a9c0c4c7b6a1f2".into(),
        experiment: ExperimentId(1),
        project: ProjectId(1),
        name: "é".repeat(50),
        user_id: String::new(),
        status: RunStatus::Running,
        start_time: Some(i64::MAX),
        end_time: None,
        lifecycle: Lifecycle::Active,
        artifact_uri: "mlflow-artifacts:/1/4/artifacts".into(),
        params: BTreeMap::from([("model".to_owned(), "tree".repeat(1_500))]),
        tags: BTreeMap::from([("mlflow.user".to_owned(), "aXb".repeat(1_500))]),
        metrics: BTreeMap::from([("rmse".to_owned(), metric)]),
        inputs: Inputs::default(),
    }
}

fn experiment() -> Experiment {
    Experiment {
        id: ExperimentId(1),
        project: ProjectId(1),
        name: "Exp ß".into(),
        artifact_location: "mlflow-artifacts:/1".into(),
        lifecycle: Lifecycle::Deleted,
        creation_time: 1,
        last_update_time: i64::MIN,
        tags: BTreeMap::from([("team".to_owned(), "it's".to_owned())]),
        changes: 0,
        shards: 1,
        writer_shards_from: 0,
        is_default: false,
    }
}

/// Parsed, or refused as the client's mistake, in not more words than fit an answer.
fn parsed<T>(result: shared::Result<T>, input: &str) -> Option<T> {
    match result {
        Ok(search) => Some(search),
        Err(Error::Invalid(message)) => {
            assert!(message.len() < input.len() * 8 + 4_096, "{} bytes of text", message.len());
            None
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn filters() {
    let (run, experiment) = (run(), experiment());
    survive("MLflow filters", &mutated(FILTERS, WORDS), |text| {
        let filter = Some(text.as_str());
        if let Some(search) = parsed(RunSearch::parse(filter, &[]), &text) {
            search.matches(&run);
            let _ = (search.run_ids(), search.uses_datasets(), search.matches_all());
        }
        if let Some(search) = parsed(ExperimentSearch::parse(filter, &[]), &text) {
            search.matches(&ExperimentView::plain(&experiment));
        }
        for search in [RegistrySearch::models(filter, &[]), RegistrySearch::versions(filter, &[])] {
            if let Some(search) = parsed(search, &text) {
                let _ = (search.names(), search.run_ids(), search.with_names(|name| format!("{name} (1)")).names());
            }
        }
        let dataset = DatasetFilter { dataset_name: text.clone(), dataset_digest: Some(text.clone()) };
        parsed(LoggedModelSearch::parse(filter, &[], &[dataset]), &text);
    });
}

#[test]
fn orders() {
    let (run, experiment) = (run(), experiment());
    let clauses = proptest::collection::vec(mutated(ORDERS, WORDS), 1..4);
    survive("MLflow order_by", &(clauses, any::<bool>()), |(clauses, ascending)| {
        let all = clauses.concat();
        if let Some(search) = parsed(RunSearch::parse(None, &clauses), &all) {
            search.sort_key(&run);
        }
        if let Some(search) = parsed(ExperimentSearch::parse(None, &clauses), &all) {
            search.sort_key(&ExperimentView::plain(&experiment));
        }
        for search in [RegistrySearch::models(None, &clauses), RegistrySearch::versions(None, &clauses)] {
            parsed(search, &all).map(|search| search.is_number_order());
        }
        let order = clauses.iter().map(|name| ModelOrderBy {
            field_name: name.clone(),
            ascending,
            dataset_name: Some(name.clone()),
            dataset_digest: None,
        });
        parsed(LoggedModelSearch::parse(None, &order.collect::<Vec<_>>(), &[]), &all);
    });
}
