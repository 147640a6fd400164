//! Who may download and who may look: GitLab's roles, and nobody at all.

use local::gitlab::{Feature, Visibility};

use super::*;

/// Status of a download of README.md, and of the check.
async fn statuses(hub: &Hub, token: &str, project: &str) -> (u16, u16) {
    let file = get(hub, token, &format!("{project}/repository/README.md")).await;
    let archive = get(hub, token, &format!("{project}/archive.tar")).await;
    let same = match archive.status.as_u16() {
        302 => 200,
        other => other,
    };
    assert_eq!(file.status.as_u16(), same, "{project}: file and archive");
    let check = ask(hub, Method::GET, token, &format!("/api/check/{project}"), &[]).await;
    (file.status.as_u16(), check.status.as_u16())
}

#[tokio::test]
async fn roles_decide() {
    let hub = Hub::start().await;
    for (token, project, expected) in [
        // Private, public, internal.
        (DEVELOPER, FLOOD, (200, 200)),
        (READ_ONLY, FLOOD, (200, 200)),
        ("glpat-local-reporter", FLOOD, (200, 200)),
        (GUEST, FLOOD, (403, 200)),
        (OUTSIDER, FLOOD, (404, 404)),
        (NOBODY, FLOOD, (404, 404)),
        (GUEST, LAND_COVER, (200, 200)),
        (OUTSIDER, LAND_COVER, (200, 200)),
        (NOBODY, LAND_COVER, (200, 200)),
        (OUTSIDER, "earth/tools/ndvi", (200, 200)),
        (NOBODY, "earth/tools/ndvi", (404, 404)),
        ("glpat-nobody-has-this", LAND_COVER, (401, 401)),
    ] {
        assert_eq!(statuses(&hub, token, project).await, expected, "{token} {project}");
    }
}

#[tokio::test]
async fn a_repository_may_be_for_members_only() {
    let hub = Hub::start().await;
    // Of a public project; guests are members, too.
    hub.world.edit_project(LAND_COVER, |project| project.repository = Feature::Private).unwrap();
    for (token, expected) in
        [(DEVELOPER, (200, 200)), (GUEST, (200, 200)), (OUTSIDER, (403, 200)), (NOBODY, (403, 200))]
    {
        assert_eq!(statuses(&hub, token, LAND_COVER).await, expected, "{token}");
    }
}

#[tokio::test]
async fn hidden_and_unknown_projects_are_alike() {
    let hub = Hub::start().await;
    let plain = |answer: &Answer, name: &str| {
        let text = String::from_utf8_lossy(&answer.bytes).replace(name, "<project>");
        (answer.status, text, answer.headers.clone())
    };
    for url in [
        "/api/download/PROJECT/repository/README.md",
        "/api/download/PROJECT/repository?path=README.md&ref=main",
        "/api/download/PROJECT/archive.zip",
        "/api/check/PROJECT",
        "/api/check/PROJECT?info=true",
    ] {
        for token in [OUTSIDER, NOBODY] {
            let mut seen = Vec::new();
            for project in ["earth/flood-model", "earth/unknown-one"] {
                // Who asks is known already.
                ask(&hub, Method::GET, token, "/api/check/earth/land-cover", &[]).await;
                hub.world.reset_calls();
                let answer = ask(&hub, Method::GET, token, &url.replace("PROJECT", project), &[]).await;
                seen.push((plain(&answer, project), hub.world.calls()));
                hub.clock.advance(6_000);
            }
            assert_eq!(seen[0], seen[1], "{url}");
            assert_eq!(seen[0].0.0, StatusCode::NOT_FOUND);
        }
    }
    let ids: Vec<_> = [1, 999].map(|id| format!("/api/check/{id}?info=true")).into();
    let hidden = ask(&hub, Method::GET, OUTSIDER, &ids[0], &[]).await;
    let unknown = ask(&hub, Method::GET, OUTSIDER, &ids[1], &[]).await;
    assert_eq!((hidden.status, hidden.bytes), (unknown.status, unknown.bytes));
}

#[tokio::test]
async fn a_file_that_is_ready_is_given_to_nobody_else() {
    let hub = Hub::start().await;
    hub.world.put_file(FLOOD, "big.bin", content(5_000_000)).unwrap();
    let url = format!("{FLOOD}/repository/big.bin");
    assert_eq!(got(&hub, &url).await.status, StatusCode::FOUND);
    assert_eq!(got(&hub, &format!("{FLOOD}/archive.zip")).await.status, StatusCode::FOUND);
    for (token, status) in [(GUEST, 403), (OUTSIDER, 404), (NOBODY, 404), ("glpat-nobody-has-this", 401)] {
        for url in [&url, &format!("{FLOOD}/archive.zip")] {
            let answer = get(&hub, token, url).await;
            assert_eq!(answer.status.as_u16(), status, "{token} {url}");
            assert!(!answer.headers.contains_key("location"));
        }
    }
    // Who loses the role loses the copy within 30 s; memory must not outlive that.
    hub.world.set_role("developer", "earth", None).unwrap();
    hub.clock.advance(60_000);
    assert_eq!(got(&hub, &url).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_revoked_token_ends_at_once() {
    let hub = Hub::start().await;
    hub.world.put_file(FLOOD, "big.bin", content(5_000_000)).unwrap();
    for url in [format!("{FLOOD}/repository/README.md"), format!("{FLOOD}/repository/big.bin")] {
        assert!(got(&hub, &url).await.status.as_u16() < 400);
    }
    hub.world.revoke_token(DEVELOPER).unwrap();
    // What was remembered of the token does not count: GitLab is asked with it for each file.
    for url in ["repository/README.md", "repository/big.bin", "archive.zip"] {
        let answer = got(&hub, &format!("{FLOOD}/{url}")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{url}");
        assert!(answer.headers.contains_key("www-authenticate"));
        detail(&answer);
    }
}

#[tokio::test]
async fn visitors_are_a_setting() {
    let hub = Hub::start().await;
    let mut config = (*hub.state.config).clone();
    config.anonymous = false;
    let auth = shared::auth::Auth::new(&config, hub.state.gitlab.clone(), hub.state.store.clone()).unwrap();
    let mut closed = hub.clone();
    closed.state.auth = auth;
    closed.router = local::hub::router(&closed.state);
    for url in ["/api/download/earth/land-cover/repository/README.md", "/api/check/earth/land-cover"] {
        let answer = ask(&closed, Method::GET, NOBODY, url, &[]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(detail(&answer).starts_with("missing token"), "{}", detail(&answer));
        assert_eq!(ask(&closed, Method::GET, OUTSIDER, url, &[]).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_new_project_at_an_old_path_has_its_own_copies() {
    let hub = Hub::start().await;
    let files = |text: &str| [content(5_000_000), text.as_bytes().to_vec()].concat();
    hub.world.put_file(FLOOD, "big.bin", files("old")).unwrap();
    assert_eq!(got(&hub, &format!("{FLOOD}/repository/big.bin")).await.status, StatusCode::FOUND);
    hub.world.rename_project(FLOOD, "earth/moved").unwrap();
    hub.world.add_project(77, FLOOD, Visibility::Public).unwrap();
    hub.world.put_file(FLOOD, "big.bin", files("new")).unwrap();
    hub.clock.advance(60_000);
    let sent = got(&hub, &format!("{FLOOD}/repository/big.bin")).await;
    assert!(follow(&sent, &[]).await.bytes.ends_with(b"new"));
    let copies = keys(&hub).await;
    assert!(copies.len() == 2 && copies.iter().any(|key| key.starts_with("blobs/77/")), "{copies:?}");
}
