#![allow(clippy::unwrap_used)]
mod access;
