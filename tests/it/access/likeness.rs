//! Unknown, hidden and foreign things are refused alike: same error, same calls.

use std::collections::BTreeMap;

use futures::future::join_all;
use shared::Error;

use super::*;

/// A stranger's session over things that `owner` says who owns: their errors, with the thing's name
/// taken out, and the calls to GitLab after each request.
async fn session(owner: Option<ProjectId>) -> Vec<(Error, BTreeMap<String, u64>)> {
    let stage = Stage::new().await;
    let mut seen = Vec::new();
    let mut ask = async |auth: &Auth, route: AccessLevel, name: &str| {
        let stranger = caller(auth, "glpat-local-outsider").await.unwrap().for_route(route);
        let error = stranger.require(&run(name, owner)).await.unwrap_err();
        seen.push((error, stage.world.calls()));
    };
    for name in ["a", "b", "a"] {
        ask(&stage.auth, AccessLevel::Guest, name).await;
    }
    ask(&stage.auth, AccessLevel::Administrator, "b").await;
    let second = stage.instance(&stage.clock);
    ask(&second, AccessLevel::Guest, "a").await;
    for seconds in [1, 10, 30, 30] {
        stage.clock.advance(seconds * SECOND);
        ask(&stage.auth, AccessLevel::Guest, "a").await;
        ask(&second, AccessLevel::Contributor, "c").await;
    }
    seen
}

#[tokio::test]
async fn hidden_and_unknown_things_cannot_be_told_apart() {
    let unknown = session(None).await;
    let hidden = session(Some(FLOOD)).await;
    let gone = session(Some(ProjectId(4_711))).await;
    assert_eq!(unknown, hidden);
    assert_eq!(unknown, gone);
    assert!(
        unknown.iter().all(|(error, _)| matches!(error, Error::NotFound(text) if text.starts_with("Run with id=")))
    );
    let graphql = |at: usize| unknown[at].1.get(GRAPHQL).copied().unwrap_or(0);
    assert_eq!((graphql(0), graphql(1), graphql(2)), (1, 2, 2), "a refusal is remembered by name");
}

#[tokio::test]
async fn hidden_and_missing_projects_cannot_be_told_apart() {
    let mut seen = Vec::new();
    for path in ["lab/secret-model", "lab/sacred-model", "lost/secret-model"] {
        let stage = Stage::new().await;
        let developer = stage.writer("glpat-local-developer").await.unwrap();
        let mut steps = Vec::new();
        for seconds in [0, 1, 5, 60] {
            stage.clock.advance(seconds * SECOND);
            let error = developer.require_path(path).await.unwrap_err();
            let Error::NotFound(message) = error else { panic!("{path}: {error:?}") };
            steps.push((message.replace(path, "<path>"), stage.world.calls()));
        }
        seen.push(steps);
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_of_strangers_learns_nothing_either() {
    let mut seen = Vec::new();
    for owner in [None, Some(FLOOD)] {
        let stage = std::sync::Arc::new(Stage::new().await);
        let stranger = stage.reader("glpat-local-outsider").await.unwrap();
        stage.world.fail_call(GRAPHQL, local::gitlab::Fault::Delay(std::time::Duration::from_secs(1)));
        let tasks = (0..16).map(|number| {
            let stranger = stranger.clone();
            tokio::spawn(async move { stranger.require(&run(&number.to_string(), owner)).await.unwrap_err() })
        });
        let errors: Vec<Error> = join_all(tasks).await.into_iter().map(|task| task.unwrap()).collect();
        seen.push((errors, stage.world.calls()));
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn what_is_hidden_stays_hidden_while_gitlab_is_down() {
    for owner in [None, Some(FLOOD)] {
        let stage = Stage::new().await;
        let stranger = stage.reader("glpat-local-outsider").await.unwrap();
        stage.world.reset_calls();
        stage.world.fail(local::gitlab::Fault::Status { code: 500, retry_after: None });
        assert!(is_unavailable(&stranger.require(&run("a", owner)).await));
        assert_eq!(stage.calls(GRAPHQL), 1);
    }
}

#[tokio::test]
async fn the_table_is_asked_alike() {
    // What a stranger's requests leave in the table is the same for hidden and unknown things.
    let mut left = Vec::new();
    for owner in [None, Some(FLOOD)] {
        let stage = Stage::new().await;
        let stranger = stage.reader("glpat-local-outsider").await.unwrap();
        assert!(stranger.require(&run("a", owner)).await.is_err());
        let items = stage.table.scan().table_name("perigee").send().await.unwrap().items.unwrap();
        left.push(items.iter().map(|item| item["SK"].as_s().unwrap().clone()).collect::<Vec<_>>());
    }
    assert_eq!(left[0], ["ACL"]);
    assert_eq!(left[0], left[1]);
}

#[tokio::test]
async fn what_was_just_created_is_not_missing() {
    let stage = Stage::new().await;
    let developer = stage.reader("glpat-local-developer").await.unwrap();
    assert!(developer.require(&run("a", None)).await.is_err());
    assert!(developer.require(&run("a", Some(FLOOD))).await.is_ok());
    // What others created stays so.
    let stranger = stage.reader("glpat-local-outsider").await.unwrap();
    for owner in [None, Some(FLOOD), None, Some(ProjectId(4_711))] {
        assert!(matches!(stranger.require(&run("a", owner)).await, Err(Error::NotFound(_))));
    }
}
