//! AND-joined comparisons and order_by clauses, not yet bound to an entity's fields.
//! As in the stock server AND is only a separator: leading, trailing and missing ones are tolerated.

use std::collections::BTreeSet;

use super::lexer::{Keys, Kind, Stray, Token, first_part, tokens, unquoted};
use crate::error::{Error, Result};
use crate::model::validation::shown;

/// Bytes of a filter or order_by text.
const LONGEST_TEXT: usize = 256 * 1024;
/// Comparisons in one filter.
const MOST_COMPARISONS: usize = 200;
/// Bytes of all LIKE patterns of a filter together: each costs its length times that of the value.
const LONGEST_PATTERNS: usize = 8_000;
/// Fields in one order_by; each may carry a text of 8,000 characters into the page token.
const MOST_ORDER_FIELDS: usize = 20;

/// `name comparator value`, or `name IS [NOT] NULL`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Comparison<'a> {
    pub name: Name<'a>,
    /// Upper case, single spaces: `=`, `NOT IN`, `IS NULL`. Not yet known to be valid.
    pub comparator: String,
    pub value: Literal<'a>,
}

/// What is compared or sorted by: ``metrics.`a b` `` has the entity `metrics` and the key `a b`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Name<'a> {
    /// Text before the first dot.
    pub entity: Option<&'a str>,
    /// The rest, without quotes.
    pub key: &'a str,
}

/// The right side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal<'a> {
    Number(&'a str),
    Text {
        source: &'a str,
        value: &'a str,
    },
    /// A bare word or a name in backticks.
    Word(&'a str),
    List {
        source: &'a str,
        items: Vec<Token<'a>>,
    },
    /// `IS NULL` and `IS NOT NULL` have none.
    None,
}

impl Literal<'_> {
    /// As written.
    pub fn source(&self) -> &str {
        match self {
            Self::Number(source) | Self::Word(source) => source,
            Self::Text { source, .. } | Self::List { source, .. } => source,
            Self::None => "NULL",
        }
    }
}

/// The texts of a list literal; anything else in it is refused.
pub(super) fn list_texts(source: &str, items: &[Token<'_>]) -> Result<BTreeSet<String>> {
    list_of(source, items, false)
}

/// As [`list_texts`]; with `numbers` these count as the texts they are.
pub(super) fn list_of(source: &str, items: &[Token<'_>], numbers: bool) -> Result<BTreeSet<String>> {
    const REFUSED: &str = "While parsing a list in the query, expected";
    if items.is_empty() {
        return Err(Error::invalid(format!("{REFUSED} a non-empty list of string values, but got empty list")));
    }
    let mut texts = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        match (index % 2, item.kind) {
            (0, Kind::SingleQuoted | Kind::DoubleQuoted) => {
                texts.insert(item.unquoted().to_owned());
            }
            (0, Kind::Number) if numbers => {
                texts.insert(item.source.to_owned());
            }
            (1, Kind::Comma) => {}
            (0, Kind::Number) => {
                return Err(Error::invalid(format!(
                    "{REFUSED} string value, punctuation, or whitespace, but got different type in list: {}",
                    shortened(source)
                )));
            }
            _ => {
                return Err(Error::invalid(format!(
                    "{REFUSED} a non-empty list of string values, but got ill-formed list."
                )));
            }
        }
    }
    Ok(texts)
}

/// `<name> [ASC|DESC]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct OrderClause<'a> {
    pub name: Name<'a>,
    pub ascending: bool,
}

/// Parses a filter; none or an empty one has no comparisons.
pub(super) fn parse_filter(filter: Option<&str>) -> Result<Vec<Comparison<'_>>> {
    parse_filter_with(filter, Keys::Plain)
}

/// As [`parse_filter`], with these keys.
pub(super) fn parse_filter_with(filter: Option<&str>, keys: Keys) -> Result<Vec<Comparison<'_>>> {
    let text = filter.unwrap_or_default();
    if text.len() > LONGEST_TEXT {
        return Err(Error::invalid(format!("The filter is longer than {LONGEST_TEXT} bytes")));
    }
    if !text.is_empty() && text.trim().is_empty() {
        return Err(Error::invalid(format!("Invalid filter '{text}'. Could not be parsed.")));
    }
    let tokens = tokens(text, keys).map_err(|stray| refuse_stray(text, &stray))?;
    let mut parser = Parser { text, tokens: &tokens, at: 0, keys };
    let mut comparisons = Vec::new();
    let mut patterns = 0;
    while let Some(token) = parser.peek() {
        if token.is_word("AND") {
            parser.at += 1;
            continue;
        }
        if comparisons.len() == MOST_COMPARISONS {
            return Err(Error::invalid(format!("A filter can have at most {MOST_COMPARISONS} comparisons")));
        }
        let comparison = parser.comparison(token)?;
        if comparison.comparator.ends_with("LIKE") {
            patterns += comparison.value.source().len();
        }
        if patterns > LONGEST_PATTERNS {
            return Err(Error::invalid(format!(
                "The LIKE patterns of a filter can have at most {LONGEST_PATTERNS} bytes together"
            )));
        }
        comparisons.push(comparison);
    }
    Ok(comparisons)
}

/// Parses order_by clauses.
pub(super) fn parse_order_by(clauses: &[String]) -> Result<Vec<OrderClause<'_>>> {
    if clauses.len() > MOST_ORDER_FIELDS {
        return Err(Error::invalid(format!("`order_by` can have at most {MOST_ORDER_FIELDS} fields")));
    }
    clauses.iter().map(|clause| parse_order_clause(clause)).collect()
}

fn parse_order_clause(clause: &str) -> Result<OrderClause<'_>> {
    let unparsable = || Error::invalid(format!("Invalid order_by clause '{clause}'. Could not be parsed."));
    if clause.len() > LONGEST_TEXT {
        return Err(Error::invalid(format!("An order_by clause is longer than {LONGEST_TEXT} bytes")));
    }
    let tokens = tokens(clause, Keys::Plain).map_err(|_| unparsable())?;
    let (field, direction) = match tokens.as_slice() {
        [field] => (field, None),
        [field, direction] if direction.kind == Kind::Name => (field, Some(direction)),
        _ => return Err(unparsable()),
    };
    if !matches!(field.kind, Kind::Name | Kind::DoubleQuoted) {
        return Err(unparsable());
    }
    let ascending = match direction {
        None => true,
        Some(word) if word.is_word("ASC") => true,
        Some(word) if word.is_word("DESC") => false,
        Some(_) => return Err(Error::invalid(format!("Invalid ordering key in order_by clause '{clause}'."))),
    };
    Ok(OrderClause { name: split_name(field.source), ascending })
}

/// Splits a name at its first dot outside quotes.
fn split_name(source: &str) -> Name<'_> {
    let (first, rest) = source.split_at(first_part(source));
    match rest.strip_prefix('.') {
        Some(key) => {
            let entity = first.strip_prefix('`').and_then(|inner| inner.strip_suffix('`')).unwrap_or(first);
            Name { entity: Some(entity), key: unquoted(key) }
        }
        None => Name { entity: None, key: unquoted(source) },
    }
}

struct Parser<'a, 'b> {
    text: &'a str,
    tokens: &'b [Token<'a>],
    at: usize,
    keys: Keys,
}

impl<'a> Parser<'a, '_> {
    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    fn next(&mut self) -> Option<Token<'a>> {
        let token = self.peek();
        self.at += usize::from(token.is_some());
        token
    }

    /// The comparison that begins with `first`.
    fn comparison(&mut self, first: Token<'a>) -> Result<Comparison<'a>> {
        let from = self.at;
        self.at += 1;
        let next_is_operator = self.peek().is_some_and(|token| token.kind == Kind::Operator);
        match first.kind {
            Kind::Name | Kind::DoubleQuoted => {}
            Kind::Number | Kind::SingleQuoted if next_is_operator => {
                return Err(Error::invalid(format!(
                    "Invalid comparison clause. Expected 'Identifier' found '{}'",
                    first.source
                )));
            }
            Kind::Open => {
                let (source, _) = self.group(first);
                return Err(refuse_clause(&[source]));
            }
            _ => return Err(refuse_clause(&[first.source])),
        }
        let second = self.second_word(first);
        let Some(comparator) = self.comparator() else { return Err(refuse_clause(&[first.source])) };
        let name = split_name(&self.text[first.start..second.unwrap_or(first).end()]);
        if comparator.ends_with("NULL") {
            return Ok(Comparison { name, comparator, value: Literal::None });
        }
        let Some(token) = self.next() else { return Err(self.refuse_since(from)) };
        let wants_list = comparator.ends_with("IN");
        let value = match token.kind {
            Kind::Open => {
                let (source, items) = self.group(token);
                Literal::List { source, items }
            }
            _ if wants_list => return Err(self.refuse_since(from)),
            Kind::Number => Literal::Number(token.source),
            Kind::SingleQuoted | Kind::DoubleQuoted => Literal::Text { source: token.source, value: token.unquoted() },
            Kind::Name => Literal::Word(token.source),
            _ => return Err(self.refuse_since(from)),
        };
        Ok(Comparison { name, comparator, value })
    }

    /// The second word of a key that was written in two, such as `tags.a b`.
    fn second_word(&mut self, first: Token<'a>) -> Option<Token<'a>> {
        let second = self.peek().filter(|token| token.kind == Kind::Name)?;
        let is_key = self.keys == Keys::AsWritten && first.kind == Kind::Name && first.source.contains('.');
        let is_keyword = ["AND", "IN", "NOT", "IS", "LIKE", "ILIKE", "RLIKE"].iter().any(|word| second.is_word(word));
        if is_key && !is_keyword { self.next() } else { None }
    }

    /// Refuses the tokens from this one on to where the parser stands.
    fn refuse_since(&self, from: usize) -> Error {
        let sources: Vec<&str> = self.tokens[from..self.at].iter().map(|token| token.source).collect();
        refuse_clause(&sources)
    }

    /// The comparator here, if there is one.
    fn comparator(&mut self) -> Option<String> {
        const WORDS: [&[&str]; 9] = [
            &["LIKE"],
            &["ILIKE"],
            &["RLIKE"],
            &["IN"],
            &["NOT", "IN"],
            &["NOT", "LIKE"],
            &["NOT", "ILIKE"],
            &["IS", "NULL"],
            &["IS", "NOT", "NULL"],
        ];
        let first = self.peek()?;
        if first.kind == Kind::Operator {
            self.at += 1;
            return Some(first.source.to_owned());
        }
        let rest = &self.tokens[self.at..];
        let stands_here = |words: &&&[&str]| {
            rest.len() >= words.len() && words.iter().zip(rest).all(|(word, token)| token.is_word(word))
        };
        let words = WORDS.iter().find(stands_here)?;
        self.at += words.len();
        Some(words.join(" "))
    }

    /// What stands in the parentheses that `open` has opened, as written and as tokens.
    fn group(&mut self, open: Token<'a>) -> (&'a str, Vec<Token<'a>>) {
        let mut items = Vec::new();
        let mut depth = 1;
        let mut end = open.end();
        while depth > 0
            && let Some(token) = self.next()
        {
            match token.kind {
                Kind::Open => depth += 1,
                Kind::Close => depth -= 1,
                _ => {}
            }
            end = token.end();
            if depth > 0 {
                items.push(token);
            }
        }
        (&self.text[open.start..end], items)
    }
}

/// Refuses parts of a filter that are no comparison.
fn refuse_clause(parts: &[&str]) -> Error {
    let parts: Vec<String> = parts.iter().map(|part| format!("'{}'", shortened(part))).collect();
    Error::invalid(format!("Invalid clause(s) in filter string: {}", parts.join(", ")))
}

fn refuse_stray(text: &str, stray: &Stray<'_>) -> Error {
    match stray {
        Stray::Text { source: ";", start } if !text[start + 1..].trim().is_empty() => Error::invalid(format!(
            "Search filter contained multiple expression {}. Provide AND-ed expression list.",
            shown(shortened(text))
        )),
        Stray::Text { source, .. } => refuse_clause(&[source]),
        Stray::Name(source) => Error::invalid(format!(
            "Invalid comparison clause. Expected 'Identifier' found '{}'. \
             Write keys with special characters in backticks.",
            shortened(source)
        )),
    }
}

/// At most 200 characters of a client's text, for messages.
fn shortened(text: &str) -> &str {
    text.char_indices().nth(200).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::search::{ExperimentSearch, LoggedModelSearch, ModelOrderBy, RunSearch};

    /// Parses with all three languages; none may panic, and every refusal is the client's fault.
    fn survives(text: &str) -> Result<(), TestCaseError> {
        let clauses = [text.to_owned()];
        let order =
            [ModelOrderBy { field_name: text.to_owned(), ascending: false, dataset_name: None, dataset_digest: None }];
        let results = [
            RunSearch::parse(Some(text), &[]).map(drop),
            RunSearch::parse(None, &clauses).map(drop),
            ExperimentSearch::parse(Some(text), &[]).map(drop),
            ExperimentSearch::parse(None, &clauses).map(drop),
            LoggedModelSearch::parse(Some(text), &[], &[]).map(drop),
            LoggedModelSearch::parse(None, &order, &[]).map(drop),
        ];
        for result in results {
            prop_assert!(matches!(result, Ok(()) | Err(Error::Invalid(_))), "{result:?}");
        }
        Ok(())
    }

    /// A value that both kinds of quotes can hold, and how to write it.
    fn text_value() -> impl Strategy<Value = (String, String)> {
        ("[^'\"\\\\]{0,8}", any::<bool>()).prop_map(|(value, double)| {
            let quote = if double { '"' } else { '\'' };
            (format!("{quote}{value}{quote}"), value)
        })
    }

    /// A name, how to write it, and its entity and key.
    fn name() -> impl Strategy<Value = (String, Option<&'static str>, String)> {
        let entity = prop::sample::select(vec!["metrics", "params", "tags", "attributes", "dataset"]);
        let plain = "[a-zé_][a-z0-9_]{0,5}(\\.[a-z0-9_]{1,3}){0,2}";
        let special = "[a-z/ .:%\\-]{1,8}";
        prop_oneof![
            (entity.clone(), plain).prop_map(|(entity, key)| (format!("{entity}.{key}"), Some(entity), key)),
            (entity, special, prop::sample::select(vec!['`', '"', '\'']))
                .prop_map(|(entity, key, quote)| { (format!("{entity}.{quote}{key}{quote}"), Some(entity), key) }),
            prop::sample::select(vec!["run_id", "status", "created"]).prop_map(|key| (
                key.to_owned(),
                None,
                key.to_owned()
            )),
        ]
    }

    /// A comparator in some spelling and in its normal form.
    fn comparator() -> impl Strategy<Value = (&'static str, &'static str)> {
        prop::sample::select(vec![
            ("=", "="),
            ("!=", "!="),
            ("<=", "<="),
            (">", ">"),
            ("like", "LIKE"),
            ("ILike", "ILIKE"),
        ])
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,60}") {
            survives(&text)?;
        }

        #[test]
        fn near_filters_are_survived(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "metrics.a", "params", ".", "`", "'", "\"", "\\", "(", ")", ",", ";", " ", "=", "!", "<", ">", "AND",
                "OR", "IN", "NOT", "IS", "NULL", "LIKE", "1", "-", "1e", "e9", "é", "run_id", "experiment_id", "DESC",
                "tags.`x y`", "'v'", "\"w\"", "\0", "\u{2028}", "😀",
            ]), 0..24),
            separator in prop::sample::select(vec!["", " "]),
        ) {
            survives(&pieces.join(separator))?;
        }

        #[test]
        fn what_is_written_is_read(
            parts in prop::collection::vec((name(), comparator(), text_value(), "[ \\t\\n]{1,2}"), 1..6),
            separator in prop::sample::select(vec![" AND ", " and ", "\tAnd  "]),
        ) {
            let written: Vec<String> = parts
                .iter()
                .map(|((name, ..), (comparator, _), (value, _), space)| format!("{name}{space}{comparator}{space}{value}"))
                .collect();
            let written = written.join(separator);
            let read = parse_filter(Some(&written)).map_err(|error| TestCaseError::fail(format!("{error}: {written}")))?;
            prop_assert_eq!(read.len(), parts.len());
            for (read, ((_, entity, key), (_, comparator), (_, value), _)) in read.iter().zip(&parts) {
                prop_assert_eq!(read.name, Name { entity: *entity, key });
                prop_assert_eq!(&read.comparator, comparator);
                let Literal::Text { value: found, .. } = read.value else {
                    return Err(TestCaseError::fail(format!("{read:?}")));
                };
                prop_assert_eq!(found, value);
            }
        }

        #[test]
        fn lists_are_read(values in prop::collection::btree_set("[^'\"\\\\]{0,6}", 1..6), comma: bool) {
            let quoted: Vec<String> = values.iter().map(|value| format!("'{value}'")).collect();
            let list = format!("run_id not  in({}{})", quoted.join(" , "), if comma { "," } else { "" });
            let read = parse_filter(Some(&list)).unwrap();
            let Literal::List { source, items } = &read[0].value else { panic!("{read:?}") };
            prop_assert_eq!(list_texts(source, items).unwrap(), values);
        }

        #[test]
        fn numbers_are_read(number: f64) {
            prop_assume!(number.is_finite());
            for written in [format!("{number:?}"), format!("{number:e}"), format!("{number}")] {
                let filter = format!("metrics.a>{written}");
                let read = parse_filter(Some(&filter)).unwrap();
                prop_assert_eq!(&read[0].value, &Literal::Number(&written));
            }
        }
    }

    #[test]
    fn size_is_bounded() {
        let comparison = "a = 'b' AND ";
        assert!(parse_filter(Some(&comparison.repeat(MOST_COMPARISONS))).is_ok());
        assert!(parse_filter(Some(&comparison.repeat(MOST_COMPARISONS + 1))).is_err());
        assert!(parse_filter(Some(&" ".repeat(LONGEST_TEXT + 1))).is_err());
        let pattern = format!("a LIKE '{}' AND ", "x".repeat(1_990));
        assert!(parse_filter(Some(&pattern.repeat(4))).is_ok());
        assert!(parse_filter(Some(&pattern.repeat(5))).is_err());
        assert!(parse_order_by(&vec!["a".to_owned(); MOST_ORDER_FIELDS + 1]).is_err());
    }

    #[test]
    fn hostile_texts_cost_little() {
        let started = std::time::Instant::now();
        for piece in
            ["'", "\\'", "''", "'\\'", "`", "``", "(", "(')", "a.", "1", "a.`", "\"' ", "not ", "= ", "a = (", "-"]
        {
            let text = piece.repeat(LONGEST_TEXT / 4 / piece.len());
            for text in [format!("a = {}", &text[..text.len() - 8]), text] {
                survives(&text).unwrap();
            }
        }
        assert!(started.elapsed() < std::time::Duration::from_secs(10));
    }
}
