//! Searching experiments (mlflow.md B.4).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::answer::fitting;
use shared::auth::Access;
use shared::context::{Context, PROJECT_TAG, View};
use shared::extract::{Input, Integer, Json, OneOrMany};
use shared::model::{Experiment, ViewType, validation};
use shared::search::{ExperimentSearch, ExperimentView, SortKey};
use shared::store::Store;

use crate::wire::{ExperimentOut, ViewTypeIn};

#[derive(Deserialize, JsonSchema)]
pub struct SearchExperiments {
    /// Most things of a page.
    #[schemars(required, range(min = 1, max = 50_000))]
    max_results: Option<Integer>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
    /// Which ones, in MLflow's filter language, e.g. `tags.team = 'water' AND metrics.loss < 1`.
    filter: Option<String>,
    /// Order, e.g. `metrics.loss DESC`.
    #[serde(default)]
    order_by: OneOrMany<String>,
    /// Which by their lifecycle stage.
    #[serde(default)]
    view_type: ViewTypeIn,
}

#[derive(JsonSchema, Serialize)]
pub struct FoundExperiments {
    /// The experiments of this page.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    experiments: Vec<ExperimentOut>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

/// GET and POST `experiments/search`
pub async fn search_experiments(
    context: Context,
    Input(request): Input<SearchExperiments>,
) -> Result<Json<FoundExperiments>> {
    let count = validation::max_results(request.max_results.map_or(0, |count| count.0))?;
    let mut search = ExperimentSearch::parse(request.filter.as_deref(), &request.order_by.0)?;
    if let Some(access) = context.project().await? {
        // As by name: also with the project's id behind.
        search = search.with_names(|name| Context::plain_name(access.project(), name).to_owned());
    }
    let view = request.view_type.0;
    let query = ("experiments", context.scope(), &request.filter, &request.order_by.0, view as u8);
    let after: Option<SortKey> = context.state.pages.start(&query, request.page_token.as_deref())?;
    let mut rows = Vec::new();
    for (access, experiment) in visible_experiments(&context, view).await? {
        let (name, id) = (context.shown_name(&experiment), context.shown_id(&experiment));
        let shown = ExperimentView { name: &name, id, experiment: &experiment };
        if search.matches(&shown) {
            let key = search.sort_key(&shown);
            if after.as_ref().is_none_or(|after| key > *after) {
                rows.push((key, access, experiment));
            }
        }
    }
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    let shown = rows.iter().take(count);
    let mut experiments: Vec<ExperimentOut> =
        shown.map(|(_, access, experiment)| ExperimentOut::new(&context, experiment, access.path())).collect();
    experiments.truncate(fitting(&experiments));
    let last = rows[..experiments.len()].last().map(|(key, ..)| key);
    let next_page_token = context.state.pages.next(&query, experiments.len() < rows.len(), last)?;
    Ok(Json(FoundExperiments { experiments, next_page_token }))
}

async fn visible_experiments(context: &Context, view: ViewType) -> Result<Vec<(Access, Experiment)>> {
    let mut visible = Vec::new();
    for access in context.searched_projects().await? {
        let experiments = context.store().list_experiments(&access).await?;
        let shows_virtual_default = context.view != View::Global
            && !experiments.iter().any(|experiment| experiment.is_default)
            && context.store().find_existing_default(&access).await?.is_none();
        if shows_virtual_default {
            visible.push((access.clone(), Store::virtual_default(&access)));
        }
        visible.extend(experiments.into_iter().map(|experiment| (access.clone(), experiment)));
    }
    if context.view == View::Global {
        for (access, experiment) in &mut visible {
            experiment.tags.insert(PROJECT_TAG.to_owned(), access.path().to_owned());
        }
    }
    visible.retain(|(_, experiment)| view.shows(experiment.lifecycle));
    Ok(visible)
}
