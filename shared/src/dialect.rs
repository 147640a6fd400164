//! How an [`Error`] becomes a status and a body: the two dialects of this hub, side by side.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Request, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::error::Error;

/// Which API speaks.
#[derive(Clone, Copy, Debug)]
pub enum Dialect {
    /// `{"error_code", "message"}`, as MLflow clients read it.
    Mlflow,
    /// `{"detail", "status_code"}`, as the STAC, download and check clients read it.
    Detail,
}

/// Seconds after which a fault of a service behind us is worth another try.
const RETRY_AFTER_FAULT: u64 = 1;
/// Characters of a refusal.
const LONGEST_MESSAGE: usize = 10_000;

impl Dialect {
    /// What is spoken at a path of the hub, for answers that no router gives.
    pub fn of(path: &str) -> Self {
        if path == "/mlflow" || path.starts_with("/mlflow/") { Self::Mlflow } else { Self::Detail }
    }

    fn status(self, error: &Error) -> StatusCode {
        match (self, error) {
            (_, Error::Invalid(_)) => StatusCode::BAD_REQUEST,
            (_, Error::Unauthenticated(_)) => StatusCode::UNAUTHORIZED,
            (_, Error::Forbidden(_)) => StatusCode::FORBIDDEN,
            (_, Error::NotFound(_) | Error::NoSuchEndpoint(_)) => StatusCode::NOT_FOUND,
            (Self::Mlflow, Error::AlreadyExists(_)) => StatusCode::BAD_REQUEST,
            (Self::Detail, Error::AlreadyExists(_)) | (_, Error::Conflict(_)) => StatusCode::CONFLICT,
            (_, Error::MethodNotAllowed(_)) => StatusCode::METHOD_NOT_ALLOWED,
            (_, Error::NotImplemented(_)) => StatusCode::NOT_IMPLEMENTED,
            (_, Error::TooLarge(_)) => StatusCode::PAYLOAD_TOO_LARGE,
            (_, Error::RateLimited { .. }) => StatusCode::TOO_MANY_REQUESTS,
            (_, Error::Unavailable(_) | Error::InProgress { .. }) => StatusCode::SERVICE_UNAVAILABLE,
            (_, Error::Internal(_)) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn mlflow_code(error: &Error) -> &'static str {
        match error {
            Error::Invalid(_) | Error::TooLarge(_) => "INVALID_PARAMETER_VALUE",
            Error::Unauthenticated(_) => "UNAUTHENTICATED",
            Error::Forbidden(_) => "PERMISSION_DENIED",
            Error::NotFound(_) => "RESOURCE_DOES_NOT_EXIST",
            Error::AlreadyExists(_) => "RESOURCE_ALREADY_EXISTS",
            Error::Conflict(_) => "RESOURCE_CONFLICT",
            Error::NoSuchEndpoint(_) => "ENDPOINT_NOT_FOUND",
            Error::MethodNotAllowed(_) => "BAD_REQUEST",
            Error::NotImplemented(_) => "NOT_IMPLEMENTED",
            Error::RateLimited { .. } => "REQUEST_LIMIT_EXCEEDED",
            Error::Unavailable(_) | Error::InProgress { .. } => "TEMPORARILY_UNAVAILABLE",
            Error::Internal(_) => "INTERNAL_ERROR",
        }
    }

    /// The answer to a failed request. Texts of faults stay in the log.
    pub fn render(self, error: &Error, request_id: &str) -> Response {
        let status = self.status(error);
        let message = match error {
            Error::Internal(_) => format!("Internal error; request id {request_id}"),
            Error::Unavailable(_) => {
                format!("A service behind this hub is not available; please try again. Request id {request_id}")
            }
            other => shortened(other.to_string()),
        };
        let body = match self {
            Self::Mlflow => json!({"error_code": Self::mlflow_code(error), "message": message}),
            Self::Detail => json!({"detail": message, "status_code": status.as_u16()}),
        };
        let mut response = (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response();
        let headers = response.headers_mut();
        match error {
            Error::Unauthenticated(_) => {
                let realm = match self {
                    Self::Mlflow => "Bearer realm=\"mlflow\"",
                    Self::Detail => "Bearer realm=\"perigee\"",
                };
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(realm));
            }
            Error::RateLimited { retry_after, .. } | Error::InProgress { retry_after, .. } => {
                headers.insert(RETRY_AFTER, HeaderValue::from(*retry_after));
            }
            Error::Unavailable(_) => {
                headers.insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_FAULT));
            }
            _ => {}
        }
        response
    }
}

/// A message may repeat what was sent, and must fit into an answer nevertheless.
fn shortened(mut message: String) -> String {
    if let Some((end, _)) = message.char_indices().nth(LONGEST_MESSAGE) {
        message.truncate(end);
        message.push_str("..");
    }
    message
}

impl IntoResponse for Error {
    /// An empty answer that carries the error to [`render_errors`].
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response.extensions_mut().insert(self);
        response
    }
}

/// The id under which a request is logged, set by the host (`lambda.rs` or the local hub).
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// The outer layer: renders whatever error comes out, and logs faults once.
pub async fn render_errors(dialect: Dialect, request: Request<Body>, next: Next) -> Response {
    let request_id = match request.extensions().get::<RequestId>() {
        Some(id) => id.0.clone(),
        None => uuid::Uuid::new_v4().to_string(),
    };
    let method = request.method().clone();
    let is_head = method == axum::http::Method::HEAD;
    let mut response = next.run(request).await;
    let Some(error) = response.extensions_mut().remove::<Error>() else {
        return response;
    };
    if error.is_fault() {
        tracing::error!(request_id, %method, error = %error, "request failed");
    }
    let mut rendered = dialect.render(&error, &request_id);
    // Headers that inner layers set (CORS, Allow) stay.
    let own = rendered.headers().clone();
    for (name, value) in response.headers() {
        if !own.contains_key(name) && name != axum::http::header::CONTENT_LENGTH {
            rendered.headers_mut().append(name, value.clone());
        }
    }
    if is_head {
        *rendered.body_mut() = Body::empty();
    }
    rendered
}
