//! Downloads and the check of access through the assembled hub.

mod archives;
mod check;
mod faults;
mod files;
mod large;
mod levels;
mod paths;
mod secrecy;
mod upstream;

use axum::body::Body;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::hub::{Answer, DEVELOPER, GUEST, Hub, OUTSIDER, READ_ONLY};

const NOBODY: &str = "";
const FLOOD: &str = "earth/flood-model";
const LAND_COVER: &str = "earth/land-cover";

/// A request with SharingHub's header and others.
async fn ask(hub: &Hub, method: Method, token: &str, url: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(url);
    if !token.is_empty() {
        request = request.header("x-gitlab-token", token);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    hub.send(request.body(Body::empty()).unwrap()).await
}

/// GET below `/api/download`.
async fn get(hub: &Hub, token: &str, path: &str) -> Answer {
    ask(hub, Method::GET, token, &format!("/api/download/{path}"), &[]).await
}

/// GET below `/api/download`, as the developer.
async fn got(hub: &Hub, path: &str) -> Answer {
    get(hub, DEVELOPER, path).await
}

/// Follows a redirect to S3, without any credential.
async fn follow(answer: &Answer, headers: &[(&str, &str)]) -> Answer {
    assert_eq!(answer.status, StatusCode::FOUND, "{}", String::from_utf8_lossy(&answer.bytes));
    assert_eq!((header_of(answer, "cache-control"), answer.bytes.len()), ("no-store", 0));
    let mut request = shared::http_client::client().get(header_of(answer, "location"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    Answer { status, headers, bytes: answer.bytes().await.unwrap() }
}

fn header_of<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// Bytes of which no two stretches are equal.
fn content(size: usize) -> Vec<u8> {
    (0_u32..).flat_map(u32::to_be_bytes).take(size).collect()
}

/// The error's text; its body is of the download API's form.
#[track_caller]
fn detail(answer: &Answer) -> String {
    let body = answer.json();
    assert_eq!(body["status_code"], answer.status.as_u16(), "{}", String::from_utf8_lossy(&answer.bytes));
    body["detail"].as_str().unwrap().to_owned()
}

/// Every key in the bucket, in order.
async fn keys(hub: &Hub) -> Vec<String> {
    let listed = s3(hub).await.list_objects_v2().bucket(&hub.state.config.bucket).send().await.unwrap();
    listed.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect()
}

/// Multipart uploads that have begun and not ended.
async fn unfinished(hub: &Hub) -> usize {
    let listed = s3(hub).await.list_multipart_uploads().bucket(&hub.state.config.bucket).send().await.unwrap();
    listed.uploads().len()
}

/// A client for looking into the hub's bucket, past the hub.
async fn s3(hub: &Hub) -> aws_sdk_s3::Client {
    let config = hub.backends.s3.sdk_config().await;
    let config = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
    aws_sdk_s3::Client::from_conf(config)
}
