//! What happens to a project in GitLab happens to its item: by the schedule, and at once by a webhook.

use aws_sdk_dynamodb::types::AttributeValue;
use local::gitlab::{Visibility, World};

use super::*;
use crate::hub::{GUEST, Hub, OUTSIDER, table};

const PATH: &str = "earth/changing";

/// How the catalog hears of changes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Schedule,
    Webhook,
}

async fn hear(hub: &Hub, way: Way) {
    match way {
        Way::Schedule => {
            news(hub).await;
        }
        Way::Webhook => {
            let body = serde_json::json!({ "event_name": "project_update", "project_id": FIRST }).to_string();
            let answer = post_hook(hub, &[("x-gitlab-token", "hook")], &body).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }
}

async fn start() -> Hub {
    configured(&synced().await, |config| config.webhook_secret = Some("hook".into())).await
}

/// Where the project's items are, for an administrator.
async fn places(hub: &Hub) -> Vec<String> {
    found(hub, ADMIN, &[("filter", &format!("sharinghub:id = {FIRST}"))]).await
}

#[tokio::test]
async fn every_change_is_followed() {
    type Change = (&'static str, fn(&World), &'static [&'static str]);
    let steps: &[Change] = &[
        ("new, without a topic", |world| world.add_project(FIRST, PATH, Visibility::Public).unwrap(), &[]),
        ("a topic", |world| world.set_topics(PATH, &["sharinghub:aimodel"]).unwrap(), &["aimodel/earth/changing"]),
        (
            "another topic",
            |world| world.set_topics(PATH, &["x", "sharinghub:dataset"]).unwrap(),
            &["dataset/earth/changing"],
        ),
        ("renamed", |world| world.rename_project(PATH, "earth/tools/moved").unwrap(), &["dataset/earth/tools/moved"]),
        ("back", |world| world.rename_project("earth/tools/moved", PATH).unwrap(), &["dataset/earth/changing"]),
        ("no topic", |world| world.set_topics(PATH, &[]).unwrap(), &[]),
        (
            "a topic again",
            |world| world.set_topics(PATH, &["sharinghub:aimodel"]).unwrap(),
            &["aimodel/earth/changing"],
        ),
        ("deleted", |world| world.delete_project(PATH).unwrap(), &[]),
    ];
    for way in [Way::Schedule, Way::Webhook] {
        let hub = start().await;
        for (what, change, expected) in steps {
            change(&hub.world);
            hear(&hub, way).await;
            assert_eq!(places(&hub).await, *expected, "{what} by {way:?}");
            let quiet = hub.state.store.usage().writes;
            everything(&hub).await;
            let after = hub.state.store.usage().writes;
            assert_eq!(after - quiet, 0.0, "{what} by {way:?}: all was done");
        }
        assert_eq!(found(&hub, ADMIN, &[]).await.len(), 5, "the others are still there");
    }
}

#[tokio::test]
async fn visibility_is_followed() {
    use Visibility::{Internal, Private, Public};
    for way in [Way::Schedule, Way::Webhook] {
        let hub = start().await;
        add_project(&hub, FIRST, PATH, Private, "aimodel", "# Mine");
        hub.world.set_external("outsider", true).unwrap();
        for (visibility, seen) in [
            (Private, [false, false, true]),
            (Public, [true, true, true]),
            (Internal, [false, false, true]),
            (Public, [true, true, true]),
            (Private, [false, false, true]),
        ] {
            hub.world.set_visibility(PATH, visibility).unwrap();
            hear(&hub, way).await;
            hub.clock.advance(60_000);
            for (token, expected) in [NOBODY, OUTSIDER, GUEST].into_iter().zip(seen) {
                let status = item(&hub, token, "aimodel", PATH).await.status;
                assert_eq!(status, if expected { 200 } else { 404 }, "{visibility:?} by {way:?} for '{token}'");
                let is_found = !found(&hub, token, &[("ids", PATH)]).await.is_empty();
                assert_eq!(is_found, expected, "{visibility:?} by {way:?} for '{token}'");
            }
        }
    }
}

#[tokio::test]
async fn the_repository_is_followed() {
    let hub = start().await;
    add_project(&hub, FIRST, PATH, Visibility::Public, "aimodel", "---\ntitle: One\n---\n");
    hear(&hub, Way::Webhook).await;
    let title = async || whole(&hub, "aimodel", PATH).await["properties"]["title"].clone();
    assert_eq!(title().await, "One");
    hub.world.put_file(PATH, "README.md", "---\ntitle: Two\n---\n").unwrap();
    hear(&hub, Way::Webhook).await;
    assert_eq!(title().await, "Two");
    hub.world.add_release(PATH, "v1", "First", "Out.").unwrap();
    hub.world.put_file(PATH, "model.onnx", "weights").unwrap();
    hear(&hub, Way::Webhook).await;
    let item = whole(&hub, "aimodel", PATH).await;
    assert_eq!(item["assets"]["release"]["title"], "Release v1: First");
    assert_eq!(item["assets"]["model.onnx"]["file:size"], 7);
    for file in ["README.md", "model.onnx"] {
        hub.world.remove_file(PATH, file).unwrap();
    }
    hear(&hub, Way::Webhook).await;
    let item = whole(&hub, "aimodel", PATH).await;
    assert_eq!(item["properties"]["title"], "changing");
    assert_eq!(item["assets"]["model.onnx"], serde_json::Value::Null);
}

#[tokio::test]
async fn what_is_gone_stays_gone_for_an_instance_that_starts_later() {
    let hub = start().await;
    hub.world.delete_project("earth/land-cover").unwrap();
    assert_eq!(news(&hub).await.removed, 1);
    let beside = hub.beside().await;
    for hub in [&hub, &beside] {
        assert_eq!(found(hub, NOBODY, &[]).await, ["dataset/earth/sentinel-patches"]);
        assert_eq!(item(hub, ADMIN, "aimodel", "earth/land-cover").await.status, 404);
    }
    assert_eq!(news(&hub).await.removed, 0, "it is not removed again");
    // What still tells so does not stay for ever.
    let items = table(&hub).await.query().table_name(&hub.state.config.table).key_condition_expression("PK = :pk");
    let items = items.expression_attribute_values(":pk", AttributeValue::S("ITEM#2#aimodel".into()));
    let items = items.send().await.unwrap().items.unwrap();
    assert_eq!(items.len(), 2);
    assert!(items.iter().all(|item| item.contains_key("ttl")), "{items:?}");
}

#[tokio::test]
async fn a_category_that_is_no_longer_configured_has_no_items() {
    let hub = synced().await;
    let fewer = configured(&hub, |config| config.categories.retain(|category| category.id != "dataset")).await;
    assert_eq!(news(&fewer).await.removed, 1);
    assert_eq!(found(&fewer, ADMIN, &[]).await.len(), 4);
    assert_eq!(item(&fewer, ADMIN, "dataset", "earth/sentinel-patches").await.status, 404);
}

#[tokio::test]
async fn an_older_reading_never_replaces_a_newer_one() {
    let hub = start().await;
    add_project(&hub, FIRST, PATH, Visibility::Public, "aimodel", "---\ntitle: New\n---\n");
    let late = hub.beside().await;
    late.clock.set_skew(-30_000);
    hear(&hub, Way::Webhook).await;
    // Whoever began to read earlier comes too late, with whatever it read.
    hub.world.put_file(PATH, "README.md", "---\ntitle: Old\n---\n").unwrap();
    assert_eq!(catalog_sync::refresh(&late.state, shared::model::ProjectId(FIRST)).await.unwrap().overtaken, 1);
    assert_eq!(whole(&hub, "aimodel", PATH).await["properties"]["title"], "New");
    hub.world.set_topics(PATH, &[]).unwrap();
    assert_eq!(catalog_sync::refresh(&late.state, shared::model::ProjectId(FIRST)).await.unwrap().removed, 0);
    assert_eq!(places(&hub).await.len(), 1);
    hear(&hub, Way::Webhook).await;
    assert_eq!(places(&hub).await.len(), 0);
    // Nor does it bring back what is gone.
    hub.world.set_topics(PATH, &["sharinghub:aimodel"]).unwrap();
    assert_eq!(catalog_sync::refresh(&late.state, shared::model::ProjectId(FIRST)).await.unwrap().overtaken, 1);
    assert_eq!(places(&hub).await.len(), 0);
}

/// Annex 2, 19: the registry belongs to the project, not to its path.
#[tokio::test]
async fn a_renamed_project_has_a_new_id_and_all_its_data() {
    let hub = synced().await;
    let experiment = hub.new_experiment("before").await;
    let run = hub.new_run(&experiment).await;
    hub.post("registered-models/create", serde_json::json!({"name": "mapper"})).await.ok();
    hub.post("model-versions/create", serde_json::json!({"name": "mapper", "source": "s3://bucket/x", "run_id": run}))
        .await
        .ok();
    everything(&hub).await;
    hub.world.rename_project("earth/flood-model", "earth/tools/flood-mapper").unwrap();
    assert_eq!(news(&hub).await.written, 1);
    hub.clock.advance(60_000);
    assert_eq!(item(&hub, ADMIN, "aimodel", "earth/flood-model").await.status, 404);
    let item = item(&hub, GUEST, "aimodel", "earth/tools/flood-mapper").await.ok();
    assert_eq!((&item["id"], &item["properties"]["sharinghub:id"]), (&"earth/tools/flood-mapper".into(), &1.into()));
    let item = whole(&hub, "aimodel", "earth/tools/flood-mapper").await;
    let href = links(&item, "mlflow:model")[0]["href"].as_str().unwrap();
    assert!(href.contains("/mlflow/earth/tools/flood-mapper/tracking/"), "{href}");
    let base = "/mlflow/earth/tools/flood-mapper/tracking/api/2.0/mlflow";
    for call in [format!("runs/get?run_id={run}"), "registered-models/get?name=mapper".into()] {
        get(&hub, crate::hub::DEVELOPER, &format!("{base}/{call}")).await.ok();
    }
}
