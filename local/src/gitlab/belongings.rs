//! What a project has besides its files: releases, packages, container images; and who may use each part of it.

use serde::Deserialize;

/// Who may use a part of a project (GitLab's `*_access_level`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Feature {
    /// Everyone who sees the project.
    #[default]
    Enabled,
    /// Members only.
    Private,
    /// Nobody.
    Disabled,
}

impl Feature {
    pub fn as_str(self) -> &'static str {
        match self {
            Feature::Enabled => "enabled",
            Feature::Private => "private",
            Feature::Disabled => "disabled",
        }
    }
}

/// One release; its tag is a ref of the repository.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    pub tag: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default = "long_ago")]
    pub released_at: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    pub name: String,
    /// `generic`, `pypi`, ..
    #[serde(default = "generic", rename = "type")]
    pub kind: String,
    #[serde(default = "first_version")]
    pub version: String,
}

/// A container image of the project.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// The part behind the project's path; empty for the project's own image.
    #[serde(default)]
    pub name: String,
    /// Newest first.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// Ids of packages and container repositories are unique in an instance: the project's id and the place in its list.
pub fn id_in(project: u64, index: usize) -> u64 {
    project * 1_000 + index as u64 + 1
}

fn long_ago() -> String {
    "2025-01-01T00:00:00.000Z".to_owned()
}

fn generic() -> String {
    "generic".to_owned()
}

fn first_version() -> String {
    "1.0.0".to_owned()
}
