//! Cuts filter and order_by texts into tokens. One pass, no recursion; tokens borrow the text.

/// A piece of the text; `source` is what was written, quotes included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Token<'a> {
    pub kind: Kind,
    pub source: &'a str,
    /// Byte position in the text.
    pub start: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// A word or a dotted name, its parts quoted or not: ``metrics.`a b` ``, `run_id`, `AND`.
    Name,
    /// A value or name in double quotes.
    DoubleQuoted,
    /// A value in single quotes.
    SingleQuoted,
    Number,
    /// `= != == <> < <= > >= ~`; which of them are comparators is the parser's matter.
    Operator,
    Open,
    Close,
    Comma,
}

impl<'a> Token<'a> {
    /// Byte position behind the token.
    pub fn end(&self) -> usize {
        self.start + self.source.len()
    }

    /// Is it this keyword, in any case?
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Name && self.source.eq_ignore_ascii_case(word)
    }

    /// The text between the quotes, as written: a doubled quote stays doubled, as in the stock server.
    pub fn unquoted(&self) -> &'a str {
        unquoted(self.source)
    }
}

/// `text` without the quotes around it, if there are any.
pub(super) fn unquoted(text: &str) -> &str {
    for quote in ['\'', '"', '`'] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner;
        }
    }
    text
}

/// Text that is no token.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Stray<'a> {
    /// A character that means nothing here, or an unclosed quote.
    Text { source: &'a str, start: usize },
    /// A name with characters that need backticks, such as `metrics.a-b`.
    Name(&'a str),
}

/// Which keys a filter may hold without quotes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Keys {
    /// Words joined by dots.
    Plain,
    /// Also `metrics.val/loss`, `params.a-b`, and `tags.a b` of two words.
    AsWritten,
}

/// All tokens of `text`.
pub(super) fn tokens(text: &str, keys: Keys) -> Result<Vec<Token<'_>>, Stray<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (kind, length) = token_at(&text[at..], first, at, keys)?;
        let source = &text[at..at + length];
        tokens.push(Token { kind, source, start: at });
        at += length;
    }
    Ok(tokens)
}

/// Kind and length in bytes of the token that `rest` begins with.
fn token_at(rest: &str, first: char, start: usize, keys: Keys) -> Result<(Kind, usize), Stray<'_>> {
    let punctuation = match first {
        '(' => Some(Kind::Open),
        ')' => Some(Kind::Close),
        ',' => Some(Kind::Comma),
        _ => None,
    };
    if let Some(kind) = punctuation {
        return Ok((kind, 1));
    }
    if let Some(length) = operator_length(rest) {
        return Ok((Kind::Operator, length));
    }
    if let Some(length) = number_length(rest) {
        return Ok((Kind::Number, length));
    }
    name_or_quoted(rest, first, start, keys)
}

fn operator_length(rest: &str) -> Option<usize> {
    const OPERATORS: [&str; 9] = ["!=", "<=", ">=", "<>", "==", "=", "<", ">", "~"];
    OPERATORS.into_iter().find(|operator| rest.starts_with(operator)).map(str::len)
}

/// Length of `-?digits[.digits][e[+-]digits]`, also with only one side of the point.
fn number_length(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    let whole = digits(at);
    at += whole;
    let mut fraction = 0;
    if bytes.get(at) == Some(&b'.') {
        fraction = digits(at + 1);
        if whole + fraction > 0 {
            at += 1 + fraction;
        }
    }
    if whole + fraction == 0 {
        return None;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at + 1 + sign);
        if exponent > 0 {
            at += 1 + sign + exponent;
        }
    }
    // `1abc` and `0x10` are no numbers; they are no names either, because names start with a letter.
    let glued = rest[at..].starts_with(is_word_character);
    (!glued).then_some(at)
}

fn name_or_quoted(rest: &str, first: char, start: usize, keys: Keys) -> Result<(Kind, usize), Stray<'_>> {
    let mut length = part_length(rest, true).ok_or(Stray::Text { source: &rest[..first.len_utf8()], start })?;
    let mut parts = 1;
    while let Some(next) = rest[length..].strip_prefix('.').and_then(|after| part_length(after, false)) {
        length += 1 + next;
        parts += 1;
    }
    let kind = match first {
        '\'' if parts == 1 => Kind::SingleQuoted,
        '"' if parts == 1 => Kind::DoubleQuoted,
        _ => Kind::Name,
    };
    let needs_quotes = |next: char| "-+/*%@#:$.".contains(next);
    if kind == Kind::Name && rest[length..].starts_with(needs_quotes) {
        let ends = |next: char| next.is_whitespace() || "=!<>~()',\"".contains(next);
        let end = rest[length..].find(ends).map_or(rest.len(), |more| length + more);
        return if keys == Keys::AsWritten { Ok((kind, end)) } else { Err(Stray::Name(&rest[..end])) };
    }
    Ok((kind, length))
}

/// Length in bytes of the part before the first dot outside quotes of a [`Kind::Name`].
pub(super) fn first_part(name: &str) -> usize {
    part_length(name, true).unwrap_or(name.len())
}

/// Length of one part of a dotted name: a quoted text or a word. Only later parts may start with a digit.
fn part_length(rest: &str, leading: bool) -> Option<usize> {
    let first = rest.chars().next()?;
    match first {
        '`' => quoted_length(rest, '`', false),
        '"' | '\'' => quoted_length(rest, first, true),
        _ if leading && first.is_numeric() => None,
        _ => {
            let length = rest.find(|next| !is_word_character(next)).unwrap_or(rest.len());
            (length > 0).then_some(length)
        }
    }
}

/// Length of a quoted text. A doubled quote, and after a backslash any quote, does not end it, unless
/// nothing else would: `'C:\'` is whole.
fn quoted_length(rest: &str, quote: char, backslash: bool) -> Option<usize> {
    let mut characters = rest.char_indices().skip(1).peekable();
    let mut possible_end = None;
    while let Some((at, next)) = characters.next() {
        let before_quote = characters.peek().is_some_and(|(_, after)| *after == quote);
        if before_quote && next == quote {
            possible_end = Some(at + 1);
            characters.next();
        } else if before_quote && backslash && next == '\\' {
            possible_end = Some(at + 2);
            characters.next();
        } else if next == quote {
            return Some(at + 1);
        }
    }
    possible_end
}

fn is_word_character(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}
