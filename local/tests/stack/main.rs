//! Tests of the local stack from outside: over HTTP, through the AWS SDK, and as a program.
#![allow(clippy::unwrap_used)]

mod dynamodb;
mod gitlab_access;
mod gitlab_catalog;
mod gitlab_client;
mod gitlab_faults;
mod gitlab_files;
mod gitlab_hooks;
mod gitlab_old;
mod gitlab_wire;
mod process;
mod program;
mod s3;

use clap::Parser;
use local::args::Args;
use local::aws::EndpointVariables;
use local::start::{Running, start};

/// The three emulators in this process, on free ports, keeping nothing.
async fn emulators() -> Running {
    let args = Args::parse_from(["local", "--only-emulators", "--memory", "--emulator-ports", "0,0,0"]);
    start(&args, EndpointVariables::default()).await.unwrap()
}
