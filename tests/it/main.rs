//! Everything that needs the assembled hub, a real wire, or the repository as a whole.
#![allow(clippy::unwrap_used)]

mod abuse;
mod access;
mod artifacts;
mod catalog;
mod download;
mod events;
mod faults;
mod house;
mod hub;
mod limits;
mod logs;
mod openapi;
mod readme;
mod registry;
mod rights;
mod secrets;
mod template;
mod tracking;
mod upgrade;
