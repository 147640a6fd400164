//! Running a router as a Lambda behind API Gateway's HTTP API (payload version 2).
//!
//! The path is taken raw from the event and encoded here, before anything routes on it: what
//! `lambda_http` makes of it has dot segments resolved and `\`, `#` and `?` reinterpreted, so two
//! different resources could meet at one path.

use std::future::ready;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::header::HOST;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, Request, Response, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Limited};
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use lambda_http::lambda_runtime::{self, LambdaEvent, service_fn};
use lambda_http::request::LambdaRequest;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tower::ServiceExt;

use crate::answer::unsendable;
use crate::aws::environment;
use crate::clock::Clock;
use crate::config::{Config, TOKEN_KEY, Variables, variable};
use crate::dialect::{Dialect, RequestId};
use crate::error::{Error, Result};
use crate::extract::BODY_LIMIT;
use crate::function::Function;
use crate::log::{EVENT, Line};
use crate::record::{Done, recorded};
use crate::route::render;
use crate::state::{AppState, Clients};

/// What ends a function.
pub type Failure = lambda_http::Error;

/// How long a cold start waits for its first connection to DynamoDB.
const CONNECT: Duration = Duration::from_secs(2);

/// How long a request may take: Lambda ends it after 29 s, and would say nothing that clients repeat a request for.
const LONGEST_REQUEST: Duration = Duration::from_secs(27);

/// How long before Lambda ends an invocation its work must be done.
const BEFORE_THE_END: Duration = Duration::from_secs(5);

/// Bytes of a text up to which an answer travels as a JSON string. Escaping may grow a text more than
/// base64's third, and an answer at the limit would then exceed Lambda's 6 MB.
const LARGEST_TEXT: usize = 1_000_000;

/// What a path keeps as it is: RFC 3986's `pchar` and the slash. `%` is not among it: the path is decoded already.
const ENCODED_IN_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// What a query, already encoded by the client, must not hold verbatim.
const ENCODED_IN_QUERY: &AsciiSet =
    &percent_encoding::CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'`');

/// Serves `router` until the environment ends: one JSON line per request in the log.
pub async fn run(router: fn(&AppState) -> Router) -> std::result::Result<(), Failure> {
    serve_requests(start(initialise(router)).await?).await
}

/// As [`run`], for a function all of whose routes are open to anyone: it gets no secret and reads no data.
pub async fn run_open(router: fn(&AppState) -> Router) -> std::result::Result<(), Failure> {
    let open = async {
        // Nothing is signed with it that another instance would have to understand.
        let key = uuid::Uuid::new_v4().to_string();
        let variables = move |name: &str| if name == TOKEN_KEY { Some(key.clone()) } else { variable(name) };
        Function::new(Box::new(variables.clone()), clients(&variables)?, router)
    };
    serve_requests(start(open).await?).await
}

async fn serve_requests(function: Function) -> std::result::Result<(), Failure> {
    let function = Arc::new(function);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<ApiGatewayV2httpRequest>| {
        let function = function.clone();
        async move {
            let (answer, line) = serve(&function, event.payload, &event.context.request_id).await;
            line.write(&function.source);
            Ok::<_, Failure>(answer)
        }
    }))
    .await
}

/// As [`run`], for a function that the gateway is not the only one to call: what is no request goes to
/// `handle`, with the instant by which it must be done.
pub async fn run_events<H>(
    router: fn(&AppState) -> Router,
    handle: fn(AppState, Value, Instant) -> H,
) -> std::result::Result<(), Failure>
where
    H: Future<Output = Result<Value>>,
{
    let function = Arc::new(start(initialise(router)).await?);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let function = function.clone();
        async move {
            let LambdaEvent { payload, context } = event;
            if payload.get("requestContext").is_some() {
                let request = serde_json::from_value(payload)?;
                let (answer, line) = serve(&function, request, &context.request_id).await;
                line.write(&function.source);
                return Ok::<_, Failure>(serde_json::to_value(answer)?);
            }
            let begun = Instant::now();
            let kind = if payload.get("Records").is_some() { "stream" } else { "schedule" };
            let (handled, done) = recorded(async {
                let (state, _) = function.serving(None).await?;
                let left = context.deadline.saturating_sub(u64::try_from(state.clock.now_ms()).unwrap_or_default());
                let deadline = Instant::now() + Duration::from_millis(left).saturating_sub(BEFORE_THE_END);
                handle(state, payload, deadline).await
            })
            .await;
            let line = Line {
                request_id: context.request_id.clone(),
                lambda_id: Some(context.request_id.clone()),
                method: EVENT.to_owned(),
                path: kind.to_owned(),
                status: if handled.is_ok() { 200 } else { 500 },
                duration: begun.elapsed(),
                cold_start: function.is_cold(),
                done,
                now_ms: function.clock().now_ms(),
            };
            line.write(&function.source);
            handled.map_err(|error| {
                tracing::error!(lambda_id = context.request_id, %error, "an event was not handled");
                error.into()
            })
        }
    }))
    .await
}

/// Begins to log, then makes the function.
async fn start(make: impl Future<Output = Result<Function>>) -> std::result::Result<Function, Failure> {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_max_level(tracing::Level::INFO)
        .init();
    make.await.map_err(|error| {
        tracing::error!(%error, "the function cannot start");
        error.into()
    })
}

/// Everything that a cold start can do before its first request, while Lambda gives it a full processor.
async fn initialise(router: fn(&AppState) -> Router) -> Result<Function> {
    let clients = clients(&variable)?;
    let function = Function::new(Box::new(variable), clients.clone(), router)?;
    // A table that does not answer now may answer the request.
    match tokio::time::timeout(CONNECT, clients.store.connect()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "DynamoDB refused the first request"),
        Err(_) => tracing::warn!("DynamoDB did not answer the first request"),
    }
    Ok(function)
}

fn clients(variables: &Variables) -> Result<Clients> {
    let config = Config::read(variables, None)?;
    let (dynamodb, s3) = environment(variables);
    Clients::new(&config, &dynamodb, &s3, Clock::default())
}

/// The whole way of one gateway event through a function, which may first have to read its secrets: 503 as long as it
/// cannot. The answer, and the line that the log gets.
pub async fn serve(
    function: &Function,
    event: ApiGatewayV2httpRequest,
    lambda_id: &str,
) -> (ApiGatewayV2httpResponse, Line) {
    let begun = Instant::now();
    let mut line = Line {
        request_id: event.request_context.request_id.clone().unwrap_or_else(|| lambda_id.to_owned()),
        lambda_id: Some(lambda_id.to_owned()),
        method: event.request_context.http.method.to_string(),
        path: event.raw_path.clone().unwrap_or_default(),
        status: 0,
        duration: Duration::ZERO,
        cold_start: function.is_cold(),
        done: Done::default(),
        now_ms: function.clock().now_ms(),
    };
    // In a box: it is large, and each layer around it would hold it on the stack once more.
    let work = Box::pin(async {
        let router = match function.serving(event.request_context.domain_name.as_deref()).await {
            Ok((_, router)) => router,
            Err(error) => render(Router::new().fallback(move || ready(error.clone())), Dialect::of(&line.path)),
        };
        answer(router, event, lambda_id).await
    });
    let (response, done) = recorded(async {
        match tokio::time::timeout(LONGEST_REQUEST, work).await {
            Ok(response) => response,
            Err(_) => {
                let error = Error::Unavailable(format!("a request took longer than {LONGEST_REQUEST:?}"));
                tracing::error!(request_id = line.request_id, %error, "request failed");
                whole(Dialect::of(&line.path).render(&error, &line.request_id), &line.request_id, &line.path).await
            }
        }
    })
    .await;
    line.status = u16::try_from(response.status_code).unwrap_or(500);
    line.duration = begun.elapsed();
    line.done = done;
    (response, line)
}

/// The whole way of one gateway event through `router`.
pub async fn answer(router: Router, event: ApiGatewayV2httpRequest, lambda_id: &str) -> ApiGatewayV2httpResponse {
    let request_id = event.request_context.request_id.clone().unwrap_or_else(|| lambda_id.to_owned());
    let path = event.raw_path.clone().unwrap_or_default();
    let response = match request(event, &request_id) {
        Ok(request) => match router.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        },
        Err(error) => Dialect::of(&path).render(&error, &request_id),
    };
    whole(response, &request_id, &path).await
}

/// The HTTP request that an event stands for, its URI built from the raw path and query.
fn request(mut event: ApiGatewayV2httpRequest, request_id: &str) -> Result<Request<Body>> {
    let uri = uri(&event.raw_path.take().unwrap_or_default(), &event.raw_query_string.take().unwrap_or_default())?;
    // lambda_http makes a URI of these, and panics if it cannot; ours replaces it.
    let host = event.headers.remove(HOST);
    event.request_context.domain_name = None;
    event.request_context.stage = None;
    let body = body(event.body.take(), event.is_base64_encoded)?;
    let request: lambda_http::Request = LambdaRequest::ApiGatewayV2(event).into();
    let (mut parts, _) = request.into_parts();
    parts.uri = uri;
    if let Some(host) = host {
        parts.headers.insert(HOST, host);
    }
    parts.extensions.insert(RequestId(request_id.to_owned()));
    Ok(Request::from_parts(parts, body))
}

/// The body's bytes. `lambda_http` panics if what should be base64 is not.
fn body(text: Option<String>, is_base64: bool) -> Result<Body> {
    match text {
        None => Ok(Body::empty()),
        Some(text) if is_base64 => {
            STANDARD.decode(text).map(Body::from).map_err(|_| Error::invalid("The body is not base64."))
        }
        Some(text) => Ok(Body::from(text)),
    }
}

/// A URI that a router decodes to exactly `path`. Dot segments and backslashes are refused: a proxy or
/// storage behind us could read another path in them.
fn uri(path: &str, query: &str) -> Result<Uri> {
    if path.contains('\\') || path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(Error::invalid("The path must not contain `.` or `..` segments or backslashes."));
    }
    let slash = if path.starts_with('/') { "" } else { "/" };
    let mut encoded = format!("{slash}{}", utf8_percent_encode(path, ENCODED_IN_PATH));
    if !query.is_empty() {
        encoded.push('?');
        encoded.extend(utf8_percent_encode(query, ENCODED_IN_QUERY));
    }
    let encoded = PathAndQuery::from_maybe_shared(encoded)
        .map_err(|error| Error::invalid(format!("The URL is malformed or too long: {error}")))?;
    Ok(Uri::from(encoded))
}

/// The gateway's form of an answer.
async fn whole(response: Response<Body>, request_id: &str, path: &str) -> ApiGatewayV2httpResponse {
    let (parts, body) = response.into_parts();
    let (parts, bytes) = match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => (parts, body.to_bytes()),
        Err(error) => {
            let error = unsendable(error.as_ref());
            tracing::error!(request_id, %error, "request failed");
            let (parts, body) = Dialect::of(path).render(&error, request_id).into_parts();
            (parts, body.collect().await.map(|body| body.to_bytes()).unwrap_or_default())
        }
    };
    let body = match String::from_utf8(bytes.into()) {
        Ok(text) if text.is_empty() => None,
        Ok(text) if text.len() <= LARGEST_TEXT => Some(lambda_http::Body::Text(text)),
        Ok(text) => Some(lambda_http::Body::Binary(text.into_bytes())),
        Err(error) => Some(lambda_http::Body::Binary(error.into_bytes())),
    };
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = parts.status.as_u16().into();
    answer.headers = single_values(&parts.headers);
    answer.is_base64_encoded = matches!(body, Some(lambda_http::Body::Binary(_)));
    answer.body = body;
    answer
}

/// The gateway takes one value per header: several become one list.
fn single_values(headers: &HeaderMap) -> HeaderMap {
    let mut single = HeaderMap::with_capacity(headers.keys_len());
    for name in headers.keys() {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        if let Ok(value) = HeaderValue::from_str(&values.join(", ")) {
            single.insert(name, value);
        }
    }
    single
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    #[test]
    fn a_path_keeps_what_the_client_meant() {
        for (path, expected) in [
            ("/mlflow/health", "/mlflow/health"),
            ("/a b/c#d?e", "/a%20b/c%23d%3Fe"),
            ("/50%/x%2Fy", "/50%25/x%252Fy"),
            ("/größe/模型", "/gr%C3%B6%C3%9Fe/%E6%A8%A1%E5%9E%8B"),
            ("/x/%2e%2e/y", "/x/%252e%252e/y"),
            ("/@a:b+c=d/...", "/@a:b+c=d/..."),
            ("//evil.example/x", "//evil.example/x"),
            ("", "/"),
        ] {
            assert_eq!(uri(path, "").unwrap().path(), expected, "{path}");
        }
    }

    #[test]
    fn dot_segments_and_backslashes_are_refused() {
        for path in ["/a/../b", "/..", "/a/.", "/./a", "/a\\b", "..", "/a/..\\b"] {
            assert!(matches!(uri(path, ""), Err(Error::Invalid(_))), "{path}");
        }
    }

    #[test]
    fn a_query_stays_as_the_client_encoded_it() {
        let uri = uri("/a", "path=x%2Fy%20z&filter=a<b \"c\"&e=#f").unwrap();
        assert_eq!(uri.query().unwrap(), "path=x%2Fy%20z&filter=a%3Cb%20%22c%22&e=%23f");
    }

    proptest! {
        #[test]
        fn decoding_gives_the_raw_path_back(path in "/[^\\\\]{0,60}") {
            prop_assume!(!path.split('/').any(|segment| matches!(segment, "." | "..")));
            let uri = uri(&path, "").unwrap();
            prop_assert_eq!(uri.query(), None);
            prop_assert_eq!(percent_decode_str(uri.path()).decode_utf8().unwrap(), path);
        }

        #[test]
        fn any_query_is_a_query(query in ".{1,60}") {
            let uri = uri("/a", &query).unwrap();
            prop_assert_eq!(uri.path(), "/a");
        }
    }
}
