//! Where the params and tags of an entity lie: in its META, or on overflow pages once that is full.

use std::collections::BTreeMap;

use serde_json::Value;

use super::attributes::{Change, Refusal, conflict};
use super::item::{Attributes, Item, key, string_map};
use super::keys;
use crate::answer::json_bytes;
use crate::error::{Error, Result};

/// Bytes of params and tags kept in META; what is beyond moves to overflow pages.
pub(crate) const META_ROOM: usize = 16 * 1024;
/// Bytes of one overflow page; an item may have 400 KB.
const PAGE_ROOM: usize = 300 * 1024;
/// Bytes of JSON of all params and tags of an entity: what is shown with it must fit beside them into one answer.
const LARGEST: usize = 1_500_000;

/// Where the params and tags of an entity lie: in META, or on pages once META is full.
pub(crate) struct Layout {
    pub(crate) meta: Page,
    pub(crate) pages: Vec<Page>,
    /// Numbers of the pages that must be written.
    pub(crate) touched: Vec<usize>,
}

/// Params and tags of one item.
#[derive(Default)]
pub(crate) struct Page {
    pub(crate) params: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// The item as it was read, with what a newer version of the hub keeps there.
    read: Item,
}

impl Page {
    fn bytes(&self) -> usize {
        self.params.iter().chain(&self.tags).map(|(key, value)| key.len() + value.len() + 2).sum()
    }
}

impl Layout {
    pub(crate) fn read(meta: &Item, pages: &[Item]) -> Result<Self> {
        let page =
            |item: &Item| Page { params: item.strings("params"), tags: item.strings("tags"), read: item.clone() };
        for (number, item) in pages.iter().enumerate() {
            if item.find_str("SK") != Some(&keys::overflow_page(number)) {
                return Err(Error::internal("an overflow page is missing"));
            }
        }
        Ok(Self { meta: page(meta), pages: pages.iter().map(page).collect(), touched: Vec::new() })
    }

    /// Makes a change, in memory.
    pub(crate) fn apply(&mut self, change: &Change) -> Result<(), Refusal> {
        for page in self.pages.iter().chain([&self.meta]) {
            if let Some(refusal) = conflict(change, &page.params) {
                return Err(refusal);
            }
        }
        if let Some(tag) = &change.delete_tag {
            self.delete_tag(tag)?;
        }
        for (key, value) in &change.params {
            if !self.pages.iter().any(|page| page.params.contains_key(key)) {
                self.meta.params.insert(key.clone(), value.clone());
            }
        }
        let appended = change.append.as_ref().map(|(key, value)| (key, self.appended(key, value)));
        for (key, value) in change.tags.iter().chain(appended.as_ref().map(|(key, value)| (*key, value))) {
            match self.pages.iter().position(|page| page.tags.contains_key(key)) {
                Some(number) => {
                    self.pages[number].tags.insert(key.clone(), value.clone());
                    self.touch(number);
                }
                None => {
                    self.meta.tags.insert(key.clone(), value.clone());
                }
            }
        }
        self.spill();
        Ok(())
    }

    /// `TooLarge` for more params and tags than an answer could show.
    pub(crate) fn check_size(&self) -> Result<()> {
        let pages = self.pages.iter().chain([&self.meta]);
        let bytes: usize = pages.map(|page| json_bytes(&page.params) + json_bytes(&page.tags)).sum();
        if bytes <= LARGEST {
            return Ok(());
        }
        Err(Error::TooLarge(format!(
            "The params and tags of one thing may have {LARGEST} bytes of JSON altogether, and these would have {bytes}. \
             Log long texts as artifacts."
        )))
    }

    /// Does everything fit into META?
    pub(crate) fn is_small(&self) -> bool {
        self.pages.is_empty() && self.meta.bytes() <= META_ROOM
    }

    /// A page as it is written.
    pub(crate) fn page_item(&self, pk: &str, number: usize) -> Item {
        let mut item = self.pages[number].read.clone();
        item.extend(key(pk, keys::overflow_page(number)));
        item.insert("params".to_owned(), string_map(&self.pages[number].params));
        item.insert("tags".to_owned(), string_map(&self.pages[number].tags));
        item
    }

    /// The list that a tag holds with one more value; a tag that holds no list becomes one.
    fn appended(&self, key: &str, value: &Value) -> String {
        let text = self.pages.iter().chain([&self.meta]).find_map(|page| page.tags.get(key));
        let mut values: Vec<Value> = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        values.push(value.clone());
        Value::from(values).to_string()
    }

    fn delete_tag(&mut self, tag: &str) -> Result<(), Refusal> {
        if self.meta.tags.remove(tag).is_some() {
            return Ok(());
        }
        let number = self.pages.iter().position(|page| page.tags.contains_key(tag)).ok_or(Refusal::NoSuchTag)?;
        self.pages[number].tags.remove(tag);
        self.touch(number);
        Ok(())
    }

    /// Moves the largest entries from META to pages until META has room again.
    pub(crate) fn spill(&mut self) {
        let mut bytes = self.meta.bytes();
        while bytes > META_ROOM {
            let largest = |map: &BTreeMap<String, String>| {
                map.iter().max_by_key(|(_, value)| value.len()).map(|(key, value)| (value.len(), key.clone()))
            };
            let (param, tag) = (largest(&self.meta.params), largest(&self.meta.tags));
            let take_param = param > tag;
            let Some((_, key)) = (if take_param { param } else { tag }) else { return };
            let map = if take_param { &mut self.meta.params } else { &mut self.meta.tags };
            let Some(value) = map.remove(&key) else { return };
            let size = key.len() + value.len() + 2;
            bytes -= size;
            let number = self.page_with_room(size);
            let page = &mut self.pages[number];
            let map = if take_param { &mut page.params } else { &mut page.tags };
            map.insert(key, value);
            self.touch(number);
        }
    }

    fn page_with_room(&mut self, size: usize) -> usize {
        match self.pages.iter().rposition(|page| page.bytes() + size <= PAGE_ROOM) {
            Some(number) => number,
            None => {
                self.pages.push(Page::default());
                self.pages.len() - 1
            }
        }
    }

    fn touch(&mut self, number: usize) {
        if !self.touched.contains(&number) {
            self.touched.push(number);
        }
    }
}
