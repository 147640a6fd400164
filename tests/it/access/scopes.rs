//! What tokens are made for, and what they are never good for.

use local::gitlab::TokenKind::{self, Oauth, Personal};
use shared::Error;

use super::*;

/// Nothing at all, reading, or writing too.
#[derive(Debug, PartialEq)]
enum May {
    Nothing,
    Read,
    Write,
}

async fn may(stage: &Stage, kind: TokenKind, scopes: &[&str]) -> May {
    let token = format!("glpat-{kind:?}-{}", scopes.join("-"));
    stage.world.add_token("developer", &token, scopes, kind).unwrap();
    let caller = match caller(&stage.auth, &token).await {
        Ok(caller) => caller,
        Err(Error::Forbidden(message)) => {
            assert!(message.contains("read_api"), "{message}");
            return May::Nothing;
        }
        Err(error) => panic!("{kind:?} {scopes:?}: {error:?}"),
    };
    let reads = caller.clone().for_route(AccessLevel::Guest).require_path("earth/flood-model").await.is_ok();
    let write = caller.clone().for_route(AccessLevel::Contributor).require_path("earth/flood-model").await;
    assert_eq!(caller.can_write(), write.is_ok());
    match (reads, write) {
        (true, Ok(access)) => {
            assert_eq!(access.level(), AccessLevel::Contributor);
            May::Write
        }
        (true, Err(Error::Forbidden(message))) => {
            assert!(message.contains("`api`"), "{message}");
            May::Read
        }
        other => panic!("{kind:?} {scopes:?}: {other:?}"),
    }
}

#[tokio::test]
async fn w13_scopes_decide_what_a_developers_token_may() {
    let stage = Stage::new().await;
    for kind in [Personal, Oauth] {
        assert_eq!(may(&stage, kind, &["api"]).await, May::Write);
        assert_eq!(may(&stage, kind, &["read_api"]).await, May::Read);
        assert_eq!(may(&stage, kind, &["read_api", "api"]).await, May::Write);
        assert_eq!(may(&stage, kind, &["read_api", "write_repository", "a_scope_of_tomorrow"]).await, May::Read);
        assert_eq!(may(&stage, kind, &["read_user"]).await, May::Nothing);
        assert_eq!(may(&stage, kind, &["read_user", "write_repository"]).await, May::Nothing);
    }
}

#[tokio::test]
async fn a_setting_lets_read_api_tokens_write() {
    let stage = Stage::with(|config| config.read_api_writes = true).await;
    assert_eq!(may(&stage, Personal, &["read_api"]).await, May::Write);
    assert_eq!(may(&stage, Personal, &["read_user"]).await, May::Nothing);
    let reporter = stage.writer("glpat-local-reporter-ro").await.unwrap();
    assert!(matches!(reporter.require_path("earth/flood-model").await, Err(Error::Forbidden(_))));
}

#[tokio::test]
async fn a_scope_that_gitlab_refuses_gets_a_hint() {
    let stage = Stage::new().await;
    stage.world.add_token("developer", "glpat-repo", &["read_repository"], Personal).unwrap();
    let refused = caller(&stage.auth, "glpat-repo").await;
    assert!(matches!(refused, Err(Error::Forbidden(message)) if message.contains("read_api")));
}

#[tokio::test]
async fn a_read_only_maintainer_gets_a_read_only_proof() {
    let stage = Stage::new().await;
    let maintainer = stage.reader("glpat-local-maintainer-ro").await.unwrap();
    assert_eq!(level_of(maintainer.require_path("earth/flood-model").await), Some(AccessLevel::ReadOnly));
    let grants = maintainer.memberships().await.unwrap();
    assert_eq!(level_of(maintainer.admit(&grants[0])), Some(AccessLevel::ReadOnly));
}

#[tokio::test]
async fn scopes_that_gitlab_does_not_tell_count_as_read_only() {
    let stage = Stage::new().await;
    for call in [SCOPES, "GET /oauth/token/info"] {
        stage.world.fail_call(call, local::gitlab::Fault::Status { code: 404, retry_after: None });
    }
    let writer = stage.writer("glpat-local-developer").await.unwrap();
    assert!(!writer.can_write());
    assert!(matches!(writer.require_path("earth/flood-model").await, Err(Error::Forbidden(_))));
    assert!(writer.for_route(AccessLevel::Guest).require_path("earth/flood-model").await.is_ok());
}

#[tokio::test]
async fn no_credential_and_job_tokens_cost_no_call() {
    let stage = Stage::new().await;
    stage.world.reset_calls();
    assert!(is_unauthenticated(&stage.auth.authenticate(&HeaderMap::new()).await));
    let job = caller(&stage.auth, "glcbt-64_abc").await;
    assert!(matches!(job, Err(Error::Unauthenticated(message)) if message.contains("project access token")));
    assert_eq!(stage.world.call_count(), 0);
}

#[tokio::test]
async fn w10_a_good_token_does_not_lend_itself_to_a_bad_one() {
    let stage = Stage::new().await;
    stage.reader("glpat-local-developer").await.unwrap();
    let mut headers = bearer("garbage");
    headers.insert("x-gitlab-token", "glpat-local-developer".parse().unwrap());
    headers.insert("cookie", "mlflow-session=abc".parse().unwrap());
    assert!(is_unauthenticated(&stage.auth.authenticate(&headers).await));
    headers.remove("x-gitlab-token");
    assert!(is_unauthenticated(&stage.auth.authenticate(&headers).await));
}

#[tokio::test]
async fn tokens_reach_neither_table_nor_debug_output() {
    let stage = Stage::new().await;
    let reader = stage.reader("glpat-local-developer").await.unwrap();
    reader.require_path("earth/flood-model").await.unwrap();
    reader.require(&run("r", Some(LAND_COVER))).await.unwrap();
    reader.memberships().await.unwrap();
    assert!(!format!("{reader:?}").contains("glpat"));
    assert_eq!(reader.token_hash().len(), 64);
    let items = stage.table.scan().table_name("perigee").send().await.unwrap().items.unwrap();
    assert_eq!(items.len(), 4);
    assert!(!format!("{items:?}").contains("glpat"));
    for item in &items {
        assert_eq!(item["PK"].as_s().unwrap(), &format!("TOKEN#{}", reader.token_hash()));
        let expires: i64 = item["expires"].as_n().unwrap().parse().unwrap();
        let ttl: i64 = item["ttl"].as_n().unwrap().parse().unwrap();
        assert!(expires <= stage.clock.now_ms() + 60 * SECOND);
        assert!((0..=SECOND).contains(&(ttl * 1_000 - expires)));
    }
    let other_key = Stage::with(|config| config.token_key = "another key of the tests".into()).await;
    let same_token = other_key.reader("glpat-local-developer").await.unwrap();
    assert_ne!(same_token.token_hash(), reader.token_hash());
}
