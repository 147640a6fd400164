//! What a download's path may mean: `<project>/repository/<file>` or `<project>/archive.<format>`.
//!
//! Nothing in the text tells where the project ends: a file may lie in a folder `repository`, and so may a group or a
//! project be called. But a project never lies inside another one, so of all ways to read a path at most one names a
//! project; the caller's access to each, from left to right, decides.

use shared::gitlab::ArchiveFormat;
use shared::{Error, Result};

/// What parts a project from a file.
const REPOSITORY: &str = "repository";
const ARCHIVE: &str = "archive.";
/// Ways to read one path that are tried; more than one is rare already.
const MOST_READINGS: usize = 4;
/// Bytes of a path or a ref, far above what repositories hold. Encoded it must fit into GitLab's request line.
const LONGEST_PATH: usize = 1_500;
const LONGEST_REF: usize = 255;

/// One way to read a download's path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading<'a> {
    /// Full path.
    pub project: &'a str,
    pub wanted: Wanted<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wanted<'a> {
    /// From the repository's root.
    File(&'a str),
    /// The format, and as the client calls it.
    Archive(ArchiveFormat, &'a str),
}

/// All ways to read `target`; `path`, from the query, is the file where the target ends with `/repository`.
///
/// # Errors
/// `Invalid` names what is malformed, `NotFound` tells the two forms.
pub fn readings<'a>(target: &'a str, path: Option<&'a str>) -> Result<Vec<Reading<'a>>> {
    if let Some(path) = path {
        check_path("path", path)?;
        let target = target.strip_suffix('/').unwrap_or(target);
        check_path("path", target)?;
        let project = target.strip_suffix(REPOSITORY).and_then(|rest| rest.strip_suffix('/'));
        return match project.filter(|project| is_project(project)) {
            Some(project) => Ok(vec![Reading { project, wanted: Wanted::File(path) }]),
            None => Err(Error::invalid(
                "`path` goes with /api/download/<project>/repository; the URL must not name a file, too",
            )),
        };
    }
    if target.strip_suffix('/').is_some_and(|rest| rest.ends_with("/repository")) || target.ends_with("/repository") {
        return Err(Error::invalid("the file is missing: write it behind `repository/` or as the parameter `path`"));
    }
    check_path("path", target)?;
    let mut readings = Vec::new();
    for (at, _) in target.match_indices('/') {
        let (project, rest) = (&target[..at], &target[at + 1..]);
        if let Some(file) = rest.strip_prefix(REPOSITORY).and_then(|rest| rest.strip_prefix('/'))
            && is_project(project)
        {
            readings.push(Reading { project, wanted: Wanted::File(file) });
        }
    }
    readings.truncate(MOST_READINGS);
    if let Some((project, name)) = target.rsplit_once('/')
        && let Some(format) = name.strip_prefix(ARCHIVE)
        && is_project(project)
    {
        match ArchiveFormat::parse(format) {
            Some(known) => readings.push(Reading { project, wanted: Wanted::Archive(known, format) }),
            None if readings.is_empty() => {
                return Err(Error::invalid(
                    "`archive.<format>`: the formats are zip, tar, tar.gz (tgz) and tar.bz2 (tbz, tbz2, tb2, bz2)",
                ));
            }
            None => {}
        }
    }
    if readings.is_empty() {
        return Err(Error::not_found(
            "Downloads are at /api/download/<namespace>/<project>/repository/<file> and \
             /api/download/<namespace>/<project>/archive.<format>",
        ));
    }
    Ok(readings)
}

/// Could this be a project's full path in GitLab?
fn is_project(path: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let segment = |part: &str| !part.is_empty() && !part.starts_with('-') && part.bytes().all(fits);
    path.contains('/') && path.split('/').all(segment)
}

/// A path that means the same to everybody who reads it.
fn check_path(name: &str, path: &str) -> Result<()> {
    let why = if path.len() > LONGEST_PATH {
        "is too long"
    } else if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        "must not have empty, `.` or `..` segments"
    } else if path.contains(|character: char| character.is_control() || character == '\\') {
        "must not hold backslashes or control characters"
    } else {
        return Ok(());
    };
    Err(Error::invalid(format!("`{name}` {why}")))
}

/// A name of a branch, tag or commit by git's own rules (git-check-ref-format); empty counts as none.
pub fn check_ref(reference: Option<&str>) -> Result<Option<&str>> {
    let Some(reference) = reference.filter(|reference| !reference.is_empty()) else { return Ok(None) };
    let odd = |character: char| character.is_control() || " ~^:?*[\\".contains(character);
    let bad = reference.len() > LONGEST_REF
        || reference.starts_with(['-', '/'])
        || reference.ends_with(['.', '/'])
        || reference.contains("..")
        || reference.contains("//")
        || reference.contains("@{")
        || reference.contains(odd);
    if bad { Err(Error::invalid("`ref` must be a branch, a tag or a commit")) } else { Ok(Some(reference)) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn shown(target: &str, path: Option<&str>) -> Vec<String> {
        let show = |reading: &Reading| match reading.wanted {
            Wanted::File(file) => format!("{} {file}", reading.project),
            Wanted::Archive(format, _) => format!("{} as {}", reading.project, format.name()),
        };
        readings(target, path).unwrap().iter().map(show).collect()
    }

    #[test]
    fn a_path_is_read_from_left_to_right() {
        for (target, expected) in [
            ("a/b/repository/f.txt", vec!["a/b f.txt"]),
            ("a/b/c/repository/d/f.txt", vec!["a/b/c d/f.txt"]),
            ("a/repository/repository/f", vec!["a/repository f"]),
            ("a/repository/p/repository/f", vec!["a/repository/p f"]),
            ("repository/repository/repository/f", vec!["repository/repository f"]),
            ("a/b/repository/x/repository/y", vec!["a/b x/repository/y", "a/b/repository/x y"]),
            ("a/b/repository/größe/repository/y", vec!["a/b größe/repository/y"]),
            ("a/b/repository/archive.zip", vec!["a/b archive.zip", "a/b/repository as zip"]),
            ("a/b/repository/archive.rar", vec!["a/b archive.rar"]),
            ("a/b/archive.tgz", vec!["a/b as tar.gz"]),
            ("a/repository/archive.tb2", vec!["a/repository as tar.bz2"]),
        ] {
            assert_eq!(shown(target, None), expected, "{target}");
        }
        assert_eq!(shown("a/b/repository", Some("x/ü#?%.txt")), ["a/b x/ü#?%.txt"]);
        assert_eq!(shown("a/b/repository/", Some("x")), ["a/b x"]);
        assert_eq!(shown("a/repository/repository", Some("x")), ["a/repository x"]);
        let many = "a/b".to_owned() + &"/repository".repeat(40) + "/f";
        assert_eq!(shown(&many, None).len(), MOST_READINGS);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for target in ["a/b", "a/b/f.txt", "a/repository/f", "a/archive.zip", "-a/b/repository/f", "ä/b/repository/f"]
        {
            assert!(matches!(readings(target, None), Err(Error::NotFound(_))), "{target}");
        }
        let long = format!("a/b/repository/{}", "x".repeat(LONGEST_PATH));
        for target in [
            "a/b/repository",
            "a/b/repository/",
            "a/b/repository/../x",
            "a/b/repository/x/./y",
            "a/b/repository//x",
            "a//b/repository/x",
            "a/b/repository/x/",
            "a/b/repository/x\\y",
            "a/b/repository/x\ny",
            "a/b/repository/x\0y",
            "a/b/archive.rar",
            "a/b/archive.",
            &long,
        ] {
            assert!(matches!(readings(target, None), Err(Error::Invalid(_))), "{target}");
        }
        for (target, path) in [
            ("a/b/repository", ""),
            ("a/b/repository", "/x"),
            ("a/b/repository", "x/../y"),
            ("a/b/repository/x", "y"),
            ("a/b", "y"),
            ("a/repository", "y"),
            ("a/b/archive.zip", "y"),
        ] {
            assert!(matches!(readings(target, Some(path)), Err(Error::Invalid(_))), "{target} {path}");
        }
    }

    #[test]
    fn a_ref_is_a_name() {
        for good in ["main", "v1.0", "feature/x", "0a1b2c3d", "HEAD", "größe", "refs/heads/main", "a@b"] {
            assert_eq!(check_ref(Some(good)).unwrap(), Some(good));
        }
        assert_eq!((check_ref(None).unwrap(), check_ref(Some("")).unwrap()), (None, None));
        for bad in
            ["a..b", "-x", "a b", "a~1", "a^", ":/x", "a\n", "a?b", "a\\b", "/a", "a/", "main@{1}", &"x".repeat(256)]
        {
            assert!(matches!(check_ref(Some(bad)), Err(Error::Invalid(_))), "{bad}");
        }
    }
}
