//! The whole hub in one process: its routers, embedded DynamoDB and S3, and a GitLab stand-in.
//!
//! `start::start` is what the program does after reading its arguments; tests call it too.

pub mod args;
pub mod aws;
pub mod catalog;
mod data;
pub mod emulators;
pub mod gitlab;
pub mod greeting;
pub mod groups;
mod host;
pub mod hub;
pub mod limits;
pub mod openapi;
pub mod say;
pub mod serve;
pub mod start;
