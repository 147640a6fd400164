//! Validation against the official JSON schemas, where they lie beside the repository.

#![expect(clippy::print_stderr, reason = "says what a run did not check")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Map, Value};

const CORE: &str = "https://schemas.stacspec.org/v1.1.0/item-spec/json-schema/item.json";

/// Schemas by their URL, read for validation.
static SCHEMAS: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/stac-schemas/schemas");
    let mut found = BTreeMap::new();
    if !root.is_dir() {
        eprintln!(
            "skipped: no official STAC schemas at ../shared/stac-schemas; documents are checked structurally only"
        );
        return found;
    }
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let url = format!("https://{}", path.strip_prefix(&root).unwrap().to_str().unwrap());
            if let Ok(schema) = serde_json::from_slice(&std::fs::read(&path).unwrap()) {
                found.insert(url, schema);
            }
        }
    }
    found
});

/// A validator for each schema that items may declare.
static VALIDATORS: LazyLock<BTreeMap<String, jsonschema::Validator>> = LazyLock::new(|| {
    let mut registry = jsonschema::Registry::new();
    for (url, schema) in
        SCHEMAS.iter().filter(|(url, _)| !url.contains("json-schema.org") && !url.contains("/storage/"))
    {
        registry = registry.add(url, schema.clone()).unwrap();
    }
    let registry = registry.prepare().unwrap();
    let wanted = |url: &str| url == CORE || url.contains("stac-extensions.github.io");
    let mut validators = BTreeMap::new();
    for (url, schema) in SCHEMAS.iter().filter(|(url, _)| wanted(url)) {
        let options = jsonschema::options().with_registry(&registry).with_base_uri(url.as_str());
        if let Ok(validator) = options.should_validate_formats(true).build(schema) {
            validators.insert(url.clone(), validator);
        }
    }
    validators
});

/// Panics if the document breaks the core schema or one that it declares (as far as the schemas are there).
pub(super) fn assert_valid(document: &Map<String, Value>) {
    if SCHEMAS.is_empty() {
        return;
    }
    // The stored form's own root stands for the hub's URL.
    let text = serde_json::to_string(document).unwrap().replace("\"perigee:/", "\"https://hub.test/");
    let document: Value = serde_json::from_str(&text).unwrap();
    let declared = document["stac_extensions"].as_array().unwrap().iter().map(|schema| schema.as_str().unwrap());
    for schema in std::iter::once(CORE).chain(declared) {
        let Some(validator) = VALIDATORS.get(schema) else {
            // `label` and what authors bring along are not mirrored.
            let ours = schema.starts_with("https://stac-extensions.github.io/");
            assert!(!ours || schema.contains("/label/"), "no schema {schema}");
            continue;
        };
        let errors: Vec<String> =
            validator.iter_errors(&document).map(|error| format!("{} at {}", error, error.instance_path())).collect();
        assert!(errors.is_empty(), "{schema}\n{}\n{document:#}", errors.join("\n"));
    }
}

#[test]
fn the_official_schemas_are_in_force_where_they_are() {
    if SCHEMAS.is_empty() {
        return;
    }
    let item = super::build(&super::project("", &[])).full;
    let mut wrong = Value::Object(item);
    wrong["bbox"] = Value::Null;
    wrong["properties"]["created"] = "yesterday".into();
    assert!(VALIDATORS[CORE].iter_errors(&wrong).count() >= 2);
    for name in [
        "eo/v1.1.0",
        "scientific/v1.0.0",
        "ml-model/v1.0.0",
        "mlm/v1.5.2",
        "file/v2.1.0",
        "processing/v1.2.0",
        "table/v1.2.0",
        "version/v1.2.0",
        "authentication/v1.1.0",
    ] {
        assert!(VALIDATORS.contains_key(&format!("https://stac-extensions.github.io/{name}/schema.json")), "{name}");
    }
}
