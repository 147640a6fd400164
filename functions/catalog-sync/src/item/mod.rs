//! STAC items from what GitLab says of a project: pure, and safe against whatever authors write (docs/catalog.md, "Items").

mod asset;
mod assets;
mod document;
mod extensions;
mod front_matter;
mod glob;
mod hrefs;
mod instant;
mod known;
mod license;
mod links;
mod media_type;
mod mlm;
mod mlm_fields;
mod properties;
mod providers;
mod readme;
mod row;
mod rules;
mod shape;
mod source;
mod spatial;
#[cfg(test)]
mod tests;
mod text;
mod warnings;
pub(crate) mod yaml;

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use shared::catalog::{Category, Row};
use shared::gitlab::ProjectFacts;
use shared::model::Visibility;

use rules::{MOST, Selected};
use source::Source;
use warnings::Warnings;

/// What items depend on besides their project.
pub struct Settings<'a> {
    /// GitLab's own URL.
    pub gitlab_url: &'a str,
    /// All categories there are.
    pub categories: &'a [Category],
}

/// A version of a registered model in the hub's own registry.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelVersion {
    /// Its name in the registry.
    pub model: String,
    pub version: u64,
    /// The model's file, from the root of the version's files.
    pub artifact_path: Option<String>,
}

/// A project's item in one collection.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// For who may read the repository.
    pub full: Map<String, Value>,
    /// For who sees the project only; `None` if it would say the same or nobody is in that place.
    pub minimal: Option<Map<String, Value>>,
    pub row: Row,
}

/// The repository's files that become assets, the preview included, at most 500: those whose size is worth asking for.
pub fn selected_files(project: &ProjectFacts, settings: &Settings) -> Vec<String> {
    let mut ignored = Warnings::default();
    let Some(category) = settings.categories.iter().find(|category| project.topics.contains(&category.topic)) else {
        return Vec::new();
    };
    let source = Source::new(project, project.repository.as_ref(), category, &[], settings, &mut ignored);
    let mut paths = BTreeSet::new();
    let previews = source.previews().filter_map(|reference| hrefs::resolve(&source, reference, hrefs::Reach::Web));
    let preview = previews.into_iter().find_map(|target| match target {
        hrefs::Target::File(path) => source.files.contains_key(path.as_str()).then_some(path),
        hrefs::Target::Url(_) => None,
    });
    paths.extend(preview);
    for rule in rules::rules(&source, &mut ignored) {
        for selected in rules::select(&source, &rule, &mut ignored) {
            if let Selected::File(file) = selected
                && paths.len() < MOST
            {
                paths.insert(file.path.clone());
            }
        }
    }
    paths.into_iter().collect()
}

/// Builds the item of `project` in the collection of `category`, with the newest version of each of its registered models.
/// Whatever the project says, the documents are valid STAC; what cannot be used is named in `sharinghub:warnings`.
pub fn build(project: &ProjectFacts, category: &Category, models: &[ModelVersion], settings: &Settings) -> Item {
    let mut warnings = Warnings::default();
    let source = Source::new(project, project.repository.as_ref(), category, models, settings, &mut warnings);
    let (full, full_facts) = document::document(&source, warnings);
    // An external user may be a guest of an internal project: they see it, but not its code.
    let everybody = project.code_visibility == Visibility::Public;
    let minimal = (!everybody).then(|| {
        let mut warnings = Warnings::default();
        let source = Source::new(project, None, category, &[], settings, &mut warnings);
        document::document(&source, warnings)
    });
    let minimal = minimal.filter(|(document, _)| *document != full);
    let (minimal, minimal_facts) = minimal.unzip();
    let row = Row {
        project: project.id,
        collection: category.id.clone(),
        id: project.path.clone(),
        visibility: project.visibility,
        code_visibility: project.code_visibility,
        full: full_facts,
        minimal: minimal_facts,
    };
    Item { full, minimal, row }
}
