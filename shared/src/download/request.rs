//! What a client asks of a file besides its bytes: a part of it, or nothing if it has it already.

use std::ops::RangeInclusive;

use axum::http::HeaderMap;
use axum::http::header::{IF_NONE_MATCH, IF_RANGE, RANGE};

/// Does the client name the tag of what is there (`If-None-Match`, RFC 9110 13.1.2)?
pub fn is_known(headers: &HeaderMap, etag: Option<&str>) -> bool {
    fn opaque(tag: &str) -> &str {
        tag.strip_prefix("W/").unwrap_or(tag)
    }
    let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || etag.is_some_and(|etag| opaque(etag) == opaque(tag)))
}

/// One range of bytes; anything else is answered with the whole file, as HTTP allows.
pub fn wanted_range(headers: &HeaderMap) -> Option<&str> {
    let range = headers.get(RANGE)?.to_str().ok()?;
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let is_number = |text: &str| text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_range = is_number(first)
        && is_number(last)
        && match (first.parse::<u64>(), last.parse::<u64>()) {
            (Ok(first), Ok(last)) => first <= last,
            (first, last) => first.is_ok() || last.is_ok(),
        };
    (is_range && !headers.contains_key(IF_RANGE)).then_some(range)
}

/// The bytes that a range of [`wanted_range`] means in a file of `size`; `None` if there are none.
pub fn part_of(range: &str, size: usize) -> Option<RangeInclusive<usize>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let end = size.checked_sub(1)?;
    let (first, last) = match (first.parse::<usize>().ok(), last.parse::<usize>().ok()) {
        (Some(first), last) => (first, last.map_or(end, |last| last.min(end))),
        (None, Some(0)) | (None, None) => return None,
        (None, Some(length)) => (size.saturating_sub(length), end),
    };
    (first <= last).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_one_plain_range_counts() {
        let range = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, HeaderValue::from_static(text));
            wanted_range(&headers).map(str::to_owned)
        };
        for plain in ["bytes=0-1", "bytes=5-", "bytes=-5"] {
            assert_eq!(range(plain).as_deref(), Some(plain));
        }
        for other in
            ["bytes=-", "bytes=5-4", "bytes=a-b", "bytes=0-1,3-4", "lines=0-1", "bytes", "bytes=0-99999999999999999999"]
        {
            assert_eq!(range(other), None, "{other}");
        }
    }

    #[test]
    fn a_range_means_bytes_that_are_there() {
        for (range, size, expected) in [
            ("bytes=0-0", 10, Some(0..=0)),
            ("bytes=2-4", 10, Some(2..=4)),
            ("bytes=2-", 10, Some(2..=9)),
            ("bytes=2-99", 10, Some(2..=9)),
            ("bytes=-3", 10, Some(7..=9)),
            ("bytes=-99", 10, Some(0..=9)),
            ("bytes=-0", 10, None),
            ("bytes=10-", 10, None),
            ("bytes=0-", 0, None),
            ("bytes=-1", 0, None),
        ] {
            assert_eq!(part_of(range, size), expected, "{range} of {size}");
        }
    }

    #[test]
    fn a_client_knows_what_it_names() {
        let known = |given: &'static str, etag: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static(given));
            is_known(&headers, etag)
        };
        for given in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", "\"b\" ,W/\"a\"", "*"] {
            assert!(known(given, Some("\"a\"")), "{given}");
        }
        for given in ["\"b\"", "a", "", "\"A\""] {
            assert!(!known(given, Some("\"a\"")), "{given}");
        }
        assert!(!known("\"a\"", None) && !is_known(&HeaderMap::new(), Some("\"a\"")));
    }
}
