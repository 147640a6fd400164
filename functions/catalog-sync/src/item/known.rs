//! Extensions that authors fill under a prefix: their schemas and fields (docs/catalog.md, "Front matter").

use super::shape::{Field, NUMBER, Shape, TEXTS, may, must};

/// An extension whose fields authors write under its prefix.
pub(super) struct Extension {
    pub prefix: &'static str,
    pub schema: &'static str,
    pub fields: &'static [Field],
}

pub(super) const ML_MODEL: &str = "https://stac-extensions.github.io/ml-model/v1.0.0/schema.json";

const DOI: Shape = Shape::Is(|value| {
    let tail = value.as_str().and_then(|text| text.strip_prefix("10.")).and_then(|rest| rest.split_once('/'));
    tail.is_some_and(|(registrant, name)| {
        registrant.len() >= 4
            && registrant.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && !name.is_empty()
            && !name.contains(char::is_whitespace)
    })
});
const COLOURS: &[&str] = &[
    "coastal", "blue", "green", "red", "rededge", "yellow", "pan", "nir", "nir08", "nir09", "cirrus", "swir16",
    "swir22", "lwir", "lwir11", "lwir12",
];
const PERCENT: Shape = Shape::Number(0.0, 100.0);

pub(super) const EXTENSIONS: &[Extension] = &[
    Extension {
        prefix: "eo",
        schema: "https://stac-extensions.github.io/eo/v1.1.0/schema.json",
        fields: &[
            may("cloud_cover", PERCENT),
            may("snow_cover", PERCENT),
            may(
                "bands",
                Shape::List(
                    &Shape::Map(&[
                        must("name", Shape::Text),
                        may("common_name", Shape::OneOf(COLOURS)),
                        may("description", Shape::Word),
                        may("center_wavelength", Shape::Above(0.0)),
                        may("full_width_half_max", Shape::Above(0.0)),
                        may("solar_illumination", Shape::Number(0.0, f64::MAX)),
                    ]),
                    1,
                ),
            ),
        ],
    },
    Extension {
        prefix: "label",
        schema: "https://stac-extensions.github.io/label/v1.0.1/schema.json",
        fields: &[
            must("properties", Shape::Either(&[Shape::Null, Shape::List(&Shape::Text, 1)])),
            must("description", Shape::Word),
            must("type", Shape::OneOf(&["raster", "vector"])),
            may(
                "classes",
                Shape::List(
                    &Shape::Map(&[
                        must("name", Shape::Word),
                        must("classes", Shape::Either(&[Shape::List(&Shape::Text, 1), Shape::List(&NUMBER, 1)])),
                    ]),
                    1,
                ),
            ),
            may("tasks", TEXTS),
            may("methods", TEXTS),
        ],
    },
    Extension {
        prefix: "sci",
        schema: "https://stac-extensions.github.io/scientific/v1.0.0/schema.json",
        fields: &[
            may("doi", DOI),
            may("citation", Shape::Text),
            may("publications", Shape::List(&Shape::Map(&[may("doi", DOI), may("citation", Shape::Text)]), 1)),
        ],
    },
    Extension {
        prefix: "ml-model",
        schema: ML_MODEL,
        fields: &[
            must("type", Shape::OneOf(&["ml-model"])),
            must("learning_approach", Shape::Word),
            must("prediction_type", Shape::Word),
            must("architecture", Shape::Word),
            may("training-os", Shape::Text),
            may("training-processor-type", Shape::OneOf(&["cpu", "gpu"])),
        ],
    },
    Extension {
        prefix: "processing",
        schema: "https://stac-extensions.github.io/processing/v1.2.0/schema.json",
        fields: &[
            may("expression", Shape::Map(&[must("format", Shape::Text), must("expression", Shape::Any)])),
            may("lineage", Shape::Text),
            may("level", Shape::Text),
            may("facility", Shape::Text),
            may("version", Shape::Text),
            may("datetime", Shape::Instant),
            may("software", Shape::Names(&Shape::Text)),
        ],
    },
    Extension {
        prefix: "table",
        schema: "https://stac-extensions.github.io/table/v1.2.0/schema.json",
        fields: &[
            may("columns", Shape::List(&NAMED, 0)),
            may("tables", Shape::List(&NAMED, 0)),
            may("primary_geometry", Shape::Text),
            may("row_count", Shape::Number(0.0, f64::MAX)),
        ],
    },
];
const NAMED: Shape =
    Shape::Map(&[must("name", Shape::Text), may("description", Shape::Text), may("type", Shape::Text)]);
