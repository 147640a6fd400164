//! `Source`: what one document is made from.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};
use shared::catalog::{Category, OWN_URL, ROOT};
use shared::gitlab::{ProjectFacts, RepositoryFacts, RepositoryFile};

use super::readme::Readme;
use super::warnings::Warnings;
use super::{ModelVersion, Settings, front_matter, hrefs};

/// A README is read so far.
const README: usize = 1024 * 1024;

/// A project as one kind of reader sees it, with its README taken apart.
pub(super) struct Source<'a> {
    pub project: &'a ProjectFacts,
    /// `None` for readers who see the project only.
    pub repository: Option<&'a RepositoryFacts>,
    pub models: &'a [ModelVersion],
    /// All categories there are, and those that the project is in.
    pub all: &'a [Category],
    /// The one whose item this is.
    pub category: &'a Category,
    pub categories: Vec<&'a Category>,
    /// Without a slash at its end.
    pub gitlab_url: &'a str,
    pub branch: Option<&'a str>,
    /// The repository's files by path.
    pub files: HashMap<&'a str, &'a RepositoryFile>,
    pub front: Map<String, Value>,
    pub readme: Readme,
}

impl<'a> Source<'a> {
    pub fn new(
        project: &'a ProjectFacts,
        repository: Option<&'a RepositoryFacts>,
        category: &'a Category,
        models: &'a [ModelVersion],
        settings: &'a Settings<'a>,
        warnings: &mut Warnings,
    ) -> Self {
        let text = repository.and_then(|repository| repository.readme.as_deref()).unwrap_or_default();
        // Only what is written here may stand for the hub's URL.
        let text = super::text::cut(text, README).replace(OWN_URL, &format!("{ROOT}%2F"));
        let (front, body) = front_matter::split(&text, warnings);
        for warning in repository.iter().flat_map(|repository| &repository.warnings) {
            warnings.say(warning);
        }
        let is_in = |other: &&Category| project.topics.contains(&other.topic) || other.id == category.id;
        let mut source = Self {
            project,
            repository,
            models,
            all: settings.categories,
            category,
            categories: settings.categories.iter().filter(is_in).collect(),
            gitlab_url: settings.gitlab_url.trim_end_matches('/'),
            branch: repository.and(project.default_branch.as_deref()),
            files: repository.iter().flat_map(|repository| &repository.files).map(|file| (&*file.path, file)).collect(),
            front,
            readme: Readme::default(),
        };
        source.readme = Readme::new(body, &source);
        source
    }

    /// The canonical id of the category that goes by `name`.
    pub fn category_named(&self, name: &str) -> Option<&'a str> {
        self.all.iter().find(|category| category.is_named(name)).map(|category| category.id.as_str())
    }

    /// Download URL of a file of the repository.
    pub fn file_href(&self, path: &str) -> String {
        hrefs::file(&self.project.path, path, self.branch)
    }

    /// Download URL of a picture; browsers may keep it for some minutes.
    pub fn picture_href(&self, path: &str) -> String {
        let href = self.file_href(path);
        let separator = if href.contains('?') { '&' } else { '?' };
        format!("{href}{separator}cache=300")
    }

    /// What the web interface offers for the category's projects.
    pub fn category_features(&self) -> &'a BTreeMap<String, bool> {
        &self.category.features
    }

    /// Topics that say what the project is about, not of which kind it is.
    pub fn tags(&self) -> Vec<&'a str> {
        let is_kind = |topic: &str| self.categories.iter().any(|category| category.topic == topic);
        self.project.topics.iter().map(String::as_str).filter(|topic| !is_kind(topic)).collect()
    }

    /// References to pictures that may show the project, the one to prefer first.
    pub fn previews(&self) -> impl Iterator<Item = &str> {
        let declared = self.front.get("preview").and_then(Value::as_str);
        let usual =
            ["preview.png", "preview.jpg", "preview.jpeg"].into_iter().filter(|name| self.files.contains_key(name));
        self.readme.preview.as_deref().into_iter().chain(declared).chain(usual)
    }
}
