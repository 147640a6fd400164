//! What can go wrong at an endpoint, as its dialect says it.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::Response;
use futures::FutureExt;
use http_body_util::BodyExt;
use serde_json::{Map, Value, json};
use shared::Error;
use shared::auth::AccessLevel;
use shared::dialect::Dialect;
use shared::route::{Route, Rule};

/// The errors met so far: responses by name, and the codes of MLflow's.
#[derive(Default)]
pub struct Errors {
    responses: BTreeMap<String, Value>,
    codes: BTreeSet<String>,
}

/// What stands for a request id in examples.
const REQUEST_ID: &str = "2f9f5c1e-3f0e-4c7b-9f43-2f1f0a8d7c11";

impl Errors {
    /// Adds those of a route to its `responses`, as references.
    pub fn add(&mut self, dialect: Dialect, route: &Route, responses: &mut Map<String, Value>) {
        for (kind, error) in kinds(route) {
            let answer = dialect.render(&error, REQUEST_ID);
            let status = answer.status().as_str().to_owned();
            let name = format!("{dialect:?}{status}");
            responses.insert(status, json!({"$ref": format!("#/components/responses/{name}")}));
            self.note(dialect, name, kind, answer);
        }
    }

    fn note(&mut self, dialect: Dialect, name: String, kind: &str, answer: Response) {
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().now_or_never().and_then(Result::ok).map(|body| body.to_bytes()).unwrap_or_default();
        let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if let Some(code) = body["error_code"].as_str() {
            self.codes.insert(code.to_owned());
        }
        let response = self.responses.entry(name).or_insert_with(|| {
            json!({
                "description": parts.status.canonical_reason().unwrap_or_default(),
                "content": {"application/json": {
                    "schema": {"$ref": format!("#/components/schemas/{dialect:?}Error")},
                    "examples": {},
                }},
            })
        });
        response["content"]["application/json"]["examples"][kind] = json!({"value": body});
        for (header, meaning, kind) in [
            ("WWW-Authenticate", "How to authenticate.", "string"),
            ("Retry-After", "Seconds after which to try again.", "integer"),
        ] {
            if parts.headers.contains_key(header) {
                response["headers"][header] =
                    json!({"description": meaning, "required": true, "schema": {"type": kind}});
            }
        }
    }

    /// For `components/responses`.
    pub fn responses(&self) -> Value {
        json!(self.responses)
    }

    /// The bodies of both dialects.
    pub fn schemas(&self) -> Map<String, Value> {
        let text = |description: &str| json!({"type": "string", "description": description});
        let schemas = json!({
            "MlflowError": {
                "type": "object",
                "description": "An error as MLflow's clients read it.",
                "properties": {
                    "error_code": {"type": "string", "description": "What went wrong, for programs.", "enum": self.codes},
                    "message": text("What went wrong, for people."),
                },
                "required": ["error_code", "message"],
            },
            "DetailError": {
                "type": "object",
                "description": "An error of every other endpoint.",
                "properties": {
                    "detail": text("What went wrong, for people."),
                    "status_code": {"type": "integer", "description": "The HTTP status again."},
                },
                "required": ["detail", "status_code"],
            },
        });
        match schemas {
            Value::Object(schemas) => schemas,
            _ => Map::new(),
        }
    }
}

/// The kinds of errors that a route may answer, with what they are called in the document.
fn kinds(route: &Route) -> Vec<(&'static str, Error)> {
    let text = |text: &str| text.to_owned();
    let invalid = ("invalid", Error::Invalid(text("Missing value for required parameter 'name'.")));
    let not_found = ("not found", Error::NotFound(text("There is no such thing, or you may not see it.")));
    let no_endpoint = ("no endpoint", Error::NoSuchEndpoint(text("/no/such/path")));
    let mut kinds = vec![("fault", Error::Internal(String::new()))];
    if route.path.contains('{') {
        kinds.push(no_endpoint);
    }
    if !route.implemented {
        kinds.push(("not served", Error::NotImplemented(text("This hub does not serve this endpoint yet."))));
    }
    if route.rule == Rule::Anyone {
        // All that a client can do wrong is to fill the path in with something else.
        if route.implemented && route.path.contains('{') {
            kinds.extend([invalid, not_found]);
        }
        return kinds;
    }
    kinds.extend([
        ("unauthenticated", Error::Unauthenticated(text("This hub needs a GitLab token."))),
        (
            "rate limited",
            Error::RateLimited { message: text("GitLab asks to wait; please try again later."), retry_after: 30 },
        ),
        ("unavailable", Error::Unavailable(String::new())),
    ]);
    if !route.implemented {
        return kinds;
    }
    kinds.extend([
        invalid,
        ("forbidden", Error::Forbidden(text("Your role in the project does not allow this."))),
        not_found,
        ("too large", shared::extract::too_large()),
    ]);
    if matches!(route.rule, Rule::Level(level) if level > AccessLevel::Guest) {
        kinds.extend([
            ("taken", Error::AlreadyExists(text("There is one of this name already."))),
            ("conflict", Error::Conflict(text("Somebody else changed it at the same time; please try again."))),
        ]);
    }
    kinds
}
