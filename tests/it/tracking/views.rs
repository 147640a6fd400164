//! Both views: what they show of owners can be searched.

use http::Method;
use serde_json::{Value, json};

use crate::hub::{DEVELOPER, GLOBAL, Hub};

/// GET with these query parameters, below `view`; the names in one of the answer's lists.
async fn names(hub: &Hub, view: &str, endpoint: &str, filter: &str, list: &str) -> Vec<String> {
    let query: String = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("max_results", "100"), ("filter", filter)])
        .finish();
    let path = format!("{view}/api/2.0/mlflow/{endpoint}?{query}");
    let found = hub.call(DEVELOPER, Method::GET, &path, None).await.ok();
    let name = |entry: &Value| entry["name"].as_str().unwrap().to_owned();
    found[list].as_array().map(|entries| entries.iter().map(name).collect()).unwrap_or_default()
}

#[tokio::test]
async fn the_global_view_searches_by_owner() {
    let hub = Hub::start().await;
    for (project, name) in [("earth/flood-model", "floods"), ("earth/land-cover", "ice")] {
        let tags = json!([{"key": "project", "value": project}, {"key": "team", "value": "water"}]);
        for endpoint in ["experiments/create", "registered-models/create"] {
            let path = format!("{GLOBAL}/api/2.0/mlflow/{endpoint}");
            hub.call(DEVELOPER, Method::POST, &path, Some(json!({"name": name, "tags": tags}))).await.ok();
        }
    }
    for (endpoint, list) in [("experiments/search", "experiments"), ("registered-models/search", "registered_models")] {
        for (filter, expected) in [
            ("tags.project = 'earth/flood-model'", vec!["floods (1)"]),
            ("tags.project = 'earth/flood-model' AND tags.team = 'water'", vec!["floods (1)"]),
            ("tags.project LIKE '%flood-model' AND name = 'floods (1)'", vec!["floods (1)"]),
            ("tags.project = 'earth/none'", vec![]),
        ] {
            assert_eq!(names(&hub, GLOBAL, endpoint, filter, list).await, expected, "{endpoint} {filter}");
        }
        let others = names(&hub, GLOBAL, endpoint, "tags.project != 'earth/flood-model' AND tags.team = 'water'", list);
        assert_eq!(others.await.len(), 1, "{endpoint}");
    }
}

#[tokio::test]
async fn a_project_view_takes_names_with_its_id() {
    let hub = Hub::start().await;
    hub.new_experiment("floods").await;
    for (filter, expected) in [
        ("name = 'floods'", vec!["floods"]),
        ("name = 'floods (1)'", vec!["floods"]),
        ("name = 'floods (2)'", vec![]),
        ("name != 'floods (1)'", vec!["Default"]),
        ("name LIKE 'floods (%'", vec![]),
    ] {
        let found = names(&hub, crate::hub::FLOOD, "experiments/search", filter, "experiments").await;
        assert_eq!(found, expected, "{filter}");
    }
}
