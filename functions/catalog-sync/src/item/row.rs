//! The facts by which searches find a document.

use serde_json::{Map, Value};
use shared::catalog::{Facts, OWN_URL, Scalar};

use super::instant;
use super::spatial::Extent;
use super::text::cut;

const TEXT: usize = 2_000;
/// All properties together, bytes.
const PROPERTIES: usize = 4 * 1024;
/// Longer texts cannot be compared.
const LONGEST: usize = 1_000;

/// What to say first if not everything fits.
const FIRST: &[&str] = &[
    "title",
    "datetime",
    "start_datetime",
    "end_datetime",
    "created",
    "updated",
    "license",
    "keywords",
    "gitlab:topics",
    "gitlab:tags",
];

/// The facts of a document that lies at `extent`.
pub(super) fn facts(document: &Map<String, Value>, extent: Option<&Extent>) -> Facts {
    let empty = Map::new();
    let properties = document.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let text_of = |fields: &Map<String, Value>, name: &str| {
        fields.get(name).and_then(Value::as_str).unwrap_or_default().to_lowercase()
    };
    let keywords = properties.get("keywords").and_then(Value::as_array).into_iter().flatten();
    let mut lines = vec![text_of(properties, "title"), text_of(document, "id")];
    lines.extend(keywords.filter_map(Value::as_str).map(str::to_lowercase));
    let description = text_of(properties, "description");
    // On one line, without the hub's own URLs.
    let words = description.split_whitespace().filter(|word| !word.contains(OWN_URL));
    lines.push(words.collect::<Vec<_>>().join(" "));
    let instant = |name: &str| properties.get(name).and_then(Value::as_str).and_then(instant::milliseconds);
    Facts {
        text: cut(&lines.join("\n"), TEXT).to_owned(),
        start: instant("start_datetime").or_else(|| instant("datetime")).unwrap_or_default(),
        end: instant("end_datetime").or_else(|| instant("datetime")).unwrap_or_default(),
        bbox: extent.map(Extent::cover),
        geometry: extent.map(|extent| extent.geometry.to_string()),
        properties: comparable(document, properties),
    }
}

/// The properties that can be compared, as far as they fit, sorted.
fn comparable(document: &Map<String, Value>, properties: &Map<String, Value>) -> Vec<(String, Scalar)> {
    let own = ["id", "collection"].into_iter().filter_map(|name| document.get(name).map(|value| (name, value)));
    let others = properties.iter().map(|(name, value)| (name.as_str(), value));
    let others = others.filter(|(name, _)| !matches!(*name, "id" | "collection" | "sharinghub:warnings"));
    let mut entries: Vec<(&str, &Value)> = own.chain(others).collect();
    let rank = |name: &str| match name {
        "id" | "collection" => 0,
        "description" => 4,
        name if FIRST.contains(&name) => 1,
        name if name.starts_with("sharinghub:") => 2,
        _ => 3,
    };
    entries.sort_by_key(|(name, _)| (rank(name), *name));
    let mut left = PROPERTIES;
    let mut kept: Vec<(String, Scalar)> = Vec::new();
    for (name, value) in entries {
        if let Some(scalar) = scalar(value)
            && let Some(rest) = left.checked_sub(name.len() + size(&scalar))
        {
            left = rest;
            kept.push((name.to_owned(), scalar));
        }
    }
    kept.sort_by(|one, other| one.0.cmp(&other.0));
    kept
}

fn scalar(value: &Value) -> Option<Scalar> {
    match value {
        Value::Bool(truth) => Some(Scalar::Bool(*truth)),
        Value::Number(number) => number.as_f64().map(Scalar::Number),
        Value::String(text) => (text.len() <= LONGEST).then(|| Scalar::Text(text.clone())),
        Value::Array(items) => {
            let scalars = items.iter().map(|item| scalar(item).filter(|scalar| !matches!(scalar, Scalar::List(_))));
            scalars.collect::<Option<_>>().map(Scalar::List)
        }
        Value::Null | Value::Object(_) => None,
    }
}

fn size(scalar: &Scalar) -> usize {
    match scalar {
        Scalar::Bool(_) => 1,
        Scalar::Number(_) => 8,
        Scalar::Text(text) => text.len() + 2,
        Scalar::List(items) => items.iter().map(size).sum::<usize>() + 2,
    }
}
