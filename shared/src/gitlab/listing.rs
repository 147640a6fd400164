//! Projects by topic, and what GitLab's REST API tells of a project itself.

use http::StatusCode;
use serde::Deserialize;

use super::{GitLab, License, ProjectFacts, Token};
use crate::error::Result;
use crate::model::{ProjectId, Visibility};

impl GitLab {
    /// Up to 100 projects of a topic by id, archived ones included: those behind `after`, without their repositories.
    /// The page behind the last one is empty.
    pub async fn projects_of_topic(
        &self,
        token: &Token,
        topic: &str,
        after: Option<ProjectId>,
    ) -> Result<Vec<ProjectFacts>> {
        let mut query: Vec<(String, String)> =
            [("topic", topic), ("order_by", "id"), ("sort", "asc"), ("pagination", "keyset"), ("per_page", "100")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
        if let Some(after) = after {
            query.push(("id_after".into(), after.to_string()));
        }
        let answer = self.get_query(token, &["api", "v4", "projects"], &query).await?;
        if answer.status != StatusCode::OK {
            return Err(answer.refusal());
        }
        Ok(answer.json::<Vec<Listed>>()?.into_iter().map(Listed::facts).collect())
    }
}

/// A project in REST.
#[derive(Deserialize)]
pub(super) struct Listed {
    id: u64,
    path_with_namespace: String,
    name: String,
    name_with_namespace: Option<String>,
    description: Option<String>,
    pub web_url: String,
    #[serde(default)]
    visibility: Visibility,
    #[serde(default)]
    topics: Vec<String>,
    #[serde(default)]
    star_count: u64,
    created_at: Option<String>,
    last_activity_at: Option<String>,
    #[serde(default)]
    archived: bool,
    pub default_branch: Option<String>,
    #[serde(default)]
    pub empty_repo: bool,
    pub repository_access_level: Option<String>,
    pub releases_access_level: Option<String>,
    pub package_registry_access_level: Option<String>,
    pub container_registry_access_level: Option<String>,
    license: Option<DetectedLicense>,
    license_url: Option<String>,
}

#[derive(Deserialize)]
struct DetectedLicense {
    key: String,
    name: Option<String>,
}

impl Listed {
    /// Who may read the code besides members. A GitLab that does not say is taken for one that shows it to members.
    pub fn code_visibility(&self) -> Visibility {
        match self.repository_access_level.as_deref() {
            Some("enabled" | "public") => self.visibility,
            _ => Visibility::Private,
        }
    }

    /// Do all who may read the code also see the part with this access level?
    pub fn shows(&self, level: Option<&str>) -> bool {
        match level {
            Some("disabled") => false,
            Some("private") => self.code_visibility() == Visibility::Private,
            _ => true,
        }
    }

    pub fn license(&self) -> Option<License> {
        let found = self.license.as_ref()?;
        let name = found.name.clone().unwrap_or_else(|| found.key.clone());
        Some(License { key: found.key.clone(), name, url: self.license_url.clone() })
    }

    /// What is known without its repository.
    pub fn facts(self) -> ProjectFacts {
        let code_visibility = self.code_visibility();
        let created_at = self.created_at.unwrap_or_else(|| "1970-01-01T00:00:00Z".into());
        ProjectFacts {
            id: ProjectId(self.id),
            full_name: self.name_with_namespace.unwrap_or_else(|| self.name.clone()),
            path: self.path_with_namespace,
            name: self.name,
            description: self.description.unwrap_or_default(),
            web_url: self.web_url,
            visibility: self.visibility,
            code_visibility,
            topics: self.topics,
            stars: self.star_count,
            last_activity_at: self.last_activity_at.unwrap_or_else(|| created_at.clone()),
            created_at,
            archived: self.archived,
            default_branch: self.default_branch.filter(|branch| !branch.is_empty()),
            repository: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(more: serde_json::Value) -> Listed {
        let mut project = serde_json::json!({
            "id": 7, "path_with_namespace": "a/b", "name": "B", "web_url": "https://h/a/b", "visibility": "public",
            "description": null, "default_branch": null,
        });
        project.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(project).unwrap()
    }

    #[test]
    fn code_is_shown_to_no_more_than_gitlab_says() {
        for (level, expected) in [
            (serde_json::json!({"repository_access_level": "enabled"}), Visibility::Public),
            (serde_json::json!({"repository_access_level": "private"}), Visibility::Private),
            (serde_json::json!({"repository_access_level": "disabled"}), Visibility::Private),
            (serde_json::json!({}), Visibility::Private),
        ] {
            assert_eq!(listed(level.clone()).code_visibility(), expected, "{level}");
        }
        let open = listed(serde_json::json!({"repository_access_level": "enabled"}));
        assert!(open.shows(None) && open.shows(Some("enabled")));
        assert!(!open.shows(Some("private")) && !open.shows(Some("disabled")));
        let members_only = listed(serde_json::json!({"repository_access_level": "private"}));
        assert!(members_only.shows(Some("private")) && !members_only.shows(Some("disabled")));
    }

    #[test]
    fn what_gitlab_leaves_out_has_a_plain_value() {
        let facts = listed(serde_json::json!({})).facts();
        assert_eq!((facts.id, facts.path.as_str(), facts.full_name.as_str()), (ProjectId(7), "a/b", "B"));
        assert_eq!((facts.description.as_str(), facts.default_branch, facts.stars), ("", None, 0));
        let strange = listed(serde_json::json!({"visibility": "secret", "repository_access_level": "enabled"}));
        assert_eq!(strange.code_visibility(), Visibility::Private);
    }
}
