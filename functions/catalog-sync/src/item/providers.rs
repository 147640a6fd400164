//! Who made, licensed, processed and hosts what the project holds (docs/catalog.md, "Front matter").

use serde_json::{Map, Value, json};

use super::hrefs;
use super::source::Source;
use super::text::{cut, line};
use super::warnings::Warnings;

/// The front matter's providers, and GitLab as host and the group as producer where nobody else is named.
pub(super) fn providers(source: &Source, warnings: &mut Warnings) -> Value {
    let mut providers = Vec::new();
    match source.front.get("providers") {
        None | Some(Value::Null) => {}
        Some(Value::Array(list)) => {
            for entry in list.iter().take(50) {
                match provider(entry) {
                    Some(provider) => providers.push(provider),
                    None => warnings.say("a provider is ignored: it has no `name`"),
                }
            }
        }
        Some(_) => warnings.say("`providers` is ignored: it is no list"),
    }
    let has = |role: &str, providers: &[Value]| {
        providers.iter().any(|provider| {
            provider.get("roles").and_then(Value::as_array).is_some_and(|roles| roles.iter().any(|own| own == role))
        })
    };
    let mut add = |name: String, role: &str, url: String| {
        if !has(role, &providers) {
            let mut provider = json!({"name": name, "roles": [role]});
            if let Some(url) = hrefs::web(&url) {
                provider["url"] = json!(url);
            }
            providers.push(provider);
        }
    };
    add(format!("GitLab ({})", source.gitlab_url), "host", source.project.web_url.clone());
    let owner = source.project.full_name.split(" / ").next().map(line).unwrap_or_default();
    let group = source.project.path.split('/').next().unwrap_or_default();
    let owner = if owner.is_empty() { group.to_owned() } else { owner };
    add(owner, "producer", format!("{}/{group}", source.gitlab_url));
    Value::Array(providers)
}

fn provider(entry: &Value) -> Option<Value> {
    let mut provider = Map::new();
    let name = entry.get("name")?.as_str().map(line).filter(|name| !name.is_empty())?;
    provider.insert("name".into(), json!(name));
    if let Some(description) = entry.get("description").and_then(Value::as_str) {
        provider.insert("description".into(), json!(cut(description, 2_000)));
    }
    if let Some(roles) = entry.get("roles").and_then(Value::as_array) {
        let known = ["producer", "licensor", "processor", "host"];
        let roles: Vec<&Value> =
            roles.iter().filter(|role| role.as_str().is_some_and(|r| known.contains(&r))).collect();
        provider.insert("roles".into(), json!(roles));
    }
    if let Some(url) = entry.get("url").and_then(Value::as_str).and_then(hrefs::web) {
        provider.insert("url".into(), json!(url));
    }
    Some(Value::Object(provider))
}
