//! Reads CQL2-text into nodes: a parser by descent, whose depth is counted.

use super::lexer::{Kind, Token, place, tokens};
use super::node::{MAX_DEPTH, Node};
use crate::geometry::{Bounds, Shape};

/// The node that `text` says.
///
/// # Errors
/// Says in words what is wrong, and where.
pub(super) fn read(text: &str) -> Result<Node, String> {
    let mut parser = Parser { text, tokens: tokens(text)?, at: 0, depth: 0 };
    let node = parser.either()?;
    match parser.peek() {
        None => Ok(node),
        Some(_) => Err(parser.unexpected("`AND`, `OR` or the end")),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token<'a>>,
    at: usize,
    depth: usize,
}

type Parsed = Result<Node, String>;

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    fn next_is(&self, kind: Kind) -> bool {
        self.peek().is_some_and(|token| token.kind == kind)
    }

    fn next_is_word(&self, word: &str) -> bool {
        self.peek().is_some_and(|token| token.is_word(word))
    }

    /// Goes on behind the next token if it is this word.
    fn takes_word(&mut self, word: &str) -> bool {
        let found = self.next_is_word(word);
        self.at += usize::from(found);
        found
    }

    fn takes(&mut self, kind: Kind) -> bool {
        let found = self.next_is(kind);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, kind: Kind, what: &str) -> Result<(), String> {
        if self.takes(kind) { Ok(()) } else { Err(self.unexpected(what)) }
    }

    fn expect_word(&mut self, word: &str) -> Result<(), String> {
        if self.takes_word(word) { Ok(()) } else { Err(self.unexpected(&format!("`{word}`"))) }
    }

    fn unexpected(&self, expected: &str) -> String {
        match self.peek() {
            None => format!("the text ends where {expected} is expected"),
            Some(token) if token.kind == Kind::Arithmetic => {
                format!("arithmetic (`{}`) is not supported, at {}", token.source, place(self.text, token.start))
            }
            Some(token) => {
                format!("`{}` at {} where {expected} is expected", token.source, place(self.text, token.start))
            }
        }
    }

    /// Parses one level further down.
    fn deeper(&mut self, parse: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        if self.depth == MAX_DEPTH {
            return Err(format!("the expression nests deeper than {MAX_DEPTH} levels"));
        }
        self.depth += 1;
        let node = parse(self)?;
        self.depth -= 1;
        Ok(node)
    }

    fn either(&mut self) -> Parsed {
        self.chain("or", |parser| parser.chain("and", Self::negation))
    }

    /// `a AND b AND c`, without recursion.
    fn chain(&mut self, word: &str, parse: impl Fn(&mut Self) -> Parsed) -> Parsed {
        let mut nodes = vec![parse(self)?];
        while self.takes_word(word) {
            nodes.push(parse(self)?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::call(word, nodes) })
    }

    fn negation(&mut self) -> Parsed {
        if self.takes_word("not") {
            return self.deeper(|parser| Ok(Node::call("not", vec![parser.negation()?])));
        }
        if self.takes(Kind::Open) {
            return self.deeper(|parser| {
                let node = parser.either()?;
                parser.expect(Kind::Close, "`)`")?;
                Ok(node)
            });
        }
        self.predicate()
    }

    fn predicate(&mut self) -> Parsed {
        let left = self.value()?;
        if let Some(token) = self.peek().filter(|token| token.kind == Kind::Comparison) {
            self.at += 1;
            return Ok(Node::call(token.source, vec![left, self.value()?]));
        }
        if self.takes_word("is") {
            let not = self.takes_word("not");
            self.expect_word("null")?;
            return Ok(negated(not, Node::call("isNull", vec![left])));
        }
        let not = self.takes_word("not");
        let node = if self.takes_word("like") {
            Node::call("like", vec![left, self.value()?])
        } else if self.takes_word("between") {
            let low = self.value()?;
            self.expect_word("and")?;
            Node::call("between", vec![left, low, self.value()?])
        } else if self.takes_word("in") {
            self.expect(Kind::Open, "`(`")?;
            Node::call("in", vec![left, Node::List(self.values()?)])
        } else if not {
            return Err(self.unexpected("`LIKE`, `BETWEEN` or `IN`"));
        } else if matches!(left, Node::Call(..) | Node::Bool(_)) {
            left
        } else {
            return Err(self.unexpected("a comparison"));
        };
        Ok(negated(not, node))
    }

    /// A literal, a property, a function, or a list in parentheses.
    fn value(&mut self) -> Parsed {
        let Some(token) = self.peek() else { return Err(self.unexpected("a value")) };
        self.at += 1;
        match token.kind {
            Kind::Number(value) => Ok(Node::Number(value)),
            Kind::Text => Ok(Node::Text(token.unquoted())),
            Kind::QuotedName => Ok(Node::Property(token.unquoted())),
            Kind::Open => self.deeper(|parser| Ok(Node::List(parser.values()?))),
            Kind::Word if self.next_is(Kind::Open) && !is_keyword(token) => self.function(token),
            Kind::Word if starts_wkt(token) && self.begins_geometry() => self.geometry(token),
            Kind::Word if token.is_word("true") || token.is_word("false") => Ok(Node::Bool(token.is_word("true"))),
            Kind::Word if !is_keyword(token) => Ok(Node::Property(token.source.to_owned())),
            _ => {
                self.at -= 1;
                Err(self.unexpected("a property or a value"))
            }
        }
    }

    /// What stands between an opening parenthesis, which was read, and its end.
    fn values(&mut self) -> Result<Vec<Node>, String> {
        let mut values = Vec::new();
        if self.takes(Kind::Close) {
            return Ok(values);
        }
        loop {
            values.push(self.value()?);
            if self.takes(Kind::Close) {
                return Ok(values);
            }
            self.expect(Kind::Comma, "`,` or `)`")?;
        }
    }

    fn function(&mut self, name: Token<'a>) -> Parsed {
        if starts_wkt(name) {
            return self.geometry(name);
        }
        self.expect(Kind::Open, "`(`")?;
        self.deeper(|parser| {
            let arguments = parser.values()?;
            let function = name.source.to_ascii_lowercase();
            match (function.as_str(), arguments.as_slice()) {
                ("timestamp", [Node::Text(text)]) => Ok(Node::Timestamp(text.clone())),
                ("date", [Node::Text(text)]) => Ok(Node::Date(text.clone())),
                ("timestamp" | "date", _) => Err(format!("`{}` takes one text", name.source)),
                ("interval", [_, _]) => Ok(Node::Interval(arguments)),
                ("interval", _) => Err("`INTERVAL` takes a beginning and an end".into()),
                ("bbox", numbers) => Ok(Node::Place(bounds(numbers)?.into())),
                _ => Ok(Node::Call(function, arguments)),
            }
        })
    }

    /// Does a geometry begin behind the word: `Z (..`?
    fn begins_geometry(&self) -> bool {
        let dimension = self.peek().is_some_and(|next| ["z", "m", "zm"].iter().any(|word| next.is_word(word)));
        dimension && self.tokens.get(self.at + 1).is_some_and(|next| next.kind == Kind::Open)
    }

    /// Well-known text: from `word` to the parenthesis that closes it.
    fn geometry(&mut self, word: Token<'a>) -> Parsed {
        let mut open = 0_usize;
        while let Some(token) = self.peek() {
            self.at += 1;
            match token.kind {
                Kind::Open => open += 1,
                Kind::Close => open = open.saturating_sub(1),
                _ => {}
            }
            if self.depth + open > MAX_DEPTH {
                return Err(format!("the expression nests deeper than {MAX_DEPTH} levels"));
            }
            if open == 0 && token.kind == Kind::Close {
                let text = &self.text[word.start..=token.start];
                return Shape::parse_wkt(text).map(Node::Place);
            }
        }
        Err(format!("the geometry at {} does not end", place(self.text, word.start)))
    }
}

fn negated(not: bool, node: Node) -> Node {
    if not { Node::call("not", vec![node]) } else { node }
}

fn bounds(numbers: &[Node]) -> Result<Bounds, String> {
    let number = |node: &Node| match node {
        Node::Number(value) => Ok(*value),
        other => Err(format!("`BBOX` takes numbers, not {}", other.kind())),
    };
    Bounds::parse(&numbers.iter().map(number).collect::<Result<Vec<_>, _>>()?).map_err(|why| format!("BBOX: {why}"))
}

fn is_keyword(token: Token<'_>) -> bool {
    ["and", "or", "not", "like", "between", "in", "is", "null"].iter().any(|word| token.is_word(word))
}

fn starts_wkt(token: Token<'_>) -> bool {
    const WORDS: [&str; 7] =
        ["point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection"];
    WORDS.iter().any(|word| token.is_word(word))
}
