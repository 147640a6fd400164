//! The common crate of every Perigee function: auth, model, search, storage and errors.
//! `docs/ARCHITECTURE.md` shows how the parts meet.

pub mod auth;
pub mod clock;
pub mod config;
pub mod error;
pub mod gitlab;
pub mod model;

pub use error::{Error, Result};
pub mod store;
