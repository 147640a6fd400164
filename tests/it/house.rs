//! The rules of `docs/ARCHITECTURE.md` that a compiler does not hold: who depends on whom, what is
//! written where, how large a file may be.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// A file of the repository.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file below a folder that ends so, relative to the repository. What tools leave behind is no source.
pub fn files(folder: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with(['.', '_']) && name != "target" {
                folders.push(path);
            } else if name.ends_with(ending) {
                found.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn rust_sources() -> Vec<String> {
    ["shared/src", "functions", "local/src"].iter().flat_map(|folder| files(folder, ".rs")).collect()
}

/// Places in `sources` whose code, comments left out, holds `needle`.
fn uses(sources: &[String], needle: &str) -> Vec<String> {
    let mut places = Vec::new();
    for source in sources {
        for (number, line) in (1..).zip(read(source).lines()) {
            let code = line.split("//").next().unwrap_or_default();
            if code.contains(needle) {
                places.push(format!("{source}:{number}"));
            }
        }
    }
    places
}

#[track_caller]
fn only_in(needle: &str, allowed: &[&str]) {
    let places = uses(&rust_sources(), needle);
    assert!(!places.is_empty(), "nothing uses `{needle}`: this test looks for the wrong word");
    let strays: Vec<_> =
        places.iter().filter(|place| !allowed.iter().any(|allowed| place.starts_with(allowed))).collect();
    assert!(strays.is_empty(), "`{needle}` belongs into {allowed:?}, not {strays:?}");
}

#[test]
fn each_outside_world_has_one_door() {
    // `state.rs` wires the clients; the local hub chooses their endpoints.
    only_in("aws_sdk_dynamodb", &["shared/src/store/", "shared/src/state.rs", "shared/src/aws.rs", "local/src/"]);
    only_in("aws_sdk_s3", &["shared/src/objects", "shared/src/state.rs", "local/src/"]);
    only_in("lambda_http", &["shared/src/lambda.rs"]);
    only_in("lambda_runtime", &["shared/src/lambda.rs"]);
    only_in("reqwest", &["shared/src/gitlab/", "shared/src/secrets.rs", "shared/src/http_client.rs", "local/src/"]);
    only_in("dynoxide::", &["local/src/emulators/"]);
    only_in("s3s::", &["local/src/emulators/"]);
}

#[test]
fn no_failure_of_gitlab_goes_uncounted() {
    only_in("\"GitLab: ", &["shared/src/gitlab/client.rs"]);
}

#[test]
fn models_and_search_are_pure() {
    let pure: Vec<String> =
        ["shared/src/model", "shared/src/search"].iter().flat_map(|folder| files(folder, ".rs")).collect();
    assert!(pure.len() > 10);
    for needle in ["aws_", "axum", "lambda_", "reqwest", "tokio", "crate::store", "crate::auth", "std::env", "std::fs"]
    {
        assert_eq!(uses(&pure, needle), Vec::<String>::new(), "`{needle}` is I/O");
    }
}

#[test]
fn settings_and_time_have_one_source() {
    // `main.rs` of the local hub also hands over the SDK's own endpoint variables; a build script asks cargo.
    only_in("env::var", &["shared/src/config.rs", "local/src/main.rs", "functions/api-docs/build.rs"]);
    let hub: Vec<String> = ["shared/src", "functions"].iter().flat_map(|folder| files(folder, ".rs")).collect();
    let strays: Vec<_> =
        uses(&hub, "SystemTime").into_iter().filter(|place| !place.starts_with("shared/src/clock.rs")).collect();
    assert!(strays.is_empty(), "time comes from shared/src/clock.rs, which tests can set: {strays:?}");
}

/// Does a line hold a text like `"RUN#`, the beginning of a key?
fn writes_a_key(line: &str) -> bool {
    line.split('"').skip(1).any(|text| {
        let name = text.split('#').next().unwrap_or_default();
        text.contains('#') && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    })
}

#[test]
fn keys_are_written_in_one_file() {
    assert!(read("shared/src/store/keys.rs").lines().any(writes_a_key), "this test looks for the wrong thing");
    for source in rust_sources().iter().filter(|source| *source != "shared/src/store/keys.rs") {
        for (number, line) in (1..).zip(read(source).lines()) {
            assert!(!writes_a_key(line), "{source}:{number} writes a key; shared/src/store/keys.rs does that");
        }
    }
}

#[test]
fn files_are_rooms_not_halls() {
    let sources = ["shared", "functions", "local", "tests"].into_iter();
    let sources = sources.flat_map(|folder| [files(folder, ".rs"), files(folder, ".py")].concat());
    for source in sources {
        let lines = read(&source).lines().count();
        assert!(lines <= 500, "{source} has {lines} lines; find its second room");
        let name = source.rsplit('/').next().unwrap();
        let nondescript = ["utils", "util", "helpers", "common", "misc"];
        assert!(!nondescript.contains(&name.split('.').next().unwrap()), "{source}: say what is in it");
        let code = read(&source);
        let said = code.trim_start_matches("#!").trim_start();
        let opening = if name.ends_with(".rs") { said.starts_with("//!") } else { said.contains("\"\"\"") };
        assert!(opening || code.lines().count() < 10, "{source} does not say what it is for in its first line");
    }
}

/// The packages for this machine; those for others may not have been downloaded.
fn metadata() -> Metadata {
    let version = std::process::Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let options = ["--locked", "--filter-platform", host].map(str::to_owned);
    MetadataCommand::new().manifest_path(root().join("Cargo.toml")).other_options(options).exec().unwrap()
}

/// Names of what a package needs at run time, itself included, however indirectly.
fn linked(metadata: &Metadata, package: &str) -> BTreeSet<String> {
    let nodes = &metadata.resolve.as_ref().unwrap().nodes;
    let mut waiting = vec![metadata.packages.iter().find(|found| found.name == package).unwrap().id.clone()];
    let mut seen = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if seen.insert(id.clone()) {
            let node = nodes.iter().find(|node| node.id == id).unwrap();
            let normal = |dependency: &&cargo_metadata::NodeDep| {
                dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal)
            };
            waiting.extend(node.deps.iter().filter(normal).map(|dependency| dependency.pkg.clone()));
        }
    }
    metadata.packages.iter().filter(|found| seen.contains(&found.id)).map(|found| found.name.to_string()).collect()
}

#[test]
fn dependencies_point_one_way() {
    let metadata = metadata();
    let ours: BTreeSet<String> = metadata.workspace_packages().iter().map(|package| package.name.to_string()).collect();
    let needs = |package: &str| -> Vec<String> {
        linked(&metadata, package).into_iter().filter(|name| ours.contains(name) && name != package).collect()
    };
    assert_eq!(needs("shared"), Vec::<String>::new());
    for package in metadata.workspace_packages() {
        if !package.manifest_path.as_str().contains("/functions/") {
            continue;
        }
        let name = package.name.as_str();
        // The two hosts compose the groups; groups do not know of each other.
        let allowed = match name {
            "mlflow-project" => vec!["mlflow-artifacts", "mlflow-registry", "mlflow-tracking", "shared"],
            _ => vec!["shared"],
        };
        assert_eq!(needs(name), allowed, "{name}");
        let emulators = ["dynoxide-rs", "s3s", "s3s-fs", "rusqlite", "clap", "notify"];
        let all = linked(&metadata, name);
        assert!(all.contains("aws-sdk-dynamodb"), "{name}: this test sees no dependencies");
        for emulator in emulators {
            assert!(!all.contains(emulator), "{name} would be deployed with {emulator}");
        }
    }
    assert!(needs("local").contains(&"mlflow-project".to_owned()));
    assert!(linked(&metadata, "local").contains("dynoxide-rs"));
}

/// What a function links is compiled with the same features for each: built together, they carry nothing of their
/// neighbours', and built one by one they share it.
#[test]
fn functions_share_what_is_compiled() {
    let mut seen = BTreeMap::new();
    for folder in std::fs::read_dir(root().join("functions")).unwrap() {
        let function = folder.unwrap().file_name().into_string().unwrap();
        let arguments = [
            "tree",
            "--locked",
            "--offline",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--no-dedupe",
            "--format",
            "{p} [{f}]",
        ];
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
        let tree =
            Command::new(cargo).args(arguments).args(["--package", &function]).current_dir(root()).output().unwrap();
        let tree = String::from_utf8(tree.stdout).unwrap();
        assert!(tree.contains("aws-sdk-dynamodb v"), "{function} links no SDK?");
        for line in tree.lines() {
            let (package, features) = line.split_once(" [").unwrap();
            let (first, known) = seen.entry(package.to_owned()).or_insert((function.clone(), features.to_owned()));
            assert_eq!(features, known, "features of {package} for {function}, and for {first}");
        }
    }
    assert!(seen.len() > 200, "{}", seen.len());
}
