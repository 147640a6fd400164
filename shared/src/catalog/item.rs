//! `StoredItem`: an item as it lies in the table.

use sha2::{Digest, Sha256};

use super::Row;
use crate::model::ModelVersion;

/// An item's documents, and what searches read of them.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredItem {
    /// JSON text for who may read the repository.
    pub full: String,
    /// JSON text for who sees the project only; `None` if nobody needs it.
    pub minimal: Option<String>,
    pub row: Row,
    /// Hash of the documents and of who sees them: an item that has not changed is not written.
    pub version: String,
    /// Hash of what GitLab's list of projects said.
    pub listing: String,
}

impl StoredItem {
    /// An item of these documents.
    pub fn new(full: String, minimal: Option<String>, row: Row, listing: String) -> Self {
        let mut hash = Sha256::new();
        for part in [full.as_str(), minimal.as_deref().unwrap_or_default(), row.id.as_str()] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        hash.update(format!("{:?} {:?} {}", row.visibility, row.code_visibility, minimal.is_some()));
        let version = hex::encode(&hash.finalize()[..16]);
        Self { full, minimal, row, version, listing }
    }
}

/// A registered model of a project and its newest version.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelOfProject {
    pub name: String,
    pub version: ModelVersion,
}
