//! The events of `events/`, and hostile ones, on the way that API Gateway's take through a function.

use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::Parser;
use lambda_http::Body;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use local::args::Args;
use local::aws::EndpointVariables;
use local::gitlab::CATALOG_TOKEN;
use local::hub::{self, Backends};
use local::start::{self, Running};
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::config::Config;
use shared::gitlab::Token;
use shared::state::AppState;

use crate::house::read;

/// The deployed functions over embedded services.
struct Functions {
    docs: Router,
    tracking: Router,
    artifacts: Router,
    registry: Router,
    project: Router,
    stac: Router,
    download: Router,
    sync: Router,
    state: AppState,
    _services: Running,
}

impl Functions {
    async fn start() -> Self {
        let args = Args::parse_from(["local", "--memory", "--only-emulators", "--emulator-ports", "0,0,0"]);
        let services = start::start(&args, EndpointVariables::default()).await.unwrap();
        let mut state: AppState = hub::state(&Backends {
            dynamodb: services.dynamodb.clone(),
            s3: services.s3.clone(),
            table: hub::TABLE.to_owned(),
            bucket: hub::BUCKET.to_owned(),
            gitlab_url: services.gitlab_url.clone(),
            public_url: "https://hub.example.com".into(),
            token_key: "a key of the tests".into(),
            sync_token: Token::parse(CATALOG_TOKEN).ok(),
            clock: Clock::default(),
        })
        .await
        .unwrap();
        let secret = Some("a webhook secret of the tests".to_owned());
        state.config = Arc::new(Config { webhook_secret: secret, ..(*state.config).clone() });
        Self {
            stac: stac_catalog::router(&state),
            download: file_download::router(&state),
            sync: catalog_sync::router(&state),
            docs: api_docs::router(&state),
            tracking: mlflow_tracking::router(&state),
            artifacts: mlflow_artifacts::router(&state),
            registry: mlflow_registry::router(&state),
            project: mlflow_project::router(&state),
            state,
            _services: services,
        }
    }

    /// Creates experiment 1 by the recorded event, and a run in it.
    async fn new_run(&self) -> String {
        let created = ask(&self.tracking, event("tracking")).await;
        assert_eq!(created.status_code, 200, "{created:?}");
        assert_eq!(document(&created), json!({ "experiment_id": "1" }));
        assert!(!created.is_base64_encoded);
        let body = json!({ "experiment_id": "1" }).to_string();
        let path = "/mlflow/api/2.0/mlflow/runs/create";
        let created = ask(&self.tracking, changed("tracking", "POST", path, "", Some(body.as_bytes()))).await;
        document(&created)["run"]["info"]["run_id"].as_str().unwrap().to_owned()
    }
}

/// The run that the recorded events speak of.
const RECORDED_RUN: &str = "4bd17e95ae5f4bb0b3a9c0c4c7b6a1f2";

fn event(name: &str) -> Value {
    Value::from_str(&read(&format!("events/{name}.json"))).unwrap()
}

/// An event about a run of this test.
fn event_of(run: &str, name: &str) -> Value {
    Value::from_str(&event(name).to_string().replace(RECORDED_RUN, run)).unwrap()
}

/// An event with another method, path, query and body.
fn changed(name: &str, method: &str, path: &str, query: &str, body: Option<&[u8]>) -> Value {
    let mut event = event(name);
    event["requestContext"]["http"]["method"] = json!(method);
    event["requestContext"]["http"]["path"] = json!(path);
    event["rawPath"] = json!(path);
    event["rawQueryString"] = json!(query);
    event["body"] = json!(body.map(|body| BASE64.encode(body)));
    event["isBase64Encoded"] = json!(body.is_some());
    event
}

async fn ask(router: &Router, event: Value) -> ApiGatewayV2httpResponse {
    let event: ApiGatewayV2httpRequest = serde_json::from_value(event).unwrap();
    let answer = shared::lambda::answer(router.clone(), event, "the-id-of-lambda").await;
    // What the gateway reads is JSON.
    serde_json::from_value(serde_json::to_value(answer).unwrap()).unwrap()
}

fn bytes(answer: &ApiGatewayV2httpResponse) -> Vec<u8> {
    match &answer.body {
        Some(Body::Text(text)) if answer.is_base64_encoded => BASE64.decode(text).unwrap(),
        Some(Body::Text(text)) => text.clone().into_bytes(),
        Some(body) => panic!("{body:?} on the wire"),
        None => Vec::new(),
    }
}

fn document(answer: &ApiGatewayV2httpResponse) -> Value {
    assert_eq!(answer.headers["content-type"], "application/json");
    serde_json::from_slice(&bytes(answer)).unwrap()
}

#[tokio::test]
async fn one_event_of_each_group() {
    let functions = Functions::start().await;
    let run = functions.new_run().await;

    let stored = event_of(&run, "artifacts");
    let uploaded = ask(&functions.artifacts, stored.clone()).await;
    assert_eq!(uploaded.status_code, 200, "{uploaded:?}");
    let path = stored["rawPath"].as_str().unwrap();
    let fetched = ask(&functions.artifacts, changed("artifacts", "GET", path, "", None)).await;
    assert_eq!(fetched.status_code, 200, "{fetched:?}");
    assert!(fetched.is_base64_encoded, "this file is not text");
    assert_eq!(bytes(&fetched), BASE64.decode(stored["body"].as_str().unwrap()).unwrap());

    let registered = ask(&functions.registry, event("registry")).await;
    assert_eq!(registered.status_code, 200, "{registered:?}");
    assert_eq!(document(&registered)["registered_model"]["name"], "flood mapper (1)");

    let file = ask(&functions.download, event("download")).await;
    assert_eq!(file.status_code, 200, "{file:?}");
    assert_eq!(bytes(&file), read("local/projects/earth/flood-model/data/backscatter.csv").into_bytes());

    let told = ask(&functions.sync, event("webhook")).await;
    assert_eq!(told.status_code, 200, "{told:?}");
    let told = ask(&functions.sync, event("webhook")).await;
    assert_eq!(document(&told)["outcome"], "handled before");
    let found = ask(&functions.stac, event("stac")).await;
    assert_eq!(found.status_code, 200, "{found:?}");
    let found: Value = serde_json::from_slice(&bytes(&found)).unwrap();
    assert_eq!(found["features"][0]["id"], "earth/land-cover");
    // The schedule's event brings the rest.
    let deadline = Instant::now() + Duration::from_secs(60);
    let schedule = json!({ "source": "aws.scheduler", "detail-type": "Scheduled Event" });
    let done = catalog_sync::handle(functions.state.clone(), schedule, deadline).await.unwrap();
    assert_eq!((&done["summary"]["written"], &done["finished"]), (&json!(4), &json!(true)), "{done}");

    let described = ask(&functions.docs, event("api-docs")).await;
    assert_eq!(described.status_code, 200);
    let described: Value = serde_json::from_slice(&bytes(&described)).unwrap();
    assert_eq!(described["servers"][0]["url"], "https://hub.example.com");

    let found = ask(&functions.project, event("project")).await;
    assert_eq!(found.status_code, 200, "{found:?}");
    assert_eq!(document(&found)["experiment"]["experiment_id"], "1");
    assert_eq!(document(&found)["experiment"]["name"], "night floods");
}

#[tokio::test]
async fn a_file_keeps_its_name_whatever_it_is() {
    let functions = Functions::start().await;
    let run = functions.new_run().await;
    let folder = format!("/mlflow/api/2.0/mlflow-artifacts/artifacts/1/{run}/artifacts");
    for name in ["a b.txt", "50%.txt", "what?.txt", "größe.txt", "a+b=c;d@e.txt"] {
        let path = format!("{folder}/{name}");
        let put = ask(&functions.artifacts, changed("artifacts", "PUT", &path, "", Some(name.as_bytes()))).await;
        assert_eq!(put.status_code, 200, "{name}: {put:?}");
        let got = ask(&functions.artifacts, changed("artifacts", "GET", &path, "", None)).await;
        assert_eq!((got.status_code, bytes(&got)), (200, name.as_bytes().to_vec()), "{name}");
    }
}

#[tokio::test]
async fn a_large_file_passes_by_the_gateway() {
    let functions = Functions::start().await;
    let run = functions.new_run().await;
    let global = "/mlflow/api/2.0/mlflow-artifacts";
    let project = "/mlflow/earth/flood-model/tracking/api/2.0/mlflow-artifacts";
    for (function, base) in [(&functions.artifacts, global), (&functions.project, project)] {
        let place = format!("1/{run}/artifacts/größe 1");
        let post = async |step: &str, body: Value| {
            let path = format!("{base}/mpu/{step}/{place}");
            let mut event = changed("artifacts", "POST", &path, "", Some(body.to_string().as_bytes()));
            event["headers"]["content-type"] = json!("application/json");
            let answer = ask(function, event).await;
            assert_eq!(answer.status_code, 200, "{step}: {answer:?}");
            document(&answer)
        };
        let begun = post("create", json!({"path": "/home/me/w.bin", "num_parts": 1})).await;
        let client = shared::http_client::client();
        let put = client.put(begun["credentials"][0]["url"].as_str().unwrap()).body(vec![7; 5_000_000]);
        let etag = put.send().await.unwrap().headers()["etag"].to_str().unwrap().to_owned();
        let parts = json!([{"part_number": 1, "etag": etag}]);
        let body = json!({"path": "/home/me/w.bin", "upload_id": begun["upload_id"], "parts": parts});
        assert_eq!(post("complete", body).await, json!({}));

        let path = format!("{base}/artifacts/{place}/w.bin");
        let sent_on = ask(function, changed("artifacts", "GET", &path, "", None)).await;
        assert_eq!((sent_on.status_code, bytes(&sent_on).len()), (302, 0));
        let got = client.get(sent_on.headers["location"].to_str().unwrap()).send().await.unwrap();
        assert_eq!(got.bytes().await.unwrap(), vec![7; 5_000_000]);
    }
}

#[tokio::test]
async fn paths_that_mean_another_path_are_refused() {
    let functions = Functions::start().await;
    let files = "/mlflow/api/2.0/mlflow-artifacts/artifacts";
    for path in [
        format!("{files}/1/../../5/secret.txt"),
        format!("{files}/1/./x"),
        format!("{files}/1\\..\\5\\secret.txt"),
        format!("{files}/.."),
        // Refused by the endpoint: the gateway has decoded once, and the client meant more.
        format!("{files}/1/%2e%2e/%2e%2e/5/secret.txt"),
        format!("{files}/1/a#b"),
    ] {
        let answer = ask(&functions.artifacts, changed("artifacts", "GET", &path, "", None)).await;
        assert_eq!(answer.status_code, 400, "{path}");
        assert_eq!(document(&answer)["error_code"], "INVALID_PARAMETER_VALUE", "{path}");
    }
}

#[tokio::test]
async fn errors_speak_mlflow_and_name_the_gateways_request() {
    let functions = Functions::start().await;
    let mut stranger = event("tracking");
    stranger["headers"].as_object_mut().unwrap().remove("authorization");
    let answer = ask(&functions.tracking, stranger).await;
    assert_eq!(answer.status_code, 401);
    assert_eq!(document(&answer)["error_code"], "UNAUTHENTICATED");
    assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));

    async fn with_a_bug() -> &'static str {
        panic!("a bug")
    }
    let broken = Router::new().fallback(with_a_bug);
    let broken = shared::route::render(broken, shared::dialect::Dialect::Mlflow);
    let answer = ask(&broken, event("tracking")).await;
    assert_eq!(answer.status_code, 500);
    let id = event("tracking")["requestContext"]["requestId"].as_str().unwrap().to_owned();
    assert!(document(&answer)["message"].as_str().unwrap().contains(&id));
}

#[tokio::test]
async fn an_answer_fits_into_lambdas_six_megabytes() {
    const LAMBDA_LIMIT: usize = 6_291_556;
    let sized =
        |length: usize, letter: &'static str| Router::new().fallback(move || async move { letter.repeat(length) });
    // Every quote takes two bytes in a JSON string.
    for (length, letter) in [(4_500_000, "\""), (999_999, "\""), (4_500_000, "x")] {
        let event: ApiGatewayV2httpRequest = serde_json::from_value(event("tracking")).unwrap();
        let answer = shared::lambda::answer(sized(length, letter), event, "").await;
        assert_eq!(answer.status_code, 200);
        assert!(serde_json::to_vec(&answer).unwrap().len() < LAMBDA_LIMIT);
    }
    let answer = ask(&sized(4_500_001, "x"), event("tracking")).await;
    assert_eq!(answer.status_code, 413);
    assert!(document(&answer)["message"].as_str().unwrap().starts_with("The answer is larger"));
}

#[tokio::test]
async fn several_values_of_a_header_become_one_list() {
    let twice = || async { ([("vary", "Origin")], axum::response::AppendHeaders([("vary", "Accept")]), "") };
    let answer = ask(&Router::new().fallback(twice), event("tracking")).await;
    assert_eq!(answer.headers["vary"], "Origin, Accept");
}

#[tokio::test]
async fn a_hostile_host_or_query_breaks_nothing() {
    let functions = Functions::start().await;
    for (host, query) in [("a b:99999", ""), ("[::1", "x=<y>"), ("", "{}|\\^`\"#"), ("h", "q=%zz&%"), ("h", "q=größe")]
    {
        let mut event = changed("tracking", "GET", "/mlflow/health", query, None);
        event["headers"]["host"] = json!(host);
        event["requestContext"]["domainName"] = json!(host);
        let answer = ask(&functions.tracking, event).await;
        assert_eq!((answer.status_code, bytes(&answer)), (200, b"OK".to_vec()), "{host} {query}");
    }
}
