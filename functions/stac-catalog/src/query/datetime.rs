//! `datetime`: an instant, or a period that may be open at one end.

use shared::Result;

use super::wrong;
use crate::instant;

/// From the first to the last microsecond since 1970; an open end is the least or greatest number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Period {
    pub start: i64,
    pub end: i64,
}

impl Period {
    /// An RFC 3339 date-time, or two with a slash between, one of which may be `..` or missing.
    ///
    /// # Errors
    /// `Invalid`, naming `datetime`.
    pub fn parse(text: &str) -> Result<Self> {
        let refused = |why: &str| Err(wrong("datetime", format!("`{text}` {why}")));
        let (start, end) = match text.split_once('/') {
            None => (end_of(text, None)?, end_of(text, None)?),
            Some((start, end)) => (end_of(start, Some(i64::MIN))?, end_of(end, Some(i64::MAX))?),
        };
        if (start, end) == (i64::MIN, i64::MAX) {
            return refused("is open at both ends; leave the parameter out for any time");
        }
        if start > end {
            return refused("ends before it begins");
        }
        Ok(Self { start, end })
    }

    /// Does it share an instant with an item's time? That is known to the millisecond, cut off.
    pub fn meets(&self, start: i64, end: i64) -> bool {
        self.start.div_euclid(1_000).saturating_mul(1_000) <= end && start <= self.end
    }
}

/// One end; `open` is what an open one stands for, if it may be open.
fn end_of(text: &str, open: Option<i64>) -> Result<i64> {
    match (text, open) {
        ("" | "..", Some(open)) => Ok(open),
        _ => instant::parse(text).ok_or_else(|| {
            let form = "an RFC 3339 date-time with its zone, such as 2024-01-31T12:00:00Z";
            wrong("datetime", format!("`{text}` is not {form}"))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_may_be_open_at_one_end() {
        let at = |text: &str| instant::parse(text).unwrap();
        let (first, last) = (at("1985-04-12T23:20:50.52Z"), at("1986-04-12T23:20:50.52Z"));
        for (text, start, end) in [
            ("1985-04-12T23:20:50.52Z", first, first),
            ("1985-04-12t23:20:50.52z", first, first),
            ("../1986-04-12T23:20:50.52Z", i64::MIN, last),
            ("/1986-04-12T23:20:50.52Z", i64::MIN, last),
            ("1985-04-12T23:20:50.52Z/..", first, i64::MAX),
            ("1985-04-12T23:20:50.52Z/", first, i64::MAX),
            ("1985-04-13T00:20:50.52+01:00/1986-04-12T23:20:50.52Z", first, last),
        ] {
            assert_eq!(Period::parse(text), Ok(Period { start, end }), "{text}");
        }
    }

    #[test]
    fn others_are_refused_by_name() {
        for text in [
            "/",
            "../..",
            "/..",
            "../",
            "1984-04-12T23:20:50.52Z/1985-04-12T23:20:50.52Z/1986-04-12T23:20:50.52Z",
            "/1984-04-12T23:20:50.52Z/1985-04-12T23:20:50.52Z",
            "1984-04-12T23:20:50.52Z/1985-04-12T23:20:50.52Z/",
            "1986-04-12T23:20:50.52Z/1985-04-12T23:20:50.52Z",
            "1985-04-12",
            "1937-01-01T12:00:27.87+0100",
            "1985-12-12T23:20:50.52",
            "1985-04-12T23:20:50.Z",
            "1985-04-12T23:20:50,52Z",
            "..",
            "2024-01-01/2024-02-01",
        ] {
            assert!(Period::parse(text).unwrap_err().to_string().starts_with("datetime: "), "{text}");
        }
    }
}
