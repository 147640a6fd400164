//! Uploads in parts, begun, completed and ended by requests of all shapes: what they change lies below the one run that
//! they name, and what other uploads and files there are stays as it was.

use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::gateway::check;
use super::mutation::mutated;
use super::survive;
use crate::hub::{DEVELOPER, FLOOD, GLOBAL, Hub, OUTSIDER};

/// The view of a project that the developer does not see.
const LAB: &str = "/mlflow/lab/secret-model/tracking";
const MPU: &str = "2.0/mlflow-artifacts/mpu";

/// The file of the upload that every input finds begun, with two parts put.
const FILE: &str = "w.bin";

const DIRECTORIES: &[&str] = &[
    "EXPERIMENT/RUN/artifacts",
    "EXPERIMENT/RUN/artifacts/d/gr%C3%B6%C3%9Fe%201",
    "EXPERIMENT/RUN/artifacts/../../../STRANGER/artifacts",
    "EXPERIMENT/RUN/artifacts/%2e%2e/%252e%252e/x",
    "EXPERIMENT/models/m-RUN/artifacts/model",
    "STRANGER/artifacts/d",
    "0/RUN/artifacts",
];
const DIRECTORY_WORDS: &[&str] = &[
    "EXPERIMENT",
    "RUN",
    "STRANGER",
    "/artifacts",
    "models/",
    "..",
    "/../",
    "%2e%2e",
    "%252F",
    "%5c",
    "%00",
    "C:",
    "//",
];

const BODIES: &[&str] = &[
    r#"{"path":"w.bin","num_parts":2}"#,
    r#"{"path":"C:\\d\\w.bin","numParts":"3"}"#,
    r#"{"path":"/d/w.bin","upload_id":"OWN_ID","parts":[{"part_number":1,"etag":"\"ETAG_1\"","url":"http://x/"}]}"#,
    r#"{"path":"w.bin","uploadId":"OWN_ID","parts":[{"partNumber":"1","etag":"ETAG_1"},{"part_number":2,"etag":"ETAG_2"}]}"#,
    r#"{"path":"w.bin","upload_id":"OTHER_ID"}"#,
];
const BODY_WORDS: &[&str] = &[
    "OWN_ID",
    "OTHER_ID",
    "STRANGERS_ID",
    "ENDED_ID",
    "ETAG_1",
    "ETAG_2",
    "\"upload_id\":",
    "\"num_parts\":",
    "\"parts\":[",
    "{\"part_number\":2,\"etag\":\"ETAG_2\"},",
    "\"part_number\":",
    "null,",
    "../",
    "%2e%2e%2f",
    "</ETag><PartNumber>",
    "\\u0000",
    "1e999",
    "4294967297",
    "[[[[",
];

#[derive(Clone, Debug)]
struct Step {
    name: &'static str,
    view: &'static str,
    api: &'static str,
    directory: String,
    body: String,
}

/// Of no member's type.
fn odd() -> impl Strategy<Value = Value> {
    let values = [
        json!(null),
        json!(true),
        json!(1.5),
        json!(-1e308),
        json!(u64::MAX),
        json!(""),
        json!("\0\u{1}\n\u{ffff}"),
        json!("é".repeat(3_000)),
        json!("x".repeat(20_000)),
        json!([]),
        json!([[{}]]),
        json!({}),
    ];
    select(values.to_vec())
}

/// Mostly what belongs there.
fn member(good: impl Strategy<Value = Value> + 'static, bad: Vec<Value>) -> impl Strategy<Value = Value> {
    prop_oneof![24 => good, 3 => select(bad), 1 => odd()]
}

fn number(most: u64) -> impl Strategy<Value = Value> {
    let edges = [0, -1, 10_000, 10_001, 65_537, i64::from(i32::MAX) + 1, (1 << 32) + 1, i64::MAX];
    let texts = ["1", "2", " 1", "0x1", "1e0", "+1", "9223372036854775808"];
    let bad = edges.map(Value::from).into_iter().chain(texts.map(Value::from));
    member((1..=most).prop_map(Value::from), bad.collect())
}

fn texts(good: &'static [&'static str], bad: &'static [&'static str]) -> impl Strategy<Value = Value> {
    member(select(good).prop_map(Value::from), bad.iter().map(|text| json!(text)).collect())
}

/// Of members by name; now and then one has its other name or is missing.
fn object(members: Vec<(&'static str, &'static str, BoxedStrategy<Value>)>) -> impl Strategy<Value = Value> {
    let member = |(name, camel, value): (&'static str, &'static str, BoxedStrategy<Value>)| {
        let name = prop_oneof![40 => Just(Some(name)), 2 => Just(Some(camel)), 1 => Just(None)];
        (name, value).boxed()
    };
    let members: Vec<_> = members.into_iter().map(member).collect();
    members.prop_map(|members| {
        let named = members.into_iter().filter_map(|(name, value)| Some((name?.to_owned(), value)));
        Value::Object(named.collect::<Map<_, _>>())
    })
}

fn parts() -> impl Strategy<Value = Value> {
    let etags = texts(
        &["ETAG_1", "\"ETAG_1\"", "ETAG_2", "\"ETAG_2\""],
        &["W/\"ETAG_1\"", "00000000000000000000000000000000", "\"", "</ETag></Part><x>&amp;", "é", "ETAG_1\r\nX: y"],
    );
    let url = Just(json!("http://elsewhere/")).boxed();
    let part = object(vec![
        ("part_number", "partNumber", number(2).boxed()),
        ("etag", "ETag", etags.boxed()),
        ("url", "uri", url),
    ])
    .boxed();
    let list = |size| vec(part.clone(), size).prop_map(Value::from);
    let right = json!([{"part_number": 1, "etag": "ETAG_1"}]);
    let both = json!([{"part_number": 1, "etag": "ETAG_1"}, {"part_number": 2, "etag": "ETAG_2"}]);
    let rising =
        (1..12_000_u64).prop_map(|most| (1..=most).map(|at| json!({"part_number": at, "etag": "x"})).collect());
    prop_oneof![
        8 => Just(right),
        2 => Just(both),
        12 => list(1..4_usize),
        1 => (part.clone(), 2..11_000_usize).prop_map(|(part, times)| repeated(&part, times)),
        1 => rising,
        1 => odd(),
    ]
}

/// So often, but in a body that the gateway would take.
fn repeated(part: &Value, times: usize) -> Value {
    vec![part.clone(); times.min(4_000_000 / part.to_string().len())].into()
}

fn body() -> impl Strategy<Value = String> {
    let paths = texts(
        &[FILE, "/home/me/w.bin", "C:\\d\\w.bin", "größe 1.txt"],
        &["..", "a/..", "%2e%2e", "%252e%252e%252fx", "a%2Fb", "a\\", "/", "C:", "a#b", "a\0b", "a\nb", "a%00"],
    );
    let ids = texts(&["OWN_ID"], &["OTHER_ID", "STRANGERS_ID", "ENDED_ID", "", "../../x", "a&uploadId=b", "OWN_ID "]);
    let built = object(vec![
        ("path", "Path", paths.boxed()),
        ("num_parts", "numParts", number(3).boxed()),
        ("upload_id", "uploadId", ids.boxed()),
        ("parts", "Parts", parts().boxed()),
    ]);
    prop_oneof![3 => built.prop_map(|body| body.to_string()), 1 => mutated(BODIES, BODY_WORDS)]
}

fn step() -> impl Strategy<Value = Step> {
    let directory = prop_oneof![
        6 => Just(DIRECTORIES[0].to_owned()),
        2 => select(DIRECTORIES).prop_map(str::to_owned),
        2 => mutated(DIRECTORIES, DIRECTORY_WORDS),
    ];
    let names = select(&["create", "complete", "complete", "abort"][..]);
    let (views, apis) = (select(&[FLOOD, GLOBAL][..]), select(&["api", "ajax-api"][..]));
    (names, views, apis, directory, body()).prop_map(|(name, view, api, directory, body)| Step {
        name,
        view,
        api,
        directory,
        body,
    })
}

/// What lies in a bucket: a file's key, tag and size, or an upload's key, id and, below 0, number of parts.
type Things = Vec<(String, String, i64)>;

/// A run that an upload may write to, beside files and uploads that it may not.
struct Place {
    hub: Hub,
    s3: aws_sdk_s3::Client,
    functions: [(&'static str, Router); 2],
    /// `<experiment>/<run>/artifacts`
    own: String,
    /// The words of inputs, and what they stand for; those that are part of others come last.
    words: [(&'static str, String); 6],
}

impl Place {
    async fn new() -> Self {
        let hub = Hub::start().await;
        let config = aws_sdk_s3::config::Builder::from(&hub.backends.s3.sdk_config().await).force_path_style(true);
        let s3 = aws_sdk_s3::Client::from_conf(config.build());
        let experiment = hub.new_experiment("uploads").await;
        let (run, other) = (hub.new_run(&experiment).await, hub.new_run(&experiment).await);
        let lab = async |endpoint: &str, body| {
            hub.call(OUTSIDER, Method::POST, &format!("{LAB}/api/2.0/mlflow/{endpoint}"), Some(body)).await.ok()
        };
        let created = lab("experiments/create", json!({"name": "secret"})).await;
        let strangers = created["experiment_id"].as_str().unwrap();
        let created = lab("runs/create", json!({"experiment_id": strangers})).await;
        let stranger = format!("{strangers}/{}", created["run"]["info"]["run_id"].as_str().unwrap());

        let (own, other) = (format!("{experiment}/{run}/artifacts"), format!("{experiment}/{other}/artifacts"));
        let (other_id, _) = begun(&hub, DEVELOPER, FLOOD, &other).await;
        let (strangers_id, _) = begun(&hub, OUTSIDER, LAB, &format!("{stranger}/artifacts")).await;
        let (ended_id, _) = begun(&hub, DEVELOPER, FLOOD, &own).await;
        let body = json!({"path": FILE, "upload_id": ended_id});
        hub.call(DEVELOPER, Method::POST, &format!("{FLOOD}/api/{MPU}/abort/{own}"), Some(body)).await.ok();
        for (token, view, directory) in [(DEVELOPER, FLOOD, &other), (OUTSIDER, LAB, &format!("{stranger}/artifacts"))]
        {
            // Of the same name as the file of the uploads.
            let (id, etags) = begun(&hub, token, view, directory).await;
            let body = json!({"path": FILE, "upload_id": id, "parts": [{"part_number": 1, "etag": etags[0]}]});
            hub.call(token, Method::POST, &format!("{view}/api/{MPU}/complete/{directory}"), Some(body)).await.ok();
        }
        let words = [
            ("STRANGERS_ID", strangers_id),
            ("OTHER_ID", other_id),
            ("ENDED_ID", ended_id),
            ("STRANGER", stranger),
            ("EXPERIMENT", experiment),
            ("RUN", run),
        ];
        let functions = [(FLOOD, mlflow_project::router(&hub.state)), (GLOBAL, mlflow_artifacts::router(&hub.state))];
        let place = Self { hub, s3, functions, own, words };
        let (files, others) = place.things().await;
        // An upload and a file of another run, and of a stranger's.
        assert_eq!((files.len(), others.len()), (0, 4), "{files:?} {others:?}");
        place
    }

    /// What is the run's own, and what is not.
    async fn things(&self) -> (Things, Things) {
        let bucket = &self.hub.state.config.bucket;
        let listed = self.s3.list_objects_v2().bucket(bucket).send().await.unwrap();
        let mut things = Things::new();
        for file in listed.contents() {
            let text = |text: Option<&str>| text.unwrap().to_owned();
            things.push((text(file.key()), text(file.e_tag()), file.size().unwrap()));
        }
        let listed = self.s3.list_multipart_uploads().bucket(bucket).send().await.unwrap();
        for upload in listed.uploads() {
            let (key, id) = (upload.key().unwrap(), upload.upload_id().unwrap());
            let parts = self.s3.list_parts().bucket(bucket).key(key).upload_id(id).send().await.unwrap();
            things.push((key.to_owned(), id.to_owned(), -1 - i64::try_from(parts.parts().len()).unwrap()));
        }
        things.sort();
        things.into_iter().partition(|(key, ..)| self.is_own(key))
    }

    fn is_own(&self, key: &str) -> bool {
        // The project is GitLab's first.
        let below = key.strip_prefix("artifacts/1/").and_then(|rest| rest.strip_prefix(&self.own));
        below.is_some_and(|rest| {
            let mut segments = rest.split('/');
            segments.next() == Some("") && segments.all(|segment| !matches!(segment, "" | "." | ".."))
        })
    }

    /// Does the steps, each after the other, on an upload of two parts.
    async fn survives(&self, steps: &[Step]) {
        let (left, before) = self.things().await;
        self.clear(&left).await;
        let (id, etags) = begun(&self.hub, DEVELOPER, FLOOD, &self.own).await;
        let own = [("OWN_ID", &id), ("ETAG_1", &etags[0]), ("ETAG_2", &etags[1])];
        let fill = |text: &str| {
            let words = own.into_iter().chain(self.words.iter().map(|(word, value)| (*word, value)));
            words.fold(text.to_owned(), |text, (word, value)| text.replace(word, value))
        };
        let mut completed = 0;
        for step in steps {
            let path = format!("{}/{}/{MPU}/{}/{}", step.view, step.api, step.name, fill(&step.directory));
            let event = event(&path, &fill(&step.body));
            let Ok(parsed) = serde_json::from_value::<ApiGatewayV2httpRequest>(event.clone()) else { continue };
            let (_, function) = self.functions.iter().find(|(view, _)| *view == step.view).unwrap();
            let answer = shared::lambda::answer(function.clone(), parsed, "the-id-of-lambda").await;
            check(&answer, &event);
            let told = serde_json::to_value(&answer).unwrap();
            let text = told["body"].as_str().unwrap_or_default().to_owned();
            let text = if told["isBase64Encoded"] == true {
                String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()
            } else {
                text
            };
            if answer.status_code != 200 {
                assert!((400..500).contains(&answer.status_code), "{} {text} to {event}", answer.status_code);
                assert!(text.len() < 200_000, "{} bytes", text.len());
                continue;
            }
            let told: Value = serde_json::from_str(&text).unwrap();
            match step.name {
                "create" => self.check_created(&told),
                _ => assert_eq!(told, json!({}), "{event}"),
            }
            completed += usize::from(step.name == "complete");
        }
        let (files, others) = self.things().await;
        assert_eq!(others, before, "{steps:?}");
        let whole = files.iter().filter(|(_, _, size)| *size >= 0).count();
        assert!(whole <= completed && (completed == 0 || whole > 0), "{completed} completed: {files:?}");
    }

    /// Every URL is for a file of the run's own.
    fn check_created(&self, created: &Value) {
        let credentials = created["credentials"].as_array().unwrap();
        assert!(!credentials.is_empty() && created["upload_id"].as_str().is_some_and(|id| !id.is_empty()));
        for (number, credential) in (1..).zip(credentials) {
            assert_eq!(credential["part_number"], number);
            let url: http::Uri = credential["url"].as_str().unwrap().parse().unwrap();
            // All that would mean something in a form is encoded.
            let (path, _) = form_urlencoded::parse(url.path().as_bytes()).next().unwrap();
            let key = path.strip_prefix(&format!("/{}/", self.hub.state.config.bucket)).unwrap();
            assert!(self.is_own(key), "{url}");
        }
    }

    /// Takes away what an earlier input made.
    async fn clear(&self, own: &Things) {
        let bucket = &self.hub.state.config.bucket;
        for (key, id, size) in own {
            if *size >= 0 {
                self.s3.delete_object().bucket(bucket).key(key).send().await.unwrap();
            } else {
                self.s3.abort_multipart_upload().bucket(bucket).key(key).upload_id(id).send().await.unwrap();
            }
        }
    }
}

/// Begins an upload and puts two parts: its id and the parts' tags, bare.
async fn begun(hub: &Hub, token: &str, view: &str, directory: &str) -> (String, Vec<String>) {
    let body = json!({"path": FILE, "num_parts": 2});
    let created = hub.call(token, Method::POST, &format!("{view}/api/{MPU}/create/{directory}"), Some(body)).await.ok();
    let mut etags = Vec::new();
    for (number, credential) in (1..).zip(created["credentials"].as_array().unwrap()) {
        let put = shared::http_client::client().put(credential["url"].as_str().unwrap()).body(vec![number; 9]);
        let answer = put.send().await.unwrap();
        etags.push(answer.headers()["etag"].to_str().unwrap().trim_matches('"').to_owned());
    }
    (created["upload_id"].as_str().unwrap().to_owned(), etags)
}

fn event(path: &str, body: &str) -> Value {
    json!({
        "version": "2.0",
        "rawPath": path,
        "headers": {"authorization": format!("Bearer {DEVELOPER}"), "content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "path": path}},
        "body": STANDARD.encode(body),
        "isBase64Encoded": true,
    })
}

#[test]
fn uploads() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let place = runtime.block_on(Place::new());
    survive("multipart uploads", &vec(step(), 1..4), |steps| runtime.block_on(place.survives(&steps)));
}
