//! Cuts CQL2 texts into tokens. One pass, no recursion; tokens borrow the text.

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Token<'a> {
    pub kind: Kind,
    /// What was written, quotes included.
    pub source: &'a str,
    /// Byte position in the text.
    pub start: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// A keyword, function or property: `AND`, `casei`, `sharinghub:stars`.
    Word,
    /// A property in double quotes.
    QuotedName,
    /// A text in single quotes.
    Text,
    Number(f64),
    /// `= <> < <= > >=`
    Comparison,
    /// `+ - * / ^ %`, which only messages need.
    Arithmetic,
    Open,
    Close,
    Comma,
}

impl<'a> Token<'a> {
    /// Is it this keyword, in any case?
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.source.eq_ignore_ascii_case(word)
    }

    /// The text between the quotes: `''` and `\'` mean a quote, `""` a double quote.
    pub fn unquoted(&self) -> String {
        let inner = self.source.get(1..self.source.len().saturating_sub(1)).unwrap_or_default();
        match self.kind {
            Kind::QuotedName => inner.replace("\"\"", "\""),
            _ => inner.replace("\\'", "'").replace("''", "'"),
        }
    }
}

/// All tokens of `text`.
///
/// # Errors
/// Says in words what is no token, and where.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, String> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (kind, length) = token_at(&text[at..], first).map_err(|why| format!("{why} at {}", place(text, at)))?;
        tokens.push(Token { kind, source: &text[at..at + length], start: at });
        at += length;
    }
    Ok(tokens)
}

/// A byte position in the words of who counts characters.
pub(super) fn place(text: &str, at: usize) -> String {
    format!("character {}", text[..at].chars().count() + 1)
}

fn token_at(rest: &str, first: char) -> Result<(Kind, usize), String> {
    for operator in ["<=", ">=", "<>", "=", "<", ">"] {
        if rest.starts_with(operator) {
            return Ok((Kind::Comparison, operator.len()));
        }
    }
    Ok(match first {
        '(' => (Kind::Open, 1),
        ')' => (Kind::Close, 1),
        ',' => (Kind::Comma, 1),
        '\'' => (Kind::Text, quoted_length(rest, '\'').ok_or("a text without its closing quote")?),
        '"' => (Kind::QuotedName, quoted_length(rest, '"').ok_or("a name without its closing quote")?),
        '0'..='9' | '.' => number(rest)?,
        '-' | '+' if rest[1..].starts_with(|next: char| next.is_ascii_digit() || next == '.') => number(rest)?,
        '+' | '-' | '*' | '/' | '^' | '%' => (Kind::Arithmetic, 1),
        '!' if rest.starts_with("!=") => return Err("`!=`, which CQL2 writes `<>`,".into()),
        _ if starts_word(first) => (Kind::Word, rest.find(|next| !in_word(next)).unwrap_or(rest.len())),
        _ => return Err(format!("an unexpected `{first}`")),
    })
}

/// Length of `'it''s'`, quotes included.
fn quoted_length(rest: &str, quote: char) -> Option<usize> {
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, next)) = characters.next() {
        let doubled = next == quote && characters.peek().is_some_and(|(_, after)| *after == quote);
        let escaped = quote == '\'' && next == '\\' && characters.peek().is_some_and(|(_, after)| *after == quote);
        if doubled || escaped {
            characters.next();
        } else if next == quote {
            return Some(at + 1);
        }
    }
    None
}

fn number(rest: &str) -> Result<(Kind, usize), String> {
    let bytes = rest.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = usize::from(matches!(bytes[0], b'-' | b'+'));
    at += digits(at);
    if bytes.get(at) == Some(&b'.') {
        at += 1 + digits(at + 1);
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at + 1 + sign);
        if exponent > 0 {
            at += 1 + sign + exponent;
        }
    }
    let glued = rest[at..].starts_with(in_word);
    let value: Option<f64> = rest[..at].parse().ok().filter(|value: &f64| value.is_finite() && !glued);
    value.map(|value| (Kind::Number(value), at)).ok_or_else(|| "a malformed number".into())
}

fn starts_word(first: char) -> bool {
    first.is_alphabetic() || matches!(first, '_' | ':')
}

fn in_word(next: char) -> bool {
    next.is_alphanumeric() || matches!(next, '_' | ':' | '.')
}
