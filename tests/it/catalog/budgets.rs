//! DynamoDB requests and capacity units of the catalog on a warm instance (data.md section 6), and calls of GitLab.

use shared::store::UsageTotals;

use super::*;
use crate::hub::DEVELOPER;

/// What a call costs: DynamoDB requests, read units, write units, calls of GitLab.
async fn cost(hub: &Hub, call: impl Future) -> (u64, f64, f64, u64) {
    let (before, calls): (UsageTotals, u64) = (hub.state.store.usage(), hub.world.call_count());
    call.await;
    let after = hub.state.store.usage();
    let used = (after.requests - before.requests, after.reads - before.reads, after.writes - before.writes);
    (used.0, used.1, used.2, hub.world.call_count() - calls)
}

#[tokio::test]
async fn each_call_costs_so_much() {
    let hub = synced().await;
    for number in 0..30 {
        let (id, path) = (FIRST + number, format!("earth/budget-{number:02}"));
        add_project(&hub, id, &path, local::gitlab::Visibility::Public, "dataset", "# Budget");
    }
    news(&hub).await;
    let item = "/api/stac/collections/aimodel/items/earth/land-cover";
    let hidden = "/api/stac/collections/aimodel/items/lab/secret-model";
    let unknown = "/api/stac/collections/aimodel/items/lab/unknown";
    let page = "/api/stac/collections/dataset/items?limit=12";
    let nothing = "/api/stac/search?q=nothing-is-called-so";
    for token in [NOBODY, DEVELOPER] {
        for path in [item, page, nothing] {
            get(&hub, token, path).await.ok();
        }
        // Warm: the caller is known and the index is younger than a second.
        for (what, path, requests, reads) in [
            ("an item", item, 1, 2.0),
            ("a page of 12", page, 1, 12.0),
            ("a search without hits", nothing, 0, 0.0),
            ("the root", "/api/stac", 0, 0.0),
            ("the collections", "/api/stac/collections", 0, 0.0),
        ] {
            let (used, units, writes, calls) = cost(&hub, get(&hub, token, path)).await;
            assert_eq!((used, writes, calls), (requests, 0.0, 0), "{what} for '{token}'");
            assert!(units <= reads, "{what} for '{token}': {units} read units");
        }
        for path in [hidden, unknown] {
            get(&hub, token, path).await;
            let (used, _, writes, calls) = cost(&hub, get(&hub, token, path)).await;
            assert_eq!((used, writes, calls), (0, 0.0, 0), "{path} for '{token}'");
        }
        // A second later the index looks for changes, of the last minute only: one request.
        hub.clock.advance(1_000);
        let (used, units, writes, calls) = cost(&hub, get(&hub, token, nothing)).await;
        assert_eq!((used, writes, calls), (1, 0.0, 0), "with a look at the changes, for '{token}'");
        assert!(units <= 20.0, "{units}");
    }
    // With nothing written in that minute, that is half a unit.
    hub.clock.advance(61_000);
    get(&hub, NOBODY, nothing).await.ok();
    hub.clock.advance(1_000);
    let (used, units, ..) = cost(&hub, get(&hub, NOBODY, nothing)).await;
    assert!(used == 1 && units <= 0.5, "{used} requests, {units} units");
}

#[tokio::test]
async fn a_sync_costs_so_much() {
    let hub = synced().await;
    // The changes to compare with, the cursor, the changes to decide on a snapshot.
    let (used, _, writes, calls) = cost(&hub, news(&hub)).await;
    assert_eq!((used, writes, calls), (3, 0.0, 6), "nothing new");
    // One transaction of document and row, in the table and its index.
    hub.world.put_file("earth/land-cover", "README.md", "# Short").unwrap();
    let (used, _, writes, _) = cost(&hub, news(&hub)).await;
    assert_eq!(used, 5, "and the registered models");
    assert!(writes <= 16.0, "{writes} write units");
    // By a webhook: what is stored, and the registered models.
    let id = shared::model::ProjectId(2);
    let (used, _, writes, calls) = cost(&hub, catalog_sync::refresh(&hub.state, id)).await;
    assert_eq!((used, writes), (2, 0.0));
    assert!(calls <= 7, "{calls}");
}
