//! Projects as last seen, and their default experiments.

use super::Store;
use super::item::{Attributes, Item, key, number, string};
use super::keys;
use crate::auth::Access;
use crate::error::Result;
use crate::model::{ExperimentId, ProjectId};

impl Store {
    /// Which of these projects own an experiment or model.
    pub async fn projects_with_data(&self, projects: &[ProjectId]) -> Result<Vec<ProjectId>> {
        let wanted = projects.iter().map(|&id| (keys::project(id), keys::META.to_owned())).collect();
        self.batch_get(wanted).await?.iter().map(|item| item.number("id").map(ProjectId)).collect()
    }

    /// The experiment that the project's view shows as `0`, if it has been used yet.
    pub(crate) async fn find_default_experiment(&self, project: ProjectId) -> Result<Option<ExperimentId>> {
        let item = self.get(&keys::project(project), keys::META).await?;
        Ok(item.and_then(|item| item.find_number("default_experiment")).map(ExperimentId))
    }
}

/// The project's META item as it was just seen in GitLab.
pub(crate) fn project_item(access: &Access) -> Item {
    let mut item = key(keys::project(access.project()), keys::META);
    item.insert("id".to_owned(), number(access.project()));
    item.insert("path".to_owned(), string(access.path()));
    item.insert("GSI1PK".to_owned(), string(keys::projects(access.project())));
    item.insert("GSI1SK".to_owned(), string(access.project().to_string()));
    item
}
