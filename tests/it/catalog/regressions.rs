//! The weaknesses of the catalog that this one replaces, by their numbers in docs/SECURITY.md. S2 is in `damage.rs`, S13 in `many.rs`.

use http::{Method, StatusCode};
use local::gitlab::Visibility;
use serde_json::{Value, json};

use super::*;
use crate::hub::{DEVELOPER, GUEST, OUTSIDER, READ_ONLY};

const TOKENS: [&str; 5] = [DEVELOPER, GUEST, OUTSIDER, READ_ONLY, ADMIN];

/// S1: tokens of callers, or the catalog's own, are in no document, in no header and in nothing that is stored.
#[tokio::test]
async fn s1_no_token_is_in_any_document() {
    let hub = synced().await;
    add_project(
        &hub,
        FIRST,
        "earth/plain",
        Visibility::Public,
        "aimodel",
        "---\nassets: [\"*\"]\n---\n![p](preview.png)",
    );
    hub.world.put_file("earth/plain", "preview.png", "png").unwrap();
    everything(&hub).await;
    refresh(&hub);
    for token in TOKENS {
        for path in [
            "/api/stac/collections/aimodel/items/earth/flood-model",
            "/api/stac/collections/aimodel/items/earth/plain",
            "/api/stac/collections/dataset/items",
            "/api/stac/search?limit=2",
        ] {
            for (name, value) in [
                ("x-gitlab-token", token.to_owned()),
                ("private-token", token.to_owned()),
                ("authorization", format!("Bearer {token}")),
            ] {
                // As a parameter it is ignored, and not repeated in links.
                let mark = if path.contains('?') { '&' } else { '?' };
                let target = format!("{path}{mark}gitlab_token={token}&private_token={token}");
                let request = Request::builder().uri(&target).header(name, value);
                let answer = hub.send(request.body(Body::empty()).unwrap()).await;
                let text = format!("{:?} {}", answer.headers, String::from_utf8_lossy(&answer.bytes));
                assert!(!text.contains("glpat-") && !text.contains("gitlab_token="), "{name} {target}: {text}");
            }
        }
    }
    let table = crate::hub::table(&hub).await;
    let stored = table.scan().table_name(&hub.state.config.table).send().await.unwrap();
    assert!(stored.count > 10);
    assert!(!format!("{:?}", stored.items).contains("glpat-"));
    // What one caller saw is not what the next one sees.
    get(&hub, DEVELOPER, "/api/stac/collections/aimodel/items/earth/flood-model").await.ok();
    let nobody = get(&hub, NOBODY, "/api/stac/collections/aimodel/items/earth/flood-model").await;
    assert_eq!(nobody.status, 404);
}

/// S3: what a client names is data: in GraphQL's variables, in URLs' single segments, never code.
#[tokio::test]
async fn s3_names_are_not_executed() {
    let hub = synced().await;
    for id in [
        "earth%2Fx%22)%7BfullPath%7D%20me%3AcurrentUser%7Busername%7D%20y%3Aproject(fullPath%3A%22earth%2Fflood-model",
        "earth%2Fflood-model%22%29%7Bid%7D%7D%23",
        "earth%2Fflood-model%5C%22",
        "earth/..%2F..%2Fuser",
        "earth%2F%2E%2E%2Fearth%2Fflood-model",
        "earth/flood-model%3Fsudo=root",
        "earth/flood-model%23",
        "earth/flood-model%00",
        "earth/flood-model%0A",
        "earth/%7Bflood-model%7D",
        "earth/flood-model/",
        "/earth/flood-model",
        "1",
        "gid:%2F%2Fgitlab%2FProject%2F1",
    ] {
        let path = format!("/api/stac/collections/aimodel/items/{id}");
        hub.world.reset_calls();
        let answer = get(&hub, DEVELOPER, &path).await;
        assert_eq!(answer.status, 404, "{id}");
        let text = String::from_utf8_lossy(&answer.bytes);
        assert!(!text.contains("developer") && !text.contains('\u{0}'), "{id}: {text}");
        assert!(hub.world.calls().keys().all(|call| call != "(no route)"), "{id}: {:?}", hub.world.calls());
        // Space around a name is no part of it.
        let id = id.trim_end_matches("%0A").replace("flood-model", "flood+model");
        for parameters in [format!("ids={id}"), format!("collections={id}")] {
            let answer = get(&hub, DEVELOPER, &format!("/api/stac/search?{parameters}")).await;
            assert_eq!((answer.status, &answer.json()["numberMatched"]), (StatusCode::OK, &json!(0)), "{parameters}");
        }
    }
    // Of a search GitLab is asked for the caller's memberships alone, whatever is searched for.
    hub.clock.advance(120_000);
    hub.world.reset_calls();
    get(&hub, DEVELOPER, "/api/stac/search?ids=a%22b,earth/flood-model&q=%22%7D&filter=title%3D%27%22%27").await.ok();
    assert_eq!(hub.world.calls().get("POST /api/graphql"), Some(&1));
}

/// S9: each collection has its own item of a project, and a later reading is seen at once.
#[tokio::test]
async fn s9_items_are_of_their_collection_and_not_stale() {
    let hub = synced().await;
    hub.world.set_topics("earth/land-cover", &["sharinghub:aimodel", "sharinghub:dataset"]).unwrap();
    news(&hub).await;
    for round in 0..3 {
        hub.world.put_file("earth/land-cover", "README.md", format!("---\ntitle: Round {round}\n---\n")).unwrap();
        assert_eq!(news(&hub).await.written, 2);
        for collection in ["aimodel", "dataset", "aimodel"] {
            let item = item(&hub, NOBODY, collection, "earth/land-cover").await.ok();
            assert_eq!(item["collection"], collection);
            assert_eq!(item["properties"]["title"], format!("Round {round}"), "{collection}");
        }
        assert_eq!(item(&hub, NOBODY, "processor", "earth/land-cover").await.status, 404);
    }
}

/// S10: what is remembered of a token is bounded and keyed by its HMAC.
#[tokio::test]
async fn s10_tokens_are_remembered_by_their_hash() {
    let hub = synced().await;
    for token in TOKENS {
        get(&hub, token, "/api/stac/search").await.ok();
        get(&hub, token, "/api/stac/collections/aimodel/items/earth/land-cover").await.ok();
    }
    for number in 0..50 {
        assert_eq!(get(&hub, &format!("glpat-made-up-{number}"), "/api/stac/search").await.status, 401);
    }
    let table = crate::hub::table(&hub).await;
    let items = table.scan().table_name(&hub.state.config.table).send().await.unwrap().items.unwrap_or_default();
    let keys: Vec<String> = items.iter().map(|item| item["PK"].as_s().unwrap().clone()).collect();
    let tokens: std::collections::BTreeSet<&String> = keys.iter().filter(|key| key.starts_with("TOKEN#")).collect();
    // The visitors' entry is one; made-up tokens leave none.
    assert!(tokens.len() <= TOKENS.len() + 1, "{tokens:?}");
    assert!(keys.iter().all(|key| !key.contains("glpat")), "{keys:?}");
    let expires = |item: &&std::collections::HashMap<_, _>| item.contains_key("ttl");
    assert!(items.iter().filter(|item| item["PK"].as_s().unwrap().starts_with("TOKEN#")).all(|item| expires(&item)));
}

/// S12: any number of collections, POST pages, exact numbers, and 400 where the original said 500.
#[tokio::test]
async fn s12_searches_are_of_all_collections_page_and_count() {
    let hub = synced().await;
    for (collections, expected) in [
        ("", 5),
        ("aimodel", 3),
        ("ai-model", 3),
        ("aimodel,dataset", 4),
        ("aimodel,dataset,processor", 5),
        ("nothing", 0),
        ("nothing,dataset", 1),
    ] {
        let parameters = [("collections", collections)];
        let parameters = if collections.is_empty() { &[][..] } else { &parameters[..] };
        assert_eq!(found(&hub, ADMIN, parameters).await.len(), expected, "{collections}");
    }
    // The number of what is found, not of what was asked for.
    let ids_asked = [("ids", "earth/land-cover,earth/unknown,lab/secret-model"), ("limit", "1")];
    assert_eq!(search(&hub, NOBODY, &ids_asked).await["numberMatched"], 1);
    let mut body = json!({"limit": 1, "sortby": [{"field": "properties.title", "direction": "desc"}]});
    let mut titles = Vec::new();
    let mut back = Vec::new();
    loop {
        let page = hub.call(ADMIN, Method::POST, "/api/stac/search", Some(body.clone())).await.ok();
        assert_eq!((&page["numberMatched"], &page["numberReturned"]), (&json!(5), &json!(1)));
        titles.push(page["features"][0]["properties"]["title"].as_str().unwrap().to_owned());
        if let Some(previous) = links(&page, "prev").first() {
            let body = previous["body"].clone();
            let page = hub.call(ADMIN, Method::POST, "/api/stac/search", Some(body)).await.ok();
            back.push(page["features"][0]["properties"]["title"].as_str().unwrap().to_owned());
        }
        let Some(next) = links(&page, "next").first().map(|link| (*link).clone()) else { break };
        assert_eq!((&next["method"], &next["type"]), (&json!("POST"), &json!("application/geo+json")));
        assert_eq!(next["body"]["sortby"], body["sortby"]);
        body = next["body"].clone();
    }
    assert_eq!(titles, ["Sentinel patches", "Secret model", "NDVI", "Land cover", "Flood model"]);
    assert_eq!(back, titles[..4]);
}

#[tokio::test]
async fn s12_what_is_no_search_is_400_and_names_its_parameter() {
    let hub = synced().await;
    for (parameter, value) in [
        ("limit", "0"),
        ("limit", "-1"),
        ("limit", "x"),
        ("bbox", "1,2,3"),
        ("bbox", "a,b,c,d"),
        ("bbox", "0,50,10,40"),
        ("bbox", "nan,0,1,1"),
        ("datetime", "2020-01-01"),
        ("datetime", "2020-01-01T00:00:00"),
        ("datetime", "2021-01-01T00:00:00Z/2020-01-01T00:00:00Z"),
        ("datetime", "../.."),
        ("intersects", "{"),
        ("intersects", "{\"type\":\"Point\"}"),
        ("sortby", "-"),
        ("filter", "title ="),
        ("filter", "title = 'x"),
        ("filter-lang", "sql"),
        ("filter-crs", "EPSG:3857"),
        ("q", ":unknown"),
        ("token", "made-up"),
        ("mode", "half"),
    ] {
        let filter = if parameter.starts_with("filter-") { "&filter=title%20IS%20NULL" } else { "" };
        let query = Serializer::new(String::new()).append_pair(parameter, value).finish();
        for path in ["/api/stac/search", "/api/stac/collections/aimodel/items"] {
            let answer = get(&hub, DEVELOPER, &format!("{path}?{query}{filter}")).await;
            assert_eq!(answer.status, 400, "{path} {parameter}={value}: {}", String::from_utf8_lossy(&answer.bytes));
            let detail = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
            assert!(detail.contains(parameter), "{parameter}={value}: {detail}");
        }
    }
    let both = "bbox=0,0,1,1&intersects=%7B%22type%22%3A%22Point%22%2C%22coordinates%22%3A%5B0%2C0%5D%7D";
    assert_eq!(get(&hub, DEVELOPER, &format!("/api/stac/search?{both}")).await.status, 400);
    for body in
        [json!([]), json!({"limit": "5"}), json!({"bbox": "0,0,1,1"}), json!({"ids": 7}), json!({"filter": "x ="})]
    {
        let answer = hub.call(DEVELOPER, Method::POST, "/api/stac/search", Some(body.clone())).await;
        assert_eq!(answer.status, 400, "{body}");
    }
    // A visitor's own stars: there are none to look for.
    assert_eq!(get(&hub, NOBODY, "/api/stac/search?q=:starred").await.status, 401);
    let starred: Value = get(&hub, GUEST, "/api/stac/search?q=:starred").await.ok();
    assert_eq!(ids(&starred), ["aimodel/earth/land-cover"]);
}

#[tokio::test]
async fn a_page_token_is_of_one_search_and_one_caller() {
    let hub = synced().await;
    let page = search(&hub, DEVELOPER, &[("limit", "1"), ("sortby", "title")]).await;
    let next = links(&page, "next")[0]["href"].as_str().unwrap().strip_prefix("http://127.0.0.1").unwrap().to_owned();
    get(&hub, DEVELOPER, &next).await.ok();
    for (token, path) in [
        (GUEST, next.clone()),
        (NOBODY, next.clone()),
        (DEVELOPER, next.replace("sortby=title", "sortby=-title")),
        (DEVELOPER, next.replace("/api/stac/search", "/api/stac/collections/aimodel/items")),
        (DEVELOPER, format!("{next}x")),
    ] {
        assert_eq!(get(&hub, token, &path).await.status, 400, "'{token}' {path}");
    }
    // Another page size is the same search.
    get(&hub, DEVELOPER, &next.replace("limit=1", "limit=2")).await.ok();
}
