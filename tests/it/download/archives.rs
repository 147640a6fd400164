//! Packed repositories.

use super::*;

#[tokio::test]
async fn every_format_is_packed_once() {
    let hub = Hub::start().await;
    hub.world.add_release(FLOOD, "v1/x", "First", "").unwrap();
    for (format, kind, magic) in [
        ("zip", "application/zip", &b"PK\x03\x04"[..]),
        ("tar", "application/x-tar", b"1-"),
        ("tar.gz", "application/gzip", b"\x1f\x8b"),
        ("tgz", "application/gzip", b"\x1f\x8b"),
        ("tar.bz2", "application/x-bzip2", b"BZh"),
        ("tbz", "application/x-bzip2", b"BZh"),
        ("tbz2", "application/x-bzip2", b"BZh"),
        ("tb2", "application/x-bzip2", b"BZh"),
        ("bz2", "application/x-bzip2", b"BZh"),
    ] {
        for (query, name) in [("?ref=v1/x", "flood-model-v1-x"), ("?ref=main", "flood-model-main"), ("", "flood-model")]
        {
            let sent = got(&hub, &format!("{FLOOD}/archive.{format}{query}")).await;
            let packed = follow(&sent, &[]).await;
            assert_eq!(packed.status, StatusCode::OK, "{format}");
            assert!(packed.bytes.starts_with(magic), "{format}: {:?}", &packed.bytes[..8]);
            assert_eq!(header_of(&packed, "content-type"), kind);
            assert_eq!(header_of(&packed, "content-disposition"), format!("attachment; filename={name}.{format}"));
        }
    }
    // One copy for all refs that lead to one commit and all names of a format.
    assert_eq!(keys(&hub).await.len(), 4);
    assert_eq!(hub.world.calls()["GET /api/v4/projects/{id}/repository/{archive}"], 4);
    assert_eq!(unfinished(&hub).await, 0);
}

#[tokio::test]
async fn conditions_and_heads() {
    let hub = Hub::start().await;
    let url = format!("/api/download/{FLOOD}/archive.zip?ref=main");
    let head = ask(&hub, Method::HEAD, DEVELOPER, &url, &[]).await;
    assert_eq!((head.status, header_of(&head, "content-type")), (StatusCode::OK, "application/zip"));
    assert!(!head.headers.contains_key("content-length"), "nobody knows yet: {:?}", head.headers);
    let etag = header_of(&head, "etag").to_owned();
    assert!(etag.ends_with(".zip\""), "{etag}");
    let packed = follow(&ask(&hub, Method::GET, DEVELOPER, &url, &[]).await, &[]).await;
    let head = ask(&hub, Method::HEAD, DEVELOPER, &url, &[]).await;
    assert_eq!(header_of(&head, "content-length"), packed.bytes.len().to_string());
    for method in [Method::GET, Method::HEAD] {
        let unchanged = ask(&hub, method, DEVELOPER, &url, &[("if-none-match", &etag)]).await;
        assert_eq!((unchanged.status, header_of(&unchanged, "etag")), (StatusCode::NOT_MODIFIED, etag.as_str()));
    }
    hub.world.put_file(FLOOD, "new.txt", "new").unwrap();
    let changed = ask(&hub, Method::GET, DEVELOPER, &url, &[("if-none-match", &etag)]).await;
    assert!(follow(&changed, &[]).await.bytes.len() > packed.bytes.len());
}

#[tokio::test]
async fn what_cannot_be_packed_is_missing() {
    let hub = Hub::start().await;
    hub.world.add_project(60, "earth/empty", local::gitlab::Visibility::Public).unwrap();
    for url in [format!("{FLOOD}/archive.zip?ref=other"), "earth/empty/archive.zip".into()] {
        let answer = got(&hub, &url).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{url}");
        assert!(detail(&answer).starts_with("No branch, tag or commit"));
    }
}
