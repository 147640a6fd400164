//! Reads back registered models: numbers without gaps, each given once, and what belongs to them.

use std::collections::BTreeMap;

use http::Method;
use serde_json::Value;

use crate::check::{Findings, Late, pairs};
use crate::client::{Client, encoded};
use crate::ledger::ModelRecord;

pub(crate) async fn check_model(client: &Client, model: &ModelRecord) -> Findings {
    let mut findings = Findings { models: 1, ..Findings::default() };
    let what = format!("model {}:", model.name);
    let reply =
        client.get("registered-models/get", &format!("registered-models/get?name={}", encoded(&model.name))).await;
    if !reply.is_ok() {
        findings.lost.push(format!("{what} {reply:?}"));
        return findings;
    }
    let aliases = reply.json()["registered_model"]["aliases"].clone();
    let aliases = aliases.as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let aliases: BTreeMap<String, String> =
        aliases.map(|found| (text(&found["alias"]), text(&found["version"]))).collect();
    findings.cells(&format!("{what} alias"), &model.aliases, &aliases, Late::Harmless);

    let found = versions(client, model, &mut findings, &what).await;
    findings.versions += found.len();
    let numbers: Vec<u64> = found.keys().copied().collect();
    if numbers != (1..=numbers.len() as u64).collect::<Vec<_>>() {
        findings.lost.push(format!("{what} its versions have gaps: {numbers:?}"));
    }
    for (number, marker) in &model.versions {
        let there = found.get(number).map(|version| pairs(&version["tags"])["marker"].clone());
        if there.as_ref() != Some(marker) {
            findings.lost.push(format!("{what} version {number} is {there:?} instead of {marker}"));
        }
    }
    let mut perhaps = model.perhaps.clone();
    for (number, version) in found.iter().filter(|(number, _)| !model.versions.contains_key(number)) {
        let marker = pairs(&version["tags"])["marker"].clone();
        match perhaps.get_mut(&marker).filter(|left| **left > 0) {
            // A try without an answer had made it.
            Some(left) => {
                *left -= 1;
                findings.perhaps += 1;
            }
            None => findings.strange.push(format!("{what} nobody made version {number} ({marker})")),
        }
    }
    for (number, cell) in &model.stages {
        let stage = found.get(number).and_then(|version| version["current_stage"].as_str());
        findings.cell(&format!("{what} stage of version {number}"), cell, stage, Late::Harmless);
    }
    findings
}

async fn versions(client: &Client, model: &ModelRecord, findings: &mut Findings, what: &str) -> BTreeMap<u64, Value> {
    let (mut all, mut token) = (BTreeMap::new(), String::new());
    loop {
        let filter = encoded(&format!("name = '{}'", model.name));
        let mut path = format!("model-versions/search?max_results=1000&filter={filter}");
        if !token.is_empty() {
            path = format!("{path}&page_token={}", encoded(&token));
        }
        let reply = client.mlflow("model-versions/search", Method::GET, &path, &Value::Null).await;
        let page = reply.json();
        for version in page["model_versions"].as_array().into_iter().flatten() {
            let number = version["version"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0);
            if all.insert(number, version.clone()).is_some() {
                findings.doubled.push(format!("{what} a search shows version {number} twice"));
            }
        }
        match page["next_page_token"].as_str() {
            Some(next) if !next.is_empty() => token = next.to_owned(),
            _ => return all,
        }
    }
}
