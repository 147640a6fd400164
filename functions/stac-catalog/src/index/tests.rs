//! Searches of an index: what is found, in which order, page by page, and what nobody may learn.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use shared::catalog::{Facts, Row, Scalar, Sight, Visible};
use shared::model::{ProjectId, Visibility};

use super::*;
use crate::query::Search;

fn facts(text: &str, properties: &[(&str, Scalar)]) -> Facts {
    let mut properties: Vec<_> = properties.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    properties.sort_by(|left, right| left.0.cmp(&right.0));
    Facts { text: text.into(), properties, ..Facts::default() }
}

fn row(project: u64, collection: &str, id: &str, full: Facts) -> Row {
    Row {
        project: ProjectId(project),
        collection: collection.into(),
        id: id.into(),
        visibility: Visibility::Public,
        code_visibility: Visibility::Public,
        full,
        minimal: None,
    }
}

fn search(parameters: &[(&str, &str)]) -> Search {
    Search::from_parameters(parameters.iter().copied()).unwrap()
}

fn ids(found: &Found) -> Vec<&str> {
    found.hits.iter().map(|hit| hit.entry.id()).collect()
}

fn found(index: &Index, parameters: &[(&str, &str)]) -> Vec<String> {
    let found = index.search(&search(parameters), &Visible::default(), None, None);
    assert_eq!(found.matched as usize, found.hits.len());
    ids(&found).into_iter().map(str::to_owned).collect()
}

fn stars(count: f64) -> (&'static str, Scalar) {
    ("sharinghub:stars", Scalar::Number(count))
}

fn text(name: &'static str, text: &str) -> (&'static str, Scalar) {
    (name, Scalar::Text(text.into()))
}

fn topics(names: &[&str]) -> (&'static str, Scalar) {
    ("gitlab:topics", Scalar::List(names.iter().map(|name| Scalar::Text((*name).into())).collect()))
}

fn sample() -> Index {
    let day = 86_400_000;
    let mut flood = facts("flood detector\nwater", &[stars(3.0), topics(&["Flood", "sharinghub:aimodel"])]);
    (flood.start, flood.end) = (0, 10 * day);
    flood.bbox = Some([170.0, -20.0, -170.0, 20.0]);
    flood.properties.push(("title".into(), Scalar::Text("Flood".into())));
    let mut snow = facts("snow depth", &[text("title", "Snow"), topics(&["snow", "sharinghub:aimodel"])]);
    (snow.start, snow.end) = (20 * day, 20 * day);
    snow.geometry = Some(r#"{"type":"Point","coordinates":[7,45]}"#.into());
    let mut forest = facts("forest flood", &[stars(9.0), text("title", "Forest"), topics(&["Flood", "v1.2"])]);
    // Outside of its extent.
    forest.properties.push(("datetime".into(), Scalar::Text("1960-01-01T00:00:00Z".into())));
    Index::new(vec![
        row(3, "dataset", "c/forest", forest),
        row(1, "aimodel", "a/flood", flood.clone()),
        row(2, "aimodel", "b/snow", snow),
        row(1, "dataset", "a/flood", flood),
    ])
}

#[test]
fn each_parameter_narrows_the_search() {
    let index = sample();
    for (parameters, expected) in [
        (&[][..], &["a/flood", "a/flood", "b/snow", "c/forest"][..]),
        (&[("collections", "aimodel")], &["a/flood", "b/snow"]),
        (&[("collections", "aimodel,dataset"), ("ids", "a/flood,nope,a/flood")], &["a/flood", "a/flood"]),
        (&[("ids", "c/forest,b/snow")], &["b/snow", "c/forest"]),
        (&[("ids", "a"), ("q", "flood")], &[]),
        (&[("ids", "b/snow"), ("q", "flood")], &[]),
        (&[("q", "FLOOD")], &["a/flood", "a/flood", "c/forest"]),
        (&[("q", "water, snow")], &["a/flood", "a/flood", "b/snow"]),
        (&[("q", "flood detector")], &["a/flood", "a/flood"]),
        (&[("q", "[flood]")], &["a/flood", "a/flood", "c/forest"]),
        (&[("q", "[flood] [V1.2]")], &["c/forest"]),
        (&[("q", "[sharinghub:aimodel] snow")], &["b/snow"]),
        (&[("q", ":starred")], &[]),
        (&[("bbox", "175,0,180,1")], &["a/flood", "a/flood"]),
        (&[("bbox", "-175,0,-171,1")], &["a/flood", "a/flood"]),
        (&[("bbox", "-10,-10,10,10")], &[]),
        (&[("bbox", "7,45,8,46")], &["b/snow"]),
        (&[("bbox", "-180,-90,180,90")], &["a/flood", "a/flood", "b/snow"]),
        (&[("intersects", r#"{"type":"LineString","coordinates":[[6,44],[8,46]]}"#)], &["b/snow"]),
        (&[("intersects", r#"{"type":"LineString","coordinates":[[6,44],[8,47]]}"#)], &[]),
        (&[("datetime", "1970-01-11T00:00:00Z/..")], &["a/flood", "a/flood", "b/snow"]),
        (&[("datetime", "1970-01-11T00:00:00.001Z/..")], &["b/snow"]),
        (&[("datetime", "1970-01-05T00:00:00Z")], &["a/flood", "a/flood"]),
        (&[("datetime", "../1969-12-31T23:59:59Z")], &["c/forest"]),
        (&[("datetime", "1960-01-01T00:00:00Z")], &["c/forest"]),
        (&[("datetime", "1960-01-01T00:00:01Z/1969-12-31T23:59:59Z")], &[]),
        (&[("filter", "sharinghub:stars > 3")], &["c/forest"]),
        (&[("filter", "sharinghub:stars > 1"), ("collections", "aimodel"), ("q", "water")], &["a/flood"]),
    ] {
        assert_eq!(found(&index, parameters), expected, "{parameters:?}");
    }
    let mut none = search(&[]);
    none.collections = Some(Vec::new());
    assert_eq!(index.search(&none, &Visible::default(), None, None).matched, 0);
    let mine = HashSet::from([ProjectId(3)]);
    let starred = index.search(&search(&[("q", ":starred")]), &Visible::default(), Some(&mine), None);
    assert_eq!(ids(&starred), ["c/forest"]);
}

#[test]
fn missing_values_sort_last_in_both_directions() {
    let index = sample();
    for (sortby, expected) in [
        ("stars", ["a/flood", "a/flood", "c/forest", "b/snow"]),
        ("-stars", ["c/forest", "a/flood", "a/flood", "b/snow"]),
        ("-id", ["c/forest", "b/snow", "a/flood", "a/flood"]),
        ("-collection,-id", ["c/forest", "a/flood", "b/snow", "a/flood"]),
        ("title", ["a/flood", "a/flood", "c/forest", "b/snow"]),
        ("-properties.title", ["b/snow", "c/forest", "a/flood", "a/flood"]),
        ("created", ["a/flood", "a/flood", "b/snow", "c/forest"]),
    ] {
        assert_eq!(found(&index, &[("sortby", sortby)]), expected, "{sortby}");
    }
}

#[test]
fn who_sees_only_the_project_finds_only_what_it_says() {
    let mut secret = row(1, "aimodel", "a/secret", facts("weights of the flood", &[stars(9.0), topics(&["hidden"])]));
    secret.full.bbox = Some([0.0, 0.0, 1.0, 1.0]);
    secret.code_visibility = Visibility::Private;
    secret.minimal = Some(facts("a project", &[stars(1.0)]));
    let mut private = row(2, "aimodel", "a/private", facts("flood", &[stars(2.0)]));
    (private.visibility, private.code_visibility) = (Visibility::Private, Visibility::Private);
    let index = Index::new(vec![secret, private, row(3, "aimodel", "a/open", facts("flood", &[stars(5.0)]))]);
    let nobody = Visible::default();
    let member = Visible { projects: [(ProjectId(1), true), (ProjectId(2), false)].into(), ..Visible::default() };
    for (parameters, for_nobody, for_member) in [
        (&[][..], &["a/open", "a/secret"][..], &["a/open", "a/private", "a/secret"][..]),
        (&[("q", "flood")], &["a/open"], &["a/open", "a/private", "a/secret"]),
        (&[("q", "[hidden]")], &[], &["a/secret"]),
        (&[("bbox", "0,0,1,1")], &[], &["a/secret"]),
        (&[("filter", "sharinghub:stars = 9")], &[], &["a/secret"]),
        (&[("filter", "geometry IS NULL AND sharinghub:stars = 1")], &["a/secret"], &[]),
        (&[("sortby", "-stars")], &["a/open", "a/secret"], &["a/secret", "a/open", "a/private"]),
        (&[("ids", "a/private,a/secret")], &["a/secret"], &["a/private", "a/secret"]),
    ] {
        for (visible, expected) in [(&nobody, for_nobody), (&member, for_member)] {
            let found = index.search(&search(parameters), visible, None, None);
            assert_eq!((ids(&found).as_slice(), found.matched), (expected, expected.len() as u64), "{parameters:?}");
            assert!(found.hits.iter().all(|hit| hit.sight == hit.entry.sight(visible) && hit.sight != Sight::Hidden));
        }
    }
    let page = index.search(&search(&[("sortby", "-stars"), ("limit", "1")]), &nobody, None, None);
    assert_eq!(page.next.unwrap().values, [SortValue::Number(5.0)]);
    assert_eq!(index.seen(&nobody).count(), 2);
    let place = |visible: &Visible| index.seen(visible).find_map(|(entry, sight)| entry.shape(sight)).is_some();
    assert_eq!((place(&nobody), place(&member)), (false, true));
}

#[test]
fn changes_leave_one_item_of_each_project_and_each_id() {
    let plain = |project: u64, collection: &str, id: &str| row(project, collection, id, Facts::default());
    let index = Index::new(vec![plain(1, "x", "a/one"), plain(2, "x", "a/two"), plain(2, "y", "a/two")]);
    let all = |index: &Index| -> Vec<(u64, String, String)> {
        let visible = Visible::default();
        let entries = index.seen(&visible);
        entries.map(|(entry, _)| (entry.project().0, entry.collection().into(), entry.id().into())).collect()
    };
    let owned = |rows: &[(u64, &str, &str)]| -> Vec<(u64, String, String)> {
        rows.iter().map(|(project, collection, id)| (*project, (*collection).into(), (*id).into())).collect()
    };
    // A rename, a project that took another's path, a removal from one collection, a newcomer.
    let changed = index.with_changes(
        vec![plain(1, "x", "b/one"), plain(3, "x", "a/two"), plain(4, "y", "a/new")],
        &[(ProjectId(2), "y".into()), (ProjectId(9), "x".into())],
    );
    assert_eq!(all(&changed), owned(&[(4, "y", "a/new"), (3, "x", "a/two"), (1, "x", "b/one")]));
    assert_eq!(all(&index), owned(&[(1, "x", "a/one"), (2, "x", "a/two"), (2, "y", "a/two")]));
    assert!(changed.find("x", "b/one").is_some() && changed.find("x", "a/one").is_none());
    assert_eq!(index.find("y", "a/two").unwrap().project(), ProjectId(2));
    let same = index.with_changes(Vec::new(), &[]);
    assert!(index.find("x", "a/one").unwrap().is(same.find("x", "a/one").unwrap()));
    let twice = Index::new(vec![plain(1, "x", "old"), plain(1, "x", "new"), plain(2, "x", "new")]);
    assert_eq!(all(&twice), owned(&[(2, "x", "new")]));
}

#[test]
fn positions_survive_their_way_through_a_token() {
    let values = vec![
        SortValue::Missing,
        SortValue::Bool(true),
        SortValue::Number(-0.1),
        SortValue::Instant(-5),
        SortValue::Text("é".into()),
    ];
    let position = Position { backwards: true, values, id: "a/b".into(), collection: "x".into() };
    let bytes = postcard::to_stdvec(&position).unwrap();
    assert_eq!(postcard::from_bytes::<Position>(&bytes).unwrap(), position);
}

#[test]
fn a_foreign_position_is_no_accident() {
    let index = sample();
    let position = Position { backwards: false, values: Vec::new(), id: "a/flood".into(), collection: "x".into() };
    for (sortby, expected) in [("id", ["b/snow", "c/forest"]), ("-stars,title", ["c/forest", "b/snow"])] {
        let found = index.search(&search(&[("sortby", sortby)]), &Visible::default(), None, Some(&position));
        assert_eq!(ids(&found), expected);
    }
}

/// Rows of few ids, values and visibilities, so that ties and collisions are frequent.
fn any_row() -> impl Strategy<Value = Row> {
    let visibility = prop::sample::select(vec![
        (Visibility::Public, Visibility::Public),
        (Visibility::Public, Visibility::Private),
        (Visibility::Internal, Visibility::Internal),
        (Visibility::Private, Visibility::Private),
    ]);
    let value = prop::option::of(0..4_u8);
    let facts = (value.clone(), value, prop::sample::select(vec!["flood", "snow", "flood snow"])).prop_map(
        |(stars, title, words)| {
            let stars = stars.map(|count| ("sharinghub:stars", Scalar::Number(f64::from(count))));
            let title = title
                .map(|at| ("title", Scalar::Text(["a", "B", "é", "2024-01-01T00:00:00Z"][usize::from(at)].into())));
            facts(words, &stars.into_iter().chain(title).collect::<Vec<_>>())
        },
    );
    (0..60_u64, prop::sample::select(vec!["x", "y"]), visibility, facts.clone(), prop::option::of(facts)).prop_map(
        |(project, collection, (visibility, code_visibility), full, minimal)| Row {
            visibility,
            code_visibility,
            minimal,
            ..row(project, collection, &format!("g/{:02}", project * 7 % 60), full)
        },
    )
}

fn any_visible() -> impl Strategy<Value = Visible> {
    let projects = prop::collection::hash_map((0..60_u64).prop_map(ProjectId), any::<bool>(), 0..20);
    (any::<bool>(), projects, prop::bool::weighted(0.1)).prop_map(|(internal, projects, everything)| Visible {
        internal,
        projects,
        everything,
    })
}

fn any_search() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let sortby =
        prop::sample::select(vec!["", "id", "-id", "stars", "-stars,title", "-title,-stars", "collection,-title"]);
    let narrow = prop::sample::select(vec![
        ("q", ""),
        ("q", "flood"),
        ("collections", "x"),
        ("filter", "sharinghub:stars > 1"),
        ("filter", "NOT title = 'a'"),
    ]);
    (sortby, narrow).prop_map(|(sortby, narrow)| vec![("sortby", sortby), narrow])
}

type KeyOfHit = (String, String);

fn keys(found: &Found) -> Vec<KeyOfHit> {
    found.hits.iter().map(|hit| (hit.entry.id().to_owned(), hit.entry.collection().to_owned())).collect()
}

/// All pages from the first, or from the last backwards, over the index as `at` gives it for each page.
fn walk<'a>(search: &Search, visible: &Visible, at: impl Fn(usize) -> &'a Index) -> (Vec<KeyOfHit>, Option<Position>) {
    let (mut all, mut from) = (Vec::new(), None);
    for page in 0..1_000 {
        let found = at(page).search(search, visible, None, from.as_ref());
        assert!(page == 0 || !found.hits.is_empty() || !std::ptr::eq(at(page), at(page - 1)), "a trailing empty page");
        assert!(found.hits.len() <= search.limit());
        all.extend(keys(&found));
        from = found.next;
        if from.is_none() {
            return (all, found.prev);
        }
    }
    panic!("the pages do not end");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn pages_are_the_unpaged_result_forwards_and_backwards(
        rows in prop::collection::vec(any_row(), 0..80), visible in any_visible(), parameters in any_search(),
        limit in 1..9_usize,
    ) {
        let index = Index::new(rows);
        let whole = index.search(&search(&[parameters.as_slice(), &[("limit", "1000")]].concat()), &visible, None, None);
        prop_assert!(whole.next.is_none() && whole.prev.is_none());
        let paged = search(&[parameters.as_slice(), &[("limit", &limit.to_string())]].concat());
        let (pages, mut prev) = walk(&paged, &visible, |_| &index);
        prop_assert_eq!(&pages, &keys(&whole));
        prop_assert_eq!(whole.matched as usize, pages.len());
        // Back from the last page: everything that came before it.
        let on_last = if pages.is_empty() { 0 } else { (pages.len() - 1) % limit + 1 };
        let mut rest = pages[..pages.len() - on_last].to_vec();
        while let Some(position) = prev {
            let found = index.search(&paged, &visible, None, Some(&position));
            prop_assert!(found.next.is_some() && !found.hits.is_empty());
            let expected = rest.split_off(rest.len() - found.hits.len());
            prop_assert_eq!(keys(&found), expected);
            prev = found.prev;
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn items_that_come_and_go_cause_neither_doubles_nor_holes(
        rows in prop::collection::vec(any_row(), 0..60), more in prop::collection::vec(any_row(), 0..30),
        gone in prop::collection::vec((0..60_u64, prop::sample::select(vec!["x", "y"])), 0..20),
        visible in any_visible(), parameters in any_search(), limit in 1..6_usize, after in 0..4_usize,
    ) {
        let before = Index::new(rows);
        // Only newcomers and the gone: an item whose values change may rightly move to another page.
        let known = |row: &Row| before.entries.iter().any(|entry| {
            entry.collection() == row.collection && (entry.project() == row.project || entry.id() == row.id)
        });
        let more = more.into_iter().filter(|row| !known(row)).collect();
        let gone: Vec<_> = gone.into_iter().map(|(project, collection)| (ProjectId(project), collection.to_owned())).collect();
        let then = before.with_changes(more, &gone);
        let paged = search(&[parameters.as_slice(), &[("limit", &limit.to_string())]].concat());
        let (pages, _) = walk(&paged, &visible, |page| if page <= after { &before } else { &then });
        let distinct: HashSet<_> = pages.iter().collect();
        prop_assert_eq!(distinct.len(), pages.len());
        let whole = search(&[parameters.as_slice(), &[("limit", "1000")]].concat());
        let [old, new] = [&before, &then].map(|index| keys(&index.search(&whole, &visible, None, None)));
        for stayed in old.iter().filter(|key| new.contains(key)) {
            prop_assert!(pages.contains(stayed), "{:?} is missing", stayed);
        }
    }

    #[test]
    fn what_a_caller_cannot_see_changes_nothing(
        rows in prop::collection::vec(any_row(), 0..60), visible in any_visible(), parameters in any_search(),
        limit in 1..9_usize,
    ) {
        let index = Index::new(rows.clone());
        // The same catalog, in which there is only what this caller sees of it.
        let last: BTreeMap<_, _> = rows.into_iter().map(|row| ((row.id.clone(), row.collection.clone()), row)).collect();
        let seen = last.into_values().filter_map(|row| {
            let facts = match visible.sight(&row) {
                Sight::Hidden => return None,
                Sight::Project => row.minimal.clone().unwrap_or_else(|| row.full.clone()),
                Sight::Code => row.full.clone(),
            };
            Some(Row { full: facts, minimal: None, ..row })
        });
        let only_seen = Index::new(seen.collect());
        let search = search(&[parameters.as_slice(), &[("limit", &limit.to_string())]].concat());
        let [mine, theirs] = [&index, &only_seen].map(|index| index.search(&search, &visible, None, None));
        prop_assert_eq!(keys(&mine), keys(&theirs));
        prop_assert_eq!(mine.matched, theirs.matched);
        prop_assert_eq!(mine.next, theirs.next);
    }
}
