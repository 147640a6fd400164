//! Identity, token scopes and version: <https://docs.gitlab.com/api/users/>,
//! <https://docs.gitlab.com/api/personal_access_tokens/>, <https://docs.gitlab.com/api/oauth2/>.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde_json::json;

use super::{Call, RestError, json_response, ok};
use crate::gitlab::caller::Caller;
use crate::gitlab::state::TokenKind;
use crate::gitlab::world::World;

/// The GitLab release whose answers the stand-in follows.
const VERSION: &str = "18.5.0";
const REVISION: &str = "standin";

/// GET `/api/v4/user`
pub async fn user(call: Call) -> Result<Response, RestError> {
    let account = call.signed_in(&["api", "read_api", "read_user"])?;
    Ok(ok(&json!({
        "id": account.id,
        "username": account.username,
        "name": account.name,
        "state": "active",
        "locked": false,
        "avatar_url": null,
        "web_url": format!("{}/{}", call.base, account.username),
        "created_at": "2025-01-01T00:00:00.000Z",
        "email": format!("{}@example.com", account.username),
        "bot": false,
        "external": account.external,
        "is_admin": account.admin,
    })))
}

/// GET `/api/v4/personal_access_tokens/self`; any scope will do.
pub async fn token_self(call: Call) -> Result<Response, RestError> {
    let token = call.caller.token.as_ref().ok_or(RestError::Unauthorized)?;
    if token.kind != TokenKind::Personal {
        return Err(RestError::BadRequest("This endpoint requires token type to be a personal access token"));
    }
    Ok(ok(&json!({
        "id": token.id,
        "name": format!("token {}", token.id),
        "description": "",
        "revoked": false,
        "active": true,
        "created_at": "2025-01-01T00:00:00.000Z",
        "expires_at": null,
        "last_used_at": null,
        "last_used_ips": [],
        "scopes": token.scopes,
        "user_id": token.account,
    })))
}

/// GET `/oauth/token/info`; knows OAuth tokens only, and answers as OAuth servers do.
pub async fn oauth_token_info(State(world): State<World>, headers: HeaderMap) -> Response {
    let caller = world.read(|state| Caller::of(state, &headers)).unwrap_or_default();
    match caller.token.filter(|token| token.kind == TokenKind::Oauth) {
        Some(token) => ok(&json!({
            "resource_owner_id": token.account,
            "scope": token.scopes,
            "scopes": token.scopes,
            "expires_in": 7200,
            "expires_in_seconds": 7200,
            "application": { "uid": "stand-in" },
            "created_at": 1_735_689_600,
        })),
        None => {
            let body = json!({ "error": "invalid_token", "error_description": "The access token is invalid" });
            let mut response = json_response(StatusCode::UNAUTHORIZED, &body);
            let challenge = "Bearer realm=\"Doorkeeper\", error=\"invalid_token\", \
                             error_description=\"The access token is invalid\"";
            response.headers_mut().insert(header::WWW_AUTHENTICATE, http::HeaderValue::from_static(challenge));
            response.into_response()
        }
    }
}

/// GET `/api/v4/version`
pub async fn version(call: Call) -> Result<Response, RestError> {
    call.signed_in(&["api", "read_api", "read_user"])?;
    Ok(ok(&json!({ "version": VERSION, "revision": REVISION })))
}

/// GET `/api/v4/metadata`
pub async fn metadata(call: Call) -> Result<Response, RestError> {
    call.signed_in(&["api", "read_api", "read_user"])?;
    Ok(ok(&json!({
        "version": VERSION,
        "revision": REVISION,
        "kas": { "enabled": false, "externalUrl": null, "externalK8sProxyUrl": null, "version": null },
        "enterprise": false,
    })))
}
