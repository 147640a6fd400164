//! What a caller may do in a project, for services beside this hub (docs/catalog.md, "Downloads").

use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::context::Context;
use shared::extract::{Flag, Json, Path, Query};
use shared::model::ProjectId;
use shared::{Error, Result};

#[derive(Deserialize)]
pub struct Named {
    project: String,
}

#[derive(Deserialize, JsonSchema)]
pub struct Options {
    /// Tell what the project is and what the caller may do there?
    info: Option<Flag>,
}

/// Clients compare the text of this, so the order counts.
#[derive(Serialize)]
struct Info {
    id: ProjectId,
    name: String,
    /// Full path.
    path: String,
    /// Ids of the catalog's collections that the project is in; none is no error.
    categories: Vec<String>,
    /// 0 none, 1 guest, 2 reads the code, 3 contributes, 4 administers: what this token may do.
    access_level: u8,
}

/// GET `/api/check/<id or path>`: 200 to whoever sees the project, and with `info=true` what they may do there
pub async fn check_project(
    context: Context,
    Path(Named { project }): Path<Named>,
    Query(options): Query<Options>,
) -> Result<Response> {
    let (gitlab, token) = (&context.state.gitlab, context.caller.token());
    let named = project.strip_suffix('/').unwrap_or(&project);
    let missing = || Error::not_found("No such project, or it is not visible to you");
    let mut sheet = None;
    if let Some(id) = numeric_id(named) {
        sheet = Some(gitlab.project_sheet_by_id(token, id).await?.ok_or_else(missing)?);
    }
    let path = sheet.as_ref().map_or(named, |sheet| &sheet.path);
    let access = context.caller.require_path(path).await?;
    let mut response = if options.info.is_some_and(|Flag(info)| info) {
        let sheet = match sheet {
            Some(sheet) => sheet,
            None => gitlab.project_sheet(token, path).await?.ok_or_else(missing)?,
        };
        let categories = context.state.config.categories.iter();
        let categories = categories.filter(|category| sheet.topics.contains(&category.topic));
        Json(Info {
            id: access.project(),
            name: sheet.name,
            path: access.path().to_owned(),
            categories: categories.map(|category| category.id.clone()).collect(),
            access_level: access.level() as u8,
        })
        .into_response()
    } else {
        Response::default()
    };
    response.headers_mut().insert(CACHE_CONTROL, axum::http::HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Digits alone are an id: GitLab has no projects outside namespaces.
fn numeric_id(named: &str) -> Option<ProjectId> {
    let digits = !named.is_empty() && named.bytes().all(|byte| byte.is_ascii_digit());
    if digits { named.parse().ok().map(ProjectId) } else { None }
}
