//! What a project is called and what it is about.

use serde::Deserialize;
use serde_json::json;

use super::{GitLab, Token};
use crate::error::Result;
use crate::model::ProjectId;

const BY_PATH: &str = "query($path: ID!) { project(fullPath: $path) { fullPath name topics } }";
const BY_ID: &str = "query($ids: [ID!]) { projects(ids: $ids) { nodes { fullPath name topics } } }";

/// A project's name and topics, as GitLab shows them to a token's owner or to a visitor.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct ProjectSheet {
    /// Full path, as GitLab spells it.
    #[serde(rename = "fullPath")]
    pub path: String,
    pub name: String,
    #[serde(default)]
    pub topics: Vec<String>,
}

#[derive(Deserialize)]
struct One {
    project: Option<ProjectSheet>,
}

#[derive(Deserialize)]
struct Many {
    projects: Nodes,
}

#[derive(Deserialize)]
struct Nodes {
    nodes: Vec<Option<ProjectSheet>>,
}

impl GitLab {
    /// The sheet of the project at a path; `None` if it is not there or hidden.
    pub async fn project_sheet(&self, token: Option<&Token>, path: &str) -> Result<Option<ProjectSheet>> {
        let found: One = self.graphql(token, BY_PATH, json!({ "path": path })).await?;
        Ok(found.project)
    }

    /// The sheet of the project with an id; `None` if it is not there or hidden.
    pub async fn project_sheet_by_id(&self, token: Option<&Token>, id: ProjectId) -> Result<Option<ProjectSheet>> {
        let ids = json!({ "ids": [format!("gid://gitlab/Project/{id}")] });
        let found: Many = self.graphql(token, BY_ID, ids).await?;
        Ok(found.projects.nodes.into_iter().flatten().next())
    }
}
