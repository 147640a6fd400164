//! What a table holds that another version of the hub has written: an older one, kept in `tests/fixtures`, or a newer one.
//!
//! A fixture is never changed. When the layout grows, a test here asks for a new one beside it:
//! `UPDATE_FIXTURE=table-2 cargo test --workspace --test it upgrade::opened::fixtures`

mod fixture;
mod further;
mod newer;
mod opened;
mod questions;
mod world;
