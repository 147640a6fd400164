//! A function that reads its secrets from the AWS Parameters and Secrets Lambda extension, over the extension's wire.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::get;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::config::Config;
use shared::function::Function;
use shared::lambda::serve;
use shared::state::{AppState, Clients};
use tokio::sync::watch;

use crate::catalog::ADMIN;
use crate::hub::{DEVELOPER, Hub, listen};

const KEY_ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:TokenKey-AbCdEf";
const TOKEN_ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:perigee/gitlab-AbCdEf";
const HOOK_ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:Webhooks-AbCdEf";
const KEY: &str = "a key that Secrets Manager made";
const HOOK: &str = "a webhook secret that it made";

/// How the extension answers.
#[derive(Clone, Default)]
struct Extension(Arc<Mutex<World>>);

#[derive(Default)]
struct World {
    secrets: BTreeMap<&'static str, String>,
    /// So many requests are answered as during initialisation.
    not_ready: u32,
    broken: bool,
    slow: bool,
    asked: Vec<String>,
}

impl Extension {
    fn with_all() -> Self {
        let extension = Self::default();
        extension.0.lock().unwrap().secrets =
            [(KEY_ARN, KEY), (TOKEN_ARN, ADMIN), (HOOK_ARN, HOOK)].map(|(arn, text)| (arn, text.to_owned())).into();
        extension
    }

    fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    fn asked(&self) -> usize {
        self.change(|world| std::mem::take(&mut world.asked).len())
    }
}

async fn answer(State(extension): State<Extension>, headers: HeaderMap, uri: Uri) -> (StatusCode, String) {
    let (slow, answer) = extension.change(|world| {
        let mut query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let arn = query.find(|(name, _)| name == "secretId").map(|(_, arn)| arn.into_owned()).unwrap();
        world.asked.push(arn.clone());
        if headers.get("x-aws-parameters-secrets-token").is_none_or(|token| token != "the session's token") {
            return (false, (StatusCode::UNAUTHORIZED, "no token".to_owned()));
        }
        if world.not_ready > 0 {
            world.not_ready -= 1;
            return (false, (StatusCode::BAD_REQUEST, "not ready to serve traffic, please wait".to_owned()));
        }
        if world.broken {
            return (false, (StatusCode::INTERNAL_SERVER_ERROR, "an unexpected error occurred".to_owned()));
        }
        let answer = match world.secrets.get(arn.as_str()) {
            Some(text) => (StatusCode::OK, json!({ "ARN": arn, "SecretString": text }).to_string()),
            None => (StatusCode::BAD_REQUEST, "ResourceNotFoundException: no such secret".to_owned()),
        };
        (world.slow, answer)
    });
    if slow {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    answer
}

/// A function on the services of `hub` whose secrets are the extension's.
struct Stage {
    function: Function,
    extension: Extension,
    clock: Clock,
    _stop: watch::Sender<bool>,
}

impl Stage {
    async fn new(hub: &Hub, extension: Extension, router: fn(&AppState) -> Router) -> Self {
        let (stop, stopped) = watch::channel(false);
        let served = Router::new().route("/secretsmanager/get", get(answer)).with_state(extension.clone());
        let port = listen(served, stopped).rsplit(':').next().unwrap().to_owned();
        let settings: BTreeMap<&str, String> = [
            ("PERIGEE_TABLE", hub.state.config.table.clone()),
            ("PERIGEE_BUCKET", hub.state.config.bucket.clone()),
            ("PERIGEE_GITLAB_URL", hub.state.config.gitlab_url.clone()),
            ("PERIGEE_TOKEN_KEY_ARN", KEY_ARN.into()),
            ("PERIGEE_SYNC_TOKEN_ARN", TOKEN_ARN.into()),
            ("PERIGEE_WEBHOOK_SECRET_ARN", HOOK_ARN.into()),
            ("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", port),
            ("AWS_SESSION_TOKEN", "the session's token".into()),
        ]
        .into();
        let variables = move |name: &str| settings.get(name).cloned();
        let config = Config::read(&variables, None).unwrap();
        assert_eq!((config.token_key.as_str(), config.sync_token.is_none()), ("", true));
        let (dynamodb, s3) = (hub.backends.dynamodb.sdk_config().await, hub.backends.s3.sdk_config().await);
        let clients = Clients::new(&config, &dynamodb, &s3, hub.clock.clone()).unwrap();
        let function = Function::new(Box::new(variables), clients, router).unwrap();
        assert_eq!(extension.asked(), 0, "nothing is read before the first event");
        Self { function, extension, clock: hub.clock.clone(), _stop: stop }
    }

    async fn ask(&self, token: &str, method: &str, path: &str, body: Value) -> ApiGatewayV2httpResponse {
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
            "headers": { "authorization": format!("Bearer {token}"), "x-gitlab-token": token,
                         "content-type": "application/json" },
            "requestContext": {
                "accountId": "123456789012", "apiId": "a1", "domainName": "a1.execute-api.eu-west-1.amazonaws.com",
                "domainPrefix": "a1", "requestId": "the-id-of-the-gateway", "routeKey": "$default", "stage": "$default",
                "time": "23/Nov/2026:12:00:00 +0000", "timeEpoch": 1_795_435_200_000_u64,
                "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
                          "userAgent": "test" },
            },
            "body": body.to_string(), "isBase64Encoded": false,
        });
        let event: ApiGatewayV2httpRequest = serde_json::from_value(event).unwrap();
        serve(&self.function, event, "the-id-of-lambda").await.0
    }

    async fn list(&self) -> i64 {
        let body = json!({ "max_results": 1 });
        self.ask(DEVELOPER, "POST", "/mlflow/api/2.0/mlflow/experiments/search", body).await.status_code
    }

    async fn hook(&self, secret: &str) -> i64 {
        let body = json!({ "object_kind": "push", "project_id": 1 });
        self.ask(secret, "POST", "/api/webhooks/gitlab", body).await.status_code
    }
}

fn text(answer: &ApiGatewayV2httpResponse) -> String {
    match &answer.body {
        Some(lambda_http::Body::Text(text)) => text.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_first_event_reads_the_secrets_and_the_next_ones_keep_them() {
    let hub = Hub::start().await;
    let extension = Extension::with_all();
    extension.change(|world| world.not_ready = 4);
    let stage = Stage::new(&hub, extension, mlflow_tracking::router).await;
    assert_eq!(stage.list().await, 200);
    assert_eq!(stage.extension.asked(), 3 + 4, "each of the three once, and again where it was not ready");
    assert_eq!(stage.list().await, 200);
    assert_eq!(stage.extension.asked(), 0);
    let (state, _) = stage.function.serving(None).await.unwrap();
    assert_eq!((state.config.token_key.as_str(), state.config.webhook_secret.as_deref()), (KEY, Some(HOOK)));
    assert_eq!(state.config.public_url, "https://a1.execute-api.eu-west-1.amazonaws.com");
}

#[tokio::test]
async fn without_secrets_a_request_ends_in_503_and_the_next_one_tries_again() {
    type Fault = (&'static str, fn(&mut World), fn(&mut World));
    let faults: [Fault; 5] = [
        ("not ready", |world| world.not_ready = 1_000, |world| world.not_ready = 0),
        ("broken", |world| world.broken = true, |world| world.broken = false),
        ("slow", |world| world.slow = true, |world| world.slow = false),
        (
            "missing",
            |world| drop(world.secrets.remove(KEY_ARN)),
            |world| drop(world.secrets.insert(KEY_ARN, KEY.to_owned())),
        ),
        (
            "too short",
            |world| drop(world.secrets.insert(KEY_ARN, "short".to_owned())),
            |world| drop(world.secrets.insert(KEY_ARN, KEY.to_owned())),
        ),
    ];
    let hub = Hub::start().await;
    let one = async |(name, break_it, mend_it): Fault| {
        let extension = Extension::with_all();
        extension.change(break_it);
        let stage = Stage::new(&hub, extension, mlflow_tracking::router).await;
        let begun = Instant::now();
        let path = "/mlflow/api/2.0/mlflow/experiments/search";
        let answer = stage.ask(DEVELOPER, "POST", path, json!({ "max_results": 1 })).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{name}: {:?}", begun.elapsed());
        assert_eq!(answer.status_code, 503, "{name}: {answer:?}");
        assert_eq!(answer.headers["retry-after"], "1", "{name}");
        let body = text(&answer);
        assert!(body.contains("TEMPORARILY_UNAVAILABLE") && body.contains("the-id-of-the-gateway"), "{name}: {body}");
        assert!(!body.contains("arn:") && !body.contains(KEY), "{name}: {body}");
        stage.extension.change(mend_it);
        assert_eq!(stage.list().await, 200, "{name}: mended");
    };
    futures::future::join_all(faults.map(one)).await;
}

#[tokio::test]
async fn the_session_is_shown_to_the_extension_and_a_refusal_is_final_for_the_request() {
    let hub = Hub::start().await;
    let stage = Stage::new(&hub, Extension::default(), stac_catalog::router).await;
    let answer = stage.ask(DEVELOPER, "GET", "/api/stac/", Value::Null).await;
    assert_eq!(answer.status_code, 503, "{answer:?}");
    let body: Value = serde_json::from_str(&text(&answer)).unwrap();
    assert_eq!(body["status_code"], 503, "the catalog's dialect: {body}");
    assert!(stage.extension.asked() <= 3, "what does not exist is not asked for again and again");
}

#[tokio::test]
async fn a_rotated_secret_is_used_within_minutes() {
    let hub = Hub::start().await;
    let stage = Stage::new(&hub, Extension::with_all(), catalog_sync::router).await;
    assert_eq!((stage.hook(HOOK).await, stage.hook("another").await), (200, 401));
    stage.extension.change(|world| world.secrets.insert(HOOK_ARN, "another".to_owned()));
    assert_eq!(stage.hook(HOOK).await, 200, "within five minutes the old one holds");
    stage.clock.advance(5 * 60 * 1_000);
    assert_eq!((stage.hook("another").await, stage.hook(HOOK).await), (200, 401));

    // What cannot be read again does not take away what is known; a minute later it is tried again.
    stage.extension.change(|world| world.secrets.remove(HOOK_ARN));
    stage.clock.advance(5 * 60 * 1_000);
    stage.extension.asked();
    assert_eq!((stage.hook("another").await, stage.extension.asked() > 0), (200, true));
    assert_eq!((stage.hook("another").await, stage.extension.asked()), (200, 0));
    stage.extension.change(|world| world.secrets.insert(HOOK_ARN, "a third".to_owned()));
    stage.clock.advance(60 * 1_000);
    assert_eq!((stage.hook("a third").await, stage.hook("another").await), (200, 401));
}

#[tokio::test]
async fn settings_in_clear_need_no_extension() {
    let settings = [
        ("PERIGEE_TABLE", "t"),
        ("PERIGEE_BUCKET", "b"),
        ("PERIGEE_GITLAB_URL", "https://gitlab.example.com"),
        ("PERIGEE_TOKEN_KEY", "a key that stands in the clear"),
        // What is given in clear goes first.
        ("PERIGEE_TOKEN_KEY_ARN", KEY_ARN),
    ];
    let variables =
        move |name: &str| settings.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned());
    assert_eq!(shared::config::secret_references(&variables), []);
    let config = Config::read(&variables, None).unwrap();
    assert_eq!(config.token_key, "a key that stands in the clear");
    assert!(config.validate().is_ok());
    let without = move |name: &str| variables(name).filter(|_| !name.starts_with("PERIGEE_TOKEN_KEY"));
    assert!(Config::read(&without, None).unwrap_err().to_string().contains("PERIGEE_TOKEN_KEY is not set"));
}
