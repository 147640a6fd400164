//! What a handler takes and answers, read off its signature.

use axum::Extension;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Request, Uri};
use axum::response::{Html, Response};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::auth::Caller;
use crate::context::Context;
use crate::error::Error;
use crate::extract::{Input, Json, Path, Query};

/// The schemas of a document: how types are read, and how they are written.
pub struct Schemas {
    pub requests: SchemaGenerator,
    pub answers: SchemaGenerator,
}

impl Default for Schemas {
    fn default() -> Self {
        // OpenAPI 3.1 takes JSON Schema 2020-12 as it is.
        let at = |place: &'static str| {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = place.into();
                settings.meta_schema = None;
            })
        };
        Self {
            requests: at(&Self::REQUESTS[1..]).for_deserialize().into_generator(),
            answers: at(&Self::ANSWERS[1..]).for_serialize().into_generator(),
        }
    }
}

impl Schemas {
    /// How references to the definitions begin. A type that is read and written may have two different schemas, so
    /// those of requests lie apart until the document is put together.
    pub const REQUESTS: &str = "#/components/requests/";
    pub const ANSWERS: &str = "#/components/schemas/";
}

/// What goes into an endpoint and what comes out when all is well.
#[derive(Debug)]
pub struct Contract {
    method: Method,
    /// An object whose properties are the query's parameters.
    pub query: Option<Schema>,
    /// A JSON body.
    pub body: Option<Schema>,
    /// Is the body a file's bytes?
    pub takes_bytes: bool,
    pub answers: Vec<Answer>,
}

/// One kind of success.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub description: &'static str,
    /// Media type and schema; `None` for an answer without a body.
    pub content: Option<(&'static str, Schema)>,
    /// Response headers and their meaning.
    pub headers: &'static [(&'static str, &'static str)],
}

impl Answer {
    /// 200 with a body of this media type.
    pub fn ok(media_type: &'static str, schema: Schema) -> Self {
        Self { status: 200, description: "Success", content: Some((media_type, schema)), headers: &[] }
    }

    /// An answer without a body.
    pub fn empty(status: u16, description: &'static str) -> Self {
        Self { status, description, content: None, headers: &[] }
    }
}

impl Contract {
    pub(crate) fn new(method: Method) -> Self {
        Self { method, query: None, body: None, takes_bytes: false, answers: Vec::new() }
    }
}

/// Notes a part of a contract.
pub type Describe = fn(&mut Contract, &mut Schemas);

/// An argument of a handler.
pub trait Takes {
    /// Notes what it takes from a request: nothing that a client chooses, unless said otherwise.
    fn takes(_: &mut Contract, _: &mut Schemas) {}
}

/// A result of a handler.
pub trait Answers {
    /// Notes what it looks like.
    fn answers(contract: &mut Contract, schemas: &mut Schemas);
}

/// A handler with arguments `T`, as axum counts them.
pub trait Handles<T> {
    /// Notes its arguments and its result.
    fn describe(contract: &mut Contract, schemas: &mut Schemas);
}

impl Takes for Caller {}
impl Takes for Context {}
impl Takes for HeaderMap {}
impl Takes for Method {}
impl Takes for Parts {}
impl Takes for Uri {}
impl<S> Takes for State<S> {}
impl<T> Takes for Extension<T> {}
// Read by hand: the operation says what it takes.
impl Takes for RawQuery {}
// Told by the path itself.
impl<T> Takes for Path<T> {}

impl Takes for Request<Body> {
    fn takes(contract: &mut Contract, _: &mut Schemas) {
        contract.takes_bytes = matches!(contract.method, Method::PUT | Method::POST);
    }
}

impl<T: JsonSchema> Takes for Input<T> {
    fn takes(contract: &mut Contract, schemas: &mut Schemas) {
        if contract.method == Method::GET {
            contract.query = Some(T::json_schema(&mut schemas.requests));
        } else {
            contract.body = Some(schemas.requests.subschema_for::<T>());
        }
    }
}

impl<T: JsonSchema> Takes for Query<T> {
    fn takes(contract: &mut Contract, schemas: &mut Schemas) {
        contract.query = Some(T::json_schema(&mut schemas.requests));
    }
}

impl<T: JsonSchema> Answers for Json<T> {
    fn answers(contract: &mut Contract, schemas: &mut Schemas) {
        contract.answers.push(Answer::ok("application/json", schemas.answers.subschema_for::<T>()));
    }
}

impl Answers for () {
    fn answers(contract: &mut Contract, _: &mut Schemas) {
        contract.answers.push(Answer::empty(200, "Done"));
    }
}

impl Answers for &'static str {
    fn answers(contract: &mut Contract, schemas: &mut Schemas) {
        contract.answers.push(Answer::ok("text/plain", schemas.answers.subschema_for::<str>()));
    }
}

impl<T> Answers for Html<T> {
    fn answers(contract: &mut Contract, schemas: &mut Schemas) {
        contract.answers.push(Answer::ok("text/html", schemas.answers.subschema_for::<str>()));
    }
}

/// A response that its type says nothing about.
impl Answers for Response {
    fn answers(contract: &mut Contract, _: &mut Schemas) {
        contract.answers.push(Answer::ok("*/*", Schema::from(true)));
    }
}

/// Either.
impl<A: Answers, B: Answers> Answers for (A, B) {
    fn answers(contract: &mut Contract, schemas: &mut Schemas) {
        A::answers(contract, schemas);
        B::answers(contract, schemas);
    }
}

/// A file as HTTP knows it: whole, in part, unchanged, or to be fetched from S3.
pub struct StoredFile;

impl Answers for StoredFile {
    fn answers(contract: &mut Contract, _: &mut Schemas) {
        let bytes = || Some(("*/*", Schema::from(true)));
        contract.answers.extend([
            Answer {
                status: 200,
                description: "The file",
                content: bytes(),
                headers: &[
                    ("ETag", "Changes with the content."),
                    ("Content-Disposition", "`attachment` and the file's name."),
                    ("Accept-Ranges", "`bytes`."),
                ],
            },
            Answer {
                status: 206,
                description: "The part asked for by `Range`",
                content: bytes(),
                headers: &[("Content-Range", "Which bytes of how many."), ("ETag", "Changes with the content.")],
            },
            Answer {
                status: 302,
                description: "A file of more than 4,500,000 bytes, to be fetched from S3",
                content: None,
                headers: &[("Location", "A presigned URL of S3, for a `GET` without credentials.")],
            },
            Answer::empty(304, "The client has it already, by `If-None-Match`"),
        ]);
    }
}

impl Answers for crate::download::Answer {
    fn answers(contract: &mut Contract, schemas: &mut Schemas) {
        StoredFile::answers(contract, schemas);
    }
}

/// Errors are told by the rule of the route and the dialect of its function.
impl Answers for Error {
    fn answers(_: &mut Contract, _: &mut Schemas) {}
}

impl<T: Answers> Answers for Result<T, Error> {
    fn answers(contract: &mut Contract, schemas: &mut Schemas) {
        T::answers(contract, schemas);
    }
}

impl<F, Fut> Handles<((),)> for F
where
    F: FnOnce() -> Fut,
    Fut: Future<Output: Answers>,
{
    fn describe(contract: &mut Contract, schemas: &mut Schemas) {
        Fut::Output::answers(contract, schemas);
    }
}

macro_rules! handles {
    ($($argument:ident),+) => {
        impl<F, Fut, M, $($argument),+> Handles<(M, $($argument,)+)> for F
        where
            F: FnOnce($($argument),+) -> Fut,
            Fut: Future<Output: Answers>,
            $($argument: Takes,)+
        {
            fn describe(contract: &mut Contract, schemas: &mut Schemas) {
                $($argument::takes(contract, schemas);)+
                Fut::Output::answers(contract, schemas);
            }
        }
    };
}

handles!(A);
handles!(A, B);
handles!(A, B, C);
handles!(A, B, C, D);
handles!(A, B, C, D, E);
