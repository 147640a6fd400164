//! Which files a rule's pattern selects: from the right, segment by segment (docs/catalog.md, "Front matter").

use glob::{MatchOptions, Pattern};

const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

/// A pattern of path segments. `*`, `?` and `[..]` stay within their segment, `**` is `*`.
#[derive(Debug)]
pub(super) struct Glob {
    /// The last one first.
    segments: Vec<Pattern>,
}

impl Glob {
    /// `None` if the pattern can match nothing: it is empty, absolute or too long.
    pub fn new(pattern: &str) -> Option<Self> {
        if pattern.starts_with('/') || pattern.len() > 500 {
            return None;
        }
        let segments = pattern.split('/').filter(|segment| !matches!(*segment, "" | ".")).map(segment);
        let mut segments = segments.collect::<Option<Vec<_>>>()?;
        segments.reverse();
        (!segments.is_empty()).then_some(Self { segments })
    }

    pub fn matches(&self, path: &str) -> bool {
        let mut parts = path.rsplit('/');
        self.segments.iter().all(|segment| parts.next().is_some_and(|part| segment.matches_with(part, OPTIONS)))
    }
}

fn segment(text: &str) -> Option<Pattern> {
    let mut pattern = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        match letter {
            '*' if pattern.ends_with('*') => {}
            // A bracket that nothing closes stands for itself.
            '[' if !closes(rest) => pattern.push_str("[[]"),
            '[' => {
                let end = class_end(rest)?;
                pattern.push('[');
                pattern.push_str(&rest[..end]);
                pattern.push(']');
                rest = &rest[end + 1..];
            }
            other => pattern.push(other),
        }
    }
    Pattern::new(&pattern).ok()
}

fn closes(rest: &str) -> bool {
    class_end(rest).is_some()
}

/// Where the class that has been opened before `rest` is closed; a `]` at its start is one of its letters.
fn class_end(rest: &str) -> Option<usize> {
    let start = usize::from(rest.starts_with('!'));
    let start = start + usize::from(rest[start..].starts_with(']'));
    rest[start..].find(']').map(|at| at + start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_from_the_right() {
        for (pattern, matching, others) in [
            ("*.py", &["c.py", "x/a/c.py", ".py", "x/.c.py"] as &[_], &["c.pyc", "c.PY", "a.py/b"] as &[_]),
            ("a/*.py", &["a/c.py", "x/a/c.py"], &["c.py", "a/b/c.py", "ba/c.py"]),
            ("README.md", &["README.md", "docs/README.md"], &["readme.md", "AREADME.md"]),
            ("**/*.py", &["a/c.py", "a/b/c.py"], &["c.py"]),
            ("data/**", &["data/a", "x/data/a"], &["data", "data/a/b"]),
            ("./a.?", &["a.b", "x/a.é"], &["a.", "a.bc"]),
            ("[ab]*.csv", &["a1.csv", "b.csv"], &["c.csv"]),
            ("[!ab].csv", &["c.csv"], &["a.csv"]),
            ("[]x].csv", &["].csv", "x.csv"], &["a.csv"]),
            ("a[.csv", &["a[.csv"], &["a.csv"]),
            ("{a,b}.csv", &["{a,b}.csv"], &["a.csv"]),
            ("a\\*.csv", &["a\\b.csv"], &["a*.csv"]),
            ("a***b", &["ab", "axb"], &["a/b"]),
            ("LICENSE*", &["LICENSE", "LICENSE.txt", "x/LICENSE"], &["LICENCE"]),
        ] {
            let glob = Glob::new(pattern).unwrap();
            for path in matching {
                assert!(glob.matches(path), "{pattern} {path}");
            }
            for path in others {
                assert!(!glob.matches(path), "{pattern} {path}");
            }
        }
        for pattern in ["", "/", "/a.py", ".", "./", &"x".repeat(501)] {
            assert!(Glob::new(pattern).is_none(), "{pattern}");
        }
    }

    #[test]
    fn many_stars_end_soon() {
        let glob = Glob::new(&format!("{}b", "*a".repeat(200))).unwrap();
        assert!(!glob.matches(&"a".repeat(250)));
    }
}
