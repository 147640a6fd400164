//! Routes as data, each with its rule of access: a route without one cannot be built.
//!
//! From the same data come the router, the README's endpoint table, the OpenAPI document, and the test that
//! walks every route with every kind of caller.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, State};
use axum::handler::Handler;
use axum::http::header::{HeaderValue, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use axum::http::{Method, Request, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::auth::AccessLevel;
use crate::dialect::{Dialect, render_errors};
use crate::documents::kept;
use crate::error::Error;
use crate::openapi::{Contract, Describe, Handles, Operation, Schemas, Shape};
use crate::record::note_route;
use crate::state::AppState;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Everybody, without a credential.
    Anyone,
    /// Callers with at least this level on the project that owns the thing.
    /// The handler learns the project from the parsed request and asks `Caller` for the proof.
    Level(AccessLevel),
    /// As `Level`, also for visitors without a token where the hub's settings allow them.
    Visitor(AccessLevel),
    /// Who knows the secret of GitLab's webhooks (`X-Gitlab-Token`).
    Webhook,
}

/// Reading: whoever GitLab shows the project to.
pub const READ: Rule = Rule::Level(AccessLevel::Guest);
/// Writing and deleting: developers and above.
pub const WRITE: Rule = Rule::Level(AccessLevel::Contributor);
/// Looking at the catalog: whoever GitLab shows the project to, visitors included.
pub const BROWSE: Rule = Rule::Visitor(AccessLevel::Guest);
/// Downloading: whoever may read the repository, visitors included.
pub const DOWNLOAD: Rule = Rule::Visitor(AccessLevel::ReadOnly);

/// One endpoint.
pub struct Route {
    pub method: Method,
    /// axum's syntax; below the function's base path.
    pub path: String,
    pub rule: Rule,
    /// Is it a known endpoint that answers 501?
    pub implemented: bool,
    /// What the OpenAPI document says of it; a test demands it of every route.
    pub shapes: Vec<Shape>,
    /// The handler's name.
    pub name: &'static str,
    describe: Describe,
    handler: MethodRouter<Arc<AppState>>,
}

/// An endpoint that exists below `/api` and below `/ajax-api`.
pub struct Twins([Route; 2]);

impl IntoIterator for Twins {
    type Item = Route;
    type IntoIter = std::array::IntoIter<Route, 2>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Twins {
    /// What the OpenAPI document says of them.
    pub fn documented(self, operation: Operation) -> Self {
        Self(self.0.map(|route| route.documented(operation)))
    }
}

impl Route {
    /// An endpoint at exactly this path.
    pub fn at<H, T>(method: Method, path: &str, rule: Rule, handler: H) -> Self
    where
        H: Handler<T, Arc<AppState>> + Handles<T>,
        T: 'static,
    {
        // The methods of `routes()` are constants: one that axum does not know is a mistake of the first test run.
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::TRACE);
        let name = std::any::type_name::<H>();
        Self {
            method,
            path: path.to_owned(),
            rule,
            implemented: true,
            shapes: Vec::new(),
            name: name.rsplit("::").next().unwrap_or(name),
            describe: H::describe,
            handler: on(filter, handler),
        }
    }

    /// An RPC endpoint, which exists twice: below `/api` (clients) and below `/ajax-api` (web UI).
    pub fn api<H, T>(method: Method, path: &str, rule: Rule, handler: H) -> Twins
    where
        H: Handler<T, Arc<AppState>> + Handles<T>,
        T: 'static,
    {
        Twins([
            Self::at(method.clone(), &format!("/api{path}"), rule, handler.clone()),
            Self::at(method, &format!("/ajax-api{path}"), rule, handler),
        ])
    }

    /// What the OpenAPI document says of it.
    pub fn documented(mut self, operation: Operation) -> Self {
        self.shapes.push(Shape { path: None, operation });
        self
    }

    /// The same of one of several endpoints that its path stands for: `/download/{*target}` is both
    /// `/download/{project}/repository/{path}` and `/download/{project}/repository/archive.{format}`.
    pub fn documented_at(mut self, path: &'static str, operation: Operation) -> Self {
        self.shapes.push(Shape { path: Some(path), operation });
        self
    }

    /// What it takes and answers; definitions of the schemas are added to `schemas`.
    pub fn contract(&self, operation: &Operation, schemas: &mut Schemas) -> Contract {
        let mut contract = Contract::new(self.method.clone());
        (self.describe)(&mut contract, schemas);
        if let Some(takes) = operation.takes {
            let answers = std::mem::take(&mut contract.answers);
            contract = Contract::new(self.method.clone());
            contract.answers = answers;
            takes(&mut contract, schemas);
        }
        if let Some(answers) = operation.answers {
            contract.answers.clear();
            answers(&mut contract, schemas);
        }
        contract
    }

    /// An endpoint of `product`'s that this hub does not serve yet: 501, for any method, to whom the rule admits.
    pub fn not_implemented(product: &'static str, path: &str, rule: Rule) -> Self {
        let handler = axum::routing::any(async move |request: Request<Body>| {
            Error::NotImplemented(format!(
                "{} is an endpoint of {product} that this hub does not serve yet; its README lists what it does.",
                request.uri().path()
            ))
        });
        Self {
            method: Method::GET,
            path: path.to_owned(),
            rule,
            implemented: false,
            shapes: vec![Shape { path: None, operation: NOT_SERVED }],
            name: "not_implemented",
            describe: |_, _| {},
            handler,
        }
    }
}

const NOT_SERVED: Operation = Operation::new("Not served yet", "A known endpoint that this hub does not serve yet")
    .about("Any method is answered by 501.");

/// The router of some routes, without a fallback; `render` it once, at the outside.
pub fn assemble(routes: Vec<Route>, state: &AppState) -> Router {
    let state = Arc::new(state.clone());
    let mut router = Router::new();
    for route in routes {
        let check = middleware::from_fn_with_state((state.clone(), route.rule), admit);
        // A handler of any method is a fallback to axum, which only `layer` covers.
        let handler = if route.implemented { route.handler.route_layer(check) } else { route.handler.layer(check) };
        router = router.route(&route.path, handler);
    }
    router
        .method_not_allowed_fallback(|request: Request<Body>| async move {
            Error::MethodNotAllowed(request.method().to_string())
        })
        .with_state(state)
}

/// The fallback of a function: no route has this path.
pub async fn no_such_endpoint(uri: Uri) -> Error {
    Error::NoSuchEndpoint(uri.path().to_owned())
}

/// Puts the caller, bound to the route's level, where `Caller` and `Context` find it; 401 otherwise.
async fn admit(State((state, rule)): State<(Arc<AppState>, Rule)>, mut request: Request<Body>, next: Next) -> Response {
    if let Some(pattern) = request.extensions().get::<MatchedPath>() {
        note_route(pattern.as_str());
    }
    let caller = match rule {
        Rule::Anyone => Ok(None),
        Rule::Level(level) => {
            state.auth.authenticate(request.headers()).await.map(|caller| Some(caller.for_route(level)))
        }
        Rule::Visitor(level) => {
            state.auth.authenticate_visitor(request.headers()).await.map(|caller| Some(caller.for_route(level)))
        }
        Rule::Webhook => state.config.check_webhook(request.headers()).map(|()| None),
    };
    match caller {
        Ok(caller) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

/// Renders the errors of a router in its dialect; a panic becomes an [`Error::Internal`]. No answer is kept by a cache
/// that may not.
pub fn render(router: Router, dialect: Dialect) -> Router {
    let panicked = |panic: Box<dyn std::any::Any + Send>| {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Error::Internal(format!("panic: {}", text.unwrap_or_default())).into_response()
    };
    // In one piece, the outermost first: a router boxes every route anew for each layer that it gets.
    let layers = ServiceBuilder::new()
        .map_response(kept)
        .layer(SetResponseHeaderLayer::if_not_present(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN")))
        .layer(SetResponseHeaderLayer::if_not_present(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .layer(middleware::from_fn(move |request, next| render_errors(dialect, request, next)))
        .layer(CatchPanicLayer::custom(panicked));
    router.layer(layers)
}
