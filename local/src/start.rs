//! From arguments to a running stack, and back down.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use notify::RecommendedWatcher;
use shared::clock::Clock;
use shared::gitlab::Token;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

use crate::args::Args;
use crate::aws::{AwsService, EndpointVariables};
use crate::catalog::{self, Changed};
use crate::data::{DataFolder, random_key};
use crate::emulators::{dynamodb, s3};
use crate::gitlab::{self, DefinitionError, World};
use crate::hub::{self, Backends};
use crate::serve::{bind, serve};
use crate::{host, limits};

/// How long an endpoint that we did not start may take to accept a connection.
const REACH: Duration = Duration::from_secs(2);

/// Why the stack did not start: one line that says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {address}: {source}; end the other program or choose another port with {option}")]
    Bind { address: SocketAddr, option: &'static str, source: std::io::Error },
    #[error("cannot use {}: {message}; choose another folder with --data, or --memory", path.display())]
    Data { path: PathBuf, message: String },
    #[error("{} is in use by another process; end it, or choose another folder with --data, or --memory", path.display())]
    DataInUse { path: PathBuf },
    #[error("embedded {name} did not start: {message}")]
    Emulator { name: &'static str, message: String },
    #[error("{0}; correct it, or leave out --projects")]
    World(#[from] DefinitionError),
    #[error("the projects folder cannot be watched: {0}; check its rights and the system's limit of watches")]
    Watch(String),
    #[error("a setting is wrong: {0}")]
    Settings(String),
    #[error("cannot create the {name}: {message}; check the service, its credentials and region")]
    Storage { name: &'static str, message: String },
    #[error("{name} at {url} cannot be reached: {message}; start it, or change {setting}")]
    Unreachable { name: &'static str, url: String, message: String, setting: &'static str },
}

/// The running stack.
pub struct Running {
    /// URL of the hub; `None` with `--only-emulators`.
    pub hub: Option<String>,
    pub dynamodb: AwsService,
    pub s3: AwsService,
    pub gitlab_url: String,
    /// The stand-in's world; `None` with a real GitLab.
    pub world: Option<World>,
    /// For people: where the data of embedded services is.
    pub data: Option<String>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    folder: Option<DataFolder>,
    _watcher: Option<RecommendedWatcher>,
}

impl Running {
    /// Ends all servers; requests under way may finish. A temporary folder is gone when this returns.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
        drop(self.folder.take());
    }
}

/// Starts what `args` ask for. `endpoints` are the environment's.
pub async fn start(args: &Args, endpoints: EndpointVariables) -> Result<Running, StartError> {
    let ports = args.ports();
    let (stop, stopping) = watch::channel(false);
    let mut tasks = JoinSet::new();

    // The most likely mistakes first: everything below costs more to undo.
    let hub_listener = match args.only_emulators {
        true => None,
        false => Some(bind(args.listen, "--listen")?),
    };
    // `--projects` speaks of the stand-in, so it counts more than the environment.
    let (gitlab, gitlab_setting) = match (&args.gitlab, args.only_emulators || args.projects.is_some()) {
        (Some(url), _) => (Some(url.to_string()), "--gitlab"),
        (None, false) => (endpoints.gitlab, "PERIGEE_GITLAB_URL"),
        (None, true) => (None, ""),
    };
    let gitlab_listener = match gitlab {
        Some(_) => None,
        None => Some(bind(loopback(ports.gitlab), "--emulator-ports")?),
    };
    let (dynamodb_choice, s3_choice) = match (args.only_emulators, args.aws) {
        (true, _) => (None, None),
        (false, true) => (Some(AwsService::Real), Some(AwsService::Real)),
        (false, false) => {
            let other = |endpoint| AwsService::Endpoint {
                endpoint,
                credentials: endpoints.credentials,
                region: endpoints.region,
            };
            (endpoints.dynamodb.map(other), endpoints.s3.map(other))
        }
    };
    let dynamodb_listener = match dynamodb_choice {
        Some(_) => None,
        None => Some(bind(loopback(ports.dynamodb), "--emulator-ports")?),
    };
    let s3_listener = match s3_choice {
        Some(_) => None,
        None => Some(bind(loopback(ports.s3), "--emulator-ports")?),
    };
    let world = match gitlab {
        Some(_) => None,
        None => Some(World::load(args.projects.as_deref())?),
    };
    for (service, name, setting) in
        [(&dynamodb_choice, "DynamoDB", "AWS_ENDPOINT_URL_DYNAMODB"), (&s3_choice, "S3", "AWS_ENDPOINT_URL_S3")]
    {
        if let Some(url) = service.as_ref().and_then(AwsService::endpoint) {
            reach(name, url, setting).await?;
        }
    }
    if let Some(url) = &gitlab {
        reach("GitLab", url, gitlab_setting).await?;
    }

    let folder = match (&dynamodb_listener, &s3_listener) {
        (None, None) => None,
        _ => Some(DataFolder::open(args.data_folder().as_deref())?),
    };
    let mut dynamodb = dynamodb_choice.unwrap_or(AwsService::Real);
    if let (Some(listener), Some(folder)) = (dynamodb_listener, &folder) {
        dynamodb = AwsService::Embedded { endpoint: url_of(&listener, "DynamoDB")? };
        let database = dynamodb::open(folder.dynamodb().as_deref())?;
        tasks.spawn(dynamodb::serve(listener, database, stopping.clone()));
    }
    let mut s3 = s3_choice.unwrap_or(AwsService::Real);
    if let (Some(listener), Some(folder)) = (s3_listener, &folder) {
        s3 = AwsService::Embedded { endpoint: url_of(&listener, "S3")? };
        tasks.spawn(serve(listener, s3::router(&folder.s3())?, stopping.clone()));
    }
    let gitlab_url = match (gitlab_listener, &world, gitlab) {
        (Some(listener), Some(world), _) => {
            let url = url_of(&listener, "GitLab stand-in")?;
            tasks.spawn(serve(listener, gitlab::router(world.clone()), stopping.clone()));
            url
        }
        (_, _, url) => url.unwrap_or_default().trim_end_matches('/').to_owned(),
    };

    let mut hub = None;
    let mut watcher = None;
    if let Some(listener) = hub_listener {
        let url = url_of(&listener, "hub")?;
        let is_loopback = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
        let backends = Backends {
            dynamodb: dynamodb.clone(),
            s3: s3.clone(),
            table: hub::TABLE.to_owned(),
            bucket: hub::BUCKET.to_owned(),
            gitlab_url: gitlab_url.clone(),
            public_url: url.clone(),
            token_key: folder.as_ref().map_or_else(|| Ok(random_key()), DataFolder::token_key)?,
            sync_token: world.as_ref().and_then(|_| Token::parse(gitlab::CATALOG_TOKEN).ok()),
            clock: Clock::default(),
        };
        let state = hub::state(&backends).await?;
        let mut router = hub::router(&state);
        if state.config.sync_token.is_some() {
            let changed = Changed::default();
            if let Some(projects) = &args.projects {
                watcher =
                    Some(catalog::watch(projects, &changed).map_err(|error| StartError::Watch(error.to_string()))?);
            }
            let noticed = changed.clone();
            router = router
                .layer(axum::middleware::from_fn(move |request, next| catalog::notice(noticed.clone(), request, next)));
            tasks.spawn(catalog::keep(state.clone(), changed, stopping.clone()));
        }
        if is_loopback {
            let public_url: Arc<str> = state.config.public_url.as_str().into();
            router = router.layer(axum::middleware::from_fn_with_state(public_url, host::check));
        }
        router = router.layer(axum::middleware::from_fn_with_state(args.show_cost, hub::record));
        let router = limits::gateway(router, hub::too_large);
        tasks.spawn(serve(listener, router, stopping.clone()));
        hub = Some(url);
    }
    let data = folder.as_ref().map(DataFolder::description);
    Ok(Running { hub, dynamodb, s3, gitlab_url, world, data, stop, tasks, folder, _watcher: watcher })
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn url_of(listener: &TcpListener, name: &'static str) -> Result<String, StartError> {
    let address = listener.local_addr().map_err(|error| StartError::Emulator { name, message: error.to_string() })?;
    Ok(format!("http://{address}"))
}

/// Fails unless something accepts connections at `url`.
async fn reach(name: &'static str, url: &str, setting: &'static str) -> Result<(), StartError> {
    let fail = |message: String| StartError::Unreachable { name, url: url.to_owned(), message, setting };
    let parsed = Url::parse(url).map_err(|error| fail(error.to_string()))?;
    let (Some(host), Some(port)) = (parsed.host_str(), parsed.port_or_known_default()) else {
        return Err(fail("it is not an http:// or https:// URL".to_owned()));
    };
    // An IPv6 address has brackets in a URL only.
    let connect = tokio::net::TcpStream::connect((host.trim_matches(['[', ']']), port));
    match tokio::time::timeout(REACH, connect).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(fail(error.to_string())),
        Err(_) => Err(fail(format!("no answer within {} s", REACH.as_secs()))),
    }
}
