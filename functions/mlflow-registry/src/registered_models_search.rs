//! Searching registered models (mlflow.md B.7).

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;
use shared::Result;
use shared::answer::fitting;
use shared::auth::Access;
use shared::context::{Context, PROJECT_TAG, View};
use shared::extract::{Input, Json};
use shared::model::{ModelVersion, RegisteredModel, validation};
use shared::search::RegistrySearch;
use shared::store::RegistryRows;

use crate::page::{Position, SearchRequest, cut, in_view, is_wanted, names_in, partitions};
use crate::wire::RegisteredModelOut;

/// Models of a page unless asked for another number.
const DEFAULT_MODELS: i64 = 100;
/// Rows read at a time where not every one is found.
const ROWS_AT_A_TIME: usize = 1_000;

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "FoundRegisteredModels")]
pub struct FoundModels {
    /// The models of this page.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    registered_models: Vec<RegisteredModelOut>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

/// GET `registered-models/search`: prompts only if the filter asks for them
pub async fn search_registered_models(
    context: Context,
    Input(request): Input<SearchRequest>,
) -> Result<Json<FoundModels>> {
    let asked = request.max_results.map_or(DEFAULT_MODELS, |count| count.0);
    let count = validation::registry_max_results(asked, validation::MOST_REGISTERED_MODELS)?;
    let search = RegistrySearch::models(request.filter.as_deref(), &request.order_by.0)?;
    let query = ("registered models", context.scope(), &request.filter, &request.order_by.0);
    let after: Option<Position> = context.state.pages.start(&query, request.page_token.as_deref())?;
    let projects = context.searched_projects().await?;
    let search = in_view(&context, search, &projects);
    let mut rows = Vec::new();
    for access in &projects {
        let found = candidates(&context, access, &search, after.as_ref(), count).await?;
        rows.extend(found.into_iter().map(|(position, model)| (position, (access, model))));
    }
    let (rows, has_more) = cut(rows, after.as_ref(), count);
    let mut latest = latest_versions(&context, &rows).await?;
    let shown = rows.iter().map(|(_, (access, model))| {
        RegisteredModelOut::new(&context, access, model, &latest.remove(&model.uid).unwrap_or_default())
    });
    let mut registered_models: Vec<RegisteredModelOut> = shown.collect();
    registered_models.truncate(fitting(&registered_models));
    let last = rows[..registered_models.len()].last().map(|(position, _)| position);
    let has_more = has_more || registered_models.len() < rows.len();
    let next_page_token = context.state.pages.next(&query, has_more, last)?;
    Ok(Json(FoundModels { registered_models, next_page_token }))
}

/// The models of a project that may be on the page: in the order of the index just that page, and one more.
async fn candidates(
    context: &Context,
    access: &Access,
    search: &RegistrySearch,
    after: Option<&Position>,
    count: usize,
) -> Result<Vec<(Position, RegisteredModel)>> {
    let listed = search.is_default_order();
    let position = |place: &str, shown: &str, model: &RegisteredModel| match listed {
        true => Position::Listed(place.to_owned(), access.project().0),
        false => Position::Sorted(search.model_key(shown, model)),
    };
    let with_owner = |mut model: RegisteredModel| {
        if context.view == View::Global {
            model.tags.insert(PROJECT_TAG.to_owned(), access.path().to_owned());
        }
        model
    };
    let mut found = Vec::new();
    if let Some(names) = names_in(context, access, search) {
        for name in names {
            let Some((model, _)) = context.store().find_registered_model(access, &name, |_| Vec::new()).await? else {
                continue;
            };
            let model = with_owner(model);
            let shown = context.shown(access.project(), &model.name);
            if is_wanted(search.kind(), model.is_prompt()) && search.matches_model(&shown, &model) {
                found.push((position(&model.name, &shown, &model), model));
            }
        }
        return Ok(found);
    }
    for &prompts in partitions(search.kind()) {
        let from = after.and_then(|after| after.start_in(access));
        let mut rows = RegistryRows::of_models(access, prompts, from);
        let mut matching = 0;
        while !(rows.is_exhausted() || listed && matching > count) {
            let chunk = if listed && search.matches_all() { count + 1 - matching } else { ROWS_AT_A_TIME };
            for (place, model) in context.store().model_rows(&mut rows, chunk).await? {
                let model = with_owner(model);
                let shown = context.shown(access.project(), &model.name);
                if search.matches_model(&shown, &model) {
                    matching += 1;
                    found.push((position(&place, &shown, &model), model));
                }
            }
        }
    }
    Ok(found)
}

/// The newest version of each stage of these models, by the models' uid.
async fn latest_versions(
    context: &Context,
    rows: &[(Position, (&Access, RegisteredModel))],
) -> Result<HashMap<String, Vec<ModelVersion>>> {
    let mut latest: HashMap<String, Vec<ModelVersion>> = HashMap::new();
    let owners: HashMap<u64, &Access> = rows.iter().map(|(_, (access, _))| (access.project().0, *access)).collect();
    for access in owners.into_values() {
        let models = rows.iter().map(|(_, (_, model))| model).filter(|model| model.project == access.project());
        let wanted: Vec<(String, u64)> = models
            .flat_map(|model| model.stages.latest().into_iter().map(|number| (model.uid.clone(), number)))
            .collect();
        for version in context.store().get_model_versions(access, &wanted).await? {
            latest.entry(version.uid.clone()).or_default().push(version);
        }
    }
    latest.values_mut().for_each(|versions| versions.sort_by_key(|version| version.number));
    Ok(latest)
}
