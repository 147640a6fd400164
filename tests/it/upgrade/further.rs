//! Every fixture is written to: what was there before stays, what is new comes beside it.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::fixture::Fixture;
use super::questions::{again, differences};
use super::world::put_file;
use crate::hub::{DEVELOPER, FLOOD, Hub};

async fn steps(hub: &Hub, run: &str, metric: &str) -> Vec<i64> {
    let history = hub.get(&format!("metrics/get-history?run_id={run}&metric_key={metric}")).await.ok();
    history["metrics"].as_array().unwrap().iter().map(|point| point["step"].as_i64().unwrap()).collect()
}

fn tag(run: &Value, key: &str) -> Option<String> {
    let tags = run["data"]["tags"].as_array()?;
    tags.iter().find(|tag| tag["key"] == key).and_then(|tag| tag["value"].as_str().map(str::to_owned))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn runs_of_a_fixture_go_on() {
    for fixture in Fixture::all() {
        for later in [Some(0), None] {
            let hub = fixture.open(later).await;
            let names = fixture.about()["names"].clone();
            let id = |name: &str| names[name].as_str().unwrap().to_owned();
            for (run, metric) in
                [(id("open run"), "loss"), (id("closed run"), "loss"), (id("run with inputs"), "many%20points")]
            {
                let before = steps(&hub, &run, metric).await;
                let next = before.iter().max().unwrap() + 1;
                let key = metric.replace("%20", " ");
                let point = json!({"run_id": run, "key": key, "value": 42, "timestamp": 9_000_000, "step": next});
                hub.post("runs/log-metric", point).await.ok();
                let after = steps(&hub, &run, metric).await;
                assert_eq!((after.len(), after.last()), (before.len() + 1, Some(&next)));
                // Latest when it is open, when it closes, and when it is closed.
                for pass in [0, 200_000, 200_000] {
                    hub.clock.advance(pass);
                    let found = hub.run(&run).await;
                    let metrics = found["data"]["metrics"].as_array().unwrap();
                    let latest = metrics.iter().find(|found| found["key"] == key.as_str()).unwrap();
                    assert_eq!((&latest["step"], &latest["value"]), (&json!(next), &json!(42.0)), "{run}");
                }
            }
            // Params stay write-once, tags on overflow pages are replaced in place.
            let large = id("large run");
            let conflict = json!({"run_id": large, "key": "key 1", "value": "other"});
            assert_eq!(hub.post("runs/log-parameter", conflict).await.code(), "INVALID_PARAMETER_VALUE");
            hub.post("runs/set-tag", json!({"run_id": large, "key": "key 1", "value": "short"})).await.ok();
            hub.post("runs/log-parameter", json!({"run_id": large, "key": "new", "value": "v"})).await.ok();
            let found = hub.run(&large).await;
            assert_eq!(tag(&found, "key 1").as_deref(), Some("short"));
            assert_eq!(found["data"]["params"].as_array().unwrap().len(), 5);
            // Lifecycles, of runs and of whole experiments.
            hub.post("runs/restore", json!({"run_id": id("deleted run")})).await.ok();
            hub.post("experiments/restore", json!({"experiment_id": id("deleted experiment")})).await.ok();
            for run in ["deleted run", "run of a deleted experiment"] {
                assert_eq!(hub.run(&id(run)).await["info"]["lifecycle_stage"], "active", "{run}");
            }
            let taken = hub.post("experiments/create", json!({"name": "inundation"})).await;
            assert_eq!(taken.code(), "RESOURCE_ALREADY_EXISTS");
            let new: u64 = hub.new_experiment("after the upgrade").await.parse().unwrap();
            let known = names.as_object().unwrap().iter().filter(|(name, _)| name.contains("experiment"));
            let ids = known.filter_map(|(_, id)| id.as_str()?.parse::<u64>().ok());
            assert!(new > ids.max().unwrap(), "no id is given twice");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn models_and_files_of_a_fixture_go_on() {
    for fixture in Fixture::all() {
        let hub = fixture.open(None).await;
        let names = fixture.about()["names"].clone();
        let id = |name: &str| names[name].as_str().unwrap().to_owned();
        let version =
            hub.post("model-versions/create", json!({"name": "streams", "source": "s3://bucket/model"})).await.ok();
        assert_eq!(version["model_version"]["version"], "6", "the deleted number is not used again");
        hub.post("registered-models/alias", json!({"name": "streams", "alias": "best", "version": "6"})).await.ok();
        let stage =
            json!({"name": "streams", "version": "6", "stage": "Production", "archive_existing_versions": true});
        hub.post("model-versions/transition-stage", stage).await.ok();
        hub.post("registered-models/rename", json!({"name": "streams", "new_name": "brooks"})).await.ok();
        let best = hub.get("registered-models/alias?name=brooks&alias=best").await.ok();
        assert_eq!(best["model_version"]["version"], "6");
        let archived = hub.get("model-versions/get?name=brooks&version=2").await.ok();
        assert_eq!(archived["model_version"]["current_stage"], "Archived");
        let large = hub.get("model-versions/get?name=brooks&version=4").await.ok();
        assert_eq!(large["model_version"]["tags"].as_array().unwrap().len(), 5);

        let model = id("logged model");
        let path = format!("{FLOOD}/api/2.0/mlflow/logged-models/{model}/tags");
        let body = json!({"tags": [{"key": "new", "value": "v"}]});
        hub.call(DEVELOPER, Method::PATCH, &path, Some(body)).await.ok();
        let metric = json!({"run_id": id("run with inputs"), "key": "f1", "value": 0.9, "timestamp": 2, "step": 3, "model_id": model});
        hub.post("runs/log-metric", metric).await.ok();
        let found = hub.get(&format!("logged-models/{model}")).await.ok();
        assert_eq!(found["model"]["data"]["metrics"].as_array().unwrap().len(), 2);

        let file = format!("{}/{}/artifacts/notes/a.txt", id("experiment"), id("closed run"));
        put_file(&hub, &file, "hello again").await.ok();
        let path = format!("{FLOOD}/api/2.0/mlflow-artifacts/artifacts/{file}");
        let read = hub.call(DEVELOPER, Method::GET, &path, None).await;
        assert_eq!((read.status, &read.bytes[..]), (StatusCode::OK, &b"hello again"[..]));
    }
}

/// What was not written to answers as it did.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_rest_of_a_fixture_is_left_alone() {
    for fixture in Fixture::all() {
        let hub = fixture.open(None).await;
        let experiment = hub.new_experiment("beside").await;
        let run = hub.new_run(&experiment).await;
        hub.post("runs/log-metric", json!({"run_id": run, "key": "loss", "value": 1, "timestamp": 1})).await.ok();
        hub.post("registered-models/create", json!({"name": "beside"})).await.ok();
        hub.post("runs/create", json!({"experiment_id": "0"})).await.ok();
        catalog_sync::reconcile(&hub.state, catalog_sync::Extent::News, None).await.unwrap();
        // Lists of everything show what is new, and the catalog is written anew from this world's GitLab.
        let lists = ["experiments/search", "registered-models/search", "/api/stac/"];
        for recorded in fixture.lines("answers.jsonl") {
            let path = recorded["path"].as_str().unwrap();
            if !lists.iter().any(|list| path.contains(list)) {
                let found = again(&hub, &recorded).await;
                assert_eq!(differences(&found, &recorded, ""), Vec::<String>::new(), "{}: {path}", fixture.name);
            }
        }
    }
}
