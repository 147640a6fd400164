//! How long something is still shown to who has just lost it: an item for 30 s, a page of a search for 60 s.

use local::gitlab::{Feature, Visibility, World};

use super::*;
use crate::hub::{DEVELOPER, GUEST, OUTSIDER};

const ITEM: &str = "/api/stac/collections/aimodel/items/earth/flood-model";
const OPEN: &str = "/api/stac/collections/aimodel/items/earth/land-cover";
const SEARCH: &str = "/api/stac/search?ids=earth/flood-model,earth/land-cover";

type Loss = (&'static str, &'static str, &'static str, fn(&World), u16);

/// What a caller loses, by which call to see it, and what is answered then.
const LOSSES: &[Loss] = &[
    ("a membership ends", REPORTER, ITEM, |world| world.set_role("reporter", "earth", None).unwrap(), 404),
    (
        "a project becomes private",
        OUTSIDER,
        OPEN,
        |world| world.set_visibility("earth/land-cover", Visibility::Private).unwrap(),
        404,
    ),
    (
        "a project becomes private to visitors",
        NOBODY,
        OPEN,
        |world| world.set_visibility("earth/land-cover", Visibility::Private).unwrap(),
        404,
    ),
    ("a project is deleted", DEVELOPER, ITEM, |world| world.delete_project("earth/flood-model").unwrap(), 404),
    (
        "a project has another path",
        DEVELOPER,
        ITEM,
        |world| world.rename_project("earth/flood-model", "earth/other").unwrap(),
        404,
    ),
];

/// What happens, to which caller, and how.
type Change = (&'static str, &'static str, fn(&World));

/// What a caller still sees of the project, but no longer of its code.
const LOST_CODE: &[Change] = &[
    ("the repository becomes the members'", NOBODY, |world| set_repository(world, Feature::Private)),
    ("the repository becomes the members'", OUTSIDER, |world| set_repository(world, Feature::Private)),
    ("the repository is switched off", NOBODY, |world| set_repository(world, Feature::Disabled)),
    ("the project becomes private", GUEST, |world| {
        world.set_visibility("earth/land-cover", Visibility::Private).unwrap();
    }),
];

fn set_repository(world: &World, repository: Feature) {
    world.edit_project("earth/land-cover", |project| project.repository = repository).unwrap();
}

#[tokio::test]
async fn an_item_is_gone_within_thirty_seconds_without_any_sync() {
    for (what, token, path, lose, status) in LOSSES {
        let hub = synced().await;
        let beside = hub.beside().await;
        get(&hub, token, path).await.ok();
        lose(&hub.world);
        // Another instance takes what it can from the table, as late as possible.
        for clock in [&hub.clock, &beside.clock] {
            clock.advance(20_000);
        }
        get(&beside, token, path).await;
        for clock in [&hub.clock, &beside.clock] {
            clock.advance(10_000);
        }
        for hub in [&hub, &beside] {
            assert_eq!(get(hub, token, path).await.status, *status, "{what}");
        }
    }
}

#[tokio::test]
async fn a_page_does_not_show_it_after_a_minute() {
    let hub = synced().await;
    let count = async || get(&hub, REPORTER, SEARCH).await.ok()["numberMatched"].clone();
    assert_eq!(count().await, 2);
    hub.world.set_role("reporter", "earth", None).unwrap();
    hub.clock.advance(60_000);
    assert_eq!(count().await, 1);
    // What the catalog must hear of, it does within a second of hearing.
    hub.world.set_visibility("earth/land-cover", Visibility::Private).unwrap();
    catalog_sync::refresh(&hub.state, shared::model::ProjectId(2)).await.unwrap();
    hub.clock.advance(1_000);
    assert_eq!(count().await, 0);
}

#[tokio::test]
async fn a_revoked_token_ends_within_a_minute() {
    let hub = synced().await;
    for path in [ITEM, SEARCH] {
        get(&hub, REPORTER, path).await.ok();
    }
    hub.world.revoke_token(REPORTER).unwrap();
    hub.clock.advance(30_000);
    assert_eq!(get(&hub, REPORTER, ITEM).await.status, 401, "GitLab is asked with the token itself");
    hub.clock.advance(30_000);
    for path in [ITEM, SEARCH, OPEN, "/api/stac/collections"] {
        assert_eq!(get(&hub, REPORTER, path).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn the_code_is_hidden_at_once_from_who_may_no_longer_read_it() {
    // The catalog has not heard of it yet, but GitLab says so.
    for (what, token, lose) in LOST_CODE {
        let hub = synced().await;
        let before = get(&hub, token, OPEN).await.ok();
        assert_eq!(before["properties"]["title"], "Land cover", "{what}");
        lose(&hub.world);
        hub.clock.advance(30_000);
        // What is left to be shown the catalog has yet to hear.
        assert_eq!(get(&hub, token, OPEN).await.status, 404, "{what} for '{token}'");
        assert_eq!(get(&hub, ADMIN, OPEN).await.ok()["properties"]["title"], "Land cover", "{what}");
        news(&hub).await;
        hub.clock.advance(1_000);
        let after = get(&hub, token, OPEN).await.ok();
        assert_eq!(after["properties"]["title"], "land-cover", "{what} for '{token}'");
        assert_eq!(after["properties"]["sharinghub:access-level"], 1, "{what} for '{token}'");
    }
}

#[tokio::test]
async fn what_a_caller_gains_is_shown_as_soon() {
    let hub = synced().await;
    assert_eq!(get(&hub, OUTSIDER, ITEM).await.status, 404);
    assert_eq!(get(&hub, OUTSIDER, SEARCH).await.ok()["numberMatched"], 1);
    hub.world.set_role("outsider", "earth/flood-model", Some(local::gitlab::Role::Reporter)).unwrap();
    hub.clock.advance(60_000);
    assert_eq!(get(&hub, OUTSIDER, ITEM).await.ok()["properties"]["title"], "Flood model");
    assert_eq!(get(&hub, OUTSIDER, SEARCH).await.ok()["numberMatched"], 2);
}
