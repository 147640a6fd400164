//! The line that the log gets for each request: its fields, its metrics, and that no secret is ever in it.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::Router;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use serde_json::{Value, json};
use shared::config::Config;
use shared::function::Function;
use shared::lambda::serve;
use shared::log::{EVENT, Line};
use shared::state::{AppState, Clients};
use tracing_subscriber::fmt::MakeWriter;

use crate::faults::{Fault, Injector};
use crate::hub::{DEVELOPER, GUEST, Hub};

const WEBHOOK_SECRET: &str = "the-secret-of-the-webhooks";
const TOKEN_KEY: &str = "the-key-of-the-tests-of-logs";

/// A function as it is deployed, on the services of a hub.
async fn function(hub: &Hub, router: fn(&AppState) -> Router, gitlab: Option<&str>) -> Function {
    let config = hub.state.config.clone();
    let gitlab = gitlab.unwrap_or(&config.gitlab_url).to_owned();
    let variables = move |name: &str| {
        let value = match name {
            "PERIGEE_TABLE" => config.table.clone(),
            "PERIGEE_BUCKET" => config.bucket.clone(),
            "PERIGEE_GITLAB_URL" => gitlab.clone(),
            "PERIGEE_TOKEN_KEY" => TOKEN_KEY.into(),
            "PERIGEE_WEBHOOK_SECRET" => WEBHOOK_SECRET.into(),
            "PERIGEE_STACK" => "hub".into(),
            "AWS_LAMBDA_FUNCTION_NAME" => "hub-tested".into(),
            _ => return None,
        };
        Some(value)
    };
    let config = Config::read(&variables, None).unwrap();
    let (dynamodb, s3) = (hub.backends.dynamodb.sdk_config().await, hub.backends.s3.sdk_config().await);
    let clients = Clients::new(&config, &dynamodb, &s3, hub.clock.clone()).unwrap();
    Function::new(Box::new(variables), clients, router).unwrap()
}

struct Asked<'a> {
    token: &'a str,
    method: &'a str,
    path: &'a str,
    query: &'a str,
    body: Value,
}

impl Default for Asked<'_> {
    fn default() -> Self {
        Self { token: DEVELOPER, method: "POST", path: "/", query: "", body: Value::Null }
    }
}

async fn ask(function: &Function, asked: Asked<'_>) -> Line {
    serve(function, event(asked), "lambdas-id").await.1
}

fn event(asked: Asked<'_>) -> ApiGatewayV2httpRequest {
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": asked.path, "rawQueryString": asked.query,
        "headers": { "authorization": format!("Bearer {}", asked.token), "x-gitlab-token": asked.token,
                     "content-type": "application/json", "cookie": "session=a-cookie" },
        "requestContext": {
            "accountId": "123456789012", "apiId": "a1", "domainName": "a1.execute-api.eu-west-1.amazonaws.com",
            "domainPrefix": "a1", "requestId": "the-gateways-id", "routeKey": "$default", "stage": "$default",
            "time": "23/Nov/2026:12:00:00 +0000", "timeEpoch": 1_795_435_200_000_u64,
            "http": { "method": asked.method, "path": asked.path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
                      "userAgent": "test" },
        },
        "body": asked.body.to_string(), "isBase64Encoded": false,
    });
    serde_json::from_value(event).unwrap()
}

fn written(function: &Function, line: &Line) -> Value {
    let text = line.json(&function.source);
    assert!(!text.contains('\n'), "{text}");
    serde_json::from_str(&text).unwrap()
}

fn slow(_: &AppState) -> Router {
    Router::new().fallback(|| tokio::time::sleep(std::time::Duration::from_secs(120)))
}

/// Lambda would end it after 29 s without a word to the client or the log.
#[tokio::test]
async fn a_request_that_takes_too_long_is_answered_and_logged() {
    let hub = Hub::start().await;
    let function = function(&hub, slow, None).await;
    let begun = std::time::Instant::now();
    let (answer, line) = serve(&function, event(Asked { path: SEARCH, ..Asked::default() }), "lambdas-id").await;
    assert!(begun.elapsed() < std::time::Duration::from_secs(28), "{:?}", begun.elapsed());
    assert_eq!((answer.status_code, &answer.headers["retry-after"]), (503, &"1".parse().unwrap()));
    let line = written(&function, &line);
    assert_eq!((&line["status"], &line["errors"]), (&json!(503), &json!(1)));
}

const SEARCH: &str = "/mlflow/api/2.0/mlflow/experiments/search";
const CREATE: &str = "/mlflow/api/2.0/mlflow/experiments/create";

#[tokio::test]
async fn a_line_says_what_was_asked_and_what_it_cost() {
    let hub = Hub::start().await;
    let function = function(&hub, mlflow_tracking::router, None).await;
    let body = json!({ "name": "logged (1)" });
    let line = ask(&function, Asked { path: CREATE, body: body.clone(), ..Asked::default() }).await;
    let line = written(&function, &line);
    for (name, expected) in [
        ("request_id", json!("the-gateways-id")),
        ("lambda_id", json!("lambdas-id")),
        ("function", json!("hub-tested")),
        ("cold_start", json!(true)),
        ("method", json!("POST")),
        ("path", json!(CREATE)),
        ("route", json!(CREATE)),
        ("project", json!(1)),
        ("status", json!(200)),
        ("errors", json!(0)),
        ("gitlab_failures", json!(0)),
        ("dynamodb_throttles", json!(0)),
        ("level", json!("INFO")),
    ] {
        assert_eq!(line[name], expected, "{name}: {line}");
    }
    assert!(line["duration_ms"].as_f64().unwrap() > 0.0);
    assert!(line["dynamodb_requests"].as_u64().unwrap() >= 2, "{line}");
    assert!(line["write_units"].as_f64().unwrap() >= 2.0, "{line}");
    assert!(line["read_units"].is_number());

    // What exists already: a client's mistake is no error of the hub's.
    let line = written(&function, &ask(&function, Asked { path: CREATE, body, ..Asked::default() }).await);
    assert_eq!((&line["status"], &line["errors"], &line["cold_start"]), (&json!(400), &json!(0), &json!(false)));
    let path = "/mlflow/nothing/here";
    let line = written(&function, &ask(&function, Asked { path, ..Asked::default() }).await);
    assert_eq!((&line["status"], &line["route"], &line["project"]), (&json!(404), &Value::Null, &Value::Null));
    assert_eq!(line["path"], path);
}

#[tokio::test]
async fn its_metrics_are_fields_of_it() {
    let hub = Hub::start().await;
    let function = function(&hub, mlflow_tracking::router, None).await;
    let mut line = ask(&function, Asked { method: "GET", path: "/mlflow/health", ..Asked::default() }).await;
    let json = written(&function, &line);
    let directive = &json["_aws"]["CloudWatchMetrics"][0];
    assert!((json["_aws"]["Timestamp"].as_i64().unwrap() - hub.clock.now_ms()).abs() < 60_000);
    assert_eq!((&directive["Namespace"], &directive["Dimensions"]), (&json!("Perigee"), &json!([["stack"]])));
    assert_eq!(json["stack"], "hub");
    let names = |json: &Value| -> Vec<String> {
        let metrics = json["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
        for metric in metrics {
            assert!(json[metric["Name"].as_str().unwrap()].is_number(), "{metric}");
            assert!(["Count", "Milliseconds"].contains(&metric["Unit"].as_str().unwrap()));
        }
        metrics.iter().map(|metric| metric["Name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&json), ["duration_ms", "errors", "gitlab_failures", "dynamodb_throttles"]);
    // Nobody waits for an event of the schedule.
    line.method = EVENT.to_owned();
    line.status = 500;
    let json = written(&function, &line);
    assert_eq!(names(&json), ["errors", "gitlab_failures", "dynamodb_throttles"]);
    assert_eq!(json["errors"], 1);
    // Without a stack there is nobody to count.
    let alone = shared::log::Source { stack: None, ..function.source.clone() };
    assert!(!line.json(&alone).contains("_aws"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_behind_the_hub_are_counted() {
    let (hub, injector) = Injector::with_hub().await;
    // Nothing listens there.
    let lonely = function(&hub, mlflow_tracking::router, Some("http://127.0.0.1:9")).await;
    let line = ask(&lonely, Asked { path: SEARCH, body: json!({ "max_results": 1 }), ..Asked::default() }).await;
    assert_eq!(line.status, 503);
    let line = written(&lonely, &line);
    assert_eq!(line["errors"], 1);
    assert!(line["gitlab_failures"].as_u64().unwrap() >= 1, "{line}");

    let function = function(&hub, mlflow_tracking::router, None).await;
    injector.next(2, Fault::Throttle, "TransactWriteItems", "");
    let body = json!({ "name": "throttled (1)" });
    let line = ask(&function, Asked { path: CREATE, body: body.clone(), ..Asked::default() }).await;
    assert_eq!(line.status, 200, "two throttled writes are not noticed");
    assert_eq!(written(&function, &line)["dynamodb_throttles"], 2);
}

/// What `tracing` wrote.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Written {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_secret_is_ever_logged() {
    let hub = Hub::start().await;
    let log = Written::default();
    let subscriber = tracing_subscriber::fmt().json().with_max_level(tracing_subscriber::filter::LevelFilter::INFO);
    // All tasks of this test run in its thread.
    let everything = subscriber.with_writer(log.clone()).finish();
    let _guard = tracing_subscriber::util::SubscriberInitExt::set_default(everything);
    let unknown = "glpat-nobody-has-this-one";
    let in_query = "a-secret-in-the-query";
    let in_body = "a-secret-in-the-body";
    let mut lines = String::new();
    type Part<'a> = (fn(&AppState) -> Router, &'a [&'a str]);
    let parts: [Part; 4] = [
        (mlflow_tracking::router, &[SEARCH, CREATE, "/mlflow/a/../b", "/mlflow/x"]),
        (stac_catalog::router, &["/api/stac/", "/api/stac/search", "/api/stac/collections/none"]),
        (file_download::router, &["/api/download/earth/flood-model/repository/model.json", "/api/check/earth%2Fx"]),
        (catalog_sync::router, &["/api/webhooks/gitlab"]),
    ];
    for gitlab in [None, Some("http://127.0.0.1:9")] {
        for (router, paths) in parts {
            let function = function(&hub, router, gitlab).await;
            // A GitLab that is gone is asked three times, which takes its time.
            let paths = if gitlab.is_some() { &paths[..1] } else { paths };
            for path in paths {
                let tokens = [DEVELOPER, GUEST, unknown, WEBHOOK_SECRET, "not-a-token-at-all"];
                let tokens = if gitlab.is_some() { &tokens[..1] } else { &tokens[..] };
                for token in tokens {
                    for method in ["GET", "POST"] {
                        let query = &format!("token={in_query}&private_token={in_query}");
                        let body = json!({ "name": in_body, "project_id": 2 });
                        let line = ask(&function, Asked { token, method, path, query, body }).await;
                        lines += &line.json(&function.source);
                        lines.push('\n');
                        line.trace(&function.source);
                    }
                }
            }
        }
    }
    let traced = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let traced: Vec<&str> = traced.lines().collect();
    assert!(traced.iter().any(|line| line.contains("request failed")), "faults are logged");
    assert!(traced.iter().any(|line| line.contains("\"message\":\"request\"")), "requests are logged");
    assert!(lines.lines().count() > 90);
    for secret in [
        DEVELOPER,
        GUEST,
        unknown,
        WEBHOOK_SECRET,
        TOKEN_KEY,
        in_query,
        in_body,
        "a-cookie",
        "not-a-token-at-all",
        "Bearer",
    ] {
        assert!(!lines.contains(secret), "{secret} is in a line");
        let told = traced.iter().find(|line| line.contains(secret));
        assert!(told.is_none(), "{secret} is in the log: {told:?}");
    }
}
