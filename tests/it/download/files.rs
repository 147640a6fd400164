//! Small files: bytes, headers, parts, conditions.

use super::*;

#[tokio::test]
async fn a_file_comes_as_a_download() {
    let hub = Hub::start().await;
    let text = "a,b\n1,2\n";
    hub.world.put_file(FLOOD, "data/größe 1.csv", text).unwrap();
    for path in [
        "earth/flood-model/repository/data/gr%C3%B6%C3%9Fe%201.csv?ref=main",
        "earth/flood-model/repository/data/gr%C3%B6%C3%9Fe%201.csv",
        "earth%2Fflood-model/repository/data%2Fgr%C3%B6%C3%9Fe%201.csv?ref=HEAD",
        "earth/flood-model/repository?path=data/gr%C3%B6%C3%9Fe%201.csv",
        "Earth/Flood-Model/repository?path=data%2Fgr%C3%B6%C3%9Fe+1.csv&ref=refs/heads/main",
    ] {
        let answer = got(&hub, path).await;
        assert_eq!((answer.status, &answer.bytes[..]), (StatusCode::OK, text.as_bytes()), "{path}");
        for (name, expected) in [
            ("content-type", "text/plain"),
            ("content-length", "8"),
            ("content-disposition", "attachment; filename=\"groe 1.csv\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%201.csv"),
            ("etag", "\"7d4f9d70a7cdf9b4ffea4cf0c08a36c4a6b6a6cb\""),
            ("accept-ranges", "bytes"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "private, no-cache"),
        ] {
            let value = header_of(&answer, name);
            match name {
                // git's id of the content: 40 digits.
                "etag" => assert!(value.len() == expected.len() && value.starts_with('"'), "{value}"),
                _ => assert_eq!(value, expected, "{name} of {path}"),
            }
        }
    }
    assert!(keys(&hub).await.is_empty(), "small files leave no copies");
}

#[tokio::test]
async fn pages_of_other_origins_may_ask_with_a_token() {
    let hub = Hub::start().await;
    let url = format!("/api/download/{FLOOD}/repository/README.md");
    let asked = [
        ("origin", "https://browser.example"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "x-gitlab-token,range"),
    ];
    let allowed = ask(&hub, Method::OPTIONS, NOBODY, &url, &asked).await;
    assert_eq!((allowed.status, header_of(&allowed, "access-control-allow-origin")), (StatusCode::OK, "*"));
    assert!(header_of(&allowed, "access-control-allow-headers").contains("x-gitlab-token"));
    for (token, status) in [(DEVELOPER, StatusCode::OK), (NOBODY, StatusCode::NOT_FOUND)] {
        let answer = ask(&hub, Method::GET, token, &url, &asked[..1]).await;
        assert_eq!((answer.status, header_of(&answer, "access-control-allow-origin")), (status, "*"));
    }
    let answer = got(&hub, &format!("{FLOOD}/repository/README.md")).await;
    let vary: Vec<_> = answer.headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
    assert!(vary.contains(&"Authorization, X-Gitlab-Token, Private-Token"), "{vary:?}");
}

#[tokio::test]
async fn refs_choose_and_unknown_ones_are_missing() {
    let hub = Hub::start().await;
    hub.world.put_file(FLOOD, "a.txt", "one").unwrap();
    hub.world.add_release(FLOOD, "v1.0", "First", "").unwrap();
    for reference in ["main", "v1.0", "HEAD", ""] {
        assert_eq!(&got(&hub, &format!("{FLOOD}/repository/a.txt?ref={reference}")).await.bytes[..], b"one");
    }
    for url in ["a.txt?ref=other", "a.txt?ref=0123456789", "b.txt", "data", "A.txt", "b.txt?ref=v1.0"] {
        let answer = got(&hub, &format!("{FLOOD}/repository/{url}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{url}");
        assert!(detail(&answer).starts_with("No file `"), "{url}");
    }
}

#[tokio::test]
async fn parts_conditions_and_heads() {
    let hub = Hub::start().await;
    hub.world.put_file(FLOOD, "a.bin", "0123456789").unwrap();
    let url = format!("/api/download/{FLOOD}/repository/a.bin");
    let with = async |method: Method, headers: &[(&str, &str)]| ask(&hub, method, DEVELOPER, &url, headers).await;
    for (range, bytes, said) in [
        ("bytes=0-3", "0123", "bytes 0-3/10"),
        ("bytes=8-", "89", "bytes 8-9/10"),
        ("bytes=-1", "9", "bytes 9-9/10"),
        ("bytes=5-99", "56789", "bytes 5-9/10"),
    ] {
        let part = with(Method::GET, &[("range", range)]).await;
        assert_eq!((part.status, &part.bytes[..]), (StatusCode::PARTIAL_CONTENT, bytes.as_bytes()), "{range}");
        assert_eq!(header_of(&part, "content-range"), said);
        assert_eq!(header_of(&part, "content-length"), bytes.len().to_string());
    }
    for odd in ["bytes=10-", "bytes=0-1,3-4", "lines=0-1", "bytes=-0"] {
        let whole = with(Method::GET, &[("range", odd)]).await;
        assert_eq!((whole.status, whole.bytes.len()), (StatusCode::OK, 10), "{odd}");
    }
    let head = with(Method::HEAD, &[("range", "bytes=0-3")]).await;
    assert_eq!((head.status, head.bytes.len(), header_of(&head, "content-length")), (StatusCode::OK, 0, "10"));
    let etag = header_of(&head, "etag").to_owned();
    for method in [Method::GET, Method::HEAD] {
        for given in [etag.as_str(), "\"x\", W/\"y\", *", &format!("W/{etag}")] {
            let unchanged = with(method.clone(), &[("if-none-match", given)]).await;
            assert_eq!((unchanged.status, unchanged.bytes.len()), (StatusCode::NOT_MODIFIED, 0), "{given}");
            assert_eq!(header_of(&unchanged, "etag"), etag);
            assert_eq!(header_of(&unchanged, "cache-control"), "private, no-cache");
        }
        assert_eq!(with(method, &[("if-none-match", "\"x\"")]).await.status, StatusCode::OK);
    }
    hub.world.put_file(FLOOD, "a.bin", "changed").unwrap();
    let changed = with(Method::GET, &[("if-none-match", &etag)]).await;
    assert_eq!((changed.status, &changed.bytes[..]), (StatusCode::OK, &b"changed"[..]));
    assert_eq!(with(Method::POST, &[]).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn an_empty_file_is_a_file() {
    let hub = Hub::start().await;
    hub.world.put_file(FLOOD, "empty", "").unwrap();
    let url = format!("/api/download/{FLOOD}/repository/empty");
    for (method, range) in [(Method::GET, None), (Method::GET, Some("bytes=0-")), (Method::HEAD, None)] {
        let headers: Vec<_> = range.map(|range| ("range", range)).into_iter().collect();
        let answer = ask(&hub, method, DEVELOPER, &url, &headers).await;
        assert_eq!((answer.status, header_of(&answer, "content-length")), (StatusCode::OK, "0"));
    }
}

#[tokio::test]
async fn a_client_may_keep_files_for_a_while() {
    let hub = Hub::start().await;
    let url = "earth/land-cover/repository/README.md";
    for (token, query, expected) in [
        (DEVELOPER, "?cache=60", "private, max-age=60"),
        (DEVELOPER, "?cache=0", "private, no-cache"),
        (DEVELOPER, "?cache=99999999999", "private, max-age=86400"),
        (NOBODY, "?cache=60", "private, max-age=60"),
        (NOBODY, "", "public, no-cache"),
    ] {
        let answer = get(&hub, token, &format!("{url}{query}")).await;
        assert_eq!((answer.status, header_of(&answer, "cache-control")), (StatusCode::OK, expected), "{query}");
    }
    for bad in ["-1", "x", "1.5", "", "1&cache=2"] {
        let answer = got(&hub, &format!("{url}?cache={bad}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{bad}");
        assert!(detail(&answer).contains("cache"), "{}", detail(&answer));
    }
}

#[tokio::test]
async fn a_small_file_in_lfs_is_its_content() {
    let hub = Hub::start().await;
    hub.world.put_lfs_file(FLOOD, "w.bin", b"weights of a net").unwrap();
    let url = format!("/api/download/{FLOOD}/repository/w.bin?ref=main");
    let answer = ask(&hub, Method::GET, DEVELOPER, &url, &[]).await;
    assert_eq!((answer.status, &answer.bytes[..]), (StatusCode::OK, &b"weights of a net"[..]));
    let head = ask(&hub, Method::HEAD, DEVELOPER, &url, &[]).await;
    assert_eq!((head.status, header_of(&head, "content-length")), (StatusCode::OK, "16"));
    assert_eq!(header_of(&head, "etag"), header_of(&answer, "etag"));
    let part = ask(&hub, Method::GET, DEVELOPER, &url, &[("range", "bytes=-3")]).await;
    assert_eq!((part.status, &part.bytes[..]), (StatusCode::PARTIAL_CONTENT, &b"net"[..]));
}
