//! Our extractors and answers: every rejection is an [`Error`], every request is parsed once.
//!
//! [`Input`] reads MLflow's requests (mlflow.md B.1): the query of a GET, the JSON body of anything else,
//! with fields in snake_case or lowerCamelCase but not both, numbers also as numeric strings.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use schemars::JsonSchema;
use serde::de::{self, DeserializeOwned};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// Bytes that the gateway carries in a body, each way (Lambda's 6 MB less base64).
pub const BODY_LIMIT: usize = 4_500_000;

/// How the stock server ends a refusal of a parameter.
pub const API_DOCS: &str = "See the API docs for more information about request parameters.";

/// A typed request.
pub struct Input<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Input<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let fields = if matches!(*request.method(), Method::GET | Method::HEAD) {
            fields_of_query(request.uri().query().unwrap_or_default())
        } else {
            check_content_type(request.headers())?;
            fields_of_body(&read_body(request.into_body()).await?)?
        };
        parse(fields).map(Self)
    }
}

/// The typed query of a request, for those whose body is not JSON.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        parse(fields_of_query(parts.uri.query().unwrap_or_default())).map(Self)
    }
}

/// A whole body, within the gateway's limit.
pub async fn read_body(body: Body) -> Result<Bytes> {
    match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) => Err(Error::invalid(format!("the body broke off: {error}"))),
    }
}

/// What to say to a body above [`BODY_LIMIT`].
pub fn too_large() -> Error {
    Error::TooLarge(format!(
        "The body exceeds the {BODY_LIMIT} bytes that this hub takes in one request. Log metrics, params and tags in \
         smaller batches. For artifacts set MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE=4000000 (2.x clients also \
         MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD=true), so that larger files go straight to the storage in parts."
    ))
}

fn check_content_type(headers: &HeaderMap) -> Result<()> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Error::invalid("Bad Request. Content-Type must be one of ['application/json']."))
}

/// Repeated names become lists, also when written `name[]` or `name[0]`.
fn fields_of_query(query: &str) -> Map<String, Value> {
    let mut fields = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let (name, is_list) = match name.split_once('[') {
            Some((name, rest)) if rest.ends_with(']') => (name.to_owned(), true),
            _ => (name.into_owned(), false),
        };
        let value = Value::String(value.into_owned());
        match fields.get_mut(&name) {
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
            None if is_list => {
                fields.insert(name, Value::Array(vec![value]));
            }
            None => {
                fields.insert(name, value);
            }
        }
    }
    fields
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// No body is an empty object, and a JSON string is decoded a second time (old clients), as the stock server does.
/// It takes malformed JSON for an empty object, too: what was sent would be acknowledged and dropped.
fn fields_of_body(body: &[u8]) -> Result<Map<String, Value>> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    if body.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    let malformed = |error| Error::invalid(format!("The request body is not valid JSON: {error}"));
    let mut value: Value = serde_json::from_slice(body).map_err(malformed)?;
    if let Value::String(text) = &value {
        value = serde_json::from_str(text).map_err(malformed)?;
    }
    match value {
        Value::Object(fields) => Ok(fields),
        Value::Null => Ok(Map::new()),
        _ => Err(Error::invalid("The request body must be a JSON object.")),
    }
}

/// Turns field names into snake_case, all the way down; a field spelled in both ways is refused (W4).
fn snake_case(fields: Map<String, Value>) -> Result<Map<String, Value>> {
    let mut renamed = Map::new();
    for (name, value) in fields {
        let snake = snake_case_name(&name);
        let value = match value {
            Value::Object(inner) => Value::Object(snake_case(inner)?),
            Value::Array(items) => Value::Array(items.into_iter().map(snake_case_value).collect::<Result<_>>()?),
            other => other,
        };
        if renamed.insert(snake.clone(), value).is_some() {
            let camel = camel_case_name(&snake);
            return Err(Error::invalid(format!(
                "Request specifies both '{snake}' and '{camel}'; provide only one of them."
            )));
        }
    }
    Ok(renamed)
}

fn snake_case_value(value: Value) -> Result<Value> {
    match value {
        Value::Object(inner) => snake_case(inner).map(Value::Object),
        other => Ok(other),
    }
}

fn snake_case_name(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

fn camel_case_name(snake: &str) -> String {
    let mut parts = snake.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |camel, part| {
        let mut letters = part.chars();
        let initial = letters.next().map(|letter| letter.to_ascii_uppercase());
        camel + &initial.into_iter().chain(letters).collect::<String>()
    })
}

fn parse<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T> {
    let fields = Value::Object(snake_case(fields)?);
    serde_path_to_error::deserialize(&fields).map_err(|error| {
        let name = error.path().iter().next().map(ToString::to_string).unwrap_or_default();
        match fields.get(&name) {
            Some(value) => invalid_value(&name, value),
            None => Error::invalid(format!("Invalid request: {}", error.into_inner())),
        }
    })
}

/// The stock server's words for a value of the wrong type.
pub fn invalid_value(name: &str, value: &Value) -> Error {
    let python_type = match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    };
    Error::invalid(format!(
        "Invalid value {value} for parameter '{name}' supplied:  Hint: Value was of type '{python_type}'. {API_DOCS}"
    ))
}

/// The stock server's words for a parameter that is absent or empty.
pub fn missing(name: &str) -> Error {
    Error::invalid(format!("Missing value for required parameter '{name}'. {API_DOCS}"))
}

/// A text that must be there and not be empty.
pub fn required<'a>(name: &str, value: Option<&'a String>) -> Result<&'a str> {
    value.map(String::as_str).filter(|text| !text.is_empty()).ok_or_else(|| missing(name))
}

/// An integer, also as a numeric string (mlflow.md B.1).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Integer(pub i64);

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let integer = match &value {
            Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
            Value::String(text) => {
                let text = text.trim();
                text.parse().ok().or_else(|| text.parse().ok().and_then(whole))
            }
            _ => None,
        };
        integer.map(Self).ok_or_else(|| de::Error::custom("not an integer"))
    }
}

/// `5.0` and `1e3` are integers in protobuf's JSON.
fn whole(float: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and in range")]
    (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
}

/// A floating-point number, also as a text: `"5e-3"`, and in any case `"nan"`, `"inf"`, `"-Infinity"`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Double(pub f64);

impl<'de> Deserialize<'de> for Double {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let double = match &value {
            Value::Number(number) => number.as_f64(),
            // One that is too large counts as infinite, as in the stock server.
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        double.map(Self).ok_or_else(|| de::Error::custom("not a number"))
    }
}

/// A boolean, also as `true` or `false` in a query.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let flag = match Value::deserialize(deserializer)? {
            Value::Bool(flag) => Some(flag),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        };
        flag.map(Self).ok_or_else(|| de::Error::custom("not a boolean"))
    }
}

/// A list; `null` is the empty one.
#[derive(Clone, Debug, PartialEq)]
pub struct Many<T>(pub Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Ok(Self(Option::deserialize(deserializer)?.unwrap_or_default()))
    }
}

/// A list that may come from a query, where one that is named once cannot be told from a value.
#[derive(Clone, Debug, PartialEq)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let values = match Value::deserialize(deserializer)? {
            Value::Array(values) => values,
            Value::Null => Vec::new(),
            text @ Value::String(_) => vec![text],
            _ => return Err(de::Error::custom("not a list")),
        };
        let items: std::result::Result<Vec<T>, _> = values.into_iter().map(serde_json::from_value).collect();
        items.map(Self).map_err(de::Error::custom)
    }
}

/// A path parameter, percent-decoded.
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        #[expect(clippy::disallowed_types, reason = "this is the wrapper")]
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(Error::invalid(rejection.body_text())),
        }
    }
}

/// A JSON answer.
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
            Err(error) => Error::internal(error).into_response(),
        }
    }
}

/// The empty object that MLflow answers where there is nothing to say.
#[derive(JsonSchema, Serialize)]
pub struct Empty {}
