//! The OpenAPI document against the routes, and how it is served.
//! `UPDATE_OPENAPI=1 cargo test --workspace --test it openapi` rewrites `functions/api-docs/openapi.json`.

use std::collections::BTreeSet;

use http::{Method, StatusCode, header};
use local::groups::groups;
use local::openapi;
use serde_json::Value;
use shared::route::Rule;

use crate::house::{read, root};
use crate::hub::Hub;

const FILE: &str = "functions/api-docs/openapi.json";

fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let of_path = |(path, item): (&String, &'_ Value)| -> Vec<String> {
        item.as_object().unwrap().keys().map(|method| format!("{method} {path}")).collect()
    };
    let names: Vec<String> = paths.flat_map(of_path).collect();
    let find = |name: &str| {
        let (method, path) = name.split_once(' ').unwrap();
        &document["paths"][path][method]
    };
    names.into_iter().map(|name| (name.clone(), find(&name))).collect()
}

#[test]
fn the_file_is_what_the_routes_say() {
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(root().join(FILE), openapi::text()).unwrap();
    }
    assert_eq!(read(FILE), openapi::text(), "run UPDATE_OPENAPI=1 cargo test --workspace --test it openapi");
}

/// The operation at a route's path or, of twins, at the one below `/api`.
fn find<'a>(document: &'a Value, path: &str, method: &Method) -> &'a Value {
    // The root of MLflow's is at its base.
    let path = if path == "/mlflow/" { "/mlflow" } else { path }.replace("{*", "{");
    let item = match (&document["paths"][&path], path.replacen("/ajax-api/", "/api/", 1)) {
        (Value::Null, twin) => &document["paths"][twin],
        (item, _) => item,
    };
    &item[method.as_str().to_lowercase()]
}

#[test]
fn every_route_is_described() {
    let document = openapi::document();
    let mut described = 0;
    for group in groups() {
        for route in &group.routes {
            assert!(!route.shapes.is_empty(), "{} {}{} is not documented", route.method, group.base, route.path);
            for shape in &route.shapes {
                let words = &shape.operation;
                let path = shape.path.unwrap_or(&route.path);
                let name = format!("{} {}{path}", route.method, group.base);
                assert!(!words.tag.is_empty() && !words.summary.is_empty(), "{name} is not documented");
                for variable in path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
                    let is_known = words.path.iter().any(|(known, _)| *known == variable.trim_start_matches('*'));
                    assert!(is_known || !route.implemented, "{name}: {variable} is not documented");
                }
                let operation = find(&document, &format!("{}{path}", group.base), &route.method);
                assert!(operation.is_object(), "{name} is not in the document");
                assert_eq!(operation["security"].as_array().unwrap().is_empty(), route.rule == Rule::Anyone, "{name}");
                assert_eq!(operation["responses"]["501"].is_object(), !route.implemented, "{name}");
                assert_eq!(operation["responses"]["200"].is_object(), route.implemented, "{name}");
                described += 1;
            }
        }
    }
    assert!(described > 150, "{described}");
}

#[test]
fn everything_has_a_name_and_a_meaning() {
    let document = openapi::document();
    let mut ids = BTreeSet::new();
    for (name, operation) in operations(&document) {
        assert!(
            ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
            "{name}: another has its operationId"
        );
        for parameter in operation["parameters"].as_array().unwrap() {
            assert!(parameter["description"].is_string(), "{name}: {parameter} has no description");
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        // The names that schemars gives to the second of two types.
        let is_made_up = name.ends_with(|last: char| last.is_ascii_digit());
        assert!(!is_made_up, "{name}: two types have one name; `#[schemars(rename = \"..\")]` one of them");
        for (property, schema) in schema["properties"].as_object().into_iter().flatten() {
            assert!(schema["description"].is_string(), "{name}.{property} has no description");
        }
    }
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(document.pointer(reference).is_some(), "{reference} leads nowhere");
    }
}

#[tokio::test]
async fn the_document_names_the_hub() {
    let hub = Hub::start().await;
    let answer = hub.call("", Method::GET, "/openapi.json", None).await;
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/vnd.oai.openapi+json;version=3.1");
    let served = answer.ok();
    assert_eq!(served["servers"][0]["url"], hub.state.config.public_url);
    assert_eq!(served["paths"], openapi::document()["paths"]);
}

#[tokio::test]
async fn swagger_ui_needs_nothing_from_elsewhere() {
    let hub = Hub::start().await;
    let page = hub.call("", Method::GET, "/api/docs", None).await;
    assert_eq!(page.status, StatusCode::OK);
    let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe"), "{policy}");
    let text = String::from_utf8(page.bytes.to_vec()).unwrap();
    assert!(!text.contains("://") && !text.contains("<style") && !text.contains("<script>"), "{text}");
    let mut files = 0;
    for link in text.split('"').filter(|text| text.starts_with("docs/")) {
        let file = hub.call("", Method::GET, &format!("/api/{link}"), None).await;
        assert_eq!(file.status, StatusCode::OK, "{link}");
        assert!(!file.bytes.is_empty() && file.bytes.len() < shared::extract::BODY_LIMIT, "{link}");
        files += 1;
    }
    assert_eq!(files, 5);
    let missing = hub.call("", Method::GET, "/api/docs/index.html", None).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(missing.json()["status_code"], 404);
}
