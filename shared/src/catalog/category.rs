//! Categories: kinds of projects, each with a topic in GitLab and a collection in the catalog (docs/catalog.md).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// One kind of project, and its STAC collection.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// The collection's id.
    pub id: String,
    pub title: String,
    #[serde(default)]
    pub description: String,
    /// The GitLab topic that makes a project one of this kind.
    pub topic: String,
    /// Other ids under which clients know the collection.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// URL of a picture.
    #[serde(default)]
    pub logo: Option<String>,
    /// What the web interface offers for these projects; shown as `sharinghub:<feature>`. `mlflow` also adds the links to MLflow.
    #[serde(default)]
    pub features: BTreeMap<String, bool>,
    /// Which files become assets, besides what a project's README says.
    #[serde(default)]
    pub assets: Vec<AssetRule>,
}

/// Which files of a repository become assets and what they are called (docs/catalog.md, "Front matter").
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct AssetRule {
    #[serde(alias = "path")]
    pub glob: Option<String>,
    pub key: Option<String>,
    pub href: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub r#type: Option<String>,
    pub type_as: Option<String>,
    pub roles: Option<Vec<String>>,
}

impl Category {
    /// Does a client that says `name` mean this one?
    pub fn is_named(&self, name: &str) -> bool {
        self.id == name || self.aliases.iter().any(|alias| alias == name)
    }

    /// Categories from a JSON list (`PERIGEE_CATEGORIES`).
    ///
    /// # Errors
    /// `Internal`, with a sentence for the operator, if the list is malformed or an id, alias or topic is used twice.
    pub fn parse(json: &str) -> Result<Vec<Self>> {
        let wrong = |why: String| Error::Internal(format!("PERIGEE_CATEGORIES: {why}"));
        let categories: Vec<Self> = serde_json::from_str(json).map_err(|error| wrong(error.to_string()))?;
        let mut seen = std::collections::BTreeSet::new();
        for category in &categories {
            for name in std::iter::once(&category.id).chain(&category.aliases) {
                let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
                if name.is_empty() || name.len() > 64 || !name.bytes().all(fits) {
                    return Err(wrong(format!("`{name}` is no id: use letters, digits, `-`, `_` and `.`")));
                }
                if !seen.insert(name.clone()) {
                    return Err(wrong(format!("the id `{name}` is used twice")));
                }
            }
            if category.topic.is_empty() || !seen.insert(format!("topic {}", category.topic)) {
                return Err(wrong(format!("the topic `{}` is empty or used twice", category.topic)));
            }
        }
        if categories.is_empty() {
            return Err(wrong("name at least one category".into()));
        }
        Ok(categories)
    }
}

/// The categories of a hub that nobody configured: `aimodel` (also `ai-model`), `dataset` and `processor`.
pub fn default_categories() -> Vec<Category> {
    let category = |id: &str,
                    title: &str,
                    description: &str,
                    aliases: &[&str],
                    features: &[(&str, bool)],
                    globs: &[&str]| Category {
        id: id.into(),
        title: title.into(),
        description: description.into(),
        topic: format!("sharinghub:{id}"),
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
        logo: None,
        features: features.iter().map(|(name, on)| ((*name).to_owned(), *on)).collect(),
        assets: globs.iter().map(|glob| AssetRule { glob: Some((*glob).to_owned()), ..AssetRule::default() }).collect(),
    };
    vec![
        category(
            "aimodel",
            "AI models",
            "Machine-learning models, with their weights, training code and registered versions.",
            &["ai-model"],
            &[("mlflow", true)],
            &[
                "*.onnx",
                "*.pt",
                "*.pth",
                "*.pkl",
                "*.joblib",
                "*.safetensors",
                "*.h5",
                "*.keras",
                "*.tflite",
                "model.json",
                "README.md",
                "LICENSE*",
            ],
        ),
        category(
            "dataset",
            "Data sets",
            "Training and reference data.",
            &[],
            &[("mlflow", false)],
            &[
                "*.tif",
                "*.tiff",
                "*.nc",
                "*.zarr",
                "*.csv",
                "*.parquet",
                "*.geojson",
                "*.gpkg",
                "*.npy",
                "*.npz",
                "*.zip",
                "README.md",
                "LICENSE*",
            ],
        ),
        category(
            "processor",
            "Processors",
            "Processing workflows and tools.",
            &[],
            &[("mlflow", false)],
            &["*.cwl", "Dockerfile", "*.ipynb", "*.py", "README.md", "LICENSE*"],
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_categories_are_what_their_json_says() {
        let json = serde_json::to_string(&default_categories()).unwrap();
        assert_eq!(Category::parse(&json).unwrap(), default_categories());
        assert!(default_categories()[0].is_named("ai-model"));
    }

    #[test]
    fn ids_and_topics_are_used_once() {
        for (json, why) in [
            ("[]", "at least one"),
            ("[{", "EOF"),
            (r#"[{"id":"a","title":"A","topic":"t"},{"id":"b","title":"B","topic":"t"}]"#, "used twice"),
            (r#"[{"id":"a","title":"A","topic":"t","aliases":["a"]}]"#, "used twice"),
            (r#"[{"id":"a/b","title":"A","topic":"t"}]"#, "is no id"),
            (r#"[{"id":"a","title":"A","topic":"t","feature":{}}]"#, "unknown field"),
        ] {
            assert!(Category::parse(json).unwrap_err().to_string().contains(why), "{json}");
        }
    }
}
