//! `local`: starts the stack, says where it is, and serves until Ctrl-C or SIGTERM.

use std::process::ExitCode;

use clap::Parser;
use local::args::{Args, Command};
use local::aws::EndpointVariables;
use local::say::{complain, say};
use local::{greeting, openapi, start};
use tracing_subscriber::EnvFilter;

/// The emulators call every answer 4xx a warning or an error; to the hub a lost condition is everyday business.
const LOG: &str = "warn,dynoxide=error,s3s=off";

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(Command::Openapi) = args.command {
        say(openapi::text().trim_end());
        return ExitCode::SUCCESS;
    }
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOG));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();

    // Heard from here on, so that a signal during start-up ends cleanly too.
    let ended = ended();
    let running = match start::start(&args, EndpointVariables::read(|name| std::env::var(name).ok())).await {
        Ok(running) => running,
        Err(error) => {
            complain(format_args!("local: {error}"));
            return ExitCode::FAILURE;
        }
    };
    greeting::print(&args, &running);
    ended.await;
    running.stop().await;
    ExitCode::SUCCESS
}

/// Resolves at Ctrl-C or SIGTERM. Installs its handlers at once, not at the first poll.
fn ended() -> impl Future<Output = ()> {
    #[cfg(unix)]
    let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    async move {
        #[cfg(unix)]
        if let Ok(mut terminate) = terminate {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
        // Without handlers the system's own way of ending a process stays in force.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
