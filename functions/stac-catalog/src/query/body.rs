//! A search from the JSON body of a POST.

use serde_json::{Map, Value as Json};
use shared::Result;

use super::{Fields, Filter, FreeText, MAX_LIMIT, Period, Raw, Search, Sort, check_crs, names, wrong};

/// Known members only, none of them null.
pub(super) fn read(body: Map<String, Json>) -> Result<Search> {
    let list = |name: &str| body.get(name).map_or(Ok(Vec::new()), |json| texts(name, json));
    let mut search = Search {
        ids: names("ids", list("ids")?)?,
        collections: names("collections", list("collections")?)?,
        datetime: text(&body, "datetime")?.map(Period::parse).transpose()?,
        q: FreeText::parse(&list("q")?)?,
        sortby: body.get("sortby").map(sortby).transpose()?.unwrap_or_default(),
        fields: body.get("fields").map(fields).transpose()?.unwrap_or_default(),
        filter: filter(&body)?,
        limit: body.get("limit").map(limit).transpose()?.unwrap_or_default(),
        token: text(&body, "token")?.map(str::to_owned),
        ..Search::default()
    };
    if let Some(json) = body.get("bbox") {
        let numbers: Option<Vec<f64>> = json.as_array().and_then(|list| list.iter().map(Json::as_f64).collect());
        search.put_bbox(&numbers.ok_or_else(|| wrong("bbox", "must be a list of numbers"))?)?;
    }
    if let Some(json) = body.get("intersects") {
        search.put_intersects(json)?;
    }
    Sort::check(&search.sortby)?;
    search.check_cost()?;
    text(&body, "filter-crs")?.map(check_crs).transpose()?;
    search.raw = Raw::Body(body);
    Ok(search)
}

fn text<'a>(body: &'a Map<String, Json>, name: &str) -> Result<Option<&'a str>> {
    let text = |json: &'a Json| json.as_str().ok_or_else(|| wrong(name, "must be a text"));
    Ok(body.get(name).map(text).transpose()?.filter(|text| !text.is_empty()))
}

/// A list of texts, or a single one, which some clients send.
fn texts(name: &str, json: &Json) -> Result<Vec<String>> {
    let text = |json: &Json| match json {
        Json::String(text) => Ok(text.clone()),
        _ => Err(wrong(name, "must be a list of texts")),
    };
    match json {
        Json::Array(list) => list.iter().map(text).collect(),
        single => Ok(vec![text(single)?]),
    }
}

fn sortby(json: &Json) -> Result<Vec<Sort>> {
    let Json::Array(entries) = json else {
        return Err(wrong("sortby", "must be a list of {\"field\", \"direction\"}"));
    };
    entries.iter().map(Sort::parse_json).collect()
}

fn fields(json: &Json) -> Result<Fields> {
    let Json::Object(members) = json else {
        return Err(wrong("fields", "must be an object with `include` and `exclude`"));
    };
    let list = |name: &str| match members.get(name) {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(json) => texts(&format!("fields.{name}"), json),
    };
    Fields::new(list("include")?, list("exclude")?)
}

fn limit(json: &Json) -> Result<usize> {
    match (json.as_u64(), json) {
        (Some(0), _) => Err(wrong("limit", "must be at least 1")),
        (Some(limit), _) => Ok(usize::try_from(limit).unwrap_or(MAX_LIMIT).min(MAX_LIMIT)),
        _ => Err(wrong("limit", format!("{json} is no whole number from 1 to {MAX_LIMIT}"))),
    }
}

/// The filter; where no language is named, its form tells.
fn filter(body: &Map<String, Json>) -> Result<Option<Filter>> {
    let named = text(body, "filter-lang")?;
    if let Some(other) = named.filter(|named| !["cql2-text", "cql2-json"].contains(named)) {
        return Err(wrong("filter-lang", format!("`{other}` is neither cql2-text nor cql2-json")));
    }
    let Some(filter) = body.get("filter") else { return Ok(None) };
    let parsed = match (named, filter) {
        (Some("cql2-text") | None, Json::String(text)) => Filter::parse_text(text),
        (Some("cql2-text"), _) => Err("must be a text, as filter-lang is cql2-text".into()),
        (_, json @ (Json::Object(_) | Json::Bool(_))) => Filter::parse_json(json),
        _ => Err("must be an object".into()),
    };
    parsed.map(Some).map_err(|why| wrong("filter", why))
}
