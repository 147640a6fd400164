//! Answers that a well-behaved GitLab does not give: none of them opens anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get, post};
use serde_json::{Value, json};
use shared::Error;
use tokio::sync::watch;

use super::*;

/// An instance on a GitLab that knows every token and answers GraphQL so.
async fn with_graphql(answer: impl Fn() -> Response + Clone + Send + Sync + 'static) -> (Stage, watch::Sender<bool>) {
    let (stop, stopped) = watch::channel(false);
    let json = |value: Value| get(async move || value.to_string());
    let router = Router::new()
        .route("/api/v4/user", json(json!({ "id": 1, "username": "somebody" })))
        .route("/api/v4/personal_access_tokens/self", json(json!({ "scopes": ["api"] })))
        .route("/api/graphql", post(async move || answer()));
    let url = listen(router, stopped);
    (Stage::with(|config| config.gitlab_url = url).await, stop)
}

fn project(id: &str) -> Value {
    json!({
        "id": id, "fullPath": "a/b", "visibility": "private", "createdAt": "2025-01-01T00:00:00Z", "archived": false,
        "userPermissions": { "downloadCode": true, "pushCode": true, "adminProject": true },
        "maxAccessLevel": { "integerValue": 50 },
    })
}

#[tokio::test]
async fn only_a_whole_and_signed_in_answer_counts() {
    let me = json!({ "username": "somebody" });
    let nodes = json!({ "nodes": [project("gid://gitlab/Project/1")] });
    let cases = [
        ("good", json!({ "data": { "currentUser": me, "projects": nodes } }), "ok"),
        ("no errors", json!({ "data": { "currentUser": me, "projects": nodes }, "errors": [] }), "ok"),
        (
            "errors beside data",
            json!({ "data": { "currentUser": me, "projects": nodes }, "errors": [{ "message": "x" }] }),
            "down",
        ),
        ("errors alone", json!({ "errors": [{ "message": "Query has complexity of 999" }] }), "down"),
        ("errors of an odd shape", json!({ "data": { "currentUser": me, "projects": nodes }, "errors": "x" }), "down"),
        ("no data", json!({}), "down"),
        ("null data", json!({ "data": null }), "down"),
        (
            "half a project",
            json!({ "data": { "currentUser": me, "projects": { "nodes": [{ "id": "gid://gitlab/Project/1" }] } } }),
            "down",
        ),
        (
            "an id that is none",
            json!({ "data": { "currentUser": me, "projects": { "nodes": [project("gid://gitlab/Project/x")] } } }),
            "down",
        ),
        (
            "another project",
            json!({ "data": { "currentUser": me, "projects": { "nodes": [project("gid://gitlab/Project/2")] } } }),
            "missing",
        ),
        ("null nodes", json!({ "data": { "currentUser": me, "projects": { "nodes": [null] } } }), "missing"),
        ("answered as to a visitor", json!({ "data": { "currentUser": null, "projects": nodes } }), "unknown"),
    ];
    for (case, answer, expected) in cases {
        let (stage, _stop) = with_graphql(move || answer.to_string().into_response()).await;
        let access = stage.writer("glpat-x").await.unwrap().require(&run("r", Some(FLOOD))).await;
        let outcome = match access {
            Ok(_) => "ok",
            Err(Error::Unavailable(_)) => "down",
            Err(Error::NotFound(_)) => "missing",
            Err(Error::Unauthenticated(_)) => "unknown",
            Err(error) => panic!("{case}: {error:?}"),
        };
        assert_eq!(outcome, expected, "{case}");
    }
}

#[tokio::test]
async fn pages_of_other_servers_and_endless_answers_are_failures() {
    let sign_in = || axum::response::Html("<html>Sign in</html>").into_response();
    let endless = || "x".repeat(5 << 20).into_response();
    let (stage, _stop) = with_graphql(sign_in).await;
    assert!(is_unavailable(&stage.reader("glpat-x").await.unwrap().require_path("a/b").await));
    let (stage, _stop) = with_graphql(endless).await;
    assert!(is_unavailable(&stage.reader("glpat-x").await.unwrap().require_path("a/b").await));
}

#[tokio::test]
async fn a_redirect_does_not_carry_the_token_away() {
    let (_stop, stopped) = watch::channel(false);
    let visits = Arc::new(AtomicU64::new(0));
    let count = visits.clone();
    let elsewhere = listen(
        Router::new().fallback(any(async move || {
            count.fetch_add(1, Ordering::SeqCst);
            json!({ "id": 1, "username": "root" }).to_string()
        })),
        stopped.clone(),
    );
    let gitlab = listen(Router::new().fallback(any(async move || Redirect::temporary(&elsewhere))), stopped);
    let stage = Stage::with(|config| config.gitlab_url = gitlab).await;
    assert!(is_unavailable(&caller(&stage.auth, "glpat-x").await));
    assert_eq!(visits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_cursor_that_never_ends_is_a_clear_error() {
    let page = json!({ "data": {
        "currentUser": { "username": "somebody" },
        "projects": { "nodes": [project("gid://gitlab/Project/1")], "pageInfo": { "hasNextPage": true, "endCursor": "x" } },
    } });
    let (stage, _stop) = with_graphql(move || page.to_string().into_response()).await;
    let listing = stage.reader("glpat-x").await.unwrap().memberships().await;
    assert!(matches!(listing, Err(Error::Invalid(message)) if message.contains("too many")));
}
