//! Schemas of the forms that requests and answers are made of.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::extract::{Double, Flag, Integer, Many, OneOrMany};
use crate::objects::PresignedUrl;

macro_rules! inline {
    ($type:ty, $name:literal, $($schema:tt)+) => {
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($($schema)+)
            }
        }
    };
}

inline!(Integer, "Integer", { "type": "integer", "format": "int64" });
inline!(Flag, "Flag", { "type": "boolean" });
inline!(Double, "Double", {
    "anyOf": [{ "type": "number", "format": "double" }, { "enum": ["NaN", "Infinity", "-Infinity"] }]
});
inline!(PresignedUrl, "PresignedUrl", { "type": "string", "format": "uri" });

macro_rules! list {
    ($type:ident) => {
        impl<T: JsonSchema> JsonSchema for $type<T> {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                Vec::<T>::schema_name()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                Vec::<T>::json_schema(generator)
            }
        }
    };
}

list!(Many);
list!(OneOrMany);
