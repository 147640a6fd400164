//! Who calls: the account and token behind a request's credential.

use http::HeaderMap;

use super::state::{Account, State, Token};

/// The account and token of a request; both `None` when it carries no credential.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    pub account: Option<Account>,
    pub token: Option<Token>,
}

/// Why a credential is worth nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadCredential {
    Unknown,
    Revoked,
}

impl Caller {
    /// Resolves `PRIVATE-TOKEN`, then `Authorization: Bearer`. CI job tokens open none of these endpoints.
    pub fn of(state: &State, headers: &HeaderMap) -> Result<Self, BadCredential> {
        let Some(secret) = credential(headers) else { return Ok(Caller::default()) };
        let token = state.tokens.iter().find(|token| token.secret == secret).ok_or(BadCredential::Unknown)?;
        if token.revoked {
            return Err(BadCredential::Revoked);
        }
        let account = state.account(token.account).ok_or(BadCredential::Unknown)?;
        Ok(Caller { account: Some(account.clone()), token: Some(token.clone()) })
    }
}

fn credential(headers: &HeaderMap) -> Option<&str> {
    // A value that is no text can be no token, but it is a credential: the empty string matches none.
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default().trim());
    let bearer = text("authorization").and_then(|value| {
        let (scheme, rest) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| rest.trim())
    });
    text("private-token").filter(|token| !token.is_empty()).or(bearer).or_else(|| text("job-token"))
}
