//! Items: a collection's list of them, and one alone.

use axum::Extension;
use axum::extract::RawQuery;
use axum::response::Response;
use shared::catalog::{Sight, Visible};
use shared::context::Context;
use shared::extract::Path;
use shared::{Error, Result};

use crate::answer::{GEOJSON, Viewer, document};
use crate::catalog::Catalog;
use crate::collections::category;
use crate::paging::{Asked, parameters};
use crate::query::Search;
use crate::search::answer;

/// Bytes of the longest path that GitLab allows, and more.
const LONGEST_ID: usize = 1_000;

/// GET `/api/stac/collections/{collection}/items`
pub async fn get_items(
    context: Context,
    Extension(catalog): Extension<Catalog>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let category = category(&context, &name)?.id.clone();
    let parameters = parameters(query.as_deref());
    let mut search = Search::from_parameters(parameters.clone())?;
    search.collections = Some(vec![category.clone()]);
    let asked = Asked::new(format!("/api/stac/collections/{category}/items"), &parameters);
    answer(&context, &catalog, search, &asked, Some(&category)).await
}

/// GET `/api/stac/collections/{collection}/items/{*item}`. Access is GitLab's answer of the last 30 s.
pub async fn get_item(
    context: Context,
    Extension(catalog): Extension<Catalog>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Response> {
    let category = category(&context, &name)?;
    let missing =
        || Error::not_found(format!("No item `{}` in this collection, or it is not visible to you", shown(&id)));
    if !is_path(&id) {
        return Err(missing());
    }
    // Asked first and always, so that known and unknown items cost the same.
    let access = context.caller.require_path(&id).await;
    let index = catalog.index().await?;
    let entry = index.find(&category.id, &id);
    let viewer = match access {
        Ok(access) => Viewer::of_project(access.project(), access.level()),
        Err(Error::NotFound(_)) => return Err(missing()),
        // What everybody may see is shown also while GitLab cannot be asked.
        Err(Error::Unavailable(why))
            if context.caller.is_anonymous()
                && entry.is_some_and(|entry| entry.sight(&Visible::default()) > Sight::Hidden) =>
        {
            tracing::warn!(why, "GitLab cannot be asked; showing a public item as last seen");
            Viewer::of(&context).await?
        }
        Err(error) => return Err(error),
    };
    let entry = entry.filter(|entry| entry.sight(&viewer.visible) > Sight::Hidden).ok_or_else(missing)?;
    let wanted = [(entry.project(), entry.collection())];
    let documents = context.store().catalog_documents(&wanted, &viewer.visible).await?;
    let item = documents.first().ok_or_else(missing)?;
    Ok(document(&viewer.render(&context, item)?, GEOJSON))
}

/// Could this be a project's full path?
fn is_path(id: &str) -> bool {
    let is_segment = |segment: &str| {
        segment.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
    };
    id.len() <= LONGEST_ID && id.contains('/') && id.split('/').all(is_segment)
}

fn shown(id: &str) -> String {
    id.chars().filter(|letter| !letter.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_paths() {
        for good in ["a/b", "earth/tools/ndvi", "_a/b.c-d_e", "9/1"] {
            assert!(is_path(good), "{good}");
        }
        for bad in ["a", "", "/a/b", "a/b/", "a//b", "../b", "a/..", "a/.", "a/b c", "a%2Fb", "a/b\u{0}", "a/é", "-a/b"]
        {
            assert!(!is_path(bad), "{bad}");
        }
    }
}
