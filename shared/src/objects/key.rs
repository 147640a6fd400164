//! `ObjectKey`: where things lie in the bucket (data.md section 5). Keys are made here and nowhere else.

use crate::auth::Access;
use crate::error::{Error, Result};
use crate::gitlab::ArchiveFormat;
use crate::model::{ArtifactPath, Experiment, ExperimentId, ProjectId};

/// S3's limit on a key, bytes.
const LONGEST_KEY: usize = 1024;

/// A place in the bucket. There is no way to make one from text that was not checked.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// The place of `path` among the artifacts of an experiment.
    ///
    /// # Errors
    /// `Invalid` if the experiment keeps its artifacts outside this hub, or the key grows too long.
    pub fn of_artifact(access: &Access, experiment: &Experiment, path: &ArtifactPath) -> Result<Self> {
        access.covers(experiment.project)?;
        Self::below(experiment, path)
    }

    fn below(experiment: &Experiment, path: &ArtifactPath) -> Result<Self> {
        if experiment.artifact_location != format!("mlflow-artifacts:/{}", experiment.id) {
            return Err(Error::invalid(
                "The artifacts of this experiment lie at a place of its creator's choice (its artifact_location), which this \
                 hub never touches: use a client of that place.",
            ));
        }
        let root = format!("artifacts/{}/{}", experiment.project, experiment.id);
        let key = if path.is_root() { root } else { format!("{root}/{}", path.as_str()) };
        if key.len() > LONGEST_KEY {
            return Err(Error::invalid(format!(
                "Invalid path: {} bytes are more than can be stored",
                path.as_str().len()
            )));
        }
        Ok(Self(key))
    }

    /// The place of a copy of a file in a project's repository, by git's id of its content (of a file in LFS: of
    /// its pointer, which names the content). Projects share no copies: who can forge an id harms only their own.
    pub fn of_blob(access: &Access, blob_id: &str) -> Result<Self> {
        Ok(Self(format!("blobs/{}/{}", access.project(), checked_id(blob_id)?)))
    }

    /// The place of a copy of a project's packed repository at a commit.
    pub fn of_archive(access: &Access, commit_id: &str, format: ArchiveFormat) -> Result<Self> {
        Ok(Self(format!("blobs/{}/{}.{}", access.project(), checked_id(commit_id)?, format.name())))
    }

    /// What all keys below this one begin with.
    pub(super) fn as_prefix(&self) -> String {
        format!("{}/", self.0)
    }
}

impl ObjectKey {
    /// The place of a text of a project that is too large for the table, by its content.
    pub(crate) fn of_text(project: ProjectId, text: &str) -> Self {
        Self(format!("texts/{project}/{}", crate::store::keys::hash(text)))
    }

    /// The place of a file that a model version of this project consists of, for the catalog's service, which acts for
    /// nobody: a version never leads out of its own project's part of the bucket. `None` for too long a path.
    pub fn of_model_file(project: ProjectId, experiment: ExperimentId, path: &ArtifactPath) -> Option<Self> {
        let key = format!("artifacts/{project}/{experiment}/{}", path.as_str());
        (key.len() <= LONGEST_KEY).then_some(Self(key))
    }

    /// The place of the catalog's snapshot.
    pub(crate) fn of_catalog() -> Self {
        Self("catalog/rows".to_owned())
    }

    /// A place that the table names.
    pub(crate) fn of_stored_text(key: &str) -> Self {
        Self(key.to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// An id of git's is hex; anything else did not come from GitLab's client.
fn checked_id(id: &str) -> Result<&str> {
    let is_hex = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex { Ok(id) } else { Err(Error::internal("an id of git's is no hash")) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::model::Lifecycle;

    fn experiment(location: &str) -> Experiment {
        Experiment {
            id: ExperimentId(7),
            project: ProjectId(42),
            name: "e".into(),
            artifact_location: location.into(),
            lifecycle: Lifecycle::Active,
            creation_time: 0,
            last_update_time: 0,
            tags: BTreeMap::new(),
            changes: 0,
            shards: 1,
            writer_shards_from: 0,
            is_default: false,
        }
    }

    fn key(path: &str) -> Result<ObjectKey> {
        ObjectKey::below(&experiment("mlflow-artifacts:/7"), &ArtifactPath::parse(path)?)
    }

    #[test]
    fn keys_name_the_project_and_the_experiment() {
        assert_eq!(key("r1/artifacts/a b.txt").unwrap().0, "artifacts/42/7/r1/artifacts/a b.txt");
        assert_eq!(key("").unwrap().as_prefix(), "artifacts/42/7/");
    }

    #[test]
    fn foreign_places_have_no_keys() {
        for location in
            ["s3://bucket/7", "/etc", "mlflow-artifacts:/70", "mlflow-artifacts:/7/", "mlflow-artifacts://h/7", ""]
        {
            let refused = ObjectKey::below(&experiment(location), &ArtifactPath::default());
            assert!(matches!(refused, Err(Error::Invalid(_))), "{location}");
        }
    }

    #[test]
    fn copies_are_named_by_hashes() {
        assert!(checked_id("0a1b").is_ok());
        for bad in ["", "../x", "0a/1b", "xyz"] {
            assert!(checked_id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_end_where_s3_ends() {
        let longest = "x".repeat(LONGEST_KEY - "artifacts/42/7/".len());
        assert!(key(&longest).is_ok());
        assert!(matches!(key(&format!("{longest}x")), Err(Error::Invalid(_))));
        assert!(matches!(key(&"é".repeat(LONGEST_KEY / 2)), Err(Error::Invalid(_))));
    }

    proptest! {
        #[test]
        fn a_key_stays_below_its_experiment(text in "[./%2eEfF5cC\\\\a:#]{0,24}|.{0,40}") {
            if let Ok(key) = key(&text) {
                prop_assert!(key.0 == "artifacts/42/7" || key.0.starts_with("artifacts/42/7/"));
                prop_assert!(!key.0.split('/').any(|segment| matches!(segment, "" | "." | "..")));
                prop_assert!(key.0.len() <= LONGEST_KEY);
            }
        }
    }
}
