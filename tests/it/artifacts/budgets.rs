//! How many requests to S3 each call costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::middleware::{Next, from_fn};
use http::StatusCode;
use tokio::sync::watch;

use super::faults::with_s3_at;
use super::*;
use crate::hub::listen;

/// Counts the requests that reach S3. It ends with the last clone.
#[derive(Clone)]
pub struct Requests {
    count: Arc<AtomicU64>,
    _s3: Arc<(watch::Sender<bool>, tempfile::TempDir)>,
}

impl Requests {
    pub fn get(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }
}

/// A hub on an S3 of its own, whose requests are counted.
pub async fn counted() -> (Hub, Requests) {
    let mut hub = Hub::start().await;
    let count = Arc::new(AtomicU64::new(0));
    let counter = count.clone();
    let counting = from_fn(move |request: Request<Body>, next: Next| {
        counter.fetch_add(1, Ordering::SeqCst);
        next.run(request)
    });
    let (stop, stopped) = watch::channel(false);
    let folder = tempfile::tempdir().unwrap();
    let url = listen(local::emulators::s3::router(folder.path()).unwrap().layer(counting), stopped);
    (hub.state, hub.router) = with_s3_at(&hub, &url).await;
    hub.state.objects.create_bucket().await.unwrap();
    (hub, Requests { count, _s3: Arc::new((stop, folder)) })
}

#[tokio::test]
async fn each_call_costs_so_many_requests() {
    let (hub, requests) = counted().await;
    let (root, _, run) = new_place(&hub, "budgets").await;
    put(&hub, &format!("{root}/small.txt"), "x").await;
    put_large(&hub, &run, "large.bin", vec![0; 5_000_000]).await;
    let proxy = format!("{FLOOD}{PROXY}/{root}");
    let etag = header_of(&get(&hub, &format!("{root}/small.txt")).await, "etag").to_owned();
    for (what, method, url, if_none_match, status, cost) in [
        ("put", Method::PUT, format!("{proxy}/b.txt"), "", 200, 1),
        ("get", Method::GET, format!("{proxy}/small.txt"), "", 200, 1),
        ("head", Method::HEAD, format!("{proxy}/small.txt"), "", 200, 1),
        ("get what is known", Method::GET, format!("{proxy}/small.txt"), etag.as_str(), 304, 1),
        ("get what has changed", Method::GET, format!("{proxy}/small.txt"), "\"x\"", 200, 2),
        ("get a large file", Method::GET, format!("{proxy}/large.bin"), "", 302, 1),
        ("head of a large file", Method::HEAD, format!("{proxy}/large.bin"), "", 200, 1),
        ("get what is not there", Method::GET, format!("{proxy}/nosuch"), "", 404, 2),
        ("list", Method::GET, format!("{FLOOD}{PROXY}?path={root}"), "", 200, 1),
        ("presign", Method::GET, format!("{FLOOD}{PRESIGNED}/{root}/large.bin"), "", 200, 1),
        ("delete", Method::DELETE, format!("{proxy}/b.txt"), "", 200, 2),
    ] {
        let mut request = Request::builder().method(method).uri(url);
        request = request.header(header::AUTHORIZATION, format!("Bearer {DEVELOPER}"));
        if !if_none_match.is_empty() {
            request = request.header(header::IF_NONE_MATCH, if_none_match);
        }
        let before = requests.get();
        let answer = hub.send(request.body(Body::from("x")).unwrap()).await;
        assert_eq!((answer.status.as_u16(), requests.get() - before), (status, cost), "{what}");
    }
    let cost_of = async |endpoint: &str, body: Value, status: StatusCode| {
        let before = requests.get();
        let answer = hub.call(DEVELOPER, Method::POST, &format!("{FLOOD}{endpoint}"), Some(body)).await;
        assert_eq!(answer.status, status, "{endpoint}");
        (requests.get() - before, answer.json())
    };
    let ok = StatusCode::OK;
    let file = json!({"run_id": run, "path": "large.bin"});
    assert_eq!(cost_of("/api/2.0/mlflow/artifacts/presigned-upload-url", file.clone(), ok).await.0, 0);
    assert_eq!(cost_of("/api/2.0/mlflow/artifacts/presigned-download-url", file, ok).await.0, 1);
    let create = format!("{MPU}/create/{root}");
    let (cost, begun) = cost_of(&create, json!({"path": "p.bin", "num_parts": 30}), ok).await;
    assert_eq!(cost, 1, "URLs are made without asking S3");
    let part = at_s3(Method::PUT, &begun["credentials"][0]["url"], &[], b"part".to_vec()).await;
    let parts = json!([{"part_number": 1, "etag": header_of(&part, "etag")}]);
    let body = json!({"path": "p.bin", "upload_id": begun["upload_id"], "parts": parts});
    for cost in [1, 2] {
        assert_eq!(cost_of(&format!("{MPU}/complete/{root}"), body.clone(), ok).await.0, cost);
    }
    assert_eq!(cost_of(&format!("{MPU}/abort/{root}"), body, ok).await.0, 1);
    // Begun, found to be too much for one answer, and ended.
    let too_many = json!({"path": "p.bin", "num_parts": 10_000});
    assert_eq!(cost_of(&create, too_many, StatusCode::BAD_REQUEST).await.0, 2);
}
