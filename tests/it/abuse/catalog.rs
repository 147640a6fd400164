//! Searches of the catalog: CQL2 in both forms, geometries, and all parameters together, each asked of an index.

use serde_json::Value;
use shared::Error;
use shared::catalog::{Facts, Row, Scalar, Visible};
use shared::model::{ProjectId, Visibility};
use stac_catalog::area::Area;
use stac_catalog::geometry::{Bounds, MAX_POSITIONS, Shape};
use stac_catalog::index::Index;
use stac_catalog::instant;
use stac_catalog::query::{Filter, Period, Search};

use super::mutation::mutated;
use super::survive;

const TEXTS: &[&str] = &[
    "title = 'Flood Detector' AND sharinghub:stars > 2 OR NOT archived = true",
    "CASEI(title) LIKE casei('%FLOOD_%') AND keywords IS NOT NULL",
    "S_INTERSECTS(geometry, POLYGON((0 0, 10 0, 10 10, 0 0))) and updated >= TIMESTAMP('2024-01-01T00:00:00Z')",
    "T_DURING(datetime, INTERVAL('2024-01-01', '..')) OR \"mlm:name\" IN ('a', 'it''s')",
    "A_CONTAINS(keywords, ('Flood', 'x')) AND scores BETWEEN 1 AND 2.5e0",
    "s_intersects(geometry, GEOMETRYCOLLECTION(POINT Z (1 2 3), LINESTRING(0 0, 1 1))) AND BBOX(-180,-90,180,90) = geometry",
    "(((title = 'x')))",
];
const TEXT_WORDS: &[&str] = &[
    " AND ",
    " OR ",
    " NOT ",
    "NOT ",
    " LIKE ",
    " IN (",
    " BETWEEN ",
    " IS NULL",
    "CASEI(",
    "ACCENTI(",
    "TIMESTAMP(",
    "DATE(",
    "INTERVAL(",
    "BBOX(",
    "POINT(",
    "POLYGON((",
    "MULTIPOLYGON(((",
    "GEOMETRYCOLLECTION(",
    "EMPTY",
    " Z ",
    "S_INTERSECTS(",
    "A_OVERLAPS(",
    "T_AFTER(",
    "'..'",
    "geometry",
    "datetime",
    "keywords",
    "<>",
    "<=",
    "+",
    "*",
    "'%_%'",
    "''",
    "\\'",
    "true",
];
const JSONS: &[&str] = &[
    r#"{"op":"and","args":[{"op":"=","args":[{"property":"title"},"x"]},{"op":">","args":[{"property":"sharinghub:stars"},2]}]}"#,
    r#"{"op":"not","args":[{"op":"like","args":[{"op":"casei","args":[{"property":"title"}]},"%f_%"]}]}"#,
    r#"{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Polygon","coordinates":[[[0,0],[10,0],[10,10],[0,0]]]}]}"#,
    r#"{"op":"t_during","args":[{"property":"datetime"},{"interval":["2024-01-01",".."]}]}"#,
    r#"{"op":"in","args":[{"property":"license"},["mit",5,true,null]]}"#,
    r#"{"op":"a_equals","args":[{"property":"keywords"},["a",{"timestamp":"2024-01-01T00:00:00Z"}]]}"#,
    r#"{"op":"between","args":[{"property":"scores"},{"date":"2024-01-01"},{"bbox":[0,0,1,1]}]}"#,
];
const JSON_WORDS: &[&str] = &[
    "\"op\":",
    "\"args\":[",
    "{\"property\":\"title\"}",
    "{\"op\":\"not\",\"args\":[",
    "[[",
    "]]",
    "}]}",
    "\"and\"",
    "\"or\"",
    "\"casei\"",
    "\"bbox\":[0,0,1,1]",
    "\"timestamp\":",
    "\"interval\":[",
    "\"type\":\"Point\"",
    "\"coordinates\":",
    "\"geometries\":[",
    "1e308",
    "\"\\u0000\"",
];
const PLACES: &[&str] = &[
    "POLYGON((0 0, 10 0, 10 10, 0 0),(1 1, 2 1, 2 2, 1 1))",
    "MULTIPOINT((1 2),(3 4))",
    "GEOMETRYCOLLECTION(POINT(1 2),GEOMETRYCOLLECTION(LINESTRING(170 -80, -170 80)))",
    "SRID=4326;POINT ZM (1 2 3 4)",
    "POLYGON EMPTY",
    r#"{"type":"Polygon","coordinates":[[[0,0],[10,0],[10,10],[0,0]]]}"#,
    r#"{"type":"MultiPolygon","coordinates":[[[[170,-10],[-170,-10],[-170,10],[170,-10]]]]}"#,
    r#"{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2,3]},{"type":"LineString","coordinates":[[0,0],[0,0]]}]}"#,
    r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]},"properties":null}"#,
    "-180,-90,180,90",
    "170,-10,-100,-170,10,100",
];
const PLACE_WORDS: &[&str] = &[
    "POINT",
    "POLYGON",
    "GEOMETRYCOLLECTION(",
    "((",
    "))",
    "EMPTY",
    " Z ",
    "0 0, ",
    "180",
    "-90.0000001",
    "1e-320",
    "inf",
    "[0,0],",
    "[[",
    "]]",
    "\"coordinates\":",
    "\"geometries\":[",
    "\"bbox\":[0,0,1,1],",
    "\"crs\":{},",
];
const QUERIES: &[&str] = &[
    "collections=aimodel,dataset&q=flood,[sar]%20:starred&limit=10&sortby=-properties.title,%2Bid&fields=id,-links",
    "bbox=0,40,10,50&datetime=2024-01-01T00:00:00Z/..&ids=a,b&token=AbC",
    "intersects={\"type\":\"Point\",\"coordinates\":[1,45]}&filter=title%20LIKE%20'%25x'&filter-lang=cql2-text",
    "filter={\"op\":\"isNull\",\"args\":[{\"property\":\"title\"}]}&filter-lang=cql2-json&filter-crs=http://www.opengis.net/def/crs/OGC/1.3/CRS84",
    "datetime=../2024-02-30T25:61:61%2B99:99&mode=preview&limit=0",
];
const QUERY_WORDS: &[&str] = &[
    "&limit=",
    "&bbox=",
    "&datetime=",
    "../..",
    "&filter=",
    "&filter-lang=cql2-json",
    "&q=",
    "&sortby=",
    "&fields=",
    "&ids=",
    "&token=",
    "&intersects=",
    "%20",
    "%2C",
    "%00",
    "[",
    "]",
    ":starred",
    "-properties.",
    "9999999999999999999",
    "2024-01-01T00:00:00.999999999Z",
];
const BODIES: &[&str] = &[
    r#"{"collections":["aimodel"],"q":["flood"],"limit":10,"sortby":[{"field":"title","direction":"desc"}],"fields":{"include":["id"],"exclude":["links"]}}"#,
    r#"{"bbox":[0,40,10,50],"datetime":"2024-01-01T00:00:00Z/..","ids":["a"],"token":"AbC"}"#,
    r#"{"intersects":{"type":"Point","coordinates":[1,45]},"filter":{"op":"=","args":[1,1]},"filter-lang":"cql2-json"}"#,
];

/// One item that everybody sees.
fn index() -> Index {
    let text = |text: &str| Scalar::Text(text.into());
    let properties = [
        ("archived", Scalar::Bool(false)),
        ("keywords", Scalar::List(vec![text("Flood"), text("sar"), text("x")])),
        ("scores", Scalar::List(vec![Scalar::Number(1.0), Scalar::Number(2.5)])),
        ("sharinghub:stars", Scalar::Number(3.0)),
        ("title", text(&"Flood Detector ß ".repeat(200))),
        ("updated", text("2024-12-01T12:00:00.5+02:00")),
    ];
    Index::new(vec![Row {
        project: ProjectId(1),
        collection: "aimodel".into(),
        id: "grp/sub/flood".into(),
        visibility: Visibility::Public,
        code_visibility: Visibility::Public,
        full: Facts {
            text: "flood".into(),
            start: 1_704_103_200_000,
            end: 1_733_047_200_000,
            bbox: Some([0.0, 40.0, 10.0, 50.0]),
            geometry: Some(r#"{"type":"Polygon","coordinates":[[[0,40],[10,40],[0,50],[0,40]]]}"#.into()),
            properties: properties.map(|(name, value)| (name.to_owned(), value)).into(),
        },
        minimal: None,
    }])
}

fn ask(index: &Index, search: &Search) {
    let found = index.search(search, &Visible::default(), None, None).matched;
    assert!(found <= 1, "{found} of one");
}

fn ask_filter(index: &Index, filter: Result<Filter, String>) {
    if let Ok(filter) = filter {
        assert!(filter.properties().len() <= stac_catalog::query::cql2::MAX_LENGTH);
        let mut search = Search::default();
        search.filter = Some(filter);
        ask(index, &search);
    }
}

#[test]
fn cql2_texts() {
    let index = index();
    survive("CQL2 text", &mutated(TEXTS, TEXT_WORDS), |text| ask_filter(&index, Filter::parse_text(&text)));
}

#[test]
fn cql2_json() {
    let index = index();
    survive("CQL2 JSON", &mutated(JSONS, JSON_WORDS), |text| {
        if let Ok(json) = serde_json::from_str::<Value>(&text) {
            ask_filter(&index, Filter::parse_json(&json));
        }
    });
}

#[test]
fn places() {
    let item = Shape::of_item(None, Some([0.0, 40.0, 10.0, 50.0])).unwrap();
    survive("geometries", &mutated(PLACES, PLACE_WORDS), |text| {
        let json = serde_json::from_str::<Value>(&text).map_err(|why| why.to_string());
        let numbers = text.split(',').map(|part| part.trim().parse::<f64>()).collect::<Result<Vec<_>, _>>();
        let shapes = [
            Shape::parse_wkt(&text),
            json.and_then(|json| Shape::parse_geojson(&json)),
            numbers.map_err(|why| why.to_string()).and_then(|numbers| Ok(Bounds::parse(&numbers)?.into())),
        ];
        for shape in shapes.into_iter().flatten() {
            let Bounds { west, south, east, north, .. } = shape.bounds();
            assert!([west, south, east, north].iter().all(|degree| degree.is_finite()) && south <= north);
            assert_eq!(shape.intersects(&item), item.intersects(&shape), "{text}");
            Area::from(shape).meets(&item);
        }
        let _ = (instant::parse(&text), instant::parse_date(&text), Period::parse(&text));
    });
    assert!(Shape::parse_wkt(&format!("LINESTRING({}0 0)", "0 0,".repeat(MAX_POSITIONS))).is_err());
}

/// Refusals name the parameter, in few words.
fn check(index: &Index, search: shared::Result<Search>) {
    match search {
        Ok(search) => {
            ask(index, &search);
            let _ = (search.identity(), search.parameters_with("t"), search.body_with("t"), search.limit());
            search
                .fields
                .apply(serde_json::json!({"id": "x", "properties": {"title": "y", "a": {"b": [1]}}, "links": []}));
        }
        Err(Error::Invalid(why)) => assert!(why.len() < 4_096, "{} bytes: {why}", why.len()),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn parameters() {
    let index = index();
    survive("catalog queries", &mutated(QUERIES, QUERY_WORDS), |text| {
        let pairs = form_urlencoded::parse(text.as_bytes()).into_owned().collect::<Vec<_>>();
        check(&index, Search::from_parameters(pairs));
    });
}

#[test]
fn bodies() {
    let index = index();
    survive("catalog bodies", &mutated(BODIES, JSON_WORDS), |text| {
        if let Ok(json) = serde_json::from_str::<Value>(&text) {
            check(&index, Search::from_body(&json));
        }
    });
}
