//! What a token's owner has starred.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::json;

use super::projects::{PageInfo, known, project_id};
use super::{GitLab, Token};
use crate::error::{Error, Result};
use crate::model::ProjectId;

/// A page holds at most 100.
const PAGES: usize = 30;
const STARRED: &str = "query($after: String) { currentUser { \
                       starredProjects(first: 100, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } } }";

impl GitLab {
    /// The projects that the token's owner has starred.
    ///
    /// # Errors
    /// `Unauthenticated` if GitLab does not know the token, `Invalid` if there are more than 3,000.
    pub async fn starred(&self, token: &Token) -> Result<HashSet<ProjectId>> {
        let mut starred = HashSet::new();
        let mut after = None;
        for _ in 0..PAGES {
            let data: Data = self.graphql(Some(token), STARRED, json!({ "after": after })).await?;
            known(data.current_user.is_some())?;
            let Some(page) = data.current_user.and_then(|user| user.starred_projects) else { return Ok(starred) };
            for node in page.nodes.into_iter().flatten() {
                starred.insert(project_id(&node.id)?);
            }
            match page.page_info {
                Some(PageInfo { has_next_page: true, end_cursor: Some(cursor) }) => after = Some(cursor),
                _ => return Ok(starred),
            }
        }
        Err(Error::Invalid(format!("you have starred more than {} projects, too many to search", starred.len())))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    current_user: Option<User>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    starred_projects: Option<Page>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    nodes: Vec<Option<Node>>,
    page_info: Option<PageInfo>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
}
