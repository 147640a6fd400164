//! MLflow's filter and order_by languages: lexer, parser and evaluator; pure.
//!
//! A search is parsed once and then asked per entity: does it match, and where does it sort.

mod condition;
mod experiments;
mod lexer;
mod like;
mod logged_models;
mod order;
mod parser;
#[cfg(test)]
mod recorded_tests;
mod registry;
mod runs;

pub use experiments::{ExperimentSearch, ExperimentView};
pub use logged_models::{DatasetFilter, LoggedModelSearch, ModelOrderBy};
pub use order::SortKey;
pub use registry::{Kind, RegistrySearch, VersionView};
pub use runs::RunSearch;
