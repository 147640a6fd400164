//! `q`: free text (a comma means OR), with SharingHub's grammar on top: `[topic]`, and `:starred` for one's own stars.

use shared::Result;

use super::wrong;

/// How many terms and topics a search may have, and bytes each of them.
const MAX_TERMS: usize = 16;
const MAX_LENGTH: usize = 256;

/// What items must have to do with; empty: nothing in particular.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FreeText {
    /// Lower-case texts, one of which is part of the item's; none: any text will do.
    pub terms: Vec<String>,
    /// Lower-case topics, all of which the item has.
    pub topics: Vec<String>,
    /// Only items of projects that the caller has starred.
    pub starred: bool,
}

impl FreeText {
    /// From the parts of the parameter, at commas or in a list.
    ///
    /// # Errors
    /// `Invalid`, naming `q`, for an unknown flag and for too many or too long words.
    pub fn parse(parts: &[String]) -> Result<Self> {
        let mut text = Self::default();
        for part in parts.iter().flat_map(|part| part.split(',')) {
            text.add(part)?;
        }
        if text.terms.len() + text.topics.len() > MAX_TERMS {
            return Err(wrong("q", format!("at most {MAX_TERMS} terms and topics")));
        }
        if text.terms.iter().chain(&text.topics).any(|term| term.len() > MAX_LENGTH) {
            return Err(wrong("q", format!("at most {MAX_LENGTH} bytes a term")));
        }
        Ok(text)
    }

    /// What it takes of what a search may cost.
    pub(super) fn cost(&self) -> usize {
        let text = if self.terms.is_empty() { 0 } else { 20 };
        text + 3 * self.terms.len() + 10 * self.topics.len()
    }

    fn add(&mut self, part: &str) -> Result<()> {
        let mut rest = part.to_owned();
        while let Some((from, length)) = brackets(&rest) {
            let topic = rest[from + 1..from + length - 1].trim().to_lowercase();
            if !topic.is_empty() {
                self.topics.push(topic);
            }
            rest.replace_range(from..from + length, " ");
        }
        let mut words = Vec::new();
        for word in rest.split_whitespace() {
            match word.strip_prefix(':') {
                Some("starred") => self.starred = true,
                Some(flag) if flag.starts_with(char::is_alphanumeric) => {
                    return Err(wrong("q", format!("`:{flag}` is no flag; there is `:starred`")));
                }
                _ => words.push(word),
            }
        }
        if !words.is_empty() {
            self.terms.push(words.join(" ").to_lowercase());
        }
        Ok(())
    }
}

/// Where the first `[..]` begins, and its length.
fn brackets(text: &str) -> Option<(usize, usize)> {
    let from = text.find('[')?;
    let length = text[from..].find(']')? + 1;
    Some((from, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(parts: &[&str]) -> Result<FreeText> {
        FreeText::parse(&owned(parts))
    }

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn topics_flags_and_terms_are_told_apart() {
        for (parts, terms, topics, starred) in [
            (&[][..], &[][..], &[][..], false),
            (&["Flood"], &["flood"], &[], false),
            (&["flood  Model", "snow"], &["flood model", "snow"], &[], false),
            (&["flood,snow"], &["flood", "snow"], &[], false),
            (&["[sharinghub:aimodel] [v1.2] flood :starred"], &["flood"], &["sharinghub:aimodel", "v1.2"], true),
            (&["a[x]b"], &["a b"], &["x"], false),
            (&[":starred"], &[], &[], true),
            (&["a:b ::) [open"], &["a:b ::) [open"], &[], false),
            (&["[]", " "], &[], &[], false),
        ] {
            let text = parse(parts).unwrap();
            assert_eq!((text.terms, text.topics, text.starred), (owned(terms), owned(topics), starred), "{parts:?}");
        }
    }

    #[test]
    fn unknown_flags_and_floods_are_refused() {
        assert!(parse(&[":stared"]).unwrap_err().to_string().contains("q: `:stared`"));
        assert!(parse(&vec!["x"; 17]).is_err());
        assert!(parse(&[&"x".repeat(257)]).is_err());
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(parts in proptest::collection::vec("[\\[\\]:, a-zé]{0,20}", 0..4)) {
            let _ = FreeText::parse(&parts);
        }
    }
}
