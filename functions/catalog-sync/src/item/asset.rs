//! `Asset` and `Assets`: what an item leads to, and the marks that extensions put on it.

use serde_json::{Map, Value, json};
use shared::gitlab::RepositoryFile;

use super::extensions::SCHEME;
use super::media_type;

/// What model files are saved by, by their name's extension.
const ARTIFACT_TYPES: &[(&str, &str)] = &[
    ("pt", "torch.save"),
    ("pth", "torch.save"),
    ("onnx", "onnx"),
    ("pkl", "pickle"),
    ("pickle", "pickle"),
    ("joblib", "joblib"),
    ("safetensors", "safetensors"),
    ("h5", "tf.keras.Model.save"),
    ("keras", "tf.keras.Model.save"),
    ("tflite", "tflite"),
];
const MODEL: &str = "mlm:model";
/// The assets in the order in which they were made. A later one of the same key takes the place of the earlier one.
#[derive(Debug, Default)]
pub(super) struct Assets(Vec<Asset>);

#[derive(Debug)]
pub(super) struct Asset {
    key: String,
    fields: Map<String, Value>,
    /// Extension of the file's name, lower case.
    extension: String,
    /// A version of a registered model?
    pub registered: bool,
}

impl Asset {
    pub fn new(key: String, href: String, file_name: &str) -> Self {
        let extension = media_type::extension(file_name).unwrap_or_default().to_ascii_lowercase();
        Self { key, fields: [("href".to_owned(), json!(href))].into_iter().collect(), extension, registered: false }
    }

    pub fn set(&mut self, name: &str, value: Value) {
        self.fields.insert(name.to_owned(), value);
    }

    pub fn set_text(&mut self, name: &str, text: Option<String>) {
        if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
            self.set(name, json!(text));
        }
    }

    pub fn describe_file(&mut self, file: &RepositoryFile) {
        if let Some(size) = file.size {
            self.set("file:size", json!(size));
        }
        if let Some(hash) = &file.sha256
            && hash.len() == 64
            && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            // A multihash: SHA-256, of 32 bytes.
            self.set("file:checksum", json!(format!("1220{}", hash.to_ascii_lowercase())));
        }
    }

    /// Says how the hub lets callers read it.
    pub fn protect(&mut self) {
        self.set("auth:refs", json!([SCHEME]));
    }

    fn has_role(&self, role: &str) -> bool {
        self.fields.get("roles").and_then(Value::as_array).is_some_and(|roles| roles.iter().any(|own| own == role))
    }

    fn add_role(&mut self, role: &str) {
        if !self.has_role(role)
            && let Some(Value::Array(roles)) = self.fields.get_mut("roles")
        {
            roles.push(json!(role));
        }
    }
}

impl Assets {
    pub fn insert(&mut self, asset: Asset) {
        match self.0.iter_mut().find(|other| other.key == asset.key) {
            Some(other) => *other = asset,
            None => self.0.push(asset),
        }
    }

    /// Has any asset a field of this prefix?
    pub fn any_has(&self, prefix: &str) -> bool {
        self.0.iter().any(|asset| asset.fields.keys().any(|name| name.starts_with(prefix)))
    }

    /// Writes a field on all assets that are data. `false` if there are none.
    pub fn describe_data(&mut self, name: &str, value: &Value) -> bool {
        let mut any = false;
        for asset in self.0.iter_mut().filter(|asset| asset.has_role("data")) {
            asset.set(name, value.clone());
            any = true;
        }
        any
    }

    /// Writes a field on all model files.
    pub fn describe_models(&mut self, name: &str, value: &Value) {
        self.0.iter_mut().filter(|asset| asset.has_role(MODEL)).for_each(|asset| asset.set(name, value.clone()));
    }

    /// Marks registered models as the ml-model extension does.
    pub fn mark_checkpoints(&mut self) {
        self.0.iter_mut().filter(|asset| asset.registered).for_each(|asset| asset.add_role("ml-model:checkpoint"));
    }

    /// Marks the model files as the mlm extension does: those whose author says so, registered models, or else
    /// files with the name of one. `false` if there are none.
    pub fn mark_models(&mut self, artifact_type: Option<&Value>, compile_method: Option<&Value>) -> bool {
        let named = |asset: &Asset| ARTIFACT_TYPES.iter().find(|(extension, _)| *extension == asset.extension);
        let registered = self.0.iter().any(|asset| asset.registered);
        let declared = self.0.iter().any(|asset| asset.has_role(MODEL));
        let is_model = |asset: &Asset| {
            asset.has_role(MODEL)
                || asset.registered
                || !registered && !declared && asset.has_role("data") && named(asset).is_some()
        };
        let mut any = false;
        for asset in self.0.iter_mut().filter(|asset| is_model(asset)) {
            asset.add_role(MODEL);
            let saved = artifact_type.cloned().or_else(|| named(asset).map(|(_, saved)| json!(saved)));
            asset.set("mlm:artifact_type", saved.unwrap_or_else(|| json!("other")));
            if let Some(method) = compile_method {
                asset.set("mlm:compile_method", method.clone());
            }
            any = true;
        }
        any
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Drops the last assets, so that `keep` are left. Model files stay.
    pub fn truncate(&mut self, keep: usize) {
        let mut at = 0;
        self.0.retain(|asset| {
            at += 1;
            at <= keep || asset.has_role(MODEL)
        });
    }

    pub fn to_map(&self) -> Map<String, Value> {
        self.0.iter().map(|asset| (asset.key.clone(), Value::Object(asset.fields.clone()))).collect()
    }
}
