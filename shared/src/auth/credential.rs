//! The one GitLab token that a request carries.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, header};

use crate::error::{Error, Result};
use crate::gitlab::Token;

/// Reads `Authorization: Bearer` or `Basic` (the token is the password), `X-Gitlab-Token` and `PRIVATE-TOKEN`.
///
/// Every credential that is there must be well formed and all must be the same token: were the rest
/// ignored, a proxy or cache in front could judge a request by another token than we do.
pub fn token_of(headers: &HeaderMap) -> Result<Token> {
    find_token(headers)?.ok_or_else(|| {
        Error::Unauthenticated(
            "no credential: send a GitLab token as `Authorization: Bearer`, as the password of Basic \
             authentication, or in `X-Gitlab-Token` (MLflow clients: set MLFLOW_TRACKING_TOKEN)"
                .into(),
        )
    })
}

/// As [`token_of`]; `None` for a request without any credential.
pub fn find_token(headers: &HeaderMap) -> Result<Option<Token>> {
    if headers.contains_key("job-token") {
        return Err(job_token());
    }
    let authorization = headers.get_all(header::AUTHORIZATION).iter().map(from_authorization);
    let plain = ["x-gitlab-token", "private-token"];
    let plain = plain.iter().flat_map(|name| headers.get_all(*name)).map(|value| Token::parse(text(value)?.trim()));
    let mut found: Option<Token> = None;
    for token in authorization.chain(plain) {
        let token = token?;
        if found.as_ref().is_some_and(|first| *first != token) {
            return Err(Error::Unauthenticated("the request carries different credentials; send one".into()));
        }
        found = Some(token);
    }
    match found {
        Some(token) if token.is_ci_job_token() => Err(job_token()),
        found => Ok(found),
    }
}

fn from_authorization(value: &HeaderValue) -> Result<Token> {
    let (scheme, rest) = text(value)?.trim().split_once(' ').unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Token::parse(rest.trim());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let pair = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = pair.ok_or_else(|| Error::Unauthenticated("the Basic credential is malformed".into()))?;
        let (user, password) = pair.split_once(':').unwrap_or_default();
        return if user == "gitlab-ci-token" { Err(job_token()) } else { Token::parse(password) };
    }
    Err(Error::Unauthenticated("use `Authorization: Bearer <token>` or Basic with the token as password".into()))
}

fn text(value: &HeaderValue) -> Result<&str> {
    value.to_str().map_err(|_| Error::Unauthenticated("the credential is not a GitLab token".into()))
}

fn job_token() -> Error {
    Error::Unauthenticated(
        "CI job tokens cannot use this API: create a project access token with scope `api` and the role Developer, \
         and give it to the job as a masked variable"
            .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(headers: &[(&'static str, &str)]) -> Result<Token> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        token_of(&map)
    }

    fn basic(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    #[test]
    fn each_form_carries_the_token() {
        let token = Token::parse("glpat-x").unwrap();
        for headers in [
            [("authorization", "Bearer glpat-x")],
            [("authorization", "bearer  glpat-x ")],
            [("authorization", basic("anybody:glpat-x").as_str())],
            [("authorization", basic(":glpat-x").as_str())],
            [("x-gitlab-token", "glpat-x")],
            [("private-token", "glpat-x")],
        ] {
            assert_eq!(parse(&headers).as_ref(), Ok(&token), "{headers:?}");
        }
        assert_eq!(parse(&[("private-token", "glpat-x"), ("authorization", "Bearer glpat-x")]), Ok(token));
    }

    #[test]
    fn w10_a_second_credential_never_rescues_a_bad_one() {
        for headers in [
            vec![("authorization", "Bearer garbage"), ("x-gitlab-token", "glpat-x")],
            vec![("authorization", "Bearer glpat-x"), ("private-token", "garbage")],
            vec![("authorization", "Bearer glpat-x"), ("authorization", "Bearer garbage")],
            vec![("authorization", "Digest abc"), ("x-gitlab-token", "glpat-x")],
            vec![("authorization", "Basic !!"), ("x-gitlab-token", "glpat-x")],
            vec![("authorization", ""), ("x-gitlab-token", "glpat-x")],
            vec![("x-gitlab-token", ""), ("private-token", "glpat-x")],
        ] {
            assert!(matches!(parse(&headers), Err(Error::Unauthenticated(_))), "{headers:?}");
        }
    }

    #[test]
    fn malformed_credentials_are_refused_without_repeating_them() {
        let long = format!("Bearer {}", "secret".repeat(2_000));
        for value in ["", "Bearer", "Bearer ", "Bearer secret x", "secret", "Bearer sécret", &long, &basic("secret")] {
            let Err(Error::Unauthenticated(message)) = parse(&[("authorization", value)]) else {
                panic!("{value:?} was taken");
            };
            assert!(!message.contains("secret") && !message.contains("sécret"));
        }
        assert!(
            matches!(parse(&[]), Err(Error::Unauthenticated(message)) if message.contains("MLFLOW_TRACKING_TOKEN"))
        );
    }

    #[test]
    fn job_tokens_get_a_hint() {
        for headers in [
            [("authorization", "Bearer glcbt-64_x")],
            [("authorization", basic("gitlab-ci-token:abc").as_str())],
            [("job-token", "abc")],
            [("private-token", "glcbt-64_x")],
        ] {
            let refused = parse(&headers);
            assert!(
                matches!(&refused, Err(Error::Unauthenticated(message)) if message.contains("project access token")),
                "{refused:?}"
            );
        }
    }
}
