//! The demo projects of `local`.

use std::path::Path;

use serde_json::json;
use shared::gitlab::RepositoryFile;

use super::*;

/// Full path, topic of its kind, and the title that its README gives.
const PROJECTS: &[(&str, &str, &str)] = &[
    ("earth/flood-model", "aimodel", "Flood model"),
    ("earth/land-cover", "aimodel", "Land cover"),
    ("earth/sentinel-patches", "dataset", "Sentinel patches"),
    ("earth/tools/ndvi", "processor", "NDVI"),
    ("lab/secret-model", "aimodel", "Secret model"),
];

fn files(folder: &Path, below: &str, found: &mut Vec<RepositoryFile>) {
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    for path in names {
        let name = format!("{below}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            files(&path, &format!("{name}/"), found);
        } else {
            found.push(RepositoryFile { path: name, size: Some(path.metadata().unwrap().len()), sha256: None });
        }
    }
}

#[test]
fn every_demo_project_is_an_item_without_warnings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../local/projects");
    for (path, kind, title) in PROJECTS {
        let mut demo = project("", &[]);
        let repository = demo.repository.as_mut().unwrap();
        repository.readme = Some(std::fs::read_to_string(root.join(path).join("README.md")).unwrap());
        files(&root.join(path), "", &mut repository.files);
        demo.topics = vec![format!("sharinghub:{kind}"), "topic".into()];
        let item = build(&demo).full;
        assert_eq!(item["properties"]["title"], *title);
        assert_eq!(item["collection"], *kind);
        assert_eq!(warnings(&item), Vec::<String>::new(), "{path}");
        assert!(item["assets"]["README.md"]["file:size"].as_u64().unwrap() > 0, "{path}");
        assert_eq!(item["assets"]["README.md"]["roles"], json!(["metadata"]), "{path}");
        let mapped = path.starts_with("earth/") && !path.ends_with("ndvi");
        assert_eq!(item.contains_key("bbox"), mapped, "{path}");
    }
}

#[test]
fn the_flood_model_says_what_its_readme_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../local/projects/earth/flood-model");
    let mut demo = project(&std::fs::read_to_string(root.join("README.md")).unwrap(), &[]);
    files(&root, "", &mut demo.repository.as_mut().unwrap().files);
    let item = build(&demo);
    let properties = &item.full["properties"];
    assert_eq!(properties["license"], "Apache-2.0");
    assert_eq!(properties["keywords"], json!(["flood", "sentinel-1", "radar"]));
    assert_eq!(properties["gitlab:tags"], json!(["flood", "sentinel-1"]));
    assert_eq!(properties["start_datetime"], "2021-07-10T00:00:00Z");
    assert_eq!(properties["end_datetime"], "2021-07-31T00:00:00Z");
    assert_eq!(item.full["bbox"], json!([5.8, 49.1, 12.4, 52.4]));
    assert_eq!(properties["providers"][0]["name"], "Earth group");
    assert_eq!(properties["mlm:architecture"], "logistic regression");
    assert!(properties["description"].as_str().unwrap().starts_with("# Flood model"));
    let assets = item.full["assets"].as_object().unwrap();
    assert_eq!(
        assets.keys().collect::<Vec<_>>(),
        ["LICENSE", "README.md", "data/backscatter.csv", "model.json", "preview.png", "weights"]
    );
    assert_eq!(assets["data/backscatter.csv"]["roles"], json!(["data", "mlm:training"]));
    assert_eq!(item.row.full.bbox, Some([5.8, 49.1, 12.4, 52.4]));
    assert_eq!(item.row.full.start, 1_625_875_200_000);
}
