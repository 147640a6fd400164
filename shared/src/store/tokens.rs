//! The short-lived cache of what a token may do, shared by all instances. An entry is a JSON document
//! with `expires` (ms), which readers compare, and `ttl` (s), by which DynamoDB collects it some day.
//!
//! The cache may fail without harm: then GitLab is asked.

use std::time::Duration;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

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
        let request = self.client.get_item().table_name(&self.table).set_key(Some(key_of(hash, key)));
        let answer = tokio::time::timeout(PATIENCE, request.send()).await;
        let item = match answer {
            Ok(Ok(answer)) => answer.item?,
            Ok(Err(error)) => {
                tracing::warn!(error = %DisplayErrorContext(&error), "the token cache cannot be read");
                return None;
            }
            Err(_) => {
                tracing::warn!("the token cache does not answer");
                return None;
            }
        };
        let until: i64 = item.get("expires")?.as_n().ok()?.parse().ok()?;
        let value = serde_json::from_str(item.get("document")?.as_s().ok()?).ok()?;
        (until > self.clock.now_ms()).then_some((value, until))
    }

    /// Writes an entry that expires at `until` (ms).
    pub(crate) async fn record<T: Serialize>(&self, hash: &str, key: TokenKey<'_>, value: &T, until: i64) {
        let Ok(document) = serde_json::to_string(value) else { return };
        if document.len() > LARGEST_DOCUMENT {
            return;
        }
        let mut item = key_of(hash, key);
        item.insert("document".into(), AttributeValue::S(document));
        item.insert("expires".into(), AttributeValue::N(until.to_string()));
        item.insert("ttl".into(), AttributeValue::N((until / 1000 + 1).to_string()));
        let request = self.client.put_item().table_name(&self.table).set_item(Some(item));
        match tokio::time::timeout(PATIENCE, request.send()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(error = %DisplayErrorContext(&error), "the token cache cannot be written"),
            Err(_) => tracing::warn!("the token cache does not take a write"),
        }
    }

    /// Removes an entry; failing that, it expires.
    pub(crate) async fn forget(&self, hash: &str, key: TokenKey<'_>) {
        let request = self.client.delete_item().table_name(&self.table).set_key(Some(key_of(hash, key)));
        if !matches!(tokio::time::timeout(PATIENCE, request.send()).await, Ok(Ok(_))) {
            tracing::warn!("an entry of the token cache could not be removed; it expires by itself");
        }
    }
}

fn key_of(hash: &str, key: TokenKey<'_>) -> std::collections::HashMap<String, AttributeValue> {
    let sort_key = match key {
        TokenKey::Identity => keys::TOKEN_IDENTITY.to_owned(),
        TokenKey::Project(id) => keys::token_project(id),
        TokenKey::Path(path) => keys::token_path(path),
        TokenKey::Members => keys::TOKEN_MEMBERS.to_owned(),
    };
    [("PK", keys::token(hash)), ("SK", sort_key)].map(|(name, text)| (name.to_owned(), AttributeValue::S(text))).into()
}
