//! Gateway events through every function: each gets an answer that the gateway can read, and no stranger's input
//! makes it a 5xx (which clients would repeat), but the 501 of what is not served yet.

use std::sync::Arc;

use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use shared::config::Config;
use shared::extract::BODY_LIMIT;

use super::mutation::mutated;
use super::survive;
use crate::house::read;
use crate::hub::{DEVELOPER, Hub};

const SECRET: &str = "a webhook secret of the tests";

const BODIES: &[&str] = &[
    "",
    r#"{"name":"fuzz","tags":[{"key":"a","value":"b"}],"artifact_location":"s3://b/k"}"#,
    r#"{"experiment_ids":["1"],"filter":"metrics.a > 1 AND params.b = 'c'","order_by":["metrics.a DESC"],"max_results":10,"page_token":"x"}"#,
    r#"{"run_id":"RUN","metrics":[{"key":"a","value":1.5,"timestamp":1,"step":0},{"key":"b","value":"NaN","timestamp":"2","step":"3"}],"params":[{"key":"p","value":"v"}],"tags":[]}"#,
    r#"{"runId":"RUN","key":"k","value":1e308,"timestamp":-1,"step":9223372036854775807,"model_id":"m-1"}"#,
    r#"{"run_id":"RUN","datasets":[{"tags":[],"dataset":{"name":"d","digest":"x","source_type":"s","source":"{}"}}],"models":[{"model_id":"m-1"}]}"#,
    r#"{"name":"flood","source":"runs:/RUN/model","run_id":"RUN","stage":"Production","archive_existing_versions":true,"alias":"a","version":"1","new_name":"x"}"#,
    r#"{"experiment_id":"1","name":"m","params":[{"key":"a","value":"b"}],"tags":[],"status":"LOGGED_MODEL_READY","model_type":"t","source_run_id":"RUN"}"#,
    r#"{"path":"/home/me/w.bin","num_parts":3,"upload_id":"u","parts":[{"part_number":1,"etag":"\"e\"","url":"http://x/"}]}"#,
    r#"{"collections":["aimodel"],"bbox":[0,0,1,1],"filter":{"op":"=","args":[{"property":"title"},"x"]},"limit":5,"intersects":null}"#,
    r#"{"object_kind":"push","event_name":"push","project_id":1,"ref":"refs/heads/main","checkout_sha":"0","project":{"id":1,"path_with_namespace":"earth/flood-model"},"commits":[]}"#,
    r#"{"object_kind":"release","project":{"id":999999},"event_name":"project_destroy","project_id":2}"#,
    "run_uuid=RUN&path=a%2Fb",
];
const BODY_WORDS: &[&str] = &[
    "RUN",
    "\"experiment_id\":\"1\",",
    "\"run_id\":\"RUN\",",
    "\"runId\":",
    "\"max_results\":",
    "\"filter\":\"",
    "\"page_token\":\"",
    "\"tags\":[{\"key\":\"a\"}],",
    "{\"key\":\"a\",\"value\":\"b\"},",
    "[[[[",
    "]]]]",
    "1e999",
    "-1",
    "\"\\ud800\"",
    "\"name\":\"\"",
    "null,",
    "\"parts\":[",
    "\"etag\":\"\",",
    "\"project_id\":",
];
const QUERIES: &[&str] = &[
    "",
    "run_id=RUN&metric_key=a&max_results=5&page_token=x",
    "experiment_id=1&run_ids=RUN&run_ids[]=RUN&start_step=0&end_step=10",
    "name=flood&alias=a&version=1&filter=name%20LIKE%20'f%25'&order_by=name",
    "path=model%2FMLmodel&run_uuid=RUN&artifact_file_path=a",
    "collections=aimodel&q=flood&bbox=0,0,1,1&datetime=2024-01-01/..&limit=5&sortby=-id&fields=id",
    "ref=main&path=README.md&mode=x&format=zip",
];
const QUERY_WORDS: &[&str] = &[
    "run_id=RUN",
    "&path=",
    "..",
    "%2e%2e%2f",
    "%00",
    "%zz",
    "&max_results=-1",
    "&limit=",
    "&filter=",
    "&page_token=",
    "&token=",
    "[]",
    "&",
];
const PIECES: &[&str] = &[
    "earth/flood-model",
    "1",
    "RUN",
    "artifacts",
    "model",
    "README.md",
    "repository",
    "archive.zip",
    "aimodel",
    "m-1",
    "tags",
    "..",
    "%2e%2e",
];
const HEADERS: &[(&str, &[&str])] = &[
    (
        "authorization",
        &["Bearer glpat-local-developer", "Bearer glpat-local-guest", "Bearer nonsense", "Basic !", "Basic Og=="],
    ),
    ("x-gitlab-token", &[SECRET, "glpat-local-outsider", ""]),
    (
        "content-type",
        &[
            "application/json",
            "application/json; charset=utf-16",
            "text/plain",
            "multipart/form-data; boundary=x",
            "\u{e9}",
        ],
    ),
    ("range", &["bytes=0-1", "bytes=-", "bytes=5-1", "lines=1"]),
    ("if-none-match", &["*", "\"x\"", "W/"]),
    ("x-gitlab-event", &["Push Hook", "System Hook", "Nonsense"]),
    ("x-gitlab-event-uuid", &["1", "../.."]),
    ("host", &["a b", "[::1", "hub.example.com:99999"]),
    ("accept-encoding", &["gzip", "gzip;q=0", "br, *"]),
    ("content-length", &["99999999999", "-1"]),
    ("origin", &["null", "https://e.test"]),
    ("access-control-request-method", &["POST", "\u{1}"]),
    ("x-forwarded-proto", &["", "javascript"]),
    ("cookie", &["a=b; c"]),
];

const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"];

/// A function, and what its routes are.
struct Function {
    router: Router,
    routes: Vec<(String, String)>,
}

fn functions(hub: &Hub) -> Vec<Function> {
    let mut state = hub.state.clone();
    state.config = Arc::new(Config { webhook_secret: Some(SECRET.into()), ..(*state.config).clone() });
    let function = |base: &str, routes: Vec<shared::route::Route>, router: Router| Function {
        router,
        routes: routes.iter().map(|route| (route.method.to_string(), format!("{base}{}", route.path))).collect(),
    };
    vec![
        function("/mlflow", mlflow_tracking::routes(), mlflow_tracking::router(&state)),
        function("/mlflow", mlflow_registry::routes(), mlflow_registry::router(&state)),
        function("/mlflow", mlflow_artifacts::routes(), mlflow_artifacts::router(&state)),
        function("/mlflow/earth/flood-model/tracking", mlflow_project::routes(), mlflow_project::router(&state)),
        function("", stac_catalog::routes(), stac_catalog::router(&state)),
        function("", file_download::routes(), file_download::router(&state)),
        function("", catalog_sync::routes(), catalog_sync::router(&state)),
        function("", api_docs::routes(), api_docs::router(&state)),
    ]
}

#[derive(Clone, Debug)]
struct Request {
    function: Index,
    route: Index,
    /// In place of the route's own.
    method: Option<&'static str>,
    /// For the route's variables.
    pieces: Vec<String>,
    /// Behind the route's path.
    more: String,
    query: String,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
    /// Is the body, which is base64 then, sent as it is although it is called base64?
    broken: bool,
}

fn request() -> impl Strategy<Value = Request> {
    let method = prop_oneof![4 => Just(None), 1 => select(METHODS).prop_map(Some)];
    let header = select(HEADERS).prop_flat_map(|(name, values)| (Just(name), select(values)));
    let more = prop_oneof![6 => Just(String::new()), 1 => mutated(PIECES, PIECES)];
    let pieces = proptest::collection::vec(mutated(PIECES, PIECES), 3);
    let texts = (mutated(QUERIES, QUERY_WORDS), mutated(BODIES, BODY_WORDS));
    let headers = proptest::collection::vec(header, 0..4);
    let index = any::<Index>;
    (index(), index(), method, pieces, more, texts, headers, prop::bool::weighted(0.03)).prop_map(
        |(function, route, method, pieces, more, (query, body), headers, broken)| Request {
            function,
            route,
            method,
            pieces,
            more,
            query,
            headers,
            body,
            broken,
        },
    )
}

impl Request {
    fn event(&self, function: &Function, run: &str) -> Value {
        let (method, pattern) = &function.routes[self.route.index(function.routes.len())];
        let mut pieces = self.pieces.iter();
        let segments = pattern.split('/').map(|segment| match segment.starts_with('{') {
            true => pieces.next().map_or("x", String::as_str),
            false => segment,
        });
        let path = format!("{}{}", segments.collect::<Vec<_>>().join("/"), self.more).replace("RUN", run);
        // What a client sends most of the time; later ones take their place.
        let mut headers = json!({"authorization": format!("Bearer {DEVELOPER}"), "content-type": "application/json"});
        for (name, value) in &self.headers {
            headers[*name] = json!(value);
        }
        let mut event: Value = serde_json::from_str(&read("events/tracking.json")).unwrap();
        event["requestContext"]["http"]["method"] = json!(self.method.unwrap_or(method));
        event["requestContext"]["http"]["path"] = json!(path);
        event["rawPath"] = json!(path);
        event["rawQueryString"] = json!(self.query.replace("RUN", run));
        event["headers"] = headers;
        let body = self.body.replace("RUN", run);
        event["body"] = json!(if self.broken { body } else { STANDARD.encode(body) });
        event["isBase64Encoded"] = json!(true);
        event
    }
}

/// What the gateway demands of an answer, and clients of a refusal.
pub fn check(answer: &ApiGatewayV2httpResponse, event: &Value) {
    let status = answer.status_code;
    assert!((200..500).contains(&status) || status == 501, "{status} {answer:?} to {event}");
    let wire = serde_json::to_value(answer).unwrap();
    let text = wire["body"].as_str().unwrap_or_default();
    let bytes = match wire["isBase64Encoded"] == true {
        true => STANDARD.decode(text).unwrap(),
        false => text.as_bytes().to_vec(),
    };
    assert!(bytes.len() <= BODY_LIMIT);
    assert!(answer.headers.iter().all(|(_, value)| value.to_str().is_ok()), "{answer:?}");
    if status >= 400 && !bytes.is_empty() {
        let body: Value = serde_json::from_slice(&bytes).unwrap_or_else(|why| panic!("{why}: {answer:?} to {event}"));
        assert!(body["error_code"].is_string() || body["detail"].is_string(), "{body} to {event}");
    }
}

#[test]
fn events() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (hub, run) = runtime.block_on(async {
        let hub = Hub::start().await;
        let experiment = hub.new_experiment("abuse").await;
        let run = hub.new_run(&experiment).await;
        (hub, run)
    });
    let functions = functions(&hub);
    survive("gateway events", &request(), |request| {
        let function = &functions[request.function.index(functions.len())];
        let event = request.event(function, &run);
        // What is no event of the gateway's never comes to a function's code.
        let Ok(parsed) = serde_json::from_value::<ApiGatewayV2httpRequest>(event.clone()) else { return };
        let answer = runtime.block_on(shared::lambda::answer(function.router.clone(), parsed, "the-id-of-lambda"));
        check(&answer, &event);
    });
}

/// What is repeated to a client must not make the refusal too large to be sent.
#[tokio::test]
async fn a_huge_mistake_is_still_the_clients() {
    let hub = Hub::start().await;
    let quotes = "\"".repeat(2_200_000);
    for endpoint in ["experiments/create", "runs/search", "runs/log-batch"] {
        for member in ["name", "experiment_ids", "filter", "run_id", "metrics"] {
            for value in [json!(quotes), json!([quotes])] {
                let answer = hub.post(endpoint, json!({member: value})).await;
                let status = answer.status.as_u16();
                assert!(status < 500, "{endpoint} {member}: {status}");
                assert!(answer.bytes.len() < 200_000, "{endpoint} {member}: {} bytes", answer.bytes.len());
            }
        }
    }
    // As large as a search may be.
    let quotes = &quotes[..120_000];
    for member in ["collections", "ids", "q", "filter", "intersects", "datetime", "sortby", "fields", "token", "x"] {
        for value in [json!(quotes), json!([quotes]), json!({quotes: 1})] {
            let body = Some(json!({member: value}));
            let answer = hub.call(DEVELOPER, http::Method::POST, "/api/stac/search", body).await;
            assert!(answer.status.as_u16() < 500, "{member}: {}", answer.status);
            assert!(answer.bytes.len() < BODY_LIMIT - 3_000_000, "{member}: {} bytes", answer.bytes.len());
        }
    }
}

#[test]
fn events_of_other_shapes() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let router = runtime.block_on(async { api_docs::router(&Hub::start().await.state) });
    survive("shapes of events", &mutated(SHAPES, SHAPE_WORDS), |text| {
        if let Ok(event) = serde_json::from_str::<ApiGatewayV2httpRequest>(&text) {
            let answer = runtime.block_on(shared::lambda::answer(router.clone(), event, "the-id-of-lambda"));
            check(&answer, &json!(text));
        }
    });
}

const SHAPES: &[&str] = &[
    r#"{"version":"2.0","routeKey":"$default","rawPath":"/api/docs","rawQueryString":"a=b","cookies":["a=b"],"headers":{"host":"h"},"queryStringParameters":{"a":"b"},"requestContext":{"accountId":"1","apiId":"a","domainName":"d","http":{"method":"GET","path":"/","protocol":"HTTP/1.1","sourceIp":"1.2.3.4","userAgent":"u"},"requestId":"r","routeKey":"$default","stage":"$default","time":"t","timeEpoch":1},"isBase64Encoded":false}"#,
    r#"{"rawPath":"/openapi.json","headers":{},"requestContext":{"http":{"method":"HEAD"}},"body":"eyJ9","isBase64Encoded":true,"pathParameters":{"proxy":"x"},"stageVariables":{"a":"b"}}"#,
    r#"{"requestContext":{"http":{"method":"POST","path":"/x"},"authorizer":{"lambda":{}}},"body":"{}","isBase64Encoded":false}"#,
];
const SHAPE_WORDS: &[&str] = &[
    "\"rawPath\":null,",
    "\"rawPath\":\"\",",
    "\"cookies\":[\"\\n\"],",
    "\"headers\":{\"host\":\"a b\"},",
    "\"stage\":\"prod\",",
    "\"body\":null,",
    "\"isBase64Encoded\":true,",
    "\"method\":\"\",",
    "{}",
    "[]",
    "null",
];
