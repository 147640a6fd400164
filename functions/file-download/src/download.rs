//! `GET`, `HEAD /api/download/<project>/..`: from a path to a project that the caller may read, and what they want of it.

use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Deserialize;
use shared::auth::Access;
use shared::context::Context;
use shared::extract::{Integer, Path, Query};
use shared::{Error, Result};

use crate::archives::archive;
use crate::files::file;
use crate::freshness::Freshness;
use crate::target::{Reading, Wanted, check_ref, readings};

#[derive(Deserialize)]
pub struct Target {
    target: String,
}

#[derive(Deserialize, JsonSchema)]
pub struct Options {
    /// The file, where the path cannot hold its name.
    path: Option<String>,
    /// Branch, tag or commit; the default branch if absent.
    r#ref: Option<String>,
    /// Seconds for which the client wants to keep the file.
    cache: Option<Integer>,
}

/// GET, HEAD `/api/download/<project>/repository/<file>`, `/api/download/<project>/archive.<format>` (docs/catalog.md, "Downloads")
pub async fn download(
    context: Context,
    Path(Target { target }): Path<Target>,
    Query(options): Query<Options>,
    request: Parts,
) -> Result<Response> {
    let readings = readings(&target, options.path.as_deref())?;
    let reference = check_ref(options.r#ref.as_deref())?;
    let freshness = Freshness::of(options.cache.map(|Integer(seconds)| seconds), context.caller.is_anonymous())?;
    let (access, wanted) = choose(&context, &readings).await?;
    let answer = match wanted {
        Wanted::File(path) => file(&context, &access, path, reference, &request).await?.into_response(),
        Wanted::Archive(format, called) => {
            archive(&context, &access, format, called, reference, &request).await?.into_response()
        }
    };
    Ok(freshness.note(answer))
}

/// The reading that names a project, and access to it.
async fn choose<'a>(context: &Context, readings: &[Reading<'a>]) -> Result<(Access, Wanted<'a>)> {
    let mut missing = None;
    for reading in readings {
        match context.caller.require_path(reading.project).await {
            Ok(access) => return Ok((access, reading.wanted)),
            Err(error @ Error::NotFound(_)) => {
                missing.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    Err(missing.unwrap_or_else(|| Error::internal("a path that cannot be read was let through")))
}
