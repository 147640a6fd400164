//! Limits and name rules of the MLflow API, in the stock server's words. Lengths are in characters.
//! `path` is where a value stands in the request, such as `tags[3]`; empty at the top.

mod registry;

use crate::error::{Error, Result};
use crate::model::Dataset;

pub use registry::*;

/// Longest key of a metric, param or tag.
pub const LONGEST_KEY: usize = 250;
/// Longer param values are cut.
pub const LONGEST_PARAM_VALUE: usize = 6_000;
/// Longer values of run tags are cut.
pub const LONGEST_TAG_VALUE: usize = 8_000;
/// Longest name of an experiment.
pub const LONGEST_EXPERIMENT_NAME: usize = 500;
/// Longest value of an experiment's tag.
pub const LONGEST_EXPERIMENT_TAG_VALUE: usize = 20_000;
/// Longest key of a logged model's param or tag.
pub const LONGEST_MODEL_KEY: usize = 1_000;
/// Longest value of a logged model's param or tag.
pub const LONGEST_MODEL_TAG_VALUE: usize = 100_000;
/// Longest artifact location that a client may choose.
pub const LONGEST_ARTIFACT_LOCATION: usize = 2_048;
/// Metrics in one log-batch, and entries of all kinds together.
pub const MOST_BATCH_ENTRIES: usize = 1_000;
/// Params, and tags, in one log-batch.
pub const MOST_BATCH_PARAMS: usize = 100;
/// Rows on one page of runs or experiments.
pub const MOST_RESULTS: i64 = 50_000;
/// Points of one run in one `get-history-bulk-interval`, and the default.
pub const MOST_INTERVAL_POINTS: i64 = 2_500;
/// Tags with this prefix are custom views of the UI; an experiment has at most [`MOST_CUSTOM_VIEWS`].
pub const CUSTOM_VIEW_PREFIX: &str = "mlflow.customView.view";
/// Custom views of one experiment.
pub const MOST_CUSTOM_VIEWS: usize = 50;

/// A metric point: its name and its timestamp, which must not be negative.
pub fn metric(path: &str, key: &str, value: f64, timestamp: i64) -> Result<()> {
    name(&join(path, "name"), key)?;
    if timestamp < 0 {
        return Err(invalid_value(
            &join(path, "timestamp"),
            &timestamp.to_string(),
            &format!("metric '{key}' (value={value:?}). Timestamp must be a nonnegative long (64-bit integer) "),
        ));
    }
    limit("Metric name", LONGEST_KEY, key)
}

/// A param; gives the value, cut to its limit.
pub fn param(path: &str, key: &str, value: String) -> Result<String> {
    name(&join(path, "key"), key)?;
    limit("Param key", LONGEST_KEY, key)?;
    Ok(cut(value, LONGEST_PARAM_VALUE))
}

/// A run's tag; gives the value, cut to its limit.
pub fn tag(path: &str, key: &str, value: String) -> Result<String> {
    let at = join(path, "key");
    name(&at, key)?;
    limit(&at, LONGEST_KEY, key)?;
    Ok(cut(value, LONGEST_TAG_VALUE))
}

/// The value of a run's tag, cut to its limit.
pub fn tag_value(value: String) -> String {
    cut(value, LONGEST_TAG_VALUE)
}

/// A tag of an experiment; nothing is cut.
pub fn experiment_tag(key: &str, value: &str) -> Result<()> {
    name("key", key)?;
    limit("key", LONGEST_KEY, key)?;
    limit("value", LONGEST_EXPERIMENT_TAG_VALUE, value)
}

/// A param or tag of a logged model: any text that can be stored; nothing is cut.
pub fn logged_model_pair(key: &str, value: &str) -> Result<()> {
    if key.is_empty() {
        return Err(Error::invalid("A param or tag of a logged model must have a key."));
    }
    limit("key", LONGEST_MODEL_KEY, key)?;
    limit("value", LONGEST_MODEL_TAG_VALUE, value)
}

/// The tag keys that an experiment would have: not too many custom views among them.
pub fn custom_views<'a>(keys: impl IntoIterator<Item = &'a str>) -> Result<()> {
    if keys.into_iter().filter(|key| key.starts_with(CUSTOM_VIEW_PREFIX)).count() <= MOST_CUSTOM_VIEWS {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "Unable to create another custom view; the maximum number of custom views per experiment is \
         {MOST_CUSTOM_VIEWS}. Delete an existing custom view before creating a new one."
    )))
}

/// The name of an experiment.
pub fn experiment_name(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::invalid("Invalid experiment name: ''"));
    }
    limit("name", LONGEST_EXPERIMENT_NAME, name)
}

/// Where a client wants an experiment's artifacts.
pub fn artifact_location(location: &str) -> Result<()> {
    let (before_fragment, fragment) = location.split_once('#').unwrap_or((location, ""));
    let (place, query) = before_fragment.split_once('?').unwrap_or((before_fragment, ""));
    let (scheme, rest) = split_scheme(place);
    let last_segment = rest.rsplit('/').next().unwrap_or_default();
    let has_params = TAKES_PARAMS.contains(&scheme.as_str()) && last_segment.contains(';');
    if !fragment.is_empty() || has_params {
        return Err(Error::invalid("'artifact_location' URL can't include fragments or params."));
    }
    if climbs(query) {
        return Err(Error::invalid("Invalid query string"));
    }
    host("artifact_location", location)?;
    if location.starts_with("runs:") {
        return Err(Error::invalid(format!("Artifact location cannot be a runs:/ URI. Given: '{location}'")));
    }
    if location.chars().count() > LONGEST_ARTIFACT_LOCATION {
        return Err(Error::invalid(format!(
            "Invalid artifact path length. The length of the artifact path cannot be greater than \
             {LONGEST_ARTIFACT_LOCATION} characters."
        )));
    }
    Ok(())
}

/// A place that a client names in `field`: the hub must not be made to connect to its host.
pub fn host(field: &str, location: &str) -> Result<()> {
    let (scheme, rest) = split_scheme(location);
    // Our own scheme names a host only in the form `mlflow-artifacts://<host>/`.
    let names_host = rest.strip_prefix("//").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    if NAMES_A_HOST.contains(&scheme.as_str()) || (scheme == "mlflow-artifacts" && names_host) {
        return Err(Error::invalid(format!(
            "'{field}' cannot use the '{scheme}' scheme: the '{scheme}' scheme addresses a host other than the \
             tracking server's configured artifact storage"
        )));
    }
    Ok(())
}

/// Schemes whose URLs can carry `;params`.
const TAKES_PARAMS: [&str; 6] = ["", "ftp", "hdfs", "http", "https", "sftp"];
/// Schemes that make a server connect to the host they name.
const NAMES_A_HOST: [&str; 9] = ["ftp", "sftp", "hdfs", "viewfs", "http", "https", "r2", "b2", "abfss"];

/// The sizes of a log-batch.
pub fn batch_sizes(metrics: usize, params: usize, tags: usize) -> Result<()> {
    let kinds = [
        ("metrics", MOST_BATCH_ENTRIES, metrics),
        ("params", MOST_BATCH_PARAMS, params),
        ("tags", MOST_BATCH_PARAMS, tags),
        ("metrics, params, and tags", MOST_BATCH_ENTRIES, metrics + params + tags),
    ];
    for (kind, most, count) in kinds {
        if count > most {
            return Err(Error::invalid(format!(
                "A batch logging request can contain at most {most} {kind}. Got {count} {kind}. \
                 Please split up {kind} across multiple requests and try again."
            )));
        }
    }
    Ok(())
}

/// The params of one log-batch: no key twice.
pub fn distinct_param_keys<'a>(keys: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let mut known = std::collections::HashSet::new();
    let doubled: Vec<String> =
        keys.into_iter().filter(|key| !known.insert(*key)).map(|key| format!("'{key}'")).collect();
    if doubled.is_empty() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "Duplicate parameter keys have been submitted: [{}]. Please ensure the request contains only one \
         param value per param key.",
        doubled.join(", ")
    )))
}

/// The form of a run id: letters, digits, `_` and `-`, at most 256.
pub fn run_id(id: &str) -> Result<()> {
    let starts = id.starts_with(|first: char| first.is_ascii_alphanumeric());
    if starts && id.chars().count() <= 256 && id.chars().all(|next| is_word(next) || next == '-') {
        return Ok(());
    }
    Err(Error::invalid(format!("Invalid value {} for parameter 'run_id' supplied.", quoted(id))))
}

/// A data set.
pub fn dataset(dataset: &Dataset) -> Result<()> {
    limit("name", 500, &dataset.name)?;
    limit("digest", 36, &dataset.digest)?;
    limit("source", 65_535, &dataset.source)?;
    limit("schema", 1_048_575, dataset.schema.as_deref().unwrap_or_default())?;
    limit("profile", 16_777_215, dataset.profile.as_deref().unwrap_or_default())
}

/// A tag on the use of a data set.
pub fn input_tag(key: &str, value: &str) -> Result<()> {
    limit("key", 255, key)?;
    limit("value", 500, value)
}

/// The name of a logged model.
pub fn logged_model_name(name: &str) -> Result<()> {
    const REFUSED: [char; 6] = ['/', ':', '.', '%', '"', '\''];
    if !name.is_empty() && !name.contains(REFUSED) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "Invalid model name ({}) provided. Model name must be a non-empty string and cannot contain the \
         following characters: ('/', ':', '.', '%', '\"', \"'\")",
        shown(name)
    )))
}

/// `max_results` of a search: positive and at most [`MOST_RESULTS`].
pub fn max_results(count: i64) -> Result<usize> {
    let refused = |rule: String| {
        Error::invalid(format!("Invalid value {count} for parameter 'max_results' supplied. It must be {rule}"))
    };
    if count < 1 {
        return Err(refused("a positive integer".into()));
    }
    if count > MOST_RESULTS {
        return Err(refused(format!("at most {MOST_RESULTS}")));
    }
    usize::try_from(count).map_err(|_| refused("a positive integer".into()))
}

/// `max_results` of a search for runs: as [`max_results`], but the stock server words one refusal differently.
pub fn runs_max_results(count: i64) -> Result<usize> {
    if count > MOST_RESULTS {
        return Err(Error::invalid(format!(
            "Invalid value {count} for parameter 'max_results' supplied:  Hint: Value was of type 'int'. \
             See the API docs for more information about request parameters."
        )));
    }
    max_results(count)
}

/// `max_results` of `get-history-bulk-interval`.
pub fn interval_points(count: i64) -> Result<usize> {
    let allowed = usize::try_from(count).ok().filter(|_| (1..=MOST_INTERVAL_POINTS).contains(&count));
    allowed.ok_or_else(|| Error::invalid(format!("max_results must be between 1 and {MOST_INTERVAL_POINTS}. See the API docs for more information about request parameters.")))
}

/// A key of a metric, param or tag: plain characters, and a path that is its own normal form, because
/// keys may become file names.
fn name(path: &str, name: &str) -> Result<()> {
    if !name.chars().all(|next| is_word(next) || "/.- :".contains(next)) {
        return Err(invalid_value(
            path,
            &quoted(name),
            "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), \
             colon(:) and slashes (/).",
        ));
    }
    own_normal_form(path, name)
}

/// Refuses a name that would be another one as a path.
fn own_normal_form(path: &str, name: &str) -> Result<()> {
    let normal = normal_path(name);
    if normal != name || normal == "." || normal.starts_with("..") || normal.starts_with('/') {
        return Err(invalid_value(
            path,
            &quoted(name),
            &format!(
                "Names may be treated as files in certain cases, and must not resolve to other names when \
                 treated as such. This name would resolve to '{normal}'"
            ),
        ));
    }
    Ok(())
}

/// The path without `//`, `.` and `..`, as POSIX `normpath` has it.
pub(super) fn normal_path(path: &str) -> String {
    let root = match path.bytes().take_while(|byte| *byte == b'/').count() {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if !root.is_empty() => {}
            _ => parts.push(part),
        }
    }
    let normal = format!("{root}{}", parts.join("/"));
    if normal.is_empty() { ".".into() } else { normal }
}

/// Scheme in lower case, or nothing, and the rest.
pub(super) fn split_scheme(location: &str) -> (String, &str) {
    let is_scheme = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text.chars().all(|next| next.is_ascii_alphanumeric() || "+-.".contains(next))
    };
    match location.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_ascii_lowercase(), rest),
        _ => (String::new(), location),
    }
}

/// Does a query hold `..`, percent-encoded or not, however often?
fn climbs(query: &str) -> bool {
    let mut decoded = query.to_owned();
    for _ in 0..10 {
        let next = percent_encoding::percent_decode_str(&decoded).decode_utf8_lossy().into_owned();
        if next == decoded {
            return decoded.contains("..");
        }
        decoded = next;
    }
    true
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn join(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

fn limit(what: &str, most: usize, text: &str) -> Result<()> {
    if text.len() <= most || text.chars().count() <= most {
        return Ok(());
    }
    Err(Error::invalid(format!("'{what}' exceeds the maximum length of {most} characters")))
}

/// At most `most` characters of `text`.
fn cut(mut text: String, most: usize) -> String {
    if text.len() > most
        && let Some((end, _)) = text.char_indices().nth(most)
    {
        text.truncate(end);
    }
    text
}

fn invalid_value(path: &str, value: &str, reason: &str) -> Error {
    Error::invalid(format!("Invalid value {value} for parameter '{path}' supplied: {reason}"))
}

/// JSON with ASCII characters only.
fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for character in serde_json::Value::from(text).to_string().chars() {
        if character.is_ascii() {
            quoted.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                quoted.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    quoted
}

/// In single quotes, or in double quotes if it holds only single ones: how the stock server shows texts.
pub(crate) fn shown(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let inner = if quote == '\'' { text.replace('\'', "\\'") } else { text.to_owned() };
    format!("{quote}{inner}{quote}")
}

#[cfg(test)]
mod tests;
