//! Asset rules: of the project's categories, then of its README (docs/catalog.md, "Front matter").

use std::borrow::Cow;

use serde_json::Value;
use shared::catalog::AssetRule;
use shared::gitlab::RepositoryFile;

use super::glob::Glob;
use super::hrefs::{Reach, Target, resolve};
use super::source::Source;
use super::warnings::{Warnings, quoted};

/// More files of one project do not become assets.
pub(super) const MOST: usize = 500;
/// More rules of a README are not read.
const RULES: usize = 100;

/// What one rule selects.
pub(super) enum Selected<'a> {
    File(&'a RepositoryFile),
    /// Something elsewhere.
    Url(String),
}

/// All rules, those of categories first.
pub(super) fn rules<'a>(source: &'a Source, warnings: &mut Warnings) -> Vec<Cow<'a, AssetRule>> {
    let mut rules: Vec<_> = source.categories.iter().flat_map(|category| &category.assets).map(Cow::Borrowed).collect();
    match source.front.get("assets") {
        None | Some(Value::Null) => {}
        Some(Value::Array(entries)) => {
            if entries.len() > RULES {
                warnings.say(format!("only the first {RULES} entries of `assets` are read"));
            }
            for entry in entries.iter().take(RULES) {
                match authored(entry) {
                    Some(rule) => rules.push(Cow::Owned(rule)),
                    None => warnings.say("an entry of `assets` is ignored: it is neither a pattern nor a rule"),
                }
            }
        }
        Some(_) => warnings.say("`assets` is ignored: it is no list"),
    }
    rules
}

/// A rule as an author writes it: a pattern, or a mapping of texts.
fn authored(entry: &Value) -> Option<AssetRule> {
    if let Some(glob) = entry.as_str() {
        return Some(AssetRule { glob: Some(glob.to_owned()), ..AssetRule::default() });
    }
    let fields = entry.as_object()?;
    let mut sound = true;
    let mut text = |names: &[&str]| {
        let value = names.iter().find_map(|name| fields.get(*name)).filter(|value| !value.is_null())?;
        sound &= value.is_string();
        value.as_str().map(str::to_owned)
    };
    let rule = AssetRule {
        glob: text(&["glob", "path"]),
        key: text(&["key"]),
        href: text(&["href"]),
        title: text(&["title"]),
        description: text(&["description"]),
        r#type: text(&["type"]),
        type_as: text(&["type-as"]),
        roles: match fields.get("roles") {
            None | Some(Value::Null) => None,
            Some(Value::String(role)) => Some(vec![role.clone()]),
            Some(Value::Array(roles)) => {
                Some(roles.iter().map(|role| role.as_str().map(str::to_owned)).collect::<Option<_>>()?)
            }
            Some(_) => return None,
        },
    };
    sound.then_some(rule)
}

/// What a rule selects, in GitLab's order of files.
pub(super) fn select<'a>(source: &Source<'a>, rule: &AssetRule, warnings: &mut Warnings) -> Vec<Selected<'a>> {
    let Some(repository) = source.repository else { return Vec::new() };
    match (&rule.glob, &rule.href) {
        (Some(pattern), _) => match Glob::new(pattern) {
            Some(glob) => {
                repository.files.iter().filter(|file| glob.matches(&file.path)).take(MOST).map(Selected::File).collect()
            }
            None => {
                warnings.say(format!("the pattern {} can match nothing", quoted(pattern)));
                Vec::new()
            }
        },
        (None, Some(href)) if rule.key.as_ref().is_some_and(|key| !key.is_empty()) => {
            let selected = match resolve(source, href, Reach::Stores) {
                Some(Target::Url(url)) => Some(Selected::Url(url)),
                Some(Target::File(path)) => source.files.get(path.as_str()).copied().map(Selected::File),
                None => None,
            };
            if selected.is_none() {
                warnings.say(format!("the asset {} is ignored: it leads nowhere", quoted(href)));
            }
            selected.into_iter().collect()
        }
        _ => {
            warnings.say("an asset is ignored: it has neither a `glob` nor a `key` and an `href`");
            Vec::new()
        }
    }
}
