//! A packed repository: always copied to S3 once by its commit, and fetched from there.

use axum::http::Method;
use axum::http::request::Parts;
use shared::Result;
use shared::auth::Access;
use shared::context::Context;
use shared::download::{Answer, attachment, is_known};
use shared::gitlab::ArchiveFormat;
use shared::objects::{ObjectInfo, ObjectKey, download_life};
use tokio::time::Instant;

use crate::copy::{self, TURN};

/// The repository at `reference`, of the default branch without one, in a format that the client calls `called`.
pub async fn archive(
    context: &Context,
    access: &Access,
    format: ArchiveFormat,
    called: &str,
    reference: Option<&str>,
    request: &Parts,
) -> Result<Answer> {
    let deadline = Instant::now() + TURN;
    let (objects, gitlab, token) = (&context.state.objects, &context.state.gitlab, context.caller.token());
    let commit = gitlab.commit_id(token, access.project(), reference.unwrap_or("HEAD"), deadline).await?;
    let etag = format!("\"{commit}.{}\"", format.name());
    if is_known(&request.headers, Some(&etag)) {
        let info = ObjectInfo { size: 0, etag: Some(etag), last_modified: None, content_range: None };
        return Ok(Answer::Unchanged(info));
    }
    let name = file_name(access.path(), reference, called);
    let media_type = media_type(format);
    let key = ObjectKey::of_archive(access, &commit, format)?;
    let there = objects.head(&key).await?.map(|info| info.size);
    if request.method == Method::HEAD {
        return Ok(Answer::Described { name, media_type: media_type.to_owned(), etag, size: there });
    }
    let size = match there {
        Some(size) => size,
        None => {
            let source = gitlab.archive(token, access.project(), &commit, format, deadline).await?;
            copy::at_once(objects, &key, source, deadline).await?
        }
    };
    let url = objects.presign_get(&key, media_type, &attachment(&name), download_life(size)).await?;
    Ok(Answer::Elsewhere(url))
}

/// `<project>-<ref>.<format>`, in which a branch's slashes are dashes.
fn file_name(project: &str, reference: Option<&str>, called: &str) -> String {
    let project = project.rsplit('/').next().unwrap_or_default();
    match reference {
        Some(reference) => format!("{project}-{}.{called}", reference.replace('/', "-")),
        None => format!("{project}.{called}"),
    }
}

fn media_type(format: ArchiveFormat) -> &'static str {
    match format {
        ArchiveFormat::Zip => "application/zip",
        ArchiveFormat::Tar => "application/x-tar",
        ArchiveFormat::TarGz => "application/gzip",
        ArchiveFormat::TarBz2 => "application/x-bzip2",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_named_after_project_and_ref() {
        assert_eq!(file_name("a/b/net", Some("feature/x"), "tgz"), "net-feature-x.tgz");
        assert_eq!(file_name("a/net", None, "zip"), "net.zip");
    }
}
