//! Regressions of the weaknesses W1, W2, W3, W17 and W18 of the stack that this hub replaces.

use http::{HeaderMap, StatusCode};

use super::*;
use crate::hub::{GUEST, OUTSIDER, READ_ONLY};

/// Every way to a file, as method and URL below a view.
fn ways(root: &str, run: &str, file: &str) -> Vec<(Method, String)> {
    let mut ways = Vec::new();
    for proxy in [PROXY, TWIN] {
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE] {
            ways.push((method, format!("{proxy}/{root}/{file}")));
        }
        ways.push((Method::GET, format!("{proxy}?path={root}")));
        ways.push((Method::HEAD, format!("{proxy}?path={root}")));
    }
    for prefix in ["/api", "/ajax-api"] {
        let presigned = format!("{prefix}/2.0/mlflow-artifacts/presigned/{root}/{file}");
        ways.push((Method::GET, presigned.clone()));
        ways.push((Method::HEAD, presigned));
        ways.push((Method::GET, format!("{prefix}/2.0/mlflow/artifacts/list?run_id={run}")));
        ways.push((Method::GET, format!("{prefix}/2.0/mlflow/artifacts/list?run_uuid={run}&path=d")));
    }
    ways.push((Method::GET, format!("/get-artifact?path={file}&run_id={run}")));
    ways.push((Method::HEAD, format!("/get-artifact?path={file}&run_uuid={run}")));
    ways.push((Method::POST, format!("/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path={file}")));
    ways
}

/// What a stranger sees, with the ids that they sent taken out.
fn seen(answer: &Answer, root: &str, run: &str) -> (StatusCode, HeaderMap, String) {
    let text = String::from_utf8_lossy(&answer.bytes).replace(run, "RUN");
    let experiment = root.split('/').next().unwrap();
    let mut headers = answer.headers.clone();
    headers.remove("content-length");
    (answer.status, headers, text.replace(&format!("id={experiment} "), "id=EXPERIMENT "))
}

#[tokio::test]
async fn w01_w03_w18_foreign_files_are_as_unknown_ones_on_every_way() {
    let hub = Hub::start().await;
    let (root, run) = foreign_place(&hub).await;
    let unknown_run = "0".repeat(32);
    let unknown_root = format!("424242/{unknown_run}/artifacts");
    let before = keys(&hub).await;
    for view in VIEWS {
        let foreign = ways(&root, &run, "secret.txt");
        let missing = ways(&root, &run, "nosuch.txt");
        let unknown = ways(&unknown_root, &unknown_run, "secret.txt");
        for ((foreign, missing), unknown) in foreign.into_iter().zip(missing).zip(unknown) {
            let (method, path) = foreign;
            let there = send(&hub, DEVELOPER, method.clone(), &format!("{view}{path}"), "mine").await;
            assert_eq!(there.status, StatusCode::NOT_FOUND, "{method} {view}{path}");
            let absent = send(&hub, DEVELOPER, method.clone(), &format!("{view}{}", missing.1), "mine").await;
            assert_eq!(seen(&there, &root, &run), seen(&absent, &root, &run), "{method} {view}{path}");
            let never = send(&hub, DEVELOPER, method.clone(), &format!("{view}{}", unknown.1), "mine").await;
            let never = seen(&never, &unknown_root, &unknown_run);
            assert_eq!(seen(&there, &root, &run), never, "{method} {view}{path}");
        }
    }
    assert_eq!(keys(&hub).await, before);
    let kept = send(&hub, OUTSIDER, Method::GET, &format!("{LAB}{PROXY}/{root}/secret.txt"), "").await;
    assert_eq!(&kept.bytes[..], b"secret");
}

#[tokio::test]
async fn w02_nobody_reads_or_writes_without_a_credential() {
    let hub = Hub::start().await;
    let (root, _, run) = new_place(&hub, "w02").await;
    put(&hub, &format!("{root}/a.txt"), "x").await;
    let before = keys(&hub).await;
    for view in VIEWS {
        for (method, path) in ways(&root, &run, "a.txt") {
            for token in ["", "glpat-bad"] {
                let answer = send(&hub, token, method.clone(), &format!("{view}{path}"), "x").await;
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {view}{path}");
            }
        }
    }
    assert_eq!(keys(&hub).await, before);
}

#[tokio::test]
async fn readers_read_and_change_nothing() {
    let hub = Hub::start().await;
    let (root, _, run) = new_place(&hub, "readers").await;
    put(&hub, &format!("{root}/a.txt"), "x").await;
    for view in VIEWS {
        for (method, path) in ways(&root, &run, "a.txt") {
            for token in [GUEST, READ_ONLY] {
                let answer = send(&hub, token, method.clone(), &format!("{view}{path}"), "mine").await;
                let writes = !matches!(method, Method::GET | Method::HEAD);
                let expected = if writes { StatusCode::FORBIDDEN } else { StatusCode::OK };
                assert_eq!(answer.status, expected, "{token} {method} {view}{path}");
            }
        }
    }
    assert_eq!(&get(&hub, &format!("{root}/a.txt")).await.bytes[..], b"x");
}

#[tokio::test]
async fn a_path_of_ones_own_cannot_lead_into_anothers_run() {
    let hub = Hub::start().await;
    let (_, foreign_run) = foreign_place(&hub).await;
    let experiment = hub.new_experiment("mine").await;
    let path = format!("{experiment}/{foreign_run}/artifacts/secret.txt");
    for method in [Method::GET, Method::HEAD, Method::PUT] {
        let answer = send(&hub, DEVELOPER, method.clone(), &format!("{FLOOD}{PROXY}/{path}"), "mine").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method}");
    }
    assert!(list(&hub, &format!("{experiment}/{foreign_run}/artifacts")).await.is_empty());
}

#[tokio::test]
async fn w17_a_place_of_the_clients_choice_is_never_touched() {
    let hub = Hub::start().await;
    for location in ["s3://somebodys-bucket/x", "file:///etc", "/etc"] {
        let body = json!({"name": location, "artifact_location": location});
        let experiment = hub.post("experiments/create", body).await.ok()["experiment_id"].as_str().unwrap().to_owned();
        let run = hub.new_run(&experiment).await;
        let root = format!("{experiment}/{run}/artifacts");
        let made = hub.post("logged-models", json!({"experiment_id": experiment, "name": "net"})).await.ok();
        let model = made["model"]["info"]["model_id"].as_str().unwrap();
        let of_model = "logged-models/MODEL/artifacts".replace("MODEL", model);
        let mut all = ways(&root, &run, "passwd");
        all.push((Method::GET, format!("/api/2.0/mlflow/{of_model}/directories")));
        all.push((Method::GET, format!("/ajax-api/2.0/mlflow/{of_model}/files?artifact_file_path=passwd")));
        for view in VIEWS {
            for (method, path) in &all {
                let answer = send(&hub, DEVELOPER, method.clone(), &format!("{view}{path}"), "x").await;
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{location}: {method} {view}{path}");
                if *method != Method::HEAD {
                    assert_eq!(answer.code(), "INVALID_PARAMETER_VALUE", "{location}: {method} {view}{path}");
                    assert!(answer.json()["message"].as_str().unwrap().contains("artifact_location"));
                }
            }
        }
    }
    assert!(keys(&hub).await.is_empty());
}
