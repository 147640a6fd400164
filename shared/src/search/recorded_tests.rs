//! Filters and orders with the answers of a stock MLflow 3.17.2 server (SQLite) for the same five runs.

use std::collections::BTreeMap;

use super::RunSearch;
use crate::error::Error;
use crate::model::{
    Dataset, DatasetInput, ExperimentId, Inputs, Lifecycle, Metric, MetricContext, ProjectId, Run, RunStatus,
};

/// Filter and the names of the runs that match.
const MATCHES: &[(&str, &str)] = &[
    ("metrics.acc > 0.5", "alpha"),
    ("metrics.acc >= 0.5", "alpha beta gamma"),
    ("metric.acc=0.5", "beta gamma"),
    ("metrics.acc != 0.5", "alpha epsilon"),
    ("metrics.acc < 1", "alpha beta gamma"),
    ("metrics.loss != 7", "alpha beta"),
    ("metrics.loss < 1", "alpha"),
    ("metrics.nan != 0", "alpha"),
    ("metrics.nan = 0", "beta"),
    ("metrics.inf > 1e308", "alpha"),
    ("metrics.inf = 1.7976931348623157e308", "alpha"),
    ("metrics.inf < 1e400", "alpha beta"),
    ("metrics.inf >= 1e400", ""),
    ("metrics.inf < -1e308", "beta"),
    ("metrics.zero = -0.0", "alpha"),
    ("metrics.zero = 0", "alpha"),
    ("metrics.neg <= -2.5", "alpha"),
    ("metrics.neg > -2", "gamma"),
    ("metrics.`val loss` = .5", "alpha"),
    ("metrics.\"val loss\" = 5e-1", "alpha"),
    ("metrics.'val loss' = 0.5", "alpha"),
    ("metrics.big > 99999999999999999999", "alpha"),
    ("metrics.missing != 1", ""),
    ("metrics.acc > 0.5 AND metrics.loss < 0.2", "alpha"),
    ("metrics.acc > 0.5 and params.lr = '0.1'", "alpha"),
    ("params.lr = '0.1'", "alpha gamma"),
    ("params.lr = \"0.1\"", "alpha gamma"),
    ("params.lr != '0.1'", "beta"),
    ("param.lr LIKE '0._'", "alpha gamma"),
    ("parameter.lr LIKE '0.0%'", "beta"),
    ("parameters.model = 'cnn'", "alpha"),
    ("params.model LIKE 'cnn'", "alpha"),
    ("params.model LIKE 'C%'", "beta"),
    ("params.model ilike 'c%'", "alpha beta"),
    ("params.model ILIKE 'cnn'", "alpha beta"),
    ("params.model LIKE '%n%'", "alpha"),
    ("params.`batch size` = '32'", "alpha"),
    ("params.\"batch size\" = '32'", "alpha"),
    ("params.a.b = 'dot'", "alpha"),
    ("params.`a.b` = 'dot'", "alpha"),
    ("params.empty = ''", "beta"),
    ("params.empty LIKE ''", "beta"),
    ("params.empty LIKE '%'", "beta"),
    ("params.empty LIKE '_'", ""),
    ("params.empty IS NULL", "alpha gamma delta epsilon"),
    ("params.empty IS NOT NULL", "beta"),
    ("params.model is null", "gamma delta epsilon"),
    ("tags.team = 'red'", "alpha gamma"),
    ("tag.team != 'red'", "beta"),
    ("tags.team LIKE 'r_d'", "alpha gamma"),
    ("tags.team LIKE 're'", ""),
    ("tags.team LIKE '%e%'", "alpha beta gamma"),
    ("tags.team ILIKE 'B%E'", "beta"),
    ("tags.note = 'He said \"hi\"'", "alpha"),
    ("tags.quote = \"it's\"", "alpha"),
    ("tags.quote = 'it''s'", ""),
    ("tags.percent LIKE '100%'", "beta"),
    ("tags.percent LIKE '100\\%'", ""),
    ("tags.lines LIKE 'one%two'", "beta"),
    ("tags.lines LIKE 'one_two'", "beta"),
    ("tags.unicode LIKE 'gr__e'", "gamma"),
    ("tags.unicode = 'größe'", "gamma"),
    ("tags.back = 'C:\\x'", "gamma"),
    ("tags.upper LIKE 'abc'", ""),
    ("tags.upper ILIKE 'abc'", "alpha"),
    ("tags.team IS NULL", "delta epsilon"),
    ("tags.team IS NOT NULL AND tags.team != 'red'", "beta"),
    ("tags.`mlflow.runName` = 'alpha'", "alpha"),
    ("tags.mlflow.runName LIKE '%a'", "alpha beta gamma delta"),
    ("run_name = 'alpha'", "alpha"),
    ("run_name LIKE '%ta'", "beta delta"),
    ("attributes.run_name ILIKE 'GAM%'", "gamma"),
    ("attr.`Run name` = 'beta'", "beta"),
    ("`run name` != 'beta'", "alpha gamma delta epsilon"),
    ("\"Run Name\" = 'beta'", "beta"),
    ("status = 'FINISHED'", "alpha"),
    ("status = 'finished'", ""),
    ("attributes.status != 'RUNNING'", "alpha beta delta epsilon"),
    ("run.status LIKE '%ED'", "alpha beta delta epsilon"),
    ("user_id = 'alice'", "alpha"),
    ("user_id = ''", "gamma delta epsilon"),
    ("user_id != 'bob'", "alpha gamma delta epsilon"),
    ("artifact_uri LIKE 'mlflow-artifacts:/%/artifacts'", "alpha beta gamma delta epsilon"),
    ("start_time = 3000", "gamma delta"),
    ("start_time > 1500.5", "beta gamma delta"),
    ("start_time < 1", "epsilon"),
    ("created >= 2000", "beta gamma delta"),
    ("Created != 3000", "alpha beta epsilon"),
    ("end_time > 2000", "beta delta"),
    ("end_time <= 2500", "alpha delta"),
    ("end_time != 2000", "beta delta"),
    ("start_time > -1", "alpha beta gamma delta epsilon"),
    ("run_id = '{alpha}'", "alpha"),
    ("run_id != '{alpha}'", "beta gamma delta epsilon"),
    ("run_id IN ('{alpha}', '{delta}')", "alpha delta"),
    ("run_id in (\"{alpha}\",)", "alpha"),
    ("run_id NOT IN ('{alpha}', '{delta}')", "beta gamma epsilon"),
    ("attributes.run_id IN ('{alpha}') AND status = 'FAILED'", ""),
    ("run_id LIKE '%'", "alpha beta gamma delta epsilon"),
    ("dataset.name = 'mnist'", "alpha beta"),
    ("datasets.name != 'mnist'", "alpha"),
    ("dataset.name IN ('cifar', 'other')", "alpha"),
    ("dataset.name NOT IN ('mnist')", "alpha"),
    ("dataset.digest LIKE 'd_'", "alpha beta"),
    ("dataset.context = 'train'", "alpha"),
    ("dataset.context != 'train'", "alpha"),
    ("dataset.context ILIKE 'TR%'", "alpha"),
    ("dataset.name = 'mnist' AND dataset.context = 'test'", "alpha"),
    ("params.lr='0.1'AND tags.team='red'", "alpha gamma"),
    ("metrics.acc > 0.4 metrics.acc < 0.6", "beta gamma"),
    ("AND metrics.acc > 0.4 AND", "alpha beta gamma"),
    ("metrics.acc > 0.4 AND AND metrics.acc < 0.6", "beta gamma"),
    ("params.lr = '0.1 AND 0.2'", ""),
    ("`params`.lr = '0.1'", "alpha gamma"),
];

/// Filter and the beginning of the refusal.
const REFUSED: &[(&str, &str)] = &[
    (
        "attribute.run_name IN ('alpha', 'beta')",
        "Only ['run_id'] attributes support comparison with a list of quoted string values.",
    ),
    ("status > 'RUNNING'", "Invalid comparator '>' not one of "),
    ("start_time > '5'", "Expected numeric value type for numeric attribute: start_time. Found '5'"),
    ("metrics.acc > 0.5 OR metrics.acc < 0.1", "Invalid clause(s) in filter string: 'OR'"),
    ("metrics.acc > 0.5 or metrics.acc < 0.1", "Invalid clause(s) in filter string: 'or'"),
    ("(metrics.acc > 0.5)", "Invalid clause(s) in filter string: '(metrics.acc > 0.5)'"),
    ("metrics.acc > 0.5;", "Invalid clause(s) in filter string: ';'"),
    (
        "metrics.acc > 0.5; metrics.acc > 0.6",
        "Search filter contained multiple expression 'metrics.acc > 0.5; metrics.acc > 0.6'. Provide AND-ed expression list.",
    ),
    ("metrics.a-b > 1", "Invalid comparison clause. Expected 'Identifier' found 'metrics.a-b'"),
    ("metrics.a/b > 1", "Invalid comparison clause. Expected 'Identifier' found 'metrics.a/b'"),
    ("metrics.acc", "Invalid clause(s) in filter string: 'metrics.acc'"),
    ("metrics.acc >", "Invalid clause(s) in filter string: 'metrics.acc', '>'"),
    ("metrics.acc > 'x'", "Expected numeric value type for metric. Found 'x'"),
    ("metrics.acc > NaN", "Expected numeric value type for metric. Found NaN"),
    ("metrics.acc > +1", "Invalid clause(s) in filter string: "),
    ("metrics.acc == 1", "Invalid comparator '==' not one of "),
    ("metrics.acc <> 1", "Invalid comparator '<>' not one of "),
    ("metrics.acc LIKE 1", "Invalid comparator 'LIKE' not one of "),
    ("metrics.acc IS NULL", "IS NULL / IS NOT NULL is only supported for tags and params, not for 'metric' 'acc'"),
    ("status IS NULL", "IS NULL / IS NOT NULL is only supported for tags and params, not for 'attribute' 'status'"),
    ("params.lr = 0.1", "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 0.1"),
    (
        "params.lr = abc",
        "Parameter value is either not quoted or unidentified quote types used for string value abc. Use either single or double quotes.",
    ),
    (
        "params.lr = `abc`",
        "Parameter value is either not quoted or unidentified quote types used for string value `abc`. Use either single or double quotes.",
    ),
    ("params.lr > '0'", "Invalid comparator '>' not one of "),
    ("params.lr IN ('0.1')", "Expected a quoted string value for parameter (e.g. 'my-value'). Got value ('0.1')"),
    ("params.lr NOT LIKE '0'", "Invalid comparator 'NOT LIKE' not one of "),
    ("params.lr RLIKE '0'", "Invalid comparator 'RLIKE' not one of "),
    ("params.lr = '0.1", "Invalid clause(s) in filter string: "),
    ("1 = metrics.acc", "Invalid comparison clause. Expected 'Identifier' found '1'"),
    ("'a' = params.lr", "Invalid comparison clause. Expected 'Identifier' found ''a''"),
    (
        "foo.bar = 'x'",
        "Invalid entity type 'foo'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']",
    ),
    (
        "METRICS.acc > 1",
        "Invalid entity type 'METRICS'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']",
    ),
    (
        "\"params\".lr = '0.1'",
        "Invalid entity type '\"params\"'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']",
    ),
    ("lifecycle_stage = 'active'", "Invalid attribute key 'lifecycle_stage' specified. Valid keys are "),
    ("experiment_id = '1'", "Invalid attribute key 'experiment_id' specified. Valid keys are "),
    ("name = 'alpha'", "Invalid attribute key 'name' specified. Valid keys are "),
    ("dataset.foo = 'x'", "Invalid dataset key 'foo' specified. Valid keys are "),
    ("dataset.name = 5", "Expected a quoted string value for dataset attributes. Got value 5"),
    ("dataset.name > 'a'", "Invalid comparator '>' not one of "),
    (
        "run_id IN ()",
        "While parsing a list in the query, expected a non-empty list of string values, but got empty list",
    ),
    (
        "run_id IN (1)",
        "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: (1",
    ),
    ("run_id IN 'a'", "Invalid clause(s) in filter string: 'run_id', 'IN', ''a''"),
    ("status IN ('FINISHED')", "Only ['run_id'] attributes support comparison with a list of quoted string values."),
    ("start_time IN (5)", "Expected numeric value type for numeric attribute: start_time. Found (5)"),
    ("params.lr = '0.1', params.model = 'x'", "Invalid clause(s) in filter string: "),
    ("params.lr = '0.1' -- comment", "Invalid clause(s) in filter string: "),
    ("params.lr = '0.1' /* c */", "Invalid clause(s) in filter string: "),
    ("NOT params.lr = '0.1'", "Invalid clause(s) in filter string: 'NOT'"),
    ("params.lr BETWEEN 1 AND 2", "Invalid clause(s) in filter string: "),
    (";", "Invalid clause(s) in filter string: ';'"),
    ("@", "Invalid clause(s) in filter string: '@'"),
];

/// order_by, divided by `, `, and the names of all runs in that order.
const ORDERS: &[(&str, &str)] = &[
    ("", "gamma delta beta alpha epsilon"),
    ("metrics.acc", "gamma beta alpha epsilon delta"),
    ("metrics.acc ASC", "gamma beta alpha epsilon delta"),
    ("metrics.acc DESC", "alpha gamma beta epsilon delta"),
    ("metric.acc desc", "alpha gamma beta epsilon delta"),
    ("metrics.inf", "beta alpha gamma delta epsilon"),
    ("metrics.inf DESC", "alpha beta gamma delta epsilon"),
    ("metrics.neg DESC", "gamma alpha delta beta epsilon"),
    ("metrics.`val loss` DESC", "alpha gamma delta beta epsilon"),
    ("metrics.\"val loss\"", "alpha gamma delta beta epsilon"),
    ("metrics.missing", "gamma delta beta alpha epsilon"),
    ("params.lr", "beta gamma alpha delta epsilon"),
    ("params.lr DESC", "gamma alpha beta delta epsilon"),
    ("params.model", "beta alpha gamma delta epsilon"),
    ("params.model DESC", "alpha beta gamma delta epsilon"),
    ("params.empty DESC", "beta gamma delta alpha epsilon"),
    ("tags.team", "beta gamma alpha delta epsilon"),
    ("tags.team DESC", "gamma alpha beta delta epsilon"),
    ("tags.`mlflow.runName` DESC", "gamma epsilon delta beta alpha"),
    ("run_name", "alpha beta delta epsilon gamma"),
    ("attributes.run_name DESC", "gamma epsilon delta beta alpha"),
    ("status", "beta alpha delta gamma epsilon"),
    ("status DESC", "epsilon gamma delta alpha beta"),
    ("user_id", "gamma delta epsilon alpha beta"),
    ("user_id DESC", "beta alpha gamma delta epsilon"),
    ("start_time", "epsilon alpha beta gamma delta"),
    ("attributes.start_time DESC", "gamma delta beta alpha epsilon"),
    ("start_time ASC, run_id DESC", "epsilon alpha beta delta gamma"),
    ("created", "epsilon alpha beta gamma delta"),
    ("Created DESC", "gamma delta beta alpha epsilon"),
    ("end_time", "alpha delta beta gamma epsilon"),
    ("end_time DESC", "beta delta alpha gamma epsilon"),
    ("run_id", "epsilon gamma alpha delta beta"),
    ("params.lr, metrics.acc DESC", "beta alpha gamma epsilon delta"),
    ("metrics.acc DESC, tags.team", "alpha beta gamma epsilon delta"),
    ("status, start_time ASC", "beta alpha delta gamma epsilon"),
];

/// order_by and the beginning of the refusal.
const REFUSED_ORDERS: &[(&str, &str)] = &[
    ("metrics.acc, metrics.acc DESC", "`order_by` contains duplicate fields: ['metrics.acc', 'metrics.acc DESC']"),
    ("start_time, created DESC", "`order_by` contains duplicate fields: ['start_time', 'created DESC']"),
    ("metrics.acc FOO", "Invalid ordering key in order_by clause 'metrics.acc FOO'."),
    ("metrics.acc DESC NULLS LAST", "Invalid order_by clause 'metrics.acc DESC NULLS LAST'. Could not be parsed."),
    ("metrics.acc,metrics.loss", "Invalid order_by clause 'metrics.acc,metrics.loss'. Could not be parsed."),
    ("dataset.name", "Invalid identifier type 'dataset'"),
    ("foo", "Invalid attribute key 'foo' specified. Valid keys are "),
    ("name", "Invalid attribute key 'name' specified. Valid keys are "),
    ("experiment_id", "Invalid attribute key 'experiment_id' specified. Valid keys are "),
    ("run name", "Invalid ordering key in order_by clause 'run name'."),
    ("`run name`", "Invalid attribute key 'run name' specified. Valid keys are "),
    ("1", "Invalid order_by clause '1'. Could not be parsed."),
    ("'a'", "Invalid order_by clause ''a''. Could not be parsed."),
    ("metrics.a/b", "Invalid order_by clause 'metrics.a/b'. Could not be parsed."),
    ("metrics.a-b DESC", "Invalid order_by clause 'metrics.a-b DESC'. Could not be parsed."),
    ("tags.a DESC;", "Invalid order_by clause 'tags.a DESC;'. Could not be parsed."),
    ("foo.bar", "Invalid entity type 'foo'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']"),
];

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn metrics(values: &[(&str, f64)]) -> BTreeMap<String, Metric> {
    let point = |key: &str, value| Metric {
        key: key.to_owned(),
        value,
        timestamp: 1,
        step: 0,
        context: MetricContext::default(),
    };
    values.iter().map(|(key, value)| ((*key).to_owned(), point(key, *value))).collect()
}

fn dataset(name: &str, digest: &str, context: Option<&str>) -> DatasetInput {
    let dataset = Dataset { name: name.into(), digest: digest.into(), ..Dataset::default() };
    let tags = context.map(|context| ("mlflow.data.context".to_owned(), context.to_owned()));
    DatasetInput { tags: tags.into_iter().collect(), dataset }
}

fn run(name: &str, number: u32, status: RunStatus, start_time: Option<i64>, end_time: Option<i64>) -> Run {
    let id = format!("{number:032x}");
    Run {
        artifact_uri: format!("mlflow-artifacts:/1/{id}/artifacts"),
        id,
        experiment: ExperimentId(1),
        project: ProjectId(1),
        name: name.to_owned(),
        user_id: String::new(),
        status,
        start_time,
        end_time,
        lifecycle: Lifecycle::Active,
        params: BTreeMap::new(),
        tags: texts(&[("mlflow.runName", name)]),
        metrics: BTreeMap::new(),
        inputs: Inputs::default(),
    }
}

/// The runs that the stock server was given.
pub(super) fn recorded_runs() -> Vec<Run> {
    let mut alpha = run("alpha", 3, RunStatus::Finished, Some(1000), Some(2000));
    alpha.user_id = "alice".into();
    alpha.params = texts(&[("lr", "0.1"), ("model", "cnn"), ("batch size", "32"), ("a.b", "dot")]);
    alpha.tags.extend(texts(&[("team", "red"), ("note", "He said \"hi\""), ("quote", "it's"), ("upper", "ABC")]));
    alpha.metrics = metrics(&[
        ("acc", 0.9),
        ("loss", 0.1),
        ("nan", f64::NAN),
        ("inf", f64::INFINITY),
        ("val loss", 0.5),
        ("big", 1e300),
        ("zero", 0.0),
        ("neg", -2.5),
    ]);
    alpha.inputs.datasets = vec![dataset("mnist", "d1", Some("train")), dataset("cifar", "d2", Some("test"))];
    let mut beta = run("beta", 5, RunStatus::Failed, Some(2000), Some(4000));
    beta.user_id = "bob".into();
    beta.params = texts(&[("lr", "0.01"), ("model", "CNN"), ("empty", "")]);
    beta.tags.extend(texts(&[("team", "Blue"), ("percent", "100%"), ("lines", "one\ntwo")]));
    beta.metrics = metrics(&[("acc", 0.5), ("loss", f64::NAN), ("inf", f64::NEG_INFINITY), ("nan", 0.0)]);
    beta.inputs.datasets = vec![dataset("mnist", "d1", None)];
    let mut gamma = run("gamma", 2, RunStatus::Running, Some(3000), None);
    gamma.params = texts(&[("lr", "0.1")]);
    gamma.tags.extend(texts(&[("team", "red"), ("unicode", "größe"), ("back", "C:\\x")]));
    gamma.metrics = metrics(&[("acc", 0.5), ("neg", -1.0)]);
    let delta = run("delta", 4, RunStatus::Killed, Some(3000), Some(2500));
    let mut epsilon = run("epsilon", 1, RunStatus::Scheduled, None, None);
    epsilon.metrics = metrics(&[("acc", f64::NAN)]);
    vec![alpha, beta, gamma, delta, epsilon]
}

/// Puts run ids in the place of `{alpha}` and so on.
fn with_ids(filter: &str, runs: &[Run]) -> String {
    runs.iter().fold(filter.to_owned(), |text, run| text.replace(&format!("{{{}}}", run.name), &run.id))
}

fn order_by(clauses: &str) -> Vec<String> {
    clauses.split(", ").filter(|clause| !clause.is_empty()).map(str::to_owned).collect()
}

fn refusal(result: Result<RunSearch, Error>) -> String {
    match result {
        Err(Error::Invalid(message)) => message,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn filters_match_what_the_stock_server_finds() {
    let runs = recorded_runs();
    for (filter, expected) in MATCHES {
        let search = RunSearch::parse(Some(&with_ids(filter, &runs)), &[]).expect(filter);
        let found: Vec<&str> = runs.iter().filter(|run| search.matches(run)).map(|run| run.name.as_str()).collect();
        assert_eq!(found.join(" "), *expected, "{filter}");
    }
}

#[test]
fn what_the_stock_server_refuses_is_refused() {
    for (filter, expected) in REFUSED {
        let message = refusal(RunSearch::parse(Some(filter), &[]));
        assert!(message.starts_with(expected), "{filter}: {message}");
    }
}

#[test]
fn orders_are_those_of_the_stock_server() {
    let mut runs = recorded_runs();
    for (clauses, expected) in ORDERS {
        let search = RunSearch::parse(None, &order_by(clauses)).expect(clauses);
        runs.sort_by_cached_key(|run| search.sort_key(run));
        let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
        assert_eq!(names.join(" "), *expected, "{clauses}");
    }
}

#[test]
fn orders_that_the_stock_server_refuses_are_refused() {
    for (clauses, expected) in REFUSED_ORDERS {
        let message = refusal(RunSearch::parse(None, &order_by(clauses)));
        assert!(message.starts_with(expected), "{clauses}: {message}");
    }
}
