//! The machine-learning model extension, written whole or not at all (stac.md 3).

use serde_json::{Map, Value, json};

use super::assets::Assets;
use super::extensions::checked;
use super::shape::{Field, NUMBER, Shape, may, must};
use super::source::Source;
use super::text::{cut, line};
use super::warnings::{Warnings, quoted};

const TASKS: &[&str] = &[
    "regression",
    "classification",
    "scene-classification",
    "detection",
    "object-detection",
    "segmentation",
    "semantic-segmentation",
    "instance-segmentation",
    "panoptic-segmentation",
    "similarity-search",
    "generative",
    "image-captioning",
    "super-resolution",
    "downscaling",
];
const ACCELERATORS: &[&str] = &["amd64", "cuda", "xla", "amd-rocm", "intel-ipex-cpu", "intel-ipex-gpu", "macos-arm"];
const RESIZES: &[&str] = &[
    "crop",
    "pad",
    "interpolation-nearest",
    "interpolation-linear",
    "interpolation-cubic",
    "interpolation-area",
    "interpolation-lanczos4",
    "interpolation-max",
    "wrap-fill-outliers",
    "wrap-inverse-map",
];
const DATA_TYPES: &[&str] = &[
    "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
    "cint16", "cint32", "cfloat32", "cfloat64", "other",
];

const EXPRESSION: Shape =
    Shape::Map(&[must("format", Shape::Text), must("expression", Shape::Any), may("description", Shape::Text)]);
const EXPRESSIONS: Shape =
    Shape::Either(&[Shape::Null, EXPRESSION, Shape::List(&Shape::Either(&[Shape::Null, EXPRESSION]), 1)]);
const STRUCTURE: Shape = Shape::Map(&[
    must("shape", Shape::List(&Shape::Integer(-1), 1)),
    must("dim_order", Shape::Set(&Shape::Is(is_dimension), 1)),
    must("data_type", Shape::OneOf(DATA_TYPES)),
]);
const SCALING: Shape = Shape::Either(&[
    Shape::Map(&[must("type", Shape::OneOf(&["min-max", "clip"])), must("minimum", NUMBER), must("maximum", NUMBER)]),
    Shape::Map(&[must("type", Shape::OneOf(&["z-score"])), must("mean", NUMBER), must("stddev", NUMBER)]),
    Shape::Map(&[must("type", Shape::OneOf(&["clip-min"])), must("minimum", NUMBER), may("maximum", NUMBER)]),
    Shape::Map(&[must("type", Shape::OneOf(&["clip-max"])), must("maximum", NUMBER)]),
    Shape::Map(&[must("type", Shape::OneOf(&["offset", "scale"])), must("value", NUMBER)]),
    Shape::Map(&[
        must("type", Shape::OneOf(&["processing"])),
        must("format", Shape::Text),
        must("expression", Shape::Any),
        may("description", Shape::Text),
    ]),
]);
const INPUT: Shape = Shape::Map(&[
    must("name", Shape::Word),
    must("input", STRUCTURE),
    may("bands", Shape::List(&Shape::Is(is_band), 0)),
    may("variables", NOTHING),
    may("description", Shape::Word),
    may("value_scaling", Shape::Either(&[Shape::Null, Shape::List(&SCALING, 1)])),
    may("resize_type", Shape::Either(&[Shape::Null, Shape::OneOf(RESIZES)])),
    may("pre_processing_function", EXPRESSIONS),
]);
const OUTPUT: Shape = Shape::Map(&[
    must("name", Shape::Word),
    must("tasks", Shape::Set(&Shape::OneOf(TASKS), 0)),
    must("result", STRUCTURE),
    may("bands", Shape::List(&Shape::Is(is_band), 0)),
    may("variables", NOTHING),
    may("description", Shape::Word),
    may("classification:classes", Shape::Set(&Shape::Is(is_class), 0)),
    may("post_processing_function", EXPRESSIONS),
]);
const CLASS: Shape = Shape::Map(&[
    must("value", Shape::Is(|value| value.is_i64() || value.is_u64())),
    must("description", Shape::Text),
    may("name", Shape::Text),
]);
/// Variables want the datacube extension, which this hub does not write.
const NOTHING: Shape = Shape::Is(|value| value.as_array().is_some_and(Vec::is_empty));

const FIELDS: &[Field] = &[
    must("name", Shape::Is(|value| value.as_str().is_some_and(is_name))),
    must("architecture", Shape::Text),
    must("tasks", Shape::Set(&Shape::OneOf(TASKS), 0)),
    must("input", Shape::List(&Shape::Is(|input| INPUT.fits(input) && has_its_dimensions(input, "input")), 0)),
    must("output", Shape::List(&Shape::Is(|output| OUTPUT.fits(output) && has_its_dimensions(output, "result")), 0)),
    may("framework", Shape::Is(is_framework)),
    may("framework_version", Shape::Is(|value| value.as_str().is_some_and(is_semantic_version))),
    may("memory_size", Shape::Integer(0)),
    may("total_parameters", Shape::Integer(0)),
    may("pretrained", Shape::Bool),
    may("pretrained_source", Shape::Either(&[Shape::Null, Shape::Text])),
    may("batch_size_suggestion", Shape::Integer(0)),
    may("accelerator", Shape::Either(&[Shape::Null, Shape::OneOf(ACCELERATORS)])),
    may("accelerator_constrained", Shape::Bool),
    may("accelerator_summary", Shape::Text),
    may("accelerator_count", Shape::Integer(1)),
    may("hyperparameters", Shape::Is(are_hyperparameters)),
    // Of the model's files, not of the item.
    may("artifact_type", Shape::Word),
    may("compile_method", Shape::Word),
];

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

/// A name that the extension takes: letters, digits, `_`, `.`, `-` and blanks, from a letter to a letter or digit.
fn name_of(name: &str) -> String {
    let tame = |letter: char| if letter.is_ascii_alphanumeric() || "_.- ".contains(letter) { letter } else { '-' };
    let name: String = line(cut(name, 200)).chars().map(tame).collect();
    let name = name.trim_start_matches(|letter: char| !letter.is_ascii_alphabetic());
    let name = name.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric());
    if name.len() < 3 { format!("model {name}").trim_end().to_owned() } else { name.to_owned() }
}

fn is_name(name: &str) -> bool {
    name.len() >= 3 && name_of(name) == name
}

fn is_dimension(value: &Value) -> bool {
    value.as_str().is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_'))
    })
}

/// Bands are a dimension if and only if there are some; variables never are.
fn has_its_dimensions(end: &Value, structure: &str) -> bool {
    let bands = end.get("bands").and_then(Value::as_array).is_some_and(|bands| !bands.is_empty());
    let order = end.get(structure).and_then(|structure| structure.get("dim_order")).and_then(Value::as_array);
    let has = |name: &str| order.is_some_and(|order| order.iter().any(|dimension| dimension == name));
    has("bands") == bands && !has("variables")
}

fn is_band(band: &Value) -> bool {
    match band {
        Value::String(name) => !name.trim().is_empty(),
        Value::Object(fields) => {
            let known = fields.keys().all(|name| matches!(name.as_str(), "name" | "format" | "expression"));
            let both = fields.contains_key("format") == fields.contains_key("expression");
            let format = fields.get("format").is_none_or(|format| Shape::Word.fits(format));
            known && both && format && fields.get("name").is_some_and(|name| Shape::Word.fits(name))
        }
        _ => false,
    }
}

fn is_class(class: &Value) -> bool {
    let colour = |value: &Value| {
        value.as_str().is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    CLASS.fits(class) && class.get("color_hint").is_none_or(colour)
}

fn is_framework(value: &Value) -> bool {
    let edge = |letter: Option<char>| letter.is_some_and(|letter| !letter.is_whitespace() && !"._-".contains(letter));
    value
        .as_str()
        .is_some_and(|name| edge(name.chars().next()) && edge(name.chars().last()) && !name.contains(['\n', '\r']))
}

/// `1.2.3`, `1.2.3-rc.1+cuda`
fn is_semantic_version(text: &str) -> bool {
    let (text, build) = text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
    let (core, early) = text.split_once('-').map_or((text, None), |(core, early)| (core, Some(early)));
    let number = |part: &str| {
        part == "0" || !part.is_empty() && !part.starts_with('0') && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let tag = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let early_tag = |part: &str| tag(part) && (number(part) || !part.bytes().all(|byte| byte.is_ascii_digit()));
    core.split('.').count() == 3
        && core.split('.').all(number)
        && early.is_none_or(|early| early.split('.').all(early_tag))
        && build.is_none_or(|build| build.split('.').all(tag))
}

fn are_hyperparameters(value: &Value) -> bool {
    let tame = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    value
        .as_object()
        .is_some_and(|map| !map.is_empty() && map.keys().all(|name| !name.is_empty() && name.bytes().all(tame)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_to_fit() {
        for (name, expected) in [
            ("Flood model", "Flood model"),
            ("2nd été: v2!", "nd -t-- v2"),
            ("é", "model"),
            ("ab", "model ab"),
            ("a/b_c.d-e", "a-b_c.d-e"),
        ] {
            assert_eq!(name_of(name), expected, "{name}");
            assert!(is_name(expected), "{expected}");
        }
    }

    #[test]
    fn versions_are_semantic() {
        for good in ["1.2.3", "0.0.0", "1.2.3-rc.1", "2.1.0+cu121", "1.0.0-a-b+c.d"] {
            assert!(is_semantic_version(good), "{good}");
        }
        for bad in ["1.2", "1.2.3.4", "01.2.3", "1.2.3-", "1.2.3-01", "v1.2.3", "1.2.3+", "1.2.x", ""] {
            assert!(!is_semantic_version(bad), "{bad}");
        }
    }
}
