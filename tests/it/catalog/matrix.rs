//! Who sees what: each kind of caller with each kind of project, by item and by every kind of search.

use local::gitlab::{Feature, Visibility};
use serde_json::{Value, json};
use shared::catalog::Sight;

use super::*;
use crate::hub::{DEVELOPER, GUEST, OUTSIDER, READ_ONLY};

use Sight::{Code, Hidden, Project as Outside};

/// Nobody's member, and external.
pub const EXTERNAL: &str = "glpat-local-maintainer";
/// An animal for each part of a README that searches may find.
const README: &str = "---\ntitle: Zebra\nmission: quagga\nkeywords: [okapi]\nlicense: mit\nextent:\n  \
    spatial: POLYGON ((100 10, 101 10, 101 11, 100 11, 100 10))\n  temporal: [1999-01-01, 1999-12-31]\n\
    assets: [\"*.onnx\"]\n---\n# Body\n\nOnly here is the wombat.\n";
/// Words that come from the repository alone.
pub const WORDS: [&str; 8] = ["zebra", "quagga", "okapi", "wombat", "mit\"", "1999-", "gazelle", "panda"];

/// Name, visibility, who reads the repository, and how much each of [`CALLERS`] sees.
const PROJECTS: [(&str, Visibility, Feature, [Sight; 9]); 7] = [
    ("open", Visibility::Public, Feature::Enabled, [Code, Code, Code, Code, Code, Code, Code, Code, Code]),
    ("members", Visibility::Public, Feature::Private, [Outside, Outside, Outside, Code, Code, Code, Code, Code, Code]),
    ("off", Visibility::Public, Feature::Disabled, [Outside; 9]),
    ("inside", Visibility::Internal, Feature::Enabled, [Hidden, Code, Hidden, Code, Code, Code, Code, Code, Code]),
    ("core", Visibility::Internal, Feature::Private, [Hidden, Outside, Hidden, Code, Code, Code, Code, Code, Code]),
    (
        "closed",
        Visibility::Private,
        Feature::Enabled,
        [Hidden, Hidden, Hidden, Outside, Outside, Code, Code, Code, Code],
    ),
    (
        "sealed",
        Visibility::Private,
        Feature::Private,
        [Hidden, Hidden, Hidden, Outside, Outside, Code, Code, Code, Code],
    ),
];
pub const CALLERS: [&str; 9] =
    [NOBODY, OUTSIDER, EXTERNAL, GUEST, "glpat-local-guest-ro", REPORTER, DEVELOPER, READ_ONLY, ADMIN];

pub fn path(name: &str) -> String {
    format!("earth/tools/{name}")
}

/// A hub with the seven projects.
pub async fn matrix() -> Hub {
    let hub = Hub::start().await;
    for (number, (name, visibility, repository, _)) in PROJECTS.into_iter().enumerate() {
        let path = path(name);
        add_project(&hub, FIRST + number as u64, &path, visibility, "aimodel", README);
        hub.world.put_file(&path, "panda.onnx", "weights").unwrap();
        hub.world.add_release(&path, "gazelle", "Gazelle", "Out.").unwrap();
        hub.world
            .edit_project(&path, |project| {
                project.repository = repository;
                project.topics.push("lion".into());
                "2024-05-05T00:00:00.000Z".clone_into(&mut project.created_at);
                "2025-05-05T00:00:00.000Z".clone_into(&mut project.last_activity_at);
            })
            .unwrap();
    }
    hub.world.set_role("maintainer", "earth", None).unwrap();
    hub.world.set_external("maintainer", true).unwrap();
    everything(&hub).await;
    hub
}

/// Searches that only what is in the repository can answer.
pub fn by_code() -> Vec<Vec<(&'static str, &'static str)>> {
    vec![
        vec![("q", "zebra")],
        vec![("q", "wombat")],
        vec![("q", "okapi")],
        vec![("q", "[okapi]")],
        vec![("q", "nothing,zebra")],
        vec![("filter", "mission = 'quagga'")],
        vec![("filter", "mission IS NOT NULL")],
        vec![("filter", "title LIKE 'Zeb%'")],
        vec![("filter", "CASEI(title) = CASEI('ZEBRA')")],
        vec![("filter", "license = 'MIT'")],
        vec![("filter", "A_CONTAINS(keywords, ('okapi'))")],
        vec![("filter", "S_INTERSECTS(geometry, BBOX(100, 10, 101, 11))")],
        vec![("filter", "start_datetime < TIMESTAMP('2000-01-01T00:00:00Z')")],
        vec![("filter", r#"{"op":"=","args":[{"property":"mission"},"quagga"]}"#), ("filter-lang", "cql2-json")],
        vec![("bbox", "100,10,101,11")],
        vec![("intersects", r#"{"type":"Point","coordinates":[100.5,10.5]}"#)],
        vec![("datetime", "1999-06-01T00:00:00Z")],
        vec![("datetime", "../2000-01-01T00:00:00Z")],
    ]
}

/// Searches that what GitLab's page of the project says can answer.
pub fn by_project() -> Vec<Vec<(&'static str, &'static str)>> {
    vec![
        vec![("filter", "id LIKE 'earth/tools/%' AND id <> 'earth/tools/ndvi'")],
        vec![("q", "earth/tools/"), ("collections", "aimodel")],
        vec![("q", "[lion]")],
        vec![("filter", "A_CONTAINS(\"gitlab:topics\", ('lion'))")],
        vec![("filter", "sharinghub:id >= 1000")],
        vec![("filter", "created < TIMESTAMP('2024-06-01T00:00:00Z')")],
        vec![(
            "ids",
            "earth/tools/open,earth/tools/members,earth/tools/off,earth/tools/inside,earth/tools/core,earth/tools/closed,earth/tools/sealed",
        )],
        vec![("filter", "NOT (mission = 'x') OR mission IS NULL"), ("q", "[lion]")],
    ]
}

fn expected(caller: usize, least: Sight) -> Vec<String> {
    let mut names: Vec<String> = PROJECTS
        .iter()
        .filter(|(.., sights)| sights[caller] >= least)
        .map(|(name, ..)| format!("aimodel/{}", path(name)))
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn each_caller_sees_what_gitlab_shows() {
    let hub = matrix().await;
    for (caller, token) in CALLERS.into_iter().enumerate() {
        for (name, _, _, sights) in PROJECTS {
            let call = format!("'{token}' {name}");
            let answer = item(&hub, token, "aimodel", &path(name)).await;
            assert_eq!(answer.status, if sights[caller] == Hidden { 404 } else { 200 }, "{call}");
            let text = String::from_utf8_lossy(&answer.bytes).to_lowercase();
            for word in WORDS {
                assert_eq!(text.contains(word), sights[caller] == Code, "{call}: {word} in {text}");
            }
            if sights[caller] == Hidden {
                continue;
            }
            // A page shows the same item as its own address.
            let alone = answer.json();
            let page = search(&hub, token, &[("ids", &path(name))]).await;
            assert_eq!(page["features"], json!([alone]), "{call}");
        }
        for (searches, least) in [(by_code(), Code), (by_project(), Outside)] {
            for parameters in searches {
                let mut found = found(&hub, token, &[&parameters[..], &[("limit", "100")]].concat()).await;
                found.retain(|id| id.starts_with("aimodel/earth/tools/"));
                found.sort();
                assert_eq!(found, expected(caller, least), "'{token}' {parameters:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_bad_token_sees_nothing_at_all() {
    let hub = matrix().await;
    for path in [
        "search",
        "search?q=zebra",
        "collections",
        "collections/aimodel/items",
        "collections/aimodel/items/earth/tools/open",
    ] {
        let answer = get(&hub, BAD, &format!("/api/stac/{path}")).await;
        assert_eq!(answer.status, 401, "{path}");
        assert!(!String::from_utf8_lossy(&answer.bytes).contains("glpat"), "{path}");
    }
}

#[tokio::test]
async fn pages_orders_and_counts_are_of_what_the_caller_sees() {
    let hub = matrix().await;
    for (caller, token) in CALLERS.into_iter().enumerate() {
        let all = expected(caller, Outside);
        for order in ["id", "-id", "title,id", "-start_datetime,id", "properties.created,id", "datetime"] {
            for limit in ["1", "2", "3"] {
                refresh(&hub);
                let mut next = Some(format!("/api/stac/search?q=%5Blion%5D&sortby={order}&limit={limit}"));
                let mut seen = Vec::new();
                while let Some(path) = next {
                    let page = get(&hub, token, &path).await.ok();
                    assert_eq!(page["numberMatched"], all.len(), "'{token}' {path}");
                    assert_eq!(page["context"]["matched"], all.len(), "'{token}' {path}");
                    seen.extend(ids(&page));
                    let link = links(&page, "next").first().map(|link| link["href"].as_str().unwrap().to_owned());
                    next = link.map(|href| href.strip_prefix("http://127.0.0.1").unwrap().to_owned());
                }
                seen.sort();
                assert_eq!(seen, all, "'{token}' by {order}, {limit} at a time");
            }
        }
    }
}

#[tokio::test]
async fn the_level_says_what_the_caller_may_do() {
    let hub = matrix().await;
    for (token, name, level) in [
        (NOBODY, "open", 2),
        (NOBODY, "members", 1),
        (OUTSIDER, "inside", 2),
        (GUEST, "closed", 1),
        (REPORTER, "closed", 2),
        (DEVELOPER, "closed", 3),
        (DEVELOPER, "open", 3),
        // Tokens that only read, whatever their owner may do.
        (READ_ONLY, "closed", 2),
        (ADMIN, "closed", 2),
    ] {
        let alone = item(&hub, token, "aimodel", &path(name)).await.ok();
        let page = search(&hub, token, &[("ids", &path(name))]).await;
        for item in [&alone, &page["features"][0]] {
            assert_eq!(item["properties"]["sharinghub:access-level"], Value::from(level), "'{token}' {name}");
        }
    }
}

#[tokio::test]
async fn an_external_guest_sees_the_code_of_public_projects_only() {
    let hub = matrix().await;
    hub.world.set_external("guest", true).unwrap();
    for (name, sees_code) in [("open", true), ("members", true), ("inside", false), ("core", false), ("closed", false)]
    {
        let answer = item(&hub, GUEST, "aimodel", &path(name)).await.ok();
        let page = search(&hub, GUEST, &[("ids", &path(name))]).await;
        assert_eq!(page["features"], json!([answer]), "{name}");
        let text = answer.to_string().to_lowercase();
        for word in WORDS {
            assert_eq!(text.contains(word), sees_code, "{name}: {word} in {text}");
        }
        let by_code = found(&hub, GUEST, &[("filter", &format!("mission = 'quagga' AND id = '{}'", path(name)))]).await;
        assert_eq!(by_code.len(), usize::from(sees_code), "{name}");
    }
}
