//! The assets of an item (docs/catalog.md, "Items").

use serde_json::json;
use shared::catalog::AssetRule;

use super::asset::{Asset, Assets};
use super::hrefs::{self, Reach, Target, resolve};
use super::rules::{self, MOST, Selected};
use super::source::Source;
use super::text::{cut, line, plain, slug};
use super::warnings::{Warnings, quoted};
use super::{ModelVersion, media_type};

/// Longest description, bytes.
const DESCRIPTION: usize = 4_000;

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
    match preview(source) {
        Some(preview) => assets.insert(picture(preview)),
        None if source.front.get("preview").is_some_and(|value| !value.is_null()) => {
            warnings.say("`preview` is ignored: it leads nowhere");
        }
        None => {}
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

/// The picture that shows a project.
pub(super) struct Preview {
    pub href: String,
    pub media_type: Option<String>,
    /// Of its name, with the dot; may be empty.
    extension: String,
}

/// The first that is there: the README's picture of that name, its front matter's, the repository's.
pub(super) fn preview(source: &Source) -> Option<Preview> {
    source.previews().find_map(|reference| {
        let href = match resolve(source, reference, Reach::Web)? {
            Target::Url(url) => url,
            Target::File(path) => source.files.contains_key(path.as_str()).then(|| source.picture_href(&path))?,
        };
        let name = reference.split(['?', '#']).next().unwrap_or(reference);
        let media_type = media_type::guess(name).filter(|guess| guess.starts_with("image/"));
        let tame =
            |extension: &&str| extension.len() <= 5 && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let extension = media_type::extension(name).filter(tame).map(|extension| format!(".{extension}"));
        Some(Preview { href, media_type, extension: extension.unwrap_or_default() })
    })
}

fn picture(preview: Preview) -> Asset {
    let is_ours = preview.href.starts_with(shared::catalog::ROOT);
    let mut asset = Asset::new(format!("preview{}", preview.extension), preview.href, "");
    asset.set("roles", json!(["thumbnail"]));
    asset.set("title", json!("Preview"));
    asset.set_text("type", preview.media_type);
    if is_ours {
        asset.protect();
    }
    asset
}

/// The name of a registered model, without the project id at its end that some clients add.
pub(super) fn model_name(source: &Source, version: &ModelVersion) -> String {
    let suffix = format!("({})", source.project.id);
    line(version.model.strip_suffix(&suffix).unwrap_or(&version.model))
}

fn registered(source: &Source, version: &ModelVersion) -> Option<Asset> {
    let path = version.artifact_path.as_deref()?;
    let title = format!("{} v{}", model_name(source, version), version.version);
    let extension = media_type::extension(path).map(|extension| format!(".{extension}")).unwrap_or_default();
    let tracking = hrefs::tracking(&source.project.path);
    // By the version, because the files of a logged model belong to no run.
    let href = format!(
        "{tracking}model-versions/get-artifact?name={}&version={}&path={}",
        hrefs::encoded(&version.model),
        version.version,
        hrefs::encoded(path)
    );
    let mut asset = Asset::new(format!("{}{extension}", slug(&title)), href, path);
    asset.set("roles", json!(["data"]));
    asset.set("title", json!(title));
    asset.set("type", json!(media_type::guess(path).unwrap_or_else(|| "application/octet-stream".into())));
    asset.protect();
    asset.registered = true;
    Some(asset)
}
