//! STAC extensions: what authors fill is checked, what is used is declared (docs/catalog.md, "Front matter").

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::asset::Assets;
use super::hrefs;
use super::instant;
use super::known::{EXTENSIONS, ML_MODEL};
use super::mlm;
use super::shape::{Field, Shape, may};
use super::source::Source;
use super::warnings::{Warnings, quoted};

pub(super) const FILE: &str = "https://stac-extensions.github.io/file/v2.1.0/schema.json";
pub(super) const MLM: &str = "https://stac-extensions.github.io/mlm/v1.5.2/schema.json";
const AUTHENTICATION: &str = "https://stac-extensions.github.io/authentication/v1.1.0/schema.json";
const VERSION: &str = "https://stac-extensions.github.io/version/v1.2.0/schema.json";

/// The scheme by which the hub's own files are read.
pub(super) const SCHEME: &str = "gitlab-token";

const VERSION_FIELDS: &[Field] =
    &[may("version", Shape::Word), may("deprecated", Shape::Bool), may("experimental", Shape::Bool)];

/// Folders of the schemas that are checked here: nobody may declare another version of them.
const CHECKED: &[&str] =
    &["eo", "label", "scientific", "ml-model", "mlm", "processing", "table", "version", "file", "authentication"];
const RESERVED: &[&str] = &["sharinghub", "gitlab", "auth", "file", "mlflow", "package", "container", "version"];

/// Is it the prefix of an extension that is known here?
pub(super) fn is_known(prefix: &str) -> bool {
    prefix == "mlm" || EXTENSIONS.iter().any(|extension| extension.prefix == prefix)
}

/// Is it the schema of the extension whose properties begin with `prefix:`?
pub(super) fn is_of(schema: &str, prefix: &str) -> bool {
    let prefix = prefix.trim_end_matches(':');
    prefix == "mlm" && schema == MLM
        || EXTENSIONS.iter().any(|extension| extension.prefix == prefix && extension.schema == schema)
}

/// Is this key of the front matter the block of an extension?
pub(super) fn takes(source: &Source, name: &str, value: &Value) -> bool {
    is_known(name)
        || name == "version" && value.is_object()
        || value.is_object() && own(source).any(|(prefix, _)| prefix == name)
}

/// Writes the extensions' properties and the fields that they need on assets. Returns the schemas in use, sorted.
pub(super) fn apply(
    source: &Source,
    properties: &mut Map<String, Value>,
    assets: &mut Assets,
    warnings: &mut Warnings,
) -> BTreeSet<String> {
    let mut schemas = BTreeSet::new();
    for extension in EXTENSIONS {
        let mut fields =
            checked(extension.prefix, extension.fields, block(source, extension.prefix, warnings), warnings);
        match extension.prefix {
            "eo" => bands(&mut fields, assets, warnings),
            "sci" => cited(source, &mut fields),
            _ => {}
        }
        let missing = extension.fields.iter().find(|field| field.required && !fields.contains_key(field.name));
        match missing {
            _ if fields.is_empty() => {}
            Some(field) => {
                warnings.say(format!("`{}` is left out: `{}` is missing or wrong", extension.prefix, field.name));
            }
            None => {
                schemas.insert(extension.schema.to_owned());
                properties
                    .extend(fields.into_iter().map(|(name, value)| (format!("{}:{name}", extension.prefix), value)));
            }
        }
    }
    for (name, value) in checked("version", VERSION_FIELDS, version_block(source), warnings) {
        properties.insert(name, value);
    }
    if VERSION_FIELDS.iter().any(|field| properties.contains_key(field.name)) {
        schemas.insert(VERSION.to_owned());
    }
    refusals(source, warnings);
    for (prefix, schema) in own(source) {
        if let Some(Value::Object(entries)) = source.front.get(prefix) {
            let entries = entries.iter().filter(|(name, value)| !name.is_empty() && !value.is_null());
            properties.extend(entries.map(|(name, value)| (format!("{prefix}:{name}"), value.clone())));
            schemas.insert(schema);
        }
    }
    if schemas.iter().any(|schema| schema.contains("ml-model")) {
        assets.mark_checkpoints();
    }
    let legacy = schemas.contains(ML_MODEL);
    if mlm::apply(source, block(source, "mlm", warnings), legacy, properties, assets, warnings) {
        schemas.insert(MLM.to_owned());
    }
    schemas
}

/// Declares what the final assets need.
pub(super) fn declare_for_assets(assets: &Assets, properties: &mut Map<String, Value>, schemas: &mut BTreeSet<String>) {
    // These may describe the item only where an asset has them.
    for name in ["eo:bands", "bands"] {
        if !assets.any_has(name) {
            properties.remove(name);
        }
    }
    if assets.any_has("file:") {
        schemas.insert(FILE.to_owned());
    }
    if assets.any_has("auth:") {
        schemas.insert(AUTHENTICATION.to_owned());
        let scheme = json!({
            "type": "apiKey",
            "in": "header",
            "name": "X-Gitlab-Token",
            "description": "A GitLab access token of scope read_api, where the project is not open to everybody",
        });
        properties.insert("auth:schemes".into(), json!({ SCHEME: scheme }));
    }
}

/// What the front matter says under a prefix: the mapping of that name, and keys `prefix:name`.
fn block(source: &Source, prefix: &str, warnings: &mut Warnings) -> Map<String, Value> {
    let mut block = match source.front.get(prefix) {
        Some(Value::Object(fields)) => fields.clone(),
        None | Some(Value::Null) => Map::new(),
        Some(_) => {
            warnings.say(format!("`{prefix}` is ignored: it is no mapping"));
            Map::new()
        }
    };
    for (name, value) in &source.front {
        if let Some(name) = name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix(':')) {
            block.entry(name).or_insert_with(|| value.clone());
        }
    }
    block
}

fn version_block(source: &Source) -> Map<String, Value> {
    source.front.get("version").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// The entries that are as the extension wants them.
pub(super) fn checked(
    prefix: &str,
    fields: &[Field],
    block: Map<String, Value>,
    warnings: &mut Warnings,
) -> Map<String, Value> {
    let mut good = Map::new();
    for (name, value) in block {
        let field = fields.iter().find(|field| field.name == name);
        let value = match field {
            Some(Field { shape: Shape::Instant, .. }) => {
                value.as_str().and_then(instant::parse).map_or(value, Value::String)
            }
            _ => value,
        };
        match field {
            Some(field) if field.shape.fits(&value) => drop(good.insert(name, value)),
            // Nothing said.
            _ if value.is_null() => {}
            Some(_) => warnings.say(format!("{} has a value of another type", quoted(&format!("{prefix}:{name}")))),
            None => warnings.say(format!("{} is not known", quoted(&format!("{prefix}:{name}")))),
        }
    }
    good
}

/// `eo:bands` may describe the item only where an asset has them.
fn bands(fields: &mut Map<String, Value>, assets: &mut Assets, warnings: &mut Warnings) {
    if let Some(bands) = fields.get("bands").cloned()
        && !assets.describe_data("eo:bands", &bands)
    {
        warnings.say("`eo:bands` is left out: no asset has the role `data`");
        fields.remove("bands");
    }
}

/// What the README cites goes before what its front matter says.
fn cited(source: &Source, fields: &mut Map<String, Value>) {
    let Some((first, others)) = source.readme.publications.split_first() else { return };
    if fields.get("doi").and_then(Value::as_str) != Some(&first.doi) {
        fields.remove("citation");
        fields.insert("doi".into(), json!(first.doi));
    }
    if !first.citation.is_empty() {
        fields.insert("citation".into(), json!(first.citation));
    }
    if !others.is_empty() {
        let publication = |work: &super::readme::Publication| json!({"doi": work.doi, "citation": work.citation});
        fields.insert("publications".into(), others.iter().map(publication).collect());
    }
}

/// Extensions that the front matter brings along: prefix and schema.
fn own<'a>(source: &'a Source) -> impl Iterator<Item = (&'a str, String)> {
    let listed = source.front.get("extensions").and_then(Value::as_object).into_iter().flatten();
    listed.filter_map(|(prefix, schema)| Some((prefix.as_str(), own_schema(prefix, schema)?)))
}

fn own_schema(prefix: &str, schema: &Value) -> Option<String> {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    let named = (1..=40).contains(&prefix.len()) && prefix.bytes().all(letters);
    let schema = hrefs::web(schema.as_str()?).filter(|url| url.starts_with("http"))?;
    let checked = CHECKED.iter().any(|folder| schema.contains(&format!("stac-extensions.github.io/{folder}/")));
    (named && !is_known(prefix) && !RESERVED.contains(&prefix) && !checked).then_some(schema)
}

fn refusals(source: &Source, warnings: &mut Warnings) {
    match source.front.get("extensions") {
        None | Some(Value::Null) => {}
        Some(Value::Object(listed)) => {
            for (prefix, schema) in listed {
                if !is_known(prefix) && own_schema(prefix, schema).is_none() {
                    warnings.say(format!(
                        "the extension {} is ignored: its prefix or its schema cannot be used",
                        quoted(prefix)
                    ));
                }
            }
        }
        Some(_) => warnings.say("`extensions` is ignored: it is no mapping of prefixes to schemas"),
    }
}
