//! A table and its bucket as files: one line of JSON for each item, object, and recorded answer.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::PathBuf;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::ByteStream;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::house::root;
use crate::hub::{Hub, table};

pub type Item = HashMap<String, AttributeValue>;

/// A folder of `tests/fixtures`.
pub struct Fixture {
    pub name: String,
    folder: PathBuf,
}

impl Fixture {
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), folder: root().join("tests/fixtures").join(name) }
    }

    /// All of them, oldest first.
    pub fn all() -> Vec<Self> {
        let entries = std::fs::read_dir(root().join("tests/fixtures")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.starts_with("table-")).collect();
        names.sort_by_key(|name| name["table-".len()..].parse::<u32>().unwrap());
        names.iter().map(|name| Self::named(name)).collect()
    }

    /// When it was taken (ms) and the names of what is in it.
    pub fn about(&self) -> Value {
        self.lines("about.json").remove(0)
    }

    pub fn lines(&self, file: &str) -> Vec<Value> {
        let path = self.folder.join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn items(&self) -> Vec<Item> {
        self.lines("items.jsonl").iter().map(read_item).collect()
    }

    /// Writes what the hub's table and bucket hold.
    pub async fn save(&self, hub: &Hub, about: Value) {
        std::fs::create_dir_all(&self.folder).unwrap();
        let mut items: Vec<Value> = scan(hub).await.iter().map(write_item).collect();
        items.sort_by_key(|item| (item["PK"]["S"].to_string(), item["SK"]["S"].to_string()));
        let s3 = s3(hub).await;
        let list = s3.list_objects_v2().bucket(&hub.backends.bucket).send().await.unwrap();
        let mut objects = Vec::new();
        for object in list.contents() {
            let key = object.key().unwrap();
            let found = s3.get_object().bucket(&hub.backends.bucket).key(key).send().await.unwrap();
            let media_type = found.content_type().map(str::to_owned);
            let bytes = STANDARD.encode(found.body.collect().await.unwrap().into_bytes());
            objects.push(json!({"key": key, "content_type": media_type, "bytes": bytes}));
        }
        for (file, lines) in [("about.json", vec![about]), ("items.jsonl", items), ("objects.jsonl", objects)] {
            self.write(file, &lines);
        }
    }

    pub fn write(&self, file: &str, lines: &[Value]) {
        let text = lines.iter().fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "{line}");
            text
        });
        std::fs::write(self.folder.join(file), text).unwrap();
    }

    /// A hub that finds the fixture in its table and bucket, with its clock at the time that it was taken and so many ms
    /// later; `None`: at the present.
    pub async fn open(&self, later: Option<i64>) -> Hub {
        let hub = Hub::start().await;
        if let Some(later) = later {
            hub.clock.advance(self.about()["taken_at"].as_i64().unwrap() + later - hub.clock.now_ms());
        }
        let table = table(&hub).await;
        for item in self.items() {
            table.put_item().table_name(&hub.state.config.table).set_item(Some(item)).send().await.unwrap();
        }
        let s3 = s3(&hub).await;
        for object in self.lines("objects.jsonl") {
            let body = STANDARD.decode(object["bytes"].as_str().unwrap()).unwrap();
            let put = s3.put_object().bucket(&hub.backends.bucket).key(object["key"].as_str().unwrap());
            let put = put.set_content_type(object["content_type"].as_str().map(str::to_owned));
            put.body(ByteStream::from(body)).send().await.unwrap();
        }
        hub
    }
}

async fn s3(hub: &Hub) -> aws_sdk_s3::Client {
    let config = hub.backends.s3.sdk_config().await;
    aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build())
}

/// All items of the hub's table.
pub async fn scan(hub: &Hub) -> Vec<Item> {
    let mut pages = table(hub)
        .await
        .scan()
        .table_name(&hub.state.config.table)
        .consistent_read(true)
        .into_paginator()
        .items()
        .send();
    let mut items = Vec::new();
    while let Some(item) = pages.next().await {
        items.push(item.unwrap());
    }
    items
}

pub fn key_of(item: &Item) -> (String, String) {
    (item["PK"].as_s().unwrap().clone(), item["SK"].as_s().unwrap().clone())
}

fn write_item(item: &Item) -> Value {
    // In the order of their names.
    let sorted: std::collections::BTreeMap<&String, Value> =
        item.iter().map(|(name, value)| (name, write(value))).collect();
    json!(sorted)
}

/// As DynamoDB's own JSON has it.
fn write(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({"S": text}),
        AttributeValue::N(text) => json!({"N": text}),
        AttributeValue::B(bytes) => json!({"B": STANDARD.encode(bytes)}),
        AttributeValue::Bool(value) => json!({"BOOL": value}),
        AttributeValue::Null(value) => json!({"NULL": value}),
        AttributeValue::Ss(texts) => {
            let mut texts = texts.clone();
            texts.sort();
            json!({"SS": texts})
        }
        AttributeValue::L(list) => json!({"L": list.iter().map(write).collect::<Vec<_>>()}),
        AttributeValue::M(map) => json!({"M": write_item(map)}),
        other => panic!("no item has {other:?}"),
    }
}

fn read_item(item: &Value) -> Item {
    item.as_object().unwrap().iter().map(|(name, value)| (name.clone(), read(value))).collect()
}

fn read(value: &Value) -> AttributeValue {
    let fields: &Map<String, Value> = value.as_object().unwrap();
    let (kind, value) = fields.iter().next().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text(value)),
        "N" => AttributeValue::N(text(value)),
        "B" => AttributeValue::B(Blob::new(STANDARD.decode(text(value)).unwrap())),
        "BOOL" => AttributeValue::Bool(value.as_bool().unwrap()),
        "NULL" => AttributeValue::Null(true),
        "SS" => AttributeValue::Ss(value.as_array().unwrap().iter().map(text).collect()),
        "L" => AttributeValue::L(value.as_array().unwrap().iter().map(read).collect()),
        "M" => AttributeValue::M(read_item(value)),
        other => panic!("no attribute is of type {other}"),
    }
}
