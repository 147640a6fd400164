//! What a client does with registered models: its own, and those that all share.

use http::Method;
use rand::Rng;
use serde_json::{Value, json};

use crate::client::encoded;
use crate::ledger::ModelRecord;
use crate::worker::{Worker, Written};

impl Worker {
    pub async fn create_own_model(&mut self) {
        let name = format!("own {}", self.mark);
        let reply = self.client.post("registered-models/create", &json!({"name": name})).await;
        // The second try finds the name taken by the first.
        if reply.is_ok() || reply.retried() {
            self.ledger.models.push(ModelRecord { name, ..ModelRecord::default() });
        }
    }

    /// Does something to the record of a model, the client's own or a shared one.
    fn with_model<T>(&mut self, shared: Option<usize>, change: impl FnOnce(&mut ModelRecord) -> T) -> Option<T> {
        match shared {
            Some(number) => Some(change(&mut self.shared.models[number].lock().unwrap())),
            None => self.ledger.models.first_mut().map(change),
        }
    }

    fn choose_model(&mut self) -> Option<usize> {
        self.random.random_bool(0.4).then(|| self.random.random_range(0..self.shared.models.len()))
    }

    pub async fn create_version(&mut self) {
        let model = self.choose_model();
        let Some(name) = self.with_model(model, |model| model.name.clone()) else { return };
        let marker = self.new_name();
        let body = json!({"name": name, "source": "s3://bucket/model", "tags": [{"key": "marker", "value": marker}]});
        let (written, unanswered) = self.create("model-versions/create", &body).await;
        if unanswered > 0 {
            self.with_model(model, |model| model.perhaps.insert(marker.clone(), unanswered));
        }
        if let Written::Yes(answer) = written {
            let number: u64 = answer["model_version"]["version"].as_str().unwrap().parse().unwrap();
            let taken = self.with_model(model, |model| model.versions.insert(number, marker));
            if let Some(Some(other)) = taken {
                self.ledger.surprises.push(format!("version {number} of {name} was given twice, first to {other}"));
            }
        }
    }

    fn own_version(&self) -> Option<(String, u64)> {
        let model = self.ledger.models.first()?;
        Some((model.name.clone(), *model.versions.keys().next_back()?))
    }

    pub async fn set_alias(&mut self) {
        let Some((name, version)) = self.own_version() else { return };
        let alias = format!("alias{}", self.random.random_range(0..4));
        let body = json!({"name": name, "alias": alias, "version": version.to_string()});
        let written = self.write("registered-models/alias", &body).await;
        if !matches!(written, Written::No) {
            let cell = self.ledger.models[0].aliases.entry(alias).or_default();
            cell.written(Some(&version.to_string()), matches!(written, Written::Yes(_)));
        }
    }

    pub async fn move_to_stage(&mut self) {
        let Some((name, version)) = self.own_version() else { return };
        let stage = ["Staging", "Production", "None"][self.random.random_range(0..3)];
        let body =
            json!({"name": name, "version": version.to_string(), "stage": stage, "archive_existing_versions": false});
        let written = self.write("model-versions/transition-stage", &body).await;
        if !matches!(written, Written::No) {
            let cell = self.ledger.models[0].stages.entry(version).or_default();
            cell.written(Some(stage), matches!(written, Written::Yes(_)));
        }
    }

    pub async fn search_versions(&mut self) {
        let model = self.choose_model();
        let Some(name) = self.with_model(model, |model| model.name.clone()) else { return };
        let path = format!("model-versions/search?max_results=20&filter={}", encoded(&format!("name = '{name}'")));
        let reply = self.client.mlflow("model-versions/search", Method::GET, &path, &Value::Null).await;
        self.outcome("model-versions/search", &reply);
    }
}
