//! What the OpenAPI document says of the model registry, in the order of the routes.

use shared::openapi::Operation;

const MODELS: &str = "Registered models";
const VERSIONS: &str = "Model versions";

pub const CREATE_REGISTERED_MODEL: Operation = Operation::new(MODELS, "Create a registered model, or a prompt")
    .about(
        "A tag `mlflow.prompt.is_prompt` with value `true` makes a prompt. In the global view the project is \
            named as for experiments.",
    )
    .example(
        r#"{
            "name": "flood-segmenter",
            "description": "Finds water in radar images",
            "tags": [{"key": "task", "value": "segmentation"}]
        }"#,
    );

pub const GET_REGISTERED_MODEL: Operation =
    Operation::new(MODELS, "Get a registered model").example(r#"{"name": "flood-segmenter"}"#);

pub const SEARCH_REGISTERED_MODELS: Operation = Operation::new(MODELS, "Search registered models")
    .about("Prompts are found only by a filter that asks for them.")
    .example(r#"{"filter": "name LIKE 'flood%'", "max_results": 20}"#);

pub const UPDATE_REGISTERED_MODEL: Operation = Operation::new(MODELS, "Describe a registered model")
    .example(r#"{"name": "flood-segmenter", "description": "Finds water in radar images"}"#);

pub const RENAME_REGISTERED_MODEL: Operation = Operation::new(MODELS, "Rename a registered model")
    .about("Within its project.")
    .example(r#"{"name": "water-finder", "new_name": "water-segmenter"}"#);

pub const DELETE_REGISTERED_MODEL: Operation =
    Operation::new(MODELS, "Delete a registered model with its versions").example(r#"{"name": "flood-segmenter"}"#);

pub const SET_REGISTERED_MODEL_TAG: Operation = Operation::new(MODELS, "Set a tag of a registered model")
    .example(r#"{"name": "flood-segmenter", "key": "task", "value": "segmentation"}"#);

pub const DELETE_REGISTERED_MODEL_TAG: Operation = Operation::new(MODELS, "Delete a tag of a registered model")
    .about("It need not be there.")
    .example(r#"{"name": "flood-segmenter", "key": "task"}"#);

pub const QUERY_LATEST_VERSIONS: Operation = Operation::new(MODELS, "Get the newest version of each stage")
    .example(r#"{"name": "flood-segmenter", "stages": ["Production"]}"#);

pub const GET_LATEST_VERSIONS: Operation = Operation::new(MODELS, "Get the newest version of each stage")
    .example(r#"{"name": "flood-segmenter", "stages": ["Production"]}"#);

pub const SET_REGISTERED_MODEL_ALIAS: Operation = Operation::new(MODELS, "Point an alias at a version")
    .about("Wherever it pointed before.")
    .example(r#"{"name": "flood-segmenter", "alias": "champion", "version": "3"}"#)
    .answer(r#"{}"#);

pub const DELETE_REGISTERED_MODEL_ALIAS: Operation = Operation::new(MODELS, "Delete an alias")
    .about("It need not be there.")
    .example(r#"{"name": "flood-segmenter", "alias": "champion"}"#);

pub const GET_MODEL_VERSION_BY_ALIAS: Operation = Operation::new(MODELS, "Get the version that an alias points at")
    .about("`latest` is the newest version of every model.")
    .example(r#"{"name": "flood-segmenter", "alias": "champion"}"#);

pub const CREATE_MODEL_VERSION: Operation = Operation::new(VERSIONS, "Create a version of a registered model")
    .about("Its run, or logged model, must be of the same project.")
    .example(
        r#"{
            "name": "flood-segmenter",
            "source": "models:/m-0123456789abcdef0123456789abcdef",
            "run_id": "7a0c0ffee1234567890abcdef1234567"
        }"#,
    );

pub const GET_MODEL_VERSION: Operation =
    Operation::new(VERSIONS, "Get a version").example(r#"{"name": "flood-segmenter", "version": "3"}"#);

pub const SEARCH_MODEL_VERSIONS: Operation = Operation::new(VERSIONS, "Search versions")
    .example(r#"{"filter": "name = 'flood-segmenter'", "order_by": ["version_number DESC"]}"#);

pub const UPDATE_MODEL_VERSION: Operation = Operation::new(VERSIONS, "Describe a version")
    .example(r#"{"name": "flood-segmenter", "version": "3", "description": "Trained on 2025"}"#);

pub const DELETE_MODEL_VERSION: Operation = Operation::new(VERSIONS, "Delete a version")
    .about("Its number is never used again.")
    .example(r#"{"name": "flood-segmenter", "version": "3"}"#);

pub const TRANSITION_MODEL_VERSION_STAGE: Operation =
    Operation::new(VERSIONS, "Move a version to a stage").named("transition_model_version_stage").example(
        r#"{
            "name": "flood-segmenter",
            "version": "3",
            "stage": "Production",
            "archive_existing_versions": true
        }"#,
    );

pub const GET_MODEL_VERSION_DOWNLOAD_URI: Operation = Operation::new(VERSIONS, "Tell where the files of a version lie")
    .named("get_model_version_download_uri")
    .example(r#"{"name": "flood-segmenter", "version": "3"}"#);

pub const SET_MODEL_VERSION_TAG: Operation = Operation::new(VERSIONS, "Set a tag of a version")
    .example(r#"{"name": "flood-segmenter", "version": "3", "key": "quality", "value": "good"}"#);

pub const DELETE_MODEL_VERSION_TAG: Operation = Operation::new(VERSIONS, "Delete a tag of a version")
    .about("It need not be there.")
    .example(r#"{"name": "flood-segmenter", "version": "3", "key": "quality"}"#);
