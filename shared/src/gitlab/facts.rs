//! What the catalog learns of a project from GitLab.

use crate::model::{ProjectId, Visibility};

/// A project as the catalog's service token sees it. Instants are RFC 3339 texts, as GitLab sends them.
#[derive(Clone, Debug, PartialEq)]
pub struct ProjectFacts {
    pub id: ProjectId,
    /// Full path: the item's id.
    pub path: String,
    pub name: String,
    /// `Earth / Tools / NDVI`
    pub full_name: String,
    pub description: String,
    pub web_url: String,
    pub visibility: Visibility,
    /// Who may read the repository besides members whose role may: the project's visibility, or `Private`.
    pub code_visibility: Visibility,
    pub topics: Vec<String>,
    pub stars: u64,
    pub created_at: String,
    pub last_activity_at: String,
    pub archived: bool,
    pub default_branch: Option<String>,
    /// Everything that only who may read the repository gets to see; `None` if there is no repository or it is empty,
    /// and nothing around it either.
    pub repository: Option<RepositoryFacts>,
}

/// What lies in and around a repository.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RepositoryFacts {
    /// Text of `README.md` (or `readme.md`).
    pub readme: Option<String>,
    /// All files of the default branch, in GitLab's order.
    pub files: Vec<RepositoryFile>,
    pub license: Option<License>,
    /// The newest release.
    pub release: Option<Release>,
    /// Newest first.
    pub packages: Vec<Package>,
    /// Newest first.
    pub containers: Vec<ContainerRepository>,
    /// What could not be read, in words for the item's readers.
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct RepositoryFile {
    /// From the repository's root, with `/`.
    pub path: String,
    /// Bytes of the content (with LFS: of the content that the pointer names), if known.
    pub size: Option<u64>,
    /// SHA-256 in hex of the content, known for files in LFS.
    pub sha256: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct License {
    /// GitLab's key, e.g. `apache-2.0`.
    pub key: String,
    pub name: String,
    /// Of the license file in the repository.
    pub url: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    pub tag: String,
    pub name: String,
    pub description: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Package {
    pub name: String,
    /// e.g. `pypi`
    pub kind: String,
    /// Absolute URL of its page.
    pub web_url: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ContainerRepository {
    pub id: u64,
    /// The last part of the image's name; empty for the project's own.
    pub name: String,
    /// `registry.example.com/group/project/name`
    pub location: String,
    /// Newest first.
    pub tags: Vec<String>,
}
