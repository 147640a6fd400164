//! The catalog's documents and parameters as the OpenAPI document shows them. Answers are made of stored JSON, and
//! parameters are read by `query`; the STAC specification says the rest of what these types leave open.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::openapi::{Answer, Answers, Contract, Schemas};

/// An answer of the catalog: JSON of the media type that the document has, or 304.
pub struct Geo<T>(std::marker::PhantomData<T>);

/// Which media type a document has.
pub trait Document: JsonSchema {
    const MEDIA_TYPE: &'static str = crate::answer::JSON;
}

impl<T: Document> Answers for Geo<T> {
    fn answers(contract: &mut Contract, schemas: &mut Schemas) {
        contract.answers.push(Answer {
            headers: &[("ETag", "Changes with the document.")],
            ..Answer::ok(T::MEDIA_TYPE, schemas.answers.subschema_for::<T>())
        });
        contract.answers.push(Answer::empty(304, "The client has it already, by `If-None-Match`"));
    }
}

impl Document for Root {}
impl Document for Conformance {}
impl Document for Children {}
impl Document for Collections {}
impl Document for Collection {}
impl Document for Item {
    const MEDIA_TYPE: &'static str = crate::answer::GEOJSON;
}
impl Document for ItemCollection {
    const MEDIA_TYPE: &'static str = crate::answer::GEOJSON;
}
impl Document for JsonSchemaDocument {
    const MEDIA_TYPE: &'static str = crate::answer::SCHEMA;
}

/// A STAC link.
#[derive(JsonSchema, Serialize)]
pub struct Link {
    /// How what it leads to is related.
    rel: String,
    /// Absolute URL.
    href: String,
    /// Media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// HTTP method, GET unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// The body to send with a POST.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<BTreeMap<String, Value>>,
}

/// The root of the catalog.
#[derive(JsonSchema, Serialize)]
pub struct Root {
    /// `Catalog`
    r#type: String,
    /// Version of STAC.
    stac_version: String,
    /// Id of the catalog.
    id: String,
    /// Title.
    title: String,
    /// Description, in Markdown.
    description: String,
    /// URIs of the conformance classes.
    #[serde(rename = "conformsTo")]
    conforms_to: Vec<String>,
    /// Links to everything else.
    links: Vec<Link>,
}

/// What the catalog conforms to.
#[derive(JsonSchema, Serialize)]
pub struct Conformance {
    /// URIs of the conformance classes.
    #[serde(rename = "conformsTo")]
    conforms_to: Vec<String>,
}

/// The children of the root.
#[derive(JsonSchema, Serialize)]
pub struct Children {
    /// Collections.
    children: Vec<Collection>,
    /// Links.
    links: Vec<Link>,
}

/// Some of the collections.
#[derive(JsonSchema, Serialize)]
pub struct Collections {
    /// The collections found.
    collections: Vec<Collection>,
    /// Links.
    links: Vec<Link>,
    /// How many there are.
    #[serde(rename = "numberMatched")]
    number_matched: u64,
    /// How many are in this answer.
    #[serde(rename = "numberReturned")]
    number_returned: u64,
    /// The same numbers as older clients read them.
    context: SearchContext,
}

/// A STAC collection: a category of projects.
#[derive(JsonSchema, Serialize)]
pub struct Collection {
    /// `Collection`
    r#type: String,
    /// Version of STAC.
    stac_version: String,
    /// URIs of extensions.
    stac_extensions: Vec<String>,
    /// Id.
    id: String,
    /// Title.
    title: String,
    /// Description, in Markdown.
    description: String,
    /// `other`: every item has its own.
    license: String,
    /// Keywords.
    keywords: Vec<String>,
    /// Who hosts the projects.
    providers: Vec<BTreeMap<String, Value>>,
    /// The whole world, and all time.
    extent: BTreeMap<String, Value>,
    /// Links.
    links: Vec<Link>,
}

/// A STAC item: a GitLab project.
#[derive(JsonSchema, Serialize)]
pub struct Item {
    /// `Feature`
    r#type: String,
    /// Version of STAC.
    #[serde(skip_serializing_if = "Option::is_none")]
    stac_version: Option<String>,
    /// URIs of extensions.
    #[serde(skip_serializing_if = "Option::is_none")]
    stac_extensions: Option<Vec<String>>,
    /// Full path of the project.
    id: String,
    /// GeoJSON geometry, or null.
    #[serde(skip_serializing_if = "Option::is_none")]
    geometry: Option<Value>,
    /// West, south, east, north; only with a geometry.
    #[serde(skip_serializing_if = "Option::is_none")]
    bbox: Option<Vec<f64>>,
    /// Id of the collection.
    #[serde(skip_serializing_if = "Option::is_none")]
    collection: Option<String>,
    /// What is known of the project; `sharinghub:access-level` is the caller's.
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<BTreeMap<String, Value>>,
    /// Links.
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<Vec<Link>>,
    /// Files, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    assets: Option<BTreeMap<String, Value>>,
}

/// A page of items.
#[derive(JsonSchema, Serialize)]
pub struct ItemCollection {
    /// `FeatureCollection`
    r#type: String,
    /// Version of STAC.
    stac_version: String,
    /// URIs of extensions.
    stac_extensions: Vec<String>,
    /// The items of this page.
    features: Vec<Item>,
    /// Links, also to the pages before and behind this one.
    links: Vec<Link>,
    /// How many items that the caller sees the search finds.
    #[serde(rename = "numberMatched")]
    number_matched: u64,
    /// How many are on this page.
    #[serde(rename = "numberReturned")]
    number_returned: u64,
    /// The same numbers as older clients read them.
    context: SearchContext,
}

/// Numbers of a search.
#[derive(JsonSchema, Serialize)]
pub struct SearchContext {
    /// Most items of a page.
    limit: u64,
    /// As `numberMatched`.
    matched: u64,
    /// As `numberReturned`.
    returned: u64,
}

/// A JSON Schema whose properties can be asked for.
#[derive(JsonSchema, Serialize)]
pub struct JsonSchemaDocument {
    /// Dialect of JSON Schema.
    #[serde(rename = "$schema")]
    schema: String,
    /// Its own URL.
    #[serde(rename = "$id")]
    id: String,
    /// `object`
    r#type: String,
    /// Title.
    title: String,
    /// The properties, by name.
    properties: BTreeMap<String, Value>,
    /// May others be asked for too?
    #[serde(rename = "additionalProperties")]
    additional_properties: bool,
}

/// Of the root's children.
#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "read by hand")]
pub struct ChildrenParameters {
    /// `Collection` or `Catalog`: only those.
    r#type: Option<String>,
}

/// Of a search over collections.
#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "read by hand")]
pub struct CollectionParameters {
    /// Free text; a comma means or.
    q: Option<String>,
    /// Most collections of an answer.
    #[schemars(range(min = 1))]
    limit: Option<u32>,
    /// `west,south,east,north`
    bbox: Option<String>,
    /// An instant or an interval, RFC 3339.
    datetime: Option<String>,
}

/// Of a search over the items of a collection.
#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "read by hand")]
pub struct ItemsParameters {
    /// Most items of a page; more than 1,000 count as 1,000.
    #[schemars(range(min = 1))]
    limit: Option<u32>,
    /// `west,south,east,north`
    bbox: Option<String>,
    /// An instant or an interval, RFC 3339; `..` leaves an end open.
    datetime: Option<String>,
    /// Free text; a comma means or. `[topic]` demands a topic, `:starred` one's own stars.
    q: Option<String>,
    /// Names with `+` or `-` before them, by commas.
    sortby: Option<String>,
    /// Names of what to keep, or with `-` before them to leave out, by commas.
    fields: Option<String>,
    /// CQL2.
    filter: Option<String>,
    /// `cql2-text` (default) or `cql2-json`.
    #[serde(rename = "filter-lang")]
    filter_lang: Option<String>,
    /// CRS84 only.
    #[serde(rename = "filter-crs")]
    filter_crs: Option<String>,
    /// Of a link to another page.
    token: Option<String>,
    /// `reference`, `preview` or `full` (default).
    mode: Option<String>,
}

/// Of a search over all items.
#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "read by hand")]
pub struct SearchParameters {
    /// Ids of items, by commas.
    ids: Option<String>,
    /// Ids of collections, by commas.
    collections: Option<String>,
    /// A GeoJSON geometry, as text; not with `bbox`.
    intersects: Option<String>,
    /// The others.
    #[serde(flatten)]
    others: ItemsParameters,
}

/// A search over all items.
#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "read by hand")]
pub struct SearchBody {
    /// Ids of items.
    ids: Option<Vec<String>>,
    /// Ids of collections.
    collections: Option<Vec<String>>,
    /// West, south, east, north.
    bbox: Option<Vec<f64>>,
    /// A GeoJSON geometry; not with `bbox`.
    intersects: Option<BTreeMap<String, Value>>,
    /// An instant or an interval, RFC 3339; `..` leaves an end open.
    datetime: Option<String>,
    /// Free text: any of these.
    q: Option<Vec<String>>,
    /// Fields and directions.
    sortby: Option<Vec<SortBy>>,
    /// What to keep and what to leave out.
    fields: Option<FieldNames>,
    /// CQL2.
    filter: Option<BTreeMap<String, Value>>,
    /// `cql2-json` (default) or `cql2-text`.
    #[serde(rename = "filter-lang")]
    filter_lang: Option<String>,
    /// CRS84 only.
    #[serde(rename = "filter-crs")]
    filter_crs: Option<String>,
    /// Most items of a page; more than 1,000 count as 1,000.
    #[schemars(range(min = 1))]
    limit: Option<u32>,
    /// Of a link to another page.
    token: Option<String>,
}

/// A field to sort by.
#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "read by hand")]
pub struct SortBy {
    /// Name, with or without `properties.`.
    field: String,
    /// `asc` (default) or `desc`.
    direction: Option<String>,
}

/// Parts of an item.
#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "read by hand")]
pub struct FieldNames {
    /// Dotted names of what to keep.
    include: Option<Vec<String>>,
    /// Dotted names of what to leave out.
    exclude: Option<Vec<String>>,
}
