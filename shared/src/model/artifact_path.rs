//! `ArtifactPath`: a client's path to an artifact, checked and brought into one form (mlflow.md B.8).

use percent_encoding::percent_decode_str;

use crate::error::{Error, Result};

/// After so many rounds of percent-decoding a path that still changes is refused.
const MOST_DECODINGS: usize = 10;

/// A path of plain names: no empty segment, no `.` or `..`, no control character, no escape but of what has
/// no plain form. The empty path is the root. Whatever it is appended to, it stays below.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ArtifactPath(String);

/// The run or logged model that a path within an experiment leads into.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Holder<'a> {
    Run(&'a str),
    LoggedModel(&'a str),
}

impl ArtifactPath {
    /// Reads a path as the stock server does: percent-decoded until nothing changes, `//` as `/`.
    ///
    /// # Errors
    /// `Invalid` for whatever could lead elsewhere: `..`, `#`, backslashes, absolute paths, drives,
    /// `file:` URIs.
    pub fn parse(text: &str) -> Result<Self> {
        Self::of_decoded(&decode(text)?)
    }

    /// As [`ArtifactPath::parse`], for something to be written: it must name a file.
    pub fn parse_file(text: &str) -> Result<Self> {
        let decoded = decode(text)?;
        let path = Self::of_decoded(&decoded)?;
        if path.is_root() || matches!(decoded.rsplit('/').next(), Some("" | ".")) {
            return Err(Error::invalid("Artifact path must include a filename (cannot end with '/')."));
        }
        Ok(path)
    }

    fn of_decoded(decoded: &str) -> Result<Self> {
        if decoded.starts_with('/') || decoded.chars().any(is_unsafe) {
            return Err(invalid_path());
        }
        let mut path = String::with_capacity(decoded.len());
        for segment in decoded.split('/').filter(|segment| !matches!(*segment, "" | ".")) {
            if segment == ".." || is_drive(segment) || segment.eq_ignore_ascii_case("file:") {
                return Err(invalid_path());
            }
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(segment);
        }
        Ok(Self(path))
    }

    /// The path, without a slash at either end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Does it name nothing but the place that it is relative to?
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The last segment; `""` for the root.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The first segment and the rest; `None` for the root.
    pub fn split_first(&self) -> Option<(&str, Self)> {
        if self.is_root() {
            return None;
        }
        let (first, rest) = self.0.split_once('/').unwrap_or((&self.0, ""));
        Some((first, Self(rest.to_owned())))
    }

    /// The path of `inner` below this one.
    #[must_use]
    pub fn join(&self, inner: &Self) -> Self {
        match (self.is_root(), inner.is_root()) {
            (true, _) => inner.clone(),
            (_, true) => self.clone(),
            _ => Self(format!("{}/{}", self.0, inner.0)),
        }
    }

    /// Where an experiment keeps the files of a run or logged model. `id` must be known to exist.
    pub fn of_holder(holder: Holder<'_>) -> Self {
        Self(match holder {
            Holder::Run(id) => format!("{id}/artifacts"),
            Holder::LoggedModel(id) => format!("models/{id}/artifacts"),
        })
    }

    /// Whose files this path within an experiment leads to: `<run>/artifacts[/..]` or
    /// `models/<model>/artifacts[/..]`, and the path among them.
    pub fn holder(&self) -> Option<(Holder<'_>, Self)> {
        let (holder, rest) = match self.0.strip_prefix("models/") {
            Some(rest) => {
                let (id, rest) = rest.split_once('/')?;
                (Holder::LoggedModel(id), rest)
            }
            None => {
                let (id, rest) = self.0.split_once('/')?;
                (Holder::Run(id), rest)
            }
        };
        match rest.strip_prefix("artifacts")? {
            "" => Some((holder, Self::default())),
            inner => inner.strip_prefix('/').map(|inner| (holder, Self(inner.to_owned()))),
        }
    }
}

fn invalid_path() -> Error {
    Error::invalid("Invalid path")
}

fn decode(text: &str) -> Result<String> {
    let mut text = text.to_owned();
    for _ in 0..MOST_DECODINGS {
        let decoded = decode_once(&text);
        if decoded == text {
            return Ok(text);
        }
        text = decoded;
    }
    Err(invalid_path())
}

/// Control characters become their escapes and bytes that are no UTF-8 stay theirs: clients call their images
/// `dogs%step%1%timestamp%1795489262663%ab12`, which has an escape of each kind by chance.
fn decode_once(text: &str) -> String {
    let bytes: Vec<u8> = percent_decode_str(text).collect();
    let mut decoded = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if has_no_plain_form(character) {
                escape(character.encode_utf8(&mut [0; 4]).as_bytes(), &mut decoded);
            } else {
                decoded.push(character);
            }
        }
        escape(chunk.invalid(), &mut decoded);
    }
    decoded
}

/// In small letters, as the stock server writes them.
fn escape(bytes: &[u8], text: &mut String) {
    text.extend(bytes.iter().map(|byte| format!("%{byte:02x}")));
}

/// What neither headers nor XML can carry.
fn has_no_plain_form(character: char) -> bool {
    character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}')
}

/// Separators of other systems, and fragments.
fn is_unsafe(character: char) -> bool {
    matches!(character, '\\' | '#')
}

fn is_drive(segment: &str) -> bool {
    matches!(segment.as_bytes(), [letter, b':'] if letter.is_ascii_alphabetic())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_names_stay_as_they_are() {
        for path in [
            "a.txt",
            "model/MLmodel",
            "größe-洪水.txt",
            "a b/c+d&e.txt",
            "100%.txt",
            "x%zz",
            "...",
            "..a",
            "a..",
            "~",
            "what?.txt",
            "a;b",
            "m:n",
            "http:x",
            ".hidden",
        ] {
            assert_eq!(ArtifactPath::parse(path).unwrap().as_str(), path);
            assert_eq!(ArtifactPath::parse_file(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn spellings_of_one_path_are_one_path() {
        for (text, path) in [
            ("", ""),
            (".", ""),
            ("d/", "d"),
            ("d//e", "d/e"),
            ("./d/./e/.", "d/e"),
            ("d%2Fe", "d/e"),
            ("d%252Fe", "d/e"),
            ("a%20b", "a b"),
            ("%25252561", "a"),
            ("a\nb", "a%0ab"),
            ("a%0Ab", "a%0ab"),
            ("%FF", "%ff"),
            ("%25FF", "%ff"),
        ] {
            assert_eq!(ArtifactPath::parse(text).unwrap().as_str(), path, "{text}");
        }
    }

    const HOSTILE: &[&str] = &[
        "..",
        "../x",
        "a/..",
        "a/../b",
        "..%2Fx",
        "%2e%2e/x",
        "%2E%2E%2Fx",
        "%252e%252e%252fx",
        "%25252e%25252e/x",
        ".%2e/x",
        "a/%2e%2e/%2e%2e/x",
        "/",
        "/etc/passwd",
        "%2Fetc/passwd",
        "%252Fetc",
        "//host/x",
        "\\\\host\\x",
        "a\\b",
        "..\\x",
        "..%5cx",
        "%255c",
        "C:/x",
        "c:\\x",
        "C%3A/x",
        "a/C:/x",
        "a#b",
        "a%23b",
        "a%2523b",
        "#",
        "file:///etc/passwd",
        "FILE:/etc",
        "file%3A///etc",
        "a/file:/x",
        "%2525252525252525252525252561",
        "%00%2e%2e/%2e%2e/x",
        "%FF/%2e%2e",
        "%0a%5c",
        "%C3%23",
        "..%00/../x",
    ];

    #[test]
    fn what_has_no_plain_form_stays_an_escape() {
        for path in [
            "images/dogs%step%1%timestamp%1795489262663%ab12cd34-0f.png",
            "images/dogs%step%1%timestamp%1795489262663%C3%28.png",
            "1763%1795489262663.png",
            "x%00y",
            "a%0d%0aSet-Cookie:x",
            "a%7fb",
            "a%c2%85b",
            "%ef%bf%be",
            "%c3%e9",
            "..%00",
        ] {
            let expected = path.replace("%C3%28", "%c3(");
            for text in [path.to_owned(), path.replace('%', "%25"), path.replace('%', "%2525")] {
                assert_eq!(ArtifactPath::parse(&text).unwrap().as_str(), expected, "{text}");
                assert_eq!(ArtifactPath::parse_file(&text).unwrap().as_str(), expected, "{text}");
            }
        }
    }

    #[test]
    fn hostile_paths_are_refused_in_the_same_words() {
        for path in HOSTILE {
            assert_eq!(ArtifactPath::parse(path), Err(invalid_path()), "{path:?}");
            assert_eq!(ArtifactPath::parse_file(path), Err(invalid_path()), "{path:?}");
        }
    }

    #[test]
    fn a_file_to_be_written_has_a_name() {
        for path in ["", ".", "d/", "d/.", "d%2F", "d%252F", "./"] {
            assert!(ArtifactPath::parse_file(path).unwrap_err().to_string().contains("filename"), "{path:?}");
        }
    }

    #[test]
    fn paths_within_an_experiment_lead_to_runs_and_models() {
        let inner = |path: &str| ArtifactPath(path.to_owned());
        for (path, expected) in [
            ("r1/artifacts", Some((Holder::Run("r1"), ""))),
            ("r1/artifacts/a/b", Some((Holder::Run("r1"), "a/b"))),
            ("models/m-1/artifacts", Some((Holder::LoggedModel("m-1"), ""))),
            ("models/m-1/artifacts/MLmodel", Some((Holder::LoggedModel("m-1"), "MLmodel"))),
            ("", None),
            ("r1", None),
            ("r1/other/a", None),
            ("r1/artifactsX/a", None),
            ("models", None),
            ("models/m-1", None),
            ("models/artifacts/x", None),
            ("models/m-1/x", None),
        ] {
            let path = inner(path);
            assert_eq!(path.holder(), expected.map(|(holder, rest)| (holder, inner(rest))), "{path:?}");
        }
        let place = ArtifactPath::of_holder(Holder::LoggedModel("m-1")).join(&inner("x"));
        assert_eq!(place.holder(), Some((Holder::LoggedModel("m-1"), inner("x"))));
        assert_eq!(inner("7/r1/artifacts").split_first(), Some(("7", inner("r1/artifacts"))));
        assert_eq!(inner("").split_first(), None);
    }

    /// Text made of what attacks are made of.
    fn nasty() -> impl Strategy<Value = String> {
        let pieces = proptest::sample::select(vec![
            "..", ".", "/", "\\", "%", "2e", "%2e", "%2f", "%5c", "%25", "25", "%00", "%17", "%ff", "%c3", "#", "C:",
            "file:", "a", "é", " ", "\n",
        ]);
        prop_oneof![proptest::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat()), any::<String>()]
    }

    fn is_plain(path: &str) -> bool {
        let plain = |segment: &str| !matches!(segment, "" | "." | "..") && !segment.chars().any(is_unsafe);
        path.is_empty() || path.split('/').all(plain)
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_plain_and_stays_the_same(text in nasty()) {
            if let Ok(path) = ArtifactPath::parse(&text) {
                prop_assert!(is_plain(path.as_str()) && !path.as_str().chars().any(has_no_plain_form));
                prop_assert_eq!(ArtifactPath::parse(path.as_str()), Ok(path.clone()));
                // Another percent-decoding on the way, by whatever rules, leads nowhere else.
                let bytes: Vec<u8> = percent_decode_str(path.as_str()).collect();
                let lossy = String::from_utf8_lossy(&bytes);
                prop_assert!(is_plain(&lossy), "{}", lossy);
                prop_assert_eq!(lossy.matches('/').count(), path.as_str().matches('/').count());
                if let Ok(decoded) = String::from_utf8(bytes) {
                    prop_assert_eq!(ArtifactPath::parse(&decoded), Ok(path));
                }
            }
        }
    }
}
