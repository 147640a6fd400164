//! What authors write, feature by feature (sharinghub.md B.6 to B.9).

use serde_json::json;

use super::*;

#[test]
fn a_project_with_everything() {
    let readme = "---\ntitle: Ünet\n---\n# Title\n\n\n\n![Preview](docs/shot.png \"x\") ![p](./img/my%20p.png) <img src='img/b.png'>\n\
        Cite [DOI: The paper](https://doi.org/10.5281/zenodo.12) and [other](https://doi.org/10.1000/abc).\n\n`![x](y.png)`";
    let mut project = rich(readme);
    project
        .repository
        .as_mut()
        .unwrap()
        .files
        .push(RepositoryFile { path: "docs/shot.png".into(), ..Default::default() });
    let item = build_in(&project, &default_categories(), &[version("unet(11)", 3)]).full;
    let properties = &item["properties"];
    assert_eq!(properties["title"], "Ünet");
    assert_eq!(
        properties["description"],
        "# Title\n\n![Preview](perigee:/api/download/grp/sub/model-a/repository/docs/shot.png?ref=main&cache=300 \"x\") \
         ![p](perigee:/api/download/grp/sub/model-a/repository/img/my%20p.png?ref=main&cache=300) \
         <img src='perigee:/api/download/grp/sub/model-a/repository/img/b.png?ref=main&cache=300'>\n\
         Cite [DOI: The paper](https://doi.org/10.5281/zenodo.12) and [other](https://doi.org/10.1000/abc).\n\n`![x](y.png)`"
    );
    assert_eq!(properties["datetime"], "2024-12-01T08:00:00Z");
    assert_eq!(properties["created"], "2024-01-01T10:00:00Z");
    assert_eq!(properties["keywords"], json!(["flood", "sentinel-1"]));
    assert_eq!(properties["gitlab:topics"], json!(["sharinghub:aimodel", "flood", "sentinel-1"]));
    assert_eq!(properties["license"], "MIT");
    assert_eq!(properties["sci:doi"], "10.5281/zenodo.12");
    assert_eq!(properties["sci:citation"], "The paper");
    assert_eq!(properties["sci:publications"], json!([{"doi": "10.1000/abc", "citation": "other"}]));
    assert_eq!(properties["sharinghub:name"], "Grp / Sub / Model A");
    assert_eq!(properties["sharinghub:stars"], 3);
    assert_eq!(properties["sharinghub:default-branch"], "main");
    assert_eq!(properties["sharinghub:dvc-init"], "disable");
    assert_eq!(properties["sharinghub:mlflow"], "enable");
    assert_eq!(properties["sharinghub:warnings"], json!(["the packages could not be read"]));
    assert_eq!(
        properties["providers"],
        json!([
            {"name": "GitLab (https://gitlab.test)", "roles": ["host"], "url": "https://gitlab.test/grp/sub/model-a"},
            {"name": "Grp", "roles": ["producer"], "url": "https://gitlab.test/grp"},
        ])
    );
    assert_eq!(item["geometry"], Value::Null);
    assert_eq!(
        extensions(&item),
        [
            "https://stac-extensions.github.io/authentication/v1.1.0/schema.json",
            "https://stac-extensions.github.io/file/v2.1.0/schema.json",
            "https://stac-extensions.github.io/scientific/v1.0.0/schema.json",
        ]
    );
    let rels: Vec<&str> = item["links"].as_array().unwrap().iter().map(|link| link["rel"].as_str().unwrap()).collect();
    assert_eq!(
        rels,
        [
            "self",
            "parent",
            "root",
            "collection",
            "about",
            "bug_tracker",
            "preview",
            "license",
            "package",
            "package",
            "container",
            "mlflow:tracking-uri",
            "mlflow:model",
            "cite-as"
        ]
    );
    let link = |rel: &str| links(&item, rel)[0].clone();
    assert_eq!(
        link("package"),
        json!({"rel": "package", "href": "https://gitlab.test/grp/sub/model-a/-/packages/2", "title": "Package unet",
               "package:name": "unet", "package:type": "pypi"})
    );
    assert_eq!(
        link("container"),
        json!({"rel": "container", "href": "https://gitlab.test/grp/sub/model-a/container_registry/5",
               "title": "Image registry.gitlab.test/grp/sub/model-a/serve",
               "container:image": "registry.gitlab.test/grp/sub/model-a/serve", "container:tags": ["v2", "v1"]})
    );
    assert_eq!(
        link("mlflow:model"),
        json!({"rel": "mlflow:model", "title": "unet v3", "mlflow:uri": "models:/unet(11)/3",
               "href": "perigee:/mlflow/grp/sub/model-a/tracking/#/models/unet%2811%29/versions/3"})
    );
    assert_eq!(link("mlflow:tracking-uri")["href"], "perigee:/mlflow/grp/sub/model-a/tracking/");
    assert_eq!(link("cite-as")["href"], "https://doi.org/10.5281/zenodo.12");
    assert_eq!(link("license")["href"], "https://gitlab.test/grp/sub/model-a/-/blob/main/LICENSE");
    let assets = item["assets"].as_object().unwrap();
    assert_eq!(
        assets.keys().collect::<Vec<_>>(),
        ["LICENSE", "README.md", "preview.png", "release", "unet-v3.pkl", "weights/best #1.pt"]
    );
    assert_eq!(
        assets["weights/best #1.pt"],
        json!({"href": "perigee:/api/download/grp/sub/model-a/repository?path=weights%2Fbest%20%231.pt&ref=main",
               "roles": ["data"], "type": "application/octet-stream", "file:size": 1_048_576,
               "file:checksum": format!("1220{}", "ab".repeat(32)), "auth:refs": ["gitlab-token"]})
    );
    assert_eq!(
        assets["release"],
        json!({"href": "perigee:/api/download/grp/sub/model-a/archive.zip?ref=v1.0%2Frc", "title": "Release v1.0/rc: First",
               "description": "The first one", "roles": ["source"], "type": "application/zip", "auth:refs": ["gitlab-token"]})
    );
    assert_eq!(
        assets["unet-v3.pkl"],
        json!({"href": "perigee:/mlflow/grp/sub/model-a/tracking/get-artifact?path=model%2Fmodel.pkl&run_uuid=0123456789abcdef0123456789abcdef",
               "title": "unet v3", "roles": ["data"], "type": "application/octet-stream", "auth:refs": ["gitlab-token"]})
    );
    assert_eq!(
        assets["preview.png"],
        json!({"href": "perigee:/api/download/grp/sub/model-a/repository/docs/shot.png?ref=main&cache=300", "title": "Preview",
               "roles": ["thumbnail"], "type": "image/png", "auth:refs": ["gitlab-token"]})
    );
    assert_eq!(assets["LICENSE"]["roles"], json!(["metadata"]));
}

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

#[test]
fn links_of_authors() {
    let item = with_front(
        "links:\n\
         - {rel: documentation, href: ./docs/../docs/guide.md, title: Guide, type: text/markdown}\n\
         - {rel: homepage, href: 'https://e.test/a b?x=[1]#y#z', extra: 1}\n\
         - {rel: source, href: 'dataset+https://gitlab.test/grp/data/-/tree/main?x=1'}\n\
         - {rel: source, href: 'ai-model+https://gitlab.test/grp/other.git'}\n\
         - {rel: self, href: 'https://evil.test'}\n\
         - {rel: Next, href: 'https://evil.test'}\n\
         - {rel: 'mlflow:model', href: 'https://evil.test'}\n\
         - {rel: x, href: 'javascript:alert(1)'}\n\
         - {rel: x, href: 'data:text/html,x'}\n\
         - {rel: x, href: 's3://bucket/x'}\n\
         - {rel: x, href: 'https://me:secret@e.test/'}\n\
         - {rel: x, href: 'nowhere+https://gitlab.test/grp/data'}\n\
         - {rel: x, href: missing.md}\n\
         - {rel: x, href: ../../..}\n\
         - {rel: 5, href: x}\n\
         - text",
    );
    let of_authors: Vec<&Value> = ["documentation", "homepage", "source", "x", "mlflow:model", "Next"]
        .iter()
        .flat_map(|rel| links(&item, rel))
        .collect();
    assert_eq!(
        serde_json::to_value(of_authors).unwrap(),
        json!([
            {"rel": "documentation", "href": "perigee:/api/download/grp/sub/model-a/repository/docs/guide.md?ref=main",
             "title": "Guide", "type": "text/markdown"},
            {"rel": "homepage", "href": "https://e.test/a%20b?x=%5B1%5D#y%23z"},
            {"rel": "source", "href": "perigee:/api/stac/collections/dataset/items/grp/data?x=1"},
            {"rel": "source", "href": "perigee:/api/stac/collections/aimodel/items/grp/other"},
        ])
    );
    assert_eq!(warnings(&item).len(), 11, "{:#?}", warnings(&item));
}

#[test]
fn related_projects() {
    let item = with_front(
        "related:\n  dataset: ['https://gitlab.test/grp/data', 'https://elsewhere.test/a/b/c.git', grp/plain]\n  ai-model: https://gitlab.test/grp/base\n  wrong: https://gitlab.test/a/b\n  processor: [5, 'https://gitlab.test/only-one']",
    );
    let found: Vec<_> =
        links(&item, "derived_from").iter().map(|link| (link["title"].clone(), link["href"].clone())).collect();
    assert_eq!(
        found,
        [
            (json!("aimodel: grp/base"), json!("perigee:/api/stac/collections/aimodel/items/grp/base")),
            (json!("dataset: grp/data"), json!("perigee:/api/stac/collections/dataset/items/grp/data")),
            (json!("dataset: a/b/c"), json!("perigee:/api/stac/collections/dataset/items/a/b/c")),
            (json!("dataset: grp/plain"), json!("perigee:/api/stac/collections/dataset/items/grp/plain")),
        ]
    );
    assert_eq!(warnings(&item).len(), 2);
    assert_eq!(links(&item, "derived_from")[0]["type"], "application/geo+json");
}

#[test]
fn asset_rules() {
    let item = with_front(
        "assets:\n\
         - '*.png'\n\
         - {glob: 'data/*.csv', key: 'table:{path}', title: 'T {key} {path}', description: 'of {path}', type-as: text, roles: [data, x]}\n\
         - {path: 'docs/*', type: text/x-own}\n\
         - {key: store, href: 's3://bucket/a b.tif', title: Store}\n\
         - {key: web, href: 'https://e.test/x.geojson', roles: overview}\n\
         - {key: local, href: ./w.pt}\n\
         - {key: bad, href: 'file:///etc/passwd'}\n\
         - {key: bad, href: 'javascript:x'}\n\
         - {key: bad}\n\
         - {glob: [x]}\n\
         - 7",
    );
    let base = "perigee:/api/download/grp/sub/model-a/repository";
    let refs = json!(["gitlab-token"]);
    let assets = item["assets"].as_object().unwrap();
    for (key, expected) in [
        (
            "img/p.png",
            json!({"href": format!("{base}/img/p.png?ref=main"), "roles": ["data"], "type": "image/png", "auth:refs": refs}),
        ),
        (
            "table:data/a.csv",
            json!({"href": format!("{base}/data/a.csv?ref=main"), "roles": ["data", "x"], "type": "text/plain", "auth:refs": refs,
                   "title": "T table:data/a.csv data/a.csv", "description": "of data/a.csv"}),
        ),
        (
            "docs/guide.md",
            json!({"href": format!("{base}/docs/guide.md?ref=main"), "roles": ["metadata"], "type": "text/x-own", "auth:refs": refs}),
        ),
        ("store", json!({"href": "s3://bucket/a%20b.tif", "roles": ["data"], "type": "image/tiff", "title": "Store"})),
        ("web", json!({"href": "https://e.test/x.geojson", "roles": ["overview"], "type": "application/geo+json"})),
        (
            "local",
            json!({"href": format!("{base}/w.pt?ref=main"), "roles": ["data"], "type": "application/octet-stream", "auth:refs": refs}),
        ),
    ] {
        assert_eq!(assets[key], expected, "{key}");
    }
    assert!(!assets.contains_key("bad"));
    assert_eq!(warnings(&item).len(), 4, "{:#?}", warnings(&item));
}

#[test]
fn a_preview_of_the_front_matter_goes_before_the_repositorys() {
    let front = |front: &str| build(&rich(&format!("---\n{front}\n---\nBody"))).full;
    assert!(links(&front("x: 1"), "preview")[0]["href"].as_str().unwrap().contains("/preview.png?"));
    let item = front("preview: https://e.test/p.JPEG?x=1");
    assert_eq!(item["assets"]["preview.JPEG"]["href"], "https://e.test/p.JPEG?x=1");
    assert_eq!(item["assets"]["preview.JPEG"]["type"], "image/jpeg");
    assert!(item["assets"]["preview.JPEG"].get("auth:refs").is_none());
}

#[test]
fn a_projects_readers_see_nothing_of_the_repository() {
    let mut project = rich("---\ntitle: Secret\n---\nSecret body, secret.csv");
    project.code_visibility = Visibility::Private;
    let item = build_in(&project, &default_categories(), &[version("secret", 1)]);
    let minimal = item.minimal.unwrap();
    let text = serde_json::to_string(&minimal).unwrap().to_lowercase();
    for word in ["secret", "license", "preview", "release", "package", "container", "weights", "main", "cite-as"] {
        assert!(!text.contains(word), "{word}");
    }
    assert_eq!(minimal["properties"]["title"], "Model A");
    assert_eq!(minimal["properties"]["description"], "Says GitLab");
    assert_eq!(minimal["assets"], json!({}));
    assert!(minimal["properties"].get("sharinghub:warnings").is_none());
    assert!(!item.row.minimal.unwrap().text.contains("secret"));
    assert!(item.row.full.text.starts_with("secret\ngrp/sub/model-a\nflood\nsentinel-1\nsecret body"));
}

#[test]
fn there_is_a_second_document_only_where_it_says_something_else() {
    let mut project = rich("Body");
    assert!(build(&project).minimal.is_none());
    project.visibility = Visibility::Internal;
    project.code_visibility = Visibility::Internal;
    assert!(build(&project).minimal.is_none());
    project.visibility = Visibility::Private;
    project.code_visibility = Visibility::Private;
    assert!(build(&project).minimal.is_some());
    project.repository = None;
    assert!(build(&project).minimal.is_none());
}

#[test]
fn selected_files_are_those_of_rules_and_the_preview() {
    let mut project =
        rich("---\nassets: [data/*.csv, {key: k, href: docs/guide.md}, {key: u, href: 'https://e.test'}]\n---\n");
    let categories = default_categories();
    let settings = Settings { gitlab_url: GITLAB, categories: &categories };
    assert_eq!(
        super::super::selected_files(&project, &settings),
        ["LICENSE", "README.md", "data/a.csv", "docs/guide.md", "preview.png", "weights/best #1.pt"]
    );
    let many = (0..1_000).map(|n| RepositoryFile { path: format!("{n}.pt"), ..Default::default() });
    project.repository.as_mut().unwrap().files.extend(many);
    assert_eq!(super::super::selected_files(&project, &settings).len(), 500);
    let item = build(&project).full;
    assert_eq!(item["assets"].as_object().unwrap().keys().filter(|key| key.ends_with(".pt")).count(), 500);
    assert!(item["assets"].as_object().unwrap().contains_key("preview.png"));
}
