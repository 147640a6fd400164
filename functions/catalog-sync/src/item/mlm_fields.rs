//! The fields of the machine-learning model extension, as its schema 1.5.2 has them.

use serde_json::Value;

use super::shape::{DATA_TYPES, Field, NUMBER, Shape, may, must};
use super::text::{cut, line};

pub(super) const TASKS: &[&str] = &[
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

pub(super) const FIELDS: &[Field] = &[
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

/// A name that the extension takes: letters, digits, `_`, `.`, `-` and blanks, from a letter to a letter or digit.
pub(super) fn name_of(name: &str) -> String {
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
