//! `fields`: which parts of the items a client wants.

use serde_json::{Map, Value as Json};
use shared::Result;

use super::wrong;

/// How many fields a search may name, and how long their names may be in bytes.
const MAX_FIELDS: usize = 100;
const MAX_LENGTH: usize = 256;

/// What an item is made of at least: only who excludes these by name does without.
const ALWAYS: [&str; 9] =
    ["type", "stac_version", "id", "geometry", "bbox", "links", "assets", "collection", "properties.datetime"];

/// Dotted paths to include and to exclude; none: the whole item.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Fields {
    include: Vec<String>,
    exclude: Vec<String>,
}

impl Fields {
    /// From the parts of a parameter: `id`, `+properties.title`, `-links`.
    ///
    /// # Errors
    /// `Invalid`, naming `fields`, if these are too many or too long.
    pub(super) fn parse(parts: &[String]) -> Result<Self> {
        let (exclude, include): (Vec<&String>, Vec<&String>) = parts.iter().partition(|part| part.starts_with('-'));
        let include = include.iter().map(|part| part.strip_prefix('+').unwrap_or(part).to_owned());
        Self::new(include.collect(), exclude.iter().map(|part| part[1..].to_owned()).collect())
    }

    /// # Errors
    /// `Invalid`, naming `fields`, if these are too many or too long.
    pub(super) fn new(include: Vec<String>, exclude: Vec<String>) -> Result<Self> {
        if include.len() + exclude.len() > MAX_FIELDS {
            return Err(wrong("fields", format!("at most {MAX_FIELDS} names")));
        }
        if include.iter().chain(&exclude).any(|name| name.len() > MAX_LENGTH) {
            return Err(wrong("fields", format!("at most {MAX_LENGTH} bytes a name")));
        }
        let named = |names: Vec<String>| names.into_iter().filter(|name| !name.trim().is_empty()).collect();
        Ok(Self { include: named(include), exclude: named(exclude) })
    }

    /// The parts of `item` that are wanted. What is both included and excluded stays if the including path is the
    /// longer one.
    pub fn apply(&self, item: Json) -> Json {
        let mut kept = if self.include.is_empty() { item.clone() } else { self.included(&item) };
        for path in &self.exclude {
            remove(&mut kept, path);
        }
        let spared = |path: &&String| {
            let within = |outer: &String| path.strip_prefix(outer.as_str()).is_some_and(|rest| rest.starts_with('.'));
            self.exclude.iter().any(within)
        };
        for path in self.include.iter().filter(spared) {
            copy(&item, &mut kept, path);
        }
        kept
    }

    fn included(&self, item: &Json) -> Json {
        let mut kept = Json::Object(Map::new());
        for path in ALWAYS.into_iter().chain(self.include.iter().map(String::as_str)) {
            copy(item, &mut kept, path);
        }
        // An item without `datetime` must say when it begins and ends.
        if item.pointer("/properties/datetime").is_none_or(Json::is_null) {
            copy(item, &mut kept, "properties.start_datetime");
            copy(item, &mut kept, "properties.end_datetime");
        }
        kept
    }
}

/// The ways to split a path into a member that `object` has and what is below it; names may hold dots themselves.
fn splits<'p>(object: &Map<String, Json>, path: &'p str) -> Vec<(&'p str, Option<&'p str>)> {
    let whole = std::iter::once((path, None));
    let parts = path.match_indices('.').map(|(dot, _)| (&path[..dot], Some(&path[dot + 1..])));
    whole.chain(parts).filter(|(name, _)| object.contains_key(*name)).collect()
}

/// Puts what `path` leads to in `from` at the same place in `to`.
fn copy(from: &Json, to: &mut Json, path: &str) {
    let (Json::Object(from), Json::Object(to)) = (from, to) else { return };
    for (name, rest) in splits(from, path) {
        match rest {
            None => {
                to.insert(name.to_owned(), from[name].clone());
            }
            Some(rest) if from[name].is_object() => {
                let below = to.entry(name).or_insert_with(|| Json::Object(Map::new()));
                copy(&from[name], below, rest);
            }
            Some(_) => {}
        }
    }
}

fn remove(from: &mut Json, path: &str) {
    let Json::Object(members) = from else { return };
    for (name, rest) in splits(members, path) {
        match rest {
            None => {
                members.remove(name);
            }
            Some(rest) => {
                if let Some(below) = members.get_mut(name) {
                    remove(below, rest);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item() -> Json {
        json!({
            "type": "Feature", "stac_version": "1.1.0", "stac_extensions": [], "id": "a/b", "collection": "aimodel",
            "geometry": null, "links": [], "assets": {"model.pt": {"href": "x", "roles": ["data"]}},
            "properties": {"datetime": null, "start_datetime": "s", "end_datetime": "e", "title": "T", "a.b": {"c": 1, "d": 2}},
        })
    }

    fn applied(parts: &[&str]) -> Json {
        Fields::parse(&parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>()).unwrap().apply(item())
    }

    #[test]
    fn no_fields_are_all_fields() {
        assert_eq!(applied(&[]), item());
        assert_eq!(Fields::parse(&[" ".into()]).unwrap().apply(item()), item());
    }

    #[test]
    fn what_is_included_comes_on_top_of_what_makes_an_item() {
        let mut expected = item();
        expected.as_object_mut().unwrap().remove("stac_extensions");
        expected["properties"] = json!({"datetime": null, "start_datetime": "s", "end_datetime": "e", "title": "T"});
        assert_eq!(applied(&["+properties.title"]), expected);
        assert_eq!(applied(&["id", "properties.title", "nothing.like.it"]), expected);
        expected["properties"]["a.b"] = json!({"c": 1});
        assert_eq!(applied(&["properties.title", "properties.a.b.c"]), expected);
    }

    #[test]
    fn what_is_excluded_goes() {
        let mut expected = item();
        expected.as_object_mut().unwrap().remove("geometry");
        expected["assets"]["model.pt"].as_object_mut().unwrap().remove("href");
        expected["properties"].as_object_mut().unwrap().remove("datetime");
        assert_eq!(applied(&["-geometry", "-assets.model.pt.href", "-properties.datetime", "-no.such"]), expected);
        assert_eq!(applied(&["-properties", "properties.title"])["properties"], json!({"title": "T"}));
        assert_eq!(applied(&["properties", "-properties.a.b"])["properties"].get("a.b"), None);
        assert_eq!(applied(&["-id", "id"]).get("id"), None);
    }

    #[test]
    fn names_are_bounded() {
        assert!(Fields::parse(&vec!["a".to_owned(); 101]).is_err());
        assert!(Fields::parse(&["a".repeat(257)]).is_err());
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(parts in proptest::collection::vec("[-+]?[a-z.:]{0,12}(\\.[a-d]){0,3}", 0..6)) {
            let _ = Fields::parse(&parts).unwrap().apply(item());
        }
    }
}
