//! Patterns of LIKE: `%` is any text, `_` any one character, `\` takes the next one as it is.

use memchr::memmem::Finder;

/// How long a pattern may be, in bytes: what it costs grows with it.
const MAX_LENGTH: usize = 256;

/// The parts between the `%`: the text begins with the first and ends with the last, and has the others in their order
/// in between. With no `%` there is one part, which is all of the text.
#[derive(Debug)]
pub(super) struct Pattern(Vec<Part>);

#[derive(Debug)]
enum Part {
    /// Before or behind a `%`, or between two: nothing.
    Nothing,
    Literal(Finder<'static>),
    /// With an `_` in it.
    Mask(Mask),
}

#[derive(Debug)]
struct Mask {
    /// `None` is any one character.
    characters: Vec<Option<char>>,
    /// How many of them come before the first one that is known, and what is known from there on to the next `_`: where
    /// that is not, there is no need to look.
    skipped: usize,
    run: Finder<'static>,
}

impl Pattern {
    /// # Errors
    /// Says in words that the pattern is too long.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        if pattern.len() > MAX_LENGTH {
            return Err(format!("a pattern of `LIKE` has at most {MAX_LENGTH} bytes"));
        }
        let mut parts = Vec::new();
        let mut part = Vec::new();
        let mut characters = pattern.chars();
        while let Some(next) = characters.next() {
            match next {
                '%' => parts.push(Part::new(std::mem::take(&mut part))),
                '_' => part.push(None),
                '\\' => part.push(Some(characters.next().unwrap_or('\\'))),
                other => part.push(Some(other)),
            }
        }
        parts.push(Part::new(part));
        Ok(Self(parts))
    }

    /// Is `text` like it, from end to end? A part with `_` costs its length for each character of the text, others are
    /// found in one pass.
    pub fn matches(&self, text: &str) -> bool {
        let [first, others @ ..] = self.0.as_slice() else { return text.is_empty() };
        let Some(rest) = first.behind_start(text) else { return false };
        let Some((last, between)) = others.split_last() else { return rest.is_empty() };
        let Some(rest) = last.before_end(rest) else { return false };
        // Whatever a part could be found at, the first place leaves most to those behind it.
        between.iter().try_fold(rest, |rest, part| part.behind_first(rest)).is_some()
    }

    /// What it takes of what a search may cost: parts with `_` that may be anywhere are tried at many places.
    pub fn cost(&self) -> usize {
        let cost = |part: &Part| match part {
            Part::Nothing => 0,
            Part::Literal(_) => 2,
            // One or two letters are everywhere.
            Part::Mask(mask) if mask.run.needle().len() < 3 => 64,
            Part::Mask(mask) => 10 + mask.characters.len(),
        };
        let between = self.0.len().saturating_sub(1);
        6 + self.0[..between].iter().skip(1).map(cost).sum::<usize>()
    }
}

impl Part {
    fn new(characters: Vec<Option<char>>) -> Self {
        match characters.iter().copied().collect::<Option<String>>() {
            Some(literal) if literal.is_empty() => Self::Nothing,
            Some(literal) => Self::Literal(Finder::new(&literal).into_owned()),
            None => Self::Mask(Mask::new(characters)),
        }
    }

    /// What is behind it, if `text` begins with it.
    fn behind_start<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Nothing => Some(text),
            Self::Literal(literal) => text.strip_prefix(std::str::from_utf8(literal.needle()).ok()?),
            Self::Mask(mask) => behind(&mask.characters, text),
        }
    }

    /// What is before it, if `text` ends with it.
    fn before_end<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Nothing => Some(text),
            Self::Literal(literal) => text.strip_suffix(std::str::from_utf8(literal.needle()).ok()?),
            Self::Mask(mask) => {
                let mut rest = text.chars();
                mask.characters.iter().rev().all(|expected| fits(*expected, rest.next_back())).then_some(rest.as_str())
            }
        }
    }

    /// What is behind the first place where `text` has it.
    fn behind_first<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Nothing => Some(text),
            Self::Literal(literal) => {
                let at = literal.find(text.as_bytes())?;
                text.get(at + literal.needle().len()..)
            }
            Self::Mask(mask) => mask.behind_first(text),
        }
    }
}

impl Mask {
    fn new(characters: Vec<Option<char>>) -> Self {
        let skipped = characters.iter().take_while(|character| character.is_none()).count();
        let run: String = characters[skipped..].iter().map_while(|character| *character).collect();
        Self { skipped, run: Finder::new(&run).into_owned(), characters }
    }

    fn behind_first<'t>(&self, text: &'t str) -> Option<&'t str> {
        let mut rest = behind(&self.characters[..self.skipped], text)?;
        loop {
            rest = rest.get(self.run.find(rest.as_bytes())?..)?;
            if let Some(found) = behind(&self.characters[self.skipped..], rest) {
                return Some(found);
            }
            let mut next = rest.chars();
            next.next()?;
            rest = next.as_str();
        }
    }
}

/// What is behind these characters, if `text` begins with them; `None` among them is any.
fn behind<'t>(characters: &[Option<char>], text: &'t str) -> Option<&'t str> {
    let mut rest = text.chars();
    characters.iter().all(|expected| fits(*expected, rest.next())).then_some(rest.as_str())
}

fn fits(expected: Option<char>, found: Option<char>) -> bool {
    found.is_some() && expected.is_none_or(|expected| found == Some(expected))
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
        fn as_by_definition(text in "[abä]{0,8}", pattern in "[abä%_]{0,7}") {
            let (characters, pieces): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
            proptest::prop_assert_eq!(like(&text, &pattern), slowly(&characters, &pieces));
        }
    }
}
