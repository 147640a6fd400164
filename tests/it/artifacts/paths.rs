//! No path leads anywhere but below its own run or logged model.

use http::StatusCode;

use super::*;

/// As they stand in a URL's path.
pub const HOSTILE: &[&str] = &[
    "../x",
    "..%2Fx",
    "%2e%2e/x",
    "%2E%2E%2fx",
    "%252e%252e%252fx",
    "%25252e%25252e/x",
    "a/../../x",
    "a/%2e%2e/%2e%2e/x",
    "a/..",
    "a%5Cb",
    "..%5c..%5cx",
    "%255c",
    "C:/x",
    "C:%5Cx",
    "a%23b",
    "a%2523b",
    "%00%5C..",
    "%25ff/%2e%2e/x",
    "..%2500/../x",
    "file:///etc/passwd",
    "%2525252525252525252525252561",
];

#[tokio::test]
async fn hostile_paths_are_refused_everywhere_and_leave_nothing() {
    let hub = Hub::start().await;
    let (root, _, run) = new_place(&hub, "hostile").await;
    put(&hub, &format!("{root}/kept.txt"), "kept").await;
    let before = keys(&hub).await;
    for path in HOSTILE {
        let proxy = format!("{FLOOD}{PROXY}/{root}/{path}");
        let twin = format!("{GLOBAL}{TWIN}/{root}/{path}");
        let query = path.replace('%', "%25");
        let calls = [
            (Method::PUT, proxy.clone()),
            (Method::PUT, twin.clone()),
            (Method::GET, proxy.clone()),
            (Method::HEAD, proxy.clone()),
            (Method::GET, twin),
            (Method::GET, format!("{FLOOD}{PRESIGNED}/{root}/{path}")),
            (Method::HEAD, format!("{GLOBAL}{PRESIGNED}/{root}/{path}")),
            (Method::DELETE, proxy),
            (Method::GET, format!("{FLOOD}{PROXY}?path={root}/{query}")),
            (Method::GET, format!("{FLOOD}/api/2.0/mlflow/artifacts/list?run_id={run}&path={query}")),
            (Method::GET, format!("{FLOOD}/get-artifact?run_id={run}&path={query}")),
            (Method::POST, format!("{FLOOD}/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path={query}")),
        ];
        for (method, url) in calls {
            let answer = send(&hub, DEVELOPER, method.clone(), &url, "hostile").await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{method} {url}");
            if method != Method::HEAD {
                assert_eq!(answer.code(), "INVALID_PARAMETER_VALUE", "{method} {url}");
                assert_eq!(answer.json()["message"], "Invalid path", "{method} {url}");
            }
        }
    }
    for path in ["/etc/passwd", "%2Fetc%2Fpasswd", "//etc"] {
        for url in [format!("{FLOOD}{PROXY}?path={path}"), format!("{FLOOD}/get-artifact?run_id={run}&path={path}")] {
            let answer = send(&hub, DEVELOPER, Method::GET, &url, "").await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE"),
                "{url}"
            );
        }
    }
    assert_eq!(keys(&hub).await, before);
}

#[tokio::test]
async fn odd_names_are_names() {
    let hub = Hub::start().await;
    let (root, experiment, run) = new_place(&hub, "odd names").await;
    for (path, name) in [
        ("%20", " "),
        ("...", "..."),
        ("..a", "..a"),
        ("100%25.txt", "100%.txt"),
        ("a+b&c=d", "a+b&c=d"),
        ("what%3F", "what?"),
        ("%3Cx%3E&amp;", "<x>&amp;"),
        ("quote%22'", "quote\"'"),
        ("%E6%B4%AA%E6%B0%B4", "洪水"),
        ("%E2%80%AEtxt", "\u{202e}txt"),
        ("a//b", "b"),
        ("a/./c", "c"),
        (
            "dogs%25step%251%25timestamp%251795489262663%25ab12cd34.png",
            "dogs%step%1%timestamp%1795489262663%ab12cd34.png",
        ),
        ("1763%251795489262663.png", "1763%1795489262663.png"),
        ("x%2500y", "x%00y"),
        ("a%00b", "a%00b"),
        ("a%0d%0aX:y", "a%0d%0aX:y"),
        ("a%7Fb", "a%7fb"),
        ("%25C3%2528", "%c3("),
    ] {
        assert_eq!(put(&hub, &format!("{root}/{path}"), "x").await.status, StatusCode::OK, "{path}");
        let got = get(&hub, &format!("{root}/{path}")).await;
        assert_eq!((got.status, &got.bytes[..]), (StatusCode::OK, &b"x"[..]), "{path}");
        let directory = if path.starts_with("a/") { format!("{root}/a") } else { root.clone() };
        assert!(list(&hub, &directory).await.contains(&format!("{name} 1")), "{path}");
    }
    let prefix = format!("artifacts/1/{experiment}/{run}/artifacts/");
    for key in keys(&hub).await {
        assert!(key.starts_with(&prefix), "{key}");
    }
}

#[tokio::test]
async fn a_key_has_an_end() {
    let hub = Hub::start().await;
    let (root, experiment, run) = new_place(&hub, "long").await;
    let room = 1024 - format!("artifacts/1/{experiment}/{run}/artifacts/").len();
    assert_eq!(put(&hub, &format!("{root}/{}", "x".repeat(room)), "x").await.status, StatusCode::OK);
    let refused = put(&hub, &format!("{root}/{}", "x".repeat(room + 1)), "x").await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE"));
}

#[tokio::test]
async fn files_are_put_only_where_something_will_look_for_them() {
    let hub = Hub::start().await;
    let (root, experiment, run) = new_place(&hub, "own").await;
    let (_, other, _) = new_place(&hub, "other").await;
    for misplaced in [
        "a.txt".to_owned(),
        experiment.clone(),
        format!("{experiment}/a.txt"),
        format!("{experiment}/{run}"),
        format!("{experiment}/{run}/artifacts"),
        format!("{root}/"),
        format!("{experiment}/{run}/elsewhere/a.txt"),
        format!("{experiment}/models/a.txt"),
        format!("notanumber/{run}/artifacts/a.txt"),
    ] {
        let refused = put(&hub, &misplaced, "x").await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE"),
            "{misplaced}"
        );
    }
    for unknown in [
        format!("{other}/{run}/artifacts/a.txt"),
        format!("{experiment}/{}/artifacts/a.txt", "0".repeat(32)),
        format!("{experiment}/models/m-{}/artifacts/a.txt", "0".repeat(32)),
        format!("999999/{run}/artifacts/a.txt"),
    ] {
        let refused = put(&hub, &unknown, "x").await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (StatusCode::NOT_FOUND, "RESOURCE_DOES_NOT_EXIST"),
            "{unknown}"
        );
    }
    for all in [experiment.clone(), format!("{experiment}/{run}"), format!("{experiment}/models")] {
        let refused = send(&hub, DEVELOPER, Method::DELETE, &format!("{FLOOD}{PROXY}/{all}"), "").await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{all}");
    }
    assert!(keys(&hub).await.is_empty());
}
