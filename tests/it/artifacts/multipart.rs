//! Uploads in parts, from the first URL to the file, and what may go wrong on the way.

use http::StatusCode;

use super::paths::HOSTILE;
use super::*;

/// S3's least for every part but the last.
const PART: usize = 5 * 1024 * 1024;

async fn step(hub: &Hub, step: &str, directory: &str, body: Value) -> Answer {
    hub.call(DEVELOPER, Method::POST, &format!("{FLOOD}{MPU}/{step}/{directory}"), Some(body)).await
}

/// Begins an upload and puts parts of these sizes: its id and the list that completes it.
async fn begun(hub: &Hub, directory: &str, local: &str, sizes: &[usize]) -> (Value, Value) {
    let created = step(hub, "create", directory, json!({"path": local, "num_parts": sizes.len()})).await.ok();
    let credentials = created["credentials"].as_array().unwrap();
    assert_eq!(credentials.len(), sizes.len());
    let mut parts = Vec::new();
    for (number, (credential, size)) in (1..).zip(credentials.iter().zip(sizes)) {
        assert_eq!((&credential["part_number"], &credential["headers"]), (&json!(number), &json!({})));
        let put = at_s3(Method::PUT, &credential["url"], &[], vec![number; *size]).await;
        assert_eq!(put.status, StatusCode::OK);
        // As clients send it, URL and all.
        parts.push(json!({"part_number": number, "etag": header_of(&put, "etag"), "url": credential["url"]}));
    }
    (created["upload_id"].clone(), parts.into())
}

fn completion(local: &str, id: &Value, parts: &Value) -> Value {
    json!({"path": local, "upload_id": id, "parts": parts})
}

#[tokio::test]
async fn parts_become_a_file_once() {
    let hub = Hub::start().await;
    let (root, _, run) = new_place(&hub, "multipart").await;
    let directory = format!("{root}/d/gr%C3%B6%C3%9Fe%201");
    let local = "C:\\work\\run 7/model.json";
    let (id, parts) = begun(&hub, &directory, local, &[PART, PART, 7]).await;
    assert!(list(&hub, &directory).await.is_empty(), "a file shows when it is whole");
    let body = completion(local, &id, &parts);
    // A second time is what a client does whose answer got lost.
    for _ in 0..3 {
        assert_eq!(step(&hub, "complete", &directory, body.clone()).await.ok(), json!({}));
    }
    assert_eq!(list(&hub, &directory).await, [format!("model.json {}", 2 * PART + 7)]);
    let url = format!("{FLOOD}{PRESIGNED}/{directory}/model.json");
    let presigned = send(&hub, DEVELOPER, Method::GET, &url, "").await.ok();
    assert_eq!(presigned["file_size"], 2 * PART + 7);
    let got = at_s3(Method::GET, &presigned["url"], &[], vec![]).await;
    assert!(got.bytes == [vec![1; PART], vec![2; PART], vec![3; 7]].concat());
    assert_eq!(header_of(&got, "content-type"), "text/plain");
    assert!(header_of(&got, "etag").ends_with("-3\""));
    let tail = format!("{FLOOD}/get-artifact?run_id={run}&path=d/gr%C3%B6%C3%9Fe%201/model.json");
    let request = Request::get(tail).header(header::RANGE, "bytes=-8");
    let request = request.header(header::AUTHORIZATION, format!("Bearer {DEVELOPER}"));
    assert_eq!(&hub.send(request.body(Body::empty()).unwrap()).await.bytes[..], [2, 3, 3, 3, 3, 3, 3, 3]);

    // What is over is over: neither other parts nor an end change the file.
    for other in [json!([parts[0]]), json!([parts[0], parts[1], {"part_number": 3, "etag": parts[0]["etag"]}])] {
        let refused = step(&hub, "complete", &directory, completion(local, &id, &other)).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::NOT_FOUND, "RESOURCE_DOES_NOT_EXIST"));
    }
    for _ in 0..2 {
        assert_eq!(step(&hub, "abort", &directory, json!({"path": local, "upload_id": id})).await.ok(), json!({}));
    }
    assert_eq!(list(&hub, &directory).await, [format!("model.json {}", 2 * PART + 7)]);
}

#[tokio::test]
async fn a_mistake_in_the_parts_can_be_corrected() {
    let hub = Hub::start().await;
    let (root, ..) = new_place(&hub, "mistakes").await;
    let (id, parts) = begun(&hub, &root, "w.bin", &[PART, 9]).await;
    let part = |number: Value, at: usize| json!({"part_number": number, "etag": parts[at]["etag"]});
    for (wrong, hint) in [
        (json!([]), "parts"),
        (json!(null), "parts"),
        (json!([part(json!(1), 0), part(json!(2), 0)]), "etag is not the one"),
        (json!([part(json!(1), 0), part(json!(3), 1)]), "was not put"),
        (json!([part(json!(2), 1), part(json!(1), 0)]), "order"),
        (json!([part(json!(1), 0), part(json!(1), 0)]), "order"),
        (json!([{"part_number": 1, "etag": ""}]), "etag"),
        (json!([{"part_number": 1}]), "etag"),
        (json!([{"part_number": 1, "etag": "</ETag>\u{0}\u{1}\n\u{ffff}"}]), "multipart upload"),
        (json!([{"part_number": 1, "etag": "x".repeat(100_000)}]), "multipart upload"),
        (Value::from(vec![json!({"part_number": 1, "etag": "x"}); 10_001]), "10000 parts"),
        (json!([{"etag": "x"}]), "part_number"),
        (json!([part(json!(0), 0)]), "part_number"),
        (json!([part(json!(10_001), 0)]), "part_number"),
        (json!([part(json!("one"), 0)]), "parts"),
        (json!("parts"), "parts"),
    ] {
        let refused = step(&hub, "complete", &root, completion("w.bin", &id, &wrong)).await;
        let seen = (refused.status, refused.code());
        assert_eq!(seen, (StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE".into()), "{wrong}");
        let text = refused.json()["message"].as_str().unwrap().to_owned();
        assert!(text.contains(hint), "{wrong}: {text}");
    }
    assert!(keys(&hub).await.is_empty());
    step(&hub, "complete", &root, completion("w.bin", &id, &parts)).await.ok();
    assert_eq!(list(&hub, &root).await, [format!("w.bin {}", PART + 9)]);

    let (id, parts) = begun(&hub, &root, "small.bin", &[9, 9]).await;
    let refused = step(&hub, "complete", &root, completion("small.bin", &id, &parts)).await;
    assert!(refused.json()["message"].as_str().unwrap().contains("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE"));
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_upload_is_of_one_file() {
    let hub = Hub::start().await;
    let (root, ..) = new_place(&hub, "one file").await;
    let (other_root, ..) = new_place(&hub, "another").await;
    let (id, parts) = begun(&hub, &root, "a.bin", &[9]).await;
    for (directory, local, id) in [
        (&other_root, "a.bin", id.clone()),
        (&root, "b.bin", id.clone()),
        (&format!("{root}/d"), "a.bin", id.clone()),
        (&root, "a.bin", json!("nosuch")),
        (&root, "a.bin", json!("x".repeat(1_000))),
        (&root, "a.bin", json!("é".repeat(1_000_000))),
        (&root, "a.bin", json!("00000000-0000-4000-8000-000000000000")),
        (&root, "a.bin", json!("../../a b&uploadId=x\n")),
    ] {
        let refused = step(&hub, "complete", directory, completion(local, &id, &parts)).await;
        let seen = (refused.status, refused.code());
        assert_eq!(seen, (StatusCode::NOT_FOUND, "RESOURCE_DOES_NOT_EXIST".into()), "{directory}/{local}");
        step(&hub, "abort", directory, json!({"path": local, "upload_id": id})).await.ok();
    }
    for name in ["complete", "abort"] {
        for id in [json!(null), json!("")] {
            let refused = step(&hub, name, &root, completion("a.bin", &id, &parts)).await;
            assert!(refused.json()["message"].as_str().unwrap().contains("'upload_id'"));
        }
        // Numbers are no ids.
        assert_eq!(
            step(&hub, name, &root, completion("a.bin", &json!(7), &parts)).await.status,
            StatusCode::BAD_REQUEST
        );
    }
    assert!(keys(&hub).await.is_empty());
    step(&hub, "complete", &root, completion("a.bin", &id, &parts)).await.ok();
    assert_eq!(list(&hub, &root).await, ["a.bin 9"]);
}

#[tokio::test]
async fn an_upload_that_was_ended_is_gone() {
    let hub = Hub::start().await;
    let (root, ..) = new_place(&hub, "ended").await;
    put(&hub, &format!("{root}/a.bin"), "before").await;
    let created = step(&hub, "create", &root, json!({"path": "a.bin", "num_parts": 1})).await.ok();
    step(&hub, "abort", &root, json!({"path": "a.bin", "upload_id": created["upload_id"]})).await.ok();
    let late = at_s3(Method::PUT, &created["credentials"][0]["url"], &[], vec![1]).await;
    assert_eq!(late.status, StatusCode::NOT_FOUND);
    let parts = json!([{"part_number": 1, "etag": "\"55a54008ad1ba589aa210d2629c1df41\""}]);
    let refused = step(&hub, "complete", &root, completion("a.bin", &created["upload_id"], &parts)).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    assert_eq!(&get(&hub, &format!("{root}/a.bin")).await.bytes[..], b"before");
    // Nor does an earlier file of as many parts pass for the one whose upload is gone.
    let (id, first) = begun(&hub, &root, "a.bin", &[9]).await;
    step(&hub, "complete", &root, completion("a.bin", &id, &first)).await.ok();
    let refused = step(&hub, "complete", &root, completion("a.bin", &created["upload_id"], &parts)).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_number_of_parts_has_bounds() {
    let hub = Hub::start().await;
    let (root, ..) = new_place(&hub, "bounds").await;
    let create = async |parts: Value| step(&hub, "create", &root, json!({"path": "w.bin", "num_parts": parts})).await;
    for refused in
        [json!(null), json!(0), json!(-1), json!(10_001), json!(i64::MAX), json!("x"), json!(1.5), json!([1])]
    {
        let answer = create(refused.clone()).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE".into()));
        assert!(answer.json()["message"].as_str().unwrap().contains("num_parts"), "{refused}");
    }
    assert_eq!(create(json!("3")).await.ok()["credentials"].as_array().unwrap().len(), 3);
    // 10,000 URLs are more than an answer holds; as many as the refusal says fit.
    let text = create(json!(10_000)).await.json()["message"].as_str().unwrap().to_owned();
    assert!(text.contains("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE"), "{text}");
    let most: u64 = text.split("at most ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let whole = create(json!(most)).await;
    assert_eq!((whole.status, whole.json()["credentials"].as_array().unwrap().len() as u64), (StatusCode::OK, most));
    assert!(whole.bytes.len() <= shared::extract::BODY_LIMIT, "{} bytes", whole.bytes.len());
}

#[tokio::test]
async fn hostile_paths_begin_nothing() {
    let hub = Hub::start().await;
    let (root, ..) = new_place(&hub, "hostile parts").await;
    let body = |local: &str| {
        let parts = json!([{"part_number": 1, "etag": "x"}]);
        json!({"path": local, "num_parts": 1, "upload_id": "x", "parts": parts})
    };
    for name in ["create", "complete", "abort"] {
        let in_urls = HOSTILE.iter().map(|path| (format!("{root}/{path}"), "a.bin"));
        let names = ["..", "%2e%2e", "%252e%252e", "a%2Fb", "%2Fb", "a%5Cb", "a#b", "a%23b", "C:", "file:"];
        let in_bodies = names.iter().map(|local| (root.clone(), *local));
        for (directory, local) in in_urls.chain(in_bodies) {
            let refused = step(&hub, name, &directory, body(local)).await;
            let seen = (refused.status, refused.json()["message"].clone());
            assert_eq!(seen, (StatusCode::BAD_REQUEST, json!("Invalid path")), "{name} {directory} {local}");
        }
        for local in ["", "/home/me/", "C:\\"] {
            assert_eq!(step(&hub, name, &root, body(local)).await.code(), "INVALID_PARAMETER_VALUE", "{name} {local}");
        }
    }
    assert!(keys(&hub).await.is_empty());
}

#[tokio::test]
async fn parts_are_taken_only_where_a_file_would_be() {
    let hub = Hub::start().await;
    let (root, experiment, run) = new_place(&hub, "places").await;
    let (foreign, foreign_run) = foreign_place(&hub).await;
    let location = json!({"name": "elsewhere", "artifact_location": "s3://somebodys-bucket/x"});
    let elsewhere = hub.post("experiments/create", location).await.ok()["experiment_id"].as_str().unwrap().to_owned();
    let elsewhere = format!("{elsewhere}/{}/artifacts", hub.new_run(&elsewhere).await);
    let unknown = "0".repeat(32);
    let parts = json!([{"part_number": 1, "etag": "x"}]);
    let body = json!({"path": "a.bin", "num_parts": 1, "upload_id": "x", "parts": parts});
    for name in ["create", "complete", "abort"] {
        for (directory, status) in [
            (experiment.clone(), 400),
            (format!("{experiment}/{run}"), 400),
            (format!("{experiment}/{run}/elsewhere"), 400),
            (elsewhere.clone(), 400),
            (format!("{experiment}/{unknown}/artifacts"), 404),
            (format!("{experiment}/{foreign_run}/artifacts"), 404),
            (format!("{experiment}/models/m-{unknown}/artifacts"), 404),
            (foreign.clone(), 404),
            (format!("424242/{unknown}/artifacts"), 404),
        ] {
            assert_eq!(step(&hub, name, &directory, body.clone()).await.status, status, "{name} {directory}");
        }
    }
    // The default experiment of a project view, which its first use makes.
    let run = hub.new_run("0").await;
    let (id, parts) = begun(&hub, &format!("0/{run}/artifacts"), "a.bin", &[9]).await;
    step(&hub, "complete", &format!("0/{run}/artifacts"), completion("a.bin", &id, &parts)).await.ok();
    assert_eq!(list(&hub, &format!("0/{run}/artifacts")).await, ["a.bin 9"]);
    assert!(list(&hub, &root).await.is_empty());
}
