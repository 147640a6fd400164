//! One broken project, part or README harms nothing else (S2), and says so itself.

use local::gitlab::{Fault, Visibility};

use super::*;

const PATH: &str = "earth/broken";
const ODD: Fault = Fault::Status { code: 500, retry_after: None };

/// READMEs that are not what an item's author meant, and what the warning must name.
const BROKEN: &[(&str, &str)] = &[
    ("---\ntitle: [1\n---\n# Body", "front matter"),
    ("---\na: b: c\n---\n# Body", "front matter"),
    ("---\na: *nowhere\n---\n# Body", "front matter"),
    ("---\n- a\n---\n# Body", "front matter"),
    ("---\n\ttitle: tab\n---\n# Body", "front matter"),
    ("---\ntitle: {x: 1}\n---\n# Body", "title"),
    ("---\nextent: {spatial: \"POLYGON ((1 2\"}\n---\n# Body", "spatial"),
    ("---\nextent: {temporal: [2021-02-01, 2021-01-01]}\n---\n# Body", "temporal"),
    ("---\nassets: 7\n---\n# Body", "assets"),
    ("---\nlinks: {a: 1}\n---\n# Body", "links"),
    ("---\nrelated: {nothing: a/b}\n---\n# Body", "related"),
    ("---\nid: mine\n---\n# Body", "id"),
];

#[tokio::test]
async fn s2_a_broken_readme_is_an_item_with_a_warning_and_no_page_fails() {
    let hub = synced().await;
    for (number, (readme, _)) in BROKEN.iter().enumerate() {
        let (id, path) = (FIRST + number as u64, format!("{PATH}-{number}"));
        add_project(&hub, id, &path, Visibility::Public, "aimodel", readme);
    }
    let done = news(&hub).await;
    assert_eq!((done.written, done.failed), (BROKEN.len() as u64, 0));
    let all = found(&hub, NOBODY, &[("collections", "aimodel"), ("limit", "100")]).await;
    assert_eq!(all.len(), BROKEN.len() + 1);
    for (number, (readme, named)) in BROKEN.iter().enumerate() {
        let item = item(&hub, NOBODY, "aimodel", &format!("{PATH}-{number}")).await.ok();
        let said = warnings(&item);
        assert!(said.iter().any(|warning| warning.contains(named)), "{readme}: {said:?}");
        assert_eq!(item["properties"]["title"], format!("broken-{number}"), "{readme}");
        assert_eq!(item["properties"]["description"], "# Body", "{readme}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_are_an_item_too() {
    let hub = synced().await;
    add_project(&hub, FIRST, PATH, Visibility::Public, "aimodel", "x");
    for readme in [&b"\xff\xfe---\x00"[..], b"---\ntitle: \xc3\x28\n---\n", b"", b"---", b"---\n---"] {
        hub.world.put_file(PATH, "README.md", readme).unwrap();
        assert_eq!(news(&hub).await.failed, 0);
        assert_eq!(item(&hub, NOBODY, "aimodel", PATH).await.ok()["id"], PATH, "{readme:?}");
    }
}

#[tokio::test]
async fn a_part_that_cannot_be_read_is_a_warning() {
    let hub = synced().await;
    for (call, named) in [
        ("GET /api/v4/projects/{id}/releases", "the releases"),
        ("GET /api/v4/projects/{id}/packages", "the packages"),
        ("GET /api/v4/projects/{id}/registry/repositories", "the container images"),
        ("GET /api/v4/projects/{id}/repository/files/{path}/raw", "the README"),
        ("GET /api/v4/projects/{id}/repository/tree", "the list of files"),
    ] {
        hub.world.fail_call(call, ODD);
        let done = everything(&hub).await.summary;
        hub.world.heal();
        assert_eq!((done.failed, done.removed), (0, 0), "{call}");
        let item = whole(&hub, "aimodel", "earth/flood-model").await;
        let said = warnings(&item);
        assert!(said.iter().any(|warning| warning.contains(named)), "{call}: {said:?}");
        assert_eq!(item["properties"]["gitlab:tags"][0], "flood", "{call}: the rest is there");
        assert_eq!(found(&hub, ADMIN, &[]).await.len(), 5, "{call}");
        everything(&hub).await;
        assert_eq!(warnings(&whole(&hub, "aimodel", "earth/flood-model").await), Vec::<String>::new(), "{call}");
    }
}

#[tokio::test]
async fn a_project_that_cannot_be_read_leaves_the_others_and_itself_as_they_were() {
    let hub = synced().await;
    let before = whole(&hub, "aimodel", "earth/flood-model").await;
    let show = "GET /api/v4/projects/{id}";
    for (number, path) in [(0, "earth/new-0"), (1, "earth/new-1")] {
        add_project(&hub, FIRST + number, path, Visibility::Public, "dataset", "---\ntitle: New\n---\n");
    }
    hub.world.fail_call(show, ODD);
    let done = everything(&hub).await;
    assert_eq!((done.summary.failed, done.summary.written, done.summary.removed), (7, 2, 0));
    assert_eq!(whole(&hub, "aimodel", "earth/flood-model").await, before);
    // Of the new ones what the list tells.
    let item = item(&hub, NOBODY, "dataset", "earth/new-0").await.ok();
    assert_eq!(item["properties"]["title"], "new-0");
    assert!(warnings(&item)[0].contains("could not be read"), "{:?}", warnings(&item));
    hub.world.heal();
    // They were not remembered as read: even long after their last activity they are news.
    hub.clock.advance(15 * 3_600_000);
    assert_eq!(news(&hub).await.written, 2);
    let item = whole(&hub, "dataset", "earth/new-1").await;
    assert_eq!((&item["properties"]["title"], warnings(&item)), (&"New".into(), Vec::new()));
}

#[tokio::test]
async fn a_vanished_project_that_cannot_be_asked_for_does_not_stop_the_others() {
    let hub = synced().await;
    hub.world.set_topics("earth/land-cover", &[]).unwrap();
    hub.world.put_file("earth/sentinel-patches", "README.md", "---\ntitle: Changed\n---\n").unwrap();
    hub.world.set_topics("earth/tools/ndvi", &["sharinghub:processor", "changed"]).unwrap();
    let show = "GET /api/v4/projects/{id}";
    hub.world.fail_call(show, ODD);
    let done = everything(&hub).await;
    assert!(done.finished && done.summary.removed == 0, "{done:?}");
    hub.world.heal();
    let done = everything(&hub).await.summary;
    assert_eq!((done.removed, done.written, done.failed), (1, 2, 0));
}
