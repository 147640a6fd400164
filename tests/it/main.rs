//! Every integration test, one binary.
#![allow(clippy::unwrap_used)]

mod access;
mod events;
mod house;
mod readme;
mod template;
