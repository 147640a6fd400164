//! SQL `LIKE`: `%` is any text, `_` any one character, over the whole value. No regex, no backtracking:
//! a value is read once, however hostile the pattern.

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// Longest pattern in characters. It bounds the work that one value can cause: a step for each of its characters
/// and each 64 of the pattern's.
const LONGEST: usize = 2_000;

/// A parsed pattern.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pattern {
    /// What the value begins with.
    head: Stretch,
    /// What follows in this order, with anything between.
    middle: Vec<Stretch>,
    /// What the value ends with; `None` if the pattern holds no `%`, so that the head is all.
    tail: Option<Stretch>,
    fold_case: bool,
}

/// Text between two `%`.
#[derive(Clone, Debug, PartialEq)]
struct Stretch {
    text: String,
    /// `None` where all characters are meant as they are.
    wild: Option<Masks>,
}

/// For each character of a value where in a stretch it may stand: bit `n % 64` of word `n / 64` for its place `n`.
#[derive(Clone, Debug, PartialEq)]
struct Masks {
    /// Places in the stretch.
    length: usize,
    named: BTreeMap<char, Vec<u64>>,
    /// Of all other characters: the places of `_`.
    other: Vec<u64>,
}

impl Pattern {
    /// A case-sensitive pattern (`LIKE`), or one that ignores case (`ILIKE`).
    pub fn new(pattern: &str, fold_case: bool) -> Result<Self> {
        if pattern.chars().count() > LONGEST {
            return Err(Error::invalid(format!("A LIKE pattern can have at most {LONGEST} characters")));
        }
        let folded = if fold_case { fold(pattern) } else { pattern.to_owned() };
        let mut stretches = folded.split('%').map(Stretch::new);
        let head = stretches.next().unwrap_or_else(|| Stretch::new(""));
        let mut middle: Vec<Stretch> = stretches.collect();
        let tail = middle.pop();
        middle.retain(|stretch| !stretch.text.is_empty());
        Ok(Self { head, middle, tail, fold_case })
    }

    /// Does the whole of `value` have this form?
    pub fn matches(&self, value: &str) -> bool {
        if self.fold_case { self.matches_folded(&fold(value)) } else { self.matches_folded(value) }
    }

    fn matches_folded(&self, value: &str) -> bool {
        let Some(used) = self.head.prefix(value) else { return false };
        let mut rest = &value[used..];
        let Some(tail) = &self.tail else { return rest.is_empty() };
        for stretch in &self.middle {
            // The earliest place leaves the most for the rest, so no other has to be tried.
            match stretch.find(rest) {
                Some(end) => rest = &rest[end..],
                None => return false,
            }
        }
        tail.ends(rest)
    }
}

impl Stretch {
    fn new(text: &str) -> Self {
        Self { text: text.to_owned(), wild: text.contains('_').then(|| Masks::new(text)) }
    }

    /// Bytes at the start of `value` that match.
    fn prefix(&self, value: &str) -> Option<usize> {
        if self.wild.is_none() {
            return value.starts_with(&self.text).then_some(self.text.len());
        }
        let mut rest = value.chars();
        for wanted in self.text.chars() {
            let found = rest.next()?;
            if wanted != '_' && wanted != found {
                return None;
            }
        }
        Some(value.len() - rest.as_str().len())
    }

    /// Byte position behind the first match in `value`.
    fn find(&self, value: &str) -> Option<usize> {
        match &self.wild {
            None => value.find(&self.text).map(|at| at + self.text.len()),
            Some(masks) => masks.find(value),
        }
    }

    /// Does `value` end with it?
    fn ends(&self, value: &str) -> bool {
        if self.wild.is_none() {
            return value.ends_with(&self.text);
        }
        let characters = self.text.chars().count();
        let start = value.char_indices().rev().nth(characters - 1).map(|(at, _)| at);
        start.is_some_and(|at| self.prefix(&value[at..]).is_some())
    }
}

impl Masks {
    fn new(text: &str) -> Self {
        let length = text.chars().count();
        let mut other = vec![0; length.div_ceil(64)];
        let set = |words: &mut Vec<u64>, place: usize| words[place / 64] |= 1 << (place % 64);
        text.chars().enumerate().filter(|(_, wanted)| *wanted == '_').for_each(|(place, _)| set(&mut other, place));
        let mut named = BTreeMap::new();
        for (place, wanted) in text.chars().enumerate() {
            set(named.entry(wanted).or_insert_with(|| other.clone()), place);
        }
        Self { length, named, other }
    }

    /// Byte position behind the first match in `value`. All places at which a match may have begun are followed at
    /// once (Shift-And): bit `n` says that the last `n + 1` characters are the stretch's first.
    fn find(&self, value: &str) -> Option<usize> {
        let last = self.length - 1;
        let mut state = vec![0_u64; self.other.len()];
        for (at, found) in value.char_indices() {
            let mut carried = 1;
            for (word, mask) in state.iter_mut().zip(self.named.get(&found).unwrap_or(&self.other)) {
                let next = *word >> 63;
                *word = (*word << 1 | carried) & mask;
                carried = next;
            }
            #[cfg(test)]
            tests::WORK.with(|work| work.set(work.get() + state.len()));
            if state[last / 64] >> (last % 64) & 1 == 1 {
                return Some(at + found.len_utf8());
            }
        }
        None
    }
}

/// Lower case, one character for one, so that `_` keeps its meaning.
fn fold(text: &str) -> String {
    text.chars().map(|character| character.to_lowercase().next().unwrap_or(character)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, tried in every way.
    fn naive(pattern: &[char], value: &[char]) -> bool {
        match (pattern.first(), value.first()) {
            (None, _) => value.is_empty(),
            (Some('%'), _) => naive(&pattern[1..], value) || (!value.is_empty() && naive(pattern, &value[1..])),
            (Some(wanted), Some(found)) => (*wanted == '_' || wanted == found) && naive(&pattern[1..], &value[1..]),
            (Some(_), None) => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn agrees_with_the_definition(pattern in "[abß%_]{0,8}", value in "[abß]{0,9}") {
            let parsed = Pattern::new(&pattern, false).unwrap();
            let characters = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(parsed.matches(&value), naive(&characters(&pattern), &characters(&value)));
        }

        #[test]
        fn case_can_be_ignored(value in "\\PC{0,12}") {
            prop_assert!(Pattern::new(&value.to_lowercase(), true).is_ok());
            prop_assert!(Pattern::new(&value, true).unwrap().matches(&value));
        }
    }

    /// A value and a stretch of it, longer than a word of bits, with some characters blotted out and perhaps one changed.
    fn long() -> impl Strategy<Value = (String, String)> {
        let stretch = ("[aß]{0,150}", "[aß]{60,200}", "[aß]{0,150}", any::<u64>(), 1..7_usize, 0..400_usize);
        stretch.prop_map(|(before, inside, after, seed, every, changed)| {
            let blot = |(place, character): (usize, char)| match (seed >> (place % 61)) as usize % every {
                _ if place == changed => 'b',
                0 => '_',
                _ => character,
            };
            let pattern: String = inside.chars().enumerate().map(blot).collect();
            (format!("{before}{inside}{after}"), format!("%{pattern}%"))
        })
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition_beyond_a_word_of_bits((value, pattern) in long(), tail in "[aß_]{0,3}") {
            let pattern = format!("{pattern}{tail}");
            let parsed = Pattern::new(&pattern, false).unwrap();
            let characters = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(parsed.matches(&value), naive(&characters(&pattern), &characters(&value)));
        }
    }

    thread_local! {
        /// Words of bits that were computed.
        pub static WORK: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    fn work(pattern: &str, value: &str) -> usize {
        let pattern = Pattern::new(pattern, false).unwrap();
        WORK.set(0);
        assert!(!pattern.matches(value));
        WORK.get()
    }

    #[test]
    fn hostile_patterns_cost_little() {
        let value = "a".repeat(8_000);
        let words = LONGEST / 64 + 1;
        for pattern in [
            format!("%{}_b%", "a".repeat(LONGEST - 4)),
            format!("%_{}b%", "a".repeat(LONGEST - 4)),
            format!("%{}b%", "a_".repeat(LONGEST / 2 - 2)),
            format!("{}b", "%a_".repeat(LONGEST / 3)),
            format!("%{}%b_b%", "a_".repeat(LONGEST / 2 - 5)),
        ] {
            let done = work(&pattern, &value);
            assert!(done <= words * value.len(), "{done} for {}", &pattern[..9]);
        }
        assert!(Pattern::new(&"a".repeat(LONGEST + 1), false).is_err());
    }

    #[test]
    fn places_are_counted_in_bytes_and_characters_rightly() {
        for (pattern, value, is_match) in [
            ("%é_ñ%", "aéxñb", true),
            ("%é_ñ%x", "éñéžñx", true),
            ("%_ß%_ß", "aßaß", true),
            ("%_ß%_ß", "aßß", false),
            ("%_%", "", false),
            ("%_%", "ß", true),
        ] {
            assert_eq!(Pattern::new(pattern, false).unwrap().matches(value), is_match, "{pattern} {value}");
        }
    }
}
