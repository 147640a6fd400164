//! `containerRepository`: one container image and its tags.

use async_graphql::{Enum, Error, ID, Object, Result, SimpleObject, scalar};
use serde::{Deserialize, Serialize};

use super::pages::MAX_PAGE;
use super::schema::Viewer;
use crate::gitlab::belongings::id_in;
use crate::gitlab::rest::registries::{REGISTRY, image};

/// `gid://gitlab/ContainerRepository/N`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ContainerRepositoryID(String);
scalar!(ContainerRepositoryID);

/// A container image that the viewer may see.
pub struct ContainerRepository {
    id: String,
    name: String,
    path: String,
    tags: Vec<String>,
}

impl ContainerRepository {
    pub fn find(viewer: &Viewer, id: &ContainerRepositoryID) -> Result<Option<Self>> {
        let number =
            id.0.strip_prefix("gid://gitlab/ContainerRepository/").and_then(|number| number.parse::<u64>().ok());
        let number = number.ok_or_else(|| Error::new(format!("\"{}\" is not a valid GitLab ID.", id.0)))?;
        Ok(viewer.world.read(|state| {
            let visible = state.projects.iter().filter(|p| state.permissions(viewer.account(), p).containers);
            let mut all = visible.flat_map(|p| p.containers.iter().enumerate().map(move |(index, c)| (p, index, c)));
            let (project, _, container) = all.find(|(project, index, _)| id_in(project.id, *index) == number)?;
            Some(ContainerRepository {
                id: id.0.clone(),
                name: container.name.clone(),
                path: image(project, container),
                tags: container.tags.clone(),
            })
        }))
    }
}

#[Object]
impl ContainerRepository {
    async fn id(&self) -> ID {
        ID(self.id.clone())
    }

    async fn name(&self) -> &str {
        &self.name
    }

    async fn location(&self) -> String {
        format!("{REGISTRY}/{}", self.path)
    }

    async fn tags(&self, first: Option<i32>, sort: Option<ContainerRepositoryTagSort>) -> TagConnection {
        let mut names = self.tags.clone();
        match sort {
            // The list is written newest first.
            Some(ContainerRepositoryTagSort::PublishedAtDesc) => {}
            Some(ContainerRepositoryTagSort::PublishedAtAsc) => names.reverse(),
            Some(ContainerRepositoryTagSort::NameDesc) => names.sort_by(|a, b| b.cmp(a)),
            Some(ContainerRepositoryTagSort::NameAsc) | None => names.sort(),
        }
        names.truncate(first.map_or(MAX_PAGE, |first| usize::try_from(first).unwrap_or(0).min(MAX_PAGE)));
        TagConnection { nodes: names.into_iter().map(|name| Tag { name }).collect() }
    }
}

#[derive(SimpleObject)]
#[graphql(name = "ContainerRepositoryTagConnection")]
struct TagConnection {
    nodes: Vec<Tag>,
}

#[derive(SimpleObject)]
#[graphql(name = "ContainerRepositoryTag")]
struct Tag {
    name: String,
}

#[derive(Enum, Clone, Copy, PartialEq, Eq)]
enum ContainerRepositoryTagSort {
    NameAsc,
    NameDesc,
    PublishedAtAsc,
    PublishedAtDesc,
}
