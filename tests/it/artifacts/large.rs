//! Files beyond the gateway's limit, and what HTTP offers for any file: ranges, HEAD, tags.

use http::StatusCode;
use shared::extract::BODY_LIMIT;

use super::*;

/// Bytes of which no two stretches are equal.
fn content(size: usize) -> Vec<u8> {
    (0_u32..).flat_map(u32::to_be_bytes).take(size).collect()
}

/// A GET or HEAD with one more header.
async fn ask(hub: &Hub, method: Method, url: &str, name: &str, value: &str) -> Answer {
    let request = Request::builder().method(method).uri(url).header(name, value);
    hub.send(request.header(header::AUTHORIZATION, format!("Bearer {DEVELOPER}")).body(Body::empty()).unwrap()).await
}

fn location(answer: &Answer) -> Value {
    Value::from(header_of(answer, "location"))
}

#[tokio::test]
async fn a_large_file_is_fetched_from_s3_as_a_download() {
    let hub = Hub::start().await;
    let (root, experiment, run) = new_place(&hub, "large").await;
    let whole = content(BODY_LIMIT + 1);
    put_large(&hub, &run, "d/größe 1.html", whole.clone()).await;
    let made = hub.post("logged-models", json!({"experiment_id": experiment, "name": "net"})).await.ok();
    let model = made["model"]["info"]["model_id"].as_str().unwrap();
    let asked = hub.post("artifacts/presigned-upload-url", json!({"model_id": model, "path": "größe 1.html"})).await;
    let put = at_s3(Method::PUT, &asked.ok()["presigned_url"], &[("content-type", "text/html")], whole.clone()).await;
    assert_eq!(put.status, StatusCode::OK);
    let name = "gr%C3%B6%C3%9Fe%201.html";
    for url in [
        format!("{FLOOD}{PROXY}/{root}/d/{name}"),
        format!("{GLOBAL}{TWIN}/{root}/d/{name}"),
        format!("{FLOOD}/get-artifact?run_id={run}&path=d/{name}"),
        format!("{FLOOD}/ajax-api/2.0/mlflow/logged-models/{model}/artifacts/files?artifact_file_path={name}"),
    ] {
        let sent_on = send(&hub, DEVELOPER, Method::GET, &url, "").await;
        assert_eq!((sent_on.status, sent_on.bytes.len()), (StatusCode::FOUND, 0), "{url}");
        assert_eq!(header_of(&sent_on, "cache-control"), "no-store");
        let got = at_s3(Method::GET, &location(&sent_on), &[], vec![]).await;
        assert!(got.status == StatusCode::OK && got.bytes == whole, "{url}");
        assert_eq!(header_of(&got, "content-type"), "text/html");
        let disposition = "attachment; filename=\"groe 1.html\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%201.html";
        assert_eq!(header_of(&got, "content-disposition"), disposition);

        let head = send(&hub, DEVELOPER, Method::HEAD, &url, "").await;
        assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0), "{url}");
        for (name, value) in [
            ("content-length", whole.len().to_string().as_str()),
            ("content-disposition", disposition),
            ("content-type", "text/html"),
            ("accept-ranges", "bytes"),
            ("etag", header_of(&got, "etag")),
        ] {
            assert_eq!(header_of(&head, name), value, "{name} of {url}");
        }
    }
}

#[tokio::test]
async fn small_parts_of_a_large_file_come_through_the_hub() {
    let hub = Hub::start().await;
    let (root, _, run) = new_place(&hub, "parts").await;
    let whole = content(6_000_000);
    put_large(&hub, &run, "w.bin", whole.clone()).await;
    let url = format!("{FLOOD}{PROXY}/{root}/w.bin");
    for (range, first, last) in [
        ("bytes=0-0", 0, 0),
        ("bytes=5999990-", 5_999_990, 5_999_999),
        ("bytes=-7", 5_999_993, 5_999_999),
        ("bytes=1000000-5499999", 1_000_000, 5_499_999),
        ("bytes=5999999-99999999", 5_999_999, 5_999_999),
    ] {
        let got = ask(&hub, Method::GET, &url, "range", range).await;
        assert_eq!(got.status, StatusCode::PARTIAL_CONTENT, "{range}");
        assert!(got.bytes == whole[first..=last], "{range}");
        assert_eq!(header_of(&got, "content-range"), format!("bytes {first}-{last}/6000000"));
        assert_eq!(header_of(&got, "content-length"), (last - first + 1).to_string());
    }
    // The client sends its range along to S3.
    for (range, first, last) in [("bytes=1000000-5500000", 1_000_000, 5_500_000), ("bytes=1-", 1, 5_999_999)] {
        let sent_on = ask(&hub, Method::GET, &url, "range", range).await;
        assert_eq!(sent_on.status, StatusCode::FOUND, "{range}");
        let got = at_s3(Method::GET, &location(&sent_on), &[("range", range)], vec![]).await;
        assert!(got.status == StatusCode::PARTIAL_CONTENT && got.bytes == whole[first..=last], "{range}");
    }
    for not_one_range in ["bytes=6000000-", "bytes=0-1,3-4", "nonsense"] {
        let sent_on = ask(&hub, Method::GET, &url, "range", not_one_range).await;
        assert_eq!(sent_on.status, StatusCode::FOUND, "{not_one_range}");
    }
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let hub = Hub::start().await;
    let (root, _, run) = new_place(&hub, "tags").await;
    put_large(&hub, &run, "large.bin", content(5_000_000)).await;
    put(&hub, &format!("{root}/small.txt"), "small").await;
    put(&hub, &format!("{root}/empty"), "").await;
    for (file, fresh) in [("large.bin", 302), ("small.txt", 200), ("empty", 200)] {
        let url = format!("{FLOOD}{PROXY}/{root}/{file}");
        let head = send(&hub, DEVELOPER, Method::HEAD, &url, "").await;
        let etag = header_of(&head, "etag").to_owned();
        assert!(etag.starts_with('"') && etag.len() > 30, "{etag}");
        for known in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
            for method in [Method::GET, Method::HEAD] {
                let answer = ask(&hub, method, &url, "if-none-match", &known).await;
                assert_eq!((answer.status, answer.bytes.len()), (StatusCode::NOT_MODIFIED, 0), "{file} {known}");
                assert_eq!(header_of(&answer, "etag"), etag);
                assert_eq!(header_of(&answer, "location"), "");
            }
        }
        let other = ask(&hub, Method::GET, &url, "if-none-match", "\"x\"").await;
        assert_eq!(other.status.as_u16(), fresh, "{file}");
    }
    let missing = ask(&hub, Method::GET, &format!("{FLOOD}{PROXY}/{root}/nosuch"), "if-none-match", "*").await;
    assert_eq!(missing.code(), "RESOURCE_DOES_NOT_EXIST");
}
