//! `Search`: what a client asks for, read from the parameters of a GET or the body of a POST.

mod body;
pub mod cql2;
mod datetime;
mod fields;
mod parameters;
mod sort;
#[cfg(test)]
mod tests;
mod text;

use serde_json::{Map, Value as Json};
use shared::{Error, Result};

pub use cql2::Filter;
pub use datetime::Period;
pub use fields::Fields;
pub use sort::{SORTABLES, Sort, SortField};
pub use text::FreeText;

use crate::area::Area;
use crate::geometry::{Bounds, Shape};

/// How many items a page has if nobody says.
pub const DEFAULT_LIMIT: usize = 12;

/// How many items a page has at most; who asks for more gets these.
pub const MAX_LIMIT: usize = 1_000;

/// How many entries the lists `ids` and `collections` have at most.
const MAX_NAMES: usize = 1_000;

/// What a search may cost: about one for each 4 ns that it takes at each item, so that a search of 100,000 takes some
/// 30 ms at most (`examples/search_bench.rs` measures it).
const MAX_COST: usize = 70;

/// Letters of the longest reason to refuse a search.
const LONGEST_REASON: usize = 1_000;

/// The reference system that all coordinates are in.
const CRS84: &str = "http://www.opengis.net/def/crs/OGC/1.3/CRS84";

/// The parameters that make a search; a link to its next page repeats these and no others, credentials least of all.
const PARAMETERS: [&str; 13] = [
    "ids",
    "collections",
    "bbox",
    "intersects",
    "datetime",
    "q",
    "sortby",
    "fields",
    "filter",
    "filter-lang",
    "filter-crs",
    "limit",
    "token",
];

/// What a client searches for: items that fit all of it.
#[derive(Debug, Default)]
pub struct Search {
    /// Ids of items; `None`: any.
    pub ids: Option<Vec<String>>,
    /// Names of collections as the client wrote them; `None`: all. Who searches the index puts ids of categories here.
    pub collections: Option<Vec<String>>,
    /// `bbox` or `intersects`.
    pub place: Option<Area>,
    pub datetime: Option<Period>,
    pub q: FreeText,
    pub sortby: Vec<Sort>,
    pub fields: Fields,
    pub filter: Option<Filter>,
    /// 1 to [`MAX_LIMIT`]; 0 means that nobody said.
    limit: usize,
    /// Where the page begins; what it means is the server's matter.
    pub token: Option<String>,
    raw: Raw,
}

/// What was sent, as far as it is part of the search.
#[derive(Debug)]
enum Raw {
    Parameters(Vec<(String, String)>),
    Body(Map<String, Json>),
}

impl Default for Raw {
    fn default() -> Self {
        Self::Parameters(Vec::new())
    }
}

impl Search {
    /// A search from a query's parameters, percent-decoded. Names that mean nothing to searches are ignored.
    ///
    /// # Errors
    /// `Invalid`, naming the parameter.
    pub fn from_parameters<N, V>(parameters: impl IntoIterator<Item = (N, V)>) -> Result<Self>
    where
        N: Into<String>,
        V: Into<String>,
    {
        let all = parameters.into_iter().map(|(name, value)| (name.into(), value.into()));
        parameters::read(all.filter(|(name, _)| PARAMETERS.contains(&name.as_str())).collect())
    }

    /// A search from the JSON body of a POST. Names that mean nothing to searches are ignored.
    ///
    /// # Errors
    /// `Invalid`, naming the member.
    pub fn from_body(body: &Json) -> Result<Self> {
        let Json::Object(members) = body else { return Err(Error::invalid("the body must be a JSON object")) };
        let known = members.iter().filter(|(name, value)| PARAMETERS.contains(&name.as_str()) && !value.is_null());
        body::read(known.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// How many items the page has at most.
    pub fn limit(&self) -> usize {
        if self.limit == 0 { DEFAULT_LIMIT } else { self.limit }
    }

    /// The parameters of a link to this page. Empty for a POST.
    pub fn parameters(&self) -> &[(String, String)] {
        match &self.raw {
            Raw::Parameters(parameters) => parameters,
            Raw::Body(_) => &[],
        }
    }

    /// The body of a link to this page, if this search came by POST.
    pub fn body(&self) -> Option<Json> {
        match &self.raw {
            Raw::Parameters(_) => None,
            Raw::Body(members) => Some(Json::Object(members.clone())),
        }
    }

    /// Lets the page have no more items than these, at least one; links to other pages still say what the client asked.
    pub fn shrink(&mut self, limit: usize) {
        self.limit = self.limit().min(limit.max(1));
    }

    /// The parameters of a link to another page: those of this search with that page's token. Empty for a POST.
    pub fn parameters_with(&self, token: &str) -> Vec<(String, String)> {
        let Raw::Parameters(parameters) = &self.raw else { return Vec::new() };
        let others = parameters.iter().filter(|(name, _)| name != "token").cloned();
        others.chain([("token".to_owned(), token.to_owned())]).collect()
    }

    /// The body of a link to another page, if this search came by POST.
    pub fn body_with(&self, token: &str) -> Option<Json> {
        let Raw::Body(members) = &self.raw else { return None };
        let mut members = members.clone();
        members.insert("token".into(), token.into());
        Some(Json::Object(members))
    }

    /// What makes it this search whichever page is asked for, so that a token can be bound to it: equal for equal
    /// parameters in any order, whatever `token`, `limit` and `fields` say.
    pub fn identity(&self) -> String {
        let counts = |name: &str| !matches!(name, "token" | "limit" | "fields");
        match &self.raw {
            Raw::Parameters(parameters) => {
                let mut parts: Vec<_> = parameters.iter().filter(|(name, _)| counts(name)).collect();
                parts.sort();
                Json::from_iter(parts.into_iter().map(|(name, value)| Json::from(vec![name.as_str(), value])))
                    .to_string()
            }
            Raw::Body(members) => {
                let mut parts: Vec<_> = members.iter().filter(|(name, _)| counts(name)).collect();
                parts.sort_by_key(|(name, _)| name.as_str());
                Json::from_iter(parts.into_iter().map(|(name, value)| serde_json::json!([name, value]))).to_string()
            }
        }
    }

    /// Refuses what would keep an instance busy for long.
    fn check_cost(&self) -> Result<()> {
        let costs = [
            ("q", self.q.cost()),
            ("bbox or intersects", self.place.as_ref().map_or(0, Area::cost)),
            ("datetime", self.datetime.as_ref().map_or(0, |_| 3)),
            ("filter", self.filter.as_ref().map_or(0, Filter::cost)),
            ("sortby", 8 * self.sortby.len()),
        ];
        let total: usize = costs.iter().map(|(_, cost)| cost).sum();
        match costs.iter().max_by_key(|(_, cost)| cost) {
            Some((most, cost)) if total > MAX_COST => Err(wrong(
                most,
                format!(
                    "the search is too much at once: it takes {total} of {MAX_COST} points, {cost} of them here; \
                     use fewer terms, conditions, corners or sort fields, or several searches"
                ),
            )),
            _ => Ok(()),
        }
    }

    fn put_bbox(&mut self, numbers: &[f64]) -> Result<()> {
        let bounds = Bounds::parse(numbers).map_err(|why| wrong("bbox", why))?;
        self.put_place(bounds.into())
    }

    fn put_intersects(&mut self, json: &Json) -> Result<()> {
        let shape = Shape::parse_geojson(json).map_err(|why| wrong("intersects", why))?;
        self.put_place(shape)
    }

    fn put_place(&mut self, shape: Shape) -> Result<()> {
        if self.place.replace(shape.into()).is_some() {
            return Err(wrong("bbox and intersects", "give one of them, not both"));
        }
        Ok(())
    }
}

/// `Invalid`, naming the parameter, in not too many words even if these repeat what was sent.
fn wrong(parameter: &str, why: impl std::fmt::Display) -> Error {
    let why = why.to_string();
    match why.char_indices().nth(LONGEST_REASON) {
        None => Error::Invalid(format!("{parameter}: {why}")),
        Some((end, _)) => Error::Invalid(format!("{parameter}: {}..", &why[..end])),
    }
}

/// The entries of a list of names: `None` if there are none.
fn names(parameter: &str, names: Vec<String>) -> Result<Option<Vec<String>>> {
    if names.len() > MAX_NAMES {
        return Err(wrong(parameter, format!("at most {MAX_NAMES} entries, not {}", names.len())));
    }
    Ok((!names.is_empty()).then_some(names))
}

fn check_crs(crs: &str) -> Result<()> {
    let plain = crs.replacen("https://", "http://", 1);
    if plain == CRS84 { Ok(()) } else { Err(wrong("filter-crs", format!("only {CRS84} is supported"))) }
}
