//! How listings look on the wire.

use schemars::JsonSchema;
use serde::Serialize;
use shared::Result;
use shared::auth::Access;
use shared::context::Context;
use shared::extract::Json;
use shared::model::{ArtifactPath, Experiment, Holder};
use shared::objects::{Entry, ObjectKey};

/// What lies at `path` among the files of a run or logged model; names are shown from their root on.
pub async fn list(
    context: &Context,
    access: &Access,
    experiment: &Experiment,
    holder: Holder<'_>,
    path: &ArtifactPath,
) -> Result<Json<FileList>> {
    let root = ArtifactPath::of_holder(holder);
    let directory = ObjectKey::of_artifact(access, experiment, &root.join(path))?;
    let entries = context.state.objects.list(&directory).await?;
    let uri = format!("{}/{}", experiment.artifact_location, root.as_str());
    Ok(Json(FileList {
        root_uri: Some(context.shown_uri(experiment, &uri)),
        files: FileInfo::list(entries, path.as_str()),
    }))
}

#[derive(JsonSchema, Serialize)]
pub struct FileList {
    /// Where the list's root lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_uri: Option<String>,
    /// What is in the directory.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileInfo>,
}

#[derive(JsonSchema, Serialize)]
pub struct FileInfo {
    /// Path, or base name, of the file or directory.
    path: String,
    /// Is it a directory?
    is_dir: bool,
    /// Bytes; absent for directories and empty files.
    #[serde(skip_serializing_if = "Option::is_none")]
    file_size: Option<u64>,
}

impl FileInfo {
    /// The lines of a listing, with names shown below `directory`; `""` shows them bare.
    pub fn list(entries: Vec<Entry>, directory: &str) -> Vec<Self> {
        let shown = |name: String| if directory.is_empty() { name } else { format!("{directory}/{name}") };
        entries
            .into_iter()
            .map(|entry| Self {
                path: shown(entry.name),
                is_dir: entry.size.is_none(),
                file_size: entry.size.filter(|size| *size > 0),
            })
            .collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn directories_and_empty_files_have_no_size() {
        let entry = |name: &str, size| Entry { name: name.into(), size };
        let entries = vec![entry("d", None), entry("empty", Some(0)), entry("f", Some(5))];
        let list = FileList { root_uri: None, files: FileInfo::list(entries, "x") };
        assert_eq!(
            serde_json::to_string(&list).unwrap(),
            r#"{"files":[{"path":"x/d","is_dir":true},{"path":"x/empty","is_dir":false},{"path":"x/f","is_dir":false,"file_size":5}]}"#
        );
        let nothing = FileList { root_uri: None, files: FileInfo::list(Vec::new(), "") };
        assert_eq!(serde_json::to_string(&nothing).unwrap(), "{}");
    }
}
