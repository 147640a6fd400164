//! Searching logged models (mlflow.md B.6).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::answer::fitting;
use shared::context::Context;
use shared::extract::{Flag, Input, Integer, Json, Many, missing};
use shared::model::{Lifecycle, validation};
use shared::search::{DatasetFilter, LoggedModelSearch, ModelOrderBy, SortKey};

use crate::logged_models::LoggedModelOut;
use crate::runs_search::readable_experiments;

/// Models of a page unless asked for another number.
const DEFAULT_MODELS: i64 = 50;

#[derive(Deserialize, JsonSchema)]
pub struct SearchLoggedModels {
    /// Ids of experiments; those that do not exist, or that the caller may not see, are passed over.
    #[schemars(required)]
    experiment_ids: Option<Many<String>>,
    /// Which ones, in MLflow's filter language, e.g. `tags.team = 'water' AND metrics.loss < 1`.
    filter: Option<String>,
    /// Sort and filter by metrics measured on one of these.
    #[serde(default)]
    datasets: Many<DatasetIn>,
    /// Most things of a page.
    max_results: Option<Integer>,
    /// Order, e.g. `metrics.loss DESC`.
    #[serde(default)]
    order_by: Many<OrderByIn>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "LoggedModelDataset")]
struct DatasetIn {
    /// Name of the data set that the metric was measured on.
    #[serde(default)]
    dataset_name: String,
    /// Its digest.
    dataset_digest: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "LoggedModelOrder")]
struct OrderByIn {
    /// Field, e.g. `metrics.accuracy` or `creation_timestamp_ms`.
    #[serde(default)]
    field_name: String,
    /// Smallest first; the default.
    ascending: Option<Flag>,
    /// Only metrics measured on this data set.
    dataset_name: Option<String>,
    /// Its digest.
    dataset_digest: Option<String>,
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "FoundLoggedModels")]
pub struct FoundModels {
    /// Logged models.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    models: Vec<LoggedModelOut>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

/// POST `logged-models/search`
pub async fn search_logged_models(
    context: Context,
    Input(request): Input<SearchLoggedModels>,
) -> Result<Json<FoundModels>> {
    let experiment_ids = request.experiment_ids.ok_or_else(|| missing("experiment_ids"))?.0;
    let asked = request.max_results.map(|count| count.0).filter(|count| *count != 0);
    let count = validation::max_results(asked.unwrap_or(DEFAULT_MODELS))?;
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let order_by: Vec<ModelOrderBy> = request
        .order_by
        .0
        .into_iter()
        .map(|order| ModelOrderBy {
            field_name: order.field_name,
            ascending: order.ascending.is_none_or(|flag| flag.0),
            dataset_name: filled(order.dataset_name),
            dataset_digest: filled(order.dataset_digest),
        })
        .collect();
    let datasets: Vec<DatasetFilter> = request
        .datasets
        .0
        .into_iter()
        .map(|dataset| DatasetFilter {
            dataset_name: dataset.dataset_name,
            dataset_digest: filled(dataset.dataset_digest),
        })
        .collect();
    let search = LoggedModelSearch::parse(request.filter.as_deref(), &order_by, &datasets)?;
    let query = ("models", context.scope(), &experiment_ids, &request.filter, &order_by, &datasets);
    let after: Option<SortKey> = context.state.pages.start(&query, request.page_token.as_deref())?;
    let mut rows = Vec::new();
    let experiments = readable_experiments(&context, &experiment_ids).await?;
    for (number, (access, experiment)) in experiments.iter().enumerate() {
        for mut model in context.store().list_logged_models(access, experiment).await? {
            model.experiment = context.shown_id(experiment);
            model.artifact_uri = context.shown_uri(experiment, &model.artifact_uri);
            if model.lifecycle == Lifecycle::Active && search.matches(&model) {
                let key = search.sort_key(&model);
                if after.as_ref().is_none_or(|after| key > *after) {
                    rows.push((key, number, model));
                }
            }
        }
    }
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    let shown = rows.iter().take(count);
    let mut models: Vec<LoggedModelOut> =
        shown.map(|(_, number, model)| LoggedModelOut::new(&context, &experiments[*number].1, model)).collect();
    models.truncate(fitting(&models));
    let last = rows[..models.len()].last().map(|(key, ..)| key);
    let next_page_token = context.state.pages.next(&query, models.len() < rows.len(), last)?;
    Ok(Json(FoundModels { models, next_page_token }))
}
