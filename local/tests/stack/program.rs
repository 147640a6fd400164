//! Start, stop and mistakes of the program.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::json;

use super::process::{Process, fails, local};

/// Exit code 1 and exactly one line, which holds each of `parts`.
fn one_line(mut command: std::process::Command, parts: &[&str]) {
    let (code, text) = fails(&mut command);
    assert_eq!(code, 1, "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

#[tokio::test]
async fn is_ready_within_a_second() {
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let begun = Instant::now();
        let process = Process::start(&mut local(&["--memory", "--listen", "127.0.0.1:0"]));
        let health = shared::http_client::client().get(format!("{}/health", process.url("hub"))).send().await.unwrap();
        best = best.min(begun.elapsed());
        assert_eq!(health.text().await.unwrap(), "OK");
        process.kill();
    }
    assert!(best < Duration::from_secs(1), "{best:?}");
}

#[tokio::test]
async fn a_run_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--listen", "127.0.0.1:0", "--data", folder.path().to_str().unwrap()];
    let client = shared::http_client::client();
    let call = |process: &Process, path: &str, body: serde_json::Value| {
        let url = format!("{}/earth/flood-model/tracking/api/2.0/mlflow/{path}", process.url("hub"));
        let request = client.post(url).bearer_auth("glpat-local-developer").json(&body);
        async move { request.send().await.unwrap().error_for_status().unwrap().json::<serde_json::Value>().await.unwrap() }
    };
    let process = Process::start(&mut local(&args));
    let run = call(&process, "runs/create", json!({ "experiment_id": "0", "start_time": 1 })).await;
    let id = run["run"]["info"]["run_id"].clone();
    let metric = json!({ "run_id": id, "key": "loss", "value": 0.25, "timestamp": 2, "step": 3 });
    call(&process, "runs/log-metric", metric).await;
    process.kill();

    let process = Process::start(&mut local(&args));
    let found = call(&process, "runs/search", json!({ "experiment_ids": ["0"] })).await;
    assert_eq!(found["runs"][0]["info"]["run_id"], id);
    assert_eq!(found["runs"][0]["data"]["metrics"][0]["value"], 0.25);
    process.kill();
}

#[test]
fn ends_cleanly_by_signal_and_removes_what_is_temporary() {
    for signal in ["INT", "TERM"] {
        let temporary = tempfile::tempdir().unwrap();
        let mut command = local(&["--memory", "--listen", "127.0.0.1:0"]);
        let process = Process::start(command.env("TMPDIR", temporary.path()));
        assert_eq!(temporary.path().read_dir().unwrap().count(), 1);
        assert_eq!(process.signal(signal).code(), Some(0));
        assert_eq!(temporary.path().read_dir().unwrap().count(), 0);
    }
}

#[test]
fn help_names_every_option() {
    let output = local(&["--help"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for option in [
        "--listen",
        "--data",
        "--memory",
        "--gitlab",
        "--projects",
        "--only-emulators",
        "--emulator-ports",
        "--aws",
        "AWS_ENDPOINT_URL_S3",
        "127.0.0.1:5000",
        ".perigee",
    ] {
        assert!(text.contains(option), "{option}");
    }
}

#[test]
fn a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    one_line(local(&["--memory", "--listen", &address]), &[&address, "--listen"]);
    let ports = format!("0,0,{}", taken.local_addr().unwrap().port());
    one_line(local(&["--memory", "--only-emulators", "--emulator-ports", &ports]), &[&address, "--emulator-ports"]);
}

#[test]
fn an_unusable_data_folder() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    one_line(local(&["--data", path, "--listen", "127.0.0.1:0"]), &[path, "--data"]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("dynamodb.sqlite"), "this is no database, and long enough to look at").unwrap();
    let path = folder.path().to_str().unwrap();
    one_line(local(&["--data", path, "--listen", "127.0.0.1:0"]), &[path, "--data"]);
}

#[test]
fn a_data_folder_has_one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let first = Process::start(&mut local(&["--data", path, "--listen", "127.0.0.1:0"]));
    one_line(local(&["--data", path, "--listen", "127.0.0.1:0"]), &[path, "in use", "--data"]);
    first.kill();
    Process::start(&mut local(&["--data", path, "--listen", "127.0.0.1:0"])).kill();
}

#[test]
fn unreachable_endpoints() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    one_line(local(&["--memory", "--listen", "127.0.0.1:0", "--gitlab", &url]), &["GitLab", &url, "--gitlab"]);
    for variable in ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"] {
        let mut command = local(&["--memory", "--listen", "127.0.0.1:0"]);
        command.env(variable, &url);
        one_line(command, &[&url, variable]);
    }
}

#[test]
fn other_endpoints_replace_the_embedded_ones() {
    let emulators = Process::start(&mut local(&["--only-emulators", "--memory", "--emulator-ports", "0,0,0"]));
    let mut command = local(&["--memory", "--listen", "127.0.0.1:0", "--gitlab", emulators.url("gitlab")]);
    command.env("AWS_ENDPOINT_URL_S3", emulators.url("s3"));
    let hub = Process::start(&mut command);
    assert_eq!(hub.url("s3"), emulators.url("s3"));
    assert_eq!(hub.url("gitlab"), emulators.url("gitlab"));
    assert_ne!(hub.url("dynamodb"), emulators.url("dynamodb"));
    hub.kill();

    let mut command = local(&["--memory", "--listen", "127.0.0.1:0"]);
    let hub = Process::start(command.env("PERIGEE_GITLAB_URL", format!("{}/", emulators.url("gitlab"))));
    assert_eq!(hub.url("gitlab"), emulators.url("gitlab"));
    hub.kill();
    let mut command = local(&["--memory", "--only-emulators", "--emulator-ports", "0,0,0"]);
    let own = Process::start(command.env("PERIGEE_GITLAB_URL", emulators.url("gitlab")));
    assert_ne!(own.url("gitlab"), emulators.url("gitlab"));
}

#[test]
fn mistakes_in_a_projects_folder() {
    let check = |text: &str, parts: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("gitlab.yaml"), text).unwrap();
        let path = folder.path().to_str().unwrap();
        one_line(local(&["--memory", "--listen", "127.0.0.1:0", "--projects", path]), &[&[path], parts].concat());
    };
    check("projects: [{ id: 1, path: earth/other }]", &["id 1", "earth/flood-model"]);
    check("projects: [{ id: 9, path: earth/flood-model }]", &["earth/flood-model", "taken"]);
    check("projects: [{ id: 9, path: nowhere/x }]", &["unknown group", "nowhere"]);
    check("projects: [{ id: 9, path: earth/../x }]", &["earth/../x"]);
    check("accounts: [{ username: guest }]", &["guest"]);
    check("tokens: [{ token: t, account: nobody, scopes: [api] }]", &["nobody"]);
    check("tokens: [{ token: glpat-local-guest, account: guest, scopes: [api] }]", &["there already"]);
    check("memberships: [{ account: guest, in: mars, role: guest }]", &["mars"]);
    check("memberships: [{ account: guest, in: earth, role: king }]", &["king"]);
    check("planets: []", &["planets"]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing");
    let path = path.to_str().unwrap();
    one_line(local(&["--memory", "--listen", "127.0.0.1:0", "--projects", path]), &[path, "--projects"]);
}

#[tokio::test]
async fn on_loopback_only_its_own_names_are_answered() {
    let mut command = local(&["--memory", "--listen", "127.0.0.1:0"]);
    let process = Process::start(command.env("PERIGEE_PUBLIC_URL", "https://hub.example.test"));
    let health = format!("{}/health", process.url("hub"));
    let ask = async |host: &str| {
        let answer = shared::http_client::client().get(&health).header("host", host).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    for host in ["localhost:5000", "127.0.0.1", "[::1]:5000", "hub.example.test", "HUB.example.test:443"] {
        assert_eq!(ask(host).await, (200, "OK".to_owned()), "{host}");
    }
    for host in ["evil.test", "evil.test:5000", "localhost.evil.test", "10.0.0.1"] {
        let (status, text) = ask(host).await;
        assert_eq!(status, 403, "{host}");
        assert!(text.contains("localhost") && text.contains("PERIGEE_PUBLIC_URL"), "{text}");
    }
    process.kill();
}
