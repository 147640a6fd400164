//! What passes and what does not: S7, S8 and S14 of docs/SECURITY.md.

use super::upstream::{Mood, Upstream};
use super::*;

#[tokio::test]
async fn s7_a_clients_headers_stay_here() {
    let hub = Hub::start().await;
    hub.world.put_lfs_file(FLOOD, "w.bin", b"weights").unwrap();
    let (hub, upstream) = Upstream::before(&hub).await;
    let headers = [
        ("cookie", "session=secret"),
        ("x-forwarded-for", "192.0.2.1"),
        ("x-anything", "secret"),
        ("user-agent", "client/1"),
        ("accept-encoding", "br"),
        ("range", "bytes=0-1"),
        ("if-none-match", "\"x\""),
        ("referer", "https://secret.example"),
    ];
    for path in ["repository/README.md", "repository/w.bin", "archive.tar"] {
        let url = format!("/api/download/{FLOOD}/{path}?gitlab_token=x");
        assert!(ask(&hub, Method::GET, DEVELOPER, &url, &headers).await.status.as_u16() < 400, "{path}");
    }
    let heard = upstream.heard.lock().unwrap().clone();
    assert_eq!(heard.len(), 3);
    for (url, headers) in heard {
        let mut names: Vec<&str> = headers.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "accept-encoding", "authorization", "host", "user-agent"], "{url}");
        assert_eq!(headers["authorization"], format!("Bearer {DEVELOPER}"));
        assert!(headers["user-agent"].to_str().unwrap().starts_with("perigee/"));
        assert!(!url.contains("gitlab_token"), "{url}");
    }
}

#[tokio::test]
async fn s7_a_second_credential_never_replaces_the_first() {
    let hub = Hub::start().await;
    let url = format!("/api/download/{FLOOD}/repository/README.md");
    let bearer = |token: &str| format!("Bearer {token}");
    for (token, authorization) in [
        (OUTSIDER, bearer(DEVELOPER)),
        (DEVELOPER, bearer(OUTSIDER)),
        (GUEST, bearer(DEVELOPER)),
        (DEVELOPER, "Negotiate abc".to_owned()),
    ] {
        let answer = ask(&hub, Method::GET, token, &url, &[("authorization", &authorization)]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{token} {authorization}");
    }
    // The same one twice, and a Bearer alone, are fine (J23).
    let same = bearer(DEVELOPER);
    assert_eq!(ask(&hub, Method::GET, DEVELOPER, &url, &[("authorization", &same)]).await.status, StatusCode::OK);
    assert_eq!(ask(&hub, Method::GET, NOBODY, &url, &[("authorization", &same)]).await.status, StatusCode::OK);
    // A token in the query is no credential.
    let answer = ask(&hub, Method::GET, NOBODY, &format!("{url}?gitlab_token={DEVELOPER}"), &[]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn s8_only_named_headers_of_gitlabs_come_through() {
    let hub = Hub::start().await;
    hub.world.put_lfs_file(FLOOD, "w.bin", b"weights").unwrap();
    // The stand-in sets a cookie, as GitLab does.
    let raw = format!("{}/api/v4/projects/1/repository/files/README.md/raw", hub.backends.gitlab_url);
    let direct = shared::http_client::client().get(raw).bearer_auth(DEVELOPER).send().await.unwrap();
    assert!(direct.headers().contains_key("set-cookie") && direct.headers().contains_key("x-gitlab-blob-id"));
    let allowed = [
        "accept-ranges",
        // Ours, for pages of other origins.
        "access-control-allow-origin",
        "access-control-expose-headers",
        "cache-control",
        "content-disposition",
        "content-length",
        "content-type",
        "etag",
        "location",
        "vary",
        "x-content-type-options",
        "x-frame-options",
    ];
    for method in [Method::GET, Method::HEAD] {
        for path in
            ["repository/README.md", "repository/w.bin", "archive.tar", "repository/none", "archive.zip?ref=none"]
        {
            let answer = ask(&hub, method.clone(), DEVELOPER, &format!("/api/download/{FLOOD}/{path}"), &[]).await;
            for name in answer.headers.keys() {
                assert!(allowed.contains(&name.as_str()), "{method} {path}: {name}");
            }
        }
    }
}

#[tokio::test]
async fn s14_no_error_tells_of_what_is_behind() {
    let hub = Hub::start().await;
    let (hub, upstream) = Upstream::before(&hub).await;
    for (status, expected) in [(400, 400), (401, 401), (403, 404), (404, 404), (414, 400), (429, 429)] {
        check(&hub, &upstream, Mood::Status(status), expected).await;
    }
    for status in [409, 418, 500, 502, 503, 504] {
        check(&hub, &upstream, Mood::Status(status), 503).await;
    }
    check(&hub, &upstream, Mood::Breaks(10), 503).await;
}

async fn check(hub: &Hub, upstream: &Upstream, mood: Mood, expected: u16) {
    upstream.set(mood.clone());
    for path in ["repository/README.md", "archive.tar"] {
        let answer = got(hub, &format!("{FLOOD}/{path}")).await;
        assert_eq!(answer.status.as_u16(), expected, "{mood:?} {path}");
        let text = format!("{} {:?}", detail(&answer), answer.headers).to_lowercase();
        for secret in ["secret", "http://", "api/v4", "127.0.0.1", "glpat", "internal/"] {
            assert!(!text.contains(secret), "{mood:?}: {text}");
        }
        match expected {
            429 => assert_eq!(header_of(&answer, "retry-after"), "7"),
            503 => assert!(answer.headers.contains_key("retry-after")),
            _ => assert!(!answer.headers.contains_key("retry-after")),
        }
    }
}
