//! Who a token is and what it was made for.

use http::StatusCode;
use serde::Deserialize;

use super::{GitLab, Token};
use crate::error::Result;

/// The account behind a token.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct User {
    pub id: u64,
    pub username: String,
    /// An administrator of the instance; GitLab tells it to themselves only.
    #[serde(default)]
    pub is_admin: bool,
    /// Sees no internal projects.
    #[serde(default)]
    pub external: bool,
}

#[derive(Deserialize)]
struct PersonalAccessToken {
    scopes: Vec<String>,
}

#[derive(Deserialize)]
struct OauthToken {
    scope: Vec<String>,
}

impl GitLab {
    /// `GET /api/v4/user`. `Unauthenticated` for a bad token, `Forbidden` if its scopes or its account keep it out.
    pub async fn current_user(&self, token: &Token) -> Result<User> {
        let answer = self.get(token, &["api", "v4", "user"]).await?;
        if answer.status == StatusCode::OK { answer.json() } else { Err(answer.refusal()) }
    }

    /// The scopes of a token that [`GitLab::current_user`] has accepted; `None` if GitLab does not tell.
    ///
    /// `GET /api/v4/personal_access_tokens/self` knows personal, project and group access tokens, and
    /// answers 400 for the OAuth tokens that `GET /oauth/token/info` knows.
    pub async fn token_scopes(&self, token: &Token) -> Result<Option<Vec<String>>> {
        let answer = self.get(token, &["api", "v4", "personal_access_tokens", "self"]).await?;
        if answer.status == StatusCode::OK {
            return Ok(Some(answer.json::<PersonalAccessToken>()?.scopes));
        }
        let answer = self.get(token, &["oauth", "token", "info"]).await?;
        if answer.status == StatusCode::OK {
            return Ok(Some(answer.json::<OauthToken>()?.scope));
        }
        Ok(None)
    }
}
