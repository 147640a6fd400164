//! GitLab's API, the only place that knows its wire: REST v4 for who a token is, GraphQL for what
//! it may do in which project (REST `permissions` misses roles inherited from ancestor and invited groups).
//!
//! Every request but downloads ends within 5 s, retries included; a token never reaches an error, a log or another host.

mod client;
mod containers;
mod facts;
mod file_details;
mod files;
mod identity;
mod listing;
mod projects;
mod repository;
mod sheet;
mod stars;
mod token;

pub use client::{GitLab, unavailable};
pub use facts::{ContainerRepository, License, Package, ProjectFacts, Release, RepositoryFacts, RepositoryFile};
pub use files::{ArchiveFormat, Download, FileMetadata};
pub use identity::User;
pub use projects::Project;
pub use sheet::ProjectSheet;
pub use token::Token;

/// What a caller is told whose token GitLab knows but whose scopes do not reach its API.
pub(crate) const SCOPE_HINT: &str =
    "this GitLab token lacks the scope for its API: create one with scope `read_api` to read or `api` to write";
