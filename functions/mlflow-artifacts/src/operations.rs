//! What the OpenAPI document says of the artifact endpoints, in the order of the routes.

use shared::openapi::Operation;

const ARTIFACTS: &str = "Artifacts";
const UPLOADS: &str = "Large files";

const MODEL_ID: &[(&str, &str)] = &[("model_id", "Id of the logged model.")];
const FILE: &[(&str, &str)] = &[(
    "path",
    "`<experiment id>/<run id>/artifacts/<path>` or `<experiment id>/models/<model id>/artifacts/<path>`, with slashes.",
)];
const DIRECTORY: &[(&str, &str)] = &[(
    "path",
    "The directory: `<experiment id>/<run id>/artifacts` or `<experiment id>/models/<model id>/artifacts`, with or \
     without a path behind it.",
)];
const CONDITIONS: &[(&str, &str)] =
    &[("Range", "One range of bytes, e.g. `bytes=0-1023`."), ("If-None-Match", "The `ETag` of what the client has.")];

pub const LIST_RUN_ARTIFACTS: Operation = Operation::new(ARTIFACTS, "List the artifacts of a run")
    .named("list_run_artifacts")
    .example(r#"{"run_id": "7a0c0ffee1234567890abcdef1234567", "path": "model"}"#)
    .answer(
        r#"{
            "root_uri": "mlflow-artifacts:/1/7a0c0ffee1234567890abcdef1234567/artifacts",
            "files": [{"path": "model/MLmodel", "is_dir": false, "file_size": 512}]
        }"#,
    );

pub const LIST_ARTIFACTS: Operation = Operation::new(ARTIFACTS, "List a directory of the artifact store")
    .about("Nothing for a file or a missing directory.")
    .example(r#"{"path": "1/7a0c0ffee1234567890abcdef1234567/artifacts/model"}"#);

pub const DOWNLOAD_ARTIFACT: Operation = Operation::new(ARTIFACTS, "Download a file")
    .about("Beyond 4,500,000 bytes the answer leads to a presigned URL of S3. `HEAD` works too.")
    .path(FILE)
    .headers(CONDITIONS);

pub const PUT_ARTIFACT: Operation = Operation::new(ARTIFACTS, "Upload a file")
    .about("Replaces what is there. At most 4,500,000 bytes: larger files go in parts.")
    .named("put_artifact")
    .path(FILE);

pub const DELETE_ARTIFACT: Operation =
    Operation::new(ARTIFACTS, "Delete a file or a directory").about("Again is no error.").path(FILE);

pub const LIST_LOGGED_MODEL_ARTIFACTS: Operation = Operation::new(ARTIFACTS, "List the artifacts of a logged model")
    .path(MODEL_ID)
    .example(r#"{"artifact_directory_path": "data"}"#);

pub const CREATE_MULTIPART_UPLOAD: Operation = Operation::new(UPLOADS, "Begin an upload in parts")
    .about("The client puts each part to its URL, without credentials.")
    .path(DIRECTORY)
    .example(r#"{"path": "weights.bin", "num_parts": 3}"#);

pub const COMPLETE_MULTIPART_UPLOAD: Operation =
    Operation::new(UPLOADS, "Make the parts a file").about("Again is no error.").path(DIRECTORY).example(
        r#"{
            "path": "weights.bin",
            "upload_id": "1f2e3d",
            "parts": [{"part_number": 1, "etag": "\"9a0364b9e99bb480dd25e1f0284c8555\""}]
        }"#,
    );

pub const ABORT_MULTIPART_UPLOAD: Operation = Operation::new(UPLOADS, "Drop an upload")
    .about("Again is no error. Unfinished uploads are dropped after a day.")
    .path(DIRECTORY)
    .example(r#"{"path": "weights.bin", "upload_id": "1f2e3d"}"#);

pub const GET_PRESIGNED_DOWNLOAD_URL: Operation =
    Operation::new(UPLOADS, "Get a URL to download a file from S3").path(FILE);

pub const CREATE_PRESIGNED_UPLOAD_URL: Operation = Operation::new(UPLOADS, "Get a URL to put a file to S3")
    .about("It lives as long as asked for, and at most 15 minutes.")
    .example(r#"{"run_id": "7a0c0ffee1234567890abcdef1234567", "path": "model/weights.bin"}"#);

pub const CREATE_PRESIGNED_DOWNLOAD_URL: Operation =
    Operation::new(UPLOADS, "Get a URL to download a file of a run from S3")
        .about("It lives as long as asked for, and at most 5 minutes.")
        .example(r#"{"run_id": "7a0c0ffee1234567890abcdef1234567", "path": "model/weights.bin"}"#);

pub const GET_ARTIFACT: Operation = Operation::new(ARTIFACTS, "Download a file of a run")
    .about("For the web UI. `HEAD` works too.")
    .headers(CONDITIONS)
    .example(r#"{"run_id": "7a0c0ffee1234567890abcdef1234567", "path": "model/MLmodel"}"#);

pub const GET_MODEL_VERSION_ARTIFACT: Operation = Operation::new(ARTIFACTS, "Download a file of a model version")
    .about("For the web UI. `HEAD` works too.")
    .headers(CONDITIONS)
    .example(r#"{"name": "flood-segmenter", "version": "3", "path": "MLmodel"}"#);

pub const UPLOAD_ARTIFACT: Operation = Operation::new(ARTIFACTS, "Upload a file of a run")
    .about("For the web UI.")
    .example(r#"{"run_uuid": "7a0c0ffee1234567890abcdef1234567", "path": "notes.txt"}"#);

pub const GET_LOGGED_MODEL_ARTIFACT: Operation = Operation::new(ARTIFACTS, "Download a file of a logged model")
    .about("For the web UI. `HEAD` works too.")
    .path(MODEL_ID)
    .headers(CONDITIONS)
    .example(r#"{"artifact_file_path": "MLmodel"}"#);
