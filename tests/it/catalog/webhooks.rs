//! Webhooks: who may send them, what they do, and what becomes of one that fails.

use std::time::{Duration, Instant};

use http::header;
use local::gitlab::{Fault, Visibility};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::*;
use crate::hub::listen;

const SECRET: &str = "a secret of webhooks";
const PATH: &str = "earth/hooked";

async fn start() -> Hub {
    configured(&synced().await, |config| config.webhook_secret = Some(SECRET.into())).await
}

fn push(project: u64) -> String {
    json!({ "object_kind": "push", "project_id": project, "project": { "id": project } }).to_string()
}

fn outcome(answer: Answer) -> String {
    answer.ok()["outcome"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn only_who_knows_the_secret_is_heard() {
    let hub = start().await;
    let unset = configured(&hub, |config| config.webhook_secret = None).await;
    let empty = configured(&hub, |config| config.webhook_secret = Some(String::new())).await;
    let requests = hub.state.store.usage().requests;
    hub.world.reset_calls();
    for (hub, headers) in [
        (&hub, vec![]),
        (&hub, vec![("x-gitlab-token", "")]),
        (&hub, vec![("x-gitlab-token", "another")]),
        (&hub, vec![("x-gitlab-token", "a secret of webhook")]),
        (&hub, vec![("authorization", "Bearer a secret of webhooks")]),
        (&hub, vec![("x-gitlab-token", ADMIN)]),
        (&unset, vec![("x-gitlab-token", SECRET)]),
        (&unset, vec![("x-gitlab-token", "")]),
        (&unset, vec![]),
        (&empty, vec![("x-gitlab-token", "")]),
        (&empty, vec![]),
    ] {
        for body in [push(1), "{".to_owned(), String::new()] {
            let answer = post_hook(hub, &headers, &body).await;
            assert_eq!(answer.status, 401, "{headers:?}");
            assert!(answer.headers.contains_key(header::WWW_AUTHENTICATE));
            assert!(!String::from_utf8_lossy(&answer.bytes).contains(SECRET));
        }
    }
    assert_eq!(hub.world.call_count(), 0);
    assert_eq!(hub.state.store.usage().requests, requests);
    assert_eq!(post_hook(&hub, &[("x-gitlab-token", SECRET)], &push(1)).await.status, 200);
}

#[tokio::test]
async fn bodies_that_are_no_event_are_400_and_events_of_no_project_ignored() {
    let hub = start().await;
    let secret = ("x-gitlab-token", SECRET);
    for body in ["", "{", "not json", "\u{feff}{}", "{\"project_id\": 1} x", "{\"project_id\": 1e999}"] {
        let answer = post_hook(&hub, &[secret], body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.json()["status_code"], 400, "{body}");
    }
    hub.world.reset_calls();
    for body in [
        json!({ "event_name": "user_create", "user_id": 1 }),
        json!({ "project_id": -1 }),
        json!({ "project_id": 0 }),
        json!({ "project_id": "1" }),
        json!({ "project_id": 1.5 }),
        json!([]),
        json!(null),
        json!("push"),
    ] {
        assert!(outcome(post_hook(&hub, &[secret], &body.to_string()).await).starts_with("ignored"), "{body}");
    }
    assert_eq!(hub.world.call_count(), 0);
    for unknown in [777_777, u64::MAX] {
        let said = outcome(post_hook(&hub, &[secret], &push(unknown)).await);
        assert!(said.starts_with("0 items written, 0 removed"), "{said}");
    }
    let large = format!("{{\"project_id\": 1, \"x\": \"{}\"}}", "x".repeat(7 << 20));
    assert_eq!(post_hook(&hub, &[secret], &large).await.status, 413);
}

#[tokio::test]
async fn gitlabs_own_deliveries_are_heard_at_once() {
    let hub = start().await;
    let (_stop, stopped) = watch::channel(false);
    let url = listen(hub.router.clone(), stopped) + "/api/webhooks/gitlab";
    hub.world.hook(&url, SECRET);
    // Each step is told by a system hook: creation, topics, push, tag, rename, deletion.
    add_project(&hub, FIRST, PATH, Visibility::Public, "aimodel", "---\ntitle: One\n---\n");
    hub.world.deliveries().await;
    assert_eq!(whole(&hub, "aimodel", PATH).await["properties"]["title"], "One");
    hub.world.add_release(PATH, "v1", "First", "").unwrap();
    hub.world.deliveries().await;
    assert_eq!(whole(&hub, "aimodel", PATH).await["assets"]["release"]["title"], "Release v1: First");
    hub.world.rename_project(PATH, "earth/renamed").unwrap();
    hub.world.deliveries().await;
    assert_eq!(
        found(&hub, NOBODY, &[("collections", "aimodel")]).await,
        ["aimodel/earth/land-cover", "aimodel/earth/renamed"]
    );
    hub.world.delete_project("earth/renamed").unwrap();
    let told = hub.world.deliveries().await;
    assert_eq!(found(&hub, NOBODY, &[("collections", "aimodel")]).await, ["aimodel/earth/land-cover"]);
    assert!(told.iter().all(|delivery| delivery.status == Some(200)), "{told:?}");
}

#[tokio::test]
async fn a_projects_own_hook_with_a_wrong_secret_changes_nothing() {
    let hub = start().await;
    let (_stop, stopped) = watch::channel(false);
    let url = listen(hub.router.clone(), stopped) + "/api/webhooks/gitlab";
    hub.world.project_hook("earth/land-cover", &url, "wrong").unwrap();
    hub.world.put_file("earth/land-cover", "README.md", "---\ntitle: Changed\n---\n").unwrap();
    let told = hub.world.deliveries().await;
    assert_eq!(
        told.iter().map(|delivery| (delivery.event, delivery.status)).collect::<Vec<_>>(),
        [("Push Hook", Some(401))]
    );
    assert_eq!(whole(&hub, "aimodel", "earth/land-cover").await["properties"]["title"], "Land cover");
    hub.world.project_hook("earth/land-cover", &url, SECRET).unwrap();
    hub.world.put_file("earth/land-cover", "more.txt", "x").unwrap();
    hub.world.deliveries().await;
    assert_eq!(whole(&hub, "aimodel", "earth/land-cover").await["properties"]["title"], "Changed");
}

#[tokio::test]
async fn a_delivery_that_comes_twice_is_handled_once() {
    let hub = start().await;
    let (_stop, stopped) = watch::channel(false);
    let url = listen(hub.router.clone(), stopped) + "/api/webhooks/gitlab";
    hub.world.hook(&url, SECRET);
    hub.world.put_file("earth/land-cover", "more.onnx", "x").unwrap();
    let told = hub.world.deliveries().await;
    hub.world.reset_calls();
    hub.world.redeliver(&told[0]);
    assert_eq!(hub.world.deliveries().await.last().unwrap().status, Some(200));
    assert_eq!(hub.world.call_count(), 0, "nothing was read again");
    // By the header of older GitLabs as well, and only within a day.
    let headers = [("x-gitlab-token", SECRET), ("x-gitlab-event-uuid", "0a1b")];
    assert_ne!(outcome(post_hook(&hub, &headers, &push(2)).await), "handled before");
    assert_eq!(outcome(post_hook(&hub, &headers, &push(2)).await), "handled before");
    let other = [("x-gitlab-token", SECRET), ("x-gitlab-event-uuid", "0a1b"), ("idempotency-key", "another")];
    assert_ne!(outcome(post_hook(&hub, &other, &push(2)).await), "handled before");
    hub.clock.advance(25 * 3_600_000);
    assert_ne!(outcome(post_hook(&hub, &headers, &push(2)).await), "handled before");
    // Without either nothing tells two events apart.
    for _ in 0..2 {
        assert_ne!(outcome(post_hook(&hub, &headers[..1], &push(2)).await), "handled before");
    }
    // At the same time one of them is handled.
    let key = [("x-gitlab-token", SECRET), ("idempotency-key", "together")];
    let body = push(2);
    let all = futures::future::join_all((0..8).map(|_| post_hook(&hub, &key, &body))).await;
    let handled = all.into_iter().map(outcome).filter(|said| said != "handled before").count();
    assert_eq!(handled, 1);
}

#[tokio::test]
async fn a_gitlab_that_hangs_is_answered_in_time_and_the_delivery_can_come_again() {
    let hub = start().await;
    let headers = [("x-gitlab-token", SECRET), ("idempotency-key", "again")];
    hub.world.put_file("earth/land-cover", "README.md", "---\ntitle: Changed\n---\n").unwrap();
    let before = hub.state.store.usage().writes;
    hub.world.fail(Fault::Delay(Duration::from_secs(30)));
    let begun = Instant::now();
    let answer = post_hook(&hub, &headers, &push(2)).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(answer.status, 503);
    assert_eq!(answer.headers[header::RETRY_AFTER], "1");
    hub.world.heal();
    // Each answer comes late, but none too late.
    hub.world.fail(Fault::Delay(Duration::from_secs(3)));
    let begun = Instant::now();
    assert_eq!(post_hook(&hub, &headers, &push(2)).await.status, 503);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    hub.world.heal();
    // The delivery was claimed and given back, twice; nothing else was written.
    assert!(hub.state.store.usage().writes - before <= 4.0);
    assert_eq!(whole(&hub, "aimodel", "earth/land-cover").await["properties"]["title"], "Land cover");
    assert!(outcome(post_hook(&hub, &headers, &push(2)).await).starts_with("1 items written"));
    assert_eq!(whole(&hub, "aimodel", "earth/land-cover").await["properties"]["title"], "Changed");
    assert_eq!(outcome(post_hook(&hub, &headers, &push(2)).await), "handled before");
}

#[tokio::test]
async fn an_event_tells_which_project_and_nothing_else() {
    let hub = start().await;
    // What an event says of a project is not believed: GitLab is asked.
    let lie = json!({
        "event_name": "project_update", "project_id": 1, "project_visibility": "public",
        "path_with_namespace": "earth/land-cover", "project": { "id": 2, "visibility_level": 20 },
    });
    let said = outcome(post_hook(&hub, &[("x-gitlab-token", SECRET)], &lie.to_string()).await);
    assert!(said.contains("1 unchanged"), "{said}");
    assert_eq!(item(&hub, NOBODY, "aimodel", "earth/flood-model").await.status, 404);
    let destroyed = json!({ "event_name": "project_destroy", "project_id": 2 });
    post_hook(&hub, &[("x-gitlab-token", SECRET)], &destroyed.to_string()).await.ok();
    let still: Value = item(&hub, NOBODY, "aimodel", "earth/land-cover").await.ok();
    assert_eq!(still["id"], "earth/land-cover");
}
