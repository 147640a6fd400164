//! What GitLab says of a project is what its item says; what has not changed is neither read nor written again.

use local::gitlab::Visibility;
use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn every_part_of_a_project_reaches_its_item() {
    let hub = synced().await;
    let item = whole(&hub, "aimodel", "earth/flood-model").await;
    assert_eq!(warnings(&item), Vec::<String>::new());
    let properties = &item["properties"];
    for (name, expected) in [
        ("title", json!("Flood model")),
        ("license", json!("Apache-2.0")),
        ("keywords", json!(["flood", "sentinel-1", "radar"])),
        ("start_datetime", json!("2021-07-10T00:00:00Z")),
        ("end_datetime", json!("2021-07-31T00:00:00Z")),
        ("created", json!("2025-02-03T09:12:44Z")),
        ("updated", json!("2025-06-11T07:45:02Z")),
        ("gitlab:topics", json!(["sharinghub:aimodel", "flood", "sentinel-1"])),
        ("gitlab:tags", json!(["flood", "sentinel-1"])),
        ("sharinghub:id", json!(1)),
        ("sharinghub:path", json!("earth/flood-model")),
        ("sharinghub:name", json!("Earth / flood-model")),
        ("sharinghub:stars", json!(3)),
        ("sharinghub:default-branch", json!("main")),
        ("sharinghub:map-viewer", json!("enable")),
        ("mlm:name", json!("Flood model")),
        ("mlm:architecture", json!("logistic regression")),
        ("sci:doi", json!("10.1109/TSMC.1979.4310076")),
        ("sharinghub:access-level", json!(2)),
    ] {
        assert_eq!(properties[name], expected, "{name}");
    }
    assert_eq!(item["geometry"]["type"], "Polygon");
    assert_eq!(item["bbox"], json!([5.8, 49.1, 12.4, 52.4]));
    assert_eq!(properties["providers"][0]["name"], "Earth group");
    assert!(properties["description"].as_str().unwrap().contains("Marks open water"));
    for (rel, part) in [
        ("derived_from", "/api/stac/collections/dataset/items/earth/sentinel-patches"),
        ("documentation", "https://earth.example.org/flood"),
        ("training-script", "/api/download/earth/flood-model/repository/src/train.py"),
        ("mlflow:tracking-uri", "/mlflow/earth/flood-model/tracking/"),
        ("preview", "/repository/preview.png"),
        ("package", "/packages/"),
        ("container", "/container_registry/"),
        ("cite-as", "https://doi.org/10.1109/TSMC.1979.4310076"),
        ("license", "LICENSE"),
    ] {
        let href = links(&item, rel).first().map(|link| link["href"].as_str().unwrap().to_owned()).unwrap_or_default();
        assert!(href.contains(part), "{rel}: {href} in {:#}", item["links"]);
    }
    let container = links(&item, "container")[0];
    assert_eq!(container["container:tags"], json!(["latest", "v1.1.0", "v1.0.0"]));
    assert_eq!(links(&item, "package")[0]["package:type"], "pypi");
    let assets = item["assets"].as_object().unwrap();
    let names: Vec<&str> = assets.keys().map(String::as_str).collect();
    for expected in ["README.md", "data/backscatter.csv", "weights", "release", "preview.png"] {
        assert!(names.contains(&expected), "{expected} in {names:?}");
    }
    assert_eq!(assets["weights"]["roles"], json!(["data", "mlm:model"]));
    assert_eq!(assets["weights"]["title"], "Weights of the logistic regression");
    assert!(assets["weights"]["file:size"].as_u64().unwrap() > 0);
    assert_eq!(assets["data/backscatter.csv"]["title"], "Training samples data/backscatter.csv");
    assert_eq!(assets["release"]["title"], "Release v1.1.0: Summer floods");
    assert!(!item.to_string().contains("perigee:"), "the hub's own URLs are absolute");
}

#[tokio::test]
async fn a_file_in_lfs_has_its_contents_size_and_checksum() {
    let hub = synced().await;
    let content = vec![7_u8; 70_000];
    hub.world.put_lfs_file("earth/land-cover", "weights.onnx", &content).unwrap();
    assert_eq!(news(&hub).await.written, 1);
    let item = whole(&hub, "aimodel", "earth/land-cover").await;
    let asset = &item["assets"]["weights.onnx"];
    assert_eq!(asset["file:size"], 70_000);
    // A multihash: SHA-256 is 0x12, of 0x20 bytes.
    assert_eq!(asset["file:checksum"], "12204f772cad45a568461aeb93ed8e3451422e5ba92d94c01a3355cb02e75c4b387e");
    let patches = whole(&hub, "dataset", "earth/sentinel-patches").await;
    let known = "122063c1c2a2a418b031214fe2e8e957a923c85d074547db5141519dca8fe5969e73";
    let has = |asset: &&Value| asset["file:checksum"] == known;
    assert!(patches["assets"].as_object().unwrap().values().any(|asset| has(&asset)), "{:#}", patches["assets"]);
}

#[tokio::test]
async fn a_sync_of_unchanged_projects_writes_nothing_and_of_news_reads_none() {
    let hub = synced().await;
    let before = hub.state.store.usage();
    let done = everything(&hub).await.summary;
    assert_eq!((done.unchanged, done.written, done.removed), (5, 0, 0));
    assert_eq!(hub.state.store.usage().writes, before.writes);
    hub.world.reset_calls();
    let done = news(&hub).await;
    assert_eq!((done.skipped, done.unchanged), (5, 0));
    assert_eq!(hub.state.store.usage().writes, before.writes);
    let calls = hub.world.calls();
    assert_eq!(calls.keys().collect::<Vec<_>>(), ["GET /api/v4/projects"], "only the lists were read");
    // Of each category a page and the empty one behind it.
    assert_eq!(hub.world.call_count(), 6);
}

#[tokio::test]
async fn news_are_read_once_and_then_known() {
    let hub = synced().await;
    // What the list tells of, and an item does not show.
    hub.world.set_archived("earth/land-cover", true).unwrap();
    let first = news(&hub).await;
    assert_eq!((first.skipped, first.written + first.unchanged), (4, 1));
    assert_eq!(news(&hub).await.skipped, 5);
    // A push shows in the list within the hour; a project that is active is read until then.
    hub.world.put_file("earth/land-cover", "more.onnx", "x").unwrap();
    assert_eq!(news(&hub).await.written, 1);
    assert_eq!(news(&hub).await, Summary { skipped: 4, unchanged: 1, ..Summary::default() });
    hub.clock.advance(15 * 3_600_000);
    assert_eq!(news(&hub).await.skipped, 5);
}

#[tokio::test]
async fn a_project_of_two_categories_is_two_items() {
    let hub = synced().await;
    hub.world.set_topics("earth/land-cover", &["sharinghub:aimodel", "sharinghub:dataset", "sentinel-2"]).unwrap();
    assert_eq!(news(&hub).await.written, 2, "one is new, the other one's topics have changed");
    let everywhere = found(&hub, NOBODY, &[("ids", "earth/land-cover")]).await;
    assert_eq!(everywhere, ["aimodel/earth/land-cover", "dataset/earth/land-cover"]);
    for collection in ["aimodel", "dataset"] {
        let item = whole(&hub, collection, "earth/land-cover").await;
        assert_eq!(item["collection"], collection);
        assert_eq!(item["properties"]["gitlab:tags"], json!(["sentinel-2"]));
        let parent = links(&item, "collection")[0]["href"].as_str().unwrap();
        assert!(parent.ends_with(&format!("/collections/{collection}")), "{parent}");
    }
    assert_eq!(news(&hub).await.skipped, 6, "as many as there are items");
    hub.world.set_topics("earth/land-cover", &["sharinghub:dataset"]).unwrap();
    let done = news(&hub).await;
    assert_eq!((done.written, done.removed), (1, 1));
    assert_eq!(found(&hub, NOBODY, &[("ids", "earth/land-cover")]).await, ["dataset/earth/land-cover"]);
    assert_eq!(item(&hub, ADMIN, "aimodel", "earth/land-cover").await.status, 404);
}

#[tokio::test]
async fn an_item_is_named_by_path_whatever_its_depth() {
    let hub = synced().await;
    let path = "earth/tools/very.deep-one_2";
    add_project(&hub, FIRST, path, Visibility::Public, "processor", "# Deep\n\nDown here.");
    news(&hub).await;
    for spelled in ["earth/tools/very.deep-one_2", "earth%2Ftools%2Fvery.deep-one_2", "earth/tools%2Fvery.deep-one_2"] {
        let item = item(&hub, NOBODY, "processor", spelled).await.ok();
        assert_eq!(item["id"], path, "{spelled}");
    }
}
