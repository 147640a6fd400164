//! GitLab or the table is down: nothing is half written, what is public stays, the rest is 503.

use http::header;
use local::gitlab::{Fault, Visibility};

use super::*;
use crate::hub::{DEVELOPER, GUEST, OUTSIDER};

const DOWN: Fault = Fault::Status { code: 503, retry_after: Some(0) };
const PUBLIC: &str = "/api/stac/collections/aimodel/items/earth/land-cover";
const PRIVATE: &str = "/api/stac/collections/aimodel/items/earth/flood-model";

#[tokio::test]
async fn visitors_still_see_what_is_public_and_tokens_wait() {
    let hub = synced().await;
    let before = get(&hub, NOBODY, PUBLIC).await;
    let search = "/api/stac/search?limit=100";
    let listed = get(&hub, NOBODY, search).await.ok();
    hub.world.fail(DOWN);
    hub.clock.advance(3_600_000);
    let after = get(&hub, NOBODY, PUBLIC).await;
    assert_eq!(after.headers.get(header::ETAG), before.headers.get(header::ETAG));
    assert_eq!(after.ok(), before.ok());
    assert_eq!(get(&hub, NOBODY, search).await.ok(), listed);
    for path in [PRIVATE, "/api/stac/collections/aimodel/items/earth/unknown", PUBLIC, search, "/api/stac/collections"]
    {
        for token in [NOBODY, GUEST, DEVELOPER, OUTSIDER, BAD] {
            let answer = get(&hub, token, path).await;
            let is_open =
                token == NOBODY && ![PRIVATE, "/api/stac/collections/aimodel/items/earth/unknown"].contains(&path);
            assert_eq!(answer.status, if is_open { 200 } else { 503 }, "'{token}' {path}");
            if !is_open {
                assert_eq!(answer.headers[header::RETRY_AFTER], "1", "'{token}' {path}");
                let text = String::from_utf8_lossy(&answer.bytes).into_owned();
                assert!(!text.contains("glpat") && !text.contains("127.0.0.1"), "S14: {text}");
            }
        }
    }
    hub.world.heal();
    get(&hub, GUEST, PRIVATE).await.ok();
}

#[tokio::test]
async fn a_token_that_is_known_does_not_get_by_with_half_the_catalog() {
    let hub = synced().await;
    // Known by its identity, but not yet by its memberships.
    get(&hub, DEVELOPER, "/api/stac/collections").await.ok();
    hub.world.fail(DOWN);
    for path in ["/api/stac/search", "/api/stac/collections/aimodel/items", PUBLIC, PRIVATE] {
        assert_eq!(get(&hub, DEVELOPER, path).await.status, 503, "{path}");
    }
}

#[tokio::test]
async fn gitlab_goes_down_in_the_middle_and_comes_back() {
    let hub = synced().await;
    for number in 0..12 {
        let (id, path) = (FIRST + number, format!("earth/late-{number}"));
        add_project(&hub, id, &path, Visibility::Public, "dataset", "---\ntitle: Late\n---\n");
    }
    hub.world.set_topics("earth/land-cover", &[]).unwrap();
    for call in [
        "GET /api/v4/projects",
        "GET /api/v4/projects/{id}",
        "GET /api/v4/projects/{id}/repository/tree",
        "GET /api/v4/projects/{id}/repository/files/{path}/raw",
        "POST /api/graphql",
    ] {
        let before: Vec<_> = found(&hub, ADMIN, &[("limit", "100"), ("filter", "sharinghub:id < 1000")]).await;
        let whole_before = whole(&hub, "dataset", "earth/sentinel-patches").await;
        hub.world.fail_call(call, Fault::Status { code: 500, retry_after: None });
        let _ = reconcile(&hub.state, Extent::Everything, None).await;
        hub.world.heal();
        let after: Vec<_> = found(&hub, ADMIN, &[("limit", "100"), ("filter", "sharinghub:id < 1000")]).await;
        assert!(after.iter().all(|id| before.contains(id)), "{call}: {after:?}");
        let item = whole(&hub, "dataset", "earth/sentinel-patches").await;
        assert!(item == whole_before || !warnings(&item).is_empty(), "{call}");
        everything(&hub).await;
    }
    let done = everything(&hub).await.summary;
    assert_eq!((done.unchanged, done.written, done.removed), (16, 0, 0));
    let late = found(&hub, NOBODY, &[("q", "late"), ("limit", "100")]).await;
    assert_eq!(late.len(), 12);
    for id in late {
        assert!(warnings(&whole(&hub, "dataset", id.strip_prefix("dataset/").unwrap()).await).is_empty(), "{id}");
    }
}

#[tokio::test]
async fn a_token_that_gitlab_refuses_removes_nothing() {
    let hub = synced().await;
    hub.world.revoke_token(ADMIN).unwrap();
    for _ in 0..2 {
        let error = reconcile(&hub.state, Extent::Everything, None).await.unwrap_err();
        assert!(!error.to_string().contains("glpat"), "{error}");
    }
    assert_eq!(found(&hub, crate::hub::DEVELOPER, &[]).await.len(), 4);
    let without = configured(&hub, |config| config.sync_token = None).await;
    let error = reconcile(&without.state, Extent::News, None).await.unwrap_err();
    assert!(error.to_string().contains("PERIGEE_SYNC_TOKEN"), "{error}");
}

#[tokio::test]
async fn the_table_is_away_and_the_index_answers_for_a_minute() {
    use crate::faults::{Fault as Trouble, Injector};
    let (hub, injector) = Injector::with_hub().await;
    everything(&hub).await;
    assert_eq!(found(&hub, NOBODY, &[]).await.len(), 2);
    // The changes cannot be read; the documents can.
    injector.always(Trouble::Broken, "\"IndexName\"");
    assert_eq!(found(&hub, NOBODY, &[]).await.len(), 2);
    hub.clock.advance(60_000);
    let answer = get(&hub, NOBODY, "/api/stac/search").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.headers[header::RETRY_AFTER], "1");
    injector.heal("\"IndexName\"");
    assert_eq!(found(&hub, NOBODY, &[]).await.len(), 2);
}

#[tokio::test]
async fn a_search_that_is_given_up_leaves_the_index_to_the_next_one() {
    use crate::faults::{Fault as Trouble, Injector};
    let (hub, injector) = Injector::with_hub().await;
    everything(&hub).await;
    assert_eq!(found(&hub, NOBODY, &[]).await.len(), 2);
    injector.next(1, Trouble::Hang, "Query", "\"IndexName\"");
    let given_up = tokio::time::timeout(std::time::Duration::from_millis(300), search(&hub, NOBODY, &[])).await;
    assert!(given_up.is_err() && injector.heal("\"IndexName\"") == 1);
    // The index is not to be had anew, nor needs to be.
    injector.always(Trouble::Broken, "\"IndexName\"");
    assert_eq!(found(&hub, NOBODY, &[]).await.len(), 2);
}
