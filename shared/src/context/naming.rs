//! Names of experiments and registered models: stored plain, unique in their project, and shown with the project's id
//! behind them where many projects are seen.

use std::collections::BTreeMap;

use super::{Context, View};
use crate::auth::{Access, Subject};
use crate::error::{Error, Result};
use crate::model::{Experiment, ProjectId};
use crate::store::{DEFAULT_EXPERIMENT, no_registered_model};

/// The read-only tag by which the global view names an owner.
pub const PROJECT_TAG: &str = "project";

/// The project id or path that a `project` tag of a create names.
enum NamedProject {
    Id(ProjectId),
    Path(String),
}

impl NamedProject {
    fn parse(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Path(text.to_owned()), |id| Self::Id(ProjectId(id)))
    }
}

impl Context {
    /// The name that this view shows.
    pub fn shown_name(&self, experiment: &Experiment) -> String {
        self.shown(experiment.project, &experiment.name)
    }

    /// The name that this view shows of something that `project` owns.
    pub fn shown(&self, project: ProjectId, name: &str) -> String {
        match self.view {
            View::Project(_) => name.to_owned(),
            View::Global => format!("{name} ({project})"),
        }
    }

    /// A name without the suffix ` (<gid>)` of this project, which clients of the existing stack send.
    pub fn plain_name(project: ProjectId, name: &str) -> &str {
        let suffix = format!("({project})");
        match name.strip_suffix(&suffix) {
            Some(rest) if rest.ends_with(' ') && !rest.trim_end().is_empty() => rest.trim_end(),
            _ => name,
        }
    }

    /// The project id that a name ends in, as ` (<gid>)`.
    pub fn named_project(name: &str) -> Option<ProjectId> {
        let (rest, id) = name.strip_suffix(')')?.rsplit_once('(')?;
        let is_suffix = rest.ends_with(' ') && !rest.trim_end().is_empty();
        (is_suffix && !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| id.parse().ok())?
            .map(ProjectId)
    }

    /// Is this the name of the default experiment?
    pub fn is_default_name(name: &str) -> bool {
        name == DEFAULT_EXPERIMENT
    }

    /// The project of a new experiment or model, `kind`: the URL's, or the one that the name's suffix or a `project` tag
    /// names. That tag is taken out.
    pub async fn owner_of_new(&self, kind: &str, name: &str, tags: &mut BTreeMap<String, String>) -> Result<Access> {
        if let Some(access) = self.project().await? {
            return Ok(access);
        }
        let tag = tags.remove(PROJECT_TAG);
        let named = match (tag, Self::named_project(name)) {
            (Some(text), _) => NamedProject::parse(&text),
            (None, Some(id)) => NamedProject::Id(id),
            (None, None) => {
                return Err(Error::invalid(format!(
                    "This address serves many projects: say which one shall own the {kind}, by a suffix of its name, \
                     `<name> (<project id>)`, or by a tag `project` with the project's path or id; or use that project's own \
                     tracking URI, <hub>/mlflow/<project path>/tracking.",
                )));
            }
        };
        match named {
            NamedProject::Path(path) => self.caller.require_path(&path).await,
            NamedProject::Id(id) => {
                let missing = format!("No project with id {id}, or it is not visible to you");
                self.caller.require(&Subject { id: format!("project/{id}"), owner: Some(id), missing }).await
            }
        }
    }

    /// The global view's tag `project` says who owns a thing; nobody sets it.
    pub fn refuse_project_tag(&self, key: &str) -> Result<()> {
        if self.view == View::Global && key == PROJECT_TAG {
            return Err(Error::invalid("The tag 'project' names the owner here and is read-only."));
        }
        Ok(())
    }

    /// Access to the owner of a registered model, and its plain name; whether the model exists is still to be seen. In the
    /// global view a name without a project's id stands for the only model of that name among the caller's projects.
    pub async fn registered_model(&self, name: &str) -> Result<(Access, String)> {
        let missing = || no_registered_model(name);
        if let Some(access) = self.project().await? {
            let plain = Self::plain_name(access.project(), name).to_owned();
            return Ok((access, plain));
        }
        if let Some(id) = Self::named_project(name) {
            let access = self.require(&format!("registered model/{name}"), Some(id), missing()).await?;
            let plain = Self::plain_name(id, name).to_owned();
            return Ok((access, plain));
        }
        let mut found = Vec::new();
        for access in self.member_projects().await? {
            if self.store().find_registered_model(&access, name, |_| Vec::new()).await?.is_some() {
                found.push(access);
            }
        }
        if found.len() > 1 {
            let candidates: Vec<String> = found.iter().map(|access| self.shown(access.project(), name)).collect();
            return Err(Error::invalid(format!(
                "Several of your projects have a registered model named '{name}'; use one of: {}",
                candidates.join(", ")
            )));
        }
        found.pop().map(|access| (access, name.to_owned())).ok_or_else(missing)
    }
}
