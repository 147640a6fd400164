//! Every fixture answers today as it did when it was taken.

use std::collections::BTreeSet;

use serde_json::json;

use super::fixture::{Fixture, key_of};
use super::questions::{again, answer, differences, questions};
use super::world;
use crate::hub::Hub;

/// Makes a new fixture if the environment asks for one.
async fn update() {
    let Ok(name) = std::env::var("UPDATE_FIXTURE") else { return };
    let fixture = Fixture::named(&name);
    assert!(
        fixture.name.starts_with("table-") && !Fixture::all().iter().any(|other| other.name == name),
        "{name} is there"
    );
    let hub = Hub::start().await;
    // Yesterday: while it is made time passes in leaps, and a table of the future is no table that there is.
    hub.clock.advance(-24 * 3_600_000);
    let names = world::make(&hub).await;
    fixture.save(&hub, json!({"taken_at": hub.clock.now_ms(), "names": names})).await;
    let mut answers = Vec::new();
    for (method, path, body) in questions(&names) {
        answers.push(answer(&hub, &method, &path, &body).await);
    }
    fixture.write("answers.jsonl", &answers);
}

/// Half an hour later the open run's window has passed; the present is what a real upgrade sees.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fixtures_answer_as_they_did() {
    update().await;
    for fixture in Fixture::all() {
        for later in [Some(0), Some(1_800_000), None] {
            let hub = fixture.open(later).await;
            // The first reading folds and closes what is open; the second finds that.
            for round in 0..2 {
                for recorded in fixture.lines("answers.jsonl") {
                    let found = again(&hub, &recorded).await;
                    let place = format!("{}, {later:?}, round {round}: {}", fixture.name, recorded["path"]);
                    assert_eq!(differences(&found, &recorded, ""), Vec::<String>::new(), "{place}");
                }
            }
        }
    }
}

/// The form of a key: what its parts are, without what they say.
fn kind(pk: &str, sk: &str) -> String {
    let owner = pk.split('#').next().unwrap();
    let mut parts = sk.split('#');
    let first = parts.next().unwrap();
    let what = match first {
        "OV" | "IN" => format!("{first}#{}", parts.next().unwrap()),
        _ => first.to_owned(),
    };
    format!("{owner} / {what}")
}

/// A kind of item that no fixture holds is one that no upgrade has been tried with.
#[test]
fn the_newest_fixture_holds_every_kind_of_item() {
    let layout = crate::house::read("shared/src/store/snapshots/shared__store__keys__tests__layout.snap");
    let keys = layout.lines().filter(|line| line.contains(" / ") && !line.starts_with("GSI1"));
    let known: BTreeSet<String> = keys
        .map(|line| {
            let (pk, sk) = line.split_once(" / ").unwrap();
            kind(pk, sk)
        })
        .collect();
    assert!(known.len() > 15, "this test reads the wrong file");
    let newest = Fixture::all().pop().unwrap();
    let held: BTreeSet<String> = newest.items().iter().map(key_of).map(|(pk, sk)| kind(&pk, &sk)).collect();
    // A synchronisation that is not finished; and what a token may do, which the layout leaves open.
    let missing: Vec<&String> =
        known.difference(&held).filter(|kind| !["SYNC / META", "TOKEN / .."].contains(&kind.as_str())).collect();
    assert!(missing.is_empty(), "{} lacks {missing:?}: take a new one, see tests/it/upgrade/mod.rs", newest.name);
    for kind in
        ["RUN / IN#M", "RUN / IN#O", "LMODEL / S", "VERSION / OV#M", "MODEL / OV#M", "EXP / OV#M", "TOKEN / ACL"]
    {
        assert!(held.contains(kind), "{} lacks {kind}", newest.name);
    }
}
