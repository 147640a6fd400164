//! Every key of the table; nothing else writes one. `docs/data.md` has the picture,
//! the snapshot test below the whole layout.
//!
//! `PK` / `SK` are the table's keys, `GSI1PK` / `GSI1SK` those of its one index.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use sha2::{Digest, Sha256};
use ulid::Ulid;

use crate::model::{ExperimentId, Lifecycle, ProjectId};

/// Sort key of the item that describes an entity.
pub(crate) const META: &str = "META";
/// The index.
pub(crate) const GSI1: &str = "GSI1";
/// Over how many partitions the list of projects is spread.
pub(crate) const PROJECT_SHARDS: u64 = 8;

const LONGEST_PART: usize = 200;
const KEPT_OF_LONG_PART: usize = 150;
const ESCAPED: &AsciiSet = &CONTROLS.add(b'#').add(b'%').add(b'~');

/// A user-chosen part of a key. Past 200 bytes it becomes its first 150 bytes, `~` and its SHA-256;
/// the full text must then be an attribute that readers compare.
pub(crate) fn part(text: &str) -> String {
    let escaped = utf8_percent_encode(text, ESCAPED).to_string();
    if escaped.len() <= LONGEST_PART {
        return escaped;
    }
    format!("{}~{}", &escaped[..KEPT_OF_LONG_PART], hash(text))
}

/// SHA-256 in hex.
pub(crate) fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// The counter of experiment ids.
pub(crate) fn experiment_counter() -> (String, String) {
    ("COUNTER".to_owned(), "EXP".to_owned())
}

pub(crate) fn project(id: ProjectId) -> String {
    format!("PROJECT#{id}")
}

/// Holds the id of the experiment that has this name, deleted ones included.
pub(crate) fn experiment_name(name: &str) -> String {
    format!("ENAME#{}", part(name))
}

pub(crate) fn experiment(id: ExperimentId) -> String {
    format!("EXP#{id}")
}

/// A data set of an experiment, unique by name and digest.
pub(crate) fn dataset(name: &str, digest: &str) -> String {
    format!("{DATASETS}{}", hash(&format!("{}:{name}{digest}", name.len())))
}

pub(crate) const DATASETS: &str = "DS#";

pub(crate) fn run(id: &str) -> String {
    format!("RUN#{}", part(id))
}

pub(crate) fn logged_model(id: &str) -> String {
    format!("LMODEL#{}", part(id))
}

/// A registered model, by its owner and plain name: the name is unique because the key is.
pub(crate) fn registered_model(project: ProjectId, name: &str) -> String {
    format!("MODEL#{project}#{}", part(name))
}

/// Says which name a registered model has now.
pub(crate) fn model_uid(uid: &str) -> String {
    format!("MUID#{uid}")
}

/// A version of a registered model, by the model's uid: it stays where it is when the model is renamed.
pub(crate) fn model_version(uid: &str, number: u64) -> String {
    format!("VERSION#{uid}#{number}")
}

/// In a run's partition: a version was made from this run.
pub(crate) fn version_of_run(uid: &str, number: u64) -> String {
    format!("{VERSIONS_OF_RUN}{uid}#{number}")
}

pub(crate) const VERSIONS_OF_RUN: &str = "MV#";

/// The id in the partition key of a run or logged model: our own ids, which need no escaping.
pub(crate) fn id_in(partition: &str) -> &str {
    partition.split_once('#').map_or(partition, |(_, id)| id)
}

/// A page of params and tags that no longer fit into META.
pub(crate) fn overflow_page(number: usize) -> String {
    format!("{OVERFLOW_PAGES}{number:04}")
}

pub(crate) const OVERFLOW_PAGES: &str = "OV#M#";

/// A part of latest metrics that no longer fit into META; `version` is the fold that wrote it.
pub(crate) fn overflow_latest(version: &str, number: usize) -> String {
    format!("{}{number:04}", overflow_latest_of(version))
}

pub(crate) fn overflow_latest_of(version: &str) -> String {
    format!("OV#L#{version}#")
}

/// A segment: the metric points of one logging call; `number` counts the parts of a large one.
pub(crate) fn segment(id: Ulid, number: usize) -> String {
    if number == 0 { format!("{SEGMENTS}{id}") } else { format!("{SEGMENTS}{id}#{number:04}") }
}

/// Every segment sorts behind this key if its ULID time is `ms` or later.
pub(crate) fn segments_from(ms: i64) -> String {
    let ms = u64::try_from(ms).unwrap_or(0);
    format!("{SEGMENTS}{}", Ulid::from_parts(ms, 0))
}

pub(crate) const SEGMENTS: &str = "S#";
/// Sorts behind every segment.
pub(crate) const SEGMENTS_END: &str = "S#~";

/// An input or output of a run; `kind` is `D` (data set), `M` (model) or `O` (output model).
pub(crate) fn edge(kind: char, what: &str) -> String {
    format!("{EDGES}{kind}#{}", part(what))
}

pub(crate) const EDGES: &str = "IN#";

/// Partition of what a token may do; `hash` is its HMAC in hex, never the token.
pub(crate) fn token(hash: &str) -> String {
    format!("TOKEN#{hash}")
}

/// Who a token is.
pub(crate) const TOKEN_IDENTITY: &str = "ACL";
/// The projects that a token's owner is a member of.
pub(crate) const TOKEN_MEMBERS: &str = "MEMBERS";

/// What a token may do in a project.
pub(crate) fn token_project(id: ProjectId) -> String {
    format!("P#{id}")
}

/// What a token may do in the project at a path.
pub(crate) fn token_path(path: &str) -> String {
    format!("PATH#{}", part(path))
}

/// Index partition: runs of an experiment by their own lifecycle stage and shard.
pub(crate) fn runs_of(experiment: ExperimentId, lifecycle: Lifecycle, shard: u32) -> String {
    format!("EXPRUNS#{experiment}#{}#{shard}", lifecycle.as_str())
}

/// Index order: latest start first, then id; a run without a start time comes last.
pub(crate) fn run_order(start_time: Option<i64>, id: &str) -> String {
    format!("{}#{id}", descending(start_time.unwrap_or(i64::MIN)))
}

/// Index partition: experiments of a project, latest first.
pub(crate) fn experiments_of(project: ProjectId) -> String {
    format!("PROJ#{project}#EXP")
}

pub(crate) fn experiment_order(id: ExperimentId) -> String {
    descending(i64::try_from(id.0).unwrap_or(i64::MAX))
}

/// Index partition: logged models of an experiment, latest first.
pub(crate) fn logged_models_of(experiment: ExperimentId) -> String {
    format!("EXPMODELS#{experiment}")
}

pub(crate) fn logged_model_order(creation_time: i64, id: &str) -> String {
    format!("{}#{id}", descending(creation_time))
}

/// Index partition: registered models of a project, or its prompts, in the order of their names.
pub(crate) fn models_of(project: ProjectId, prompts: bool) -> String {
    format!("PROJ#{project}#{}", if prompts { "PROMPT" } else { "MODEL" })
}

/// Index partition: model versions of a project, or prompt versions, latest update first.
pub(crate) fn versions_of(project: ProjectId, prompts: bool) -> String {
    format!("PROJ#{project}#{}", if prompts { "PVER" } else { "VER" })
}

/// Index order: last update, latest first; then the model's name; then the highest number.
pub(crate) fn version_order(updated: i64, name: &str, number: u64) -> String {
    format!("{}#{name}#{}", descending(updated), version_number_order(number))
}

/// 20 digits whose order is that of version numbers, or its reverse.
pub(crate) fn version_number_order(number: u64) -> String {
    format!("{:020}", u64::MAX - number)
}

/// Index partition: projects that own something.
pub(crate) fn projects(id: ProjectId) -> String {
    format!("PROJECTS#{}", id.0 % PROJECT_SHARDS)
}

/// An item of the catalog: its documents are under [`META`], what searches read of it under [`CATALOG_ROW`].
pub(crate) fn catalog_item(project: ProjectId, collection: &str) -> String {
    format!("ITEM#{project}#{collection}")
}

pub(crate) const CATALOG_ROW: &str = "ROW";

/// Index partition: the catalog's rows in the order of their writing.
pub(crate) const CATALOG_CHANGES: &str = "CATALOG";

/// Index order: time of writing (ms), then the item.
pub(crate) fn catalog_change(written_at: i64, project: ProjectId, collection: &str) -> String {
    format!("{}#{project}#{collection}", catalog_changes_from(written_at))
}

/// Sorts before every change from this time (ms) on.
pub(crate) fn catalog_changes_from(ms: i64) -> String {
    format!("{:020}", ms.max(0))
}

/// The time in a [`catalog_change`].
pub(crate) fn time_of_catalog_change(order: &str) -> Option<i64> {
    order.split('#').next()?.parse().ok()
}

/// A webhook's delivery that is being, or has been, answered.
pub(crate) fn delivery(id: &str) -> String {
    format!("HOOK#{}", part(id))
}

/// Where the catalog's synchronisation goes on.
pub(crate) const SYNC_CURSOR: &str = "SYNC";

/// 20 digits whose order is the reverse of the numbers' order.
fn descending(value: i64) -> String {
    let ascending = value.wrapping_sub(i64::MIN).cast_unsigned();
    format!("{:020}", u64::MAX - ascending)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn layout() {
        let ulid = Ulid::from_parts(1_700_000_000_000, 7);
        let run_id = "0123456789abcdef0123456789abcdef";
        let rows = [
            experiment_counter().0 + " / " + &experiment_counter().1,
            project(ProjectId(7)) + " / " + META,
            project(ProjectId(7)) + " / " + &experiment_name("a#b (7)"),
            experiment(ExperimentId(12)) + " / " + META,
            experiment(ExperimentId(12)) + " / " + &dataset("iris", "abc"),
            run(run_id) + " / " + META,
            run(run_id) + " / " + &overflow_page(1),
            run(run_id) + " / " + &overflow_latest("01HF", 0),
            run(run_id) + " / " + &segment(ulid, 0),
            run(run_id) + " / " + &segment(ulid, 1),
            run(run_id) + " / " + &edge('D', "iris"),
            logged_model("m-1") + " / " + META,
            registered_model(ProjectId(7), "wine") + " / " + META,
            model_uid("0a1b") + " / " + META,
            model_version("0a1b", 3) + " / " + META,
            run(run_id) + " / " + &version_of_run("0a1b", 3),
            token("ab12") + " / ..",
            format!(
                "GSI1 {} / {}",
                runs_of(ExperimentId(12), Lifecycle::Active, 3),
                run_order(Some(1_700_000_000_000), run_id)
            ),
            format!("GSI1 {} / {}", experiments_of(ProjectId(7)), experiment_order(ExperimentId(12))),
            format!("GSI1 {} / {}", logged_models_of(ExperimentId(12)), logged_model_order(1_700_000_000_000, "m-1")),
            format!("GSI1 {} / wine", models_of(ProjectId(7), false)),
            format!("GSI1 {} / {}", versions_of(ProjectId(7), true), version_order(1_700_000_000_000, "wine", 3)),
            format!("GSI1 {} / {}", projects(ProjectId(7)), 7),
            catalog_item(ProjectId(7), "aimodel") + " / " + META,
            catalog_item(ProjectId(7), "aimodel") + " / " + CATALOG_ROW,
            format!("GSI1 {CATALOG_CHANGES} / {}", catalog_change(1_700_000_000_000, ProjectId(7), "aimodel")),
            delivery("0a1b") + " / " + META,
            SYNC_CURSOR.to_owned() + " / " + META,
        ];
        insta::assert_snapshot!(rows.join("\n"));
    }

    proptest! {
        #[test]
        fn distinct_parts_stay_distinct(a in ".{0,300}", b in ".{0,300}") {
            prop_assert_eq!(a == b, part(&a) == part(&b));
            prop_assert!(part(&a).len() <= 215);
            prop_assert!(!part(&a).contains('#'));
        }

        #[test]
        fn descending_reverses_order(a: i64, b: i64) {
            prop_assert_eq!(a.cmp(&b), descending(b).cmp(&descending(a)));
        }

        #[test]
        fn segments_sort_by_time(a in 0i64..1 << 47, b in 0i64..1 << 47, random: u128) {
            let later = Ulid::from_parts(u64::try_from(b).unwrap(), random >> 48);
            prop_assert_eq!(a <= b, segments_from(a) <= segment(later, 0));
            prop_assert!(segment(later, 3).as_str() < SEGMENTS_END);
        }
    }
}
