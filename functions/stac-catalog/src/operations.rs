//! What the OpenAPI document says of the catalog's endpoints, in the order of the routes.

use shared::extract::{Input, Query};
use shared::openapi::Operation;

use crate::schemas::{
    Children, ChildrenParameters, Collection, CollectionParameters, Collections, Conformance, Geo, Item,
    ItemCollection, ItemsParameters, JsonSchemaDocument, Root, SearchBody, SearchParameters,
};

const CATALOG: &str = "STAC catalog";
const SEARCH: &str = "STAC search";

const COLLECTION: &[(&str, &str)] = &[("collection", "Id of the collection, e.g. `aimodel`, or one of its aliases.")];
const ITEM: &[(&str, &str)] = &[
    ("collection", "Id of the collection, e.g. `aimodel`, or one of its aliases."),
    ("item", "Full path of the GitLab project, its slashes raw or encoded, e.g. `earth/land-cover`."),
];
const ETAG: &[(&str, &str)] = &[("If-None-Match", "The `ETag` of what the client has: the answer is then 304.")];
/// What a GET of a list asks for in these examples, and how it is told.
const PAGING: &str =
    "Pages follow one another by the links `next` and `prev`; `numberMatched` counts what the caller sees.";

pub const GET_LANDING_PAGE: Operation =
    Operation::new(CATALOG, "Get the catalog's root").headers(ETAG).answering::<Geo<Root>>();

pub const GET_CONFORMANCE: Operation =
    Operation::new(CATALOG, "Get what the catalog conforms to").headers(ETAG).answering::<Geo<Conformance>>();

pub const GET_CHILDREN: Operation = Operation::new(CATALOG, "Get the root's children: the collections")
    .headers(ETAG)
    .taking::<Query<ChildrenParameters>>()
    .answering::<Geo<Children>>();

pub const GET_QUERYABLES: Operation = Operation::new(SEARCH, "Get by which properties items can be filtered")
    .headers(ETAG)
    .answering::<Geo<JsonSchemaDocument>>();

pub const GET_SORTABLES: Operation = Operation::new(SEARCH, "Get by which properties items can be sorted")
    .headers(ETAG)
    .answering::<Geo<JsonSchemaDocument>>();

pub const GET_COLLECTIONS: Operation = Operation::new(CATALOG, "Get the collections, or search them")
    .headers(ETAG)
    .taking::<Query<CollectionParameters>>()
    .answering::<Geo<Collections>>();

pub const GET_COLLECTION: Operation =
    Operation::new(CATALOG, "Get a collection").path(COLLECTION).headers(ETAG).answering::<Geo<Collection>>();

pub const GET_COLLECTION_QUERYABLES: Operation =
    Operation::new(SEARCH, "Get by which properties a collection's items can be filtered")
        .path(COLLECTION)
        .headers(ETAG)
        .answering::<Geo<JsonSchemaDocument>>();

pub const GET_COLLECTION_SORTABLES: Operation =
    Operation::new(SEARCH, "Get by which properties a collection's items can be sorted")
        .path(COLLECTION)
        .headers(ETAG)
        .answering::<Geo<JsonSchemaDocument>>();

pub const GET_ITEMS: Operation = Operation::new(CATALOG, "List or search the items of a collection")
    .about(PAGING)
    .path(COLLECTION)
    .headers(ETAG)
    .taking::<Query<ItemsParameters>>()
    .example(r#"{"limit": 10, "sortby": "-properties.updated"}"#)
    .answering::<Geo<ItemCollection>>();

pub const GET_ITEM: Operation = Operation::new(CATALOG, "Get an item: a project of the collection")
    .path(ITEM)
    .headers(ETAG)
    .answering::<Geo<Item>>();

pub const GET_SEARCH: Operation = Operation::new(SEARCH, "Search items")
    .about(PAGING)
    .headers(ETAG)
    .taking::<Query<SearchParameters>>()
    .example(r#"{"collections": "aimodel", "q": "flood,[sentinel-1]", "limit": 10}"#)
    .answering::<Geo<ItemCollection>>();

pub const POST_SEARCH: Operation = Operation::new(SEARCH, "Search items by a JSON body")
    .about("As by GET; a filter is CQL2 JSON unless `filter-lang` says otherwise, and the links of the pages carry a body.")
    .taking::<Input<SearchBody>>()
    .example(
        r#"{
            "collections": ["aimodel"],
            "filter": {"op": ">=", "args": [{"property": "sharinghub:stars"}, 1]},
            "sortby": [{"field": "properties.updated", "direction": "desc"}],
            "limit": 10
        }"#,
    )
    .answering::<Geo<ItemCollection>>();
