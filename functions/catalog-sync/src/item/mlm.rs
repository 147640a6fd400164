//! The machine-learning model extension, written whole or not at all (docs/catalog.md, "Front matter").

use serde_json::{Map, Value, json};

use super::asset::Assets;
use super::extensions::checked;
use super::mlm_fields::{FIELDS, TASKS, name_of};
use super::source::Source;
use super::warnings::{Warnings, quoted};

/// Writes `mlm:*` into properties and assets if that makes a whole, from the author's block or (`legacy`) from `ml-model`.
pub(super) fn apply(
    source: &Source,
    mut block: Map<String, Value>,
    legacy: bool,
    properties: &mut Map<String, Value>,
    assets: &mut Assets,
    warnings: &mut Warnings,
) -> bool {
    let authored = !block.is_empty();
    if !authored && !legacy {
        return false;
    }
    if !authored {
        let task = properties["ml-model:prediction_type"].as_str().filter(|task| TASKS.contains(task));
        block.insert("architecture".into(), properties["ml-model:architecture"].clone());
        block.insert("tasks".into(), json!(task.into_iter().collect::<Vec<_>>()));
        block.insert("input".into(), json!([]));
        block.insert("output".into(), json!([]));
    }
    known_tasks(&mut block, warnings);
    let name = block.get("name").and_then(Value::as_str).unwrap_or(&source.project.name);
    block.insert("name".into(), json!(name_of(name)));
    let mut fields = checked("mlm", FIELDS, block, warnings);
    if let Some(field) = FIELDS.iter().find(|field| field.required && !fields.contains_key(field.name)) {
        warnings.say(format!("`mlm` is left out: `{}` is missing or wrong", field.name));
        return false;
    }
    let artifact_type = fields.remove("artifact_type");
    let compile_method = fields.remove("compile_method");
    if !assets.mark_models(artifact_type.as_ref(), compile_method.as_ref()) {
        if authored {
            warnings.say("`mlm` is left out: the project has no model file among its assets");
        }
        return false;
    }
    let bands = band_names(&fields);
    if !bands.is_empty() {
        let bands: Value = bands.into_iter().map(|name| json!({"name": name})).collect();
        assets.describe_models("bands", &bands);
        properties.insert("bands".into(), bands);
    }
    properties.extend(fields.into_iter().map(|(name, value)| (format!("mlm:{name}"), value)));
    true
}

/// Leaves the tasks that the extension knows, of the model and of its outputs.
fn known_tasks(block: &mut Map<String, Value>, warnings: &mut Warnings) {
    let mut keep = |holder: Option<&mut Value>| {
        if let Some(Value::Array(tasks)) = holder {
            for task in tasks.iter().filter_map(Value::as_str).filter(|task| !TASKS.contains(task)) {
                warnings.say(format!("the task {} is not one of the mlm extension", quoted(task)));
            }
            tasks.retain(|task| task.as_str().is_some_and(|task| TASKS.contains(&task)));
        }
    };
    keep(block.get_mut("tasks"));
    if let Some(Value::Array(outputs)) = block.get_mut("output") {
        outputs.iter_mut().for_each(|output| keep(output.get_mut("tasks")));
    }
}

/// Names of all bands of inputs and outputs, once each.
fn band_names(fields: &Map<String, Value>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let ends = ["input", "output"].into_iter().filter_map(|end| fields.get(end).and_then(Value::as_array)).flatten();
    for band in ends.filter_map(|end| end.get("bands").and_then(Value::as_array)).flatten() {
        if let Some(name) = band.as_str().or_else(|| band.get("name").and_then(Value::as_str))
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
    names
}
