//! The program as a child process.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_s3::Client as S3;
use local::aws::AwsService;

/// A command for the program, deaf to this machine's AWS settings.
pub fn local(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_") || name.starts_with("PERIGEE_")) {
        command.env_remove(name);
    }
    command.args(args);
    command
}

/// Runs the program to its end and returns the exit code and what it wrote to standard error.
pub fn fails(command: &mut Command) -> (i32, String) {
    let Output { status, stderr, .. } = command.stdin(Stdio::null()).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stderr).unwrap())
}

/// A running program and the URLs that it printed.
pub struct Process {
    pub child: Child,
    urls: BTreeMap<String, String>,
}

impl Process {
    /// Starts the program and waits until it says that it is ready.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut urls = BTreeMap::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let mut words = line.split_whitespace();
            if let (Some(name), Some(url)) = (words.next(), words.next())
                && url.starts_with("http://")
            {
                urls.insert(name.to_owned(), url.to_owned());
            }
            if line.starts_with("Ctrl-C") {
                return Process { child, urls };
            }
        }
        panic!("the program ended: {:?}", child.wait());
    }

    pub fn url(&self, name: &str) -> &str {
        &self.urls[name]
    }

    /// Ends the program as no program can prepare for.
    pub fn kill(self) {
        drop(self);
    }

    /// Sends a signal by name and waits for the end.
    pub fn signal(mut self, name: &str) -> std::process::ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

/// A failed test leaves no program behind either.
impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

pub async fn dynamodb(endpoint: &str) -> DynamoDb {
    DynamoDb::new(&AwsService::Embedded { endpoint: endpoint.to_owned() }.sdk_config().await)
}

pub async fn s3(endpoint: &str) -> S3 {
    let config = AwsService::Embedded { endpoint: endpoint.to_owned() }.sdk_config().await;
    S3::from_conf(aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build())
}
