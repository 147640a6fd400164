//! How stored documents become answers: the hub's URLs, what depends on the caller, links.

use std::collections::HashMap;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use shared::auth::AccessLevel;
use shared::catalog::{OWN_URL, ROOT, Sight, Visible};
use shared::context::Context;
use shared::model::ProjectId;
use shared::store::CatalogDocument;
use shared::{Error, Result};

/// The version of STAC that all documents are of.
pub const STAC_VERSION: &str = "1.1.0";
pub const JSON: &str = "application/json";
pub const GEOJSON: &str = "application/geo+json";
pub const SCHEMA: &str = "application/schema+json";

/// What the caller sees, and what they may do where they are a member.
pub struct Viewer {
    pub visible: Visible,
    levels: HashMap<ProjectId, AccessLevel>,
    /// What the token's scope leaves of them.
    most: AccessLevel,
}

impl Viewer {
    /// As GitLab says; errors as `Caller::visible`.
    pub async fn of(context: &Context) -> Result<Self> {
        let visible = context.caller.visible().await?;
        let levels = if context.caller.is_anonymous() || visible.everything {
            HashMap::new()
        } else {
            let grants = context.caller.memberships().await?;
            grants.iter().map(|grant| (grant.project(), grant.level())).collect()
        };
        let most = if context.caller.can_write() { AccessLevel::Administrator } else { AccessLevel::ReadOnly };
        Ok(Self { visible, levels, most })
    }

    /// A viewer of one project, at this level.
    pub fn of_project(project: ProjectId, level: AccessLevel) -> Self {
        let visible = Visible { projects: [(project, level >= AccessLevel::ReadOnly)].into(), ..Visible::default() };
        Self { visible, levels: [(project, level)].into(), most: level }
    }

    fn level(&self, document: &CatalogDocument) -> AccessLevel {
        let sight = match document.sight {
            _ if self.visible.everything => AccessLevel::Administrator,
            Sight::Hidden => AccessLevel::NoAccess,
            Sight::Project => AccessLevel::Guest,
            Sight::Code => AccessLevel::ReadOnly,
        };
        self.levels.get(&document.project).copied().unwrap_or(sight).max(sight).min(self.most)
    }

    /// The item as this viewer sees it.
    pub fn render(&self, context: &Context, document: &CatalogDocument) -> Result<Value> {
        let mut item: Value = serde_json::from_str(&rooted(context, &document.text)).map_err(Error::internal)?;
        item["properties"]["sharinghub:access-level"] = json!(self.level(document) as u8);
        Ok(item)
    }
}

/// A stored text with the hub's own URL in it. A word `perigee:` of an author's prose stays one.
fn rooted(context: &Context, text: &str) -> String {
    text.replace(OWN_URL, &url(context, "/"))
}

/// Bytes of a stored text with the hub's own URL in it.
pub fn rooted_size(context: &Context, text: &str) -> usize {
    let longer = context.state.config.public_url.len().saturating_sub(ROOT.len());
    text.len() + text.matches(OWN_URL).count() * longer
}

/// The URL of a path of the hub.
pub fn url(context: &Context, path: &str) -> String {
    format!("{}{path}", context.state.config.public_url)
}

/// A STAC link.
pub fn link(rel: &str, href: impl Into<String>, media_type: &str) -> Value {
    json!({ "rel": rel, "href": href.into(), "type": media_type })
}

/// The same with a title.
pub fn titled(rel: &str, href: impl Into<String>, media_type: &str, title: &str) -> Value {
    json!({ "rel": rel, "href": href.into(), "type": media_type, "title": title })
}

/// A JSON answer of this media type.
pub fn document(value: &Value, media_type: &'static str) -> Response {
    ([(CONTENT_TYPE, media_type)], value.to_string()).into_response()
}

/// How much of each item SharingHub's clients ask for, by `mode` (docs/catalog.md, "Search").
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Mode {
    Reference,
    Preview,
    #[default]
    Full,
}

impl Mode {
    /// `Invalid` for another word.
    pub fn parse(text: Option<&str>) -> Result<Self> {
        match text {
            None | Some("" | "full") => Ok(Self::Full),
            Some("preview") => Ok(Self::Preview),
            Some("reference") => Ok(Self::Reference),
            Some(_) => Err(Error::invalid("mode: use `reference`, `preview` or `full`")),
        }
    }

    /// The item without what the mode leaves out.
    pub fn apply(self, mut item: Value) -> Value {
        let (properties, rels): (&[&str], &[&str]) = match self {
            Self::Full => return item,
            Self::Preview => (
                &["title", "description", "datetime", "keywords", "sharinghub:stars"],
                &["self", "parent", "root", "collection", "preview"],
            ),
            Self::Reference => (&["title", "datetime"], &["self", "parent", "root", "collection"]),
        };
        if let Some(all) = item["properties"].as_object_mut() {
            all.retain(|name, _| properties.contains(&name.as_str()));
        }
        if let Some(links) = item["links"].as_array_mut() {
            links.retain(|link| link["rel"].as_str().is_some_and(|rel| rels.contains(&rel)));
        }
        if let Some(assets) = item["assets"].as_object_mut() {
            assets.retain(|_, asset| self == Self::Preview && is_thumbnail(asset));
        }
        item["stac_extensions"] = json!([]);
        if let Some(item) = item.as_object_mut() {
            item.remove("bbox");
            item.insert("geometry".to_owned(), Value::Null);
        }
        item["assets"].as_object_mut().into_iter().flat_map(Map::values_mut).for_each(|asset| {
            if let Some(asset) = asset.as_object_mut() {
                asset.retain(|name, _| matches!(name.as_str(), "href" | "title" | "roles" | "type"));
            }
        });
        item
    }
}

fn is_thumbnail(asset: &Value) -> bool {
    asset["roles"].as_array().is_some_and(|roles| roles.iter().any(|role| role == "thumbnail"))
}
