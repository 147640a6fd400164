//! The short-lived cache of what a token may do, shared by all instances. An entry is a JSON document
//! with `expires` (ms), which readers compare, and `ttl` (s), by which DynamoDB collects it some day.
//!
//! The cache may fail without harm: then GitLab is asked.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::item::{self, Attributes, number, string};
use super::{Store, keys};
use crate::model::ProjectId;

/// A slower table than this is worth no waiting.
const PATIENCE: Duration = Duration::from_millis(500);
/// An item may hold 400 KB.
const LARGEST_DOCUMENT: usize = 350_000;

/// What an entry is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TokenKey<'a> {
    /// Who the token is.
    Identity,
    /// What it may do in a project.
    Project(ProjectId),
    /// Which project is at a path, and what it may do there.
    Path(&'a str),
    /// The projects that its owner is a member of.
    Members,
}

impl Store {
    /// An entry that has not expired, and when it will (ms).
    pub(crate) async fn recall<T: DeserializeOwned>(&self, hash: &str, key: TokenKey<'_>) -> Option<(T, i64)> {
        let item = match timeout(PATIENCE, self.get_weakly(&keys::token(hash), &sort_key(key))).await {
            Ok(Ok(item)) => item?,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the token cache cannot be read");
                return None;
            }
            Err(_) => {
                tracing::warn!("the token cache does not answer");
                return None;
            }
        };
        let until: i64 = item.find_number("expires")?;
        let value = serde_json::from_str(item.find_str("document")?).ok()?;
        (until > self.clock.now_ms()).then_some((value, until))
    }

    /// Writes an entry that expires at `until` (ms).
    pub(crate) async fn record<T: Serialize>(&self, hash: &str, key: TokenKey<'_>, value: &T, until: i64) {
        let Ok(document) = serde_json::to_string(value) else { return };
        if document.len() > LARGEST_DOCUMENT {
            return;
        }
        let mut item = item::key(keys::token(hash), sort_key(key));
        item.insert("document".to_owned(), string(document));
        item.insert("expires".to_owned(), number(until));
        item.insert("ttl".to_owned(), number(until / 1000 + 1));
        match timeout(PATIENCE, self.put(item)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the token cache cannot be written"),
            Err(_) => tracing::warn!("the token cache does not take a write"),
        }
    }

    /// Removes an entry; failing that, it expires.
    pub(crate) async fn forget(&self, hash: &str, key: TokenKey<'_>) {
        let removed = timeout(PATIENCE, self.delete(&keys::token(hash), &sort_key(key))).await;
        if !matches!(removed, Ok(Ok(()))) {
            tracing::warn!("an entry of the token cache could not be removed; it expires by itself");
        }
    }
}

fn sort_key(key: TokenKey<'_>) -> String {
    match key {
        TokenKey::Identity => keys::TOKEN_IDENTITY.to_owned(),
        TokenKey::Project(id) => keys::token_project(id),
        TokenKey::Path(path) => keys::token_path(path),
        TokenKey::Members => keys::TOKEN_MEMBERS.to_owned(),
    }
}
