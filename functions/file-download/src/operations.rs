//! What the OpenAPI document says of the download endpoints.

use shared::download::Answer;
use shared::openapi::Operation;

const DOWNLOADS: &str = "Downloads";

const FILE: &[(&str, &str)] = &[
    ("project", "Full path of the project, its slashes raw or encoded, e.g. `earth/land-cover`."),
    ("file", "Path of the file in the repository, with slashes."),
];
const ARCHIVE: &[(&str, &str)] = &[
    ("project", "Full path of the project, its slashes raw or encoded, e.g. `earth/land-cover`."),
    ("format", "`zip`, `tar`, `tar.gz`, `tar.bz2` or one of their short forms."),
];
const PROJECT: &[(&str, &str)] = &[("project", "Full path of the project, or its numeric id.")];
const CONDITIONS: &[(&str, &str)] =
    &[("Range", "One range of bytes, e.g. `bytes=0-1023`."), ("If-None-Match", "The `ETag` of what the client has.")];

pub const DOWNLOAD_FILE: Operation = Operation::new(DOWNLOADS, "Download a file of a repository")
    .about(
        "Files in LFS are resolved. Beyond 4,500,000 bytes the answer leads to a presigned URL of S3; a copy to there that \
         takes longer than one request is answered by 503 with `Retry-After` and goes on with the next.",
    )
    .named("download_file")
    .path(FILE)
    .headers(CONDITIONS)
    .example(r#"{"ref": "main"}"#)
    .answering::<Answer>();

pub const DOWNLOAD_ARCHIVE: Operation = Operation::new(DOWNLOADS, "Download an archive of a repository")
    .about("By a presigned URL of S3.")
    .named("download_archive")
    .path(ARCHIVE)
    .headers(CONDITIONS)
    .example(r#"{"ref": "main"}"#)
    .answering::<Answer>();

pub const CHECK_PROJECT: Operation = Operation::new(DOWNLOADS, "Check what the caller may do in a project")
    .about(
        "Without `info` the answer has no body: its status says whether the caller sees the project. With `info=true` it is \
         JSON: `{\"id\": 2, \"name\": \"Land cover\", \"path\": \"earth/land-cover\", \"categories\": [\"aimodel\"], \"access_level\": 2}`, where \
         the level is 1 for a guest, 2 for who reads the code, 3 for who contributes, and 4 for who administers.",
    )
    .path(PROJECT)
    .example(r#"{"info": true}"#)
    .answering::<()>();
