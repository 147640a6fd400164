//! Active or deleted, and which of them a search wants.

use serde::{Deserialize, Serialize};

/// The lifecycle stage of an experiment, run or logged model.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Lifecycle {
    #[default]
    Active,
    Deleted,
}

impl Lifecycle {
    /// The word used on the wire and in keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deleted => "deleted",
        }
    }

    /// The stage that `as_str` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "active" => Some(Self::Active),
            "deleted" => Some(Self::Deleted),
            _ => None,
        }
    }
}

/// Which lifecycle stages a search returns (MLflow's `ViewType`).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum ViewType {
    #[default]
    ActiveOnly,
    DeletedOnly,
    All,
}

impl ViewType {
    /// Is a thing in this stage part of the view?
    pub fn shows(self, lifecycle: Lifecycle) -> bool {
        match self {
            Self::ActiveOnly => lifecycle == Lifecycle::Active,
            Self::DeletedOnly => lifecycle == Lifecycle::Deleted,
            Self::All => true,
        }
    }
}
