//! Pages of a list: offset (`page`) and keyset (`pagination=keyset`): <https://docs.gitlab.com/api/rest/#pagination>.

use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use form_urlencoded::Serializer;
use http::HeaderValue;
use serde_json::Value;

use super::{Call, RestError, ok};

const DEFAULT_SIZE: u64 = 20;
const MAX_SIZE: u64 = 100;

/// Items per page that the caller asked for, within GitLab's limits.
fn size(call: &Call) -> usize {
    let asked = call.number("per_page").filter(|size| *size > 0).unwrap_or(DEFAULT_SIZE);
    usize::try_from(asked.min(MAX_SIZE)).unwrap_or(usize::MAX)
}

/// One offset page of `items` with GitLab's `X-` headers and `Link`.
pub fn offset_page(call: &Call, items: Vec<Value>) -> Response {
    let size = size(call);
    let page = usize::try_from(call.number("page").unwrap_or(1).max(1)).unwrap_or(usize::MAX);
    let total = items.len();
    let pages = total.div_ceil(size).max(1);
    let next = (page < pages).then_some(page + 1);
    let previous = (page > 1).then(|| page - 1);
    let shown: Vec<Value> = items.into_iter().skip((page - 1).saturating_mul(size)).take(size).collect();

    let mut links = Vec::new();
    for (relation, number) in [("prev", previous), ("next", next), ("first", Some(1)), ("last", Some(pages))] {
        if let Some(number) = number {
            links.push((relation, link(call, &[("page", number.to_string()), ("per_page", size.to_string())])));
        }
    }
    let mut response = ok(&Value::Array(shown));
    set_link(&mut response, &links);
    let text = |number: Option<usize>| number.map(|number| number.to_string()).unwrap_or_default();
    for (name, value) in [
        ("x-page", page.to_string()),
        ("x-per-page", size.to_string()),
        ("x-next-page", text(next)),
        ("x-prev-page", text(previous)),
        ("x-total", total.to_string()),
        ("x-total-pages", pages.to_string()),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The first keyset page of `items`, which are sorted by id (`ascending` or not) and already start where the caller
/// left off. `Link` leads to the next one.
pub fn keyset_page(call: &Call, mut items: Vec<(u64, Value)>, ascending: bool) -> Response {
    let size = size(call);
    let more = items.len() > size;
    items.truncate(size);
    let last = items.last().map(|(id, _)| *id);
    let mut response = ok(&Value::Array(items.into_iter().map(|(_, item)| item).collect()));
    if let Some(last) = last.filter(|_| more) {
        let start = if ascending { "id_after" } else { "id_before" };
        set_link(&mut response, &[("next", link(call, &[(start, last.to_string())]))]);
    }
    response
}

/// One page of a list whose cursor (`page_token`) names the last entry that was given; `Link` leads to the next one.
pub fn token_page(call: &Call, mut items: Vec<Value>, name: impl Fn(&Value) -> &str) -> Result<Response, RestError> {
    let size = size(call);
    if let Some(token) = call.param("page_token").filter(|token| !token.is_empty()) {
        let last = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let at = last.and_then(|last| items.iter().position(|item| name(item) == last));
        items.drain(..=at.ok_or(RestError::BadRequest("invalid page token"))?);
    }
    let more = items.len() > size;
    items.truncate(size);
    let token = items.last().filter(|_| more).map(|last| URL_SAFE_NO_PAD.encode(name(last)));
    let mut response = ok(&Value::Array(items));
    if let Some(token) = token {
        set_link(&mut response, &[("next", link(call, &[("page_token", token)]))]);
    }
    Ok(response)
}

/// The request's own URL with these parameters set.
fn link(call: &Call, set: &[(&str, String)]) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in &call.query {
        if !set.iter().any(|(other, _)| other == name) {
            query.append_pair(name, value);
        }
    }
    for (name, value) in set {
        query.append_pair(name, value);
    }
    format!("{}{}?{}", call.base, call.uri.path(), query.finish())
}

fn set_link(response: &mut Response, links: &[(&str, String)]) {
    let parts: Vec<String> = links.iter().map(|(relation, url)| format!("<{url}>; rel=\"{relation}\"")).collect();
    if let Ok(value) = HeaderValue::from_str(&parts.join(", ")) {
        response.headers_mut().insert(http::header::LINK, value);
    }
}
