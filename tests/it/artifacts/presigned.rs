//! Presigned URLs open one thing, for a while, to those who may have it.

use std::time::Duration;

use http::StatusCode;
use local::aws::AwsService;

use super::paths::HOSTILE;
use super::*;
use crate::hub::{GUEST, OUTSIDER};

/// The seconds that a URL lives.
fn life(url: &Value) -> u64 {
    let (_, query) = url.as_str().unwrap().split_once("X-Amz-Expires=").unwrap();
    query.split('&').next().unwrap().parse().unwrap()
}

fn swapped(url: &Value, from: &str, to: &str) -> Value {
    let text = url.as_str().unwrap();
    assert!(text.contains(from), "{from} is not in the URL");
    text.replace(from, to).into()
}

#[tokio::test]
async fn a_file_is_downloaded_by_its_url() {
    let hub = Hub::start().await;
    let (root, _, run) = new_place(&hub, "download").await;
    put(&hub, &format!("{root}/d/page%201.html"), "0123456789").await;
    put(&hub, &format!("{root}/d/empty"), "").await;
    for view in VIEWS {
        for prefix in ["/api", "/ajax-api"] {
            let url = format!("{view}{prefix}/2.0/mlflow-artifacts/presigned/{root}/d/page%201.html");
            let answer = send(&hub, GUEST, Method::GET, &url, "").await.ok();
            assert_eq!((&answer["headers"], &answer["file_size"]), (&json!({}), &json!(10)));
            assert_eq!(answer.as_object().unwrap().len(), 3);
            assert_eq!(life(&answer["url"]), 360);
            let got = at_s3(Method::GET, &answer["url"], &[("range", "bytes=2-4")], vec![]).await;
            assert_eq!((got.status, &got.bytes[..]), (StatusCode::PARTIAL_CONTENT, &b"234"[..]));
            assert_eq!(header_of(&got, "content-disposition"), "attachment; filename=\"page 1.html\"");
            assert_eq!(header_of(&got, "content-type"), "text/html");
        }
    }
    let presigned =
        async |path: &str| send(&hub, DEVELOPER, Method::GET, &format!("{FLOOD}{PRESIGNED}/{path}"), "").await;
    assert_eq!(presigned(&format!("{root}/d/empty")).await.ok()["file_size"], 0);
    let missing = presigned(&format!("{root}/nosuch")).await;
    assert_eq!((missing.status, missing.code().as_str()), (StatusCode::NOT_FOUND, "RESOURCE_DOES_NOT_EXIST"));
    assert_eq!(presigned(&format!("{root}/d")).await.code(), "INVALID_PARAMETER_VALUE");

    let of_run = async |body: Value| hub.post("artifacts/presigned-download-url", body).await;
    let answer = of_run(json!({"run_id": run, "path": "d/page 1.html"})).await.ok();
    assert_eq!((answer["file_size"].as_u64(), life(&answer["presigned_url"])), (Some(10), 300));
    assert_eq!(&at_s3(Method::GET, &answer["presigned_url"], &[], vec![]).await.bytes[..], b"0123456789");
    assert_eq!(of_run(json!({"run_id": run, "path": "nosuch"})).await.status, StatusCode::NOT_FOUND);
    assert_eq!(of_run(json!({"run_id": "0".repeat(32), "path": "d"})).await.status, StatusCode::NOT_FOUND);
    for incomplete in [json!({"run_id": run}), json!({"path": "a"}), json!({"run_id": run, "path": ""})] {
        assert_eq!(of_run(incomplete).await.code(), "INVALID_PARAMETER_VALUE");
    }
    // A file that was deleted has no URL any more, and its old one opens nothing.
    send(&hub, DEVELOPER, Method::DELETE, &format!("{FLOOD}{PROXY}/{root}/d"), "").await.ok();
    assert_eq!(presigned(&format!("{root}/d/page%201.html")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(at_s3(Method::GET, &answer["presigned_url"], &[], vec![]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_file_is_uploaded_by_its_url() {
    let hub = Hub::start().await;
    let (root, experiment, run) = new_place(&hub, "upload").await;
    let made = hub.post("logged-models", json!({"experiment_id": experiment, "name": "net"})).await.ok();
    let model = made["model"]["info"]["model_id"].clone();
    let ask = async |body: Value| hub.post("artifacts/presigned-upload-url", body).await;
    for (holder, root) in [
        (json!({"run_id": run, "path": "d/größe.json"}), root.clone()),
        (
            json!({"model_id": model, "path": "d/größe.json"}),
            format!("{experiment}/models/{}/artifacts", model.as_str().unwrap()),
        ),
    ] {
        let answer = ask(holder).await.ok();
        assert_eq!(answer["headers"], json!({"Content-Type": "text/plain"}));
        assert_eq!((answer.as_object().unwrap().len(), life(&answer["presigned_url"])), (2, 900));
        let put = at_s3(Method::PUT, &answer["presigned_url"], &[("content-type", "text/html")], vec![1]).await;
        assert_eq!(put.status, StatusCode::FORBIDDEN, "another media type");
        let put = at_s3(Method::PUT, &answer["presigned_url"], &[("content-type", "text/plain")], vec![1; 7]).await;
        assert_eq!(put.status, StatusCode::OK);
        assert_eq!(list(&hub, &format!("{root}/d")).await, ["größe.json 7"]);
    }
    for refused in [
        json!({"run_id": run, "model_id": model, "path": "a"}),
        json!({"path": "a"}),
        json!({"run_id": "", "model_id": "", "path": "a"}),
        json!({"run_id": run}),
        json!({"run_id": run, "path": "d/"}),
        json!({"run_id": run, "runId": run, "path": "a"}),
        json!({"run_id": run, "path": "a", "expiration": "soon"}),
    ] {
        assert_eq!(ask(refused.clone()).await.code(), "INVALID_PARAMETER_VALUE", "{refused}");
    }
    assert_eq!(ask(json!({"model_id": format!("m-{}", "0".repeat(32)), "path": "a"})).await.status, 404);
}

#[tokio::test]
async fn a_url_opens_nothing_else() {
    let hub = Hub::start().await;
    let (root, _, run) = new_place(&hub, "nothing else").await;
    put(&hub, &format!("{root}/a.html"), "mine").await;
    put(&hub, &format!("{root}/b.html"), "other").await;
    let (foreign, _) = foreign_place(&hub).await;
    let url =
        send(&hub, DEVELOPER, Method::GET, &format!("{FLOOD}{PRESIGNED}/{root}/a.html"), "").await.ok()["url"].clone();
    let own = format!("artifacts/1/{root}/a.html");
    let theirs = format!("artifacts/3/{foreign}/secret.txt");
    assert_eq!(at_s3(Method::GET, &url, &[], vec![]).await.status, StatusCode::OK);
    // LocalStack opens every bucket to requests without a signature; S3, and the embedded one, do not.
    let unsigned = match hub.backends.s3 {
        AwsService::Embedded { .. } => url.as_str().unwrap().split('?').next().unwrap(),
        _ => "",
    };
    for (method, url) in [
        (Method::GET, swapped(&url, "a.html?", "b.html?")),
        (Method::GET, swapped(&url, &own, &theirs)),
        (Method::GET, swapped(&url, "attachment", "inline")),
        (Method::GET, swapped(&url, "text%2Fhtml", "text%2Fplain")),
        (Method::GET, swapped(&url, "X-Amz-Expires=360", "X-Amz-Expires=3600")),
        (Method::GET, unsigned.into()),
        (Method::PUT, url.clone()),
        (Method::DELETE, url.clone()),
    ] {
        if url == "" {
            continue;
        }
        assert_eq!(
            at_s3(method.clone(), &url, &[], b"x".to_vec()).await.status,
            StatusCode::FORBIDDEN,
            "{method} {url}"
        );
    }
    let upload = hub.post("artifacts/presigned-upload-url", json!({"run_id": run, "path": "c.bin"})).await.ok();
    let upload = &upload["presigned_url"];
    let kind = [("content-type", "application/octet-stream")];
    for (method, url) in [(Method::PUT, swapped(upload, "c.bin", "a.html")), (Method::DELETE, upload.clone())] {
        assert_eq!(at_s3(method.clone(), &url, &kind, b"x".to_vec()).await.status, StatusCode::FORBIDDEN, "{method}");
    }
    assert_eq!(list(&hub, &root).await, ["a.html 4", "b.html 5"]);
}

#[tokio::test]
async fn a_url_ends_when_it_was_asked_to() {
    let hub = Hub::start().await;
    let (root, _, run) = new_place(&hub, "expiration").await;
    put(&hub, &format!("{root}/a.txt"), "x").await;
    let ask = async |way: &str, expiration: Value| {
        let body = json!({"run_id": run, "path": "a.txt", "expiration": expiration});
        hub.post(&format!("artifacts/presigned-{way}-url"), body).await
    };
    for (way, longest) in [("download", 300), ("upload", 900)] {
        for (asked, expected) in [(json!(60), 60), (json!("60"), 60), (json!(604_800), longest), (json!(null), longest)]
        {
            assert_eq!(life(&ask(way, asked).await.ok()["presigned_url"]), expected);
        }
        for refused in [json!(0), json!(-5), json!(604_801), json!(i64::MAX)] {
            let answer = ask(way, refused.clone()).await;
            let text = format!("expiration must be between 1 and 604800 seconds (got {refused}).");
            assert_eq!((answer.status, answer.json()["message"].as_str()), (StatusCode::BAD_REQUEST, Some(&*text)));
        }
    }
    let url = ask("download", json!(1)).await.ok()["presigned_url"].clone();
    assert_eq!(at_s3(Method::GET, &url, &[], vec![]).await.status, StatusCode::OK);
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    assert_eq!(at_s3(Method::GET, &url, &[], vec![]).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn hostile_paths_get_no_url() {
    let hub = Hub::start().await;
    let (root, _, run) = new_place(&hub, "hostile urls").await;
    put(&hub, &format!("{root}/a.txt"), "x").await;
    for path in HOSTILE {
        for way in ["upload", "download"] {
            let refused =
                hub.post(&format!("artifacts/presigned-{way}-url"), json!({"run_id": run, "path": path})).await;
            let seen = (refused.status, refused.json()["message"].clone());
            assert_eq!(seen, (StatusCode::BAD_REQUEST, json!("Invalid path")), "{way} {path}");
        }
    }
}

#[tokio::test]
async fn files_of_a_deleted_run_can_still_be_fetched() {
    let hub = Hub::start().await;
    let (root, experiment, run) = new_place(&hub, "deleted run").await;
    put(&hub, &format!("{root}/a.txt"), "x").await;
    hub.post("runs/delete", json!({"run_id": run})).await.ok();
    hub.post("experiments/delete", json!({"experiment_id": experiment})).await.ok();
    let url = format!("{FLOOD}{PRESIGNED}/{root}/a.txt");
    let answer = send(&hub, DEVELOPER, Method::GET, &url, "").await.ok();
    assert_eq!(&at_s3(Method::GET, &answer["url"], &[], vec![]).await.bytes[..], b"x");
    let hidden = send(&hub, OUTSIDER, Method::GET, &url, "").await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
}
