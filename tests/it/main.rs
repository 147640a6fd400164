//! Everything that needs the assembled hub or a real wire.
#![allow(clippy::unwrap_used)]

mod access;
mod faults;
mod hub;
mod tracking;
