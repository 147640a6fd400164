//! What the program says once it serves: URLs, demo tokens, and a snippet to paste.

use crate::args::Args;
use crate::aws::AwsService;
use crate::emulators::{ACCESS_KEY, REGION, SECRET_KEY};
use crate::gitlab::World;
use crate::say::say;
use crate::start::Running;

/// Prints the greeting for a person at a terminal. The first word of each URL line is fixed for scripts.
pub fn print(args: &Args, running: &Running) {
    if let Some(hub) = &running.hub {
        say(format_args!("Perigee is ready\n\n  hub       {hub}/mlflow"));
        say(format_args!("  stac      {hub}/api/stac/"));
        say(format_args!("  docs      {hub}/api/docs"));
        say(format_args!("  start     {hub}/  (the front page, for a browser)"));
        if !args.listen.ip().is_loopback() {
            say("            reachable from other machines, while the demo tokens below are public knowledge");
        }
    } else {
        say("Perigee's emulators are ready\n");
    }
    let stand_in = if running.world.is_some() { "  (stand-in)" } else { "" };
    say(format_args!("  dynamodb  {}", service(&running.dynamodb)));
    say(format_args!("  s3        {}", service(&running.s3)));
    say(format_args!("  gitlab    {}{stand_in}", running.gitlab_url));
    if let Some(data) = &running.data {
        say(format_args!("  data      {data}"));
    }
    if let Some(world) = &running.world {
        tokens(world);
    }
    match &running.hub {
        Some(hub) if running.world.is_some() => say(snippet(hub)),
        Some(_) => {}
        None => say(environment(running)),
    }
    say("\nCtrl-C ends it.");
}

fn service(service: &AwsService) -> &str {
    service.endpoint().unwrap_or("AWS")
}

fn tokens(world: &World) {
    say("\nTokens of the stand-in's accounts (-ro: read_api only):");
    let lines = world.read(|state| {
        let mut lines = Vec::new();
        for account in &state.accounts {
            let own = state.tokens.iter().filter(|token| token.account == account.id);
            let secrets: Vec<&str> = own.map(|token| token.secret.as_str()).collect();
            lines.push(format!("  {:<11} {}", account.username, secrets.join("  ")));
        }
        lines
    });
    for line in lines {
        say(line);
    }
}

fn snippet(hub: &str) -> String {
    format!(
        "\nPaste into a shell with mlflow installed:\n\n\
        \x20 export MLFLOW_TRACKING_URI={hub}/mlflow/earth/flood-model/tracking\n\
        \x20 export MLFLOW_TRACKING_TOKEN=glpat-local-developer\n\
        \x20 python - <<'END'\n\
        \x20 import mlflow\n\
        \x20 with mlflow.start_run() as run:\n\
        \x20     mlflow.log_param(\"threshold\", -15.5)\n\
        \x20     mlflow.log_metric(\"accuracy\", 0.97)\n\
        \x20 print(mlflow.get_run(run.info.run_id).data)\n\
        \x20 END"
    )
}

fn environment(running: &Running) -> String {
    format!(
        "\nFor a hub in another process:\n\n\
        \x20 export AWS_ENDPOINT_URL_DYNAMODB={}\n\
        \x20 export AWS_ENDPOINT_URL_S3={}\n\
        \x20 export AWS_ACCESS_KEY_ID={ACCESS_KEY} AWS_SECRET_ACCESS_KEY={SECRET_KEY} AWS_REGION={REGION}\n\
        \x20 export PERIGEE_GITLAB_URL={}",
        service(&running.dynamodb),
        service(&running.s3),
        running.gitlab_url,
    )
}
