//! SQL `LIKE`: `%` is any text, `_` any one character, over the whole value. No regex, no backtracking
//! but inside one stretch between two `%` that holds a `_`.

use crate::error::{Error, Result};

/// Longest pattern in characters; it bounds the work that one value can cause.
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
    wild: bool,
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
        Self { text: text.to_owned(), wild: text.contains('_') }
    }

    /// Bytes at the start of `value` that match.
    fn prefix(&self, value: &str) -> Option<usize> {
        if !self.wild {
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
        if !self.wild {
            return value.find(&self.text).map(|at| at + self.text.len());
        }
        value.char_indices().find_map(|(at, _)| self.prefix(&value[at..]).map(|length| at + length))
    }

    /// Does `value` end with it?
    fn ends(&self, value: &str) -> bool {
        if !self.wild {
            return value.ends_with(&self.text);
        }
        let characters = self.text.chars().count();
        let start = value.char_indices().rev().nth(characters - 1).map(|(at, _)| at);
        start.is_some_and(|at| self.prefix(&value[at..]).is_some())
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

    #[test]
    fn hostile_patterns_cost_little() {
        let started = std::time::Instant::now();
        let pattern = Pattern::new(&format!("{}b", "%a_".repeat(500)), false).unwrap();
        assert!(!pattern.matches(&"a".repeat(8_000)));
        assert!(started.elapsed() < std::time::Duration::from_secs(1));
        assert!(Pattern::new(&"a".repeat(LONGEST + 1), false).is_err());
    }
}
