//! The common crate of every Perigee function: auth, model, search, storage and errors.
//! `docs/ARCHITECTURE.md` shows how the parts meet.

pub mod clock;
pub mod config;
pub mod error;
pub mod model;
pub mod paging;
pub mod search;

pub use error::{Error, Result};
pub mod store;
