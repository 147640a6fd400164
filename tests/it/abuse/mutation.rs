//! Inputs near to good ones: examples, edited a few times.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Characters of an input; repeating would make more of it.
const LONGEST: usize = 60_000;

#[derive(Clone, Debug)]
enum Edit {
    /// Takes a stretch away.
    Cut(Index, usize),
    /// Writes a stretch so many times more.
    Repeat(Index, usize, usize),
    /// Puts something in.
    Insert(Index, String),
    /// Puts something in place of one character.
    Replace(Index, String),
    /// Goes on as another example does from some place on.
    Join(Index, String, Index),
}

impl Edit {
    fn apply(&self, text: &mut Vec<char>) {
        let place = |at: &Index| at.index(text.len() + 1);
        match self {
            Self::Cut(at, length) => {
                let from = place(at);
                text.drain(from..(from + length).min(text.len()));
            }
            Self::Repeat(at, length, times) => {
                let from = place(at);
                let stretch = text[from..(from + length).min(text.len())].to_vec();
                let times = (*times).min(LONGEST.saturating_sub(text.len()) / stretch.len().max(1));
                text.splice(from..from, stretch.repeat(times));
            }
            Self::Insert(at, word) => {
                let from = place(at);
                text.splice(from..from, word.chars());
            }
            Self::Replace(at, word) => {
                let from = place(at);
                text.splice(from..(from + 1).min(text.len()), word.chars());
            }
            Self::Join(at, other, from) => {
                text.truncate(place(at));
                let other: Vec<char> = other.chars().collect();
                text.extend(&other[from.index(other.len() + 1)..]);
            }
        }
    }
}

fn word(words: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    let odd = &[
        "",
        "\0",
        "\n",
        "\r\n",
        "\t",
        " ",
        "'",
        "\"",
        "`",
        "\\",
        "/",
        "//",
        "..",
        "%",
        "%2e",
        "%00",
        "%ff",
        "#",
        "?",
        "&",
        "=",
        ";",
        ",",
        ":",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "<",
        ">",
        "é",
        "ß",
        "İ",
        "\u{feff}",
        "\u{202e}",
        "\u{2028}",
        "😀",
        "\u{fffd}",
        "-",
        "0",
        "-0",
        "1e999",
        "9223372036854775808",
        "18446744073709551616",
        "NaN",
        "null",
        "true",
        "[]",
        "{}",
        "\"\"",
    ][..];
    prop_oneof![3 => select(words), 2 => select(odd)].prop_map(str::to_owned)
}

/// One of `seeds` after up to eight edits; `words` are what means something in this language.
pub fn mutated(
    seeds: &'static [&'static str],
    words: &'static [&'static str],
) -> impl Strategy<Value = String> + Clone {
    let at = any::<Index>;
    let times = prop_oneof![6 => 1..4_usize, 2 => 4..100_usize, 1 => 100..30_000_usize];
    let edit = prop_oneof![
        (at(), 1..12_usize).prop_map(|(at, length)| Edit::Cut(at, length)),
        (at(), 1..24_usize, times).prop_map(|(at, length, times)| Edit::Repeat(at, length, times)),
        (at(), word(words)).prop_map(|(at, word)| Edit::Insert(at, word)),
        (at(), word(words)).prop_map(|(at, word)| Edit::Replace(at, word)),
        (at(), any::<char>()).prop_map(|(at, character)| Edit::Replace(at, character.into())),
        (at(), select(seeds), at()).prop_map(|(at, other, from)| Edit::Join(at, other.to_owned(), from)),
    ];
    (select(seeds), vec(edit, 0..8)).prop_map(|(seed, edits)| {
        let mut text: Vec<char> = seed.chars().collect();
        for edit in edits {
            edit.apply(&mut text);
        }
        text.into_iter().collect()
    })
}
