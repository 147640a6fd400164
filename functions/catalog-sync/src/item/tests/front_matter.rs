//! Properties that authors write (docs/catalog.md, "Front matter").

use serde_json::json;

use super::*;

#[test]
fn properties_of_authors_go_before_gitlabs() {
    let item = with_front(
        "title: T\ndescription: D\nkeywords: [a, b]\ndatetime: 2023-05-06\ncreated: 2020-01-01T00:00:00+01:00\n\
         platform: sentinel-1\ngsd: 10\ncustom: {a: [1]}\nempty: ~\nversion: '1.2'\ndeprecated: false",
    );
    let properties = &item["properties"];
    for (name, expected) in [
        ("title", json!("T")),
        ("description", json!("D")),
        ("keywords", json!(["a", "b"])),
        ("datetime", json!("2023-05-06T00:00:00Z")),
        ("created", json!("2019-12-31T23:00:00Z")),
        ("platform", json!("sentinel-1")),
        ("gsd", json!(10)),
        ("custom", json!({"a": [1]})),
        ("version", json!("1.2")),
    ] {
        assert_eq!(properties[name], expected, "{name}");
    }
    assert!(properties.get("empty").is_none());
    assert!(extensions(&item).contains(&"https://stac-extensions.github.io/version/v1.2.0/schema.json"));
    assert_eq!(warnings(&item), Vec::<String>::new());
}

#[test]
fn wrong_values_are_left_out_with_a_warning() {
    for (front, name, expected) in [
        ("title: 5", "title", json!("Model A")),
        ("title: ' '", "title", json!("Model A")),
        ("description: [a]", "description", json!("Body")),
        ("keywords: flood", "keywords", json!(["flood", "sentinel-1"])),
        ("keywords: [1]", "keywords", json!(["flood", "sentinel-1"])),
        ("license: [mit]", "license", Value::Null),
        ("datetime: tomorrow", "datetime", json!("2024-12-01T08:00:00Z")),
        ("datetime: 2024-01-01T00:00:00", "datetime", json!("2024-12-01T08:00:00Z")),
        ("updated: 5", "updated", json!("2024-12-01T08:00:00Z")),
        ("start_datetime: 2024-01-01", "start_datetime", json!("2024-01-01T10:00:00Z")),
        ("extent: {temporal: [2024-02-01, 2024-01-01]}", "start_datetime", json!("2024-01-01T10:00:00Z")),
        ("extent: {temporal: soon}", "end_datetime", json!("2024-12-01T08:00:00Z")),
        ("extent: {spatial: [1, 2]}", "geometry", Value::Null),
        ("extent: nowhere", "geometry", Value::Null),
        ("gsd: -1", "gsd", Value::Null),
        ("version: 1.0", "version", Value::Null),
        ("bands: [{name: a}]", "bands", Value::Null),
        ("id: other", "id", Value::Null),
        ("collection: other", "collection", Value::Null),
        ("sharinghub: {id: 12}", "sharinghub:id", json!(11)),
        ("sharinghub: {path: x/y, access-level: 4, name: n}", "sharinghub:path", json!("grp/sub/model-a")),
        ("sharinghub:access-level: 4", "sharinghub:access-level", Value::Null),
        ("sharinghub: {mlflow: maybe}", "sharinghub:mlflow", json!("enable")),
        ("sharinghub: [a]", "sharinghub:id", json!(11)),
        ("gitlab:topics: [x]", "gitlab:tags", json!(["flood", "sentinel-1"])),
        ("gitlab: {topics: [x]}", "gitlab", Value::Null),
        ("auth:schemes: {}", "sharinghub:id", json!(11)),
        ("file: {size: 1}", "file:size", Value::Null),
        ("providers: me", "license", Value::Null),
        ("providers: [{roles: [host]}]", "license", Value::Null),
        ("eo: 5", "eo", Value::Null),
        ("extensions: [a]", "extensions", Value::Null),
        ("links: x", "links", Value::Null),
        ("related: [x]", "related", Value::Null),
        ("assets: {a: b}", "assets", Value::Null),
        ("preview: nothing.png", "preview", Value::Null),
        ("license-url: 'javascript:alert(1)'", "license-url", Value::Null),
    ] {
        let item = with_front(front);
        assert_eq!(item["properties"].get(name).unwrap_or(&Value::Null), &expected, "{front}");
        assert!(!warnings(&item).is_empty(), "{front}");
    }
}

#[test]
fn temporal_extents() {
    for (temporal, start, end) in [
        ("[2021-07-10, 2021-07-31]", "2021-07-10T00:00:00Z", "2021-07-31T23:59:59Z"),
        ("['2021-07-10T12:00:00+02:00', '2021-07-31T00:00:00Z']", "2021-07-10T10:00:00Z", "2021-07-31T00:00:00Z"),
        ("{interval: [[2021-07-10, 2021-07-11]]}", "2021-07-10T00:00:00Z", "2021-07-11T23:59:59Z"),
        ("{interval: [2021-07-10, 2021-07-11]}", "2021-07-10T00:00:00Z", "2021-07-11T23:59:59Z"),
        ("[2021-07-10, ~]", "2021-07-10T00:00:00Z", "2024-12-01T08:00:00Z"),
        ("[2025-07-10, '..']", "2025-07-10T00:00:00Z", "2025-07-10T00:00:00Z"),
        ("['..', 2024-07-10]", "2024-01-01T10:00:00Z", "2024-07-10T23:59:59Z"),
        ("[~, 2021-07-10]", "2021-07-10T23:59:59Z", "2021-07-10T23:59:59Z"),
    ] {
        let item = with_front(&format!("extent: {{temporal: {temporal}}}"));
        let properties = &item["properties"];
        assert_eq!(
            (&properties["start_datetime"], &properties["end_datetime"]),
            (&json!(start), &json!(end)),
            "{temporal}"
        );
        assert_eq!(warnings(&item), Vec::<String>::new(), "{temporal}");
        assert_eq!(properties["datetime"], "2024-12-01T08:00:00Z");
    }
}

#[test]
fn licenses() {
    let front = |front: &str| build(&rich(&format!("---\n{front}\n---\nBody"))).full;
    let gitlab = "https://gitlab.test/grp/sub/model-a/-/blob/main/LICENSE";
    for (text, id, url) in [
        ("x: 1", "MIT", gitlab),
        ("license: mit", "MIT", gitlab),
        ("license: apache-2.0", "Apache-2.0", "https://spdx.org/licenses/Apache-2.0.html"),
        ("license: proprietary", "other", gitlab),
        ("license: My own", "other", gitlab),
        ("license: mit\nlicense-url: https://e.test/l", "MIT", "https://e.test/l"),
        ("license-url: LICENSE", "MIT", "perigee:/api/download/grp/sub/model-a/repository/LICENSE?ref=main"),
    ] {
        let item = front(text);
        assert_eq!(item["properties"]["license"], id, "{text}");
        assert_eq!(links(&item, "license")[0]["href"], url, "{text}");
    }
    let without = build(&project("", &[])).full;
    assert!(without["properties"].get("license").is_none() && links(&without, "license").is_empty());
}

#[test]
fn providers() {
    let item = with_front(
        "providers:\n  - {name: Lab, roles: [producer, licensor, emperor], url: 'https://lab.test', email: x}\n  - {name: Us, description: d, url: nope}",
    );
    assert_eq!(
        item["properties"]["providers"],
        json!([
            {"name": "Lab", "roles": ["producer", "licensor"], "url": "https://lab.test/"},
            {"name": "Us", "description": "d"},
            {"name": "GitLab (https://gitlab.test)", "roles": ["host"], "url": "https://gitlab.test/grp/sub/model-a"},
        ])
    );
}
