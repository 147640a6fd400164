//! Which projects a token sees, and what its owner may do there.

use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{GitLab, Token, unavailable};
use crate::error::{Error, Result};
use crate::model::{ProjectId, Visibility};

/// A page of GitLab's GraphQL API holds at most 100.
const PAGES_OF_MEMBERSHIPS: usize = 30;

macro_rules! fields {
    () => {
        "id fullPath visibility createdAt archived \
         userPermissions { downloadCode pushCode adminProject } maxAccessLevel { integerValue }"
    };
}

// `currentUser` shows that GitLab took the token: without it the answer would be an anonymous visitor's.
const BY_PATH: &str =
    concat!("query($path: ID!) { currentUser { username } project(fullPath: $path) { ", fields!(), " } }");
const BY_ID: &str =
    concat!("query($ids: [ID!]) { currentUser { username } projects(ids: $ids) { nodes { ", fields!(), " } } }");
const MEMBERSHIPS: &str = concat!(
    "query($after: String) { currentUser { username } ",
    "projects(membership: true, first: 100, after: $after, sort: \"id_asc\") { nodes { ",
    fields!(),
    " } pageInfo { hasNextPage endCursor } } }"
);

/// A project as GitLab shows it to a token's owner. The permissions are the owner's; they ignore the token's scopes.
#[derive(Clone, Debug, PartialEq)]
pub struct Project {
    pub id: ProjectId,
    /// Full path, as GitLab spells it.
    pub path: String,
    pub visibility: Visibility,
    /// Ms since 1970; 0 if GitLab does not tell.
    pub created_at: i64,
    pub archived: bool,
    pub download_code: bool,
    pub push_code: bool,
    pub admin_project: bool,
    /// GitLab's number of the owner's highest role (guest 10 .. owner 50); 0 without membership.
    pub role: u32,
}

impl GitLab {
    /// The project at a full path, or `None` if it is not there or hidden. Without a token: as anybody sees it.
    pub async fn project_by_path(&self, token: Option<&Token>, path: &str) -> Result<Option<Project>> {
        let data: OneProject = self.graphql(token, BY_PATH, json!({ "path": path })).await?;
        known(data.current_user.is_some() || token.is_none())?;
        data.project.map(Project::try_from).transpose()
    }

    /// The project with this id, or `None` if it is not there or hidden.
    pub async fn project_by_id(&self, token: &Token, id: ProjectId) -> Result<Option<Project>> {
        let ids = json!({ "ids": [format!("gid://gitlab/Project/{id}")] });
        let data: Projects = self.graphql(Some(token), BY_ID, ids).await?;
        known(data.current_user.is_some())?;
        let projects = data.projects.nodes.into_iter().flatten().map(Project::try_from).collect::<Result<Vec<_>>>()?;
        Ok(projects.into_iter().find(|project| project.id == id))
    }

    /// The projects that the token's owner is a member of, inherited and invited roles included, by id.
    pub async fn memberships(&self, token: &Token) -> Result<Vec<Project>> {
        let mut projects = Vec::new();
        let mut after = None;
        for _ in 0..PAGES_OF_MEMBERSHIPS {
            let data: Projects = self.graphql(Some(token), MEMBERSHIPS, json!({ "after": after })).await?;
            known(data.current_user.is_some())?;
            for node in data.projects.nodes.into_iter().flatten() {
                projects.push(Project::try_from(node)?);
            }
            match data.projects.page_info {
                Some(PageInfo { has_next_page: true, end_cursor: Some(cursor) }) => after = Some(cursor),
                _ => return Ok(projects),
            }
        }
        Err(Error::Invalid(format!(
            "you are a member of more than {} projects, too many to search at once: use a project's own tracking address",
            projects.len()
        )))
    }
}

pub(super) fn known(user: bool) -> Result<()> {
    if user { Ok(()) } else { Err(Error::Unauthenticated("GitLab does not accept this token any more".into())) }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OneProject {
    current_user: Option<CurrentUser>,
    project: Option<Node>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Projects {
    current_user: Option<CurrentUser>,
    projects: Connection,
}

#[derive(Deserialize)]
struct CurrentUser {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    nodes: Vec<Option<Node>>,
    page_info: Option<PageInfo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageInfo {
    pub has_next_page: bool,
    pub end_cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    id: String,
    full_path: String,
    visibility: Option<Visibility>,
    created_at: Option<String>,
    archived: Option<bool>,
    user_permissions: UserPermissions,
    max_access_level: MaxAccessLevel,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserPermissions {
    download_code: bool,
    push_code: bool,
    admin_project: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MaxAccessLevel {
    integer_value: Option<u32>,
}

/// The number in `gid://gitlab/Project/7`.
pub(super) fn project_id(gid: &str) -> Result<ProjectId> {
    let id = gid.rsplit('/').next().and_then(|number| number.parse().ok());
    id.map(ProjectId).ok_or_else(|| unavailable("a project id is not a number"))
}

impl TryFrom<Node> for Project {
    type Error = Error;

    fn try_from(node: Node) -> Result<Self> {
        Ok(Self {
            id: project_id(&node.id)?,
            path: node.full_path,
            visibility: node.visibility.unwrap_or_default(),
            created_at: node.created_at.as_deref().and_then(timestamp_ms).unwrap_or(0),
            archived: node.archived.unwrap_or(false),
            download_code: node.user_permissions.download_code,
            push_code: node.user_permissions.push_code,
            admin_project: node.user_permissions.admin_project,
            role: node.max_access_level.integer_value.unwrap_or(0),
        })
    }
}

fn timestamp_ms(text: &str) -> Option<i64> {
    let nanoseconds = OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos();
    i64::try_from(nanoseconds / 1_000_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_becomes_a_project() {
        let node = json!({
            "id": "gid://gitlab/Project/42", "fullPath": "earth/flood", "visibility": "internal",
            "createdAt": "2024-01-02T03:04:05.678+02:00", "archived": true,
            "userPermissions": { "downloadCode": true, "pushCode": false, "adminProject": true },
            "maxAccessLevel": { "integerValue": 40 },
        });
        let project = Project::try_from(serde_json::from_value::<Node>(node.clone()).unwrap()).unwrap();
        assert_eq!(
            project,
            Project {
                id: ProjectId(42),
                path: "earth/flood".into(),
                visibility: Visibility::Internal,
                created_at: 1_704_157_445_678,
                archived: true,
                download_code: true,
                push_code: false,
                admin_project: true,
                role: 40,
            }
        );
        let mut bad = node;
        bad["id"] = json!("gid://gitlab/Project/x");
        assert!(Project::try_from(serde_json::from_value::<Node>(bad).unwrap()).is_err());
    }

    #[test]
    fn times_are_utc_milliseconds() {
        assert_eq!(timestamp_ms("1970-01-01T00:00:01Z"), Some(1_000));
        assert_eq!(timestamp_ms("yesterday"), None);
    }
}
