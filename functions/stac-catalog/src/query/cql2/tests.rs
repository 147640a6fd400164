//! Filters over one item: what is true, what is unknown, what is refused. Thousands of random filters of these kinds
//! had the same answers from the `cql2` package 0.6.0 of PyPI, where that package gives one.

use serde_json::{Value as Json, json};
use shared::catalog::{Facts, Row, Scalar, Visible};
use shared::model::{ProjectId, Visibility};

use super::*;
use crate::index::Index;
use crate::query::Search;

/// One item that everybody sees.
fn index() -> Index {
    let text = |text: &str| Scalar::Text(text.into());
    let list = |names: &[&str]| Scalar::List(names.iter().map(|name| text(name)).collect());
    let properties = [
        ("archived", Scalar::Bool(false)),
        ("created", text("2024-01-01T10:00:00Z")),
        ("day", text("2024-06-15")),
        ("keywords", list(&["Flood", "sar", "x"])),
        ("license", text("apache-2.0")),
        ("mlm:name", text("it's a Model")),
        ("pattern", text("100%")),
        ("scores", Scalar::List(vec![Scalar::Number(1.0), Scalar::Number(2.5)])),
        ("sharinghub:stars", Scalar::Number(3.0)),
        ("title", text("Flood Detector")),
        ("updated", text("2024-12-01T12:00:00.5+02:00")),
        ("größe", Scalar::Number(7.0)),
    ];
    Index::new(vec![Row {
        project: ProjectId(1),
        collection: "aimodel".into(),
        id: "grp/sub/flood".into(),
        visibility: Visibility::Public,
        code_visibility: Visibility::Public,
        full: Facts {
            text: String::new(),
            start: 1_704_103_200_000,
            end: 1_733_047_200_000,
            bbox: Some([0.0, 40.0, 10.0, 50.0]),
            geometry: Some(r#"{"type":"Polygon","coordinates":[[[0,40],[10,40],[0,50],[0,40]]]}"#.into()),
            properties: properties.map(|(name, value)| (name.to_owned(), value)).into(),
        },
        minimal: None,
    }])
}

fn is_true(index: &Index, filter: Filter) -> bool {
    let search = Search { filter: Some(filter), ..Search::default() };
    index.search(&search, &Visible::default(), None, None).matched == 1
}

fn check_texts(cases: &[(&str, bool)]) {
    let index = index();
    for (text, expected) in cases {
        let filter = Filter::parse_text(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        assert_eq!(is_true(&index, filter), *expected, "{text}");
    }
}

#[test]
fn comparisons_and_logic() {
    check_texts(&[
        ("title = 'Flood Detector'", true),
        ("title <> 'Flood Detector'", false),
        ("title = 'flood detector'", false),
        ("\"title\" = 'Flood Detector'", true),
        ("properties.title = 'Flood Detector'", true),
        ("\"mlm:name\" = 'it''s a Model'", true),
        (r"mlm:name = 'it\'s a Model'", true),
        ("sharinghub:stars > 2 AND sharinghub:stars < 4", true),
        ("sharinghub:stars>=3.0 and sharinghub:stars<=3e0", true),
        ("sharinghub:stars = -3", false),
        ("3 = sharinghub:stars", true),
        ("größe = 7", true),
        ("archived = FALSE", true),
        ("archived = true", false),
        ("NOT archived = true", true),
        ("NOT NOT archived = true", false),
        ("id = 'grp/sub/flood' and collection = 'aimodel'", true),
        ("title > 'Fl' and title < 'Fm'", true),
        ("(title = 'x' OR archived = false) AND sharinghub:stars = 3", true),
        ("title = 'x' OR archived = false AND sharinghub:stars = 4", false),
        ("archived = false OR title = 'x' AND sharinghub:stars = 4", true),
        ("TRUE", true),
        ("false or true", true),
        ("1 = 1", true),
        ("'a' < 'b'", true),
    ]);
}

#[test]
fn the_absent_is_neither_equal_nor_unequal() {
    check_texts(&[
        ("nothing IS NULL", true),
        ("nothing IS NOT NULL", false),
        ("title is null", false),
        ("title IS NOT NULL", true),
        ("NOT title IS NULL", true),
        ("nothing = 1", false),
        ("nothing <> 1", false),
        ("NOT nothing = 1", false),
        ("nothing = 1 OR title = 'Flood Detector'", true),
        ("nothing = 1 AND title = 'Flood Detector'", false),
        ("NOT (nothing = 1 AND title = 'x')", true),
        ("NOT (nothing = 1 OR title = 'x')", false),
        ("nothing LIKE '%'", false),
        ("nothing NOT LIKE 'a'", false),
        ("nothing BETWEEN 1 AND 2", false),
        ("nothing NOT IN (1)", false),
        ("geometry IS NULL", false),
        // An item with a period has no `datetime`.
        ("datetime IS NULL", true),
    ]);
}

#[test]
fn what_cannot_be_compared_is_unknown() {
    check_texts(&[
        ("title > 5", false),
        ("NOT title > 5", false),
        ("keywords = 'x'", false),
        ("NOT keywords = 'x'", false),
        ("sharinghub:stars LIKE '3'", false),
        ("title = 5 OR sharinghub:stars = 3", true),
        ("sharinghub:stars IN ('3', 3)", true),
        ("sharinghub:stars NOT IN ('3', 4)", false),
    ]);
}

#[test]
fn like_between_in_and_casei() {
    check_texts(&[
        ("title LIKE 'Flood%'", true),
        ("title LIKE 'flood%'", false),
        ("title NOT LIKE 'flood%'", true),
        ("title LIKE '_lood Detecto_'", true),
        (r"pattern LIKE '100\%'", true),
        (r"title LIKE 'Flood\%'", false),
        ("CASEI(title) LIKE CASEI('FLOOD%')", true),
        ("CASEI(title) = CASEI('fLOOD dETECTOR')", true),
        ("casei(title) = 'flood detector'", true),
        ("casei(casei(title)) = casei('FLOOD DETECTOR')", true),
        ("casei(license) IN (casei('MIT'), casei('Apache-2.0'))", true),
        ("sharinghub:stars BETWEEN 3 AND 5", true),
        ("sharinghub:stars NOT BETWEEN 3 AND 5", false),
        ("sharinghub:stars BETWEEN 4 AND 5 OR title = 'Flood Detector'", true),
        ("title BETWEEN 'A' AND 'G'", true),
        ("license IN ('mit', 'apache-2.0')", true),
        ("license NOT IN ('mit')", true),
        ("license IN ('mit') AND title = 'Flood Detector'", false),
        ("sharinghub:stars IN (1, 2, 3)", true),
    ]);
}

#[test]
fn instants_are_compared_as_instants() {
    check_texts(&[
        ("created >= TIMESTAMP('2024-01-01T10:00:00Z')", true),
        ("created > TIMESTAMP('2024-01-01T10:00:00Z')", false),
        ("created = TIMESTAMP('2024-01-01T11:00:00+01:00')", true),
        ("updated = TIMESTAMP('2024-12-01T10:00:00.500000Z')", true),
        ("updated < TIMESTAMP('2024-12-01T11:00:00Z')", true),
        ("updated BETWEEN TIMESTAMP('2024-12-01T10:00:00Z') AND TIMESTAMP('2024-12-01T10:00:01Z')", true),
        // Our own: texts that are instants too, and days are days of UTC.
        ("created = '2024-01-01T10:00:00.000Z'", true),
        ("created = DATE('2024-01-01')", true),
        ("created > DATE('2024-01-01')", false),
        ("created > DATE('2023-12-31')", true),
        ("day = DATE('2024-06-15') AND day < DATE('2024-06-16')", true),
        ("title = DATE('2024-06-15')", false),
    ]);
}

#[test]
fn lists_are_compared_as_sets() {
    check_texts(&[
        ("a_contains(keywords, ('sar', 'Flood'))", true),
        ("A_CONTAINS(keywords, ('sar', 'y'))", false),
        ("a_containedBy(keywords, ('sar', 'Flood', 'x', 'y'))", true),
        ("a_containedby(keywords, ('sar', 'Flood'))", false),
        ("a_overlaps(keywords, ('y', 'x'))", true),
        ("a_overlaps(keywords, ('y', 'z'))", false),
        ("a_equals(keywords, ('x', 'Flood', 'sar'))", true),
        ("a_equals(keywords, ('Flood', 'sar'))", false),
        ("a_contains(scores, (2.5))", true),
        ("a_contains(scores, ('2.5'))", false),
        // Our own: a single text is a list of one, and the absent is unknown.
        ("a_contains(keywords, 'sar')", true),
        ("a_contains(license, ('apache-2.0'))", true),
        ("a_contains(keywords, ())", true),
        ("NOT a_overlaps(nothing, ('x'))", false),
    ]);
}

#[test]
fn places_and_times() {
    check_texts(&[
        ("s_intersects(geometry, POINT(1 41))", true),
        ("S_INTERSECTS(geometry, POINT (9 49))", false),
        ("s_intersects(geometry, BBOX(5, 40, 20, 41))", true),
        ("s_intersects(geometry, BBOX(9,49,10,50))", false),
        ("s_intersects(geometry, POLYGON((4 42, 20 42, 20 60, 4 42)))", true),
        ("NOT s_intersects(geometry, MULTIPOINT((1 70), (2 71)))", true),
        ("s_intersects(geometry, GEOMETRYCOLLECTION(POINT(70 70), LINESTRING(1 30, 1 60)))", true),
        ("s_intersects(POINT Z (1 41 5), geometry)", true),
        ("s_intersects(nothing, POINT(1 41))", false),
        ("NOT s_intersects(nothing, POINT(1 41))", false),
        ("t_after(created, TIMESTAMP('2023-01-01T00:00:00Z'))", true),
        ("t_before(created, DATE('2024-01-01'))", false),
        ("t_before(created, DATE('2024-01-02'))", true),
        ("t_during(created, INTERVAL('2024-01-01T00:00:00Z', '2024-02-01T00:00:00Z'))", true),
        ("t_during(created, INTERVAL('2024-01-01T10:00:00Z', '..'))", false),
        ("t_intersects(created, INTERVAL('..', '2024-01-01'))", true),
        ("t_equals(created, TIMESTAMP('2024-01-01T10:00:00Z'))", true),
        ("t_disjoint(created, updated)", true),
        ("t_contains(INTERVAL(created, updated), DATE('2024-06-15'))", true),
        ("t_intersects(datetime, DATE('2024-06-15'))", true),
        ("t_starts(created, INTERVAL('2024-01-01T10:00:00Z', '2024-02-01T00:00:00Z'))", true),
        ("t_meets(created, created)", true),
        ("t_after(nothing, TIMESTAMP('2023-01-01T00:00:00Z'))", false),
        ("t_intersects(day, DATE('2024-06-15'))", true),
        ("t_after(title, DATE('2024-06-15'))", false),
    ]);
}

#[test]
fn json_says_the_same() {
    let index = index();
    let call = |op: &str, args: Json| json!({"op": op, "args": args});
    let title = json!({"property": "title"});
    let keywords = json!({"property": "keywords"});
    let created = json!({"property": "created"});
    let geometry = json!({"property": "geometry"});
    let ring = json!([[[4, 42], [20, 42], [20, 60], [4, 42]]]);
    for (json, expected) in [
        (json!(true), true),
        (call("=", json!([title, "Flood Detector"])), true),
        (call("<>", json!([title, "Flood Detector"])), false),
        (call("not", json!([call("=", json!([title, "x"]))])), true),
        (call("and", json!([call("isNull", json!([{"property": "nothing"}])), call("=", json!([title, "x"]))])), false),
        (call("or", json!([call("isNull", json!([{"property": "nothing"}])), call("=", json!([title, "x"]))])), true),
        (call("between", json!([{"property": "sharinghub:stars"}, [3, 5]])), true),
        (call("between", json!([{"property": "sharinghub:stars"}, 3, 5])), true),
        (call("in", json!([{"property": "license"}, ["mit", "apache-2.0"]])), true),
        (call("like", json!([title, "Flood%"])), true),
        (call("like", json!([call("casei", json!([title])), call("casei", json!(["FLOOD%"]))])), true),
        (call(">", json!([created, {"timestamp": "2023-01-01T00:00:00Z"}])), true),
        (call("<", json!([created, {"date": "2023-01-01"}])), false),
        (call("a_contains", json!([keywords, ["sar"]])), true),
        (call("a_containedBy", json!([keywords, ["sar"]])), false),
        (call("s_intersects", json!([geometry, {"type": "Polygon", "coordinates": ring}])), true),
        (call("s_intersects", json!([geometry, {"bbox": [9, 49, 10, 50]}])), false),
        (call("t_intersects", json!([created, {"interval": ["..", "2024-02-01T00:00:00Z"]}])), true),
        (call("t_during", json!([created, {"interval": [{"property": "updated"}, ".."]}])), false),
    ] {
        let filter = Filter::parse_json(&json).unwrap_or_else(|why| panic!("{json}: {why}"));
        assert_eq!(is_true(&index, filter), expected, "{json}");
    }
}

#[test]
fn what_is_not_understood_is_refused_in_words() {
    for (text, why) in [
        ("", "ends where"),
        ("title", "a comparison"),
        ("title =", "ends where a value"),
        ("title = 'x", "closing quote"),
        ("title = 'x' AND", "ends where"),
        ("title = 'x' title", "`title` at character 13"),
        ("title != 'x'", "`<>`"),
        ("title == 'x'", "`=` at character 8"),
        ("größe ? 1", "`?` at character 7"),
        ("a + 1 = 2", "arithmetic"),
        ("a = 1 - 2", "arithmetic"),
        ("a = 1e999", "malformed number"),
        ("a = 1x", "malformed number"),
        ("a LIKE b", "pattern"),
        ("a LIKE 5", "pattern"),
        ("a NOT = 5", "`LIKE`, `BETWEEN` or `IN`"),
        ("a IN 5", "`(`"),
        ("a IN (5", "`,` or `)`"),
        ("a IN ((1), 2)", "a list cannot be compared"),
        ("a BETWEEN 1", "`and`"),
        ("a IS 5", "`null`"),
        ("5 IS NULL", "property"),
        ("frobnicate(a) = 1", "`frobnicate`"),
        ("frobnicate(a, b)", "`frobnicate`"),
        ("accenti(a) = 'b'", "`accenti`"),
        ("s_within(geometry, POINT(1 2))", "`s_within`"),
        ("s_intersects(geometry, POINT(1))", "no geometry"),
        ("s_intersects(geometry, POINT(1 2)", "ends where"),
        ("s_intersects(geometry, POLYGON((1 2)", "does not end"),
        ("s_intersects(geometry, POINT(200 2))", "longitudes"),
        ("s_intersects(geometry, BBOX(1, 2))", "BBOX: 4 or 6"),
        ("s_intersects(geometry, geometry)", "property and a geometry"),
        ("s_intersects(geometry)", "2 arguments"),
        ("t_after(created, 'yesterday')", "RFC 3339"),
        ("t_after(created, 5)", "no time"),
        ("t_during(created, INTERVAL('2024-01-02', '2024-01-01'))", "begins before"),
        ("t_during(created, INTERVAL('2024-01-02'))", "beginning and an end"),
        ("t_nearly(created, updated)", "`t_nearly`"),
        ("created = TIMESTAMP('2024-01-01')", "RFC 3339"),
        ("created = TIMESTAMP(5)", "takes one text"),
        ("created = DATE('01.01.2024')", "no date"),
        ("created = INTERVAL('..', '..')", "cannot be compared"),
        ("a_contains(keywords, POINT(1 2))", "no list"),
        ("a_contains(keywords, (title))", "a list holds values"),
        ("a = POINT(1 2)", "cannot be compared"),
        ("casei(5) = 'x'", "`casei`"),
        ("casei(a)", "`casei`"),
        ("AND a = 1", "a property or a value"),
        ("a = and", "a property or a value"),
        ("()", "a property or a value"),
        ("a = 1)", "`)` at character 6"),
    ] {
        let error = Filter::parse_text(text).map(|_| ()).unwrap_err();
        assert!(error.contains(why), "{text}: {error}");
    }
}

#[test]
fn json_that_is_not_understood_is_refused_in_words() {
    for (json, why) in [
        (json!(5), "no condition"),
        (json!({"op": "="}), "args"),
        (json!({"op": 5, "args": []}), "`op`"),
        (json!({"op": "=", "args": [1]}), "2 arguments"),
        (json!({"op": "=", "args": [{"property": "a"}, null]}), "isNull"),
        (json!({"op": "and", "args": []}), "needs conditions"),
        (json!({"op": "+", "args": [1, 2]}), "`+`"),
        (json!({"op": "=", "args": [{"op": "+", "args": [1, 2]}, 3]}), "`+`"),
        (json!({"op": "=", "args": [{"property": 5}, 3]}), "property"),
        (json!({"op": "=", "args": [{"function": {"name": "f"}}, 3]}), "functions"),
        (json!({"op": "in", "args": [{"property": "a"}, 5]}), "takes a list"),
        (json!({"op": "s_intersects", "args": [{"property": "a"}, {"type": "Circle"}]}), "`Circle`"),
        (json!({"op": "s_intersects", "args": [{"property": "a"}, {"bbox": ["a"]}]}), "bbox"),
        (json!({"op": "frobnicate", "args": []}), "`frobnicate`"),
    ] {
        let error = Filter::parse_json(&json).map(|_| ()).unwrap_err();
        assert!(error.contains(why), "{json}: {error}");
    }
}

#[test]
fn depth_and_length_are_bounded() {
    let nested = |open: &str, core: &str, close: &str, depth: usize| {
        Filter::parse_text(&format!("{}{core}{}", open.repeat(depth), close.repeat(depth))).map(|_| ())
    };
    for (open, core, close) in [
        ("(", "a = 1", ")"),
        ("NOT ", "a = 1", ""),
        ("NOT (", "a = 1", ")"),
        ("casei(", "a", ") "),
        ("(", "", ""),
        ("a IN (", "", ""),
        ("a IN ((", "", ""),
        ("s_intersects(a, GEOMETRYCOLLECTION(", "", ""),
    ] {
        let error = nested(open, core, close, 100).unwrap_err();
        assert!(error.contains("nests deeper") || error.contains("expected"), "{open}: {error}");
        assert!(nested(open, core, close, 5_000).unwrap_err().contains("bytes"), "{open}");
    }
    assert!(nested("(", "a = 1", ")", 32).is_ok());
    assert!(nested("NOT ", "a = 1", "", 32).is_ok());
    let mut json = json!({"op": "=", "args": [1, 1]});
    for _ in 0..40 {
        json = json!({"op": "not", "args": [json]});
    }
    assert!(Filter::parse_json(&json).map(|_| ()).unwrap_err().contains("nests deeper"));
    let wide = json!({"op": "in", "args": [{"property": "a"}, vec![1; 3_000]]});
    assert!(Filter::parse_json(&wide).map(|_| ()).unwrap_err().contains("bytes"));
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,60}") {
        let _ = Filter::parse_text(&text);
    }

    #[test]
    fn no_likely_text_panics(words in proptest::collection::vec(
        proptest::sample::select(vec![
            "a", "AND", "OR", "NOT", "(", ")", ",", "=", "<>", "LIKE", "IN", "BETWEEN", "IS", "NULL", "'x%'", "5", "-.5",
            "CASEI", "TIMESTAMP", "INTERVAL", "BBOX", "POINT", "Z", "POLYGON", "EMPTY", "s_intersects", "a_overlaps",
            "t_during", "'2024-01-01'", "'..'", "geometry", "keywords", "é", "\"q\"", "true",
        ]), 0..24)) {
        if let Ok(filter) = Filter::parse_text(&words.join(" ")) {
            is_true(&index(), filter);
        }
    }
}
