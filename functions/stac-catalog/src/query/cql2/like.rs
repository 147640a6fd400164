//! Patterns of LIKE: `%` is any text, `_` any one character, `\` takes the next one as it is.

/// How long a pattern may be, in bytes: what it costs grows with it.
const MAX_LENGTH: usize = 256;

#[derive(Debug)]
pub(super) struct Pattern(Vec<Piece>);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Piece {
    Exactly(char),
    One,
    Any,
}

impl Pattern {
    /// # Errors
    /// Says in words that the pattern is too long.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        if pattern.len() > MAX_LENGTH {
            return Err(format!("a pattern of `LIKE` has at most {MAX_LENGTH} bytes"));
        }
        let mut pieces = Vec::new();
        let mut characters = pattern.chars();
        while let Some(next) = characters.next() {
            let piece = match next {
                '%' => Piece::Any,
                '_' => Piece::One,
                '\\' => Piece::Exactly(characters.next().unwrap_or('\\')),
                other => Piece::Exactly(other),
            };
            // `%%` says no more than `%`.
            if piece != Piece::Any || pieces.last() != Some(&Piece::Any) {
                pieces.push(piece);
            }
        }
        Ok(Self(pieces))
    }

    /// Is `text` like it, from end to end? At most its length times the pattern's steps.
    pub fn matches(&self, text: &str) -> bool {
        let pieces = &self.0;
        let (mut at, mut rest) = (0, text.chars());
        // Where to try again with one more character for the last `%`.
        let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            if pieces.get(at) == Some(&Piece::Any) {
                at += 1;
                if at == pieces.len() {
                    return true;
                }
                retry = Some((at, rest.clone()));
                continue;
            }
            let mut ahead = rest.clone();
            let fits = match (pieces.get(at), ahead.next()) {
                (None, None) => return true,
                (Some(Piece::One), Some(_)) => true,
                (Some(Piece::Exactly(expected)), Some(found)) => *expected == found,
                _ => false,
            };
            if fits {
                (at, rest) = (at + 1, ahead);
                continue;
            }
            let Some((piece, from)) = &mut retry else { return false };
            if from.next().is_none() {
                return false;
            }
            (at, rest) = (*piece, from.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like(text: &str, pattern: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(text)
    }

    #[test]
    fn wildcards_match_from_end_to_end() {
        for (text, pattern, expected) in [
            ("flood", "flood", true),
            ("flood", "floo", false),
            ("flood", "f%d", true),
            ("flood", "%oo%", true),
            ("flood", "f__od", true),
            ("flood", "f_od", false),
            ("", "", true),
            ("", "%", true),
            ("", "_", false),
            ("100%", r"100\%", true),
            ("1000", r"100\%", false),
            ("a_b", r"a\_b", true),
            ("äöü", "_ö_", true),
            ("aXbXc", "%X_", true),
            ("abab", "%ab", true),
            ("Flood", "flood", false),
            ("a\\", "a\\", true),
        ] {
            assert_eq!(like(text, pattern), expected, "{text} LIKE {pattern}");
        }
        assert!(Pattern::parse(&"a".repeat(257)).is_err());
    }

    /// The same by definition: slow, short and obvious.
    fn slowly(text: &[char], pattern: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('%', rest)) => (0..=text.len()).any(|skip| slowly(&text[skip..], rest)),
            Some(('_', rest)) => !text.is_empty() && slowly(&text[1..], rest),
            Some((first, rest)) => text.first() == Some(first) && slowly(&text[1..], rest),
        }
    }

    proptest::proptest! {
        #[test]
        fn as_by_definition(text in "[ab]{0,8}", pattern in "[ab%_]{0,7}") {
            let (characters, pieces): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
            proptest::prop_assert_eq!(like(&text, &pattern), slowly(&characters, &pieces));
        }
    }
}
