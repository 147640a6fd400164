//! The common crate of every Perigee function: auth, model, search, storage and errors.
//! `docs/ARCHITECTURE.md` shows how the parts meet.

pub mod answer;
pub mod auth;
pub mod aws;
pub mod catalog;
pub mod clock;
pub mod config;
pub mod context;
pub mod dialect;
pub mod documents;
pub mod download;
pub mod error;
pub mod extract;
pub mod function;
pub mod gitlab;
pub mod http_client;
pub mod lambda;
pub mod log;
pub mod model;
pub mod objects;
pub mod openapi;
pub mod paging;
pub mod record;
pub mod route;
pub mod search;
pub mod secrets;
pub mod state;
pub mod store;
pub mod wire;

pub use error::{Error, Result};
