//! When S3 fails, clients hear that it is for a while, and nothing else.

use axum::Router;
use axum::routing::any;
use http::StatusCode;
use local::aws::AwsService;
use shared::objects::Objects;
use shared::state::AppState;
use tokio::sync::watch;

use super::*;
use crate::hub::listen;

/// The same hub with its objects at another place.
pub async fn with_s3_at(hub: &Hub, url: &str) -> (AppState, Router) {
    let config = AwsService::Embedded { endpoint: url.to_owned() }.sdk_config().await;
    let config = aws_sdk_s3::config::Builder::from(&config)
        .force_path_style(true)
        .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
        .build();
    let mut state = hub.state.clone();
    state.objects = Objects::new(aws_sdk_s3::Client::from_conf(config), "secret-bucket".into());
    let router = local::hub::router(&state);
    (state, router)
}

#[tokio::test]
async fn a_failing_s3_is_a_503_without_details() {
    let mut hub = Hub::start().await;
    let (root, _, run) = new_place(&hub, "faults").await;
    let (stop, stopped) = watch::channel(false);
    let failing = |status: u16, code: &'static str| {
        let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>secret detail</Message></Error>");
        let status = StatusCode::from_u16(status).unwrap();
        listen(Router::new().fallback(any(async move || (status, body))), stopped.clone())
    };
    let places = [
        ("http://127.0.0.1:9".to_owned(), StatusCode::SERVICE_UNAVAILABLE, "TEMPORARILY_UNAVAILABLE"),
        (failing(503, "SlowDown"), StatusCode::SERVICE_UNAVAILABLE, "TEMPORARILY_UNAVAILABLE"),
        (failing(500, "InternalError"), StatusCode::SERVICE_UNAVAILABLE, "TEMPORARILY_UNAVAILABLE"),
        (failing(403, "AccessDenied"), StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR"),
    ];
    for (url, status, code) in places {
        hub.router = with_s3_at(&hub, &url).await.1;
        let proxy = format!("{FLOOD}{PROXY}");
        for (method, url) in [
            (Method::PUT, format!("{proxy}/{root}/a.txt")),
            (Method::GET, format!("{proxy}/{root}/a.txt")),
            (Method::DELETE, format!("{proxy}/{root}/a.txt")),
            (Method::GET, format!("{proxy}?path={root}")),
            (Method::GET, format!("{FLOOD}{PRESIGNED}/{root}/a.txt")),
            (Method::GET, format!("{FLOOD}/api/2.0/mlflow/artifacts/list?run_id={run}")),
        ] {
            let answer = send(&hub, DEVELOPER, method.clone(), &url, "x").await;
            assert_eq!((answer.status, answer.code().as_str()), (status, code), "{method} {url}");
            let text = String::from_utf8_lossy(&answer.bytes).into_owned();
            assert!(!text.contains("secret") && !text.contains("127.0.0.1"), "{text}");
        }
        for step in ["create", "complete", "abort"] {
            let parts = json!([{"part_number": 1, "etag": "x"}]);
            let body = json!({"path": "a.bin", "num_parts": 1, "upload_id": "x", "parts": parts});
            let url = format!("{FLOOD}{MPU}/{step}/{root}");
            let answer = hub.call(DEVELOPER, Method::POST, &url, Some(body)).await;
            assert_eq!((answer.status, answer.code().as_str()), (status, code), "{url}");
            let text = String::from_utf8_lossy(&answer.bytes).into_owned();
            assert!(!text.contains("secret") && !text.contains("127.0.0.1"), "{text}");
        }
    }
    // No bucket: no files.
    hub.router = with_s3_at(&hub, &failing(404, "NoSuchBucket")).await.1;
    assert_eq!(get(&hub, &format!("{root}/a.txt")).await.code(), "RESOURCE_DOES_NOT_EXIST");
    assert!(list(&hub, &root).await.is_empty());
    drop(stop);
}
