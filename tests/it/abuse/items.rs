//! READMEs: whatever an author writes, there is an item that fits its place in the table. That it is a valid one is
//! shown beside the builder, in `functions/catalog-sync/src/item/tests/hostile.rs`.

use catalog_sync::item::{ModelVersion, Settings, build, selected_files};
use serde_json::Value;
use shared::catalog::default_categories;
use shared::gitlab::{ProjectFacts, RepositoryFacts, RepositoryFile};
use shared::model::{ProjectId, Visibility};

use super::mutation::mutated;
use super::survive;

/// DynamoDB's limit on an item.
const LARGEST: usize = 400 * 1024;

const READMES: &[&str] = &[
    "---\ntitle: Flood\ndescription: >\n  folded\n  text\nlicense: mit\nkeywords: [a, 'b', \"c\"]\n---\n# Body\n![x](preview.png)\n",
    "---\na: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: {<<: {d: *b}, e: !!str 5}\n---\n",
    "---\nassets:\n  - '**/*.csv'\n  - {glob: 'w/[a-c]?*.pt', key: '{path}', type-as: text, roles: [data]}\n---\n",
    "---\nextent:\n  spatial: POLYGON((0 0, 1 0, 1 1, 0 0))\n  temporal: [2024-01-01, null]\nrelated: {dataset: [https://gitlab.test/a/b]}\n---\n",
    "---\nmlm:\n  name: m\n  architecture: UNet\n  tasks: [semantic-segmentation]\n  input: [{name: i, bands: [], input: {shape: [-1, 3], dim_order: [batch], data_type: float32}}]\n  output: []\nextensions: {eo: https://example.test/s.json}\neo:bands: [{name: B1}]\n---\n",
    "---\r\nlinks:\r\n- {rel: cite-as, href: 'https://doi.org/10.5281/zenodo.1'}\r\nsci:doi: 10.1/x\r\n---\r\nText with <img src='a.png'> and [ref]: https://e.test/\n",
    "---\n? [complex]\n: {[k]: v}\nd: 2024-01-01T00:00:00Z\nn: .inf\no: 0o17\ny: yes\n...\n---\n",
    "> > > * [a](b 'c') ![d][e]\n\n| a | b |\n|---|---|\n| `c` | **d** |\n\n[e]: f.png \"g\"\n",
];
const WORDS: &[&str] = &[
    "---\n",
    "\n---\n",
    "\n",
    "  ",
    "- ",
    ": ",
    "? ",
    "&a ",
    "*a",
    "<<: *a",
    "!!binary ",
    "!x ",
    "|2-\n",
    ">+\n",
    "[",
    "{",
    "'",
    "\"",
    "# ",
    "%YAML 1.2\n",
    "title: ",
    "assets:\n  - ",
    "glob: '**'",
    "spatial: POINT(1 2)",
    "bbox: [0, 0, 1, 1]",
    "key: '{path}'",
    "href: javascript:x",
    "mlm:\n  ",
    "~",
    "![",
    "](",
    "<img src=",
    "&lt;",
    "https://doi.org/10.5281/",
    "0x7fffffffffffffff",
    "1e400",
    "2024-02-30",
    "\t",
];

#[test]
fn readmes() {
    let categories = default_categories();
    let settings = Settings { gitlab_url: "https://gitlab.test", categories: &categories };
    let file = |path: &str| RepositoryFile { path: path.into(), size: Some(u64::MAX), sha256: None };
    survive("READMEs", &mutated(READMES, WORDS), |readme| {
        let project = ProjectFacts {
            id: ProjectId(11),
            path: "grp/sub/model-a".into(),
            name: readme.chars().take(20).collect(),
            full_name: "Grp / Sub / Model A".into(),
            description: String::new(),
            web_url: "https://gitlab.test/grp/sub/model-a".into(),
            visibility: Visibility::Public,
            code_visibility: Visibility::Private,
            topics: vec![categories[0].topic.clone(), "flood".into()],
            stars: 3,
            created_at: "2024-01-01T10:00:00.000Z".into(),
            last_activity_at: "never".into(),
            archived: false,
            default_branch: Some("main".into()),
            repository: Some(RepositoryFacts {
                files: ["README.md", "data/a.csv", "w/b.pt", "preview.png", "é #?.tif"].map(file).into(),
                readme: Some(readme.clone()),
                ..RepositoryFacts::default()
            }),
        };
        let version = ModelVersion { model: "m".into(), version: 1, artifact_path: Some("model.pkl".into()) };
        let item = build(&project, &categories[0], &[version], &settings);
        for document in item.minimal.iter().chain([&item.full]) {
            let text = Value::Object(document.clone()).to_string();
            assert!(text.len() < LARGEST, "{} bytes", text.len());
        }
        assert!(selected_files(&project, &settings).len() <= 5);
    });
}
