//! Pages of searches while others write.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{new_model, new_version, texts};
use crate::hub::{GUEST, Hub};

/// All pages of a search; between them `between` is told the page's number.
async fn pages<F: Future<Output = ()>>(
    hub: &Hub,
    search: &str,
    list: &str,
    between: impl Fn(usize) -> F,
) -> Vec<Value> {
    let mut found = Vec::new();
    let mut token = String::new();
    for number in 0.. {
        let page = hub.get(&format!("{search}&page_token={token}")).await.ok();
        found.extend(page[list].as_array().cloned().unwrap_or_default());
        match page["next_page_token"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
        between(number).await;
    }
    found
}

#[tokio::test]
async fn no_model_is_lost_or_doubled_while_others_are_made() {
    let hub = Hub::start().await;
    let expected: BTreeSet<String> = (0..60).map(|number| format!("model {number:02}")).collect();
    for name in &expected {
        new_model(&hub, name).await;
    }
    for order in ["", "&order_by=name%20DESC", "&order_by=timestamp%20ASC", "&order_by=last_updated_timestamp%20DESC"] {
        let search = format!("registered-models/search?max_results=7{order}");
        let extra = |number: usize| {
            let (hub, order) = (hub.clone(), order.to_owned());
            async move { new_model(&hub, &format!("extra {number:02} {order}").replace(['&', '%', '='], "_")).await }
        };
        let found = texts(&pages(&hub, &search, "registered_models", extra).await.into(), "name");
        let known: Vec<&String> = found.iter().filter(|name| expected.contains(*name)).collect();
        assert_eq!(known.len(), expected.len(), "{order}: {found:?}");
        assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len(), "{order}: doubled");
    }
}

#[tokio::test]
async fn no_version_is_lost_or_doubled_while_others_are_made() {
    let hub = Hub::start().await;
    for name in ["a", "b", "c"] {
        new_model(&hub, name).await;
    }
    let mut expected = BTreeSet::new();
    for number in 0..45 {
        let name = ["a", "b", "c"][number % 3];
        expected.insert((name.to_owned(), new_version(&hub, name).await));
    }
    for filter in ["", "&filter=name%3D'a'"] {
        for order in
            ["", "&order_by=version_number%20ASC", "&order_by=creation_timestamp%20DESC", "&order_by=name%20DESC"]
        {
            let search = format!("model-versions/search?max_results=7{filter}{order}");
            let extra = |_| {
                let hub = hub.clone();
                async move {
                    new_version(&hub, "a").await;
                }
            };
            let found = pages(&hub, &search, "model_versions", extra).await;
            let id = |version: &Value| {
                (version["name"].as_str().unwrap().to_owned(), version["version"].as_str().unwrap().to_owned())
            };
            let ids: Vec<_> = found.iter().map(id).collect();
            let wanted = expected.iter().filter(|(name, _)| filter.is_empty() || name == "a").count();
            let known = ids.iter().filter(|id| expected.contains(*id)).count();
            assert_eq!(known, wanted, "{filter} {order}: {ids:?}");
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{filter} {order}: doubled");
        }
    }
}

#[tokio::test]
async fn a_token_is_good_for_its_search_only() {
    let hub = Hub::start().await;
    for name in ["a", "b", "c"] {
        new_model(&hub, name).await;
        new_version(&hub, name).await;
    }
    let page = hub.get("registered-models/search?max_results=1").await.ok();
    let token = page["next_page_token"].as_str().unwrap().to_owned();
    assert_eq!(hub.get(&format!("registered-models/search?max_results=2&page_token={token}")).await.status, 200);
    for other in [
        "registered-models/search?order_by=name%20DESC".to_owned(),
        "registered-models/search?filter=name%20LIKE%20'a'".to_owned(),
        "model-versions/search?max_results=1".to_owned(),
    ] {
        assert_eq!(hub.get(&format!("{other}&page_token={token}")).await.status, 400, "{other}");
    }
    assert_eq!(hub.get("registered-models/search?page_token=bm9uc2Vuc2U").await.status, 400);
    let path = format!("{}/api/2.0/mlflow/registered-models/search?page_token={token}", crate::hub::FLOOD);
    assert_eq!(hub.call(GUEST, http::Method::GET, &path, None).await.status, 400);
}
