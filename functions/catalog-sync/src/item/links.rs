//! The links of an item (docs/catalog.md, "Items").

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use url::Url;

use super::assets::{model_name, preview};
use super::hrefs::{self, Reach};
use super::source::Source;
use super::text::{cut, line, slug};
use super::warnings::{Warnings, quoted};

/// Relations by which the hub itself tells clients where to go.
const OURS: &[&str] = &[
    "self",
    "root",
    "parent",
    "collection",
    "child",
    "children",
    "item",
    "items",
    "next",
    "prev",
    "previous",
    "first",
    "last",
    "data",
    "search",
    "conformance",
    "service-desc",
    "service-doc",
];
/// More of one kind are not listed.
const AUTHORED: usize = 100;
const LISTED: usize = 50;
const GEOJSON: &str = "application/geo+json";

/// All links, in the order of the specification. `license` is where the license's text is.
pub(super) fn links(
    source: &Source,
    license: Option<&str>,
    properties: &Map<String, Value>,
    warnings: &mut Warnings,
) -> Vec<Value> {
    let project = source.project;
    let collection = hrefs::collection(&source.category.id);
    let json_type = "application/json";
    let mut links = vec![
        json!({"rel": "self", "type": GEOJSON, "href": hrefs::item(&source.category.id, &project.path)}),
        json!({"rel": "parent", "type": json_type, "href": collection}),
        json!({"rel": "root", "type": json_type, "href": hrefs::root()}),
        json!({"rel": "collection", "type": json_type, "href": collection}),
    ];
    let web = hrefs::web(&project.web_url).map(|url| url.trim_end_matches('/').to_owned());
    if let Some(web) = &web {
        links.push(json!({"rel": "about", "type": "text/html", "href": web, "title": "GitLab project"}));
        links.push(
            json!({"rel": "bug_tracker", "type": "text/html", "href": format!("{web}/issues"), "title": "Bug Tracker"}),
        );
    }
    authored(source, &mut links, warnings);
    related(source, &mut links, warnings);
    if let Some(preview) = preview(source) {
        let mut link = json!({"rel": "preview", "href": preview.href});
        if let Some(media_type) = preview.media_type {
            link["type"] = json!(media_type);
        }
        links.push(link);
    }
    if let Some(href) = license {
        links.push(json!({"rel": "license", "href": href}));
    }
    packages(source, &mut links);
    containers(source, web.as_deref(), &mut links);
    mlflow(source, &mut links);
    if let Some(href) = properties.get("sci:doi").and_then(Value::as_str).and_then(doi_href) {
        links.push(json!({"rel": "cite-as", "href": href}));
    }
    links
}

fn doi_href(doi: &str) -> Option<String> {
    hrefs::web(&format!("https://doi.org/{}", doi.replace('%', "%25").replace('?', "%3F").replace('#', "%23")))
}

/// The front matter's own links.
fn authored(source: &Source, links: &mut Vec<Value>, warnings: &mut Warnings) {
    let entries = match source.front.get("links") {
        None | Some(Value::Null) => return,
        Some(Value::Array(entries)) => entries,
        Some(_) => return warnings.say("`links` is ignored: it is no list"),
    };
    if entries.len() > AUTHORED {
        warnings.say(format!("only the first {AUTHORED} entries of `links` are read"));
    }
    for entry in entries.iter().take(AUTHORED) {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        let (Some(rel), Some(reference)) = (text("rel"), text("href")) else {
            warnings.say("a link is ignored: it has no `rel` or no `href`");
            continue;
        };
        if OURS.contains(&rel.to_lowercase().as_str()) || rel.starts_with("mlflow:") || rel.len() > 100 {
            warnings.say(format!("a link is ignored: its `rel` {} is not for authors to give", quoted(rel)));
            continue;
        }
        let Some(href) = hrefs::href(source, reference, Reach::Web) else {
            warnings.say(format!("the link {} is ignored: it leads nowhere", quoted(reference)));
            continue;
        };
        let mut link = json!({"rel": rel, "href": href});
        for name in ["type", "title", "description"] {
            if let Some(text) = text(name) {
                link[name] = json!(cut(text, 1_000));
            }
        }
        links.push(link);
    }
}

/// `related: {collection: URL or URLs}` says what the project is made from.
fn related(source: &Source, links: &mut Vec<Value>, warnings: &mut Warnings) {
    let entries = match source.front.get("related") {
        None | Some(Value::Null) => return,
        Some(Value::Object(entries)) => entries,
        Some(_) => return warnings.say("`related` is ignored: it is no mapping of collections to projects"),
    };
    let pairs = entries.iter().flat_map(|(name, value)| match value {
        Value::Array(references) => references.iter().map(|reference| (name, reference)).collect(),
        other => vec![(name, other)],
    });
    for (name, reference) in pairs.take(AUTHORED) {
        let path = reference.as_str().and_then(|text| match Url::parse(text) {
            Ok(url) => matches!(url.scheme(), "http" | "https").then(|| hrefs::project_path(source, &url))?,
            Err(_) => Some(text.trim_matches('/').to_owned()).filter(|path| hrefs::is_project(path)),
        });
        match (source.category_named(name), path) {
            (Some(id), Some(path)) => links.push(json!({
                "rel": "derived_from",
                "type": GEOJSON,
                "title": format!("{id}: {path}"),
                "href": hrefs::item(id, &path),
            })),
            (None, _) => warnings.say(format!("{} in `related` is no collection", quoted(name))),
            (_, None) => warnings.say(format!("an entry of {} in `related` is no project", quoted(name))),
        }
    }
}

/// The newest package of each name.
fn packages(source: &Source, links: &mut Vec<Value>) {
    let mut names = BTreeSet::new();
    let packages = source.repository.iter().flat_map(|repository| &repository.packages);
    for package in packages.filter(|package| names.insert(package.name.as_str())).take(LISTED) {
        if let Some(href) = hrefs::web(&package.web_url) {
            links.push(json!({
                "rel": "package",
                "href": href,
                "title": line(&format!("Package {}", package.name)),
                "package:name": package.name,
                "package:type": slug(&package.kind),
            }));
        }
    }
}

/// Images, except snapshots and tags that are hashes.
fn containers(source: &Source, web: Option<&str>, links: &mut Vec<Value>) {
    let Some(web) = web else { return };
    let containers = source.repository.iter().flat_map(|repository| &repository.containers);
    for container in containers.filter(|container| !container.name.starts_with("snapshot")).take(LISTED) {
        let tags: Vec<&String> = container.tags.iter().filter(|tag| !has_hash(tag)).take(LISTED).collect();
        links.push(json!({
            "rel": "container",
            "href": format!("{web}/container_registry/{}", container.id),
            "title": line(&format!("Image {}", container.location)),
            "container:image": container.location,
            "container:tags": tags,
        }));
    }
}

/// 64 hexadecimal digits in a row?
fn has_hash(tag: &str) -> bool {
    tag.split(|letter: char| !letter.is_ascii_hexdigit()).any(|digits| digits.len() >= 64)
}

fn mlflow(source: &Source, links: &mut Vec<Value>) {
    let tracking = hrefs::tracking(&source.project.path);
    if source.categories.iter().any(|category| category.features.get("mlflow").copied().unwrap_or(false)) {
        links.push(json!({"rel": "mlflow:tracking-uri", "href": tracking, "title": "MLflow - Tracking URI"}));
    }
    for version in source.models.iter().take(LISTED) {
        links.push(json!({
            "rel": "mlflow:model",
            "href": format!("{tracking}#/models/{}/versions/{}", hrefs::encoded(&version.model), version.version),
            "title": format!("{} v{}", model_name(source, version), version.version),
            "mlflow:uri": format!("models:/{}/{}", version.model, version.version),
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_no_tags() {
        assert!(has_hash(&"a1".repeat(32)));
        assert!(has_hash(&format!("sha256-{}.sig", "0f".repeat(32))));
        assert!(!has_hash(&"a1".repeat(31)));
        assert!(!has_hash("v1.2.3"));
    }
}
