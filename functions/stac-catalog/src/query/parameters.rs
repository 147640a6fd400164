//! A search from the parameters of a GET.

use shared::Result;

use super::{Fields, Filter, FreeText, MAX_LIMIT, Period, Raw, Search, Sort, check_crs, names, wrong};

/// Known parameters only.
pub(super) fn read(parameters: Vec<(String, String)>) -> Result<Search> {
    let given = Given(&parameters);
    let mut search = Search {
        ids: names("ids", given.list("ids"))?,
        collections: names("collections", given.list("collections"))?,
        datetime: given.one("datetime")?.map(Period::parse).transpose()?,
        q: FreeText::parse(&given.list("q"))?,
        sortby: given.list("sortby").iter().map(|part| Sort::parse(part)).collect::<Result<_>>()?,
        fields: Fields::parse(&given.list("fields"))?,
        filter: filter(&given)?,
        limit: given.one("limit")?.map(limit).transpose()?.unwrap_or_default(),
        token: given.one("token")?.map(str::to_owned),
        ..Search::default()
    };
    if let Some(text) = given.one("bbox")? {
        let number =
            |part: &str| part.trim().parse::<f64>().map_err(|_| wrong("bbox", format!("`{part}` is no number")));
        search.put_bbox(&text.split(',').map(number).collect::<Result<Vec<_>>>()?)?;
    }
    if let Some(text) = given.one("intersects")? {
        let json = serde_json::from_str(text).map_err(|why| wrong("intersects", format!("no JSON: {why}")))?;
        search.put_intersects(&json)?;
    }
    Sort::check(&search.sortby)?;
    search.check_cost()?;
    given.one("filter-crs")?.map(check_crs).transpose()?;
    search.raw = Raw::Parameters(parameters);
    Ok(search)
}

struct Given<'a>(&'a [(String, String)]);

impl<'a> Given<'a> {
    /// The value of a parameter that may be given once; an empty one counts as not given.
    fn one(&self, name: &str) -> Result<Option<&'a str>> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let value = values.next();
        match values.next() {
            Some(_) => Err(wrong(name, "given more than once")),
            None => Ok(value.filter(|value| !value.trim().is_empty())),
        }
    }

    /// The parts of a list with commas, which may also be given in several parameters.
    fn list(&self, name: &str) -> Vec<String> {
        let values = self.0.iter().filter(|(known, _)| known == name).flat_map(|(_, value)| value.split(','));
        values.map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }
}

fn limit(text: &str) -> Result<usize> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong("limit", format!("`{text}` is no whole number from 1 to {MAX_LIMIT}")));
    }
    match text.trim_start_matches('0') {
        "" => Err(wrong("limit", "must be at least 1")),
        // What does not fit the number is more than the most.
        digits => Ok(digits.parse().unwrap_or(MAX_LIMIT).min(MAX_LIMIT)),
    }
}

fn filter(given: &Given<'_>) -> Result<Option<Filter>> {
    let filter = given.one("filter")?;
    match given.one("filter-lang")?.unwrap_or("cql2-text") {
        "cql2-text" => filter.map(Filter::parse_text).transpose().map_err(|why| wrong("filter", why)),
        "cql2-json" => filter.map(json_filter).transpose(),
        other => Err(wrong("filter-lang", format!("`{other}` is neither cql2-text nor cql2-json"))),
    }
}

fn json_filter(text: &str) -> Result<Filter> {
    let json = serde_json::from_str(text).map_err(|why| wrong("filter", format!("no JSON: {why}")))?;
    Filter::parse_json(&json).map_err(|why| wrong("filter", why))
}
