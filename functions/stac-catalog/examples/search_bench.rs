//! What searches cost, the heaviest that are allowed among them: `cargo run --release --example search_bench`, with
//! `-- PART OF A NAME` for some of them. Rows are made up; times are CPU milliseconds of one search, the best of five
//! means, as others may use the machine; memory is what the process grew by. Linux only, as it reads `/proc`.

use std::collections::HashMap;
use std::io::{Result, Write};

use serde_json::json;
use shared::catalog::{Facts, Row, Scalar, Visible};
use shared::model::{ProjectId, Visibility};
use stac_catalog::index::{Found, Index};
use stac_catalog::query::Search;

const WORDS: [&str; 24] = [
    "flood",
    "detector",
    "forest",
    "sentinel",
    "biomass",
    "segmentation",
    "water",
    "snow",
    "depth",
    "training",
    "optical",
    "radar",
    "coast",
    "urban",
    "change",
    "classification",
    "model",
    "weights",
    "season",
    "crop",
    "yield",
    "glacier",
    "fire",
    "risk",
];

/// A plain generator of numbers, the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn words(&mut self, count: usize) -> String {
        (0..count).map(|_| WORDS[self.roll(WORDS.len())]).collect::<Vec<_>>().join(" ")
    }
}

fn row(number: usize, dice: &mut Dice) -> Row {
    let id = format!("group-{}/team-{}/project-{number}", dice.roll(50), dice.roll(400));
    let (title, description) = (dice.words(3), dice.words(40));
    let keywords: Vec<Scalar> = (0..4).map(|_| Scalar::Text(WORDS[dice.roll(WORDS.len())].into())).collect();
    let date = |dice: &mut Dice| {
        let (year, month, day) = (2018 + dice.roll(8), 1 + dice.roll(12), 1 + dice.roll(28));
        format!("{year}-{month:02}-{day:02}T{:02}:00:00.000Z", dice.roll(24))
    };
    let (created, updated) = (date(dice), date(dice));
    let start = 1_514_764_800_000 + dice.roll(252_288_000) as i64 * 1_000;
    let (west, south) = (dice.roll(3_500) as f64 / 10.0 - 180.0, dice.roll(1_700) as f64 / 10.0 - 90.0);
    let (east, north) = (west + dice.roll(100) as f64 / 10.0, south + dice.roll(100) as f64 / 10.0);
    // A third has no place, a third a box, a third an outline.
    let ring = match dice.roll(3) {
        0 => None,
        1 => Some(json!([[[west, south], [east, south], [east, north], [west, north], [west, south]]])),
        _ => Some(json!([[[west, south], [east, south + 1.0], [east, north], [west, north - 1.0], [west, south]]])),
    };
    let text = |text: &str| Scalar::Text(text.into());
    let properties = [
        ("created", text(&created)),
        ("datetime", text(&updated)),
        ("description", text(&description)),
        ("end_datetime", text(&updated)),
        ("gitlab:topics", Scalar::List(keywords.clone())),
        ("keywords", Scalar::List(keywords)),
        ("license", text(["apache-2.0", "mit", "proprietary"][dice.roll(3)])),
        ("mlm:architecture", text(["unet", "resnet", "transformer"][dice.roll(3)])),
        ("mlm:name", text(&title)),
        ("sharinghub:id", Scalar::Number(number as f64)),
        ("sharinghub:name", text(&title)),
        ("sharinghub:path", text(&id)),
        ("sharinghub:stars", Scalar::Number(dice.roll(500) as f64)),
        ("start_datetime", text(&created)),
        ("title", text(&title)),
        ("updated", text(&updated)),
    ];
    let visibility = [Visibility::Public, Visibility::Internal, Visibility::Private][dice.roll(3)];
    Row {
        project: ProjectId(number as u64),
        collection: ["aimodel", "dataset", "processor"][dice.roll(3)].into(),
        visibility,
        code_visibility: visibility,
        full: Facts {
            text: format!("{title}\n{id}\n{description}"),
            start,
            end: start + 86_400_000 * dice.roll(400) as i64,
            bbox: ring.as_ref().map(|_| [west, south, east, north]),
            geometry: ring.map(|ring| json!({"type": "Polygon", "coordinates": ring}).to_string()),
            properties: properties.map(|(name, value)| (name.to_owned(), value)).into(),
        },
        id,
        minimal: None,
    }
}

/// Milliseconds of CPU that this thread has used.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap_or_default() / 1e6
}

/// Megabytes that the process holds.
fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or_default() / 1_024.0
}

/// An index that took its rows a few at a time, so that the process holds little else.
fn grown(count: usize) -> Index {
    let mut dice = Dice(7);
    (0..count).step_by(1_000).fold(Index::default(), |index, from| {
        index.with_changes((from..from + 1_000).map(|number| row(number, &mut dice)).collect(), &[])
    })
}

fn ring_of(corners: usize) -> String {
    let mut ring: Vec<[f64; 2]> = (0..corners)
        .map(|at| {
            let angle = std::f64::consts::TAU * at as f64 / corners as f64;
            let far = if at % 2 == 0 { 80.0 } else { 70.0 };
            [far * angle.cos(), far * angle.sin()]
        })
        .collect();
    ring.push(ring[0]);
    json!({"type": "Polygon", "coordinates": [ring]}).to_string()
}

/// Long thin teeth from pole to pole: every edge passes every latitude.
fn comb_of(corners: usize) -> String {
    let tooth = |at: usize| {
        let east = 340.0 * at as f64 / corners as f64 - 170.0;
        [east, if at.is_multiple_of(2) { -80.0 } else { 80.0 + at as f64 / 1_000.0 }]
    };
    let mut ring: Vec<[f64; 2]> = (0..corners - 1).map(tooth).chain([[170.0, -85.0]]).collect();
    ring.push(ring[0]);
    json!({"type": "Polygon", "coordinates": [ring]}).to_string()
}

fn measure(index: &Index, search: &Search, visible: &Visible, deep: bool) -> (f64, Found) {
    let middle = deep.then(|| {
        let mut from = index.search(search, visible, None, None).next;
        for _ in 0..20 {
            from = from.and_then(|from| index.search(search, visible, None, Some(&from)).next);
        }
        from
    });
    let from = middle.flatten();
    let mut least = f64::INFINITY;
    for _ in 0..5 {
        // The clock ticks every few milliseconds.
        let (before, mut runs) = (cpu(), 0.0);
        while runs < 1.0 || cpu() - before < 30.0 {
            index.search(search, visible, None, from.as_ref());
            runs += 1.0;
        }
        least = least.min((cpu() - before) / runs);
    }
    (least, index.search(search, visible, None, from.as_ref()))
}

/// Its name, its parameters, and whether a page far behind the first is asked for.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], bool);

fn main() -> Result<()> {
    let mut out = std::io::stdout().lock();
    let only = std::env::args().nth(1).unwrap_or_default();
    let (star, gon, zigzag, comb) = (ring_of(12), ring_of(900), comb_of(12), comb_of(100));
    let terms: Vec<String> = (0..16).map(|at| format!("{} {at}", WORDS[at % WORDS.len()])).collect();
    let terms = terms.join(",");
    let conditions = vec!["sharinghub:stars < 0"; 23].join(" OR ");
    let heavy = "CASEI(title) LIKE CASEI('%Snow%') OR updated < TIMESTAMP('2019-01-01T00:00:00Z') \
        OR a_overlaps(keywords, ('flood', 'none')) OR s_intersects(geometry, BBOX(0, 0, 20, 20))";
    let folds = ["CASEI(description) LIKE '%zzz%'"; 3].join(" OR ");
    let lists =
        format!("a_overlaps(keywords, ('x'{})) OR license IN ('x'{})", ",'yyyyy'".repeat(100), ",'yyy'".repeat(100));
    let searches: [Case<'_>; 22] = [
        ("default page", &[], false),
        ("deep page, by title", &[("sortby", "title"), ("limit", "100")], true),
        ("free text", &[("q", "glacier crop")], false),
        ("free text, nothing found", &[("q", "zzz,yyy,xxx")], false),
        ("free text, 16 terms", &[("q", &terms)], false),
        ("topic and text", &[("q", "[flood],radar")], false),
        ("sort by -updated", &[("sortby", "-updated")], false),
        ("sort by three fields", &[("sortby", "-stars,title,-created")], false),
        ("bbox", &[("bbox", "-10,30,40,60")], false),
        ("bbox, the world", &[("bbox", "-180,-90,180,90")], false),
        ("intersects, 12 corners", &[("intersects", &star)], false),
        ("intersects, 900 corners", &[("intersects", &gon)], false),
        ("datetime", &[("datetime", "2020-01-01T00:00:00Z/2020-02-01T00:00:00Z")], false),
        ("cql2, numbers and text", &[("filter", "sharinghub:stars > 250 AND license IN ('mit', 'x')")], false),
        ("cql2, 23 conditions", &[("filter", &conditions)], false),
        ("cql2, heavy", &[("filter", heavy)], false),
        ("cql2, a mask", &[("filter", "description LIKE '%ede_e_~%'")], false),
        ("cql2, three foldings", &[("filter", &folds)], false),
        ("cql2, long lists", &[("filter", &lists)], false),
        ("intersects, a zigzag", &[("intersects", &zigzag)], false),
        ("intersects, a comb", &[("intersects", &comb)], false),
        (
            "text, place, time, order",
            &[
                ("q", "glacier crop,water"),
                ("bbox", "-100,-60,100,60"),
                ("datetime", "2019-01-01T00:00:00Z/.."),
                ("sortby", "-updated"),
            ],
            false,
        ),
    ];
    for count in [1_000, 10_000, 100_000] {
        let (held, kept) = (memory(), grown(count));
        let held = memory() - held;
        drop(kept);
        let mut dice = Dice(7);
        let rows: Vec<Row> = (0..count).map(|number| row(number, &mut dice)).collect();
        let before = cpu();
        let index = Index::new(rows);
        let built = cpu() - before;
        let changed: Vec<Row> = (0..100).map(|number| row(number * (count / 100), &mut dice)).collect();
        let before = cpu();
        let index = index.with_changes(changed, &[]);
        let updated = cpu() - before;
        writeln!(out, "\n{count} rows: about {held:.0} MB, built in {built:.0} ms, 100 changes in {updated:.1} ms")?;
        let projects: HashMap<ProjectId, bool> = (0..200).map(|at| (ProjectId(at * 17), at % 2 == 0)).collect();
        let some = Visible { internal: true, projects, everything: false };
        let all = Visible { everything: true, ..Visible::default() };
        writeln!(out, "  {:<26} {:>10}  {:>10}", "", "two thirds", "all seen")?;
        for (name, parameters, deep) in searches.iter().filter(|(name, ..)| name.contains(&only)) {
            let search = Search::from_parameters(parameters.iter().copied()).map_err(std::io::Error::other)?;
            let (for_some, found) = measure(&index, &search, &some, *deep);
            let (for_all, _) = measure(&index, &search, &all, *deep);
            writeln!(out, "  {name:<26} {for_some:>7.2} ms  {for_all:>7.2} ms  {:>7} matched", found.matched)?;
        }
    }
    Ok(())
}
