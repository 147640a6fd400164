//! More than one page of everything (S13), and a reconciliation that runs out of time.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use local::gitlab::{Fault, Feature, Visibility};

use super::*;

/// Public projects of one topic that are read by one call each.
fn add_bare(hub: &Hub, numbers: std::ops::Range<u64>, category: &str) {
    for number in numbers {
        let path = format!("earth/bare-{number:04}");
        hub.world.add_project(FIRST + number, &path, Visibility::Public).unwrap();
        hub.world
            .edit_project(&path, |project| {
                project.topics = vec![format!("sharinghub:{category}")];
                project.package_registry = Feature::Disabled;
                project.container_registry = Feature::Disabled;
                "2025-01-01T00:00:00.000Z".clone_into(&mut project.last_activity_at);
            })
            .unwrap();
    }
}

#[tokio::test]
async fn s13_all_files_of_a_repository_are_read() {
    let hub = synced().await;
    add_project(&hub, FIRST, "earth/files", Visibility::Public, "aimodel", "---\nassets: [\"er/*.bin\"]\n---\n");
    let files = (0..250).map(|number| (format!("part-{number:03}.onnx"), vec![b'x'; number]));
    hub.world.put_files("earth/files", files).unwrap();
    hub.world.put_file("earth/files", "zzz/last.onnx", "the last one of the tree").unwrap();
    hub.world.put_file("earth/files", "deep/er/file.bin", "deep").unwrap();
    hub.world.reset_calls();
    assert_eq!(news(&hub).await.written, 1);
    // 253 files and 3 folders.
    assert_eq!(hub.world.calls()["GET /api/v4/projects/{id}/repository/tree"], 3);
    let item = whole(&hub, "aimodel", "earth/files").await;
    assert_eq!(warnings(&item), Vec::<String>::new());
    let assets = item["assets"].as_object().unwrap();
    for number in [0, 99, 100, 199, 200, 249] {
        let asset = assets.get(&format!("part-{number:03}.onnx"));
        let size = asset.unwrap_or_else(|| panic!("{number} is none of {:?}", assets.keys()))["file:size"].as_u64();
        assert_eq!(size, Some(number), "{number}");
    }
    assert_eq!(assets["deep/er/file.bin"]["file:size"], 4);
}

#[tokio::test]
async fn a_page_of_large_items_ends_early() {
    let hub = synced().await;
    let text = "A long story. ".repeat(4_500);
    for number in 0..80 {
        let path = format!("earth/tale-{number:02}");
        add_project(&hub, FIRST + number, &path, Visibility::Public, "dataset", &text);
    }
    assert_eq!(news(&hub).await.written, 80);
    refresh(&hub);
    // From either end.
    for back in [false, true] {
        let start = "/api/stac/collections/dataset/items?limit=1000&sortby=";
        let mut next = Some(format!("{start}{}id", if back { "-" } else { "" }));
        let (mut seen, mut pages) = (BTreeSet::new(), 0);
        while let Some(path) = next {
            let answer = get(&hub, NOBODY, &path).await;
            assert!(answer.bytes.len() < shared::extract::BODY_LIMIT, "{} bytes", answer.bytes.len());
            let page = answer.ok();
            assert_eq!(page["numberMatched"], 81, "the demo's own is one of them");
            for id in ids(&page) {
                assert!(seen.insert(id.clone()), "{id} came twice");
            }
            pages += 1;
            let href = links(&page, "next").first().map(|link| link["href"].as_str().unwrap().to_owned());
            next = href.map(|href| href.strip_prefix("http://127.0.0.1").unwrap().to_owned());
        }
        assert_eq!(seen.len(), 81);
        assert!(pages > 1, "{pages}");
    }
}

#[tokio::test]
async fn s13_all_projects_are_read_and_found_page_by_page() {
    let hub = synced().await;
    add_bare(&hub, 0..230, "dataset");
    hub.world.reset_calls();
    assert_eq!(news(&hub).await.written, 230);
    // Three pages and an empty one, and for each of the two other categories a page and an empty one.
    assert_eq!(hub.world.calls()["GET /api/v4/projects"], 4 + 2 * 2);
    refresh(&hub);
    let mut seen = Vec::new();
    let mut next = Some("/api/stac/collections/dataset/items?limit=37".to_owned());
    while let Some(path) = next {
        let page = get(&hub, NOBODY, &path).await.ok();
        assert_eq!(page["numberMatched"], 231);
        seen.extend(ids(&page));
        let link = links(&page, "next").first().map(|link| link["href"].as_str().unwrap().to_owned());
        next = link.map(|href| href.strip_prefix("http://127.0.0.1").unwrap().to_owned());
    }
    assert_eq!((seen.len(), seen.iter().collect::<BTreeSet<_>>().len()), (231, 231));
    assert_eq!(news(&hub).await.skipped, 235);
}

/// Reconciles again and again, each time as somebody else and for a little longer, until all is done.
async fn bit_by_bit(hub: &Hub) -> (Summary, u32) {
    let mut total = Summary::default();
    for round in 1.. {
        let hub = hub.beside().await;
        let deadline = Instant::now() + round * Duration::from_millis(100);
        let done = reconcile(&hub.state, Extent::News, Some(deadline)).await.unwrap();
        total += done.summary;
        if done.finished {
            return (total, round);
        }
        assert!(hub.state.store.sync_cursor().await.unwrap().is_some());
    }
    unreachable!("some round is long enough")
}

#[tokio::test]
async fn a_reconciliation_stops_in_time_and_goes_on_where_it_stopped() {
    let hub = synced().await;
    add_bare(&hub, 0..130, "dataset");
    add_bare(&hub, 200..330, "processor");
    hub.world.fail_call("GET /api/v4/projects", Fault::Delay(Duration::from_millis(60)));
    let (done, rounds) = bit_by_bit(&hub).await;
    // What was written when its round ended may be missing in the sum.
    assert!(done.failed == 0 && done.written <= 260 && rounds > 1, "{done} in {rounds} rounds");
    assert_eq!(hub.state.store.sync_cursor().await.unwrap(), None);
    assert_eq!(search(&hub, NOBODY, &[("limit", "1")]).await["numberMatched"], 262);
    // A part is done when its time is over; what it did is not done again.
    hub.world.delete_project("earth/bare-0010").unwrap();
    hub.world.delete_project("earth/bare-0299").unwrap();
    hub.world.set_topics("earth/bare-0050", &["sharinghub:dataset", "new"]).unwrap();
    let (done, rounds) = bit_by_bit(&hub).await;
    assert!(done.removed <= 2 && done.written <= 1 && rounds > 1, "{done} in {rounds} rounds");
    assert_eq!(search(&hub, NOBODY, &[("limit", "1")]).await["numberMatched"], 260);
    hub.world.heal();
    let rest = news(&hub).await;
    assert_eq!((rest.removed, rest.written), (0, 0));
}

#[tokio::test]
async fn a_slow_page_does_not_keep_a_reconciliation_beyond_its_time() {
    let hub = synced().await;
    add_bare(&hub, 0..130, "dataset");
    // 100 projects, 8 at a time.
    hub.world.fail_call("GET /api/v4/projects/{id}", Fault::Delay(Duration::from_secs(3)));
    let begun = Instant::now();
    let done = reconcile(&hub.state, Extent::News, Some(begun + Duration::from_secs(2))).await.unwrap();
    assert!(!done.finished && begun.elapsed() < Duration::from_secs(20), "{done:?}");
    assert!(hub.state.store.sync_cursor().await.unwrap().is_some());
    hub.world.heal();
    assert_eq!(news(&hub).await.written, 130);
}

#[tokio::test]
async fn a_cursor_of_a_category_that_is_gone_begins_anew() {
    let hub = synced().await;
    for cursor in ["nothing 7", "nothing", "", "dataset x", "dataset 99999999999999999999"] {
        hub.state.store.save_sync_cursor(Some(cursor)).await.unwrap();
        assert_eq!(news(&hub).await.skipped, 5, "{cursor}");
        assert_eq!(hub.state.store.sync_cursor().await.unwrap(), None, "{cursor}");
    }
    hub.state.store.save_sync_cursor(Some("processor 0")).await.unwrap();
    assert_eq!(news(&hub).await.skipped, 1, "only the rest");
    assert_eq!(news(&hub).await.skipped, 5);
}

#[tokio::test]
async fn authors_prose_never_becomes_a_url_nor_fills_a_page() {
    let hub = synced().await;
    // An escape, which only the front matter's parser resolves.
    let escaped = "perigee\\x3a/".repeat(3_000);
    for number in 0..60 {
        let path = format!("earth/flood-{number:02}");
        let readme = format!("---\nsummary: \"{escaped}\"\n---\nperigee: 700 km, perigee:/here");
        add_project(&hub, FIRST + number, &path, Visibility::Public, "dataset", &readme);
    }
    assert_eq!(news(&hub).await.written, 60);
    let document = whole(&hub, "dataset", "earth/flood-00").await;
    assert_eq!(document["properties"]["description"], "perigee: 700 km, perigee:%2Fhere");
    let url = "https://an-api-gateway.execute-api.eu-central-1.amazonaws.com";
    let hub = configured(&hub, |config| url.clone_into(&mut config.public_url)).await;
    let mut path = "/api/stac/search?collections=dataset&limit=100".to_owned();
    let mut seen = BTreeSet::new();
    loop {
        let answer = get(&hub, NOBODY, &path).await;
        assert!(answer.bytes.len() < shared::extract::BODY_LIMIT, "{} bytes", answer.bytes.len());
        let page = answer.ok();
        seen.extend(ids(&page));
        let Some(next) = links(&page, "next").first().map(|link| link["href"].as_str().unwrap().to_owned()) else {
            break;
        };
        path = next.strip_prefix(url).unwrap().to_owned();
    }
    assert!((0..60).all(|number| seen.contains(&format!("dataset/earth/flood-{number:02}"))), "{seen:?}");
}
