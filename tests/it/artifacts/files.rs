//! Files come back as they were put, are listed, replaced and deleted.

use http::StatusCode;
use shared::extract::BODY_LIMIT;

use super::budgets::counted;
use super::*;

#[tokio::test]
async fn a_file_comes_back_as_a_download() {
    let hub = Hub::start().await;
    let (root, _, run) = new_place(&hub, "files").await;
    let encoded = "d/gr%C3%B6%C3%9Fe%201.JSON";
    let stored = put(&hub, &format!("{root}/{encoded}"), "{}").await;
    assert_eq!((stored.status, stored.bytes.len()), (StatusCode::OK, 0));

    let by_run = format!("{FLOOD}/get-artifact?path={encoded}&run_id={run}");
    let by_old_name = format!("{FLOOD}/get-artifact?path={encoded}&run_uuid={run}");
    let twin = format!("{FLOOD}{TWIN}/{root}/{encoded}");
    let global = format!("{GLOBAL}{PROXY}/{root}/{encoded}");
    for url in [format!("{FLOOD}{PROXY}/{root}/{encoded}"), by_run, by_old_name, twin, global] {
        let got = send(&hub, DEVELOPER, Method::GET, &url, "").await;
        assert_eq!((got.status, &got.bytes[..]), (StatusCode::OK, &b"{}"[..]), "{url}");
        let head = send(&hub, DEVELOPER, Method::HEAD, &url, "").await;
        assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0), "{url}");
        assert_eq!(head.headers, got.headers, "{url}");
        for (name, value) in [
            ("content-type", "application/json"),
            ("content-disposition", "attachment; filename=\"groe 1.JSON\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%201.JSON"),
            ("x-content-type-options", "nosniff"),
            ("content-length", "2"),
            ("etag", "\"99914b932bd37a50b983c5e7c90ae93b\""),
        ] {
            assert_eq!(got.headers.get(name).map(|value| value.to_str().unwrap()), Some(value), "{name} of {url}");
        }
        assert!(got.headers["last-modified"].to_str().unwrap().ends_with(" GMT"));
    }
    for (name, kind) in [
        ("MLmodel", "text/plain"),
        ("x.yaml", "text/plain"),
        ("p.html", "text/html"),
        ("w.pkl", "application/octet-stream"),
    ] {
        put(&hub, &format!("{root}/{name}"), "x").await;
        assert_eq!(get(&hub, &format!("{root}/{name}")).await.headers["content-type"], kind);
    }
}

#[tokio::test]
async fn parts_of_a_file_can_be_asked_for() {
    let hub = Hub::start().await;
    let (root, ..) = new_place(&hub, "ranges").await;
    put(&hub, &format!("{root}/a.txt"), "0123456789").await;
    for (range, status, body, content_range) in [
        ("bytes=1-2", 206, "12", Some("bytes 1-2/10")),
        ("bytes=7-", 206, "789", Some("bytes 7-9/10")),
        ("bytes=-2", 206, "89", Some("bytes 8-9/10")),
        ("bytes=-99", 206, "0123456789", Some("bytes 0-9/10")),
        ("bytes=9-99", 206, "9", Some("bytes 9-9/10")),
        ("bytes=-0", 200, "0123456789", None),
        ("bytes=5-4", 200, "0123456789", None),
        ("bytes=100-200", 200, "0123456789", None),
        ("bytes=0-1,3-4", 200, "0123456789", None),
        ("nonsense", 200, "0123456789", None),
    ] {
        let request = Request::builder()
            .uri(format!("{FLOOD}{PROXY}/{root}/a.txt"))
            .header(header::AUTHORIZATION, format!("Bearer {DEVELOPER}"))
            .header(header::RANGE, range);
        let got = hub.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((got.status.as_u16(), &got.bytes[..]), (status, body.as_bytes()), "{range}");
        let shown = got.headers.get("content-range").map(|value| value.to_str().unwrap());
        assert_eq!(shown, content_range, "{range}");
    }
}

#[tokio::test]
async fn listings_have_base_names_or_paths_within_the_run() {
    let hub = Hub::start().await;
    let (root, experiment, run) = new_place(&hub, "listings").await;
    for (path, body) in
        [("b.txt", "12345"), ("empty", ""), ("d/x.txt", "x"), ("d/e/y.txt", "yy"), ("same", "1"), ("same/z", "z")]
    {
        assert_eq!(put(&hub, &format!("{root}/{path}"), body).await.status, StatusCode::OK);
    }
    // A path and its directory can both exist; names sort by code point.
    assert_eq!(list(&hub, &root).await, ["b.txt 5", "d/", "empty", "same/", "same 1"]);
    assert_eq!(list(&hub, &format!("{root}/d/")).await, ["e/", "x.txt 1"]);
    assert_eq!(list(&hub, &format!("{experiment}/{run}")).await, ["artifacts/"]);
    assert_eq!(list(&hub, &experiment).await, [format!("{run}/")]);
    for nothing in ["b.txt", "nosuch"] {
        let answer = send(&hub, DEVELOPER, Method::GET, &format!("{FLOOD}{PROXY}?path={root}/{nothing}"), "").await;
        assert_eq!(answer.ok(), json!({}));
    }
    let of_run = |path: &str| {
        let endpoint = format!("artifacts/list?run_id={run}&path={path}");
        let hub = &hub;
        async move { hub.get(&endpoint).await.ok() }
    };
    let all = of_run("").await;
    assert_eq!(all["root_uri"], format!("mlflow-artifacts:/{root}"));
    assert_eq!(lines(&all), ["b.txt 5", "d/", "empty", "same/", "same 1"]);
    assert_eq!(lines(&of_run("d/").await), ["d/e/", "d/x.txt 1"]);
    assert_eq!(lines(&of_run("d%2Fe").await), ["d/e/y.txt 2"]);
    for nothing in ["b.txt", "nosuch"] {
        assert_eq!(of_run(nothing).await, json!({"root_uri": format!("mlflow-artifacts:/{root}")}));
    }
}

#[tokio::test]
async fn files_are_replaced_and_deleted_alone_or_by_directory() {
    let hub = Hub::start().await;
    let (root, ..) = new_place(&hub, "deletes").await;
    for path in ["a.txt", "d/b.txt", "d/e/c.txt", "dd/x.txt"] {
        put(&hub, &format!("{root}/{path}"), "first").await;
    }
    put(&hub, &format!("{root}/a.txt"), "second").await;
    assert_eq!(&get(&hub, &format!("{root}/a.txt")).await.bytes[..], b"second");
    let delete =
        async |path: &str| send(&hub, DEVELOPER, Method::DELETE, &format!("{FLOOD}{PROXY}/{root}{path}"), "").await;
    for path in ["/a.txt", "/a.txt", "/nosuch", "/d"] {
        assert_eq!(delete(path).await.ok(), json!({}), "{path}");
    }
    assert_eq!(list(&hub, &root).await, ["dd/"]);
    let gone = get(&hub, &format!("{root}/a.txt")).await;
    assert_eq!((gone.status, gone.code().as_str()), (StatusCode::NOT_FOUND, "RESOURCE_DOES_NOT_EXIST"));
    assert_eq!(gone.json()["message"], format!("No such artifact: '{root}/a.txt'"));
    let directory = get(&hub, &format!("{root}/dd")).await;
    assert_eq!((directory.status, directory.code().as_str()), (StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE"));
    assert_eq!(delete("/").await.ok(), json!({}));
    assert!(keys(&hub).await.is_empty());
}

#[tokio::test]
async fn a_directory_of_more_files_than_a_page_is_listed_and_deleted_whole() {
    let (hub, requests) = counted().await;
    let (root, ..) = new_place(&hub, "pages").await;
    let stored = (0..1_003).map(|number| {
        let (hub, path) = (&hub, format!("{root}/many/{number:04}"));
        async move { put(hub, &path, "x").await.status }
    });
    for status in futures::future::join_all(stored).await {
        assert_eq!(status, StatusCode::OK);
    }
    let before = requests.get();
    let names = list(&hub, &format!("{root}/many")).await;
    assert_eq!(requests.get() - before, 2, "one request for each 1,000 names");
    assert_eq!((names.len(), names[0].as_str(), names[1_002].as_str()), (1_003, "0000 1", "1002 1"));
    send(&hub, DEVELOPER, Method::DELETE, &format!("{FLOOD}{PROXY}/{root}/many"), "").await.ok();
    assert!(list(&hub, &root).await.is_empty());
}

#[tokio::test]
async fn beyond_the_gateways_limit_the_answer_names_the_remedy() {
    let hub = Hub::start().await;
    let (root, _, run) = new_place(&hub, "limits").await;
    let path = format!("{root}/big.bin");
    assert_eq!(put(&hub, &path, vec![7; BODY_LIMIT]).await.status, StatusCode::OK);
    assert_eq!(get(&hub, &path).await.bytes.len(), BODY_LIMIT);
    let upload = format!("{FLOOD}/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=big.bin");
    for refused in [
        put(&hub, &path, vec![8; BODY_LIMIT + 1]).await,
        send(&hub, DEVELOPER, Method::POST, &upload, vec![8; BODY_LIMIT + 1]).await,
    ] {
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (StatusCode::PAYLOAD_TOO_LARGE, "INVALID_PARAMETER_VALUE")
        );
        let message = refused.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE"), "{message}");
    }
    assert_eq!(get(&hub, &path).await.bytes[0], 7, "a refused file replaces nothing");
}

#[tokio::test]
async fn the_web_ui_uploads_to_a_run() {
    let hub = Hub::start().await;
    let (root, _, run) = new_place(&hub, "ui").await;
    let upload = async |query: &str, body: &'static str| {
        send(&hub, DEVELOPER, Method::POST, &format!("{FLOOD}/ajax-api/2.0/mlflow/upload-artifact{query}"), body).await
    };
    assert_eq!(upload(&format!("?run_uuid={run}&path=u/v.txt"), "ui").await.status, StatusCode::OK);
    assert_eq!(&get(&hub, &format!("{root}/u/v.txt")).await.bytes[..], b"ui");
    for (query, body, message) in [
        ("?path=x".to_owned(), "x", "Request must specify run_uuid."),
        (format!("?run_uuid={run}"), "x", "Request must specify path."),
        (format!("?run_uuid={run}&path=x"), "", "Request must specify data."),
        (format!("?run_uuid={run}&path=../x"), "x", "Invalid path"),
    ] {
        let refused = upload(&query, body).await;
        assert_eq!((refused.status, refused.json()["message"].as_str()), (StatusCode::BAD_REQUEST, Some(message)));
    }
    assert_eq!(upload("?run_uuid=nosuch&path=x", "x").await.code(), "RESOURCE_DOES_NOT_EXIST");
}

#[tokio::test]
async fn a_logged_model_has_files_too() {
    let hub = Hub::start().await;
    let (_, experiment, _) = new_place(&hub, "models").await;
    let made = hub.post("logged-models", json!({"experiment_id": experiment, "name": "net"})).await.ok();
    let model = made["model"]["info"]["model_id"].as_str().unwrap();
    let root = format!("{experiment}/models/{model}/artifacts");
    assert_eq!(made["model"]["info"]["artifact_uri"], format!("mlflow-artifacts:/{root}"));
    for path in ["MLmodel", "data/w.bin"] {
        assert_eq!(put(&hub, &format!("{root}/{path}"), "x").await.status, StatusCode::OK);
    }
    assert_eq!(list(&hub, &root).await, ["MLmodel 1", "data/"]);
    let directories =
        hub.get(&format!("logged-models/{model}/artifacts/directories?artifact_directory_path=data")).await.ok();
    assert_eq!(directories["root_uri"], format!("mlflow-artifacts:/{root}"));
    assert_eq!(lines(&directories), ["data/w.bin 1"]);
    let file = format!("{FLOOD}/ajax-api/2.0/mlflow/logged-models/{model}/artifacts/files?artifact_file_path=MLmodel");
    assert_eq!(&send(&hub, DEVELOPER, Method::GET, &file, "").await.bytes[..], b"x");
}

#[tokio::test]
async fn a_project_view_calls_its_default_experiment_0() {
    let hub = Hub::start().await;
    // Before its first use there is nothing, and looking makes nothing.
    assert!(list(&hub, "0").await.is_empty());
    let run = hub.new_run("0").await;
    let root = format!("0/{run}/artifacts");
    assert_eq!(put(&hub, &format!("{root}/a.txt"), "x").await.status, StatusCode::OK);
    let listed = hub.get(&format!("artifacts/list?run_id={run}")).await.ok();
    assert_eq!(listed["root_uri"], format!("mlflow-artifacts:/{root}"));
    // Anything else names it by its own id.
    let global = format!("{GLOBAL}/api/2.0/mlflow/artifacts/list?run_id={run}");
    let uri = send(&hub, DEVELOPER, Method::GET, &global, "").await.ok()["root_uri"].as_str().unwrap().to_owned();
    let real = uri.strip_prefix("mlflow-artifacts:/").unwrap();
    assert_ne!(real, root);
    for url in [format!("{GLOBAL}{PROXY}/{real}/a.txt"), format!("{FLOOD}{PROXY}/{real}/a.txt")] {
        assert_eq!(&send(&hub, DEVELOPER, Method::GET, &url, "").await.bytes[..], b"x", "{url}");
    }
    let nobodys = send(&hub, DEVELOPER, Method::GET, &format!("{GLOBAL}{PROXY}/{root}/a.txt"), "").await;
    assert_eq!(nobodys.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn files_of_a_deleted_run_can_still_be_read() {
    let hub = Hub::start().await;
    let (root, experiment, run) = new_place(&hub, "deleted").await;
    put(&hub, &format!("{root}/a.txt"), "x").await;
    hub.post("runs/delete", json!({"run_id": run})).await.ok();
    hub.post("experiments/delete", json!({"experiment_id": experiment})).await.ok();
    assert_eq!(&get(&hub, &format!("{root}/a.txt")).await.bytes[..], b"x");
    assert_eq!(lines(&hub.get(&format!("artifacts/list?run_id={run}")).await.ok()), ["a.txt 1"]);
}

#[tokio::test]
async fn a_warm_upload_asks_the_table_nothing() {
    let hub = Hub::start().await;
    let (root, _, run) = new_place(&hub, "budget").await;
    put(&hub, &format!("{root}/a.txt"), "x").await;
    for (method, url, requests) in [
        (Method::PUT, format!("{FLOOD}{PROXY}/{root}/b.txt"), 0),
        (Method::GET, format!("{FLOOD}{PROXY}/{root}/b.txt"), 1),
        (Method::GET, format!("{FLOOD}/get-artifact?path=b.txt&run_id={run}"), 0),
        (Method::GET, format!("{FLOOD}/api/2.0/mlflow/artifacts/list?run_id={run}"), 0),
    ] {
        let before = hub.state.store.usage().requests;
        assert_eq!(send(&hub, DEVELOPER, method.clone(), &url, "x").await.status, StatusCode::OK);
        assert_eq!(hub.state.store.usage().requests - before, requests, "{method} {url}");
    }
}

#[tokio::test]
async fn no_shared_cache_may_keep_an_answer() {
    let hub = Hub::start().await;
    let (root, experiment, run) = new_place(&hub, "kept").await;
    put(&hub, &format!("{root}/a.txt"), "x").await;
    let kept = |answer: &crate::hub::Answer, name: &str| {
        answer
            .headers
            .get_all(name)
            .iter()
            .map(|value| value.to_str().unwrap().to_owned())
            .collect::<Vec<_>>()
            .join(", ")
    };
    for path in [
        format!("/api/2.0/mlflow/runs/get?run_id={run}"),
        format!("/api/2.0/mlflow/experiments/get?experiment_id={experiment}"),
        "/api/2.0/mlflow/runs/get?run_id=none".to_owned(),
        "/api/2.0/mlflow/nowhere".to_owned(),
        format!("/api/2.0/mlflow/artifacts/list?run_id={run}"),
        format!("{PRESIGNED}/{root}/a.txt"),
    ] {
        for token in [DEVELOPER, ""] {
            let answer = send(&hub, token, Method::GET, &format!("{FLOOD}{path}"), "").await;
            assert_eq!(kept(&answer, "cache-control"), "no-store", "{path}: {}", answer.status);
        }
    }
    let file = get(&hub, &format!("{root}/a.txt")).await;
    assert_eq!(kept(&file, "cache-control"), "private, no-cache");
    for name in ["authorization", "x-gitlab-token", "private-token"] {
        assert!(kept(&file, "vary").contains(name), "{name}");
    }
}
