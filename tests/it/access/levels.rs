//! Roles in GitLab and what they amount to here.

use local::gitlab::{Role, Visibility};
use shared::Error;
use shared::auth::AccessLevel::{self, Administrator, Contributor, Guest, ReadOnly};
use shared::model::ProjectId;

use super::*;

#[tokio::test]
async fn roles_become_levels_by_path_and_by_id() {
    let stage = Stage::new().await;
    let expected: [(&str, [Option<AccessLevel>; 5]); 5] = [
        ("maintainer", [Some(Administrator), Some(Administrator), Some(Administrator), Some(Administrator), None]),
        ("developer", [Some(Contributor), Some(Contributor), Some(Contributor), Some(Contributor), None]),
        ("reporter", [Some(ReadOnly), Some(ReadOnly), Some(ReadOnly), Some(ReadOnly), None]),
        // Code of a public project is everybody's.
        ("guest", [Some(Guest), Some(ReadOnly), Some(ReadOnly), Some(ReadOnly), None]),
        ("outsider", [None, Some(ReadOnly), Some(ReadOnly), Some(ReadOnly), Some(Administrator)]),
    ];
    let paths =
        ["earth/flood-model", "earth/land-cover", "earth/sentinel-patches", "earth/tools/ndvi", "lab/secret-model"];
    for (account, levels) in expected {
        let caller = stage.reader(&format!("glpat-local-{account}")).await.unwrap();
        assert_eq!(caller.user(), account);
        for ((number, path), level) in (1..).zip(paths).zip(levels) {
            let by_path = caller.require_path(path).await;
            let by_id = caller.require(&run(&format!("of-{number}"), Some(ProjectId(number)))).await;
            assert_eq!(level_of(by_path), level, "{account} {path}");
            assert_eq!(level_of(by_id), level, "{account} {path}");
        }
    }
}

#[tokio::test]
async fn each_demand_is_met_by_exactly_the_levels_above_it() {
    let stage = Stage::new().await;
    let accounts =
        [("guest", Guest), ("reporter", ReadOnly), ("developer", Contributor), ("maintainer", Administrator)];
    for (account, level) in accounts {
        let caller = caller(&stage.auth, &format!("glpat-local-{account}")).await.unwrap();
        for demand in [AccessLevel::NoAccess, Guest, ReadOnly, Contributor, Administrator] {
            let caller = caller.clone().for_route(demand);
            for access in [caller.require_path("earth/flood-model").await, caller.require(&run("r", Some(FLOOD))).await]
            {
                if level >= demand {
                    assert_eq!(access.unwrap().level(), level);
                } else {
                    let Err(Error::Forbidden(message)) = access else { panic!("{account} {demand:?}: {access:?}") };
                    assert!(message.contains(demand.role()) && message.contains("earth/flood-model"), "{message}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_route_that_states_no_demand_demands_everything() {
    let stage = Stage::new().await;
    let developer = caller(&stage.auth, "glpat-local-developer").await.unwrap();
    assert!(matches!(developer.require_path("earth/flood-model").await, Err(Error::Forbidden(_))));
    let maintainer = caller(&stage.auth, "glpat-local-maintainer").await.unwrap();
    assert!(maintainer.require_path("earth/flood-model").await.is_ok());
}

#[tokio::test]
async fn access_describes_the_project() {
    let stage = Stage::new().await;
    let access = stage.reader("glpat-local-guest").await.unwrap().require_path("Earth/Tools/NDVI").await.unwrap();
    assert_eq!(access.project(), NDVI);
    assert_eq!(access.path(), "earth/tools/ndvi", "as GitLab spells it");
    assert_eq!(access.visibility(), shared::model::Visibility::Internal);
    assert_eq!(access.project_created_at(), 1_742_575_651_000);
}

#[tokio::test]
async fn odd_paths_are_no_projects() {
    let stage = Stage::new().await;
    let reader = stage.reader("glpat-local-developer").await.unwrap();
    let long = "x/".repeat(2_000);
    for path in
        ["", "earth", "earth/", "/earth/flood-model", "earth/../lab", "a\" } } evil { x(y: \"", "é/😀\u{0}", &long]
    {
        assert!(matches!(reader.require_path(path).await, Err(Error::NotFound(_))), "{path:?}");
    }
}

#[tokio::test]
async fn an_archived_project_is_read_only() {
    let stage = Stage::new().await;
    stage.world.set_archived("earth/flood-model", true).unwrap();
    for account in ["developer", "maintainer"] {
        let token = format!("glpat-local-{account}");
        let access = stage.reader(&token).await.unwrap().require_path("earth/flood-model").await;
        assert_eq!(level_of(access), Some(ReadOnly));
        let refused = stage.writer(&token).await.unwrap().require_path("earth/flood-model").await;
        assert!(matches!(refused, Err(Error::Forbidden(message)) if message.contains("archived")));
    }
}

#[tokio::test]
async fn administrators_of_gitlab_administer_everything() {
    let stage = Stage::with(|config| config.members_only = true).await;
    stage.world.set_admin("guest", true).unwrap();
    let guest = stage.reader("glpat-local-guest").await.unwrap();
    assert_eq!(level_of(guest.require_path("lab/secret-model").await), Some(Administrator));
    assert_eq!(level_of(guest.require(&run("s", Some(SECRET))).await), Some(Administrator));
}

#[tokio::test]
async fn a_setting_keeps_data_to_members() {
    let stage = Stage::with(|config| config.members_only = true).await;
    let outsider = stage.reader("glpat-local-outsider").await.unwrap();
    // The project is no secret, so say what is the matter; whether it has such a run is.
    let by_path = outsider.require_path("earth/land-cover").await;
    assert!(matches!(by_path, Err(Error::Forbidden(message)) if message.contains("members")));
    stage.world.reset_calls();
    for name in ["a", "b"] {
        let missing = run(name, None).missing;
        assert_eq!(outsider.require(&run(name, Some(LAND_COVER))).await.unwrap_err(), Error::NotFound(missing));
    }
    assert_eq!(stage.calls(GRAPHQL), 2, "as for runs that do not exist");
    let guest = stage.reader("glpat-local-guest").await.unwrap();
    assert!(guest.require_path("earth/land-cover").await.is_ok());
    assert!(guest.require(&run("a", Some(LAND_COVER))).await.is_ok());
}

#[tokio::test]
async fn memberships_are_all_pages_and_no_public_projects() {
    let stage = Stage::new().await;
    for id in 100..350 {
        stage.world.add_project(id, &format!("earth/p{id}"), Visibility::Private).unwrap();
    }
    stage.world.set_role("reporter", "lab/secret-model", Some(Role::Owner)).unwrap();
    stage.world.reset_calls();
    let reporter = stage.reader("glpat-local-reporter").await.unwrap();
    let grants = reporter.memberships().await.unwrap();
    let ids: Vec<u64> = grants.iter().map(|grant| grant.project().0).collect();
    assert_eq!(ids, (1..=5).chain(100..350).collect::<Vec<_>>());
    assert_eq!(stage.calls(GRAPHQL), 3);
    assert_eq!(grants[4].level(), Administrator);
    assert_eq!(reporter.admit(&grants[0]).unwrap().path(), "earth/flood-model");
    let writer = stage.writer("glpat-local-reporter").await.unwrap();
    assert!(matches!(writer.admit(&grants[0]), Err(Error::Forbidden(_))));
    assert!(writer.admit(&grants[4]).is_ok());

    let outsider = stage.reader("glpat-local-outsider").await.unwrap();
    let ids: Vec<u64> = outsider.memberships().await.unwrap().iter().map(|grant| grant.project().0).collect();
    assert_eq!(ids, [5]);
}
