//! Built documents, from facts to JSON.

mod demo;
mod documents;
mod front_matter;
mod hostile;
mod machine_learning;
mod places;
mod schemas;
mod structure;

use serde_json::{Map, Value};
use shared::catalog::{Category, default_categories};
use shared::gitlab::{ContainerRepository, License, Package, ProjectFacts, Release, RepositoryFacts, RepositoryFile};
use shared::model::{ProjectId, Visibility};

use super::{Item, ModelVersion, Settings};

const GITLAB: &str = "https://gitlab.test";

/// A public model with a repository that holds `files` and this README.
fn project(readme: &str, files: &[&str]) -> ProjectFacts {
    let file = |path: &&str| RepositoryFile { path: (*path).to_owned(), ..RepositoryFile::default() };
    ProjectFacts {
        id: ProjectId(11),
        path: "grp/sub/model-a".into(),
        name: "Model A".into(),
        full_name: "Grp / Sub / Model A".into(),
        description: "Says GitLab".into(),
        web_url: format!("{GITLAB}/grp/sub/model-a"),
        visibility: Visibility::Public,
        code_visibility: Visibility::Public,
        topics: vec!["sharinghub:aimodel".into(), "flood".into(), "sentinel-1".into()],
        stars: 3,
        created_at: "2024-01-01T10:00:00.000Z".into(),
        last_activity_at: "2024-12-01T10:00:00.000+02:00".into(),
        archived: false,
        default_branch: Some("main".into()),
        repository: Some(RepositoryFacts {
            readme: Some(readme.to_owned()),
            files: files.iter().map(file).collect(),
            ..RepositoryFacts::default()
        }),
    }
}

/// A project with something of everything that GitLab knows.
fn rich(readme: &str) -> ProjectFacts {
    let mut project = project(readme, &["README.md", "LICENSE", "docs/guide.md", "data/a.csv", "preview.png"]);
    let repository = project.repository.as_mut().unwrap();
    repository.files.push(RepositoryFile {
        path: "weights/best #1.pt".into(),
        size: Some(1_048_576),
        sha256: Some("AB".repeat(32)),
    });
    repository.license = Some(License {
        key: "mit".into(),
        name: "MIT License".into(),
        url: Some(format!("{GITLAB}/grp/sub/model-a/-/blob/main/LICENSE")),
    });
    repository.release =
        Some(Release { tag: "v1.0/rc".into(), name: "First".into(), description: "The first one".into() });
    let package = |name: &str, number: u64| Package {
        name: name.into(),
        kind: "PYPI".into(),
        web_url: format!("{GITLAB}/grp/sub/model-a/-/packages/{number}"),
    };
    repository.packages = vec![package("unet", 2), package("unet", 1), package("tools", 3)];
    let container = |id: u64, name: &str| ContainerRepository {
        id,
        name: name.into(),
        location: format!("registry.gitlab.test/grp/sub/model-a/{name}"),
        tags: vec!["v2".into(), "ab".repeat(32), "v1".into()],
    };
    repository.containers = vec![container(5, "serve"), container(6, "snapshot-serve")];
    repository.warnings = vec!["the packages could not be read".into()];
    project
}

fn version(model: &str, version: u64) -> ModelVersion {
    ModelVersion { model: model.into(), version, artifact_path: Some("model/model.pkl".into()) }
}

fn build_in(project: &ProjectFacts, categories: &[Category], models: &[ModelVersion]) -> Item {
    let settings = Settings { gitlab_url: GITLAB, categories };
    let category = categories.iter().find(|category| project.topics.contains(&category.topic)).unwrap();
    let item = super::build(project, category, models, &settings);
    schemas::assert_valid(&item.full);
    item.minimal.iter().for_each(schemas::assert_valid);
    structure::assert_sound(&item);
    item
}

fn build(project: &ProjectFacts) -> Item {
    build_in(project, &default_categories(), &[])
}

/// The full document of a project with this front matter.
fn with_front(front: &str) -> Map<String, Value> {
    build(&project(
        &format!("---\n{front}\n---\nBody"),
        &["README.md", "docs/guide.md", "img/p.png", "data/a.csv", "w.pt"],
    ))
    .full
}

fn warnings(document: &Map<String, Value>) -> Vec<String> {
    let list = document["properties"].get("sharinghub:warnings").and_then(Value::as_array);
    list.into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn extensions(document: &Map<String, Value>) -> Vec<&str> {
    document["stac_extensions"].as_array().unwrap().iter().map(|schema| schema.as_str().unwrap()).collect()
}

fn links<'a>(document: &'a Map<String, Value>, rel: &str) -> Vec<&'a Value> {
    document["links"].as_array().unwrap().iter().filter(|link| link["rel"] == rel).collect()
}
