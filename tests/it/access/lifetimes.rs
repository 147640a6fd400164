//! How often GitLab is asked, and how long an answer holds.

use futures::future::join_all;
use local::gitlab::{Role, TokenKind};
use shared::Error;

use super::*;

const DEVELOPER: &str = "glpat-local-developer";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_at_once_ask_once() {
    let stage = std::sync::Arc::new(Stage::new().await);
    for round in 1..=2 {
        let tasks = (0..64).map(|number| {
            let stage = stage.clone();
            tokio::spawn(async move {
                let reader = stage.reader(DEVELOPER).await.unwrap();
                reader.require(&run(&format!("r{number}"), Some(FLOOD))).await.unwrap();
                reader.require_path("earth/land-cover").await.unwrap();
                reader.memberships().await.unwrap();
            })
        });
        for task in join_all(tasks).await {
            task.unwrap();
        }
        assert_eq!((stage.calls(USER), stage.calls(SCOPES), stage.calls(GRAPHQL)), (round, round, 3 * round));
        stage.clock.advance(61 * SECOND);
    }
}

#[tokio::test]
async fn w12_a_hundred_requests_ask_once() {
    let stage = Stage::new().await;
    for number in 0..100 {
        let writer = stage.writer(DEVELOPER).await.unwrap();
        writer.require(&run(&number.to_string(), Some(FLOOD))).await.unwrap();
        writer.require_path("earth/flood-model").await.unwrap();
    }
    assert_eq!(stage.world.call_count(), 4, "{:?}", stage.world.calls());
}

#[tokio::test]
async fn an_answer_is_shared_through_the_table_for_less_than_a_minute() {
    let stage = Stage::new().await;
    let ask = async |auth: &Auth| {
        let reader = caller(auth, DEVELOPER).await.unwrap().for_route(AccessLevel::Guest);
        reader.require(&run("r", Some(FLOOD))).await.unwrap();
        reader.require_path("earth/land-cover").await.unwrap();
        reader.memberships().await.unwrap();
    };
    ask(&stage.auth).await;
    assert_eq!(stage.world.call_count(), 5);
    let ((), done) = shared::record::recorded(ask(&stage.instance(&stage.clock))).await;
    assert!(done.usage.requests >= 4 && done.usage.reads >= 2.0, "what the table is asked is counted: {done:?}");
    let second = stage.instance(&stage.clock);
    for _ in 0..4 {
        stage.clock.advance(10 * SECOND);
        ask(&stage.auth).await;
        ask(&second).await;
    }
    assert_eq!(stage.world.call_count(), 5, "the table answers for 55 s");
    stage.clock.advance(20 * SECOND);
    ask(&second).await;
    ask(&stage.auth).await;
    assert_eq!(stage.world.call_count(), 10, "memory does not outlive the table's entry");
}

#[tokio::test]
async fn w14_a_revoked_token_stops_within_a_minute_everywhere() {
    // The first instance's clock is 5 s ahead of the second's.
    let stage = Stage::new().await;
    let behind = Clock::default();
    stage.clock.advance(5 * SECOND);
    let second = stage.instance(&behind);
    stage.reader(DEVELOPER).await.unwrap().require_path("earth/flood-model").await.unwrap();
    stage.world.revoke_token(DEVELOPER).unwrap();
    // As late as possible the second instance takes the entry from the table into its memory.
    for clock in [&stage.clock, &behind] {
        clock.advance(45 * SECOND);
    }
    assert!(caller(&second, DEVELOPER).await.is_ok());
    for clock in [&stage.clock, &behind] {
        clock.advance(15 * SECOND);
    }
    assert!(is_unauthenticated(&caller(&stage.auth, DEVELOPER).await));
    assert!(is_unauthenticated(&caller(&second, DEVELOPER).await));
    // It is the token that is over, not its owner.
    stage.world.add_token("developer", "glpat-new", &["api"], TokenKind::Personal).unwrap();
    assert!(stage.reader("glpat-new").await.unwrap().require_path("earth/flood-model").await.is_ok());
}

#[tokio::test]
async fn a_revocation_that_a_look_up_reveals_holds_at_once() {
    let stage = Stage::new().await;
    let reader = stage.reader(DEVELOPER).await.unwrap();
    reader.require_path("earth/flood-model").await.unwrap();
    stage.world.revoke_token(DEVELOPER).unwrap();
    assert!(is_unauthenticated(&reader.require_path("earth/land-cover").await));
    assert!(is_unauthenticated(&caller(&stage.auth, DEVELOPER).await));
    assert!(is_unauthenticated(&caller(&stage.instance(&stage.clock), DEVELOPER).await));
}

#[tokio::test]
async fn a_role_that_is_taken_away_is_gone_within_a_minute() {
    let stage = Stage::new().await;
    stage.writer(DEVELOPER).await.unwrap().require(&run("r", Some(FLOOD))).await.unwrap();
    stage.world.set_role("developer", "earth", None).unwrap();
    stage.clock.advance(60 * SECOND);
    let writer = stage.writer(DEVELOPER).await.unwrap();
    assert!(matches!(writer.require(&run("r", Some(FLOOD))).await, Err(Error::NotFound(_))));
    assert!(matches!(writer.require_path("earth/flood-model").await, Err(Error::NotFound(_))));
    assert!(matches!(writer.require_path("earth/land-cover").await, Err(Error::Forbidden(_))));
}

#[tokio::test]
async fn w11_a_refusal_is_forgotten_within_five_seconds() {
    let stage = Stage::new().await;
    assert!(is_unauthenticated(&caller(&stage.auth, "glpat-soon").await));
    stage.world.add_token("outsider", "glpat-soon", &["api"], TokenKind::Personal).unwrap();
    stage.world.reset_calls();
    assert!(is_unauthenticated(&caller(&stage.auth, "glpat-soon").await));
    assert_eq!(stage.world.call_count(), 0, "a bad token in a loop does not ask GitLab each time");
    stage.clock.advance(5 * SECOND);
    let outsider = stage.reader("glpat-soon").await.unwrap();

    let hidden = run("r", Some(FLOOD));
    assert!(outsider.require(&hidden).await.is_err());
    assert!(outsider.require_path("earth/flood-model").await.is_err());
    stage.world.set_role("outsider", "earth/flood-model", Some(Role::Guest)).unwrap();
    stage.world.reset_calls();
    assert!(outsider.require(&hidden).await.is_err());
    assert!(outsider.require_path("earth/flood-model").await.is_err());
    assert_eq!(stage.world.call_count(), 0);
    stage.clock.advance(5 * SECOND);
    assert!(outsider.require(&hidden).await.is_ok());
    assert!(outsider.require_path("earth/flood-model").await.is_ok());
}

#[tokio::test]
async fn a_refusal_is_not_shared() {
    let stage = Stage::new().await;
    assert!(is_unauthenticated(&caller(&stage.auth, "glpat-soon").await));
    let items = stage.table.scan().table_name("perigee").send().await.unwrap();
    assert_eq!(items.count, 0, "the table remembers no refusals");
    stage.world.add_token("outsider", "glpat-soon", &["api"], TokenKind::Personal).unwrap();
    assert!(caller(&stage.instance(&stage.clock), "glpat-soon").await.is_ok());
}

#[tokio::test]
async fn w9_a_renamed_project_keeps_its_id_and_its_old_path_inherits_nothing() {
    let stage = Stage::new().await;
    let reader = stage.reader(DEVELOPER).await.unwrap();
    assert_eq!(reader.require_path("earth/flood-model").await.unwrap().project(), FLOOD);
    stage.world.rename_project("earth/flood-model", "earth/inundation").unwrap();
    assert_eq!(reader.require_path("earth/inundation").await.unwrap().project(), FLOOD);
    stage.world.add_project(77, "earth/flood-model", local::gitlab::Visibility::Private).unwrap();
    stage.clock.advance(60 * SECOND);
    let reader = stage.reader(DEVELOPER).await.unwrap();
    assert_eq!(reader.require_path("earth/flood-model").await.unwrap().project(), ProjectId(77));
    let access = reader.require(&run("r", Some(FLOOD))).await.unwrap();
    assert_eq!((access.project(), access.path()), (FLOOD, "earth/inundation"));
}
