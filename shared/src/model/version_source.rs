//! What a client names as the source of a model version (mlflow.md B.7): a text that must not lead anywhere
//! but where it says.

use percent_encoding::percent_decode_str;

use super::validation::{host, normal_path, split_scheme};
use super::{ArtifactPath, Holder};
use crate::error::{Error, Result};

/// After so many rounds of decoding a source that still changes is refused.
const MOST_DECODINGS: usize = 10;

/// The kinds of places that versions are made from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum VersionSource {
    /// `runs:/<run>/<path>`: files of a run.
    Run { run_id: String, path: ArtifactPath },
    /// `models:/<logged model>`.
    LoggedModel(String),
    /// `models:/<name>/<version, stage or latest>` or `models:/<name>@<alias>`: another version.
    Version { name: String, which: Which },
    /// `mlflow-artifacts:/<experiment>/<path>`: files in the hub's own store.
    Artifacts { experiment: String, path: ArtifactPath },
    /// A path of somebody's machine.
    Local,
    /// Any other place: stored and shown, never followed.
    Foreign,
}

/// One version among those of a registered model.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Which {
    Number(String),
    Alias(String),
    /// The newest of a stage.
    Stage(String),
    Latest,
}

impl VersionSource {
    /// Reads a source.
    ///
    /// # Errors
    /// `Invalid` for `..` in any encoding, relative places, hosts, and forms that its scheme does not have.
    pub fn parse(source: &str) -> Result<Self> {
        host("source", source)?;
        let (scheme, rest) = split_scheme(source);
        let has_authority = rest.strip_prefix("//").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
        match scheme.as_str() {
            "" | "file" => return Ok(Self::Local),
            "models" if has_authority => {
                return Err(Error::invalid(format!(
                    "Invalid model version source: '{source}'. Registered model sources must use the active model registry."
                )));
            }
            "models" => {
                let parsed = parse_models(rest).ok_or_else(|| contains(source, "model_id"))?;
                if matches!(parsed, Self::Version { .. }) {
                    return Ok(parsed);
                }
            }
            _ => {}
        }
        check_absolute(source)?;
        let place = rest.split(['?', '#']).next().unwrap_or_default().trim_start_matches('/');
        match scheme.as_str() {
            "models" => parse_models(rest).ok_or_else(|| contains(source, "model_id")),
            "runs" if has_authority => Err(contains(source, "run_id")),
            "runs" => {
                let path = ArtifactPath::parse(place)?;
                let (run_id, path) = path.split_first().ok_or_else(|| contains(source, "run_id"))?;
                Ok(Self::Run { run_id: run_id.to_owned(), path })
            }
            "mlflow-artifacts" => {
                let path = ArtifactPath::parse(place)?;
                let (experiment, path) = path.split_first().ok_or_else(|| contains(source, "run_id"))?;
                Ok(Self::Artifacts { experiment: experiment.to_owned(), path })
            }
            _ => Ok(Self::Foreign),
        }
    }

    /// The run or logged model in whose files the source lies, if it lies in the hub's own store.
    pub fn holder(&self) -> Option<Holder<'_>> {
        match self {
            Self::Run { run_id, .. } => Some(Holder::Run(run_id)),
            Self::LoggedModel(id) => Some(Holder::LoggedModel(id)),
            Self::Artifacts { path, .. } => path.holder().map(|(holder, _)| holder),
            Self::Version { .. } | Self::Local | Self::Foreign => None,
        }
    }
}

/// Refuses a source whose run or logged model, the request's `parameter`, is not named by the request.
pub fn contains(source: &str, parameter: &str) -> Error {
    Error::invalid(format!(
        "Invalid model version source: '{source}'. The {parameter} request parameter must identify the resource that \
         contains the source."
    ))
}

/// What stands behind `models:`.
fn parse_models(rest: &str) -> Option<VersionSource> {
    let path = rest.split('?').next().unwrap_or_default();
    let path = path.strip_prefix('/')?.trim_start_matches('/');
    let (first, second) = match path.split_once('/') {
        Some((first, second)) => (first, Some(second)),
        None => (path, None),
    };
    if first.trim().is_empty() || second.is_some_and(|second| second.trim().is_empty() || second.contains('/')) {
        return None;
    }
    let version = |name: &str, which| Some(VersionSource::Version { name: name.to_owned(), which });
    match (second, first.rsplit_once('@')) {
        (Some(number), _) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            version(first, Which::Number(number.to_owned()))
        }
        (Some(latest), _) if latest.eq_ignore_ascii_case("latest") => version(first, Which::Latest),
        (Some(stage), _) => version(first, Which::Stage(stage.to_owned())),
        (None, Some((_, alias))) if alias.trim().is_empty() => None,
        (None, Some((name, alias))) => version(name, Which::Alias(alias.to_owned())),
        (None, None) => Some(VersionSource::LoggedModel(first.to_owned())),
    }
}

/// A source that leaves this server must say its place in full: no `..`, no `.`, no NUL, however often encoded.
fn check_absolute(source: &str) -> Result<()> {
    let refused = || {
        Error::invalid(format!(
            "Invalid model version source: '{source}'. If supplying a source as an http, https, local file path, ftp, \
             objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references \
             present. Please provide an absolute path."
        ))
    };
    let mut decoded = source.to_owned();
    for round in 0.. {
        let next = percent_decode_str(&decoded.replace('+', " ")).decode_utf8_lossy().into_owned();
        if next == decoded {
            break;
        }
        if round == MOST_DECODINGS {
            return Err(refused());
        }
        decoded = next;
    }
    let (_, rest) = split_scheme(&decoded);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let path = match rest.strip_prefix("//") {
        Some(authority) => authority.find('/').map_or("", |at| &authority[at..]),
        None => rest,
    };
    let path = path.trim_end_matches('/');
    let single =
        path.split('/').filter(|segment| !segment.is_empty()).fold(String::new(), |path, next| path + "/" + next);
    let is_absolute = path.starts_with('/') && normal_path(&single) == single;
    if decoded.contains('\0') || decoded.split('/').any(|segment| segment == "..") || !is_absolute {
        return Err(refused());
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_kind_is_told_apart() {
        let path = |text: &str| ArtifactPath::parse(text).unwrap();
        let version = |which| VersionSource::Version { name: "wine".into(), which };
        for (source, expected) in [
            ("runs:/abc/model", VersionSource::Run { run_id: "abc".into(), path: path("model") }),
            ("runs:/abc", VersionSource::Run { run_id: "abc".into(), path: path("") }),
            ("models:/m-1", VersionSource::LoggedModel("m-1".into())),
            ("models:/wine/3", version(Which::Number("3".into()))),
            ("models:/wine/LATEST", version(Which::Latest)),
            ("models:/wine/production", version(Which::Stage("production".into()))),
            ("models:/wine@best", version(Which::Alias("best".into()))),
            (
                "mlflow-artifacts:/0/abc/artifacts/model",
                VersionSource::Artifacts { experiment: "0".into(), path: path("abc/artifacts/model") },
            ),
            ("/tmp/model", VersionSource::Local),
            ("model", VersionSource::Local),
            ("file:///tmp/model", VersionSource::Local),
            ("s3://bucket/model", VersionSource::Foreign),
            ("dbfs:/model", VersionSource::Foreign),
        ] {
            assert_eq!(VersionSource::parse(source).unwrap(), expected, "{source}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        for source in [
            "https://example.org/model",
            "ftp://example.org/model",
            "mlflow-artifacts://host/1/r/artifacts",
            "mlflow-artifacts:/1/r/artifacts/../../2",
            "mlflow-artifacts:/1/r/artifacts/%2e%2e/x",
            "mlflow-artifacts:/1/r/artifacts/%25252e%25252e/x",
            "mlflow-artifacts:/1/r/artifacts/x%00",
            "mlflow-artifacts:/",
            "mlflow-artifacts:1/r",
            "s3://bucket/../model",
            "s3://bucket/./model",
            "s3://bucket",
            "s3:bucket/model",
            "runs:/",
            "runs://host/abc/model",
            "runs:/abc/../def",
            "models:/",
            "models://host/wine/1",
            "models:/wine/1/2",
            "models:/wine@",
            "models:/ /1",
        ] {
            assert!(matches!(VersionSource::parse(source), Err(Error::Invalid(_))), "{source}");
        }
    }

    proptest! {
        #[test]
        fn nothing_climbs(text in "(runs|models|mlflow-artifacts|s3)?:?/{0,3}[./%2eEaA@#+]{0,24}") {
            match VersionSource::parse(&text) {
                Ok(VersionSource::Run { path, .. } | VersionSource::Artifacts { path, .. }) => {
                    prop_assert!(!path.as_str().split('/').any(|segment| segment == ".."));
                }
                Ok(_) | Err(Error::Invalid(_)) => {}
                Err(other) => prop_assert!(false, "{other:?}"),
            }
        }
    }
}
