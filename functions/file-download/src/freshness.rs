//! How long a client may keep what it was given.

use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, VARY};
use axum::response::Response;
use shared::{Error, Result};

/// Seconds for which a client may keep a file without asking again, at most: who loses access keeps what they have.
const LONGEST: i64 = 86_400;

/// What the client's `cache` and the caller make of `Cache-Control`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Freshness {
    seconds: i64,
    public: bool,
}

impl Freshness {
    /// `cache` are the seconds that the client asked for; what a visitor without a token gets is for everybody.
    pub fn of(cache: Option<i64>, anonymous: bool) -> Result<Self> {
        match cache.unwrap_or(0) {
            seconds @ 0.. => Ok(Self { seconds: seconds.min(LONGEST), public: anonymous }),
            _ => Err(Error::invalid("`cache` must be a number of seconds, 0 or more")),
        }
    }

    fn control(self) -> String {
        match (self.seconds, self.public) {
            (0, true) => "public, no-cache".to_owned(),
            (0, false) => "private, no-cache".to_owned(),
            (seconds, _) => format!("private, max-age={seconds}"),
        }
    }

    /// Says so in an answer that does not say otherwise.
    pub fn note(self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        if let Ok(control) = HeaderValue::try_from(self.control()) {
            headers.entry(CACHE_CONTROL).or_insert(control);
        }
        headers.append(VARY, HeaderValue::from_static("Authorization, X-Gitlab-Token, Private-Token"));
        response
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn cache_is_bounded_and_private() {
        for (cache, anonymous, expected) in [
            (None, false, "private, no-cache"),
            (None, true, "public, no-cache"),
            (Some(0), false, "private, no-cache"),
            (Some(60), false, "private, max-age=60"),
            (Some(60), true, "private, max-age=60"),
            (Some(i64::MAX), false, "private, max-age=86400"),
        ] {
            assert_eq!(Freshness::of(cache, anonymous).unwrap().control(), expected);
        }
        assert!(Freshness::of(Some(-1), false).is_err());
    }
}
