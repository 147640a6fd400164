//! One project: read from GitLab, built, compared with what is stored, written if it differs.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};
use shared::catalog::{Category, ModelOfProject, StoredItem};
use shared::gitlab::{ProjectFacts, RepositoryFacts, RepositoryFile, Token};
use shared::model::{self, ArtifactPath, ExperimentId, Holder, ProjectId, VersionSource};
use shared::objects::{Found, ObjectKey};
use shared::state::AppState;
use shared::{Error, Result};

use crate::item::{self, ModelVersion, Settings};
use crate::summary::Summary;

/// Bytes of an MLmodel file that are read.
const LARGEST_MLMODEL: usize = 256 * 1024;

/// The token with which the catalog reads GitLab.
///
/// # Errors
/// `Internal`, for the operator, if none is configured.
pub fn token(state: &AppState) -> Result<&Token> {
    state
        .config
        .sync_token
        .as_ref()
        .ok_or_else(|| Error::Internal("the catalog has no token to read GitLab with: set PERIGEE_SYNC_TOKEN".into()))
}

/// Brings all items of a project up to date, or removes them if it is gone or has no category any more.
pub async fn refresh(state: &AppState, id: ProjectId) -> Result<Summary> {
    let read_at = state.clock.now_ms();
    let facts = state.gitlab.project_facts(token(state)?, id).await?;
    let names: Vec<&str> = state.config.categories.iter().map(|category| category.id.as_str()).collect();
    let known: BTreeMap<String, Known> = state
        .store
        .catalog_rows(id, &names)
        .await?
        .into_iter()
        .filter(|change| change.row.is_some())
        .map(|change| (change.collection, Known { version: change.version, listing: change.listing }))
        .collect();
    let mut summary = Summary::default();
    let wanted = facts.as_ref().map(|facts| categories_of(state, facts)).unwrap_or_default();
    if let Some(facts) = facts.filter(|_| !wanted.is_empty()) {
        let listing = fingerprint(&ProjectFacts { repository: None, ..facts.clone() });
        let items = build(state, facts, &wanted, listing).await?;
        for item in items {
            write(state, &item, known.get(&item.row.collection), read_at, &mut summary).await?;
        }
    }
    for collection in known.keys().filter(|name| !wanted.iter().any(|category| category.id == **name)) {
        if state.store.remove_catalog_item(id, collection, read_at).await? {
            summary.removed += 1;
        }
    }
    Ok(summary)
}

/// The categories whose topic a project has.
pub fn categories_of<'a>(state: &'a AppState, facts: &ProjectFacts) -> Vec<&'a Category> {
    state.config.categories.iter().filter(|category| facts.topics.contains(&category.topic)).collect()
}

/// What GitLab's list says of a project, in short: as long as it stays the same, nothing of note has happened.
pub fn fingerprint(listing: &ProjectFacts) -> String {
    hex::encode(&Sha256::digest(format!("{listing:?}"))[..8])
}

/// The project's item in each of the categories.
pub async fn build(
    state: &AppState,
    mut facts: ProjectFacts,
    categories: &[&Category],
    listing: String,
) -> Result<Vec<StoredItem>> {
    let settings = Settings { gitlab_url: &state.config.gitlab_url, categories: &state.config.categories };
    measure(state, &mut facts, &settings).await?;
    let models = models(state, facts.id).await?;
    categories
        .iter()
        .map(|category| {
            let item = item::build(&facts, category, &models, &settings);
            let text = |document: serde_json::Map<String, Value>| Value::Object(document).to_string();
            Ok(StoredItem::new(text(item.full), item.minimal.map(text), item.row, listing.clone()))
        })
        .collect()
}

/// What is stored of an item.
pub struct Known {
    pub version: String,
    pub listing: String,
}

/// Writes an item unless it is what is stored. What the list said is stored, too: it would be news for ever.
pub async fn write(
    state: &AppState,
    item: &StoredItem,
    known: Option<&Known>,
    read_at: i64,
    summary: &mut Summary,
) -> Result<()> {
    if known.is_some_and(|known| known.version == item.version && known.listing == item.listing) {
        summary.unchanged += 1;
    } else if state.store.write_catalog_item(item, read_at).await? {
        summary.written += 1;
    } else {
        summary.overtaken += 1;
    }
    Ok(())
}

/// Adds what the list of files does not say of those that become assets: sizes and LFS's checksums.
async fn measure(state: &AppState, facts: &mut ProjectFacts, settings: &Settings<'_>) -> Result<()> {
    let selected = item::selected_files(facts, settings);
    let (Some(branch), false) = (facts.default_branch.clone(), selected.is_empty()) else { return Ok(()) };
    let details = state.gitlab.file_details(token(state)?, &facts.path, &branch, &selected).await;
    let Some(repository) = &mut facts.repository else { return Ok(()) };
    match details {
        Ok(details) => {
            let mut details: BTreeMap<String, RepositoryFile> =
                details.into_iter().map(|file| (file.path.clone(), file)).collect();
            for file in &mut repository.files {
                if let Some(detail) = details.remove(&file.path) {
                    *file = detail;
                }
            }
        }
        Err(error @ Error::Unavailable(_)) => return Err(error),
        Err(error) => repository.warnings.push(format!("the sizes of the files could not be read: {error}")),
    }
    Ok(())
}

/// The project's registered models. Where only members may read MLflow's data, the catalog tells nothing of it.
async fn models(state: &AppState, id: ProjectId) -> Result<Vec<ModelVersion>> {
    if state.config.members_only {
        return Ok(Vec::new());
    }
    let mut models = Vec::new();
    for model in state.store.catalog_models(id).await? {
        let artifact_path = model_file(state, &model).await?;
        models.push(ModelVersion { model: model.name, version: model.version.number, artifact_path });
    }
    Ok(models)
}

/// The file below a version's own root that holds the model, as its `MLmodel` says (docs/catalog.md, "Items").
async fn model_file(state: &AppState, model: &ModelOfProject) -> Result<Option<String>> {
    let Some(key) = description_of(state, &model.version).await? else { return Ok(None) };
    let Some(Found::Small(object)) = state.objects.get(&key, None, LARGEST_MLMODEL).await? else { return Ok(None) };
    // Whoever may write to the project has written this.
    let text = str::from_utf8(&object.bytes).ok();
    let Some(description) = text.and_then(|text| item::yaml::parse(text).ok()) else { return Ok(None) };
    let python = &description["flavors"]["python_function"];
    let file = python["model_path"].as_str().or_else(|| python["data"].as_str());
    Ok(file.and_then(|file| ArtifactPath::parse_file(file).ok()).map(|path| path.as_str().to_owned()))
}

/// Where a version's `MLmodel` lies; `None` if that is outside this hub or its run is of another project.
async fn description_of(state: &AppState, version: &model::ModelVersion) -> Result<Option<ObjectKey>> {
    let (experiment, root) = match VersionSource::parse(&version.storage) {
        Ok(VersionSource::Artifacts { experiment, path }) => (experiment.parse().ok().map(ExperimentId), path),
        Ok(VersionSource::Run { run_id, path }) => {
            let owner = state.store.find_run_owner(&run_id).await?.filter(|owner| owner.project == version.project);
            (owner.map(|owner| owner.experiment), ArtifactPath::of_holder(Holder::Run(&run_id)).join(&path))
        }
        _ => return Ok(None),
    };
    let Ok(file) = ArtifactPath::parse_file("MLmodel") else { return Ok(None) };
    Ok(experiment.and_then(|experiment| ObjectKey::of_model_file(version.project, experiment, &root.join(&file))))
}

/// A project of which GitLab's list is all that could be read.
pub fn unreadable(listing: &ProjectFacts, why: &Error) -> ProjectFacts {
    // The cause of a fault is for the log.
    let why = match why {
        Error::Unavailable(_) | Error::Internal(_) => "GitLab did not answer as expected".to_owned(),
        other => other.to_string(),
    };
    let warnings = vec![format!("the repository could not be read: {why}")];
    ProjectFacts { repository: Some(RepositoryFacts { warnings, ..RepositoryFacts::default() }), ..listing.clone() }
}
