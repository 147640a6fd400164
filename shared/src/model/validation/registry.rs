//! Rules of the model registry (mlflow.md B.7).

use super::{LONGEST_KEY, LONGEST_MODEL_TAG_VALUE, is_word, limit, name, own_normal_form};
use crate::error::{Error, Result};

/// Longest name of a registered model, bytes: it is part of a key of the index.
pub const LONGEST_MODEL_NAME: usize = 800;
/// Longest alias.
pub const LONGEST_ALIAS: usize = 255;
/// Registered models on one page.
pub const MOST_REGISTERED_MODELS: i64 = 1_000;
/// Versions on one page.
pub const MOST_VERSIONS: i64 = 200_000;

/// A tag of a registered model or of a version; nothing is cut.
pub fn registry_tag(key: &str, value: &str) -> Result<()> {
    name("key", key)?;
    limit("key", LONGEST_KEY, key)?;
    limit("value", LONGEST_MODEL_TAG_VALUE, value)
}

/// The key of a tag that is to be deleted, of any length.
pub fn tag_name(key: &str) -> Result<()> {
    name("key", key)
}

/// The name of a registered model, which may become a folder's.
pub fn registered_model_name(parameter: &str, name: &str) -> Result<()> {
    if name.trim().is_empty() {
        return Err(Error::invalid(format!("Missing value for required parameter '{parameter}'.")));
    }
    if name.contains(['/', ':']) {
        return Err(Error::invalid(format!("Invalid model name '{name}'. Names cannot contain '/' or ':'.")));
    }
    if name.len() > LONGEST_MODEL_NAME {
        return Err(Error::invalid(format!("'name' exceeds the maximum length of {LONGEST_MODEL_NAME} bytes")));
    }
    own_normal_form("name", name)
}

/// The name of an alias, for reading; [`new_alias`] for one to be set.
pub fn alias(alias: &str) -> Result<()> {
    if alias.is_empty() {
        return Err(Error::invalid("Registered model alias name cannot be empty."));
    }
    if !alias.chars().all(|next| is_word(next) || next == '-') {
        return Err(Error::invalid(format!(
            "Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
        )));
    }
    limit("Registered model alias name", LONGEST_ALIAS, alias)
}

/// The name of an alias to be set: `latest` and `v<number>` mean something already.
pub fn new_alias(name: &str) -> Result<()> {
    alias(name)?;
    if name.eq_ignore_ascii_case(LATEST) {
        return Err(Error::invalid("'latest' alias name (case insensitive) is reserved."));
    }
    let digits = name.strip_prefix(['v', 'V']).unwrap_or_default();
    if !digits.is_empty() && digits.chars().all(char::is_numeric) {
        return Err(Error::invalid(format!("Version alias name '{name}' is reserved.")));
    }
    Ok(())
}

/// The alias that every model has: its newest version.
pub const LATEST: &str = "latest";

/// The number of a version as an integer in any of Python's spellings, and as it is shown; 0 stands for an
/// integer that no version has.
pub fn version_number(text: &str) -> Result<(u64, String)> {
    let refused = || Error::invalid(format!("Parameter 'version' must be an integer, got '{text}'."));
    let (sign, digits) = match text.trim() {
        negative if negative.starts_with('-') => ("-", &negative[1..]),
        positive => ("", positive.strip_prefix('+').unwrap_or(positive)),
    };
    // Single underscores may group digits.
    if digits.split('_').any(|group| group.is_empty() || !group.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(refused());
    }
    let digits = digits.replace('_', "");
    let digits = match digits.trim_start_matches('0') {
        "" => return Ok((0, "0".to_owned())),
        digits => digits,
    };
    let number = if sign.is_empty() { digits.parse().unwrap_or(0) } else { 0 };
    Ok((number, format!("{sign}{digits}")))
}

/// `max_results` of a search in the registry, at most `most`.
pub fn registry_max_results(count: i64, most: i64) -> Result<usize> {
    if count > most {
        return Err(Error::invalid(format!(
            "Invalid value for request parameter max_results. It must be at most {most}, but got value {count}"
        )));
    }
    usize::try_from(count).ok().filter(|count| *count > 0).ok_or_else(|| {
        Error::invalid(format!("Invalid value for max_results. It must be a positive integer, but got {count}"))
    })
}
