//! Steering the stand-in: outages, and counting calls.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use local::gitlab::Fault;

#[tokio::test]
async fn faults_hit_and_heal() {
    let running = super::emulators().await;
    let world = running.world.as_ref().unwrap();
    let client = shared::http_client::client();
    let user = format!("{}/api/v4/user", running.gitlab_url);
    let graphql = format!("{}/api/graphql", running.gitlab_url);
    let ask = || client.get(&user).bearer_auth("glpat-local-guest").send();

    world.fail_next(1, Fault::Status { code: 429, retry_after: Some(7) });
    let limited = ask().await.unwrap();
    assert_eq!((limited.status().as_u16(), limited.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    assert_eq!(ask().await.unwrap().status().as_u16(), 200);

    world.fail(Fault::Status { code: 502, retry_after: None });
    for _ in 0..3 {
        assert_eq!(ask().await.unwrap().status().as_u16(), 502);
    }
    world.heal();
    world.fail_call("POST /api/graphql", Fault::Drop);
    let dropped = client.post(&graphql).json(&serde_json::json!({ "query": "{ currentUser { id } }" })).send().await;
    assert!(dropped.is_err(), "a dropped connection has no answer");
    assert_eq!(ask().await.unwrap().status().as_u16(), 200);
    world.heal();

    world.fail_next(1, Fault::Delay(Duration::from_millis(300)));
    let begun = Instant::now();
    assert_eq!(ask().await.unwrap().status().as_u16(), 200);
    assert!(begun.elapsed() >= Duration::from_millis(300));
    running.stop().await;
}

#[tokio::test]
async fn calls_are_counted_by_route() {
    let running = super::emulators().await;
    let world = running.world.as_ref().unwrap();
    let client = shared::http_client::client();
    for path in ["/api/v4/projects/1", "/api/v4/projects/earth%2Fland-cover", "/api/v4/user", "/other"] {
        client.get(format!("{}{path}", running.gitlab_url)).send().await.unwrap();
    }
    let expected = [("GET (no route)", 1), ("GET /api/v4/projects/{id}", 2), ("GET /api/v4/user", 1)];
    let expected: BTreeMap<String, u64> = expected.map(|(call, count)| (call.to_owned(), count)).into();
    assert_eq!(world.calls(), expected);
    assert_eq!(world.call_count(), 4);
    world.reset_calls();
    assert_eq!(world.call_count(), 0);
    running.stop().await;
}
