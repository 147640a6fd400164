//! `sortby`: fields and directions.

use serde_json::Value as Json;
use shared::Result;

use super::wrong;

/// What items can be sorted by, in the spelling that the catalog shows.
pub const SORTABLES: [&str; 9] = [
    "id",
    "collection",
    "title",
    "datetime",
    "created",
    "updated",
    "start_datetime",
    "end_datetime",
    "sharinghub:stars",
];

/// How many fields a search may sort by.
const MAX_FIELDS: usize = 8;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Sort {
    pub field: SortField,
    pub descending: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SortField {
    Id,
    Collection,
    /// The first of these properties that an item has.
    Property(&'static [&'static str]),
}

impl Sort {
    /// `-properties.updated`, `+id`, `title`.
    ///
    /// # Errors
    /// `Invalid`, naming `sortby` and the field, if nothing can be sorted by it.
    pub fn parse(text: &str) -> Result<Self> {
        let (name, descending) = match text.strip_prefix('-') {
            Some(name) => (name, true),
            // A plus that nobody encoded arrives as a space, which was trimmed.
            None => (text.strip_prefix('+').unwrap_or(text), false),
        };
        Ok(Self { field: field(name)?, descending })
    }

    /// `{"field": "properties.updated", "direction": "desc"}`, or a text as in a GET.
    ///
    /// # Errors
    /// `Invalid`, naming `sortby`.
    pub fn parse_json(json: &Json) -> Result<Self> {
        if let Json::String(text) = json {
            return Self::parse(text);
        }
        let name = json.get("field").and_then(Json::as_str);
        let name = name.ok_or_else(|| wrong("sortby", "each entry needs a text `field`"))?;
        let descending = match json.get("direction") {
            None | Some(Json::Null) => false,
            Some(Json::String(direction)) if direction.eq_ignore_ascii_case("asc") => false,
            Some(Json::String(direction)) if direction.eq_ignore_ascii_case("desc") => true,
            Some(other) => return Err(wrong("sortby", format!("the direction {other} is neither asc nor desc"))),
        };
        Ok(Self { field: field(name)?, descending })
    }

    /// # Errors
    /// `Invalid`, naming `sortby`, if these are too many.
    pub(super) fn check(sorts: &[Self]) -> Result<()> {
        if sorts.len() > MAX_FIELDS { Err(wrong("sortby", format!("at most {MAX_FIELDS} fields"))) } else { Ok(()) }
    }
}

/// Names are taken with and without `properties.` and `sharinghub:`; clients of SharingHub say `name` and `stars`.
fn field(name: &str) -> Result<SortField> {
    let plain = name.strip_prefix("properties.").unwrap_or(name);
    Ok(SortField::Property(match plain.strip_prefix("sharinghub:").unwrap_or(plain) {
        "id" => return Ok(SortField::Id),
        "collection" => return Ok(SortField::Collection),
        "title" | "name" => &["title"],
        "datetime" => &["datetime", "updated"],
        "updated" => &["updated", "datetime"],
        "created" => &["created", "start_datetime"],
        "start_datetime" => &["start_datetime", "created"],
        "end_datetime" => &["end_datetime", "updated"],
        "stars" => &["sharinghub:stars"],
        _ => {
            return Err(wrong(
                "sortby",
                format!("`{name}` is none of the fields to sort by: {}", SORTABLES.join(", ")),
            ));
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_sortables_can_be_sorted_by_in_every_spelling() {
        for name in SORTABLES {
            let plain = Sort::parse(name).unwrap();
            assert!(!plain.descending);
            assert_eq!(Sort::parse(&format!("+properties.{name}")), Ok(plain));
            assert_eq!(Sort::parse(&format!("-{name}")), Ok(Sort { descending: true, ..plain }));
            let json = serde_json::json!({"field": name, "direction": "DESC"});
            assert_eq!(Sort::parse_json(&json), Ok(Sort { descending: true, ..plain }));
        }
        assert_eq!(Sort::parse("-stars"), Sort::parse("-properties.sharinghub:stars"));
        assert_eq!(Sort::parse("name"), Sort::parse("title"));
    }

    #[test]
    fn others_are_refused_by_name() {
        for (json, why) in [
            (serde_json::json!("-properties.colour"), "`properties.colour`"),
            (serde_json::json!({"field": "id", "direction": "down"}), "down"),
            (serde_json::json!({"direction": "asc"}), "field"),
            (serde_json::json!(7), "field"),
            (serde_json::json!(""), "``"),
        ] {
            let error = Sort::parse_json(&json).unwrap_err().to_string();
            assert!(error.starts_with("sortby: ") && error.contains(why), "{error}");
        }
    }
}
