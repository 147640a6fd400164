//! The assets of an item (sharinghub.md B.7).

use serde_json::{Map, Value, json};
use shared::catalog::AssetRule;
use shared::gitlab::RepositoryFile;

use super::extensions::SCHEME;
use super::hrefs::{self, Reach, Target, resolve};
use super::rules::{self, MOST, Selected};
use super::source::Source;
use super::text::{cut, line, plain, slug};
use super::warnings::{Warnings, quoted};
use super::{ModelVersion, media_type};

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
/// Longest description, bytes.
const DESCRIPTION: usize = 4_000;

/// The assets in the order in which they were made. A later one of the same key takes the place of the earlier one.
#[derive(Debug, Default)]
pub(super) struct Assets(Vec<Asset>);

#[derive(Debug)]
struct Asset {
    key: String,
    fields: Map<String, Value>,
    /// Extension of the file's name, lower case.
    extension: String,
    /// A version of a registered model?
    registered: bool,
}

/// All assets of an item.
pub(super) fn assets(source: &Source, warnings: &mut Warnings) -> Assets {
    let mut assets = Assets::default();
    let mut left = MOST;
    for rule in rules::rules(source, warnings) {
        for selected in rules::select(source, &rule, warnings) {
            if left == 0 {
                warnings.say(format!("only the first {MOST} files that asset rules select are shown"));
                break;
            }
            left -= 1;
            assets.insert(by_rule(source, &rule, selected, warnings));
        }
    }
    if let Some(asset) = release(source) {
        assets.insert(asset);
    }
    if let Some(reference) = source.preview() {
        match preview(source, &reference) {
            Some(asset) => assets.insert(asset),
            None => warnings.say(format!("the preview {} is ignored: it leads nowhere", quoted(&reference))),
        }
    }
    for version in source.models {
        if let Some(asset) = registered(source, version) {
            assets.insert(asset);
        }
    }
    assets
}

fn by_rule(source: &Source, rule: &AssetRule, selected: Selected, warnings: &mut Warnings) -> Asset {
    // `path` fills templates, `name` tells the type.
    let (path, name) = match &selected {
        Selected::File(file) => (file.path.clone(), file.path.clone()),
        Selected::Url(url) => (url.clone(), url.split(['?', '#']).next().unwrap_or(url).to_owned()),
    };
    let key = rule.key.as_deref().map(|key| key.replace("{path}", &path)).filter(|key| !key.trim().is_empty());
    let key = plain(cut(&key.unwrap_or_else(|| path.clone()), 500));
    let filled = |text: &String| text.replace("{path}", &path).replace("{key}", &key);
    let roles = rule.roles.clone().unwrap_or_else(|| vec![role(&path).to_owned()]);
    let short_type = rule.type_as.as_deref().map(|word| (word, media_type::named(word)));
    if let Some((word, None)) = short_type {
        warnings.say(format!("the type {} of `type-as` is not known", quoted(word)));
    }
    let media_type = short_type.and_then(|(_, known)| known.map(str::to_owned));
    let media_type = media_type.or_else(|| rule.r#type.clone().filter(|text| text.contains('/')));
    let mut asset = match selected {
        Selected::File(file) => {
            let mut asset = Asset::new(key.clone(), source.file_href(&file.path), &file.path);
            asset.describe_file(file);
            asset.protect();
            asset
        }
        Selected::Url(url) => Asset::new(key.clone(), url, &name),
    };
    asset.set("roles", json!(roles));
    asset.set_text("title", rule.title.as_ref().map(filled).map(|title| line(&title)));
    asset.set_text("description", rule.description.as_ref().map(|text| plain(cut(&filled(text), DESCRIPTION))));
    asset.set_text("type", media_type.or_else(|| media_type::guess(&name)));
    asset
}

/// The role of a file that no rule gives one.
fn role(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let about = ["README", "LICENSE", "CHANGELOG"].iter().any(|word| name.starts_with(word));
    let document = path.starts_with("docs/") && name.ends_with(".md");
    if about || document { "metadata" } else { "data" }
}

fn release(source: &Source) -> Option<Asset> {
    let release = source.repository?.release.as_ref().filter(|release| !release.tag.is_empty())?;
    let mut asset = Asset::new("release".into(), hrefs::archive(&source.project.path, &release.tag), "archive.zip");
    asset.set("roles", json!(["source"]));
    asset.set_text("title", Some(line(&format!("Release {}: {}", release.tag, release.name))));
    asset.set_text("description", Some(plain(cut(&release.description, DESCRIPTION))));
    asset.set("type", json!("application/zip"));
    asset.protect();
    Some(asset)
}

/// What a reference to a picture leads to; for the asset and for the link.
pub(super) fn preview_href(source: &Source, reference: &str) -> Option<String> {
    match resolve(source, reference, Reach::Web)? {
        Target::Url(url) => Some(url),
        Target::File(path) => source.files.contains_key(path.as_str()).then(|| source.picture_href(&path)),
    }
}

fn preview(source: &Source, reference: &str) -> Option<Asset> {
    let href = preview_href(source, reference)?;
    let name = reference.split(['?', '#']).next().unwrap_or(reference);
    let tame = |extension: &&str| extension.len() <= 5 && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let extension = media_type::extension(name).filter(tame).map(|extension| format!(".{extension}"));
    let mut asset = Asset::new(format!("preview{}", extension.unwrap_or_default()), href, name);
    asset.set("roles", json!(["thumbnail"]));
    asset.set("title", json!("Preview"));
    asset.set_text("type", media_type::guess(name).filter(|guess| guess.starts_with("image/")));
    if asset.fields["href"].as_str().is_some_and(|href| href.starts_with(shared::catalog::ROOT)) {
        asset.protect();
    }
    Some(asset)
}

/// The name of a registered model, without the project id at its end that some clients add.
pub(super) fn model_name(source: &Source, version: &ModelVersion) -> String {
    let suffix = format!("({})", source.project.id);
    line(version.model.strip_suffix(&suffix).unwrap_or(&version.model))
}

fn registered(source: &Source, version: &ModelVersion) -> Option<Asset> {
    let (run, path) = (version.run_id.as_deref()?, version.artifact_path.as_deref()?);
    let title = format!("{} v{}", model_name(source, version), version.version);
    let extension = media_type::extension(path).map(|extension| format!(".{extension}")).unwrap_or_default();
    let tracking = hrefs::tracking(&source.project.path);
    let href = format!("{tracking}get-artifact?path={}&run_uuid={}", hrefs::encoded(path), hrefs::encoded(run));
    let mut asset = Asset::new(format!("{}{extension}", slug(&title)), href, path);
    asset.set("roles", json!(["data"]));
    asset.set("title", json!(title));
    asset.set("type", json!(media_type::guess(path).unwrap_or_else(|| "application/octet-stream".into())));
    asset.protect();
    asset.registered = true;
    Some(asset)
}

impl Asset {
    fn new(key: String, href: String, file_name: &str) -> Self {
        let extension = media_type::extension(file_name).unwrap_or_default().to_ascii_lowercase();
        Self { key, fields: [("href".to_owned(), json!(href))].into_iter().collect(), extension, registered: false }
    }

    fn set(&mut self, name: &str, value: Value) {
        self.fields.insert(name.to_owned(), value);
    }

    fn set_text(&mut self, name: &str, text: Option<String>) {
        if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
            self.set(name, json!(text));
        }
    }

    fn describe_file(&mut self, file: &RepositoryFile) {
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
    fn protect(&mut self) {
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
    fn insert(&mut self, asset: Asset) {
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
