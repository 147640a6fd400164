//! `make load`: the local hub as a process at this machine's limit, killed and restarted meanwhile, and then read back.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use load::Plan;
use load::check::check;
use load::client::Client;
use load::report::report;

/// How long a client tries a call again: longer than a restart takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// Fewer points than so many for each second of load are no load: a slow machine at work on other things writes more.
const LEAST_POINTS_A_SECOND: u64 = 50;

/// Mixed load on the local hub; every acknowledged write is read back at the end.
#[derive(Debug, Parser)]
struct Args {
    /// The hub's program.
    #[arg(long, default_value = "target/debug/local")]
    hub: PathBuf,
    /// How long to load it, s.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Clients at the same time.
    #[arg(long, default_value_t = 32)]
    clients: usize,
    /// How often the hub is ended by SIGKILL and started again on the same data, evenly spread.
    #[arg(long, default_value_t = 2)]
    kills: u32,
    /// Choices of the clients; random unless given.
    #[arg(long)]
    seed: Option<u64>,
    /// Where the report is written, too.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Root URLs of hubs that run already, instead of one started here; repeat for several on one table.
    #[arg(long)]
    at: Vec<String>,
    /// Leave the catalog out, which older hubs lack.
    #[arg(long)]
    without_catalog: bool,
}

/// The hub on a folder of its own; a new process has the old one's address.
struct Hub {
    program: PathBuf,
    folder: tempfile::TempDir,
    listen: String,
    child: Child,
}

impl Hub {
    fn start(program: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let listen = format!("127.0.0.1:{port}");
        let child = spawn(program, folder.path(), &listen);
        Self { program: program.to_owned(), folder, listen, child }
    }

    /// Ends the hub as no program can prepare for, and starts it on what it left behind.
    fn kill_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = spawn(&self.program, self.folder.path(), &self.listen);
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Starts the program and waits until it says that it is ready.
fn spawn(program: &Path, folder: &Path, listen: &str) -> Child {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_") || name.starts_with("PERIGEE_")) {
        command.env_remove(name);
    }
    command.args(["--listen", listen, "--data"]).arg(folder).env("RUST_LOG", "error").stdout(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = lines.map_while(Result::ok).any(|line| line.starts_with("Ctrl-C"));
    assert!(ready, "the hub ended: {:?}", child.wait());
    child
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let seed = args.seed.unwrap_or_else(rand::random);
    println!("seed {seed}");
    let mut hub = args.at.is_empty().then(|| Hub::start(&args.hub));
    let bases = match &hub {
        Some(hub) => vec![format!("http://{}", hub.listen)],
        None => args.at.clone(),
    };
    let client = Arc::new(Client::new(bases.clone(), PATIENCE));
    let duration = Duration::from_secs(args.seconds);
    let plan = Plan { clients: args.clients, duration, seed, catalog: !args.without_catalog };
    let begun = Instant::now();
    let loading = tokio::spawn({
        let client = client.clone();
        async move { load::run(&client, &plan).await }
    });
    if let Some(hub) = &mut hub {
        for kill in 1..=args.kills {
            tokio::time::sleep_until((begun + duration * kill / (args.kills + 1)).into()).await;
            hub.kill_and_restart();
            println!("killed and restarted at {:.1} s", begun.elapsed().as_secs_f64());
        }
    }
    let ledger = loading.await.unwrap();
    let loaded = begun.elapsed();
    let stats = std::mem::take(&mut *client.stats.lock().unwrap());
    // What is read back comes from the disk, not from memory.
    if let Some(hub) = &mut hub {
        hub.kill_and_restart();
    }
    let begun = Instant::now();
    let findings = check(&client, &ledger).await;
    let what = match &hub {
        Some(hub) => {
            let program = hub.program.display();
            format!("`{program}`, one process with its emulators, data on disk, {} times killed meanwhile", args.kills)
        }
        None => format!("{} instance(s) at {}", bases.len(), bases.join(", ")),
    };
    let conditions = format!(
        "{} clients for {:.0} s on {} processors against {what}; seed {seed}; read back in {:.0} s.",
        args.clients,
        loaded.as_secs_f64(),
        std::thread::available_parallelism().map_or(0, usize::from),
        begun.elapsed().as_secs_f64()
    );
    let text = report(&conditions, &stats, &ledger, &findings);
    println!("\n{text}");
    if let Some(path) = &args.report {
        std::fs::write(path, &text).unwrap();
    }
    let least = args.seconds * LEAST_POINTS_A_SECOND;
    let is_enough = u64::try_from(findings.points).is_ok_and(|points| points >= least);
    if !is_enough {
        println!("Only {} points: this load has done too little, at least {least} are expected.", findings.points);
    }
    match is_enough && findings.is_clean() && ledger.surprises.is_empty() && ledger.given_up == 0 {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
