//! All facts of one project: what REST says of it, its files, and what lies around them.
//!
//! Parts that cannot be read become warnings of the item; only a GitLab that is down fails the whole.

use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::Answer;
use super::listing::Listed;
use super::{GitLab, Package, ProjectFacts, Release, RepositoryFacts, RepositoryFile, Token};
use crate::error::Result;
use crate::model::ProjectId;

/// More files of a repository are not listed.
const MOST_FILES: usize = 20_000;
/// More packages are not looked at.
const MOST_PACKAGES: usize = 500;
/// Releases looked at to find one that is out.
const RELEASES: usize = 20;
const READMES: [&str; 2] = ["README.md", "readme.md"];

impl GitLab {
    /// Everything that the catalog learns of a project, or `None` if it is not there or hidden. Sizes of files are
    /// another call, [`GitLab::file_details`].
    ///
    /// # Errors
    /// `Unauthenticated` and `Forbidden` if the token is no good, `Unavailable` if GitLab is down.
    pub async fn project_facts(&self, token: &Token, id: ProjectId) -> Result<Option<ProjectFacts>> {
        let id = id.to_string();
        let query = [("license".to_owned(), "true".to_owned())];
        let answer = self.get_query(token, &["api", "v4", "projects", &id], &query).await?;
        let project: Listed = match answer.status {
            StatusCode::OK => answer.json()?,
            StatusCode::NOT_FOUND => return Ok(None),
            _ => return Err(answer.refusal()),
        };
        let mut reader = Reader { gitlab: self, token, id: &id, warnings: Vec::new() };
        let mut repository = RepositoryFacts::default();
        let branch = project.default_branch.as_deref().filter(|branch| !branch.is_empty());
        let has_code = !project.empty_repo && project.repository_access_level.as_deref() != Some("disabled");
        if let Some(branch) = branch.filter(|_| has_code) {
            repository.files = reader.files(branch).await?;
            repository.readme = reader.readme(branch, &repository.files).await?;
            repository.license = project.license();
            if project.shows(project.releases_access_level.as_deref()) {
                repository.release = reader.release().await?;
            }
        }
        if project.shows(project.package_registry_access_level.as_deref()) {
            repository.packages = reader.packages(&project.web_url).await?;
        }
        if project.shows(project.container_registry_access_level.as_deref()) {
            repository.containers = reader.containers().await?;
        }
        repository.warnings = reader.warnings;
        let mut facts = project.facts();
        facts.repository = (repository != RepositoryFacts::default()).then_some(repository);
        Ok(Some(facts))
    }
}

/// Reads the parts of one project and collects what went wrong.
pub(super) struct Reader<'a> {
    pub gitlab: &'a GitLab,
    pub token: &'a Token,
    /// The project's number.
    pub id: &'a str,
    pub warnings: Vec<String>,
}

impl Reader<'_> {
    /// The files of the whole tree, in GitLab's order.
    async fn files(&mut self, branch: &str) -> Result<Vec<RepositoryFile>> {
        let query = [("ref", branch), ("recursive", "true"), ("pagination", "keyset"), ("per_page", "100")];
        let path = ["repository", "tree"];
        let mut files = Vec::new();
        let mut query = pairs(&query);
        while let Some((entries, next)) = self.page::<TreeEntry>("the list of files", &path, &query).await? {
            // An empty page is the last one, whatever its link says. Folders and submodules are entries, too.
            let more = !entries.is_empty();
            files.extend(entries.into_iter().filter(|entry| entry.r#type == "blob").map(|entry| entry.path));
            match next.filter(|_| more) {
                Some(_) if files.len() >= MOST_FILES => {
                    self.warnings.push(format!("only the first {MOST_FILES} files are listed"));
                    break;
                }
                Some(next) => query = next,
                None => break,
            }
        }
        files.truncate(MOST_FILES);
        Ok(files.into_iter().map(|path| RepositoryFile { path, ..RepositoryFile::default() }).collect())
    }

    async fn readme(&mut self, branch: &str, files: &[RepositoryFile]) -> Result<Option<String>> {
        let Some(name) = READMES.into_iter().find(|name| files.iter().any(|file| file.path == *name)) else {
            return Ok(None);
        };
        let path = ["repository", "files", name, "raw"];
        let answer = self.part("the README", &path, &pairs(&[("ref", branch)])).await?;
        Ok(answer.map(|answer| answer.text()))
    }

    /// The newest release that is out.
    async fn release(&mut self) -> Result<Option<Release>> {
        let query = pairs(&[("order_by", "released_at"), ("sort", "desc"), ("per_page", &RELEASES.to_string())]);
        let Some((releases, _)) = self.page::<ListedRelease>("the releases", &["releases"], &query).await? else {
            return Ok(None);
        };
        let newest = releases.into_iter().find(|release| !release.upcoming_release && release.tag_name.is_some());
        Ok(newest.and_then(|release| {
            let tag = release.tag_name?;
            let name = release.name.unwrap_or_else(|| tag.clone());
            Some(Release { tag, name, description: release.description.unwrap_or_default() })
        }))
    }

    /// The packages, each name once, newest first.
    async fn packages(&mut self, project_url: &str) -> Result<Vec<Package>> {
        let mut packages: Vec<Package> = Vec::new();
        let mut query = pairs(&[("order_by", "created_at"), ("sort", "desc"), ("per_page", "100")]);
        let mut seen = 0;
        while let Some((listed, next)) = self.page::<ListedPackage>("the packages", &["packages"], &query).await? {
            let more = !listed.is_empty();
            seen += listed.len();
            for package in listed {
                let usable = matches!(package.status.as_deref(), None | Some("default" | "deprecated"));
                if usable && !packages.iter().any(|other| other.name == package.name) {
                    // GitLab gives the path below its own host, which its pages know.
                    let page = package.links.web_path.filter(|path| path.starts_with('/'));
                    let page = page.and_then(|path| url::Url::parse(project_url).ok()?.join(&path).ok());
                    let web_url = page.map_or_else(|| format!("{project_url}/-/packages"), String::from);
                    packages.push(Package { name: package.name, kind: package.package_type, web_url });
                }
            }
            match next.filter(|_| more) {
                Some(next) if seen < MOST_PACKAGES => query = next,
                _ => break,
            }
        }
        Ok(packages)
    }

    /// One page of a list and the query of the next one; `None` if it cannot be had.
    pub(super) async fn page<T: DeserializeOwned>(
        &mut self,
        what: &str,
        path: &[&str],
        query: &[(String, String)],
    ) -> Result<Option<(Vec<T>, Option<Vec<(String, String)>>)>> {
        let Some(answer) = self.part(what, path, query).await? else { return Ok(None) };
        match answer.json() {
            Ok(items) => Ok(Some((items, answer.next_page()))),
            Err(_) => Ok(self.warn(what, "GitLab's answer is not as expected")),
        }
    }

    /// The answer for one part of the project. `None` if the part is not there or, with a warning, if it cannot be had.
    async fn part(&mut self, what: &str, path: &[&str], query: &[(String, String)]) -> Result<Option<Answer>> {
        let whole = [&["api", "v4", "projects", self.id], path].concat();
        let answer = self.gitlab.get_query(self.token, &whole, query).await?;
        match answer.status {
            _ if answer.too_large => Ok(self.warn(what, "it is too large")),
            StatusCode::OK => Ok(Some(answer)),
            StatusCode::UNAUTHORIZED => Err(answer.refusal()),
            // There is code: it is the catalog's account that may not read it.
            StatusCode::FORBIDDEN if path.first() == Some(&"repository") => Ok(self.warn(what, "GitLab refuses it")),
            // Switched off, or nothing there yet.
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => Ok(None),
            status => Ok(self.warn(what, &format!("GitLab answered {}", status.as_u16()))),
        }
    }

    pub(super) fn warn<T>(&mut self, what: &str, why: &str) -> Option<T> {
        tracing::warn!(project = self.id, what, why, "a part of a project cannot be read");
        self.warnings.push(format!("{what} could not be read: {why}"));
        None
    }
}

pub(super) fn pairs(query: &[(&str, &str)]) -> Vec<(String, String)> {
    query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[derive(Deserialize)]
struct TreeEntry {
    r#type: String,
    path: String,
}

#[derive(Deserialize)]
struct ListedRelease {
    /// Missing for who may not read the code.
    tag_name: Option<String>,
    name: Option<String>,
    description: Option<String>,
    #[serde(default)]
    upcoming_release: bool,
}

#[derive(Deserialize)]
struct ListedPackage {
    name: String,
    package_type: String,
    status: Option<String>,
    #[serde(rename = "_links", default)]
    links: PackageLinks,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PackageLinks {
    web_path: Option<String>,
}
