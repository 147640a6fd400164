//! Container images of a project, with their newest tags.

use serde::Deserialize;
use serde_json::json;

use super::ContainerRepository;
use super::repository::{Reader, pairs};
use crate::error::Result;

const MOST_IMAGES: usize = 20;
const MOST_TAGS: usize = 100;
/// REST lists tags by name only.
const TAGS: &str = "query($id: ContainerRepositoryID!, $first: Int) { containerRepository(id: $id) { \
                    tags(first: $first, sort: PUBLISHED_AT_DESC) { nodes { name } } } }";

impl Reader<'_> {
    /// The project's images, newest first.
    pub(super) async fn containers(&mut self) -> Result<Vec<ContainerRepository>> {
        let query = pairs(&[("per_page", &MOST_IMAGES.to_string())]);
        let path = ["registry", "repositories"];
        let Some((mut images, next)) = self.page::<Image>("the container images", &path, &query).await? else {
            return Ok(Vec::new());
        };
        if next.is_some() {
            self.warnings.push(format!("only {MOST_IMAGES} container images are listed"));
        }
        images.retain(|image| !matches!(image.status.as_deref(), Some("delete_scheduled" | "delete_ongoing")));
        images.sort_by(|a, b| b.created_at.cmp(&a.created_at));
        let mut containers = Vec::new();
        for image in images {
            let tags = self.tags(image.id).await?;
            containers.push(ContainerRepository { id: image.id, name: image.name, location: image.location, tags });
        }
        Ok(containers)
    }

    /// Up to 100 tags, the newest first where GitLab knows when they were published.
    async fn tags(&mut self, image: u64) -> Result<Vec<String>> {
        let variables = json!({ "id": format!("gid://gitlab/ContainerRepository/{image}"), "first": MOST_TAGS });
        if let Ok(data) = self.gitlab.try_graphql::<Data>(Some(self.token), TAGS, variables).await? {
            let tags = data.container_repository.and_then(|repository| repository.tags);
            return Ok(names(tags.map(|tags| tags.nodes).unwrap_or_default().into_iter().flatten()));
        }
        // GitLab before 16.11 does not know this order.
        let (image, most) = (image.to_string(), MOST_TAGS.to_string());
        let path = ["registry", "repositories", &image, "tags"];
        let page = self.page::<Tag>("the tags of a container image", &path, &pairs(&[("per_page", &most)])).await?;
        Ok(names(page.unwrap_or_default().0.into_iter()))
    }
}

fn names(tags: impl Iterator<Item = Tag>) -> Vec<String> {
    tags.map(|tag| tag.name).collect()
}

#[derive(Deserialize)]
struct Image {
    id: u64,
    #[serde(default)]
    name: String,
    location: String,
    created_at: Option<String>,
    status: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    container_repository: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    tags: Option<Tags>,
}

#[derive(Deserialize)]
struct Tags {
    nodes: Vec<Option<Tag>>,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
}
