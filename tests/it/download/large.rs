//! Files that the gateway cannot carry: copied to S3 once, in turns if need be.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::response::IntoResponse;
use http::HeaderMap;
use shared::extract::BODY_LIMIT;
use tokio::sync::watch;

use super::upstream::{Mood, Upstream};
use super::*;
use crate::hub::listen;

const PART: usize = 8 << 20;

#[tokio::test]
async fn a_large_file_is_fetched_from_s3() {
    let hub = Hub::start().await;
    let small = content(BODY_LIMIT);
    hub.world.put_file(FLOOD, "small.bin", small.clone()).unwrap();
    let answer = got(&hub, &format!("{FLOOD}/repository/small.bin")).await;
    assert!(answer.status == StatusCode::OK && answer.bytes == small);

    let whole = content(2 * PART + 5);
    hub.world.put_file(FLOOD, "d/größe.html", whole.clone()).unwrap();
    let url = format!("/api/download/{FLOOD}/repository/d/gr%C3%B6%C3%9Fe.html");
    let head = ask(&hub, Method::HEAD, DEVELOPER, &url, &[]).await;
    assert_eq!((head.status, header_of(&head, "content-length")), (StatusCode::OK, whole.len().to_string().as_str()));
    assert!(keys(&hub).await.is_empty(), "a HEAD copies nothing");
    let sent = ask(&hub, Method::GET, DEVELOPER, &url, &[("range", "bytes=0-3")]).await;
    let file = follow(&sent, &[]).await;
    assert!(file.status == StatusCode::OK && file.bytes == whole);
    assert_eq!(header_of(&file, "content-type"), "text/html");
    let disposition = "attachment; filename=groe.html; filename*=UTF-8''gr%C3%B6%C3%9Fe.html";
    assert_eq!(header_of(&file, "content-disposition"), disposition);
    let part = follow(&sent, &[("range", "bytes=8388600-8388615")]).await;
    assert_eq!((part.status, &part.bytes[..]), (StatusCode::PARTIAL_CONTENT, &whole[8_388_600..8_388_616]));
    let etag = header_of(&head, "etag");
    let known = ask(&hub, Method::GET, DEVELOPER, &url, &[("if-none-match", etag)]).await;
    assert_eq!(known.status, StatusCode::NOT_MODIFIED);

    // Once copied, GitLab only tells of it; the same content elsewhere in the project is the same copy.
    hub.world.put_file(FLOOD, "again.bin", whole.clone()).unwrap();
    hub.world.reset_calls();
    let again = got(&hub, &format!("{FLOOD}/repository/again.bin")).await;
    assert_eq!(header_of(&follow(&again, &[]).await, "content-disposition"), "attachment; filename=again.bin");
    assert_eq!(hub.world.calls().get("GET /api/v4/projects/{id}/repository/files/{path}/raw"), None);
    let copies = keys(&hub).await;
    assert_eq!(copies, [format!("blobs/1/{}", etag.trim_matches('"'))]);
    assert_eq!(unfinished(&hub).await, 0);
}

#[tokio::test]
async fn an_interrupted_copy_goes_on() {
    let hub = Hub::start().await;
    let whole = content(5 * PART + 77);
    hub.world.put_lfs_file(FLOOD, "lfs.bin", &whole).unwrap();
    hub.world.put_file(FLOOD, "git.bin", whole.clone()).unwrap();
    let (hub, upstream) = Upstream::before(&hub).await;
    for (file, ranges) in [
        // GitLab gives parts of files in LFS only; of others the first bytes are read once more. The size of a file in
        // LFS is known once its answer begins.
        ("lfs.bin", [vec!["-", "-"], vec!["-", "bytes=8388608-"], vec!["-", "bytes=25165824-"]]),
        ("git.bin", [vec!["-"], vec!["bytes=8388608-"], vec!["bytes=25165824-"]]),
    ] {
        let url = format!("{FLOOD}/repository/{file}");
        // Cut off after one part, after two more, and then not.
        let cuts = match file {
            "lfs.bin" => [Mood::Breaks(PART + 9), Mood::Breaks(2 * PART + 9), Mood::Well],
            _ => [Mood::Breaks(PART + 9), Mood::Breaks(3 * PART + 9), Mood::Well],
        };
        for (turn, (mood, ranges)) in cuts.into_iter().zip(ranges).enumerate() {
            upstream.set(mood);
            let answer = got(&hub, &url).await;
            assert_eq!(upstream.ranges(), ranges, "{file} {turn}");
            if turn < 2 {
                assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{file} {turn}");
                assert!(answer.headers.contains_key("retry-after"));
                assert_eq!(unfinished(&hub).await, 1);
            } else {
                assert!(follow(&answer, &[]).await.bytes == whole, "{file}");
            }
        }
        assert_eq!(unfinished(&hub).await, 0);
    }
}

/// The clock of a turn is real time.
#[tokio::test]
async fn a_slow_gitlab_costs_a_turn_and_not_the_gateways_patience() {
    let hub = Hub::start().await;
    let whole = content(2 * PART + 5);
    hub.world.put_file(FLOOD, "slow.bin", whole.clone()).unwrap();
    let (hub, upstream) = Upstream::before(&hub).await;
    upstream.set(Mood::Hangs(PART + 9));
    let begun = Instant::now();
    let (file, archive) =
        tokio::join!(got(&hub, "earth/flood-model/repository/slow.bin"), got(&hub, "earth/flood-model/archive.tar"),);
    assert!((15..28).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    for answer in [&file, &archive] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(header_of(answer, "retry-after"), "1");
    }
    assert!(detail(&file).contains("8 of 16 MB so far: ask again"), "{}", detail(&file));
    assert!(detail(&archive).contains("clone the repository"), "{}", detail(&archive));
    // The file's parts wait for the next turn, the archive's are of no use.
    assert_eq!(unfinished(&hub).await, 1);
    upstream.set(Mood::Well);
    assert!(follow(&got(&hub, "earth/flood-model/repository/slow.bin").await, &[]).await.bytes == whole);
    assert_eq!(unfinished(&hub).await, 0);
}

#[tokio::test]
async fn many_at_once_harm_nobody() {
    let hub = Hub::start().await;
    let whole = content(3 * PART + 1);
    hub.world.put_lfs_file(FLOOD, "w.bin", &whole).unwrap();
    let (hub, upstream) = Upstream::before(&hub).await;
    let url = format!("{FLOOD}/repository/w.bin");
    // An upload that has begun already, so that all go on with the same one.
    upstream.set(Mood::Breaks(PART + 9));
    assert_eq!(got(&hub, &url).await.status, StatusCode::SERVICE_UNAVAILABLE);
    upstream.set(Mood::Well);
    let other = hub.beside().await;
    let requests = (0..6).map(|number| got(if number % 2 == 0 { &hub } else { &other }, &url));
    for answer in futures::future::join_all(requests).await {
        assert!(follow(&answer, &[]).await.bytes == whole);
    }
    assert_eq!((keys(&hub).await.len(), unfinished(&hub).await), (1, 0));
    // And from nothing.
    let whole = content(3 * PART + 2);
    hub.world.put_lfs_file(FLOOD, "w.bin", &whole).unwrap();
    let requests = (0..4).map(|number| got(if number % 2 == 0 { &hub } else { &other }, &url));
    for answer in futures::future::join_all(requests).await {
        assert!(follow(&answer, &[]).await.bytes == whole);
    }
    assert_eq!(keys(&hub).await.len(), 2);
}

#[tokio::test]
async fn a_file_in_lfs_is_fetched_where_it_lies_without_the_token() {
    let hub = Hub::start().await;
    let whole = content(2 * PART);
    hub.world.put_lfs_file(FLOOD, "w.bin", &whole).unwrap();
    hub.world.put_lfs_file(FLOOD, "small.bin", b"small").unwrap();
    let (stop, stopped) = watch::channel(false);
    let seen: Arc<Mutex<Vec<HeaderMap>>> = Arc::default();
    let (inside, body) = (seen.clone(), whole.clone());
    let store = Router::new().fallback(async move |headers: HeaderMap| {
        inside.lock().unwrap().push(headers);
        body.into_response()
    });
    let store = listen(store, stopped);
    let (hub, upstream) = Upstream::before(&hub).await;
    upstream.set(Mood::Redirects(format!("{store}/bucket/object?signature=x")));
    let sent = got(&hub, &format!("{FLOOD}/repository/w.bin")).await;
    assert!(follow(&sent, &[]).await.bytes == whole);
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    assert_eq!(seen.len(), 2);
    for headers in seen {
        let text = format!("{headers:?}");
        assert!(!text.contains("glpat") && !text.contains("authorization") && !text.contains("cookie"), "{text}");
    }
    // A storage that is not one: GitLab's own pages, other schemes, circles, refusals.
    let circle = Router::new().fallback(async || (StatusCode::FOUND, [("location", "/again")]));
    let circle = listen(circle, stop.subscribe());
    let refusing = listen(Router::new().fallback(async || StatusCode::FORBIDDEN), stop.subscribe());
    let page = format!("{}/users/sign_in", hub.backends.gitlab_url);
    for target in [page.as_str(), "/users/sign_in", "file:///etc/passwd", "ftp://x/y", "", &circle, &refusing] {
        upstream.set(Mood::Redirects(target.to_owned()));
        let answer = got(&hub, &format!("{FLOOD}/repository/small.bin")).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{target}");
        assert!(!detail(&answer).contains("http"), "{}", detail(&answer));
    }
}

#[tokio::test]
async fn a_size_that_nobody_tells_is_found_out() {
    let hub = Hub::start().await;
    let whole = content(PART + 5);
    hub.world.put_lfs_file(FLOOD, "w.bin", &whole).unwrap();
    hub.world.put_lfs_file(FLOOD, "small.bin", b"small").unwrap();
    let (hub, upstream) = Upstream::before(&hub).await;
    upstream.set(Mood::Chunked);
    assert_eq!(&got(&hub, &format!("{FLOOD}/repository/small.bin")).await.bytes[..], b"small");
    let url = format!("{FLOOD}/repository/w.bin");
    let head = ask(&hub, Method::HEAD, DEVELOPER, &format!("/api/download/{url}"), &[]).await;
    assert!(head.status == StatusCode::OK && head.headers.contains_key("etag"));
    assert!(!head.headers.contains_key("content-length") && keys(&hub).await.is_empty());
    assert!(follow(&got(&hub, &url).await, &[]).await.bytes == whole);
    assert!(follow(&got(&hub, &url).await, &[]).await.bytes == whole);
    assert_eq!((keys(&hub).await.len(), unfinished(&hub).await), (1, 0));
}
