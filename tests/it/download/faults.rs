//! GitLab or S3 down, slow or limiting.

use std::time::{Duration, Instant};

use local::gitlab::Fault;
use tokio::sync::watch;

use super::*;
use crate::artifacts::faults::with_s3_at;
use crate::hub::listen;

const RAW: &str = "GET /api/v4/projects/{id}/repository/files/{path}/raw";
const METADATA: &str = "HEAD /api/v4/projects/{id}/repository/files/{path}";
const COMMIT: &str = "GET /api/v4/projects/{id}/repository/commits/{reference}";

#[tokio::test]
async fn gitlab_down_is_a_503_and_nothing_is_given_from_memory() {
    let hub = Hub::start().await;
    hub.world.put_file(FLOOD, "big.bin", content(5_000_000)).unwrap();
    let urls = ["repository/README.md", "repository/big.bin", "archive.zip"].map(|path| format!("{FLOOD}/{path}"));
    for url in &urls {
        assert!(got(&hub, url).await.status.as_u16() < 400);
    }
    for fault in [Fault::Status { code: 502, retry_after: None }, Fault::Drop] {
        hub.world.fail(fault);
        for url in &urls {
            let answer = got(&hub, url).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{url}");
            assert!(answer.headers.contains_key("retry-after") && !answer.headers.contains_key("location"));
        }
        hub.world.heal();
    }
    for url in &urls {
        assert!(got(&hub, url).await.status.as_u16() < 400);
    }
}

#[tokio::test]
async fn a_limit_of_gitlabs_is_passed_on() {
    let hub = Hub::start().await;
    for (call, path) in [(RAW, "repository/README.md"), (METADATA, "repository/README.md"), (COMMIT, "archive.zip")] {
        for (given, expected) in [(Some(5), "5"), (None, "60"), (Some(999_999), "3600")] {
            hub.world.fail_call(call, Fault::Status { code: 429, retry_after: given });
            let answer = got(&hub, &format!("{FLOOD}/{path}")).await;
            assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{call}");
            assert_eq!(header_of(&answer, "retry-after"), expected);
            detail(&answer);
            hub.world.heal();
        }
    }
}

#[tokio::test]
async fn one_lost_connection_is_nobodys_trouble() {
    let hub = Hub::start().await;
    assert_eq!(got(&hub, &format!("{FLOOD}/repository/README.md")).await.status, StatusCode::OK);
    hub.world.fail_next(1, Fault::Drop);
    assert_eq!(got(&hub, &format!("{FLOOD}/repository/README.md")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_gitlab_that_does_not_answer_is_given_up() {
    let hub = Hub::start().await;
    assert_eq!(got(&hub, &format!("{FLOOD}/repository/README.md")).await.status, StatusCode::OK);
    hub.world.fail_call(METADATA, Fault::Delay(Duration::from_secs(60)));
    let begun = Instant::now();
    let answer = got(&hub, &format!("{FLOOD}/repository/README.md")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!((8..15).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_failing_s3_is_a_503_without_details() {
    let hub = Hub::start().await;
    hub.world.put_file(FLOOD, "big.bin", content(5_000_000)).unwrap();
    let (_stop, stopped) = watch::channel(false);
    let failing = axum::Router::new().fallback(async || {
        let body = "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>secret detail</Message></Error>";
        (StatusCode::SERVICE_UNAVAILABLE, body)
    });
    let mut broken = hub.clone();
    broken.router = with_s3_at(&hub, &listen(failing, stopped)).await.1;
    for path in ["repository/big.bin", "archive.zip"] {
        let answer = got(&broken, &format!("{FLOOD}/{path}")).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        let text = detail(&answer);
        assert!(!text.contains("secret") && !text.contains("127.0.0.1"), "{text}");
    }
    // Small files need no S3.
    assert_eq!(got(&broken, &format!("{FLOOD}/repository/README.md")).await.status, StatusCode::OK);
}
