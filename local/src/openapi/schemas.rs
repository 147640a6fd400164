//! Schemas at their place in the document, `components/schemas`.

use serde_json::{Map, Value};
use shared::openapi::Schemas;

/// How a request's type is called whose namesake in answers looks different.
const SUFFIX: &str = "In";

/// Puts the definitions of `schemas`, and `more`, into the document, and makes its references lead there.
pub fn place(document: &mut Value, mut schemas: Schemas, more: Map<String, Value>) {
    let mut placed = more;
    placed.extend(schemas.answers.take_definitions(true));
    let requests = schemas.requests.take_definitions(true);
    let mut moved = Vec::new();
    for (name, schema) in requests {
        let is_other = placed.get(&name).is_some_and(|known| *known != schema);
        let own = if is_other { format!("{name}{SUFFIX}") } else { name.clone() };
        moved.push((format!("{}{name}", Schemas::REQUESTS), format!("{}{own}", Schemas::ANSWERS)));
        placed.insert(own, schema);
    }
    document["components"]["schemas"] = Value::Object(placed);
    walk(document, &mut |object| {
        if let Some(Value::String(reference)) = object.get_mut("$ref")
            && let Some((_, to)) = moved.iter().find(|(from, _)| from == reference)
        {
            reference.clone_from(to);
        }
        let required = object.get("required").cloned();
        let is_required = |name: &str| {
            required.as_ref().and_then(Value::as_array).is_some_and(|names| names.iter().any(|known| known == name))
        };
        // What has no such type is no schema, but a thing with a field of that name.
        let is_schema = object.get("type").is_some_and(|kind| kind == "object");
        if is_schema && let Some(Value::Object(properties)) = object.get_mut("properties") {
            for (name, schema) in properties {
                if !is_required(name) {
                    *schema = optional(schema.take());
                }
            }
        }
    });
}

/// The schema of a value that may be left out, and then is not `null`.
pub fn optional(mut schema: Value) -> Value {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            schema["type"] = only.clone();
        }
    }
    if let Some(Value::Array(names)) = schema.get_mut("enum") {
        names.retain(|name| !name.is_null());
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| choice["type"] != "null");
        if let [Value::Object(only)] = choices.as_mut_slice() {
            let only = std::mem::take(only);
            if let Value::Object(schema) = &mut schema {
                schema.remove("anyOf");
                schema.extend(only);
            }
        }
    }
    schema
}

/// Calls `change` with every object, from the outside inwards.
fn walk(value: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            change(object);
            object.values_mut().for_each(|inner| walk(inner, change));
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| walk(inner, change)),
        _ => {}
    }
}
