//! Embedded S3 through the AWS SDK and by plain HTTP.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier};
use http::StatusCode;

use super::process::{Process, local, s3};

async fn put(client: &Client, key: &str, body: &[u8]) {
    client.put_object().bucket("perigee").key(key).body(ByteStream::from(body.to_vec())).send().await.unwrap();
}

async fn get(client: &Client, key: &str) -> Vec<u8> {
    let object = client.get_object().bucket("perigee").key(key).send().await.unwrap();
    object.body.collect().await.unwrap().to_vec()
}

async fn keys(client: &Client, prefix: &str) -> Vec<String> {
    let mut pages = client.list_objects_v2().bucket("perigee").prefix(prefix).max_keys(2).into_paginator().send();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        keys.extend(page.unwrap().contents().iter().map(|object| object.key().unwrap().to_owned()));
    }
    keys
}

/// Keys that S3 takes and file systems do not.
fn odd_keys() -> Vec<String> {
    let mut keys: Vec<String> =
        ["a", "a/b", "a/b/", "a//b", "x/../y", "sp ace+&%25#?", "ümlaut/日本", "~", "c:\\d"].map(str::to_owned).into();
    keys.push(format!("long/{}", "k".repeat(1000)));
    keys.sort();
    keys
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_survive_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--only-emulators", "--emulator-ports", "0,0,0", "--data", folder.path().to_str().unwrap()];
    let process = Process::start(&mut local(&args));
    let client = s3(process.url("s3")).await;
    client.create_bucket().bucket("perigee").send().await.unwrap();
    for key in odd_keys() {
        put(&client, &key, key.as_bytes()).await;
    }
    put(&client, "gone", b"x").await;
    client.delete_object().bucket("perigee").key("gone").send().await.unwrap();
    process.kill();

    let process = Process::start(&mut local(&args));
    let client = s3(process.url("s3")).await;
    assert_eq!(keys(&client, "").await, odd_keys());
    for key in odd_keys() {
        assert_eq!(get(&client, &key).await, key.as_bytes(), "{key}");
    }
    process.kill();
}

#[tokio::test]
async fn listing_groups_and_pages() {
    let running = super::emulators().await;
    let client = s3(running.s3.endpoint().unwrap()).await;
    client.create_bucket().bucket("perigee").send().await.unwrap();
    for key in ["p/1", "p/a/1", "p/a/2", "p/b/c/1", "p/z", "q/1", "p"] {
        put(&client, key, b"x").await;
    }
    let mut pages =
        client.list_objects_v2().bucket("perigee").prefix("p/").delimiter("/").max_keys(1).into_paginator().send();
    let mut seen = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        assert_eq!(page.contents().len() + page.common_prefixes().len(), 1);
        seen.extend(page.contents().iter().map(|object| object.key().unwrap().to_owned()));
        seen.extend(page.common_prefixes().iter().map(|group| group.prefix().unwrap().to_owned()));
    }
    assert_eq!(seen, ["p/1", "p/a/", "p/b/", "p/z"]);

    let objects = ["p/1", "p/a/1", "none"].map(|key| ObjectIdentifier::builder().key(key).build().unwrap()).to_vec();
    let delete = Delete::builder().set_objects(Some(objects)).build().unwrap();
    client.delete_objects().bucket("perigee").delete(delete).send().await.unwrap();
    assert_eq!(keys(&client, "p/").await, ["p/a/2", "p/b/c/1", "p/z"]);
    let missing = client.get_object().bucket("perigee").key("p/1").send().await.unwrap_err();
    assert!(missing.into_service_error().is_no_such_key());
    let missing = client.list_objects_v2().bucket("other").send().await.unwrap_err();
    assert!(missing.into_service_error().is_no_such_bucket());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_creators_one_wins() {
    let running = super::emulators().await;
    let client = s3(running.s3.endpoint().unwrap()).await;
    client.create_bucket().bucket("perigee").send().await.unwrap();
    let creators: Vec<_> = (0..16)
        .map(|n| {
            let put = client.put_object().bucket("perigee").key("k").if_none_match("*");
            tokio::spawn(put.body(ByteStream::from(vec![n; 10_000])).send())
        })
        .collect();
    let mut winners = 0;
    for creator in creators {
        winners += i32::from(creator.await.unwrap().is_ok());
    }
    assert_eq!(winners, 1);
    running.stop().await;
}

#[tokio::test]
async fn multipart_upload_and_ranges() {
    let running = super::emulators().await;
    let client = s3(running.s3.endpoint().unwrap()).await;
    client.create_bucket().bucket("perigee").send().await.unwrap();
    let key = format!("artifacts/{}/model.bin", "deep/".repeat(60));
    let begun =
        client.create_multipart_upload().bucket("perigee").key(&key).content_type("model/x").send().await.unwrap();
    let upload = begun.upload_id().unwrap();
    let mut parts = Vec::new();
    for (number, size) in [(1, 5 * 1024 * 1024), (2, 1000)] {
        let body = ByteStream::from(vec![u8::try_from(number).unwrap(); size]);
        let part = client.upload_part().bucket("perigee").key(&key).upload_id(upload).part_number(number).body(body);
        let tag = part.send().await.unwrap().e_tag;
        parts.push(CompletedPart::builder().part_number(number).set_e_tag(tag).build());
    }
    let done = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let complete = client.complete_multipart_upload().bucket("perigee").key(&key).upload_id(upload);
    let tag = complete.multipart_upload(done).send().await.unwrap().e_tag.unwrap();

    let head = client.head_object().bucket("perigee").key(&key).send().await.unwrap();
    assert_eq!(head.content_length(), Some(5 * 1024 * 1024 + 1000));
    assert_eq!((head.content_type(), head.e_tag()), (Some("model/x"), Some(tag.as_str())));
    let part = client.get_object().bucket("perigee").key(&key).range("bytes=5242879-5242880").send().await.unwrap();
    assert_eq!(part.body.collect().await.unwrap().to_vec(), [1, 2]);
    let same = client.get_object().bucket("perigee").key(&key).if_none_match(&tag).send().await.unwrap_err();
    assert_eq!(same.raw_response().unwrap().status().as_u16(), 304);
    let other = client.get_object().bucket("perigee").key(&key).if_match("\"other\"").send().await.unwrap_err();
    assert_eq!(other.raw_response().unwrap().status().as_u16(), 412);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_of_one_key_and_survives_its_client() {
    let running = super::emulators().await;
    let client = s3(running.s3.endpoint().unwrap()).await;
    client.create_bucket().bucket("perigee").send().await.unwrap();
    let begun = client.create_multipart_upload().bucket("perigee").key("k").send().await.unwrap();
    let id = begun.upload_id().unwrap();
    let put = |key: &str| client.upload_part().bucket("perigee").key(key).upload_id(id).part_number(1);
    let elsewhere = put("other").body(ByteStream::from_static(b"x")).send().await.unwrap_err();
    assert_eq!(elsewhere.code(), Some("NoSuchUpload"));
    let tag = put("k").body(ByteStream::from(vec![7; 20_000_000])).send().await.unwrap().e_tag;
    let complete = |key: &str, tag: Option<String>| {
        let part = CompletedPart::builder().part_number(1).set_e_tag(tag).build();
        let parts = CompletedMultipartUpload::builder().parts(part).build();
        client.complete_multipart_upload().bucket("perigee").key(key).upload_id(id).multipart_upload(parts).send()
    };
    assert_eq!(complete("k", Some("\"x\"".into())).await.unwrap_err().code(), Some("InvalidPart"));
    assert_eq!(complete("other", tag.clone()).await.unwrap_err().code(), Some("NoSuchUpload"));
    // This client hangs up after a moment, and the next one waits until the work is done.
    let _ = tokio::time::timeout(Duration::from_millis(15), complete("k", tag.clone())).await;
    let _ = complete("k", tag).await;
    assert_eq!(get(&client, "k").await, vec![7; 20_000_000]);
    running.stop().await;
}

#[tokio::test]
async fn presigned_urls_are_verified() {
    let running = super::emulators().await;
    let client = s3(running.s3.endpoint().unwrap()).await;
    client.create_bucket().bucket("perigee").send().await.unwrap();
    put(&client, "k 1", b"hello").await;
    let for_a_minute = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let request =
        client.get_object().bucket("perigee").key("k 1").response_content_disposition("attachment; filename=\"n\"");
    let url = request.presigned(for_a_minute.clone()).await.unwrap().uri().to_owned();

    let answer = shared::http_client::client().get(&url).header("origin", "http://hub").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"n\"");
    assert_eq!(answer.text().await.unwrap(), "hello");

    for tampered in
        [url.replace("k%201", "k%202"), url.replace("filename", "filenane"), url.replace("Expires=60", "Expires=600")]
    {
        assert_ne!(tampered, url);
        assert_eq!(shared::http_client::client().get(tampered).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    }
    let unsigned = url.split('?').next().unwrap();
    assert_eq!(shared::http_client::client().get(unsigned).send().await.unwrap().status(), StatusCode::FORBIDDEN);

    let upload = client.put_object().bucket("perigee").key("up").presigned(for_a_minute).await.unwrap();
    let answer = shared::http_client::client().put(upload.uri()).body("bytes").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(get(&client, "up").await, b"bytes");
    running.stop().await;
}

#[tokio::test]
async fn preflights_pass_without_a_signature() {
    let running = super::emulators().await;
    let url = format!("{}/perigee/k", running.s3.endpoint().unwrap());
    let preflight = shared::http_client::client().request(http::Method::OPTIONS, url).header("origin", "http://hub");
    let answer = preflight.header("access-control-request-method", "PUT").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["access-control-allow-methods"], "*");
    running.stop().await;
}
