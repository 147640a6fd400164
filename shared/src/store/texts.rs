//! Texts that may be too large for the table: beyond 64 KB they lie in S3 (docs/data.md section 5), by their content.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::Store;
use super::item::{Attributes, Item, string};
use crate::error::{Error, Result};
use crate::model::ProjectId;
use crate::objects::{Found, ObjectKey, Objects};

/// Bytes of a text that the table still takes; an item may have 400 KB.
const LONGEST_TEXT: usize = 64 * 1024;
/// Bytes of a text that is read back: more than MLflow's largest, a profile of 16 MB in UTF-8.
const LARGEST_OBJECT: usize = 64 * 1024 * 1024;
/// Names the object in the attribute that stands for a text.
const OBJECT: &str = "object";

impl Store {
    /// The attribute that stands for a text, which is durable when this returns.
    pub(crate) async fn write_text(&self, project: ProjectId, text: &str) -> Result<AttributeValue> {
        if text.len() <= LONGEST_TEXT {
            return Ok(string(text));
        }
        let key = ObjectKey::of_text(project, text);
        self.text_objects()?.put(&key, text.to_owned().into(), "text/plain; charset=utf-8").await?;
        Ok(AttributeValue::M(HashMap::from([(OBJECT.to_owned(), string(key.as_str()))])))
    }

    /// The text that an attribute stands for.
    pub(crate) async fn read_text(&self, item: &Item, name: &str) -> Result<Option<String>> {
        if let Some(text) = item.find_str(name) {
            return Ok(Some(text.to_owned()));
        }
        let Some(pointer) = item.find(name).and_then(|value| value.as_m().ok()) else { return Ok(None) };
        let key = ObjectKey::of_stored_text(&pointer.text(OBJECT)?);
        let object = self.text_objects()?.get(&key, None, LARGEST_OBJECT).await?;
        let Some(Found::Small(object)) = object else {
            return Err(Error::internal(format!("the text `{name}` is not in the bucket, or not as it was written")));
        };
        String::from_utf8(object.bytes.to_vec()).map(Some).map_err(Error::internal)
    }

    fn text_objects(&self) -> Result<&Objects> {
        self.objects.as_ref().ok_or_else(|| Error::internal("this store has no place for large texts"))
    }
}
