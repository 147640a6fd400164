//! The transport: time-outs, bounded retries, bounded answers, errors without secrets.

use std::sync::atomic::Ordering;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::RequestBuilder;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{SCOPE_HINT, Token};
use crate::error::{Error, Result};
use crate::http_client;
use crate::record::note;

/// All that one call may take, retries and pauses included.
const TOTAL: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(2);
const RETRIES: u32 = 2;
const LARGEST_ANSWER: usize = 4 << 20;
/// Everything outside RFC 3986's unreserved characters, the slash included.
const PATH_PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A GitLab instance. Clones share the connection pool.
#[derive(Clone, Debug)]
pub struct GitLab {
    pub(super) http: reqwest::Client,
    base: String,
}

/// A final answer: 500, or anything below other than 429 and redirects.
pub(super) struct Answer {
    pub status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    /// The body was longer than [`LARGEST_ANSWER`] and is missing.
    pub too_large: bool,
}

/// One try: an answer to use, or why not and whether another try may help, and when.
enum Attempt {
    Done(Answer),
    Again { reason: String, after: Option<Duration> },
    GiveUp(String),
}

impl GitLab {
    /// A client of the instance whose root is `base_url` (`https://gitlab.example.com`, perhaps with a path).
    pub fn new(base_url: &str) -> Result<Self> {
        let url = url::Url::parse(base_url).map_err(|cause| Error::internal(format!("PERIGEE_GITLAB_URL: {cause}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::internal("PERIGEE_GITLAB_URL is neither http nor https"));
        }
        let http = http_client::builder()
            .connect_timeout(CONNECT)
            .timeout(TOTAL)
            // A redirect would carry the token to a host that nobody configured.
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            .user_agent(concat!("perigee/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|cause| Error::internal(format!("cannot build the HTTP client: {cause}")))?;
        Ok(Self { http, base: base_url.trim_end_matches('/').to_owned() })
    }

    /// GET of a path, given as its parts.
    pub(super) async fn get(&self, token: &Token, path: &[&str]) -> Result<Answer> {
        let request = self.http.get(self.url(path)).header(http::header::AUTHORIZATION, token.header()?);
        self.send(request).await
    }

    /// GET of a path with a query. A 500 and an answer that is too large are answers here: they speak of one thing
    /// in GitLab, not of GitLab.
    pub(super) async fn get_query(&self, token: &Token, path: &[&str], query: &[(String, String)]) -> Result<Answer> {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let url = format!("{}?{query}", self.url(path));
        self.exchange(self.http.get(url).header(http::header::AUTHORIZATION, token.header()?)).await
    }

    /// A GraphQL query, an anonymous one without a token; user input goes into `variables` only. 200 with
    /// `errors` is a failure.
    pub(super) async fn graphql<T: DeserializeOwned>(
        &self,
        token: Option<&Token>,
        query: &str,
        variables: Value,
    ) -> Result<T> {
        let answer = self.try_graphql(token, query, variables).await?;
        answer.map_err(|errors| unavailable(format!("GraphQL errors: {errors}")))
    }

    /// A GraphQL query that GitLab may refuse to execute: its data, or the errors as text.
    pub(super) async fn try_graphql<T: DeserializeOwned>(
        &self,
        token: Option<&Token>,
        query: &str,
        variables: Value,
    ) -> Result<Result<T, String>> {
        let mut request =
            self.http.post(self.url(&["api", "graphql"])).json(&json!({ "query": query, "variables": variables }));
        if let Some(token) = token {
            request = request.header(http::header::AUTHORIZATION, token.header()?);
        }
        let answer = self.send(request).await?;
        if answer.status != StatusCode::OK {
            return Err(answer.refusal());
        }
        let mut answer: Value = answer.json()?;
        let errors = answer.get("errors").filter(|errors| errors.as_array().is_none_or(|list| !list.is_empty()));
        if let Some(errors) = errors.filter(|errors| !errors.is_null()) {
            return Ok(Err(excerpt(&errors.to_string())));
        }
        serde_json::from_value(answer["data"].take())
            .map(Ok)
            .map_err(|cause| unavailable(format!("GraphQL data are not as expected: {cause}")))
    }

    pub(super) fn url(&self, path: &[&str]) -> String {
        path.iter().fold(self.base.clone(), |url, part| url + "/" + &utf8_percent_encode(part, PATH_PART).to_string())
    }

    /// [`GitLab::exchange`] for a call that a working GitLab can answer.
    async fn send(&self, request: RequestBuilder) -> Result<Answer> {
        let answer = self.exchange(request).await?;
        match answer.status {
            _ if answer.too_large => Err(unavailable("the answer is too large")),
            status if status.is_server_error() => Err(unavailable(format!("status {status}"))),
            _ => Ok(answer),
        }
    }

    /// Sends a request that is safe to repeat, at most 1 + [`RETRIES`] times within [`TOTAL`].
    async fn exchange(&self, request: RequestBuilder) -> Result<Answer> {
        let deadline = Instant::now() + TOTAL;
        let mut retries = 0;
        loop {
            let again = request.try_clone().ok_or_else(|| Error::internal("a request body cannot be repeated"))?;
            let attempt = match tokio::time::timeout_at(deadline, attempt(again)).await {
                Ok(attempt) => attempt,
                Err(_) => Attempt::GiveUp("no answer within 5 s".into()),
            };
            let (reason, after) = match attempt {
                Attempt::Done(answer) => return Ok(answer),
                Attempt::GiveUp(reason) => return Err(unavailable(reason)),
                Attempt::Again { reason, after } => (reason, after),
            };
            let pause = after.unwrap_or_else(|| backoff(retries));
            // A pause that outlives the deadline would only delay the bad news.
            if retries == RETRIES || Instant::now() + pause >= deadline {
                return Err(unavailable(reason));
            }
            tracing::debug!(reason, pause_ms = pause.as_millis(), "asking GitLab again");
            tokio::time::sleep(pause).await;
            retries += 1;
        }
    }
}

impl Answer {
    /// The body as JSON; what is not the JSON expected did not come from a working GitLab.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body)
            .map_err(|cause| unavailable(format!("the answer is not as expected: {cause}")))
    }

    /// The body as text; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The query of the next page's URL, `None` on the last page. Host and path of that URL are not followed: they
    /// are whatever GitLab believes to be called, and the token must not go elsewhere.
    pub fn next_page(&self) -> Option<Vec<(String, String)>> {
        let links = self.headers.get_all(http::header::LINK).iter().filter_map(|value| value.to_str().ok());
        let next = links.filter_map(next_link).next()?;
        let (_, query) = next.split_once('?')?;
        Some(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// What a status other than success means for a call that any valid token may make.
    pub fn refusal(&self) -> Error {
        match self.status {
            StatusCode::UNAUTHORIZED => Error::Unauthenticated(
                "GitLab does not accept this token: it is unknown, expired or revoked".into(),
            ),
            StatusCode::FORBIDDEN if self.lacks_scope() => Error::Forbidden(SCOPE_HINT.into()),
            StatusCode::FORBIDDEN => Error::Forbidden(
                "GitLab refuses this account its API; sign in to GitLab to see why (blocked, terms to accept, two-factor)".into(),
            ),
            other => unavailable(format!("unexpected status {other}")),
        }
    }

    /// `{"error": "insufficient_scope", ..}`
    fn lacks_scope(&self) -> bool {
        self.json::<Value>().is_ok_and(|body| body["error"] == "insufficient_scope")
    }
}

async fn attempt(request: RequestBuilder) -> Attempt {
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_timeout() && !error.is_connect() => return Attempt::GiveUp("time-out".into()),
        // Also a pooled connection that GitLab closed while this instance was frozen.
        Err(error) => return Attempt::Again { reason: chain(&error.without_url()), after: None },
    };
    let status = response.status();
    match status.as_u16() {
        429 | 502 | 503 => {
            return Attempt::Again { reason: format!("status {status}"), after: retry_after(response.headers()) };
        }
        300..=399 => return Attempt::GiveUp(format!("status {status}: a redirect; check PERIGEE_GITLAB_URL")),
        501.. => return Attempt::GiveUp(format!("status {status}")),
        _ => {}
    }
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= LARGEST_ANSWER => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Attempt::Done(Answer { status, headers, body: Vec::new(), too_large: true }),
            Ok(None) => return Attempt::Done(Answer { status, headers, body, too_large: false }),
            Err(error) if error.is_timeout() => return Attempt::GiveUp("time-out".into()),
            Err(error) => return Attempt::Again { reason: chain(&error.without_url()), after: None },
        }
    }
}

/// The URL that a `Link` header calls `next`.
fn next_link(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some((_, link)) = rest.split_once('<') {
        let (url, after) = link.split_once('>')?;
        let parameters = after.split('<').next().unwrap_or_default();
        if parameters.split([';', ',']).any(|parameter| matches!(parameter.trim(), "rel=\"next\"" | "rel=next")) {
            return Some(url);
        }
        rest = after;
    }
    None
}

/// `Retry-After` in its form of seconds, the one that GitLab sends.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// 100 to 200 ms, then 200 to 400 ms.
fn backoff(retries: u32) -> Duration {
    Duration::from_millis(100 << retries).mul_f64(1.0 + rand::random::<f64>())
}

/// GitLab failed for good: it does not answer, or not with what it promises. Counts as one in the request's record.
pub fn unavailable(reason: impl std::fmt::Display) -> Error {
    note(|record| {
        record.gitlab_failures.fetch_add(1, Ordering::Relaxed);
    });
    Error::Unavailable(format!("GitLab: {reason}"))
}

/// The causes of an error, outermost first.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn excerpt(text: &str) -> String {
    text.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_path_is_encoded() {
        let gitlab = GitLab::new("http://h/git/").unwrap();
        assert_eq!(
            gitlab.url(&["api", "v4", "projects", "a/b c%2F?#.."]),
            "http://h/git/api/v4/projects/a%2Fb%20c%252F%3F%23.."
        );
        assert!(GitLab::new("file:///etc").is_err());
        assert!(GitLab::new("gitlab").is_err());
    }

    #[test]
    fn statuses_become_errors() {
        let refusal = |status: u16, body: &str| {
            let (status, headers) = (StatusCode::from_u16(status).unwrap(), HeaderMap::new());
            Answer { status, headers, body: body.into(), too_large: false }.refusal()
        };
        assert!(matches!(refusal(401, ""), Error::Unauthenticated(_)));
        assert_eq!(refusal(403, r#"{"error":"insufficient_scope"}"#), Error::Forbidden(SCOPE_HINT.into()));
        assert!(matches!(refusal(403, "<html>"), Error::Forbidden(text) if text != SCOPE_HINT));
        assert!(matches!(refusal(418, ""), Error::Unavailable(_)));
    }

    #[test]
    fn only_the_query_of_a_link_is_followed() {
        let next = |link: &'static str| {
            let headers = [(http::header::LINK, http::HeaderValue::from_static(link))].into_iter().collect();
            Answer { status: StatusCode::OK, headers, body: Vec::new(), too_large: false }.next_page()
        };
        let first = "<https://h/a?page=1>; rel=\"first\", ";
        assert_eq!(next(first), None);
        let page: Vec<_> = [("page_token", "a,b<c>"), ("x", "1 2")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        assert_eq!(next("<https://evil/?page_token=a%2Cb%3Cc%3E&x=1+2>; rel=\"next\""), Some(page));
        let second = Some(vec![("page".to_owned(), "2".to_owned())]);
        assert_eq!(next("<https://h/a?page=1>; rel=\"first\", <https://h/a?page=2>; rel=\"next\""), second);
        assert_eq!(next("<https://h/a?page=2>; rel=next, <https://h/a?page=1>; rel=\"prev\""), second);
        for odd in ["", "<", "<>", "next", "<https://h/a>; rel=\"next\""] {
            assert_eq!(next(odd), None, "{odd}");
        }
    }

    #[test]
    fn pauses_stay_short() {
        for _ in 0..100 {
            assert!((100..=200).contains(&backoff(0).as_millis()));
            assert!((200..=400).contains(&backoff(1).as_millis()));
        }
    }
}
