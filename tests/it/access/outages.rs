//! When GitLab or the table does not answer as it should: closed, not open.

use std::time::{Duration, Instant};

use local::gitlab::Fault;
use shared::Error;

use super::*;

const DEVELOPER: &str = "glpat-local-developer";
const DOWN: Fault = Fault::Status { code: 503, retry_after: None };

#[tokio::test]
async fn what_is_known_holds_until_it_expires_then_nothing_does() {
    let stage = Stage::new().await;
    stage.reader(DEVELOPER).await.unwrap().require_path("earth/flood-model").await.unwrap();
    stage.world.fail(DOWN);
    let second = stage.instance(&stage.clock);
    for auth in [&stage.auth, &second] {
        let reader = caller(auth, DEVELOPER).await.unwrap().for_route(AccessLevel::Guest);
        assert!(reader.require_path("earth/flood-model").await.is_ok());
        assert!(is_unavailable(&reader.require_path("earth/land-cover").await));
        assert!(is_unavailable(&reader.memberships().await));
        assert!(is_unavailable(&caller(auth, "glpat-local-guest").await));
    }
    stage.clock.advance(40 * SECOND);
    let reader = stage.reader(DEVELOPER).await.unwrap();
    assert!(reader.require_path("earth/flood-model").await.is_ok());
    stage.clock.advance(20 * SECOND);
    assert!(is_unavailable(&caller(&stage.auth, DEVELOPER).await));
    assert!(is_unavailable(&reader.require_path("earth/flood-model").await));
    // A failure is not remembered.
    stage.world.heal();
    let reader = stage.reader(DEVELOPER).await.unwrap();
    assert!(reader.require_path("earth/flood-model").await.is_ok());
    assert!(reader.require_path("earth/land-cover").await.is_ok());
}

#[tokio::test]
async fn short_failures_are_tried_again() {
    for fault in [
        Fault::Status { code: 502, retry_after: None },
        DOWN,
        Fault::Status { code: 429, retry_after: None },
        Fault::Status { code: 429, retry_after: Some(0) },
        Fault::Drop,
    ] {
        let stage = Stage::new().await;
        stage.world.fail_next(2, fault.clone());
        assert!(caller(&stage.auth, DEVELOPER).await.is_ok(), "{fault:?}");
        assert_eq!(stage.calls(USER), 3, "{fault:?}");
    }
}

#[tokio::test]
async fn tries_are_bounded() {
    let stage = Stage::new().await;
    stage.world.fail(DOWN);
    assert!(is_unavailable(&caller(&stage.auth, DEVELOPER).await));
    assert_eq!(stage.world.call_count(), 3);
    stage.world.heal();
    stage.world.reset_calls();
    // Not a status that another try cures.
    stage.world.fail(Fault::Status { code: 500, retry_after: None });
    assert!(is_unavailable(&caller(&stage.auth, DEVELOPER).await));
    assert_eq!(stage.world.call_count(), 1);
}

#[tokio::test]
async fn retry_after_is_honoured_if_it_is_short_enough() {
    let stage = Stage::new().await;
    stage.world.fail_next(1, Fault::Status { code: 429, retry_after: Some(1) });
    let start = Instant::now();
    assert!(caller(&stage.auth, DEVELOPER).await.is_ok());
    assert!(start.elapsed() >= Duration::from_secs(1));

    stage.world.fail_next(1, Fault::Status { code: 429, retry_after: Some(60) });
    let start = Instant::now();
    assert!(is_unavailable(&caller(&stage.auth, "glpat-local-guest").await));
    assert!(start.elapsed() < Duration::from_secs(3), "nobody waits for what cannot come in time");
}

#[tokio::test]
async fn a_slow_gitlab_is_given_five_seconds_in_all() {
    let stage = Stage::new().await;
    stage.world.fail(Fault::Delay(Duration::from_secs(30)));
    let start = Instant::now();
    assert!(is_unavailable(&caller(&stage.auth, DEVELOPER).await));
    assert!((4..7).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    assert_eq!(stage.world.call_count(), 1);
}

#[tokio::test]
async fn nobody_there() {
    let stage = Stage::with(|config| config.gitlab_url = "http://127.0.0.1:1".into()).await;
    let Err(Error::Unavailable(text)) = caller(&stage.auth, DEVELOPER).await else { panic!("somebody there") };
    assert!(!text.contains("glpat"), "{text}");
}

#[tokio::test]
async fn an_identity_without_scopes_is_no_identity() {
    let stage = Stage::new().await;
    stage.world.fail_call(SCOPES, DOWN);
    assert!(is_unavailable(&caller(&stage.auth, DEVELOPER).await));
    let items = stage.table.scan().table_name("perigee").send().await.unwrap();
    assert_eq!(items.count, 0);
}

#[tokio::test]
async fn without_a_table_gitlab_decides() {
    let mut stage = Stage::new().await;
    stage.table = table_at(([127, 0, 0, 1], 1).into());
    stage.auth = stage.instance(&stage.clock);
    assert!(is_unauthenticated(&caller(&stage.auth, "garbage").await));
    let outsider = stage.reader("glpat-local-outsider").await.unwrap();
    assert!(matches!(outsider.require(&run("r", Some(FLOOD))).await, Err(Error::NotFound(_))));
    let developer = stage.writer(DEVELOPER).await.unwrap();
    assert!(developer.require(&run("r", Some(FLOOD))).await.is_ok());
    // Memory still spares GitLab.
    stage.world.reset_calls();
    assert!(stage.writer(DEVELOPER).await.unwrap().require(&run("s", Some(FLOOD))).await.is_ok());
    assert_eq!(stage.world.call_count(), 0);
}

#[tokio::test]
async fn a_spoiled_entry_of_the_table_is_passed_over() {
    use aws_sdk_dynamodb::types::AttributeValue;
    let stage = Stage::new().await;
    let reader = stage.reader("glpat-local-outsider").await.unwrap();
    let far = (stage.clock.now_ms() + 50 * SECOND).to_string();
    for document in ["", "{}", r#"{"project":1}"#, "[1]"] {
        stage
            .table
            .put_item()
            .table_name("perigee")
            .item("PK", AttributeValue::S(format!("TOKEN#{}", reader.token_hash())))
            .item("SK", AttributeValue::S("P#1".into()))
            .item("document", AttributeValue::S(document.into()))
            .item("expires", AttributeValue::N(far.clone()))
            .send()
            .await
            .unwrap();
        assert!(matches!(reader.require(&run(document, Some(FLOOD))).await, Err(Error::NotFound(_))), "{document}");
    }
}
