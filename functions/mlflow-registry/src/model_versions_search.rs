//! Searching model versions (mlflow.md B.7).

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::Serialize;
use shared::Result;
use shared::answer::fitting;
use shared::auth::Access;
use shared::context::Context;
use shared::extract::{Input, Json};
use shared::model::{ModelVersion, is_prompt, validation};
use shared::search::{RegistrySearch, VersionView};
use shared::store::RegistryRows;

use crate::page::{Position, SearchRequest, cut, in_view, is_wanted, names_in, partitions};
use crate::wire::ModelVersionOut;

/// Versions read at a time where not every one is found, and of one model.
const ROWS_AT_A_TIME: usize = 1_000;
const VERSIONS_AT_A_TIME: usize = 100;

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "FoundModelVersions")]
pub struct FoundVersions {
    /// The versions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_versions: Vec<ModelVersionOut>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

/// A version that was found, and its model's name as the view shows it.
struct Found {
    name: String,
    version: ModelVersion,
}

/// GET `model-versions/search`: those of prompts only if the filter asks for them
pub async fn search_model_versions(
    context: Context,
    Input(request): Input<SearchRequest>,
) -> Result<Json<FoundVersions>> {
    let asked = request.max_results.map_or(validation::MOST_VERSIONS, |count| count.0);
    let count = validation::registry_max_results(asked, validation::MOST_VERSIONS)?;
    let search = RegistrySearch::versions(request.filter.as_deref(), &request.order_by.0)?;
    let query = ("model versions", context.scope(), &request.filter, &request.order_by.0);
    let after: Option<Position> = context.state.pages.start(&query, request.page_token.as_deref())?;
    let projects = context.searched_projects().await?;
    let search =
        Search { context: &context, search: in_view(&context, search, &projects), after: after.as_ref(), count };
    let mut rows = Vec::new();
    for access in &projects {
        rows.extend(search.candidates(access).await?);
    }
    let (mut rows, has_more) = cut(rows, after.as_ref(), count);
    // While it moves in the index a version may be seen at both places.
    let mut seen = HashSet::new();
    rows.retain(|(_, found)| seen.insert((found.version.uid.clone(), found.version.number)));
    let shown = rows.iter().map(|(_, found)| ModelVersionOut::new(&context, &found.name, &found.version));
    let mut model_versions: Vec<ModelVersionOut> = shown.collect();
    model_versions.truncate(fitting(&model_versions));
    let last = rows[..model_versions.len()].last().map(|(position, _)| position);
    let has_more = has_more || model_versions.len() < rows.len();
    let next_page_token = context.state.pages.next(&query, has_more, last)?;
    Ok(Json(FoundVersions { model_versions, next_page_token }))
}

/// A search under way.
struct Search<'a> {
    context: &'a Context,
    search: RegistrySearch,
    after: Option<&'a Position>,
    count: usize,
}

impl Search<'_> {
    /// The versions of a project that may be on the page.
    async fn candidates(&self, access: &Access) -> Result<Vec<(Position, Found)>> {
        if let Some(names) = names_in(self.context, access, &self.search) {
            return self.of_models(access, &names).await;
        }
        if let Some(run_ids) = self.search.run_ids() {
            return self.of_runs(access, run_ids).await;
        }
        self.listed(access).await
    }

    /// Versions of models whose names the filter gives: a model knows its versions. Sorted by number, or age, only
    /// the page is read.
    async fn of_models(&self, access: &Access, names: &[String]) -> Result<Vec<(Position, Found)>> {
        let by_number =
            self.search.is_number_order().filter(|_| self.search.names().is_some_and(|names| names.len() == 1));
        let mut found = Vec::new();
        for name in names {
            let model = self.context.store().find_registered_model(access, name, |_| Vec::new()).await?;
            let Some((model, _)) = model else { continue };
            let shown = self.context.shown(access.project(), &model.name);
            let mut numbers: Vec<u64> = model.stages.numbers().collect();
            if by_number == Some(false) {
                numbers.reverse();
            }
            let place = |number: u64| {
                by_number.map(|ascending| {
                    let sorted = if ascending { number } else { u64::MAX - number };
                    Position::Listed(format!("{sorted:020}"), access.project().0)
                })
            };
            numbers.retain(|number| place(*number).is_none_or(|place| self.after.is_none_or(|after| place > *after)));
            for chunk in numbers.chunks(VERSIONS_AT_A_TIME) {
                let wanted: Vec<(String, u64)> = chunk.iter().map(|number| (model.uid.clone(), *number)).collect();
                for version in self.context.store().get_model_versions(access, &wanted).await? {
                    let place = place(version.number);
                    self.add(&mut found, place, shown.clone(), version);
                }
                if by_number.is_some() && found.len() > self.count {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// Versions made from runs that the filter gives: a run knows them.
    async fn of_runs(
        &self,
        access: &Access,
        run_ids: impl IntoIterator<Item = String>,
    ) -> Result<Vec<(Position, Found)>> {
        let store = self.context.store();
        let mut found = Vec::new();
        for run_id in run_ids {
            if run_id.is_empty() {
                // Versions without a run are listed nowhere else.
                return self.listed(access).await;
            }
            if store.find_run_owner(&run_id).await?.is_none_or(|owner| owner.project != access.project()) {
                continue;
            }
            let made = store.versions_of_run(&run_id).await?;
            let versions = store.get_model_versions(access, &made).await?;
            self.add_named(access, &mut found, versions.into_iter().map(|version| (None, version)).collect()).await?;
        }
        Ok(found)
    }

    /// Versions from the project's list: in its order just the page, and one more; else all.
    async fn listed(&self, access: &Access) -> Result<Vec<(Position, Found)>> {
        let in_order = self.search.is_default_order();
        let mut found = Vec::new();
        for &prompts in partitions(self.search.kind()) {
            let from = self.after.and_then(|after| after.start_in(access));
            let mut rows = RegistryRows::of_versions(access, prompts, from);
            let before = found.len();
            while !(rows.is_exhausted() || in_order && found.len() - before > self.count) {
                let missing = self.count.saturating_add(1) - (found.len() - before);
                let chunk = if in_order && self.search.matches_all() { missing } else { ROWS_AT_A_TIME };
                let versions = self.context.store().version_rows(&mut rows, chunk).await?;
                let place = |place| in_order.then(|| Position::Listed(place, access.project().0));
                let versions = versions.into_iter().map(|(at, version)| (place(at), version)).collect();
                self.add_named(access, &mut found, versions).await?;
            }
        }
        Ok(found)
    }

    /// Adds those that match, once it is known what their models are called; versions of deleted models have no name.
    async fn add_named(
        &self,
        access: &Access,
        found: &mut Vec<(Position, Found)>,
        versions: Vec<(Option<Position>, ModelVersion)>,
    ) -> Result<()> {
        let uids = versions.iter().map(|(_, version)| version.uid.clone()).collect();
        let names = self.context.store().names_of_models(access, uids).await?;
        for (place, version) in versions {
            if let Some(name) = names.get(&version.uid) {
                let shown = self.context.shown(access.project(), name);
                self.add(found, place, shown, version);
            }
        }
        Ok(())
    }

    fn add(&self, found: &mut Vec<(Position, Found)>, place: Option<Position>, name: String, version: ModelVersion) {
        let source = self.context.shown_uri_in(version.default_experiment, &version.source);
        let view = VersionView { name: &name, source: &source, version: &version };
        if is_wanted(self.search.kind(), is_prompt(&version.tags)) && self.search.matches_version(&view) {
            let position = place.unwrap_or_else(|| Position::Sorted(self.search.version_key(&view)));
            found.push((position, Found { name, version }));
        }
    }
}
