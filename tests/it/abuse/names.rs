//! Paths, sources, ranges and credentials: short texts on which access and files depend.

use http::{HeaderMap, HeaderValue, header};
use mlflow_project::Splitter;
use shared::auth::find_token;
use shared::download::{attachment, is_known, media_type, part_of, wanted_range};
use shared::model::{ArtifactPath, VersionSource};

use super::mutation::mutated;
use super::survive;

const PATHS: &[&str] = &[
    "/mlflow/earth/flood-model/tracking/api/2.0/mlflow/runs/get",
    "/mlflow/a/b/c/tracking/tracking/ajax-api/2.0/mlflow/experiments/search",
    "/mlflow/api/2.0/mlflow/runs/create",
    "/mlflow/earth%2Fflood-model/tracking/get-artifact",
    "1/4bd17e95ae5f4bb0b3a9c0c4c7b6a1f2/artifacts/model/data/größe 1.bin",
    "models/m-1/artifacts/MLmodel",
    "models:/flood@champion",
    "runs:/4bd17e95ae5f4bb0b3a9c0c4c7b6a1f2/model",
    "mlflow-artifacts://host:5000/api/2.0/mlflow-artifacts/artifacts/1/x",
    "s3://bucket/key?versionId=1#x",
    "file:///etc/passwd",
];
const PATH_WORDS: &[&str] = &[
    "/tracking",
    "/tracking/",
    "..",
    "/../",
    "%2e%2e",
    "%252e",
    "%2F",
    "%5c",
    "\\",
    "//",
    ":/",
    "@",
    "api",
    "runs:/",
    "models:/",
    "#",
    "?",
];

#[test]
fn paths() {
    let splitter = Splitter::new(&mlflow_project::routes());
    survive("paths", &mutated(PATHS, PATH_WORDS), |text| {
        if let Some((project, rest)) = splitter.split(&text) {
            let sound = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']);
            assert!(project.contains('/') && project.split('/').all(sound), "{text}: {project}");
            assert!(!project.starts_with("api/") && !project.starts_with("ajax-api/"), "{text}: {project}");
            assert!(rest.starts_with('/') && (rest == "/" || text.ends_with(rest)), "{text}: {rest}");
        }
        for path in [ArtifactPath::parse(&text), ArtifactPath::parse_file(&text)].into_iter().flatten() {
            let sound = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0', '#']);
            assert!(path.is_root() || path.as_str().split('/').all(sound), "{text}: {path:?}");
        }
        let _ = VersionSource::parse(&text).map(|source| source.holder().is_some());
        let name = attachment(&text);
        assert!(HeaderValue::from_str(&name).is_ok(), "{name:?}");
        assert!(HeaderValue::from_str(&media_type(&text)).is_ok(), "{text:?}");
    });
}

const HEADERS: &[&str] = &[
    "bytes=0-499",
    "bytes=-1",
    "bytes=500-",
    "bytes=0-0,5-9",
    "bytes=18446744073709551615-",
    "W/\"abc\", \"d,e\", *",
    "Bearer glpat-local-developer",
    "Basic b2F1dGgyOmdscGF0LWxvY2FsLWRldmVsb3Blcg==",
    "Basic Og==",
    "basic  OjEyMw",
    "Token x",
    "glpat-AbC_123-xyz",
];
const HEADER_WORDS: &[&str] =
    &["bytes=", "-", ",", "0", "W/", "\"", "*", "Bearer ", "Basic ", "=", "glpat-", "4294967296"];

#[test]
fn header_values() {
    let names = [header::RANGE, header::IF_RANGE, header::IF_NONE_MATCH, header::AUTHORIZATION];
    survive("header values", &mutated(HEADERS, HEADER_WORDS), |text| {
        for size in [0, 1, 500, usize::MAX] {
            if let Some(part) = part_of(&text, size) {
                assert!(part.start() <= part.end() && *part.end() < size, "{text}: {part:?} of {size}");
            }
        }
        let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) else { return };
        let mut headers: HeaderMap = names.iter().map(|name| (name.clone(), value.clone())).collect();
        headers.insert("private-token", value.clone());
        let _ = (wanted_range(&headers), is_known(&headers, Some("\"abc\"")), find_token(&headers));
        headers.remove("private-token");
        if let Ok(Some(token)) = find_token(&headers) {
            assert!(!format!("{token:?}").contains("glpat"), "a token must not be shown");
        }
    });
}
