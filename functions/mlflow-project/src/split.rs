//! Where a project's path ends and an endpoint's begins.

use percent_encoding::percent_decode_str;
use shared::route::Route;

const BASE: &str = "/mlflow/";
const MARK: &str = "/tracking";
/// First segments that never begin a project's path: the global view's own.
const RESERVED: [&str; 2] = ["api", "ajax-api"];

/// Knows the endpoints, to tell `/tracking` in a project's path from the one behind it.
pub struct Splitter {
    endpoints: matchit::Router<()>,
}

impl Splitter {
    /// A splitter for the endpoints of a view.
    pub fn new(routes: &[Route]) -> Self {
        let mut endpoints = matchit::Router::new();
        for route in routes {
            // The same path with another method is there already.
            let _ = endpoints.insert(route.path.clone(), ());
        }
        Self { endpoints }
    }

    /// The project's path, percent-decoded, and the endpoint's path below the view, raw: split at the first
    /// `/tracking` after at least two segments whose rest is empty or a known endpoint.
    pub fn split<'a>(&self, path: &'a str) -> Option<(String, &'a str)> {
        let below = path.strip_prefix(BASE)?;
        for (at, _) in below.match_indices(MARK) {
            let rest = &below[at + MARK.len()..];
            let is_endpoint = rest.starts_with('/') && self.endpoints.at(rest).is_ok();
            if !(rest.is_empty() || is_endpoint) {
                continue;
            }
            if let Some(project) = project_path(&below[..at]) {
                return Some((project, if rest.is_empty() { "/" } else { rest }));
            }
        }
        None
    }
}

/// A full path has a group and a project; no segment is empty or a dot segment.
fn project_path(raw: &str) -> Option<String> {
    let path = percent_decode_str(raw).decode_utf8().ok()?;
    let mut segments = path.split('/');
    let first = segments.next().unwrap_or_default();
    let is_sound =
        |segment: &str| !(segment.is_empty() || segment == "." || segment == ".." || segment.contains(['\\', '\0']));
    let deep = path.contains('/');
    (deep && !RESERVED.contains(&first) && path.split('/').all(is_sound)).then(|| path.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(path: &str) -> Option<(String, &str)> {
        Splitter::new(&crate::routes()).split(path)
    }

    #[test]
    fn projects_of_any_depth_raw_or_encoded() {
        let endpoint = "/api/2.0/mlflow/runs/get";
        for (written, project) in [
            ("earth/flood", "earth/flood"),
            ("earth/tools/ndvi", "earth/tools/ndvi"),
            ("earth%2Fflood", "earth/flood"),
            ("g/tracking", "g/tracking"),
            ("g/a/tracking/api", "g/a/tracking/api"),
            ("g/a/tracking", "g/a/tracking"),
        ] {
            let path = format!("/mlflow/{written}/tracking{endpoint}");
            assert_eq!(split(&path), Some((project.to_owned(), endpoint)), "{path}");
        }
        assert_eq!(split("/mlflow/a/b/tracking"), Some(("a/b".to_owned(), "/")));
        assert_eq!(split("/mlflow/a/b/tracking/"), Some(("a/b".to_owned(), "/")));
    }

    #[test]
    fn what_is_no_project_view() {
        for path in [
            "/mlflow/api/2.0/mlflow-artifacts/artifacts/2/r/artifacts/tracking/health",
            "/mlflow/ajax-api/x/tracking/health",
            "/mlflow/one/tracking/health",
            "/mlflow/a//tracking/health",
            "/mlflow/a/../tracking/health",
            "/mlflow/a/%2e%2e/tracking/health",
            "/mlflow/a/b/tracking/no/such/endpoint",
            "/mlflow/a/b/trackingx/health",
            "/other/a/b/tracking/health",
        ] {
            assert_eq!(split(path), None, "{path}");
        }
    }
}
