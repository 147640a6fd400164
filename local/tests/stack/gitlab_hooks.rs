//! What the stand-in tells webhooks.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use http::{HeaderMap, StatusCode};
use local::gitlab::Visibility;
use serde_json::{Value, json};

type Heard = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

/// A receiver: its URL, and what it has heard. It answers 503 to what has `refuse` in its body.
async fn receiver() -> (String, Heard) {
    let heard = Heard::default();
    async fn hear(State(heard): State<Heard>, headers: HeaderMap, body: Bytes) -> StatusCode {
        let refuse = body.windows(6).any(|part| part == b"refuse");
        heard.lock().unwrap().push((headers, serde_json::from_slice(&body).unwrap()));
        if refuse { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
    }
    let router = Router::new().route("/hook", post(hear)).with_state(heard.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, heard)
}

#[tokio::test]
async fn system_hooks_hear_of_all_changes_in_order() {
    let running = super::emulators().await;
    let world = running.world.clone().unwrap();
    let (url, heard) = receiver().await;
    let flood = "earth/flood-model";
    world.set_topics(flood, &["before"]).unwrap();
    world.hook(&url, "hook-secret");

    world.add_project(60, "earth/new", Visibility::Public).unwrap();
    world.put_file("earth/new", "README.md", "# New").unwrap();
    world.put_file("earth/new", "README.md", "# Newer").unwrap();
    world.remove_file("earth/new", "README.md").unwrap();
    world.set_topics(flood, &["sharinghub:dataset"]).unwrap();
    world.set_visibility(flood, Visibility::Internal).unwrap();
    world.rename_project(flood, "earth/tools/flood").unwrap();
    world.add_release("earth/tools/flood", "v2", "Second", "").unwrap();
    world.delete_project("earth/tools/flood").unwrap();
    let deliveries = world.deliveries().await;
    assert!(deliveries.iter().all(|delivery| delivery.status == Some(200) && delivery.event == "System Hook"));

    let heard = std::mem::take(&mut *heard.lock().unwrap());
    let told: Vec<String> = heard
        .iter()
        .map(|(_, body)| {
            let path = body["project"]["path_with_namespace"].as_str().or(body["path_with_namespace"].as_str());
            let more = body["ref"].as_str().or(body["old_path_with_namespace"].as_str()).unwrap_or_default();
            format!("{} {} {} {more}", body["event_name"].as_str().unwrap(), body["project_id"], path.unwrap())
        })
        .collect();
    assert_eq!(
        told,
        [
            "project_create 60 earth/new ",
            "push 60 earth/new refs/heads/main",
            "push 60 earth/new refs/heads/main",
            "push 60 earth/new refs/heads/main",
            "project_update 1 earth/flood-model ",
            "project_update 1 earth/flood-model ",
            "project_rename 1 earth/tools/flood earth/flood-model",
            "tag_push 1 earth/tools/flood refs/tags/v2",
            "project_destroy 1 earth/tools/flood ",
        ]
    );
    assert_eq!(heard[5].1["project_visibility"], "internal");
    let pushes: Vec<&Value> = heard[1..4].iter().map(|(_, body)| body).collect();
    assert_eq!(pushes[0]["commits"][0]["added"], json!(["README.md"]));
    assert_eq!(pushes[1]["commits"][0]["modified"], json!(["README.md"]));
    assert_eq!(pushes[2]["commits"][0]["removed"], json!(["README.md"]));
    assert_eq!(pushes[0]["before"], "0".repeat(40));
    assert_eq!(pushes[0]["after"], pushes[1]["before"]);
    assert_eq!(pushes[2]["after"], "0".repeat(40));
    let mut keys: Vec<&str> = heard.iter().map(|(headers, _)| headers["idempotency-key"].to_str().unwrap()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 9);
    for (headers, _) in heard.iter() {
        assert_eq!(headers["x-gitlab-token"], "hook-secret");
        assert_eq!(headers["x-gitlab-event"], "System Hook");
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(headers["x-gitlab-event-uuid"].len(), 36);
    }
    running.stop().await;
}

#[tokio::test]
async fn a_projects_webhook_hears_of_its_pushes_and_deliveries_can_be_repeated() {
    let running = super::emulators().await;
    let world = running.world.clone().unwrap();
    let (url, heard) = receiver().await;
    world.project_hook("earth/land-cover", &url, "own-secret").unwrap();
    assert!(world.project_hook("earth/nothing", &url, "x").is_err());
    world.put_file("earth/flood-model", "a.csv", "1").unwrap();
    world.set_archived("earth/land-cover", true).unwrap();
    world.put_file("earth/land-cover", "refuse.csv", "1").unwrap();
    world.add_release("earth/land-cover", "v9", "Ninth", "").unwrap();
    let first = world.deliveries().await;
    let seen: Vec<_> = first.iter().map(|delivery| (delivery.event, delivery.status)).collect();
    assert_eq!(seen, [("Push Hook", Some(503)), ("Tag Push Hook", Some(200))]);

    world.redeliver(&first[0]);
    let again = world.deliveries().await;
    assert_eq!((again.len(), again[2].key, again[2].event_uuid), (3, first[0].key, first[0].event_uuid));
    let heard = std::mem::take(&mut *heard.lock().unwrap());
    assert_eq!(heard[0].0["idempotency-key"], heard[2].0["idempotency-key"]);
    assert_eq!(heard[0].1, heard[2].1);

    world.project_hook("earth/flood-model", "http://127.0.0.1:1/nobody", "x").unwrap();
    world.put_file("earth/flood-model", "b.csv", "1").unwrap();
    assert_eq!(world.deliveries().await[3].status, None, "nobody answered, and serving goes on");
    running.stop().await;
}
