//! One page of a search: whose models are searched, where the page begins, and where it ends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::auth::Access;
use shared::context::{Context, View};
use shared::extract::{Integer, OneOrMany};
use shared::search::{Kind, RegistrySearch, SortKey};

/// The request of both searches.
#[derive(Deserialize, JsonSchema)]
pub struct SearchRequest {
    /// Which ones, in MLflow's filter language, e.g. `tags.team = 'water' AND metrics.loss < 1`.
    pub filter: Option<String>,
    /// Most things of a page.
    pub max_results: Option<Integer>,
    /// Order, e.g. `metrics.loss DESC`.
    #[serde(default)]
    pub order_by: OneOrMany<String>,
    /// `next_page_token` of the page before.
    pub page_token: Option<String>,
}

/// Where a row stands in the answer to a search.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Position {
    /// In a list that is sorted already: its place there, and the project of that list.
    Listed(String, u64),
    Sorted(SortKey),
}

impl Position {
    /// From where a project's list goes on behind this position: the place, and whether it counts itself.
    pub fn start_in(&self, access: &Access) -> Option<(String, bool)> {
        match self {
            Self::Listed(place, project) => Some((place.clone(), access.project().0 > *project)),
            Self::Sorted(_) => None,
        }
    }
}

/// The search with names as this view has them: a project's view also takes them with its id behind.
pub fn in_view(context: &Context, search: RegistrySearch, projects: &[Access]) -> RegistrySearch {
    match (&context.view, projects) {
        (View::Project(_), [access]) => {
            search.with_names(|name| Context::plain_name(access.project(), name).to_owned())
        }
        _ => search,
    }
}

/// The plain names among a search's in one project.
pub fn names_in(context: &Context, access: &Access, search: &RegistrySearch) -> Option<Vec<String>> {
    let names = search.names()?.into_iter();
    Some(match context.view {
        View::Project(_) => names.collect(),
        View::Global => names
            .filter(|name| Context::named_project(name) == Some(access.project()))
            .map(|name| Context::plain_name(access.project(), &name).to_owned())
            .collect(),
    })
}

/// The parts of the index that a search looks at: `true` is that of prompts.
pub fn partitions(kind: Kind) -> &'static [bool] {
    match kind {
        Kind::Models => &[false],
        Kind::Prompts => &[true],
        Kind::Both => &[false, true],
    }
}

/// Is a prompt, or a model, wanted?
pub fn is_wanted(kind: Kind, is_prompt: bool) -> bool {
    partitions(kind).contains(&is_prompt)
}

/// The rows behind `after`, in order, at most `count`, and whether there are more.
pub fn cut<T>(mut rows: Vec<(Position, T)>, after: Option<&Position>, count: usize) -> (Vec<(Position, T)>, bool) {
    rows.retain(|(position, _)| after.is_none_or(|after| position > after));
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    let has_more = rows.len() > count;
    rows.truncate(count);
    (rows, has_more)
}
