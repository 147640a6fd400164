//! The properties of an item, except those of extensions (docs/catalog.md, "Items").

use serde_json::{Map, Value, json};

use super::extensions;
use super::instant;
use super::providers;
use super::shape::{DATA_TYPES, Field, NUMBER, Shape, TEXTS, may};
use super::source::Source;
use super::text::{cut, line, plain};
use super::warnings::{Warnings, quoted};

const BANDLESS: &[&str] = &["nan", "inf", "-inf"];

/// STAC's common metadata: fields that authors may write, but only so.
const COMMON: &[Field] = &[
    may("title", Shape::Word),
    may("description", Shape::Word),
    may("keywords", TEXTS),
    may("roles", TEXTS),
    may("platform", Shape::Text),
    may("instruments", TEXTS),
    may("constellation", Shape::Text),
    may("mission", Shape::Text),
    may("gsd", Shape::Above(0.0)),
    may("data_type", Shape::OneOf(DATA_TYPES)),
    may("nodata", Shape::Either(&[NUMBER, Shape::OneOf(BANDLESS)])),
    may("unit", Shape::Text),
    may("version", Shape::Word),
    may("deprecated", Shape::Bool),
    may("experimental", Shape::Bool),
    may(
        "statistics",
        Shape::Is(|value| value.as_object().is_some_and(|map| !map.is_empty()) && STATISTICS.fits(value)),
    ),
];
const STATISTICS: Shape = Shape::Map(&[
    may("minimum", NUMBER),
    may("maximum", NUMBER),
    may("mean", NUMBER),
    may("stddev", NUMBER),
    may("count", Shape::Integer(0)),
    may("valid_percent", Shape::Number(0.0, 100.0)),
]);

/// Keys of the front matter that have a place of their own.
const CONSUMED: &[&str] = &[
    "preview",
    "license",
    "license-url",
    "extent",
    "providers",
    "sharinghub",
    "extensions",
    "links",
    "related",
    "assets",
    "start_datetime",
    "end_datetime",
];
/// Fields of the document itself: as properties they would say two things.
const OF_THE_ITEM: &[&str] =
    &["id", "type", "collection", "geometry", "bbox", "stac_version", "stac_extensions", "bands", "properties"];
const INSTANTS: &[&str] = &["datetime", "created", "updated"];
/// What the hub alone says.
const SYSTEM: &[&str] = &["sharinghub", "gitlab", "auth", "file", "mlflow", "storage", "package", "container"];

/// All properties but `license` and those of extensions.
pub(super) fn properties(source: &Source, warnings: &mut Warnings) -> Map<String, Value> {
    let project = source.project;
    let mut properties = Map::new();
    let title = line(&project.name);
    properties.insert("title".into(), if title.is_empty() { json!(project.path) } else { json!(title) });
    let described = plain(cut(&project.description, super::readme::DESCRIPTION));
    let description = if source.readme.description.is_empty() { described.trim() } else { &source.readme.description };
    if !description.is_empty() {
        properties.insert("description".into(), json!(description));
    }
    let updated = instant::parse(&project.last_activity_at);
    let created = instant::parse(&project.created_at);
    let updated = updated.or_else(|| created.clone()).unwrap_or_else(|| "1970-01-01T00:00:00Z".into());
    let created = created.filter(|created| instant::milliseconds(created) <= instant::milliseconds(&updated));
    let created = created.unwrap_or_else(|| updated.clone());
    properties.insert("datetime".into(), json!(updated));
    properties.insert("created".into(), json!(created));
    properties.insert("updated".into(), json!(updated));
    properties.insert("keywords".into(), json!(source.tags()));
    properties.insert("providers".into(), providers::providers(source, warnings));
    let (start, end) = temporal(source, warnings).unwrap_or((created, updated));
    properties.insert("start_datetime".into(), json!(start));
    properties.insert("end_datetime".into(), json!(end));
    authored(source, &mut properties, warnings);
    hub(source, &mut properties, warnings);
    properties
}

/// What else the front matter says.
fn authored(source: &Source, properties: &mut Map<String, Value>, warnings: &mut Warnings) {
    for (name, value) in &source.front {
        let prefix = name.split_once(':').map(|(prefix, _)| prefix);
        let consumed = CONSUMED.contains(&name.as_str())
            || extensions::takes(source, name, value)
            || prefix.is_some_and(|prefix| prefix == "sharinghub" || extensions::is_known(prefix));
        if consumed || value.is_null() {
            continue;
        }
        let refused = SYSTEM.contains(&prefix.unwrap_or(name)) || OF_THE_ITEM.contains(&name.as_str());
        if refused || name.trim().is_empty() || name.len() > 200 {
            warnings.say(format!("{} is ignored: it is not for authors to say", quoted(name)));
        } else if INSTANTS.contains(&name.as_str()) {
            match value.as_str().and_then(instant::parse) {
                Some(instant) => drop(properties.insert(name.clone(), json!(instant))),
                None => warnings.say(format!("{} is ignored: it is no RFC 3339 instant and no date", quoted(name))),
            }
        } else if COMMON.iter().any(|field| field.name == name && !field.shape.fits(value)) {
            warnings.say(format!("{} is ignored: STAC wants another type of value there", quoted(name)));
        } else {
            let title = value.as_str().filter(|_| name == "title").map(|title| json!(line(title)));
            properties.insert(name.clone(), title.unwrap_or_else(|| value.clone()));
        }
    }
}

/// First and last instant of the data: `extent.temporal` as a pair or as in STAC collections, or the two properties.
fn temporal(source: &Source, warnings: &mut Warnings) -> Option<(String, String)> {
    let extent = source.front.get("extent").and_then(|extent| extent.get("temporal"));
    let fields = ["start_datetime", "end_datetime"].map(|name| source.front.get(name));
    let (what, pair) = match (extent, fields) {
        (Some(extent), _) if !extent.is_null() => {
            let pair = extent.get("interval").unwrap_or(extent);
            let pair = pair.get(0).filter(|inner| inner.is_array()).unwrap_or(pair);
            ("`extent.temporal` is", [pair.get(0), pair.get(1)])
        }
        (_, [None, None]) => return None,
        (_, pair) => ("`start_datetime` and `end_datetime` are", pair),
    };
    let pair = interval(source, pair);
    if pair.is_none() {
        warnings.say(format!("{what} ignored: no two RFC 3339 instants or dates, the first one first"));
    }
    pair
}

/// An open end is where the project's own time begins or ends.
fn interval(source: &Source, [start, end]: [Option<&Value>; 2]) -> Option<(String, String)> {
    let open = |value: &Value| value.is_null() || matches!(value.as_str(), Some("" | ".."));
    let (start, end) = (start?, end?);
    let (start, end) = match (open(start), open(end)) {
        (true, true) => return None,
        (false, false) => (instant::parse(start.as_str()?)?, instant::parse_end(end.as_str()?)?),
        (false, true) => {
            let start = instant::parse(start.as_str()?)?;
            let end = later(&start, instant::parse(&source.project.last_activity_at));
            (start, end)
        }
        (true, false) => {
            let end = instant::parse_end(end.as_str()?)?;
            let created = instant::parse(&source.project.created_at);
            let before = created.filter(|created| instant::milliseconds(created) <= instant::milliseconds(&end));
            (before.unwrap_or_else(|| end.clone()), end)
        }
    };
    (instant::milliseconds(&start) <= instant::milliseconds(&end)).then_some((start, end))
}

fn later(start: &str, other: Option<String>) -> String {
    let after = |other: &String| instant::milliseconds(other) >= instant::milliseconds(start);
    other.filter(after).unwrap_or_else(|| start.to_owned())
}

/// `sharinghub:*` and `gitlab:*`.
fn hub(source: &Source, properties: &mut Map<String, Value>, warnings: &mut Warnings) {
    let project = source.project;
    properties.insert("gitlab:topics".into(), json!(project.topics));
    properties.insert("gitlab:tags".into(), json!(source.tags()));
    let mut ours = Map::new();
    ours.insert("id".into(), json!(project.id.0));
    ours.insert("name".into(), json!(project.full_name));
    ours.insert("path".into(), json!(project.path));
    ours.insert("stars".into(), json!(project.stars));
    ours.insert("default-branch".into(), json!(source.branch));
    let without_dvc = !source.files.is_empty() && !source.files.keys().any(|path| path.starts_with(".dvc/"));
    ours.insert("dvc-init".into(), word(!without_dvc));
    let flat = source.front.iter().filter_map(|(name, value)| Some((name.strip_prefix("sharinghub:")?, value)));
    let block = source.front.get("sharinghub").and_then(Value::as_object);
    if source.front.get("sharinghub").is_some_and(|value| !value.is_object() && !value.is_null()) {
        warnings.say("`sharinghub` is ignored: it is no mapping");
    }
    let features = source.category_features();
    for (name, on) in features {
        ours.insert(name.clone(), word(*on));
    }
    let authored: Vec<_> =
        block.into_iter().flatten().map(|(name, value)| (name.as_str(), value)).chain(flat).collect();
    for (name, value) in authored {
        let switch = match value {
            Value::Bool(on) => Some(word(*on)),
            Value::String(text) if matches!(text.as_str(), "enable" | "disable") => Some(value.clone()),
            _ => None,
        };
        let value = match (features.contains_key(name), switch) {
            (true, Some(switch)) => switch,
            (true, None) => {
                warnings.say(format!("`sharinghub.{}` is ignored: it is neither enable nor disable", cut(name, 60)));
                continue;
            }
            (false, _) if ours.contains_key(name) || matches!(name, "access-level" | "warnings" | "") => {
                warnings.say(format!("`sharinghub.{}` is ignored: it is not for authors to say", cut(name, 60)));
                continue;
            }
            (false, _) => value.clone(),
        };
        if name.len() <= 100 && !value.is_null() {
            properties.insert(format!("sharinghub:{name}"), value);
        }
    }
    for (name, value) in ours {
        properties.entry(format!("sharinghub:{name}")).or_insert(value);
    }
}

fn word(on: bool) -> Value {
    json!(if on { "enable" } else { "disable" })
}
