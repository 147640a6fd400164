//! Whatever authors write, there is a valid item.

use proptest::prelude::*;

use super::*;

/// Words that mean something to the builder, and some that should not.
const KEYS: &[&str] = &[
    "title",
    "description",
    "license",
    "license-url",
    "keywords",
    "datetime",
    "start_datetime",
    "end_datetime",
    "created",
    "providers",
    "links",
    "related",
    "assets",
    "preview",
    "extent",
    "sharinghub",
    "sharinghub:id",
    "gitlab:topics",
    "extensions",
    "eo",
    "eo:bands",
    "label",
    "sci",
    "sci:doi",
    "ml-model",
    "mlm",
    "mlm:name",
    "file",
    "processing",
    "table",
    "version",
    "deprecated",
    "bands",
    "gsd",
    "nodata",
    "statistics",
    "roles",
    "auth:schemes",
    "id",
    "type",
    "collection",
    "geometry",
    "bbox",
    "own",
    "own:x",
    "",
    "<<",
    "platform",
    "instruments",
    "data_type",
    "unit",
    "stac_extensions",
];
const INNER: &[&str] = &[
    "rel",
    "href",
    "key",
    "glob",
    "path",
    "roles",
    "type",
    "type-as",
    "title",
    "description",
    "name",
    "url",
    "spatial",
    "temporal",
    "bbox",
    "interval",
    "doi",
    "citation",
    "publications",
    "architecture",
    "tasks",
    "input",
    "output",
    "bands",
    "dataset",
    "ai-model",
    "own",
    "id",
    "access-level",
    "mlflow",
    "columns",
    "row_count",
    "classes",
    "properties",
    "level",
    "learning_approach",
    "prediction_type",
    "version",
    "shape",
    "dim_order",
    "result",
    "common_name",
    "cloud_cover",
];
const TEXTS: &[&str] = &[
    "",
    " ",
    "x",
    "2024-01-01",
    "2024-13-01T99:00:00Z",
    "mit",
    "self",
    "root",
    "javascript:alert(1)",
    "https://e.test/%zz?a=|#b#c",
    "https://[::1]/x",
    "http://",
    "http://a b/",
    "s3://b/k k",
    "s3:x",
    "//e.test/x",
    "file:///etc/passwd",
    "../../x",
    "README.md",
    "*.md",
    "**",
    "[",
    "[!",
    "{path}",
    "{key}",
    "dataset+https://gitlab.test/a/b",
    "+https://x/y",
    "POINT(1 2)",
    "POLYGON((0 0,1 1,1 0))",
    "POINT(nan 1)",
    "10.5281/zenodo.1",
    "https://doi.org/10.1234/a",
    "ml-model",
    "vector",
    "raster",
    "batch",
    "bands",
    "float32",
    "é̂\u{202e}",
    "\u{fffd}",
    "perigee:/api/x",
    "collection",
    "mlm:model",
    "text",
    "enable",
    "https://example.test/s.json",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => prop::sample::select(TEXTS).prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => (-200.0..200.0).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(INNER), inner), 0..5).prop_map(|entries| entries
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<Map<_, _>>()
                .into()),
        ]
    })
}

fn front() -> impl Strategy<Value = Value> {
    prop::collection::vec((prop::sample::select(KEYS), value()), 0..12).prop_map(|entries| {
        entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// JSON is YAML.
    #[test]
    fn any_front_matter_makes_a_valid_item(front in front(), body in ".{0,60}", model in any::<bool>()) {
        let mut project = rich(&format!("---\n{front}\n---\n{body}"));
        project.code_visibility = Visibility::Private;
        let models = if model { vec![version("é (11)", 1)] } else { vec![] };
        build_in(&project, &default_categories(), &models);
    }

    #[test]
    fn any_text_makes_a_valid_item(text in "(---\n)?[\\PC\n\t]{0,200}(\n---\n)?[\\PC\n]{0,200}") {
        build(&rich(&text));
    }

    #[test]
    fn any_markdown_makes_a_valid_item(parts in prop::collection::vec(prop::sample::select(&[
        "![", "](", ")", "preview", "<img src=", "'", "\"", ">", "é", "\n", "[a](https://doi.org/10.1234/x", "`", "a.png", " ", "\\", "<", "&amp;", "[x]: y.png\n", "![x]", "\u{0}",
    ][..]), 0..40)) {
        build(&rich(&parts.concat()));
    }

    #[test]
    fn any_facts_make_a_valid_item(texts in prop::collection::vec(any::<String>(), 12)) {
        let mut project = rich("");
        let mut texts = texts.into_iter();
        let mut next = || texts.next().unwrap();
        (project.name, project.full_name, project.description, project.web_url) = (next(), next(), next(), next());
        (project.created_at, project.last_activity_at) = (next(), next());
        project.default_branch = Some(next());
        project.topics.push(next());
        let repository = project.repository.as_mut().unwrap();
        repository.files.push(RepositoryFile { path: format!("{}.pt", next()), size: Some(u64::MAX), sha256: Some(next()) });
        repository.packages[0].web_url = next();
        repository.license.as_mut().unwrap().key = next();
        build(&project);
    }
}

#[test]
fn hostile_readmes() {
    let long = "x".repeat(300_000);
    for readme in [
        "---\n- a\n---\nBody".to_owned(),
        "---\na: [1\n---\nBody".to_owned(),
        "---\nplain\n---\nBody".to_owned(),
        format!("---\na: {}\n---\nBody", "[".repeat(30_000)),
        format!("---\na: {long}\n---\nBody"),
        format!("---\ntitle: {}\n---\n{long}", "t".repeat(50_000)),
        format!(
            "---\nx: {}\nsharinghub: {{y: {}}}\nown: [{}]\n---\n{}",
            "é".repeat(10_000),
            "\\".repeat(10_000),
            "1,".repeat(5_000),
            "\"\\\n".repeat(100_000)
        ),
        format!("---\nlinks: [{}]\n---\n", "{rel: x, href: 'https://e.test/'},".repeat(1_500)),
        format!("---\nassets: [{}]\n---\n", "'*',".repeat(10_000)),
        format!("---\nkeywords: [{}]\n---\n", "kk,".repeat(15_000)),
        format!("---\nproviders: [{}]\n---\n", "{name: n},".repeat(5_000)),
        format!("---\nextent: {{spatial: '{}'}}\n---\n", "GEOMETRYCOLLECTION(".repeat(3_000)),
        format!("---\nextent: {{spatial: 'MULTIPOLYGON(({}'}}\n---\n", "(".repeat(30_000)),
        format!("{}{}", "[".repeat(100_000), "](x)".repeat(1_000)),
        format!("![{}](x)", "![".repeat(50_000)),
        "> ".repeat(50_000),
        "* ".repeat(50_000),
        "<img src='".repeat(20_000),
        "\u{1}\u{2}\u{7f}".repeat(50_000),
        "perigee:/".repeat(30_000),
        format!("---\ntitle: {0}\nkeywords: ['{0}']\nlicense-url: perigee:/x\n---\n{0}", "perigee:/".repeat(3_000)),
        "https://doi.org/10.".repeat(20_000),
    ] {
        let started = std::time::Instant::now();
        let item = build(&rich(&readme));
        assert!(item.full["properties"]["title"].as_str().unwrap().len() <= 50_000);
        let own = serde_json::to_string(&item.full).unwrap().matches("perigee:/").count();
        assert!(own <= 100, "{own} URLs of the hub");
        assert!(
            started.elapsed().as_secs() < 10,
            "{:?} for {}",
            started.elapsed(),
            super::super::text::cut(&readme, 60)
        );
    }
}

#[test]
fn large_items_shed_assets_and_text() {
    let mut project = rich(&format!(
        "---\nassets: [{{glob: '*', description: '{}', title: '{{path}}'}}]\nmlm: {{architecture: a, tasks: [], input: [], output: []}}\n---\n{}",
        "d".repeat(3_000),
        "\"".repeat(70_000)
    ));
    let files =
        (0..1_000).map(|n| RepositoryFile { path: format!("{}/{n}.bin", "p".repeat(200)), ..Default::default() });
    project.repository.as_mut().unwrap().files.extend(files);
    let item = build_in(&project, &default_categories(), &[version("m", 1)]).full;
    assert!(item["assets"].as_object().unwrap().contains_key("m-v1.pkl"));
    assert!(item["properties"].get("mlm:name").is_some());
    assert!(warnings(&item).iter().any(|text| text.contains("more than fits")));
}

#[test]
fn broken_front_matter_leaves_the_body_and_says_why() {
    let item = build(&rich("---\na: [1\n---\nThe body")).full;
    assert_eq!(item["properties"]["description"], "The body");
    assert!(warnings(&item)[0].starts_with("the front matter of the README is ignored: "));
}

#[test]
fn many_files_and_rules_end_soon() {
    let rules: String = (0..100).map(|n| format!("  - 'x{n}*/[a-c]?{n}*.bin'\n")).collect();
    let mut project = rich(&format!("---\nassets:\n{rules}---\n"));
    let file = |n| RepositoryFile { path: format!("some/x{}/b-{n}.bin", n % 100), ..Default::default() };
    project.repository.as_mut().unwrap().files.extend((0..100_000).map(file));
    let started = std::time::Instant::now();
    let item = build(&project).full;
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    let selected = item["assets"].as_object().unwrap().keys().filter(|key| key.ends_with(".bin")).count();
    assert!((100..=500).contains(&selected), "{selected}");
}

/// To the parser, whose time grows with the square of what is open, they are.
#[test]
fn brackets_that_only_text_closes_are_open() {
    let open = "[']', ";
    assert!(crate::item::yaml::parse(&format!("a: {}", open.repeat(40_000))).is_err());
    let closed = "[1], ".repeat(1_000);
    assert!(crate::item::yaml::parse(&format!("a: [{closed}]")).is_ok());
}
