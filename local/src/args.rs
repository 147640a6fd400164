//! Command line of `local`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use url::Url;

/// Where data is kept unless an option says otherwise.
pub const DATA_FOLDER: &str = ".perigee";

const AFTER_HELP: &str = "\
Environment:
  AWS_ENDPOINT_URL             use this AWS endpoint (LocalStack, MiniStack) instead of embedded DynamoDB and S3
  AWS_ENDPOINT_URL_DYNAMODB    the same for DynamoDB only
  AWS_ENDPOINT_URL_S3          the same for S3 only
  PERIGEE_TABLE                name of the DynamoDB table [default: perigee]
  PERIGEE_BUCKET               name of the S3 bucket [default: perigee-artifacts]
  PERIGEE_GITLAB_URL           the same as --gitlab
  PERIGEE_PUBLIC_URL           URL at which clients reach the hub, when it is not the listening address
  PERIGEE_TOKEN_KEY            key that signs page tokens and hashes credentials; made up and kept when absent
  PERIGEE_READERS              members: only a project's members read its data; visible: whoever sees it [default]
  PERIGEE_READ_API_WRITES      true: a read_api token may write if its owner's role allows it
  PERIGEE_ANONYMOUS            false: visitors without a token see nothing of the catalog [default here: true]
  PERIGEE_CATEGORIES           JSON list of the catalog's categories; see the README
  PERIGEE_SYNC_TOKEN           token with which the catalog reads a GitLab given by --gitlab
  PERIGEE_WEBHOOK_SECRET       secret that GitLab's webhooks send; without it they are refused
  RUST_LOG                     log filter, e.g. info; local=debug needs a debug build

Examples:
  local                        hub on http://127.0.0.1:5000, data kept in .perigee
  local --memory --listen 127.0.0.1:0
                               nothing kept, on a free port
  local --only-emulators       DynamoDB on 8000, S3 on 9000, GitLab stand-in on 8929
  local --projects my-projects
                               also the accounts and projects of my-projects/gitlab.yaml";

/// Runs the whole Perigee hub in one process, with embedded DynamoDB, embedded S3 and a GitLab stand-in.
#[derive(Debug, Clone, Parser)]
#[command(name = "local", version, after_help = AFTER_HELP)]
pub struct Args {
    /// Address of the hub; port 0 takes a free port.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5000")]
    pub listen: SocketAddr,

    /// Folder in which embedded DynamoDB and S3 keep their data [default: .perigee].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Tell with every answer what it cost: a header `Server-Timing` with DynamoDB requests and capacity units.
    #[arg(long)]
    pub show_cost: bool,

    /// Keep nothing: DynamoDB in memory, S3 in a temporary folder that is removed on exit.
    #[arg(long, conflicts_with = "data")]
    pub memory: bool,

    /// A real GitLab instead of the stand-in, e.g. https://gitlab.example.com.
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub gitlab: Option<Url>,

    /// Folder with a gitlab.yaml and project files, added to the stand-in's demo projects.
    #[arg(long, value_name = "DIR", conflicts_with = "gitlab")]
    pub projects: Option<PathBuf>,

    /// Serve just the emulators, for a hub, a benchmark or a deployment in another process.
    #[arg(long, conflicts_with_all = ["listen", "gitlab", "aws"])]
    pub only_emulators: bool,

    /// Ports of embedded DynamoDB, S3 and GitLab stand-in; 0 takes a free port.
    /// [default: 8000,9000,8929 with --only-emulators, otherwise free ports]
    #[arg(long, value_name = "D,S,G", value_parser = three_ports)]
    pub emulator_ports: Option<EmulatorPorts>,

    /// Real AWS, by the SDK's usual credentials and region, instead of embedded DynamoDB and S3.
    #[arg(long, conflicts_with_all = ["data", "memory"])]
    pub aws: bool,

    /// Something else than to serve.
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Write the OpenAPI document of all functions to standard output.
    Openapi,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmulatorPorts {
    pub dynamodb: u16,
    pub s3: u16,
    pub gitlab: u16,
}

impl Args {
    /// The folder of embedded services; `None` for `--memory`.
    pub fn data_folder(&self) -> Option<PathBuf> {
        (!self.memory).then(|| self.data.clone().unwrap_or_else(|| PathBuf::from(DATA_FOLDER)))
    }

    /// The emulators' ports, 0 for free ones.
    pub fn ports(&self) -> EmulatorPorts {
        self.emulator_ports.unwrap_or(match self.only_emulators {
            true => EmulatorPorts { dynamodb: 8000, s3: 9000, gitlab: 8929 },
            false => EmulatorPorts { dynamodb: 0, s3: 0, gitlab: 0 },
        })
    }
}

fn http_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        _ => Err("not an http:// or https:// URL".to_owned()),
    }
}

fn three_ports(text: &str) -> Result<EmulatorPorts, String> {
    let ports: Result<Vec<u16>, _> = text.split(',').map(|port| port.trim().parse::<u16>()).collect();
    match ports.as_deref() {
        Ok([dynamodb, s3, gitlab]) => Ok(EmulatorPorts { dynamodb: *dynamodb, s3: *s3, gitlab: *gitlab }),
        _ => Err("not three port numbers with commas between them".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(args: &[&str]) -> Result<Args, clap::Error> {
        Args::try_parse_from([&["local"], args].concat())
    }

    #[test]
    fn defaults() {
        let args = parse(&[]).unwrap();
        assert_eq!(args.listen.to_string(), "127.0.0.1:5000");
        assert_eq!(args.data_folder(), Some(PathBuf::from(".perigee")));
        assert_eq!(args.ports(), EmulatorPorts { dynamodb: 0, s3: 0, gitlab: 0 });
        assert_eq!(parse(&["--memory"]).unwrap().data_folder(), None);
        assert_eq!((args.command, parse(&["openapi"]).unwrap().command), (None, Some(Command::Openapi)));
        let emulators = parse(&["--only-emulators"]).unwrap();
        assert_eq!(emulators.ports(), EmulatorPorts { dynamodb: 8000, s3: 9000, gitlab: 8929 });
    }

    #[test]
    fn emulator_ports_are_three() {
        let args = parse(&["--only-emulators", "--emulator-ports", "1,2,3"]).unwrap();
        assert_eq!(args.ports(), EmulatorPorts { dynamodb: 1, s3: 2, gitlab: 3 });
        for wrong in ["1,2", "1,2,3,4", "1,2,x", "1,2,70000", ""] {
            assert!(parse(&["--emulator-ports", wrong]).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn contradictions_are_refused() {
        for wrong in [
            &["--memory", "--data", "x"][..],
            &["--aws", "--memory"],
            &["--gitlab", "http://127.0.0.1:1", "--projects", "x"],
            &["--only-emulators", "--gitlab", "http://127.0.0.1:1"],
            &["--only-emulators", "--listen", "127.0.0.1:1"],
            &["--gitlab", "gitlab.example.com"],
            &["--gitlab", "ftp://gitlab.example.com"],
            &["--listen", "5000"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
