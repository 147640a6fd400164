//! What the OpenAPI document says of the tracking API, in the order of the routes.

use shared::openapi::Operation;

const EXPERIMENTS: &str = "Experiments";
const RUNS: &str = "Runs";
const METRICS: &str = "Metrics";
const LOGGED_MODELS: &str = "Logged models";
const SERVER: &str = "Server";

const MODEL_ID: &[(&str, &str)] = &[("model_id", "Id of the logged model.")];

pub const CREATE_EXPERIMENT: Operation = Operation::new(EXPERIMENTS, "Create an experiment")
    .about(
        "In the global view the project is named by the suffix ` (<project id>)` of the name or by a tag \
            `project`, which holds its path or id.",
    )
    .example(r#"{"name": "flood mapping", "tags": [{"key": "team", "value": "water"}]}"#)
    .answer(r#"{"experiment_id": "1"}"#);

pub const GET_EXPERIMENT: Operation =
    Operation::new(EXPERIMENTS, "Get an experiment").example(r#"{"experiment_id": "1"}"#).answer(
        r#"{
            "experiment": {
                "experiment_id": "1",
                "name": "flood mapping",
                "artifact_location": "mlflow-artifacts:/1",
                "lifecycle_stage": "active",
                "last_update_time": 1767225600000,
                "creation_time": 1767225600000,
                "tags": [{"key": "team", "value": "water"}],
                "workspace": "default"
            }
        }"#,
    );

pub const GET_EXPERIMENT_BY_NAME: Operation =
    Operation::new(EXPERIMENTS, "Get an experiment by its name").example(r#"{"experiment_name": "flood mapping"}"#);

pub const QUERY_EXPERIMENTS: Operation = Operation::new(EXPERIMENTS, "Search experiments")
    .about("Of the project or, in the global view, of all projects that the caller is a member of.")
    .named("query_experiments")
    .example(r#"{"filter": "name LIKE 'flood%'", "order_by": ["last_update_time DESC"], "max_results": 100}"#);

pub const SEARCH_EXPERIMENTS: Operation = Operation::new(EXPERIMENTS, "Search experiments")
    .about("The same as the `GET`, for long filters.")
    .example(r#"{"filter": "name LIKE 'flood%'", "max_results": 100}"#);

pub const UPDATE_EXPERIMENT: Operation = Operation::new(EXPERIMENTS, "Rename an experiment")
    .example(r#"{"experiment_id": "1", "new_name": "flood mapping 2026"}"#);

pub const DELETE_EXPERIMENT: Operation = Operation::new(EXPERIMENTS, "Delete an experiment with its runs")
    .about("It can be restored.")
    .example(r#"{"experiment_id": "1"}"#);

pub const RESTORE_EXPERIMENT: Operation =
    Operation::new(EXPERIMENTS, "Restore an experiment with its runs").example(r#"{"experiment_id": "1"}"#);

pub const SET_EXPERIMENT_TAG: Operation = Operation::new(EXPERIMENTS, "Set a tag of an experiment")
    .example(r#"{"experiment_id": "1", "key": "team", "value": "water"}"#);

pub const DELETE_EXPERIMENT_TAG: Operation =
    Operation::new(EXPERIMENTS, "Delete a tag of an experiment").example(r#"{"experiment_id": "1", "key": "team"}"#);

pub const CREATE_RUN: Operation = Operation::new(RUNS, "Create a run").example(
    r#"{
            "experiment_id": "1",
            "run_name": "baseline",
            "start_time": 1767225600000,
            "tags": [{"key": "mlflow.user", "value": "ada"}]
        }"#,
);

pub const GET_RUN: Operation =
    Operation::new(RUNS, "Get a run with its data").example(r#"{"run_id": "7a0c0ffee1234567890abcdef1234567"}"#);

pub const UPDATE_RUN: Operation = Operation::new(RUNS, "Change the state, the end or the name of a run")
    .example(r#"{"run_id": "7a0c0ffee1234567890abcdef1234567", "status": "FINISHED", "end_time": 1767225660000}"#);

pub const DELETE_RUN: Operation = Operation::new(RUNS, "Delete a run")
    .about("It can be restored; again is no error.")
    .example(r#"{"run_id": "7a0c0ffee1234567890abcdef1234567"}"#);

pub const RESTORE_RUN: Operation = Operation::new(RUNS, "Restore a run")
    .about("Again is no error.")
    .example(r#"{"run_id": "7a0c0ffee1234567890abcdef1234567"}"#);

pub const SEARCH_RUNS: Operation = Operation::new(RUNS, "Search runs")
    .about("A page ends early when its answer becomes too large; `next_page_token` leads on.")
    .example(
        r#"{
            "experiment_ids": ["1"],
            "filter": "metrics.loss < 1",
            "order_by": ["metrics.loss ASC"],
            "max_results": 50
        }"#,
    );

pub const SET_TAG: Operation = Operation::new(RUNS, "Set a tag of a run")
    .example(r#"{"run_id": "7a0c0ffee1234567890abcdef1234567", "key": "quality", "value": "good"}"#);

pub const DELETE_TAG: Operation = Operation::new(RUNS, "Delete a tag of a run")
    .example(r#"{"run_id": "7a0c0ffee1234567890abcdef1234567", "key": "quality"}"#);

pub const LOG_METRIC: Operation = Operation::new(METRICS, "Log a metric")
    .example(
        r#"{
            "run_id": "7a0c0ffee1234567890abcdef1234567",
            "key": "loss",
            "value": 0.25,
            "timestamp": 1767225600000,
            "step": 3
        }"#,
    )
    .answer(r#"{}"#);

pub const LOG_PARAMETER: Operation = Operation::new(RUNS, "Log a param")
    .about("Params are written once: another value for the same key is an error.")
    .example(r#"{"run_id": "7a0c0ffee1234567890abcdef1234567", "key": "threshold", "value": "-15.5"}"#);

pub const LOG_BATCH: Operation = Operation::new(RUNS, "Log metrics, params and tags together")
    .about("At most 1,000 things, of them 1,000 metrics, 100 params and 100 tags.")
    .example(
        r#"{
            "run_id": "7a0c0ffee1234567890abcdef1234567",
            "metrics": [{"key": "loss", "value": 0.25, "timestamp": 1767225600000, "step": 3}],
            "params": [{"key": "threshold", "value": "-15.5"}],
            "tags": [{"key": "quality", "value": "good"}]
        }"#,
    )
    .answer(r#"{}"#);

pub const LOG_MODEL: Operation = Operation::new(RUNS, "Note a model of a 2.x client")
    .about("Kept in the tag `mlflow.log-model.history` of the run.")
    .example(r#"{
            "run_id": "7a0c0ffee1234567890abcdef1234567",
            "model_json": "{\"artifact_path\": \"model\", \"flavors\": {}, \"utc_time_created\": \"2026\", \"run_id\": \"7a\"}"
        }"#);

pub const LOG_INPUTS: Operation = Operation::new(RUNS, "Log what a run reads: data sets and logged models").example(
    r#"{
            "run_id": "7a0c0ffee1234567890abcdef1234567",
            "datasets": [
                {
                    "tags": [{"key": "mlflow.data.context", "value": "training"}],
                    "dataset": {
                        "name": "floods",
                        "digest": "a1b2c3d4",
                        "source_type": "http",
                        "source": "{\"url\": \"https://example.com/floods.csv\"}"
                    }
                }
            ]
        }"#,
);

pub const LOG_OUTPUTS: Operation = Operation::new(RUNS, "Log the logged models that a run makes").example(
    r#"{
            "run_id": "7a0c0ffee1234567890abcdef1234567",
            "models": [{"model_id": "m-0123456789abcdef0123456789abcdef", "step": 3}]
        }"#,
);

pub const GET_HISTORY: Operation = Operation::new(METRICS, "Get the history of a metric")
    .about("All points in one answer unless `max_results` is given.")
    .example(r#"{"run_id": "7a0c0ffee1234567890abcdef1234567", "metric_key": "loss"}"#)
    .answer(r#"{"metrics": [{"key": "loss", "value": 0.25, "timestamp": 1767225600000, "step": 3}]}"#);

pub const GET_HISTORY_BULK_INTERVAL: Operation = Operation::new(METRICS, "Get samples of a metric of several runs")
    .about("Points are sampled evenly for each run; the first and the last are always there.")
    .example(r#"{"run_ids": ["7a0c0ffee1234567890abcdef1234567"], "metric_key": "loss", "max_results": 320}"#);

pub const CREATE_LOGGED_MODEL: Operation = Operation::new(LOGGED_MODELS, "Create a logged model").example(
    r#"{
            "experiment_id": "1",
            "name": "segmenter",
            "source_run_id": "7a0c0ffee1234567890abcdef1234567",
            "params": [{"key": "depth", "value": "5"}]
        }"#,
);

pub const SEARCH_LOGGED_MODELS: Operation = Operation::new(LOGGED_MODELS, "Search logged models").example(
    r#"{
            "experiment_ids": ["1"],
            "filter": "metrics.accuracy > 0.9",
            "order_by": [{"field_name": "metrics.accuracy", "ascending": false}]
        }"#,
);

pub const GET_LOGGED_MODEL: Operation = Operation::new(LOGGED_MODELS, "Get a logged model").path(MODEL_ID);

pub const FINALIZE_LOGGED_MODEL: Operation =
    Operation::new(LOGGED_MODELS, "Say that a logged model is complete, or has failed")
        .path(MODEL_ID)
        .example(r#"{"model_id": "m-0123456789abcdef0123456789abcdef", "status": "LOGGED_MODEL_READY"}"#);

pub const DELETE_LOGGED_MODEL: Operation = Operation::new(LOGGED_MODELS, "Delete a logged model")
    .about("Hidden from then on, but for `allow_deleted=true`.")
    .path(MODEL_ID);

pub const SET_LOGGED_MODEL_TAGS: Operation = Operation::new(LOGGED_MODELS, "Set tags of a logged model")
    .path(MODEL_ID)
    .example(r#"{"tags": [{"key": "quality", "value": "good"}]}"#);

pub const DELETE_LOGGED_MODEL_TAG: Operation = Operation::new(LOGGED_MODELS, "Delete a tag of a logged model")
    .path(&[("model_id", "Id of the logged model."), ("tag_key", "Key of the tag.")]);

pub const LOG_LOGGED_MODEL_PARAMS: Operation = Operation::new(LOGGED_MODELS, "Add params to a logged model")
    .path(MODEL_ID)
    .example(r#"{"params": [{"key": "depth", "value": "5"}]}"#);

pub const SERVER_INFO: Operation =
    Operation::new(SERVER, "Tell what this server can do").about("Asked by clients before anything else.");

pub const SEARCH_DATASETS: Operation = Operation::new(EXPERIMENTS, "List the data sets of experiments")
    .about("For the web UI: at most 20 experiments and 1,000 data sets.")
    .example(r#"{"experiment_ids": ["1"]}"#);

pub const GET_HISTORY_BULK: Operation = Operation::new(METRICS, "Get the histories of a metric of several runs")
    .about("For the web UI: at most 25,000 points.")
    .example(r#"{"run_id": ["7a0c0ffee1234567890abcdef1234567"], "metric_key": "loss"}"#);

pub const HEALTH: Operation = Operation::new(SERVER, "Tell that the hub is there").answer(r#""OK""#);

pub const VERSION: Operation =
    Operation::new(SERVER, "Tell the version of MLflow whose API this is").answer(r#""3.17.2""#);
