//! What the OpenAPI document says of a route: the types of its handler, and the words of an [`Operation`].
//! Schemas are made when someone asks for the document, which no deployed function does.

mod contract;
mod forms;

pub use contract::{Answer, Answers, Contract, Describe, Handles, Schemas, StoredFile, Takes};

/// The words beside a route. What goes in and out is taken from the handler's types.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The heading under which the endpoint is listed.
    pub tag: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// More of it, in Markdown; may be empty.
    pub description: &'static str,
    /// The handler's name unless another one is wanted; no two operations have the same.
    pub id: Option<&'static str>,
    /// A request as a JSON object: the body, or the query's parameters.
    pub example: Option<&'static str>,
    /// The answer to it, as JSON.
    pub answer: Option<&'static str>,
    /// The variables of the path, with their meaning.
    pub path: &'static [(&'static str, &'static str)],
    /// Request headers that count, with their meaning.
    pub headers: &'static [(&'static str, &'static str)],
    /// What goes in and out, where the handler's own types do not say.
    pub takes: Option<Describe>,
    pub answers: Option<Describe>,
}

/// What a route is in the document: itself or, where its path stands for several, one of these.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// As [`crate::route::Route::path`]; the route's own if there is none.
    pub path: Option<&'static str>,
    pub operation: Operation,
}

impl Operation {
    /// An endpoint listed under `tag`, and what it does.
    pub const fn new(tag: &'static str, summary: &'static str) -> Self {
        Self {
            tag,
            summary,
            description: "",
            id: None,
            example: None,
            answer: None,
            path: &[],
            headers: &[],
            takes: None,
            answers: None,
        }
    }

    /// More of what it does.
    pub const fn about(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    /// Another `operationId` than the handler's name.
    pub const fn named(self, id: &'static str) -> Self {
        Self { id: Some(id), ..self }
    }

    /// A request, as a JSON object.
    pub const fn example(self, json: &'static str) -> Self {
        Self { example: Some(json), ..self }
    }

    /// An answer, as JSON.
    pub const fn answer(self, json: &'static str) -> Self {
        Self { answer: Some(json), ..self }
    }

    /// What the variables of the path mean.
    pub const fn path(self, variables: &'static [(&'static str, &'static str)]) -> Self {
        Self { path: variables, ..self }
    }

    /// What request headers mean.
    pub const fn headers(self, headers: &'static [(&'static str, &'static str)]) -> Self {
        Self { headers, ..self }
    }

    /// A request as by this extractor, `Input<..>` say, for a handler that reads it in another way.
    pub const fn taking<T: Takes>(self) -> Self {
        Self { takes: Some(T::takes), ..self }
    }

    /// An answer as of this type, `Json<..>` say, for a handler that builds a bare response.
    pub const fn answering<T: Answers>(self) -> Self {
        Self { answers: Some(T::answers), ..self }
    }
}
