//! Where a version's files come from. Source, run and logged model must belong to the version's own project: a version
//! never opens a door to another project's bytes (W5).

use std::sync::Arc;

use shared::auth::Access;
use shared::context::Context;
use shared::model::{Experiment, ExperimentId, Holder, LoggedModel, RegisteredModel, VersionSource, Which, contains};
use shared::store::{no_logged_model, no_registered_model, no_run, no_version};
use shared::{Error, Result};

use crate::aliases::{no_alias, version_at};
use crate::registered_models::parse_stage;
use shared::model::validation::{LATEST, version_number};

/// Sources that prompts have instead of a place.
const PLACEHOLDERS: [&str; 2] = ["dummy-source", "prompt-template"];

/// What the client says of a version's origin.
pub struct Claim<'a> {
    pub source: &'a str,
    pub run_id: Option<&'a str>,
    pub model_id: Option<&'a str>,
}

impl Claim<'_> {
    fn run(&self) -> Option<&str> {
        self.run_id.filter(|id| !id.is_empty())
    }

    fn logged_model(&self) -> Option<&str> {
        self.model_id.filter(|id| !id.is_empty())
    }
}

/// What has been found to be true of it.
#[derive(Default)]
pub struct Origin {
    pub source: String,
    pub storage: String,
    pub default_experiment: Option<ExperimentId>,
    pub run_id: String,
    /// The logged model that is promoted.
    pub logged_model: Option<String>,
}

/// The origin of a prompt's version, which has no files.
pub async fn of_prompt(context: &Context, access: &Access, claim: &Claim<'_>) -> Result<Origin> {
    let source = claim.source;
    if !PLACEHOLDERS.contains(&source) {
        return Err(Error::invalid(format!(
            "Invalid prompt source: '{source}'. Prompt sources must use an MLflow placeholder."
        )));
    }
    if let Some(run_id) = claim.run() {
        experiment_of_run(context, access, run_id).await?;
    }
    Ok(Origin {
        source: source.to_owned(),
        storage: source.to_owned(),
        run_id: claim.run().unwrap_or_default().to_owned(),
        ..Origin::default()
    })
}

/// The origin of a model's version.
pub async fn of_model(context: &Context, access: &Access, claim: &Claim<'_>) -> Result<Origin> {
    match VersionSource::parse(claim.source)? {
        VersionSource::Version { name, which } => of_version(context, access, claim, &name, &which).await,
        source => of_files(context, access, claim, source).await,
    }
}

/// A copy of another version, by reference.
async fn of_version(
    context: &Context,
    access: &Access,
    claim: &Claim<'_>,
    name: &str,
    which: &Which,
) -> Result<Origin> {
    let (owner, plain) = context.registered_model(name).await?;
    if owner.project() != access.project() {
        return Err(no_registered_model(name));
    }
    let stage = match which {
        Which::Stage(stage) => Some(parse_stage(stage)?),
        _ => None,
    };
    let number = match which {
        Which::Number(number) => version_number(number)?.0,
        _ => 0,
    };
    let wanted = |model: &RegisteredModel| -> Vec<u64> {
        let number = match (which, stage) {
            (Which::Number(_), _) => model.stages.get(number).map(|_| number),
            (Which::Alias(alias), _) => version_at(model, alias),
            (_, Some(stage)) => model.stages.in_stage(stage).max(),
            (_, None) => version_at(model, LATEST),
        };
        number.into_iter().collect()
    };
    let found = context.store().find_registered_model(access, &plain, wanted).await?;
    let (model, versions) = found.ok_or_else(|| no_registered_model(name))?;
    if model.is_prompt() {
        return Err(refused(claim, "Prompt versions cannot be used as model version sources."));
    }
    let Some(version) = versions.into_iter().next() else {
        return Err(match which {
            Which::Number(number) => no_version(name, number),
            Which::Alias(alias) => no_alias(name, alias),
            Which::Stage(stage) => {
                Error::invalid(format!("No versions of model with name '{name}' and stage '{stage}' found"))
            }
            Which::Latest => Error::invalid(format!("No versions of model with name '{name}' found")),
        });
    };
    if claim.run_id.is_some_and(|run_id| run_id != version.run_id) || claim.logged_model().is_some() {
        return Err(refused(
            claim,
            "The run_id and model_id request parameters must match the referenced model version.",
        ));
    }
    Ok(Origin {
        source: format!("models:/{plain}/{}", version.number),
        storage: version.storage,
        default_experiment: version.default_experiment,
        run_id: version.run_id,
        logged_model: None,
    })
}

/// Files of a run or logged model, or a place that is not ours.
async fn of_files(context: &Context, access: &Access, claim: &Claim<'_>, source: VersionSource) -> Result<Origin> {
    let (run, model) = (claim.run(), claim.logged_model());
    let not_contained = || contains(claim.source, if model.is_some() { "model_id" } else { "run_id" });
    match &source {
        VersionSource::Local => return Err(local(claim, model.is_some())),
        VersionSource::Run { run_id, .. } if model.is_some() || run != Some(run_id) => return Err(not_contained()),
        VersionSource::LoggedModel(id) if model != Some(id) => return Err(contains(claim.source, "model_id")),
        _ => {}
    }
    let model = match model {
        Some(id) => Some(logged_model(context, access, id).await?),
        None => None,
    };
    let run_experiment = match run {
        Some(id) => Some(experiment_of_run(context, access, id).await?),
        None => None,
    };
    let mut origin = Origin {
        source: claim.source.to_owned(),
        storage: claim.source.to_owned(),
        run_id: run.unwrap_or_default().to_owned(),
        logged_model: model.as_ref().map(|(model, _)| model.id.clone()),
        ..Origin::default()
    };
    if let Some((model, _)) = &model
        && run.is_none()
        && let Some(source_run) = model.source_run_id.as_deref().filter(|id| !id.is_empty())
        && experiment_of_run(context, access, source_run).await.is_ok()
    {
        // What a logged model says of its run was never checked.
        source_run.clone_into(&mut origin.run_id);
    }
    match &source {
        VersionSource::LoggedModel(_) => {
            if let Some((model, experiment)) = &model {
                origin.storage.clone_from(&model.artifact_uri);
                origin.default_experiment = experiment.is_default.then_some(experiment.id);
            }
        }
        VersionSource::Artifacts { experiment: named, .. } => {
            let place = match (source.holder(), &model, run, &run_experiment) {
                (Some(Holder::LoggedModel(id)), Some((model, experiment)), ..) if id == model.id => Some(experiment),
                (Some(Holder::Run(id)), None, Some(run), Some(experiment)) if id == run => Some(experiment),
                _ => None,
            };
            let experiment =
                place.filter(|experiment| is_named(context, experiment, named)).ok_or_else(not_contained)?;
            origin.source = with_real_id(claim.source, named, experiment.id);
            origin.storage.clone_from(&origin.source);
            origin.default_experiment = experiment.is_default.then_some(experiment.id);
        }
        _ => {}
    }
    Ok(origin)
}

/// Does this id, as the client's view shows it or as it is, name the experiment, and does it keep its files with us?
fn is_named(context: &Context, experiment: &Experiment, named: &str) -> bool {
    let is_own = experiment.artifact_location == format!("mlflow-artifacts:/{}", experiment.id);
    is_own && (named == experiment.id.to_string() || named == context.shown_id(experiment).to_string())
}

/// The source with the experiment's own id instead of the one that the view shows.
fn with_real_id(source: &str, named: &str, id: ExperimentId) -> String {
    let rest = source.split_once(':').map_or("", |(_, rest)| rest).trim_start_matches('/');
    match rest.strip_prefix(named) {
        Some(rest) if named != id.to_string() => format!("mlflow-artifacts:/{id}{rest}"),
        _ => source.to_owned(),
    }
}

/// The experiment of a run of this project; any other run counts as missing.
async fn experiment_of_run(context: &Context, access: &Access, run_id: &str) -> Result<Arc<Experiment>> {
    match context.store().find_run_owner(run_id).await? {
        Some(owner) if owner.project == access.project() => context.known_experiment(owner.experiment).await,
        _ => Err(no_run(run_id)),
    }
}

/// A logged model of this project; any other counts as missing.
async fn logged_model(context: &Context, access: &Access, id: &str) -> Result<(LoggedModel, Arc<Experiment>)> {
    let found = context.store().find_logged_model(id).await?.filter(|model| model.owner() == access.project());
    let model = found.ok_or_else(|| no_logged_model(id))?.open(access)?;
    if model.lifecycle == shared::model::Lifecycle::Deleted {
        return Err(no_logged_model(id));
    }
    let experiment = context.known_experiment(model.experiment).await?;
    Ok((model, experiment))
}

fn local(claim: &Claim<'_>, of_model: bool) -> Error {
    let parameter = if of_model { "model_id" } else { "run_id" };
    refused(
        claim,
        &format!(
            "To use a local path as a model version source, the {parameter} request parameter has to be specified and the \
             local path has to be contained within the artifact directory of the run specified by the {parameter}."
        ),
    )
}

fn refused(claim: &Claim<'_>, why: &str) -> Error {
    Error::invalid(format!("Invalid model version source: '{}'. {why}", claim.source))
}
