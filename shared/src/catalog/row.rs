//! `Row`: what searches read of an item, a few hundred bytes. The documents themselves stay in the table.

use serde::{Deserialize, Serialize};

use crate::model::{ProjectId, Visibility};

/// One item, as searches see it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Row {
    pub project: ProjectId,
    /// The category's id.
    pub collection: String,
    /// The item's id: the project's full path.
    pub id: String,
    /// Who sees the project.
    pub visibility: Visibility,
    /// Who may read its repository, besides members with a role that may: never more people than see the project.
    pub code_visibility: Visibility,
    /// For who may read the repository.
    pub full: Facts,
    /// For who sees the project only; `None` if it would say the same.
    pub minimal: Option<Facts>,
}

/// What one of an item's documents can be found by.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Facts {
    /// Lower-case title, id, description and keywords, one to a line; at most 2,000 bytes.
    pub text: String,
    /// First and last instant, ms since 1970.
    pub start: i64,
    pub end: i64,
    /// West, south, east, north; degrees.
    pub bbox: Option<[f64; 4]>,
    /// The geometry as GeoJSON text.
    pub geometry: Option<String>,
    /// The properties that are scalars or lists of scalars, by name, sorted; instants as RFC 3339 text.
    pub properties: Vec<(String, Scalar)>,
}

/// A value that can be compared.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Scalar {
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Scalar>),
}
