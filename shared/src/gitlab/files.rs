//! Files and archives of repositories, as streams. Whoever calls has asked for access first; the caller's own
//! token, or none, goes to GitLab and nowhere else.

use std::time::Duration;

use bytes::Bytes;
use form_urlencoded::Serializer;
use http::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, LOCATION, RANGE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use reqwest::Response;
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use super::client::{chain, retry_after, unavailable};
use super::{GitLab, Token};
use crate::error::{Error, Result};
use crate::model::ProjectId;

/// How long GitLab may take to begin its answer. It reads a large file whole before it tells of it.
const FIRST_BYTE: Duration = Duration::from_secs(10);
/// How much longer than its caller's deadline a connection lives, so that the caller says what the end means.
const GRACE: Duration = Duration::from_secs(1);
/// Files in LFS may lie in an object storage that GitLab redirects to.
const REDIRECTS: usize = 3;
const LARGEST_DOCUMENT: usize = 1 << 20;
/// Seconds to wait if GitLab limits us without saying for how long, and at most.
const USUAL_PAUSE: u64 = 60;
const LONGEST_PAUSE: u64 = 3_600;

/// What GitLab tells of a file; of a file in LFS, of its pointer.
#[derive(Clone, Debug, PartialEq)]
pub struct FileMetadata {
    /// git's id of the content.
    pub blob_id: String,
    /// The commit that the asked branch or tag leads to.
    pub commit_id: String,
    /// Bytes.
    pub size: u64,
}

/// A form in which GitLab packs a repository.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ArchiveFormat {
    Zip,
    Tar,
    TarGz,
    TarBz2,
}

impl ArchiveFormat {
    /// The format that GitLab, and so a client, calls `name`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "zip" => Some(Self::Zip),
            "tar" => Some(Self::Tar),
            "tar.gz" | "tgz" => Some(Self::TarGz),
            "tar.bz2" | "tbz" | "tbz2" | "tb2" | "bz2" => Some(Self::TarBz2),
            _ => None,
        }
    }

    /// The format's first name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Tar => "tar",
            Self::TarGz => "tar.gz",
            Self::TarBz2 => "tar.bz2",
        }
    }
}

/// Bytes on their way from GitLab.
#[derive(Debug)]
pub struct Download {
    response: Response,
    /// Where in the file the bytes begin.
    start: u64,
    size: Option<u64>,
}

impl Download {
    /// Bytes of the whole file, if known beforehand.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Where in the file the bytes begin: where they were asked from, or at 0.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// The next bytes; `None` at the end. `Unavailable` if they break off.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.response.chunk().await.map_err(|error| unavailable(chain(&error.without_url())))
    }
}

#[derive(Deserialize)]
struct Commit {
    id: String,
}

impl GitLab {
    /// What GitLab tells of a file at `reference` (branch, tag, commit or `HEAD`), by `deadline`.
    pub async fn file_metadata(
        &self,
        token: Option<&Token>,
        project: ProjectId,
        path: &str,
        reference: &str,
        deadline: Instant,
    ) -> Result<FileMetadata> {
        let url = self.in_repository(project, &["files", path], &[("ref", reference)]);
        let response = self.ask(token, Method::HEAD, &url, 0, deadline).await?;
        if response.status() != StatusCode::OK {
            return Err(refusal(&response, token, &no_file(path, reference)));
        }
        let headers = response.headers();
        let id = |name| text(headers, name).filter(|id| is_id(id)).map(str::to_owned);
        let blob_id = id(HeaderName::from_static("x-gitlab-blob-id"));
        let commit_id = id(HeaderName::from_static("x-gitlab-commit-id"));
        let size = text(headers, HeaderName::from_static("x-gitlab-size")).and_then(|size| size.parse().ok());
        match (blob_id, commit_id, size) {
            (Some(blob_id), Some(commit_id), Some(size)) => Ok(FileMetadata { blob_id, commit_id, size }),
            _ => Err(unavailable("the metadata of a file are not as expected")),
        }
    }

    /// A file's content at a commit, from LFS if it is there. Bytes before `from` may be left out.
    pub async fn raw_file(
        &self,
        token: Option<&Token>,
        project: ProjectId,
        path: &str,
        commit: &str,
        from: u64,
        deadline: Instant,
    ) -> Result<Download> {
        let url = self.in_repository(project, &["files", path, "raw"], &[("ref", commit), ("lfs", "true")]);
        self.open(token, &url, from, deadline, &no_file(path, commit)).await
    }

    /// The repository at a commit, packed.
    pub async fn archive(
        &self,
        token: Option<&Token>,
        project: ProjectId,
        commit: &str,
        format: ArchiveFormat,
        deadline: Instant,
    ) -> Result<Download> {
        let file = format!("archive.{}", format.name());
        let url = self.in_repository(project, &[&file], &[("sha", commit)]);
        self.open(token, &url, 0, deadline, &no_commit(commit)).await
    }

    /// The commit that a branch or tag, a commit's short id or `HEAD` leads to.
    pub async fn commit_id(
        &self,
        token: Option<&Token>,
        project: ProjectId,
        reference: &str,
        deadline: Instant,
    ) -> Result<String> {
        let url = self.in_repository(project, &["commits", reference], &[("stats", "false")]);
        let mut response = self.ask(token, Method::GET, &url, 0, deadline).await?;
        if response.status() != StatusCode::OK {
            return Err(refusal(&response, token, &no_commit(reference)));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| unavailable(chain(&error.without_url())))? {
            if body.len() + chunk.len() > LARGEST_DOCUMENT {
                return Err(unavailable("the answer is too large"));
            }
            body.extend_from_slice(&chunk);
        }
        let commit: Commit =
            serde_json::from_slice(&body).map_err(|cause| unavailable(format!("a commit: {cause}")))?;
        if is_id(&commit.id) { Ok(commit.id) } else { Err(unavailable("a commit has no id")) }
    }

    fn in_repository(&self, project: ProjectId, path: &[&str], query: &[(&str, &str)]) -> String {
        let project = project.to_string();
        let url = self.url(&[&["api", "v4", "projects", project.as_str(), "repository"], path].concat());
        format!("{url}?{}", Serializer::new(String::new()).extend_pairs(query).finish())
    }

    /// GET of something large, through redirects to other hosts, which get no token.
    async fn open(
        &self,
        token: Option<&Token>,
        url: &str,
        from: u64,
        deadline: Instant,
        missing: &str,
    ) -> Result<Download> {
        let mut response = self.ask(token, Method::GET, url, from, deadline).await?;
        if !response.status().is_redirection() {
            return match response.status() {
                StatusCode::OK | StatusCode::PARTIAL_CONTENT => Download::of(response, from),
                _ => Err(refusal(&response, token, missing)),
            };
        }
        let gitlab = Url::parse(url).map_err(Error::internal)?;
        let mut at = gitlab.clone();
        for _ in 0..REDIRECTS {
            at = target(&response, &at, &gitlab)?;
            response = self.ask(None, Method::GET, at.as_str(), from, deadline).await?;
            match response.status() {
                StatusCode::OK | StatusCode::PARTIAL_CONTENT => return Download::of(response, from),
                status if status.is_redirection() => {}
                status => return Err(unavailable(format!("its object storage answers {status}"))),
            }
        }
        Err(unavailable("too many redirects"))
    }

    /// Sends a request, once more if its connection was closed meanwhile, as those of a frozen instance are.
    async fn ask(
        &self,
        token: Option<&Token>,
        method: Method,
        url: &str,
        from: u64,
        deadline: Instant,
    ) -> Result<Response> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(token) = token {
            headers.insert(AUTHORIZATION, token.header()?);
        }
        if from > 0 {
            headers.insert(RANGE, HeaderValue::try_from(format!("bytes={from}-")).map_err(Error::internal)?);
        }
        let mut tries = 0;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let request = self.http.request(method.clone(), url).headers(headers.clone()).timeout(left + GRACE);
            let sent = tokio::time::timeout(left.min(FIRST_BYTE), request.send()).await;
            match sent {
                Ok(Ok(response)) => return Ok(response),
                Ok(Err(error)) if error.is_timeout() || tries > 0 => {
                    return Err(unavailable(chain(&error.without_url())));
                }
                Ok(Err(_)) => tries += 1,
                Err(_) => return Err(unavailable("no answer in time")),
            }
        }
    }
}

impl Download {
    fn of(response: Response, from: u64) -> Result<Self> {
        let headers = response.headers();
        let (start, size) = if response.status() == StatusCode::PARTIAL_CONTENT {
            let (start, size) = text(headers, CONTENT_RANGE)
                .and_then(content_range)
                .ok_or_else(|| unavailable("a part of a file does not say which"))?;
            if start != from {
                return Err(unavailable("a part of a file is not the one that was asked for"));
            }
            (start, size)
        } else {
            (0, text(headers, CONTENT_LENGTH).and_then(|length| length.parse().ok()))
        };
        Ok(Self { response, start, size })
    }
}

/// First byte and size of the whole from `bytes 5-9/10`.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, size.parse().ok()))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// SHA-1 or SHA-256 in hex.
fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Where a redirect leads: to another host, never from https to http. GitLab's own pages are no files.
fn target(response: &Response, at: &Url, gitlab: &Url) -> Result<Url> {
    let location = text(response.headers(), LOCATION).and_then(|location| at.join(location).ok());
    let next = location.ok_or_else(|| unavailable("a redirect leads nowhere"))?;
    let safe = next.scheme() == "https" || (next.scheme() == "http" && at.scheme() == "http");
    if !safe || next.origin() == gitlab.origin() {
        return Err(unavailable("a redirect that is not one to an object storage; check PERIGEE_GITLAB_URL"));
    }
    Ok(next)
}

fn no_file(path: &str, reference: &str) -> String {
    format!("No file `{path}` at `{reference}` in this project's repository")
}

fn no_commit(reference: &str) -> String {
    format!("No branch, tag or commit `{reference}` in this project's repository")
}

/// What a status other than success means; GitLab's own words stay here.
fn refusal(response: &Response, token: Option<&Token>, missing: &str) -> Error {
    match response.status() {
        StatusCode::UNAUTHORIZED if token.is_none() => {
            Error::Unauthenticated("GitLab gives this to nobody without a token: send one in `X-Gitlab-Token`".into())
        }
        StatusCode::UNAUTHORIZED => {
            Error::Unauthenticated("GitLab does not accept this token: it is unknown, expired or revoked".into())
        }
        StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => Error::not_found(missing),
        StatusCode::BAD_REQUEST | StatusCode::URI_TOO_LONG | StatusCode::UNPROCESSABLE_ENTITY => {
            Error::invalid("GitLab cannot read this file path or `ref`")
        }
        StatusCode::TOO_MANY_REQUESTS => {
            let pause = retry_after(response.headers()).map_or(USUAL_PAUSE, |pause| pause.as_secs());
            let message = "GitLab limits how often this may be asked for; try again later".into();
            Error::RateLimited { message, retry_after: pause.clamp(1, LONGEST_PAUSE) }
        }
        status => unavailable(format!("unexpected status {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_say_where_they_begin() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(content_range("bytes 5-9/*"), Some((5, None)));
        for bad in ["", "bytes */10", "5-9/10", "bytes 5-9", "bytes x-9/10"] {
            assert_eq!(content_range(bad), None, "{bad}");
        }
    }

    #[test]
    fn formats_have_gitlabs_names() {
        for (name, expected) in [
            ("zip", Some("zip")),
            ("tar", Some("tar")),
            ("tgz", Some("tar.gz")),
            ("tar.gz", Some("tar.gz")),
            ("bz2", Some("tar.bz2")),
            ("tb2", Some("tar.bz2")),
            ("tbz", Some("tar.bz2")),
            ("tbz2", Some("tar.bz2")),
            ("tar.bz2", Some("tar.bz2")),
            ("rar", None),
            ("ZIP", None),
            ("", None),
        ] {
            assert_eq!(ArchiveFormat::parse(name).map(ArchiveFormat::name), expected, "{name}");
        }
    }

    #[test]
    fn ids_are_hashes() {
        assert!(is_id(&"a0".repeat(20)) && is_id(&"09".repeat(32)));
        for bad in ["", "abc", &"A0".repeat(20), &"../".repeat(20), &"g".repeat(40)] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
