//! A secret that GitLab issued.

use std::sync::Arc;

use http::HeaderValue;

use crate::error::{Error, Result};

/// A personal, project, group or OAuth access token. It has no `Display`, and `Debug` hides it.
#[derive(Clone, Eq, PartialEq)]
pub struct Token(Arc<str>);

impl Token {
    /// Far above every kind of token that GitLab issues.
    pub const LONGEST: usize = 4_096;

    /// Takes visible ASCII up to [`Token::LONGEST`] bytes; anything else cannot be a token.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() || text.len() > Self::LONGEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::Unauthenticated("the credential is not a GitLab token".into()));
        }
        Ok(Self(text.into()))
    }

    /// CI job tokens (`glcbt-`, possibly behind the instance's own prefix) reach almost none of GitLab's API.
    pub fn is_ci_job_token(&self) -> bool {
        self.0.starts_with("glcbt-")
            || self.0.split_once("-glcbt-").is_some_and(|(prefix, _)| !prefix.starts_with("gl"))
    }

    /// For hashing only.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The header that every kind of token may travel in, marked so that HTTP libraries do not log it.
    pub(super) fn header(&self) -> Result<HeaderValue> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", self.0))
            .map_err(|_| Error::internal("a checked token does not fit a header"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_visible_ascii_is_a_token() {
        assert!(Token::parse("glpat-abc_DEF.09").is_ok());
        for bad in ["", "a b", "a\tb", "a\n", "tökén", "a\u{7f}", &"x".repeat(Token::LONGEST + 1)] {
            assert!(matches!(Token::parse(bad), Err(Error::Unauthenticated(_))), "{bad:?}");
        }
    }

    #[test]
    fn debug_and_header_hide_the_secret() {
        let token = Token::parse("glpat-secret").unwrap();
        assert!(!format!("{token:?} {:?}", token.header().unwrap()).contains("secret"));
        assert_eq!(token.header().unwrap().to_str().unwrap(), "Bearer glpat-secret");
    }

    #[test]
    fn job_tokens_are_known_by_their_prefix() {
        let is_job = |text| Token::parse(text).unwrap().is_ci_job_token();
        assert!(is_job("glcbt-64_abc"));
        assert!(is_job("acme-glcbt-eyJhbGciOi.x.y"));
        assert!(!is_job("glpat-abc-glcbt-def"));
        assert!(!is_job("abcdef"));
    }
}
