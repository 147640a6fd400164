//! The whole catalog against the whole of GitLab: page by page through the projects of each category's topic.
//! What webhooks missed is mended here, so this is what makes the catalog right.

use std::collections::BTreeMap;
use std::time::Instant;

use futures::StreamExt;
use futures::stream;
use shared::Result;
use shared::catalog::{Category, Row, Snapshot, StoredItem};
use shared::gitlab::ProjectFacts;
use shared::model::ProjectId;
use shared::state::AppState;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::timeout_at;

use crate::project::{Known, build, fingerprint, token, unreadable, write};
use crate::summary::Summary;

/// Projects that are read at the same time.
const AT_ONCE: usize = 8;
/// A project that was active in this time is read whatever the list says, ms: GitLab updates `last_activity_at`
/// once an hour, and the schedule is of 6 hours.
const RECENTLY_MS: i64 = 14 * 3_600_000;
/// Changes that a new instance may have to follow before a new snapshot pays.
const MANY_CHANGES: usize = 1_000;
/// How old a snapshot that lacks any change may become, ms.
const SNAPSHOT_MS: i64 = 30 * 24 * 3_600_000;

/// The catalog as stored: by category and project.
type Stored = BTreeMap<(String, ProjectId), Known>;

/// How far a reconciliation came.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    pub summary: Summary,
    /// Was the end reached? Otherwise the next one goes on where this one stopped.
    pub finished: bool,
}

/// Which projects are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Extent {
    /// Those of which GitLab's list tells something new, or that were active lately.
    News,
    /// All.
    Everything,
}

/// Compares the catalog with GitLab, from where the last reconciliation stopped, until `deadline` if there is one.
pub async fn reconcile(state: &AppState, extent: Extent, deadline: Option<Instant>) -> Result<Progress> {
    let stored = stored(state).await?;
    let cursor = state.store.sync_cursor().await?;
    let (first, mut after) = position(&state.config.categories, cursor.as_deref());
    let mut summary = Summary::default();
    for category in &state.config.categories[first..] {
        loop {
            let work = page(state, category, &stored, after, extent, &mut summary);
            // Given up anywhere: every write is one transaction, and what is written is not written again.
            let Some(done) = until(deadline, work).await else {
                let position = format!("{} {}", category.id, after.map_or(0, |id| id.0));
                state.store.save_sync_cursor(Some(&position)).await?;
                return Ok(Progress { summary, finished: false });
            };
            after = done?;
            if after.is_none() {
                break;
            }
            tracing::info!(category = category.id, after = ?after, %summary, "synchronising the catalog");
        }
    }
    if cursor.is_some() {
        state.store.save_sync_cursor(None).await?;
    }
    summary += orphans(state, &stored).await?;
    snapshot(state).await?;
    Ok(Progress { summary, finished: true })
}

/// What `work` gives, or nothing if it takes longer than there is time.
async fn until<T>(deadline: Option<Instant>, work: impl Future<Output = T>) -> Option<T> {
    match deadline {
        Some(deadline) => timeout_at(deadline.into(), work).await.ok(),
        None => Some(work.await),
    }
}

/// Brings the next page of a category's projects up to date; the project behind which to go on, if there are more.
async fn page(
    state: &AppState,
    category: &Category,
    stored: &Stored,
    after: Option<ProjectId>,
    extent: Extent,
    summary: &mut Summary,
) -> Result<Option<ProjectId>> {
    let read_at = state.clock.now_ms();
    let page = state.gitlab.projects_of_topic(token(state)?, &category.topic, after).await?;
    let last = page.last().map(|project| project.id);
    *summary += vanished(state, category, stored, &page, (after, last), read_at).await?;
    let mut work = stream::iter(page)
        .map(|listing| {
            let known = stored.get(&(category.id.clone(), listing.id));
            one(state, category, known, listing, extent, read_at)
        })
        .buffer_unordered(AT_ONCE);
    while let Some(done) = work.next().await {
        *summary += done?;
    }
    Ok(last)
}

/// Category and project behind which to go on.
fn position(categories: &[Category], cursor: Option<&str>) -> (usize, Option<ProjectId>) {
    let parsed = cursor.and_then(|cursor| {
        let (name, after) = cursor.split_once(' ')?;
        let place = categories.iter().position(|category| category.id == name)?;
        Some((place, Some(ProjectId(after.parse().ok()?))))
    });
    parsed.unwrap_or((0, None))
}

async fn stored(state: &AppState) -> Result<Stored> {
    let rows = rows(state).await?.1;
    Ok(rows.into_iter().map(|(key, (_, known))| (key, known)).collect())
}

type Rows = BTreeMap<(String, ProjectId), (Row, Known)>;

/// What the last snapshot lacks.
struct Lacking {
    changes: usize,
    /// Of the snapshot, ms; `None` if there is none.
    age: Option<i64>,
}

/// All rows, and how many changes the last snapshot lacks.
async fn rows(state: &AppState) -> Result<(Lacking, Rows)> {
    let snapshot = Snapshot::read(&state.objects).await?;
    let age = (snapshot.upto > 0).then(|| state.clock.now_ms() - snapshot.upto);
    let mut rows: Rows = BTreeMap::new();
    for (row, version, listing) in snapshot.rows {
        rows.insert((row.collection.clone(), row.project), (row, Known { version, listing }));
    }
    // Changes show up late.
    let changes = state.store.catalog_changes(snapshot.upto - 60_000).await?;
    let count = changes.len();
    for change in changes {
        let key = (change.collection, change.project);
        match change.row {
            Some(row) => rows.insert(key, (row, Known { version: change.version, listing: change.listing })),
            None => rows.remove(&key),
        };
    }
    Ok((Lacking { changes: count, age }, rows))
}

/// Brings one listed project's item in this category up to date. What cannot be read does not stop the others.
async fn one(
    state: &AppState,
    category: &Category,
    known: Option<&Known>,
    listing: ProjectFacts,
    extent: Extent,
    read_at: i64,
) -> Result<Summary> {
    let mut summary = Summary::default();
    let print = fingerprint(&listing);
    let is_news = known.is_none_or(|known| known.listing != print) || is_recent(&listing, read_at);
    if extent == Extent::News && !is_news {
        summary.skipped += 1;
        return Ok(summary);
    }
    let items = match whole(state, category, &listing, &print).await {
        Ok(Some(items)) => items,
        // Gone since it was listed; what is stored of it goes with the next round.
        Ok(None) => return Ok(summary),
        Err(error) => {
            tracing::warn!(project = listing.id.0, %error, "a project could not be read");
            summary.failed += 1;
            if known.is_some() {
                return Ok(summary);
            }
            // Not remembered as read: the next round tries again.
            build(state, unreadable(&listing, &error), &[category], String::new()).await?
        }
    };
    for item in items {
        write(state, &item, known, read_at, &mut summary).await?;
    }
    Ok(summary)
}

async fn whole(
    state: &AppState,
    category: &Category,
    listing: &ProjectFacts,
    print: &str,
) -> Result<Option<Vec<StoredItem>>> {
    let Some(facts) = state.gitlab.project_facts(token(state)?, listing.id).await? else { return Ok(None) };
    build(state, facts, &[category], print.to_owned()).await.map(Some)
}

fn is_recent(listing: &ProjectFacts, now: i64) -> bool {
    OffsetDateTime::parse(&listing.last_activity_at, &Rfc3339)
        .is_ok_and(|active| now - active.unix_timestamp() * 1_000 < RECENTLY_MS)
}

/// Stored items of this category between two projects of GitLab's list that it does not name: looked at one by
/// one, and removed if they are gone.
async fn vanished(
    state: &AppState,
    category: &Category,
    stored: &Stored,
    page: &[ProjectFacts],
    (after, last): (Option<ProjectId>, Option<ProjectId>),
    read_at: i64,
) -> Result<Summary> {
    let first = after.map_or(ProjectId(0), |after| ProjectId(after.0 + 1));
    let last = last.unwrap_or(ProjectId(u64::MAX));
    let missing = stored
        .range((category.id.clone(), first)..=(category.id.clone(), last))
        .map(|((_, id), _)| *id)
        .filter(|id| !page.iter().any(|project| project.id == *id));
    let mut summary = Summary::default();
    for id in missing {
        let facts = match state.gitlab.project_facts(token(state)?, id).await {
            Ok(facts) => facts,
            Err(error) => {
                tracing::warn!(project = id.0, %error, "a project that is no longer listed could not be asked for");
                summary.failed += 1;
                continue;
            }
        };
        let stays = facts.is_some_and(|facts| facts.topics.contains(&category.topic));
        if !stays && state.store.remove_catalog_item(id, &category.id, read_at).await? {
            summary.removed += 1;
        }
    }
    Ok(summary)
}

/// Removes the items of categories that are no longer configured.
async fn orphans(state: &AppState, stored: &Stored) -> Result<Summary> {
    let mut summary = Summary::default();
    let read_at = state.clock.now_ms();
    for (collection, id) in stored.keys() {
        let configured = state.config.categories.iter().any(|category| category.id == *collection);
        if !configured && state.store.remove_catalog_item(*id, collection, read_at).await? {
            summary.removed += 1;
        }
    }
    Ok(summary)
}

/// Writes a new snapshot if the last one lacks much, or is so old that the signs of removed items fade.
async fn snapshot(state: &AppState) -> Result<()> {
    let upto = state.clock.now_ms();
    let (lacking, rows) = rows(state).await?;
    let is_old = lacking.changes > 0 && lacking.age.is_some_and(|age| age >= SNAPSHOT_MS);
    if lacking.changes < MANY_CHANGES && !is_old {
        return Ok(());
    }
    let mut rows: Vec<_> = rows.into_values().map(|(row, known)| (row, known.version, known.listing)).collect();
    // In the order of the index, which is then made three times as quickly.
    rows.sort_by(|(left, ..), (right, ..)| (&left.id, &left.collection).cmp(&(&right.id, &right.collection)));
    Snapshot { upto, rows }.write(&state.objects).await
}
