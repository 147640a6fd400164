//! An index of the table that is 2 s behind: changes come late, none is lost.

use std::collections::BTreeSet;
use std::time::Duration;

use local::gitlab::Visibility;

use super::*;
use crate::faults::Injector;

const LATER: Duration = Duration::from_millis(2_600);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_written_while_the_index_lags_is_found_later() {
    let (hub, injector) = Injector::with_hub().await;
    everything(&hub).await;
    assert_eq!(found(&hub, NOBODY, &[]).await.len(), 2);
    injector.delay_indexes(Duration::from_secs(2));
    let mut expected = BTreeSet::new();
    // Searches look at the changes between any two writes, too early for the last ones.
    for number in 0..8 {
        let path = format!("earth/lagging-{number}");
        add_project(&hub, FIRST + number, &path, Visibility::Public, "dataset", "# Late");
        catalog_sync::refresh(&hub.state, shared::model::ProjectId(FIRST + number)).await.unwrap();
        expected.insert(format!("dataset/{path}"));
        hub.clock.advance(300);
        search(&hub, NOBODY, &[]).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    hub.world.delete_project("earth/land-cover").unwrap();
    catalog_sync::refresh(&hub.state, shared::model::ProjectId(2)).await.unwrap();
    search(&hub, NOBODY, &[]).await;
    expected.insert("dataset/earth/sentinel-patches".into());
    let beside = hub.beside().await;
    search(&beside, NOBODY, &[]).await;
    tokio::time::sleep(LATER).await;
    for hub in [&hub, &beside] {
        let all: BTreeSet<String> = found(hub, NOBODY, &[("limit", "100")]).await.into_iter().collect();
        assert_eq!(all, expected);
    }
    // Who compares with what the index does not tell yet, writes nothing twice and removes nothing.
    add_project(&hub, 5_000, "earth/last", Visibility::Public, "dataset", "# Last");
    catalog_sync::refresh(&hub.state, shared::model::ProjectId(5_000)).await.unwrap();
    assert_eq!(news(&hub).await.removed, 0);
    tokio::time::sleep(LATER).await;
    assert_eq!(found(&hub, NOBODY, &[("ids", "earth/last")]).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hidden_items_document_is_not_shown_while_the_index_still_thinks_it_public() {
    let (hub, injector) = Injector::with_hub().await;
    everything(&hub).await;
    assert_eq!(found(&hub, NOBODY, &[]).await.len(), 2);
    injector.delay_indexes(Duration::from_secs(2));
    hub.world.set_visibility("earth/land-cover", Visibility::Private).unwrap();
    catalog_sync::refresh(&hub.state, shared::model::ProjectId(2)).await.unwrap();
    let early = search(&hub, NOBODY, &[]).await;
    assert_eq!(ids(&early), ["dataset/earth/sentinel-patches"]);
    assert_eq!(early["numberReturned"], 1);
    tokio::time::sleep(LATER).await;
    assert_eq!(found(&hub, NOBODY, &[]).await, ["dataset/earth/sentinel-patches"]);
}
