//! Files, their parts, commits and archives of the stand-in, as GitLab gives them.

use std::io::{Cursor, Read};

use http::Method;
use reqwest::Response;
use serde_json::Value;

const RAW: &str = "/api/v4/projects/1/repository/files/w.bin/raw?ref=main";

async fn ask(url: &str, method: Method, path: &str, range: Option<&str>) -> Response {
    let request =
        shared::http_client::client().request(method, format!("{url}{path}")).bearer_auth("glpat-local-developer");
    match range {
        Some(range) => request.header("range", range).send().await.unwrap(),
        None => request.send().await.unwrap(),
    }
}

#[tokio::test]
async fn files_in_lfs_are_pointers_until_they_are_asked_for() {
    let running = super::emulators().await;
    let (url, world) = (running.gitlab_url.clone(), running.world.clone().unwrap());
    world.put_lfs_file("earth/flood-model", "w.bin", b"0123456789").unwrap();
    let pointer = ask(&url, Method::GET, RAW, None).await.text().await.unwrap();
    assert!(pointer.starts_with("version https://git-lfs.github.com/spec/v1\n"), "{pointer}");
    let head = ask(&url, Method::HEAD, "/api/v4/projects/1/repository/files/w.bin?ref=HEAD", None).await;
    assert_eq!(head.headers()["x-gitlab-size"], pointer.len().to_string().as_str());
    let lfs = format!("{RAW}&lfs=true");
    for (range, status, body, said) in [
        (None, 200, "0123456789", None),
        (Some("bytes=3-"), 206, "3456789", Some("bytes 3-9/10")),
        (Some("bytes=3-4"), 206, "34", Some("bytes 3-4/10")),
        (Some("bytes=10-"), 416, "", Some("bytes */10")),
    ] {
        let answer = ask(&url, Method::GET, &lfs, range).await;
        assert_eq!(answer.status().as_u16(), status, "{range:?}");
        assert!(answer.headers().contains_key("set-cookie"));
        assert_eq!(answer.headers().get("content-range").map(|value| value.to_str().unwrap()), said);
        assert_eq!(answer.text().await.unwrap(), body, "{range:?}");
    }
    // Of files in git itself GitLab gives no parts.
    let whole = ask(&url, Method::GET, "/api/v4/projects/1/repository/files/README.md/raw", Some("bytes=3-")).await;
    assert_eq!(whole.status().as_u16(), 200);
    running.stop().await;
}

#[tokio::test]
async fn a_commit_is_packed() {
    let running = super::emulators().await;
    let url = running.gitlab_url.clone();
    let commit: Value =
        ask(&url, Method::GET, "/api/v4/projects/1/repository/commits/HEAD", None).await.json().await.unwrap();
    let id = commit["id"].as_str().unwrap();
    let path = format!("/api/v4/projects/1/repository/archive.zip?sha={id}");
    let packed = ask(&url, Method::GET, &path, None).await.bytes().await.unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(packed)).unwrap();
    let mut text = String::new();
    archive.by_name(&format!("1-{id}/README.md")).unwrap().read_to_string(&mut text).unwrap();
    assert!(!text.is_empty());
    let again = ask(&url, Method::GET, &path, None).await.bytes().await.unwrap();
    assert_eq!(ask(&url, Method::GET, &path, None).await.bytes().await.unwrap(), again);
    for (path, status) in [
        ("/api/v4/projects/1/repository/commits/other", 404),
        ("/api/v4/projects/1/repository/archive.zip?sha=other", 404),
        ("/api/v4/projects/1/repository/archive.rar", 404),
        ("/api/v4/projects/1/repository/archive", 200),
        ("/api/v4/projects/1/repository/nothing", 404),
        ("/api/v4/projects/5/repository/archive.zip", 404),
    ] {
        assert_eq!(ask(&url, Method::GET, path, None).await.status().as_u16(), status, "{path}");
    }
    running.stop().await;
}
