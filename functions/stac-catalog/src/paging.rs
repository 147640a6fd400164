//! Links from page to page: the same search with another token.

use form_urlencoded::Serializer;
use serde::Serialize;
use serde_json::{Value, json};
use shared::context::Context;
use shared::{Error, Result};

use crate::answer::{GEOJSON, link, url};
use crate::index::Position;
use crate::query::Search;

/// Where a search was asked, and what else the query said.
pub struct Asked {
    /// Below the hub's root.
    pub path: String,
    /// `mode`, as the client wrote it.
    pub mode: Option<String>,
}

/// What a page token is bound to.
#[derive(Serialize)]
struct Bound<'a> {
    catalog: &'a str,
    search: String,
    caller: &'a str,
}

/// The parameters of a raw query.
pub fn parameters(query: Option<&str>) -> Vec<(String, String)> {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect()
}

/// The first value of a parameter.
pub fn parameter(parameters: &[(String, String)], name: &str) -> Option<String> {
    parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
}

impl Asked {
    /// A search at `path` with these parameters in its query.
    pub fn new(path: impl Into<String>, parameters: &[(String, String)]) -> Self {
        Self { path: path.into(), mode: parameter(parameters, "mode") }
    }

    /// Where the page begins that the search's token names.
    ///
    /// # Errors
    /// `Invalid`, naming `token`, for one that is damaged or belongs to another search or caller.
    pub fn start(&self, context: &Context, search: &Search) -> Result<Option<Position>> {
        context.state.pages.start(&self.bound(context, search), search.token.as_deref()).map_err(|error| match error {
            Error::Invalid(_) => Error::invalid("token: it is damaged or belongs to another search or caller"),
            other => other,
        })
    }

    /// The link to another page of the search.
    pub fn page(&self, context: &Context, search: &Search, rel: &str, position: &Position) -> Result<Value> {
        let token = context.state.pages.sign(&self.bound(context, search), position)?;
        Ok(match search.body_with(&token) {
            None => {
                let mut link = self.link(context, rel, &search.parameters_with(&token));
                link["method"] = json!("GET");
                link
            }
            Some(body) => {
                let mut link = self.link(context, rel, &[]);
                link["method"] = json!("POST");
                link["body"] = body;
                link
            }
        })
    }

    /// The link to this page, of which only what makes the search is repeated: a query may hold a credential.
    pub fn this(&self, context: &Context, search: &Search) -> Value {
        let mut link = self.link(context, "self", search.parameters());
        if let Some(body) = search.body() {
            link["method"] = json!("POST");
            link["body"] = body;
        }
        link
    }

    fn link(&self, context: &Context, rel: &str, parameters: &[(String, String)]) -> Value {
        let mode = self.mode.iter().map(|mode| ("mode", mode.as_str()));
        let parameters = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let query = Serializer::new(String::new()).extend_pairs(parameters.chain(mode)).finish();
        let mark = if query.is_empty() { "" } else { "?" };
        link(rel, format!("{}{mark}{query}", url(context, &self.path)), GEOJSON)
    }

    fn bound<'a>(&'a self, context: &'a Context, search: &Search) -> Bound<'a> {
        Bound { catalog: &self.path, search: search.identity(), caller: context.caller.user() }
    }
}
