//! The snapshot in the bucket and the changes since are the catalog, also for an instance that starts now.

use local::gitlab::{Feature, Visibility};
use shared::catalog::Snapshot;

use super::*;

/// More than a snapshot is due for.
const PROJECTS: u64 = 1_050;

async fn large() -> Hub {
    let hub = synced().await;
    for number in 0..PROJECTS {
        let path = format!("earth/bare-{number:04}");
        hub.world.add_project(FIRST + number, &path, Visibility::Public).unwrap();
        hub.world
            .edit_project(&path, |project| {
                project.topics = vec!["sharinghub:dataset".into()];
                project.package_registry = Feature::Disabled;
                project.container_registry = Feature::Disabled;
                "2025-01-01T00:00:00.000Z".clone_into(&mut project.last_activity_at);
            })
            .unwrap();
    }
    assert_eq!(news(&hub).await.written, PROJECTS);
    hub
}

async fn numbers(hub: &Hub, token: &str) -> (u64, Vec<String>) {
    let answer = search(hub, token, &[("sortby", "-id"), ("limit", "1000")]).await;
    (answer["numberMatched"].as_u64().unwrap(), ids(&answer))
}

#[tokio::test]
async fn a_fresh_instance_answers_from_snapshot_and_changes() {
    let hub = large().await;
    // What was written in the minute before a snapshot must be followed, so that much of it makes another one due.
    hub.clock.advance(120_000);
    assert_eq!(news(&hub).await.written, 0);
    let snapshot = Snapshot::read(&hub.state.objects).await.unwrap();
    assert_eq!(snapshot.rows.len() as u64, PROJECTS + 5);
    assert!(snapshot.rows.is_sorted_by(|(a, ..), (b, ..)| (&a.id, &a.collection) < (&b.id, &b.collection)));
    assert_eq!(numbers(&hub, NOBODY).await.0, PROJECTS + 2);
    // Long after it, so that the snapshot alone tells of most.
    hub.clock.advance(3_600_000);
    hub.world.delete_project("earth/bare-0000").unwrap();
    hub.world.rename_project("earth/bare-0001", "earth/tools/was-0001").unwrap();
    hub.world.set_topics("earth/bare-0002", &["sharinghub:processor"]).unwrap();
    hub.world.set_visibility("earth/bare-0003", Visibility::Private).unwrap();
    add_project(&hub, 9_999, "earth/bare-9999", Visibility::Public, "aimodel", "# New");
    let done = news(&hub).await;
    assert_eq!((done.removed, done.written), (2, 4));
    let upto = Snapshot::read(&hub.state.objects).await.unwrap().upto;
    assert_eq!(upto, snapshot.upto, "a few changes are no reason for another one");

    let beside = hub.beside().await;
    beside.clock.advance(3_700_000);
    let before = beside.state.store.usage();
    let expected = numbers(&hub, NOBODY).await;
    assert_eq!(expected.0, PROJECTS + 2 + 1 - 2);
    assert_eq!(numbers(&beside, NOBODY).await, expected);
    // 1,000 documents of a page take 10 requests, the changes one.
    assert_eq!(beside.state.store.usage().requests - before.requests, 11);
    assert_eq!(numbers(&beside, REPORTER).await.0, expected.0 + 3);
    for (id, status) in [("bare-0000", 404), ("bare-0001", 404), ("tools/was-0001", 200), ("bare-0003", 404)] {
        let path = format!("/api/stac/collections/dataset/items/earth/{id}");
        assert_eq!(get(&beside, NOBODY, &path).await.status, status, "{id}");
    }
    // What is listed as known is known by the snapshot, too.
    assert_eq!(news(&beside).await.written, 0);
}

#[tokio::test]
async fn without_a_snapshot_that_can_be_read_the_changes_tell_it_all() {
    let hub = large().await;
    let expected = numbers(&hub, NOBODY).await;
    let bucket = aws_sdk_s3::Client::from_conf(
        aws_sdk_s3::config::Builder::from(&hub.backends.s3.sdk_config().await).force_path_style(true).build(),
    );
    for damaged in [b"".to_vec(), b"\x01garbage".to_vec(), b"\xfe a later format".to_vec()] {
        let put = bucket.put_object().bucket("perigee-artifacts").key("catalog/rows").body(damaged.into());
        put.send().await.unwrap();
        let beside = hub.beside().await;
        beside.clock.advance(60_000);
        assert_eq!(numbers(&beside, NOBODY).await, expected);
    }
    // And the next reconciliation writes a good one.
    news(&hub).await;
    assert_eq!(Snapshot::read(&hub.state.objects).await.unwrap().rows.len() as u64, PROJECTS + 5);
}

#[tokio::test]
async fn the_signs_of_removed_items_do_not_fade_before_a_new_snapshot() {
    let hub = large().await;
    for number in 0..500 {
        hub.world.delete_project(&format!("earth/bare-{number:04}")).unwrap();
    }
    assert_eq!(news(&hub).await.removed, 500);
    hub.clock.advance(31 * 24 * 3_600_000);
    assert_eq!(news(&hub).await.removed, 0);
    let snapshot = Snapshot::read(&hub.state.objects).await.unwrap();
    assert_eq!(snapshot.rows.len() as u64, PROJECTS + 5 - 500, "few rows are left, but the snapshot had them");
}
