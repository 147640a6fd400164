//! README and docs against the code: paths exist, tables are what the routes say.
//! `UPDATE_README=1 cargo test -p integration-tests readme` rewrites the tables.

use std::collections::BTreeSet;
use std::fmt::Write;

use shared::auth::AccessLevel;
use shared::route::{Route, Rule};

use crate::house::{files, read, root};

/// The groups whose paths begin behind `base`, in the order of the README.
fn groups(base: &str) -> Vec<(&'static str, Vec<Route>)> {
    let groups = local::groups::groups().into_iter().filter(|group| group.base == base);
    groups.map(|group| (group.function, group.routes)).collect()
}

/// A route's path with its `/api` and `/ajax-api` twins as one.
fn shown(path: &str, all: &BTreeSet<String>) -> String {
    let (short, twin) = match (path.strip_prefix("/api/"), path.strip_prefix("/ajax-api/")) {
        (Some(rest), _) => (rest, format!("/ajax-api/{rest}")),
        (_, Some(rest)) => (rest, format!("/api/{rest}")),
        _ => return path.to_owned(),
    };
    if all.contains(&twin) { format!("…/{short}") } else { path.to_owned() }
}

fn access(rule: Rule) -> &'static str {
    match rule {
        Rule::Anyone => "anyone",
        Rule::Level(AccessLevel::Guest) => "readers",
        Rule::Level(AccessLevel::Contributor) => "developers",
        Rule::Visitor(AccessLevel::Guest) => "visitors",
        Rule::Visitor(AccessLevel::ReadOnly) => "visitors who may read the code",
        Rule::Webhook => "GitLab",
        Rule::Level(other) | Rule::Visitor(other) => panic!("{other:?} needs a word in the README"),
    }
}

fn endpoint_table(base: &str) -> String {
    let mut table = "| method | path | who | function |\n|---|---|---|---|\n".to_owned();
    for (function, routes) in groups(base) {
        let all: BTreeSet<String> = routes.iter().map(|route| route.path.clone()).collect();
        let mut seen = BTreeSet::new();
        for route in routes.iter().filter(|route| route.implemented) {
            let path = shown(&route.path, &all);
            let row = format!("| {} | `{path}` | {} | {function} |\n", route.method, access(route.rule));
            if seen.insert(row.clone()) {
                table.push_str(&row);
            }
        }
    }
    table
}

fn missing_list(base: &str) -> String {
    let mut list = String::new();
    for (_, routes) in groups(base) {
        let all: BTreeSet<String> = routes.iter().map(|route| route.path.clone()).collect();
        let paths: BTreeSet<String> =
            routes.iter().filter(|route| !route.implemented).map(|route| shown(&route.path, &all)).collect();
        for path in paths {
            let _ = writeln!(list, "* `{path}`");
        }
    }
    list
}

/// Compares the text between two markers with `expected`, or replaces it.
#[track_caller]
fn check_generated(name: &str, expected: &str) {
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
    let readme = read("README.md");
    let (before, rest) = readme.split_once(&begin).unwrap_or_else(|| panic!("README.md lacks {begin}"));
    let (now, after) = rest.split_once(&end).unwrap_or_else(|| panic!("README.md lacks {end}"));
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(root().join("README.md"), format!("{before}{begin}{expected}{end}{after}")).unwrap();
        return;
    }
    assert_eq!(now, expected, "run UPDATE_README=1 cargo test -p integration-tests readme");
}

#[test]
fn readme_lists_the_endpoints() {
    // One test, so that they do not rewrite the file at once.
    check_generated("endpoints", &endpoint_table("/mlflow"));
    check_generated("other endpoints", &endpoint_table(""));
    check_generated("not implemented", &missing_list("/mlflow"));
    check_generated("other not implemented", &missing_list(""));
}

#[test]
fn readme_lists_the_settings() {
    let readme = read("README.md");
    let code = read("shared/src/config.rs");
    let settings: BTreeSet<&str> = code
        .split(|letter: char| !letter.is_ascii_uppercase() && letter != '_')
        .filter(|word| word.starts_with("PERIGEE_"))
        .collect();
    assert!(settings.len() >= 7);
    for setting in settings {
        assert!(readme.contains(&format!("`{setting}`")), "README.md does not explain {setting}");
    }
}

#[test]
fn named_paths_exist() {
    let mut documents = files("docs", ".md");
    documents.push("README.md".into());
    let mut named = 0;
    for document in documents {
        for path in paths_in(&read(&document)) {
            assert!(root().join(&path).exists(), "{document} names {path}, which does not exist");
            named += 1;
        }
    }
    assert!(named > 40, "only {named} paths found: this test looks for the wrong thing");
}

/// "`test_name` in `tests/file`" is true.
#[test]
fn named_tests_exist() {
    let mut named = 0;
    for document in files("docs", ".md") {
        let text = read(&document);
        let spans: Vec<_> = text.split('`').collect();
        for window in spans.windows(3).filter(|window| window[1] == " in " && window[2].starts_with("tests/")) {
            let [name, _, file] = window else { continue };
            assert!(
                read(file).contains(&format!("fn {name}(")) || read(file).contains(&format!("def {name}(")),
                "{document} names {name} in {file}, which is not there"
            );
            named += 1;
        }
    }
    assert!(named > 30, "only {named} tests found: this test looks for the wrong thing");
}

/// What reads as a path of this repository: code spans and link targets that begin with one of its entries,
/// and every line of the map of folders.
fn paths_in(text: &str) -> Vec<String> {
    let spans = text.split('`').skip(1).step_by(2);
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let tree = text.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_alphabetic() || first == '.'));
    let first_words = tree.filter_map(|line| line.split_whitespace().next());
    let tops = ["functions/", "shared/", "local/", "tests/", "docs/", "events/", ".ci/"];
    let names = ["Cargo.toml", "Cargo.lock", "Makefile", "template.yaml", "README.md", "LICENSE", ".editorconfig"];
    spans
        .chain(links)
        .chain(first_words)
        .filter(|path| tops.iter().any(|top| path.starts_with(top)) || names.contains(path))
        .filter(|path| !path.contains(['*', '<', '{', ' ', '\n', '…']))
        .map(|path| path.split(['#', ':']).next().unwrap_or(path).to_owned())
        .collect()
}
