//! One endpoint in the document.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use shared::auth::AccessLevel;
use shared::dialect::Dialect;
use shared::openapi::{Contract, Operation, Schemas};
use shared::route::{Route, Rule};

use super::errors::Errors;
use super::schemas::optional;

/// The routes that the document lists: of `/api` and `/ajax-api` twins the first.
pub fn documented(routes: &[Route]) -> impl Iterator<Item = &Route> {
    let all: BTreeSet<&str> = routes.iter().map(|route| route.path.as_str()).collect();
    routes.iter().filter(move |route| {
        let twin = route.path.strip_prefix("/ajax-api/").map(|rest| format!("/api/{rest}"));
        twin.is_none_or(|twin| !all.contains(twin.as_str()))
    })
}

/// A path as OpenAPI writes it: `{*path}` is just another variable.
pub fn path(base: &str, path: &str) -> String {
    let path = if path == "/" { "" } else { path };
    match format!("{base}{path}").replace("{*", "{") {
        root if root.is_empty() => "/".to_owned(),
        path => path,
    }
}

fn variables(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split('}').next())
}

/// The operation object of a route.
pub fn operation(
    dialect: Dialect,
    path: &str,
    route: &Route,
    words: &Operation,
    schemas: &mut Schemas,
    errors: &mut Errors,
) -> Value {
    let contract = route.contract(words, schemas);
    let example: Value = words.example.map_or(Value::Null, |text| read(path, text));
    let mut parameters: Vec<Value> = variables(path).map(|name| path_parameter(name, words.path)).collect();
    parameters.extend(query_parameters(&contract, &example));
    parameters.extend(words.headers.iter().map(|(name, description)| {
        json!({"name": name, "in": "header", "description": description, "schema": {"type": "string"}})
    }));
    let mut responses = answers(path, &contract, words.answer);
    errors.add(dialect, route, &mut responses);
    let mut operation = json!({
        "operationId": id(path, route, words),
        "tags": [words.tag],
        "summary": words.summary,
        "description": description(words, route.rule),
        "parameters": parameters,
        "responses": responses,
        "security": security(route.rule),
    });
    if let Some(body) = body(&contract, &example) {
        operation["requestBody"] = body;
    }
    operation
}

/// An example of ours, which is JSON or a mistake of the first test run.
fn read(path: &str, text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("an example of {path} is no JSON: {error}"))
}

fn id(path: &str, route: &Route, words: &Operation) -> String {
    match words.id {
        Some(id) => id.to_owned(),
        None if route.implemented => route.name.to_owned(),
        None => format!("not_served{}", path.replace(['{', '}'], "").replace(['/', '-', '.'], "_")),
    }
}

fn description(words: &Operation, rule: Rule) -> String {
    let who = match rule {
        Rule::Anyone => "For anyone, without credentials.".to_owned(),
        Rule::Level(level) => format!("For {}.", who(level)),
        Rule::Visitor(level) => {
            format!("For {}. Public projects also for visitors without a token, if the hub is set up so.", who(level))
        }
        Rule::Webhook => "For GitLab's webhooks, by their secret.".to_owned(),
    };
    [words.description, &who].join("\n\n").trim_start().to_owned()
}

fn who(level: AccessLevel) -> &'static str {
    match level {
        AccessLevel::NoAccess | AccessLevel::Guest => "*readers*: whoever GitLab shows the project to",
        AccessLevel::ReadOnly => "whoever may read the project's repository",
        AccessLevel::Contributor => "*developers* of the project and above",
        AccessLevel::Administrator => "*maintainers* of the project and above",
    }
}

fn security(rule: Rule) -> Value {
    let token = [json!({"bearer": []}), json!({"gitlabToken": []}), json!({"privateToken": []}), json!({"basic": []})];
    match rule {
        Rule::Anyone => json!([]),
        Rule::Level(_) => json!(token),
        Rule::Visitor(_) => json!([&[json!({})][..], &token].concat()),
        Rule::Webhook => json!([{"webhook": []}]),
    }
}

fn path_parameter(name: &str, known: &[(&str, &str)]) -> Value {
    let described = known.iter().find(|(known, _)| *known == name);
    let description = described.map_or("What follows.", |(_, description)| description);
    json!({"name": name, "in": "path", "required": true, "description": description, "schema": {"type": "string"}})
}

/// The properties of the query's schema, those that are required first.
fn query_parameters(contract: &Contract, example: &Value) -> Vec<Value> {
    let Some(schema) = contract.query.as_ref().map(schemars::Schema::as_value) else { return Vec::new() };
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    let is_required =
        |name: &String| schema["required"].as_array().is_some_and(|names| names.iter().any(|known| known == name));
    let mut names: Vec<&String> = properties.keys().collect();
    names.sort_by_key(|name| (!is_required(name), *name));
    let parameter = |name: &String| {
        let mut schema = optional(properties[name].clone());
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        let mut parameter = json!({"name": name, "in": "query", "required": is_required(name), "schema": schema});
        if let Some(description) = description {
            parameter["description"] = description;
        }
        if let Some(value) = example.get(name) {
            parameter["example"] = value.clone();
        }
        parameter
    };
    names.into_iter().map(parameter).collect()
}

fn body(contract: &Contract, example: &Value) -> Option<Value> {
    if contract.takes_bytes {
        let schema = json!({"type": "string", "format": "binary"});
        return Some(json!({"required": true, "content": {"application/octet-stream": {"schema": schema}}}));
    }
    let mut content = json!({"schema": contract.body.as_ref()?});
    if !example.is_null() {
        content["example"] = example.clone();
    }
    Some(json!({"required": true, "content": {"application/json": content}}))
}

fn answers(path: &str, contract: &Contract, example: Option<&str>) -> Map<String, Value> {
    let mut answers = Map::new();
    for answer in &contract.answers {
        let mut response = json!({"description": answer.description});
        if let Some((media_type, schema)) = &answer.content {
            let mut content = json!({"schema": schema});
            if let Some(text) = example {
                content["example"] = read(path, text);
            }
            response["content"] = json!({*media_type: content});
        }
        for (name, meaning) in answer.headers {
            response["headers"][*name] = json!({"description": meaning, "schema": {"type": "string"}});
        }
        answers.insert(answer.status.to_string(), response);
    }
    answers
}
