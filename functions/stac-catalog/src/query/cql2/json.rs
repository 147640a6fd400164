//! Reads CQL2-JSON into nodes.

use serde_json::{Map, Value as Json};

use super::node::{MAX_DEPTH, Node};
use crate::geometry::{Bounds, Shape};

/// The node that `json` says.
///
/// # Errors
/// Says in words what is wrong.
pub(super) fn read(json: &Json) -> Result<Node, String> {
    node(json, MAX_DEPTH)
}

/// `depth`: how many levels may still follow.
fn node(json: &Json, depth: usize) -> Result<Node, String> {
    match json {
        Json::Bool(value) => Ok(Node::Bool(*value)),
        Json::Number(value) => value.as_f64().map(Node::Number).ok_or_else(|| format!("{value} is too large")),
        Json::String(value) => Ok(Node::Text(value.clone())),
        Json::Null => Err("`null` is no value: use the operator `isNull`".into()),
        Json::Array(values) => Ok(Node::List(nodes(values, depth)?)),
        Json::Object(members) => object(members, depth),
    }
}

fn nodes(values: &[Json], depth: usize) -> Result<Vec<Node>, String> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(format!("the expression nests deeper than {MAX_DEPTH} levels"));
    };
    values.iter().map(|value| node(value, depth)).collect()
}

fn object(members: &Map<String, Json>, depth: usize) -> Result<Node, String> {
    if let Some(name) = members.get("op") {
        let name = name.as_str().ok_or("`op` is a text")?;
        let arguments =
            members.get("args").and_then(Json::as_array).ok_or_else(|| format!("`{name}` needs a list `args`"))?;
        let arguments = nodes(arguments, depth)?;
        return Ok(Node::call(name, if name.eq_ignore_ascii_case("between") { flat(arguments) } else { arguments }));
    }
    if members.contains_key("type") {
        return Shape::parse_geojson(&Json::Object(members.clone())).map(Node::Place);
    }
    let [(name, value)] = members.iter().collect::<Vec<_>>()[..] else { return Err(unknown(members)) };
    match (name.as_str(), value) {
        ("property", Json::String(name)) => Ok(Node::Property(name.clone())),
        ("timestamp", Json::String(text)) => Ok(Node::Timestamp(text.clone())),
        ("date", Json::String(text)) => Ok(Node::Date(text.clone())),
        ("interval", Json::Array(ends)) if ends.len() == 2 => Ok(Node::Interval(nodes(ends, depth)?)),
        ("bbox", Json::Array(numbers)) => {
            let numbers: Option<Vec<f64>> = numbers.iter().map(Json::as_f64).collect();
            let bounds = Bounds::parse(&numbers.ok_or("`bbox` is a list of numbers")?);
            Ok(Node::Place(bounds.map_err(|why| format!("bbox: {why}"))?.into()))
        }
        ("function", _) => Err("functions are not supported".into()),
        _ => Err(unknown(members)),
    }
}

/// Drafts of CQL2 had the two bounds of `between` in a list of their own, and clients still send that.
fn flat(arguments: Vec<Node>) -> Vec<Node> {
    match <[Node; 2]>::try_from(arguments) {
        Ok([value, Node::List(bounds)]) => std::iter::once(value).chain(bounds).collect(),
        Ok(others) => others.into(),
        Err(others) => others,
    }
}

fn unknown(members: &Map<String, Json>) -> String {
    let names: Vec<&str> = members.keys().map(String::as_str).collect();
    format!("an object with {names:?} is no part of CQL2-JSON as supported: operators have `op` and `args`")
}
