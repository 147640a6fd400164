//! One STAC document of an item (docs/catalog.md, "Items").

use serde_json::{Map, Value, json};
use shared::catalog::Facts;

use super::asset::Assets;
use super::extensions;
use super::source::Source;
use super::spatial::{Extent, extent};
use super::warnings::Warnings;
use super::{assets, license, links, properties, row};

/// Largest document, bytes of JSON.
pub(super) const LARGEST: usize = 340 * 1024;

/// Makes the document and its facts.
pub(super) fn document(source: &Source, mut warnings: Warnings) -> (Map<String, Value>, Facts) {
    let mut properties = properties::properties(source, &mut warnings);
    let license = license::license(source, &mut warnings);
    if let Some(license) = &license {
        properties.insert("license".into(), json!(license.id));
    }
    if source.front.get("extent").is_some_and(|value| !value.is_object() && !value.is_null()) {
        warnings.say("`extent` is ignored: it is no mapping");
    }
    let place = extent(source.front.get("extent").and_then(|extent| extent.get("spatial")), &mut warnings);
    let mut assets = assets::assets(source, &mut warnings);
    let schemas = extensions::apply(source, &mut properties, &mut assets, &mut warnings);
    let license_url = license.as_ref().and_then(|license| license.url.as_deref());
    let links = links::links(source, license_url, &properties, &mut warnings);
    let mut draft = Draft { source, place, properties, links, assets, schemas, warnings };
    draft.shrink();
    let document = draft.finish();
    let facts = row::facts(&document, draft.place.as_ref());
    (document, facts)
}

/// The parts of a document, which may still be too large.
struct Draft<'a> {
    source: &'a Source<'a>,
    place: Option<Extent>,
    properties: Map<String, Value>,
    links: Vec<Value>,
    assets: Assets,
    schemas: std::collections::BTreeSet<String>,
    warnings: Warnings,
}

impl Draft<'_> {
    fn finish(&self) -> Map<String, Value> {
        let mut properties = self.properties.clone();
        let mut schemas = self.schemas.clone();
        extensions::declare_for_assets(&self.assets, &mut properties, &mut schemas);
        let warnings = self.warnings.list();
        if !warnings.is_empty() {
            properties.insert("sharinghub:warnings".into(), json!(warnings));
        }
        let mut document = Map::new();
        document.insert("stac_version".into(), json!("1.1.0"));
        document.insert("stac_extensions".into(), json!(schemas));
        document.insert("type".into(), json!("Feature"));
        document.insert("id".into(), json!(self.source.project.path));
        document.insert("geometry".into(), self.place.as_ref().map_or(Value::Null, |place| place.geometry.clone()));
        if let Some(place) = &self.place {
            document.insert("bbox".into(), json!(place.bbox));
        }
        document.insert("collection".into(), json!(self.source.category.id));
        document.insert("properties".into(), Value::Object(properties));
        document.insert("links".into(), json!(self.links));
        document.insert("assets".into(), Value::Object(self.assets.to_map()));
        document
    }

    fn size(&self) -> usize {
        serde_json::to_vec(&self.finish()).map_or(usize::MAX, |bytes| bytes.len())
    }

    /// Drops the last assets, then text, then what authors added, until the document fits.
    fn shrink(&mut self) {
        if self.size() <= LARGEST {
            return;
        }
        self.warnings.say("this project says more than fits into an item: the last assets and some texts are left out");
        let mut assets = self.assets.len();
        while assets > 20 && self.size() > LARGEST {
            assets = assets * 3 / 4;
            self.assets.truncate(assets);
        }
        while self.size() > LARGEST {
            let largest = self.properties.iter().max_by_key(|(_, value)| value.to_string().len());
            let Some((name, value)) = largest.map(|(name, value)| (name.clone(), value.clone())) else { return };
            match value {
                Value::String(text) if name == "description" && text.len() > 4_000 => {
                    self.properties.insert(name, json!(super::text::cut(&text, text.len() / 2)));
                }
                value if value.to_string().len() > 1_000 => self.drop_property(&name),
                _ => match self.links.len() > 20 {
                    true => self.links.truncate(self.links.len() / 2),
                    false => return self.assets.truncate(0),
                },
            }
        }
    }

    /// Without the rest of its extension, a property that the extension asks for would leave the item invalid.
    fn drop_property(&mut self, name: &str) {
        let prefix = match name.split_once(':') {
            Some((prefix, _)) if prefix != "sharinghub" => prefix,
            _ => {
                self.properties.remove(name);
                return;
            }
        };
        let prefix = format!("{prefix}:");
        self.properties.retain(|other, _| !other.starts_with(&prefix));
        self.schemas = std::mem::take(&mut self.schemas)
            .into_iter()
            .filter(|schema| !extensions::is_of(schema, &prefix))
            .collect();
    }
}
