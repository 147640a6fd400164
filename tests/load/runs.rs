//! What a client does with experiments and runs.

use bytes::Bytes;
use http::Method;
use rand::Rng;
use serde_json::{Value, json};

use crate::client::encoded;
use crate::ledger::{ExperimentRecord, RunRecord, content, timestamp, value};
use crate::worker::{RUNS_IN_HAND, Worker, Written};

const METRICS: [&str; 4] = ["loss", "accuracy", "eval/f1", "learning rate"];

/// The points of some steps, as a batch has them.
fn points(seed: u64, metric: &str, from: i64, to: i64) -> Vec<Value> {
    let point =
        |step| json!({"key": metric, "value": value(seed, metric, step), "timestamp": timestamp(step), "step": step});
    (from..to).map(point).collect()
}

impl Worker {
    /// The client's own experiment; false if it could not be made.
    pub async fn begin_experiment(&mut self) -> bool {
        let name = format!("load {}", self.mark);
        let reply = self.client.post("experiments/create", &json!({"name": name})).await;
        let mut id = reply.json()["experiment_id"].as_str().map(str::to_owned);
        if id.is_none() {
            // A try whose answer was lost had made it.
            let path = format!("experiments/get-by-name?experiment_name={}", encoded(&name));
            let found = self.client.get("experiments/get-by-name", &path).await.json();
            id = found["experiment"]["experiment_id"].as_str().map(str::to_owned);
        }
        let Some(id) = id else { return false };
        let mut experiment = ExperimentRecord { id, ..ExperimentRecord::default() };
        experiment.lifecycle.written(Some("active"), true);
        self.ledger.experiments.push(experiment);
        true
    }

    pub async fn create_run(&mut self) {
        let experiment = self.ledger.experiments[0].id.clone();
        let name = self.new_name();
        let body = json!({"experiment_id": experiment, "run_name": name, "start_time": timestamp(0), "tags": [{"key": "first", "value": "yes"}]});
        let (written, unanswered) = self.create("runs/create", &body).await;
        self.ledger.experiments[0].perhaps_runs += unanswered;
        let Written::Yes(answer) = written else { return };
        let mut run = RunRecord { experiment, seed: self.random.random(), ..RunRecord::default() };
        run.id = answer["run"]["info"]["run_id"].as_str().unwrap().to_owned();
        run.status.written(Some("RUNNING"), true);
        run.lifecycle.written(Some("active"), true);
        for (key, value) in [("first", "yes"), ("mlflow.runName", name.as_str())] {
            run.tags.entry(key.to_owned()).or_default().written(Some(value), true);
        }
        self.ledger.runs.push(run);
        let place = self.ledger.runs.len() - 1;
        if self.in_hand.len() >= RUNS_IN_HAND {
            self.in_hand.remove(0);
        }
        self.in_hand.push(place);
    }

    /// The next steps of a metric: their number, first and behind the last.
    fn steps(&mut self, run: usize, most: i64) -> (i64, i64) {
        let count = self.random.random_range(1..=most);
        let record = self.record(run);
        let from = record.next_step;
        record.next_step += count;
        (from, from + count)
    }

    fn log(&mut self, run: usize, metric: &str, steps: (i64, i64), written: &Written) {
        let series = self.record(run).series.entry(metric.to_owned()).or_default();
        match written {
            Written::Yes(_) => series.acknowledged.push(steps),
            Written::Perhaps => series.perhaps.push(steps),
            Written::No => {}
        }
    }

    pub async fn log_metric(&mut self, run: usize) {
        let metric = METRICS[self.random.random_range(0..METRICS.len())];
        let steps = self.steps(run, 1);
        let mut body = points(self.record(run).seed, metric, steps.0, steps.1).remove(0);
        body["run_id"] = json!(self.record(run).id);
        let written = self.write("runs/log-metric", &body).await;
        self.log(run, metric, steps, &written);
    }

    pub async fn log_metrics(&mut self, run: usize) {
        let mut all = Vec::new();
        let mut logged = Vec::new();
        for _ in 0..self.random.random_range(1..=3) {
            let metric = METRICS[self.random.random_range(0..METRICS.len())];
            let steps = self.steps(run, 40);
            all.extend(points(self.record(run).seed, metric, steps.0, steps.1));
            logged.push((metric, steps));
        }
        let body = json!({"run_id": self.record(run).id, "metrics": all});
        let written = self.write("runs/log-batch", &body).await;
        for (metric, steps) in logged {
            self.log(run, metric, steps, &written);
        }
    }

    /// Params, tags and metrics together; some of more pairs than one expression takes.
    pub async fn log_batch(&mut self, run: usize) {
        let count = if self.random.random_bool(0.1) { 60 } else { self.random.random_range(1..8) };
        let steps = self.steps(run, 5);
        let (mut params, mut tags) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let (key, text) = (self.new_key(run), self.text(60));
            params.push((key.clone(), text.clone()));
            tags.push((key, text));
        }
        let pairs = |pairs: &[(String, String)]| -> Vec<Value> {
            pairs.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
        };
        let metrics = points(self.record(run).seed, "loss", steps.0, steps.1);
        let body =
            json!({"run_id": self.record(run).id, "metrics": metrics, "params": pairs(&params), "tags": pairs(&tags)});
        let written = self.write("runs/log-batch", &body).await;
        self.log(run, "loss", steps, &written);
        if !matches!(written, Written::No) {
            let acknowledged = matches!(written, Written::Yes(_));
            let record = self.record(run);
            for (key, value) in params {
                record.params.entry(key).or_default().written(Some(&value), acknowledged);
            }
            for (key, value) in tags {
                record.tags.entry(key).or_default().written(Some(&value), acknowledged);
            }
        }
    }

    fn new_key(&mut self, run: usize) -> String {
        let record = self.record(run);
        record.next_name += 1;
        format!("key {}", record.next_name)
    }

    pub async fn log_parameter(&mut self, run: usize) {
        let (key, text) = (self.new_key(run), self.text(400));
        let body = json!({"run_id": self.record(run).id, "key": key, "value": text});
        let written = self.write("runs/log-parameter", &body).await;
        self.note(run, &written, |record, sure| record.params.entry(key).or_default().written(Some(&text), sure));
    }

    pub async fn set_tag(&mut self, run: usize) {
        // Some tags are written again and again.
        let key = if self.random.random_bool(0.5) { "again".to_owned() } else { self.new_key(run) };
        let text = self.text(200);
        let body = json!({"run_id": self.record(run).id, "key": key, "value": text});
        let written = self.write("runs/set-tag", &body).await;
        self.note(run, &written, |record, sure| record.tags.entry(key).or_default().written(Some(&text), sure));
    }

    pub async fn delete_tag(&mut self, run: usize) {
        let certain = |cell: &&crate::ledger::Cell| cell.is_certain() && cell.value().is_some();
        let found = self.record(run).tags.iter().find(|(key, cell)| key.starts_with("key") && certain(cell));
        let Some(key) = found.map(|(key, _)| key.clone()) else { return };
        let body = json!({"run_id": self.record(run).id, "key": key});
        let reply = self.client.post("runs/delete-tag", &body).await;
        // The second try finds nothing to delete.
        let gone = reply.retried() && reply.status.is_some_and(|status| status.as_u16() == 404);
        let written = if gone { Written::Yes(Value::Null) } else { self.outcome("runs/delete-tag", &reply) };
        self.note(run, &written, |record, sure| record.tags.entry(key).or_default().written(None, sure));
    }

    fn note(&mut self, run: usize, written: &Written, write: impl FnOnce(&mut RunRecord, bool)) {
        match written {
            Written::Yes(_) => write(self.record(run), true),
            Written::Perhaps => write(self.record(run), false),
            Written::No => {}
        }
    }

    pub async fn log_to_shared_run(&mut self) {
        let metric = format!("client {}", self.number);
        self.names += 1;
        let step = self.names.cast_signed();
        let (seed, id) = {
            let shared = self.shared.run.lock().unwrap();
            (shared.seed, shared.id.clone())
        };
        let (param, tag) = (format!("{metric} {step}"), format!("{metric} again"));
        let point = points(seed, &metric, step, step + 1);
        let pairs = |key: &str| json!([{"key": key, "value": step.to_string()}]);
        // Few of them, so that the run stays one that can be read.
        let with_pairs = self.random.random_bool(0.05);
        let body = match with_pairs {
            true => json!({"run_id": id, "metrics": point, "params": pairs(&param), "tags": pairs(&tag)}),
            false => json!({"run_id": id, "metrics": point}),
        };
        let written = self.write("runs/log-batch", &body).await;
        let acknowledged = matches!(written, Written::Yes(_));
        if matches!(written, Written::No) {
            return;
        }
        let mut record = self.shared.run.lock().unwrap();
        let series = record.series.entry(metric).or_default();
        if acknowledged { &mut series.acknowledged } else { &mut series.perhaps }.push((step, step + 1));
        if with_pairs {
            record.params.entry(param).or_default().written(Some(&step.to_string()), acknowledged);
            record.tags.entry(tag).or_default().written(Some(&step.to_string()), acknowledged);
        }
    }

    pub async fn change_status(&mut self, run: usize) {
        let status = ["FINISHED", "RUNNING", "FAILED"][self.random.random_range(0..3)];
        let body = json!({"run_id": self.record(run).id, "status": status, "end_time": timestamp(9)});
        let written = self.write("runs/update", &body).await;
        self.note(run, &written, |record, sure| record.status.written(Some(status), sure));
    }

    /// Deletes a run and, mostly, restores it at once.
    pub async fn delete_and_restore_run(&mut self, run: usize) {
        let body = json!({"run_id": self.record(run).id});
        let written = self.write("runs/delete", &body).await;
        self.note(run, &written, |record, sure| record.lifecycle.written(Some("deleted"), sure));
        if self.random.random_bool(0.8) {
            let written = self.write("runs/restore", &body).await;
            self.note(run, &written, |record, sure| record.lifecycle.written(Some("active"), sure));
        }
        let lifecycle = &self.record(run).lifecycle;
        if !(lifecycle.is_certain() && lifecycle.value() == Some("active")) {
            self.in_hand.retain(|other| *other != run);
        }
    }

    pub async fn tag_experiment(&mut self) {
        let (key, text) = (format!("tag {}", self.random.random_range(0..9)), self.text(50));
        let body = json!({"experiment_id": self.ledger.experiments[0].id, "key": key, "value": text});
        let written = self.write("experiments/set-experiment-tag", &body).await;
        if !matches!(written, Written::No) {
            let cell = self.ledger.experiments[0].tags.entry(key).or_default();
            cell.written(Some(&text), matches!(written, Written::Yes(_)));
        }
    }

    /// One of its own, which has no runs in hand.
    pub async fn delete_and_restore_experiment(&mut self) {
        let name = self.new_name();
        let created = self.client.post("experiments/create", &json!({"name": name})).await;
        let Some(id) = created.json()["experiment_id"].as_str().map(str::to_owned) else { return };
        let mut record = ExperimentRecord { id, ..ExperimentRecord::default() };
        record.lifecycle.written(Some("active"), true);
        for (endpoint, stage) in [("experiments/delete", "deleted"), ("experiments/restore", "active")] {
            let reply = self.client.post(endpoint, &json!({"experiment_id": record.id})).await;
            // The second try finds it done: 404 for what is not in the other stage.
            let done = reply.retried() && reply.status.is_some_and(|status| status.as_u16() == 404);
            match if done { Written::Yes(Value::Null) } else { self.outcome(endpoint, &reply) } {
                Written::Yes(_) => record.lifecycle.written(Some(stage), true),
                Written::Perhaps => record.lifecycle.written(Some(stage), false),
                Written::No => {}
            }
            if self.random.random_bool(0.5) {
                break;
            }
        }
        self.ledger.experiments.push(record);
    }

    pub async fn put_file(&mut self, run: usize) {
        let (size, seed) = (self.random.random_range(0..40_000), self.random.random());
        let file = format!("{}/file {}.bin", ["a", "b/c"][self.random.random_range(0..2)], self.new_name());
        let path = self.path(run, &file);
        let reply = self.client.artifact("PUT artifacts", &path, Some(Bytes::from(content(size, seed)))).await;
        if let Written::Yes(_) = self.outcome("PUT artifacts", &reply) {
            self.record(run).files.insert(file, (size, seed));
        }
    }

    pub async fn get_file(&mut self, run: usize) {
        let Some((file, &(size, seed))) = self.ledger.runs[run].files.iter().next_back() else { return };
        let path = self.path(run, file);
        let reply = self.client.artifact("GET artifacts", &path, None).await;
        if reply.is_ok() && reply.bytes != content(size, seed) {
            self.ledger.surprises.push(format!("{path}: other bytes than were put"));
        } else {
            self.outcome("GET artifacts", &reply);
        }
    }

    fn path(&self, run: usize, file: &str) -> String {
        file_path(&self.ledger.runs[run], file)
    }

    pub async fn read_run(&mut self, run: usize) {
        let path = format!("runs/get?run_id={}", self.record(run).id);
        let reply = self.client.get("runs/get", &path).await;
        self.outcome("runs/get", &reply);
    }

    pub async fn read_history(&mut self, run: usize) {
        let path = format!("metrics/get-history?run_id={}&metric_key=loss&max_results=500", self.record(run).id);
        let reply = self.client.get("metrics/get-history", &path).await;
        self.outcome("metrics/get-history", &reply);
    }

    pub async fn search_runs(&mut self) {
        let mut body = json!({"experiment_ids": [self.ledger.experiments[0].id], "max_results": 20});
        if self.random.random_bool(0.2) {
            body["filter"] = json!("metrics.loss > 0.5 and tags.first = 'yes'");
            body["order_by"] = json!(["metrics.loss DESC"]);
        }
        let path = "/mlflow/earth/flood-model/tracking/ajax-api/2.0/mlflow/runs/search";
        let reply = self.client.call("runs/search", Method::POST, path, Some(Bytes::from(body.to_string()))).await;
        self.outcome("runs/search", &reply);
    }
}

/// Where a file of a run is, below the artifact store.
pub fn file_path(run: &RunRecord, file: &str) -> String {
    format!("{}/{}/artifacts/{}", run.experiment, run.id, file.replace(' ', "%20"))
}
