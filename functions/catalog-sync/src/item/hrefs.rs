//! URLs: the hub's own ones, and what authors write as one (docs/catalog.md, "Items").

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use shared::catalog::ROOT;
use url::{Position, Url};

use super::source::Source;

/// All but RFC 3986's unreserved letters.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &STRICT.remove(b'/');
/// What RFC 3987 allows in no part of a URL, and the URL parser lets pass.
const FORBIDDEN: &AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

const LONGEST: usize = 4_000;
/// Parameters by which GitLab and this hub take credentials.
const CREDENTIALS: &[&str] = &["private_token", "access_token", "job_token", "gitlab_token", "token"];

pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, STRICT).to_string()
}

pub(super) fn encoded_path(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

pub(super) fn root() -> String {
    format!("{ROOT}/api/stac/")
}

pub(super) fn collection(id: &str) -> String {
    format!("{ROOT}/api/stac/collections/{id}")
}

pub(super) fn item(collection: &str, path: &str) -> String {
    format!("{ROOT}/api/stac/collections/{collection}/items/{}", encoded_path(path))
}

/// The tracking URI of a project's MLflow.
pub(super) fn tracking(project: &str) -> String {
    format!("{ROOT}/mlflow/{}/tracking/", encoded_path(project))
}

pub(super) fn archive(project: &str, tag: &str) -> String {
    format!("{ROOT}/api/download/{}/archive.zip?ref={}", encoded_path(project), encoded(tag))
}

/// A repository's file. Names with letters that a gateway loses go into the query.
pub(super) fn file(project: &str, path: &str, branch: Option<&str>) -> String {
    let base = format!("{ROOT}/api/download/{}/repository", encoded_path(project));
    let branch = branch.map(|branch| format!("ref={}", encoded(branch)));
    if path.contains(['#', '?', '%', '\\']) {
        let branch = branch.map(|branch| format!("&{branch}")).unwrap_or_default();
        format!("{base}?path={}{branch}", encoded(path))
    } else {
        let branch = branch.map(|branch| format!("?{branch}")).unwrap_or_default();
        format!("{base}/{}{branch}", encoded_path(path))
    }
}

/// Where an author's reference leads to.
#[derive(Debug, PartialEq)]
pub(super) enum Target {
    /// A path in the repository, from its root.
    File(String),
    Url(String),
}

/// What an author's reference may be, besides http(s), a path and `collection+https:`.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Reach {
    Web,
    /// Also object stores and ftp.
    Stores,
}

/// Follows an author's reference. `None` if it is none that readers may be sent to.
pub(super) fn resolve(source: &Source, text: &str, reach: Reach) -> Option<Target> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
        return None;
    }
    let Some((scheme, rest)) = scheme(text) else {
        return repository_path(source, text).map(Target::File);
    };
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => web(text).map(Target::Url),
        "s3" | "gs" | "ftp" if reach == Reach::Stores => web(text).map(Target::Url),
        "file" => repository_path(source, rest).map(Target::File),
        other => {
            let (name, inner) = other.split_once('+')?;
            let category = source.category_named(name).filter(|_| matches!(inner, "http" | "https"))?;
            let url = Url::parse(&format!("{inner}:{rest}")).ok()?;
            let query = url.query().map(|query| format!("?{}", tidy(query))).unwrap_or_default();
            Some(Target::Url(item(category, &project_path(source, &url)?) + &query))
        }
    }
}

/// The href that a reference becomes. `None` also if the repository has no such file.
pub(super) fn href(source: &Source, text: &str, reach: Reach) -> Option<String> {
    match resolve(source, text, reach)? {
        Target::Url(url) => Some(url),
        Target::File(path) => source.files.contains_key(path.as_str()).then(|| source.file_href(&path)),
    }
}

/// An absolute URL with a host and without credentials, in letters that every reader takes.
pub(super) fn web(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok()?;
    if url.cannot_be_a_base() || !url.username().is_empty() || url.password().is_some() || text.len() > LONGEST {
        return None;
    }
    if url.query_pairs().any(|(name, _)| CREDENTIALS.contains(&name.to_ascii_lowercase().as_str())) {
        return None;
    }
    let host = url.host_str()?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':' | b'[' | b']');
    (!host.is_empty() && host.bytes().all(fits))
        .then(|| format!("{}{}", &url[..Position::BeforePath], tidy(&url[Position::BeforePath..])))
}

/// The project that a GitLab URL names: its path, without GitLab's own folder and what follows `/-/`.
pub(super) fn project_path(source: &Source, url: &Url) -> Option<String> {
    let below = url.as_str().strip_prefix(source.gitlab_url).filter(|rest| rest.starts_with('/'));
    let path = below.map_or(url.path(), |rest| rest.split(['?', '#']).next().unwrap_or(rest));
    let path = path.split("/-/").next().unwrap_or(path).trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    is_project(path).then(|| path.to_owned())
}

/// Is it a group and a project, as GitLab names them?
pub(super) fn is_project(path: &str) -> bool {
    let segment = |part: &str| {
        !part.is_empty()
            && part.len() <= 255
            && !matches!(part, "." | "..")
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    path.contains('/') && path.len() <= 2_000 && path.split('/').all(segment)
}

/// `scheme:rest`, as RFC 3986 has it.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_');
    (scheme.starts_with(|letter: char| letter.is_ascii_alphabetic()) && scheme.bytes().all(fits))
        .then_some((scheme, rest))
}

/// A path from the repository's root. As it stands if there is such a file, else without query, fragment and encoding.
fn repository_path(source: &Source, text: &str) -> Option<String> {
    source.repository?;
    let raw = folded(text)?;
    if source.files.contains_key(raw.as_str()) {
        return Some(raw);
    }
    let bare = text.split(['?', '#']).next().unwrap_or(text);
    folded(&percent_decode_str(bare).decode_utf8().ok()?).filter(|path| !path.chars().any(char::is_control))
}

fn folded(path: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// Encodes what may not stand in a URL, and percent signs that encode nothing.
fn tidy(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut tidy = String::with_capacity(text.len());
    for (at, letter) in text.char_indices() {
        let escapes = || bytes.get(at + 1..at + 3).is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit));
        match letter {
            '%' if !escapes() => tidy.push_str("%25"),
            // Only the first one begins the fragment.
            '#' if tidy.contains('#') => tidy.push_str("%23"),
            other => tidy.push(other),
        }
    }
    utf8_percent_encode(&tidy, FORBIDDEN).to_string()
}
