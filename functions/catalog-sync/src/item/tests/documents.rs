//! Whole documents, and who gets which.

use serde_json::json;

use shared::catalog::Scalar;

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
        json!({"href": "perigee:/mlflow/grp/sub/model-a/tracking/model-versions/get-artifact?name=unet%2811%29&version=3&path=model%2Fmodel.pkl",
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
    assert!(build(&project).minimal.is_some(), "for external guests");
    project.visibility = Visibility::Private;
    project.code_visibility = Visibility::Private;
    assert!(build(&project).minimal.is_some());
    project.repository = None;
    assert!(build(&project).minimal.is_none());
}

#[test]
fn a_project_without_repository_is_an_item() {
    let mut project = rich("");
    project.repository = None;
    project.description = String::new();
    let item = build(&project).full;
    let properties = item["properties"].as_object().unwrap();
    assert!(!properties.contains_key("description"));
    assert_eq!(properties["sharinghub:default-branch"], Value::Null);
    assert_eq!(properties["sharinghub:dvc-init"], "enable");
    assert_eq!(item["assets"], json!({}));
    assert_eq!(item["stac_extensions"], json!([]));
}

#[test]
fn a_project_of_two_kinds_is_one_item_in_each() {
    let mut project = rich("Body");
    project.topics.push("sharinghub:dataset".into());
    let categories = default_categories();
    let settings = Settings { gitlab_url: GITLAB, categories: &categories };
    let item = super::super::build(&project, &categories[1], &[], &settings).full;
    schemas::assert_valid(&item);
    assert_eq!(item["collection"], "dataset");
    assert_eq!(item["properties"]["sharinghub:mlflow"], "disable");
    assert_eq!(item["properties"]["keywords"], json!(["flood", "sentinel-1"]));
    assert!(item["assets"].as_object().unwrap().contains_key("data/a.csv"), "the data set's rules");
    assert!(item["assets"].as_object().unwrap().contains_key("weights/best #1.pt"), "the model's rules");
    assert_eq!(links(&item, "mlflow:tracking-uri").len(), 1);
}

#[test]
fn facts_are_what_the_documents_say() {
    let front = "extent: {spatial: [1, 2, 3, 4]}\ncustom: 5\nlist: [a, 1, true]\nmap: {a: 1}\nlong: '".to_owned();
    let item = build(&project(&format!("---\n{front}{}'\n---\nSome BODY\ntext", "x".repeat(3_000)), &[]));
    let facts = &item.row.full;
    assert_eq!(facts.text, "model a\ngrp/sub/model-a\nflood\nsentinel-1\nsome body text");
    assert_eq!((facts.start, facts.end), (1_704_103_200_000, 1_733_040_000_000));
    assert_eq!(facts.bbox, Some([1.0, 2.0, 3.0, 4.0]));
    assert!(facts.geometry.as_ref().unwrap().contains("\"Polygon\""));
    let property = |name: &str| facts.properties.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
    assert_eq!(property("custom"), Some(Scalar::Number(5.0)));
    assert_eq!(
        property("list"),
        Some(Scalar::List(vec![Scalar::Text("a".into()), Scalar::Number(1.0), Scalar::Bool(true)]))
    );
    assert_eq!(property("map").or(property("long")).or(property("providers")), None);
    assert_eq!(property("sharinghub:stars"), Some(Scalar::Number(3.0)));
    assert_eq!(property("collection"), Some(Scalar::Text("aimodel".into())));
    assert_eq!(property("datetime"), Some(Scalar::Text("2024-12-01T08:00:00Z".into())));
    assert_eq!((item.row.project, item.row.id.as_str()), (ProjectId(11), "grp/sub/model-a"));
}
