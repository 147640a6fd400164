//! Reads back all that the hub has acknowledged: nothing lost, nothing doubled, nothing that nobody wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;
use serde_json::{Value, json};

use crate::client::Client;
use crate::ledger::{Cell, Cells, ExperimentRecord, Found, Ledger, RunRecord, Series, content, timestamp, value};
use crate::runs::file_path;

/// Things read back at the same time.
const AT_A_TIME: usize = 16;
/// Points of a page of a history.
const PAGE: usize = 5_000;

/// What a write that lands late may do to a cell, as `docs/RELIABILITY.md` says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Late {
    /// A tag, a status, a name: it may stand over a newer value.
    MayStand,
    /// A param, a lifecycle, an alias, a stage: it undoes nothing.
    Harmless,
}

/// What reading back has shown.
#[derive(Debug, Default)]
pub struct Findings {
    pub runs: usize,
    pub experiments: usize,
    pub points: usize,
    pub params: usize,
    pub tags: usize,
    pub files: usize,
    pub models: usize,
    pub versions: usize,
    /// Acknowledged and not there, or not as it was written.
    pub lost: Vec<String>,
    /// There more than once.
    pub doubled: Vec<String>,
    /// There, though nobody wrote it.
    pub strange: Vec<String>,
    /// A tag, status or name overtaken by an older write that landed late.
    pub overtaken: Vec<String>,
    /// Found although it was not acknowledged: a lost answer's write.
    pub perhaps: usize,
}

impl Findings {
    /// Is everything as it was acknowledged? What is `overtaken` is not counted: it is not promised.
    pub fn is_clean(&self) -> bool {
        self.lost.is_empty() && self.doubled.is_empty() && self.strange.is_empty()
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.experiments += other.experiments;
        self.points += other.points;
        self.params += other.params;
        self.tags += other.tags;
        self.files += other.files;
        self.models += other.models;
        self.versions += other.versions;
        self.lost.extend(other.lost);
        self.doubled.extend(other.doubled);
        self.strange.extend(other.strange);
        self.overtaken.extend(other.overtaken);
        self.perhaps += other.perhaps;
    }

    /// Compares a value with what was written to it.
    pub(crate) fn cell(&mut self, what: &str, cell: &Cell, found: Option<&str>, late: Late) {
        match cell.look(found) {
            Found::Right => {}
            Found::Older => {
                let list = if late == Late::MayStand { &mut self.overtaken } else { &mut self.lost };
                list.push(format!("{what} is {found:?}, an older value than {cell:?}"));
            }
            Found::Wrong => self.lost.push(format!("{what} is {found:?} instead of {cell:?}")),
        }
    }

    /// Compares all pairs of one kind; what was never written is strange.
    pub(crate) fn cells(&mut self, what: &str, written: &Cells, found: &BTreeMap<String, String>, late: Late) {
        for (key, cell) in written {
            self.cell(&format!("{what} {key}"), cell, found.get(key).map(String::as_str), late);
        }
        for key in found.keys().filter(|key| !written.contains_key(*key) && !key.starts_with("mlflow.")) {
            self.strange.push(format!("{what} {key} was never written"));
        }
    }
}

/// Reads everything back.
pub async fn check(client: &Arc<Client>, ledger: &Ledger) -> Findings {
    let mut all = Findings::default();
    let mut runs = stream::iter(ledger.runs.clone())
        .map(|run| {
            let client = client.clone();
            tokio::spawn(async move { check_run(&client, &run).await })
        })
        .buffer_unordered(AT_A_TIME);
    while let Some(findings) = runs.next().await {
        all.add(findings.unwrap());
    }
    for experiment in &ledger.experiments {
        let runs: Vec<&RunRecord> = ledger.runs.iter().filter(|run| run.experiment == experiment.id).collect();
        all.add(check_experiment(client, experiment, &runs).await);
    }
    for model in &ledger.models {
        all.add(crate::check_registry::check_model(client, model).await);
    }
    all
}

pub(crate) fn pairs(list: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    list.as_array().into_iter().flatten().map(|pair| (text(&pair["key"]), text(&pair["value"]))).collect()
}

async fn check_run(client: &Client, run: &RunRecord) -> Findings {
    let mut findings = Findings { runs: 1, ..Findings::default() };
    let reply = client.get("runs/get", &format!("runs/get?run_id={}", run.id)).await;
    if !reply.is_ok() {
        findings.lost.push(format!("run {}: {reply:?}", run.id));
        return findings;
    }
    let found = reply.json()["run"].clone();
    let what = format!("run {}:", run.id);
    findings.cell(&format!("{what} status"), &run.status, found["info"]["status"].as_str(), Late::MayStand);
    let lifecycle = found["info"]["lifecycle_stage"].as_str();
    findings.cell(&format!("{what} lifecycle"), &run.lifecycle, lifecycle, Late::Harmless);
    let (params, tags) = (pairs(&found["data"]["params"]), pairs(&found["data"]["tags"]));
    findings.params += params.len();
    findings.tags += tags.len();
    findings.cells(&format!("{what} param"), &run.params, &params, Late::Harmless);
    findings.cells(&format!("{what} tag"), &run.tags, &tags, Late::MayStand);
    for (metric, series) in &run.series {
        let what = format!("{what} {metric}");
        let steps = check_history(client, run, metric, series, &mut findings, &what).await;
        let metrics = found["data"]["metrics"].as_array();
        let latest = metrics.into_iter().flatten().find(|found| found["key"] == metric.as_str());
        let (step, number) =
            (latest.and_then(|found| found["step"].as_i64()), latest.and_then(|found| found["value"].as_f64()));
        if step != steps.last().copied() || number != step.map(|step| value(run.seed, metric, step)) {
            findings.lost.push(format!("{what}: its latest value is {latest:?}, its last step {:?}", steps.last()));
        }
    }
    for (file, &(size, seed)) in &run.files {
        findings.files += 1;
        let reply = client.artifact("GET artifacts", &file_path(run, file), None).await;
        if !reply.is_ok() || reply.bytes != content(size, seed) {
            findings.lost.push(format!(
                "{what} file {file}: {:?}, {} bytes instead of {size}",
                reply.status,
                reply.bytes.len()
            ));
        }
    }
    findings
}

/// The steps that a history has.
async fn check_history(
    client: &Client,
    run: &RunRecord,
    metric: &str,
    series: &Series,
    findings: &mut Findings,
    what: &str,
) -> BTreeSet<i64> {
    let (mut steps, mut token) = (BTreeSet::new(), String::new());
    loop {
        let query = format!("run_id={}&metric_key={}&max_results={PAGE}", run.id, crate::client::encoded(metric));
        let path = format!("metrics/get-history?{query}&page_token={}", crate::client::encoded(&token));
        let path = if token.is_empty() { format!("metrics/get-history?{query}") } else { path };
        let reply = client.get("metrics/get-history", &path).await;
        if !reply.is_ok() {
            findings.lost.push(format!("{what}: no history: {reply:?}"));
            return steps;
        }
        let page = reply.json();
        for point in page["metrics"].as_array().into_iter().flatten() {
            findings.points += 1;
            let (Some(step), time, number) =
                (point["step"].as_i64(), point["timestamp"].as_i64(), point["value"].as_f64())
            else {
                findings.strange.push(format!("{what}: {point}"));
                continue;
            };
            if time != Some(timestamp(step)) || number != Some(value(run.seed, metric, step)) {
                findings.strange.push(format!("{what}: {point} was never written"));
            } else if !steps.insert(step) {
                findings.doubled.push(format!("{what}: step {step}"));
            }
        }
        match page["next_page_token"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    let mut unexplained = steps.clone();
    for &(from, to) in &series.acknowledged {
        for step in from..to {
            if !unexplained.remove(&step) {
                findings.lost.push(format!("{what}: step {step}"));
            }
        }
    }
    for &(from, to) in &series.perhaps {
        findings.perhaps += (from..to).filter(|step| unexplained.remove(step)).count();
    }
    findings.strange.extend(unexplained.iter().map(|step| format!("{what}: step {step} was never written")));
    steps
}

async fn check_experiment(client: &Client, experiment: &ExperimentRecord, runs: &[&RunRecord]) -> Findings {
    let mut findings = Findings { experiments: 1, ..Findings::default() };
    let what = format!("experiment {}:", experiment.id);
    let reply = client.get("experiments/get", &format!("experiments/get?experiment_id={}", experiment.id)).await;
    let found = reply.json()["experiment"].clone();
    let lifecycle = found["lifecycle_stage"].as_str();
    findings.cell(&format!("{what} lifecycle"), &experiment.lifecycle, lifecycle, Late::Harmless);
    findings.cells(&format!("{what} tag"), &experiment.tags, &pairs(&found["tags"]), Late::MayStand);
    let (mut ids, mut token) = (BTreeSet::new(), Value::Null);
    loop {
        let body =
            json!({"experiment_ids": [experiment.id], "run_view_type": "ALL", "max_results": 500, "page_token": token});
        let page = client.post("runs/search", &body).await.json();
        for run in page["runs"].as_array().into_iter().flatten() {
            let id = run["info"]["run_id"].as_str().unwrap_or_default();
            if !ids.insert(id.to_owned()) {
                findings.doubled.push(format!("{what} a search shows {id} twice"));
            }
        }
        match page["next_page_token"].as_str() {
            Some(next) => token = json!(next),
            None => break,
        }
    }
    let missing = runs.iter().filter(|run| !ids.remove(&run.id));
    findings.lost.extend(missing.map(|run| format!("{what} a search does not show {}", run.id)));
    findings.perhaps += ids.len();
    if ids.len() > experiment.perhaps_runs {
        let most = experiment.perhaps_runs;
        findings.strange.push(format!("{what} {} runs that nobody heard of, at most {most} explained", ids.len()));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tags_statuses_and_names_may_be_overtaken() {
        let mut cell = Cell::default();
        cell.written(Some("old"), true);
        cell.written(Some("new"), true);
        for (late, is_clean) in [(Late::MayStand, true), (Late::Harmless, false)] {
            let mut findings = Findings::default();
            findings.cell("it", &cell, Some("new"), late);
            assert!(findings.is_clean() && findings.overtaken.is_empty());
            findings.cell("it", &cell, Some("old"), late);
            assert_eq!((findings.is_clean(), findings.overtaken.len()), (is_clean, usize::from(is_clean)));
            findings.cell("it", &cell, Some("nobody's"), late);
            assert!(!findings.is_clean());
        }
    }
}
