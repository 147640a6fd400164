//! `/api/check`, as MLflow's plugin and others ask it (docs/catalog.md, "Downloads").

use super::*;

async fn check(hub: &Hub, token: &str, path: &str) -> Answer {
    ask(hub, Method::GET, token, &format!("/api/check/{path}"), &[]).await
}

#[tokio::test]
async fn info_tells_what_a_token_may_do() {
    let hub = Hub::start().await;
    let level = async |token: &str, path: &str| {
        let answer = check(&hub, token, &format!("{path}?info=true")).await;
        answer.ok()["access_level"].as_u64().unwrap()
    };
    for (token, path, expected) in [
        ("glpat-local-maintainer", FLOOD, 4),
        (DEVELOPER, FLOOD, 3),
        // A token that may only read is no contributor (W13).
        (READ_ONLY, FLOOD, 2),
        ("glpat-local-reporter", FLOOD, 2),
        (GUEST, FLOOD, 1),
        (OUTSIDER, LAND_COVER, 2),
        (NOBODY, LAND_COVER, 2),
    ] {
        assert_eq!(level(token, path).await, expected, "{token} {path}");
    }
}

#[tokio::test]
async fn a_project_is_named_by_path_or_id() {
    let hub = Hub::start().await;
    let expected = r#"{"id":4,"name":"NDVI","path":"earth/tools/ndvi","categories":["processor"],"access_level":3}"#;
    for path in ["earth/tools/ndvi", "earth%2Ftools%2Fndvi", "earth/tools/ndvi/", "EARTH/tools/NDVI", "4"] {
        let answer = check(&hub, DEVELOPER, &format!("{path}?info=true")).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(String::from_utf8_lossy(&answer.bytes), expected, "{path}");
        assert_eq!(header_of(&answer, "cache-control"), "no-store");
        for url in [path.to_owned(), format!("{path}?info=false"), format!("{path}?info=False")] {
            let answer = check(&hub, DEVELOPER, &url).await;
            assert_eq!((answer.status, answer.bytes.len()), (StatusCode::OK, 0), "{url}");
        }
    }
    let visitor = check(&hub, NOBODY, "2?info=True").await.ok();
    assert_eq!((&visitor["path"], &visitor["categories"]), (&json!(LAND_COVER), &json!(["aimodel"])));
}

#[tokio::test]
async fn a_project_without_a_category_has_none() {
    let hub = Hub::start().await;
    hub.world.set_topics(FLOOD, &["flood"]).unwrap();
    assert_eq!(check(&hub, DEVELOPER, &format!("{FLOOD}?info=true")).await.ok()["categories"], json!([]));
    hub.world.set_topics(FLOOD, &["sharinghub:dataset", "sharinghub:aimodel", "x"]).unwrap();
    let both = check(&hub, DEVELOPER, &format!("{FLOOD}?info=true")).await.ok();
    assert_eq!(both["categories"], json!(["aimodel", "dataset"]));
}

#[tokio::test]
async fn what_is_not_there_and_what_is_no_name_are_missing() {
    let hub = Hub::start().await;
    let injected = r#"earth/x%22)%7Bid%7D%20a:currentUser%7Busername%7D%20b:project(fullPath:%22earth"#;
    for path in ["earth/none", "earth", "999", "0", "18446744073709551616", "earth/../lab", "a%00b", "%22", injected] {
        for info in ["", "?info=true"] {
            let answer = check(&hub, DEVELOPER, &format!("{path}{info}")).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
            detail(&answer);
        }
    }
    assert_eq!(check(&hub, DEVELOPER, &format!("{FLOOD}?info=maybe")).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(check(&hub, "glpat-nobody-has-this", FLOOD).await.status, StatusCode::UNAUTHORIZED);
    hub.world.fail(local::gitlab::Fault::Status { code: 503, retry_after: None });
    for path in ["earth/land-cover", "2", "2?info=true"] {
        assert_eq!(check(&hub, NOBODY, path).await.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
}

#[tokio::test]
async fn a_renamed_project_keeps_its_id() {
    let hub = Hub::start().await;
    hub.world.rename_project(FLOOD, "earth/renamed").unwrap();
    let renamed = check(&hub, DEVELOPER, "1?info=true").await.ok();
    assert_eq!((&renamed["id"], &renamed["path"]), (&json!(1), &json!("earth/renamed")));
}
