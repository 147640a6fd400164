//! Links and assets (docs/catalog.md, "Items").

use serde_json::json;

use super::*;

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
         - {rel: x, href: 'https://e.test/?a=1&Private_Token=secret'}\n\
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
    assert_eq!(warnings(&item).len(), 12, "{:#?}", warnings(&item));
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

#[test]
fn a_preview_that_is_not_there_gives_way_to_the_next_one() {
    let item = build(&rich("---\npreview: missing.png\n---\n![preview](gone.png)")).full;
    assert!(links(&item, "preview")[0]["href"].as_str().unwrap().contains("/repository/preview.png?"));
    assert!(item["assets"].as_object().unwrap().contains_key("preview.png"));
}

#[test]
fn without_a_branch_hrefs_leave_it_to_the_hub() {
    let mut project = rich("![p](a.png)");
    project.default_branch = None;
    let item = build(&project).full;
    assert_eq!(item["assets"]["README.md"]["href"], "perigee:/api/download/grp/sub/model-a/repository/README.md");
    assert_eq!(
        item["assets"]["weights/best #1.pt"]["href"],
        "perigee:/api/download/grp/sub/model-a/repository?path=weights%2Fbest%20%231.pt"
    );
    assert_eq!(
        item["properties"]["description"],
        "![p](perigee:/api/download/grp/sub/model-a/repository/a.png?cache=300)"
    );
}

#[test]
fn a_later_asset_takes_the_place_of_an_earlier_one_of_its_key() {
    let item =
        with_front("assets: [{glob: '*', key: same, title: '{path}'}, {key: README.md, href: 'https://e.test/r.md'}]");
    assert_eq!(item["assets"]["same"]["title"], "w.pt");
    assert_eq!(item["assets"]["README.md"]["href"], "https://e.test/r.md");
}
