//! Searches as clients send them, by GET and by POST.

use serde_json::json;

use super::*;

fn get(parameters: &[(&str, &str)]) -> Result<Search> {
    Search::from_parameters(parameters.iter().copied())
}

fn post(body: Json) -> Result<Search> {
    Search::from_body(&body)
}

#[test]
fn nothing_asked_is_everything_in_pages_of_twelve() {
    for search in [get(&[]).unwrap(), post(json!({})).unwrap()] {
        assert_eq!(search.limit(), 12);
        assert!(search.ids.is_none() && search.collections.is_none() && search.place.is_none());
        assert!(search.datetime.is_none() && search.filter.is_none() && search.token.is_none());
        assert!(search.sortby.is_empty() && search.q == FreeText::default() && search.fields == Fields::default());
    }
    let empty: Vec<(&str, &str)> = PARAMETERS.iter().map(|name| (*name, "")).collect();
    assert_eq!(get(&empty).unwrap().limit(), 12);
    let nulls: Map<String, Json> = PARAMETERS.iter().map(|name| ((*name).to_owned(), Json::Null)).collect();
    assert_eq!(post(Json::Object(nulls)).unwrap().limit(), 12);
}

#[test]
fn both_methods_say_the_same() {
    let point = r#"{"type":"Point","coordinates":[1,2]}"#;
    let by_get = get(&[
        ("ids", "a/b, c/d"),
        ("collections", "aimodel,dataset"),
        ("intersects", point),
        ("datetime", "2024-01-01T00:00:00Z/.."),
        ("q", "flood,[x:y] :starred"),
        ("sortby", "-properties.updated,+id,title"),
        ("fields", "id,-links"),
        ("filter", "stars > 3"),
        ("limit", "7"),
        ("token", "T"),
        ("unknown", "?"),
    ])
    .unwrap();
    let by_post = post(json!({
        "ids": ["a/b", "c/d"], "collections": ["aimodel", "dataset"],
        "intersects": {"type": "Point", "coordinates": [1, 2]}, "datetime": "2024-01-01T00:00:00Z/..",
        "q": ["flood", "[x:y] :starred"],
        "sortby": [{"field": "updated", "direction": "desc"}, {"field": "id", "direction": "asc"}, {"field": "title"}],
        "fields": {"include": ["id"], "exclude": ["links"]},
        "filter": {"op": ">", "args": [{"property": "stars"}, 3]}, "limit": 7, "token": "T", "unknown": 1,
    }))
    .unwrap();
    for search in [&by_get, &by_post] {
        assert_eq!(search.ids.as_deref().unwrap(), ["a/b", "c/d"]);
        assert_eq!(search.collections.as_deref().unwrap(), ["aimodel", "dataset"]);
        assert_eq!((search.limit(), search.token.as_deref()), (7, Some("T")));
        assert_eq!(search.filter.as_ref().unwrap().properties(), ["stars"]);
        assert!(search.q.starred);
    }
    assert_eq!(by_get.place, by_post.place);
    assert_eq!(by_get.datetime, by_post.datetime);
    assert_eq!(by_get.q, by_post.q);
    assert_eq!(by_get.sortby, by_post.sortby);
    assert_eq!(by_get.fields, by_post.fields);
}

#[test]
fn a_search_that_would_take_long_is_refused() {
    let get = |parameters: &[(&str, &str)]| Search::from_parameters(parameters.iter().copied()).map(|_| ());
    let chain = |condition: &str, count: usize| vec![condition; count].join(" OR ");
    let texts = format!("license IN ('x'{})", ",'y'".repeat(500));
    let numbers = format!("stars IN (1{})", ",2".repeat(50));
    let mask = format!("title LIKE '%e{}x%'", "_".repeat(40));
    let most =
        "mlm:name = 'a' AND stars > 3 AND CASEI(title) LIKE '%b%' AND updated < TIMESTAMP('2024-01-01T00:00:00Z')";
    for (filter, allowed) in [
        (chain("stars < 3", 20), true),
        (chain("stars < 3", 40), false),
        (chain("title LIKE '%a%'", 6), true),
        (chain("title LIKE '%a%'", 9), false),
        (chain("CASEI(title) LIKE 'v_.%'", 3), true),
        (chain(&format!("title LIKE '{}%'", "%e".repeat(120)), 1), false),
        (texts, true),
        (numbers, false),
        ("title LIKE '%v_.0%'".to_owned(), false),
        ("title LIKE '%flood_map%'".to_owned(), true),
        (mask, false),
    ] {
        let answer = get(&[("filter", &filter)]);
        assert_eq!(answer.is_ok(), allowed, "{filter}");
        assert!(answer.err().is_none_or(|error| error.to_string().starts_with("filter: the search is too much")));
    }
    let two_lists = "A_CONTAINEDBY(('a','b'),('a','b'))";
    assert!(get(&[("filter", two_lists)]).unwrap_err().to_string().contains("not two lists"));
    let island = |at: usize| format!("(({at} 0, {at}.5 0.2, {at}.3 0.5, {at} 0))");
    let islands =
        format!("s_intersects(geometry, MULTIPOLYGON({}))", (0..40).map(island).collect::<Vec<_>>().join(", "));
    assert!(get(&[("filter", &islands)]).is_ok());
    let usual =
        [("q", "flood,snow"), ("bbox", "0,0,9,9"), ("datetime", "2024-01-01T00:00:00Z/.."), ("sortby", "-updated")];
    assert!(get(&usual).is_ok());
    assert!(get(&[("filter", most), ("bbox", "0,0,9,9"), ("sortby", "title")]).is_ok());
    assert!(get(&[&usual[..], &[("filter", most)]].concat()).is_ok());
    assert!(get(&[&usual[..], &[("filter", &chain("stars < 3", 15))]].concat()).is_err());
}

#[test]
fn every_refusal_of_a_get_names_the_parameter() {
    let large = format!("\"{}\" = 1", "a".repeat(4_096));
    let deep = format!("{}a = 1{}", "(".repeat(33), ")".repeat(33));
    for (parameter, values) in [
        ("limit", &["0", "00", "-1", "abc", "1.5", "1e2", "+5", "１"][..]),
        ("bbox", &["a,b", "1,2,3", "0,0,0,1,1", "0,1,1,0", "0,0,inf,1", "nan,0,1,1", "0,0,1,91", "0,0,,1"]),
        ("intersects", &["{", "7", r#"{"type":"Point"}"#, r#"{"type":"Feature"}"#, "[[[[["]),
        ("datetime", &["2024-01-01", "/", "x/..", "2024-01-02T00:00:00Z/2024-01-01T00:00:00Z"]),
        ("sortby", &["colour", "-", "id,,-x", "properties"]),
        ("q", &[":unknown", "a :b"]),
        ("filter", &["a =", "a = 1 b", "(((", &large, &deep, "{}", "frobnicate(a)", "a + 1 = 2"]),
        ("filter-lang", &["cql-text", "sql"]),
        ("filter-crs", &["http://www.opengis.net/def/crs/EPSG/0/3857"]),
    ] {
        for value in values {
            let error = get(&[(parameter, value)]).unwrap_err();
            let named = error.to_string().starts_with(&format!("{parameter}: "));
            assert!(matches!(error, Error::Invalid(_)) && named, "{parameter}={value}: {error}");
        }
    }
    let twice = get(&[("limit", "1"), ("limit", "2")]).unwrap_err();
    assert_eq!(twice.to_string(), "limit: given more than once");
    let both = get(&[("bbox", "0,0,1,1"), ("intersects", r#"{"type":"Point","coordinates":[1,2]}"#)]).unwrap_err();
    assert!(both.to_string().contains("bbox and intersects"));
    let ids = vec!["a"; 1_001].join(",");
    assert!(get(&[("ids", &ids)]).unwrap_err().to_string().starts_with("ids: "));
}

#[test]
fn every_refusal_of_a_post_names_the_member() {
    for (name, values) in [
        ("limit", vec![json!(0), json!(-1), json!("5"), json!(1.5), json!(true), json!([])]),
        ("bbox", vec![json!("0,0,1,1"), json!([1, "2", 3, 4]), json!([]), json!([0, 1, 1, 0]), json!({})]),
        ("intersects", vec![json!("POINT(1 2)"), json!({}), json!([]), json!({"type": "Point", "coordinates": []})]),
        ("datetime", vec![json!(7), json!("yesterday"), json!(["2024-01-01T00:00:00Z"])]),
        ("sortby", vec![json!("id"), json!([{}]), json!([{"field": "x"}]), json!({"field": "id"})]),
        ("ids", vec![json!(7), json!([7]), json!({})]),
        ("collections", vec![json!(7), json!([null])]),
        ("q", vec![json!(7), json!([":x"])]),
        ("filter", vec![json!(7), json!([]), json!({}), json!({"op": "frobnicate", "args": []}), json!("a =")]),
        ("filter-lang", vec![json!(1)]),
        ("token", vec![json!(1)]),
    ] {
        for value in values {
            let error = post(json!({name: value})).unwrap_err();
            assert!(error.to_string().starts_with(&format!("{name}: ")), "{name}: {value}: {error}");
        }
    }
    assert!(post(json!({"fields": "id"})).unwrap_err().to_string().starts_with("fields: "));
    assert!(post(json!({"fields": {"include": [1]}})).unwrap_err().to_string().starts_with("fields.include: "));
    assert!(post(json!({"filter": "a = 1", "filter-lang": "cql2-json"})).is_err());
    assert!(post(json!({"filter": "a = 1", "filter-lang": "sql"})).unwrap_err().to_string().contains("filter-lang"));
    assert!(post(json!([])).unwrap_err().to_string().contains("object"));
    let both = json!({"bbox": [0, 0, 1, 1], "intersects": {"type": "Point", "coordinates": [1, 2]}});
    assert!(post(both).unwrap_err().to_string().contains("bbox and intersects"));
}

#[test]
fn what_clients_are_known_to_send_is_taken() {
    assert_eq!(post(json!({"collections": "dataset"})).unwrap().collections.unwrap(), ["dataset"]);
    assert_eq!(post(json!({"collections": []})).unwrap().collections, None);
    assert_eq!(get(&[("limit", "99999999999999999999999")]).unwrap().limit(), MAX_LIMIT);
    assert_eq!(post(json!({"limit": 5_000})).unwrap().limit(), MAX_LIMIT);
    assert!(get(&[("bbox", "170, -20, -170, 20")]).is_ok());
    assert!(get(&[("bbox", "0,0,0,1,1,1"), ("filter-crs", CRS84)]).is_ok());
    assert!(get(&[("filter", r#"{"op":"isNull","args":[{"property":"a"}]}"#), ("filter-lang", "cql2-json")]).is_ok());
    assert!(post(json!({"filter": "a = 1", "filter-lang": "cql2-text"})).unwrap().filter.is_some());
    assert_eq!(get(&[("ids", "a"), ("ids", "b,c")]).unwrap().ids.unwrap(), ["a", "b", "c"]);
    assert_eq!(get(&[("sortby", " id,-title")]).unwrap().sortby.len(), 2);
}

#[test]
fn links_to_pages_repeat_the_search_and_no_credentials() {
    let search = get(&[("limit", "2"), ("gitlab_token", "secret"), ("token", "old"), ("q", "a,b")]).unwrap();
    let expected = [("limit", "2"), ("q", "a,b"), ("token", "new")];
    assert_eq!(search.parameters_with("new"), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(search.body_with("new"), None);
    let search = post(json!({"limit": 2, "gitlab_token": "secret", "ids": ["a"]})).unwrap();
    assert_eq!(search.body_with("new"), Some(json!({"limit": 2, "ids": ["a"], "token": "new"})));
    assert!(search.parameters_with("new").is_empty());
}

#[test]
fn the_identity_is_that_of_the_search_not_of_the_page() {
    let of = |parameters: &[(&str, &str)]| get(parameters).unwrap().identity();
    let same = of(&[("q", "x"), ("sortby", "id")]);
    assert_eq!(same, of(&[("sortby", "id"), ("token", "t"), ("q", "x"), ("limit", "3"), ("fields", "id")]));
    assert_ne!(same, of(&[("q", "x"), ("sortby", "-id")]));
    let of = |body: Json| post(body).unwrap().identity();
    assert_eq!(of(json!({"q": "x", "limit": 1})), of(json!({"token": "t", "q": "x"})));
    assert_ne!(of(json!({"q": "x"})), of(json!({"q": "y"})));
}

fn any_json() -> impl proptest::strategy::Strategy<Value = Json> {
    use proptest::prelude::*;
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "[a-z=<>%_(),' ]{0,12}".prop_map(Json::from),
        Just(json!({"property": "a"})),
        Just(json!({"type": "Point", "coordinates": [1, 2]})),
        prop_oneof![Just("and"), Just("in"), Just("like"), Just("s_intersects"), Just("casei")].prop_map(Json::from),
    ];
    let name =
        prop_oneof![Just("op"), Just("args"), Just("type"), Just("coordinates"), Just("interval"), Just("field")];
    leaf.prop_recursive(6, 48, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            proptest::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..4)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

proptest::proptest! {
    #[test]
    fn no_parameter_panics(at in 0..PARAMETERS.len(), value in "\\PC{0,40}") {
        let _ = get(&[(PARAMETERS[at], &value)]);
    }

    #[test]
    fn no_member_panics(at in 0..PARAMETERS.len(), value in any_json()) {
        let _ = post(json!({PARAMETERS[at]: value}));
    }
}
