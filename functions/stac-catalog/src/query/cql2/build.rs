//! From nodes to an expression: names of operators, numbers and kinds of what they are applied to.

use super::expr::{Comparison, Expr, ListOperand, ListRelation, Operand, Texts, TimeOperand, texts};
use super::like::Pattern;
use super::node::Node;
use super::temporal::Relation;
use crate::area::Area;
use crate::instant;

type Built<T> = Result<T, String>;

/// Collects the names of the properties that an expression reads.
#[derive(Default)]
pub(super) struct Builder {
    pub properties: Vec<String>,
    /// Is any of them needed in lower case?
    pub folds: bool,
    /// What it takes of [`MAX_COST`](crate::query::MAX_COST).
    pub cost: usize,
}

impl Builder {
    /// The condition that `node` is.
    ///
    /// # Errors
    /// Says in words what is wrong or not supported.
    pub fn expr(&mut self, node: Node) -> Built<Expr> {
        self.cost += 1;
        let (name, arguments) = match node {
            Node::Call(name, arguments) => (name, arguments),
            Node::Bool(value) => return Ok(Expr::Constant(value)),
            other => return Err(format!("{} is no condition", other.kind())),
        };
        let operator = name.to_ascii_lowercase();
        match operator.as_str() {
            "and" => Ok(Expr::And(self.exprs(&name, arguments)?)),
            "or" => Ok(Expr::Or(self.exprs(&name, arguments)?)),
            "not" => {
                let [inner] = exactly(&name, arguments)?;
                Ok(Expr::Not(Box::new(self.expr(inner)?)))
            }
            "isnull" => self.is_null(&name, arguments),
            "between" => {
                let [value, low, high] = exactly(&name, arguments)?;
                let [value, low, high] = [self.operand(value)?, self.operand(low)?, self.operand(high)?];
                Ok(Expr::Between { value, low, high })
            }
            "in" => self.is_in(&name, arguments),
            "like" => self.like(&name, arguments),
            "s_intersects" => self.meets(&name, arguments),
            _ => {
                if let Some(comparison) = comparison(&operator) {
                    let [left, right] = exactly(&name, arguments)?;
                    return Ok(Expr::Compare(comparison, self.operand(left)?, self.operand(right)?));
                }
                if let Some(relation) = list_relation(&operator) {
                    let [left, right] = exactly(&name, arguments)?;
                    self.cost += 20;
                    let (left, right) = (self.list(left)?, self.list(right)?);
                    if !matches!((&left, &right), (ListOperand::Property(_), _) | (_, ListOperand::Property(_))) {
                        return Err(format!("`{name}` takes a property and a list, not two lists"));
                    }
                    return Ok(Expr::Lists(relation, left, right));
                }
                if let Some(relation) = Relation::named(&operator) {
                    let [left, right] = exactly(&name, arguments)?;
                    return Ok(Expr::Times(relation, self.time(left)?, self.time(right)?));
                }
                Err(format!("the operator or function `{name}` is not supported"))
            }
        }
    }

    fn exprs(&mut self, name: &str, arguments: Vec<Node>) -> Built<Vec<Expr>> {
        if arguments.is_empty() {
            return Err(format!("`{name}` needs conditions"));
        }
        arguments.into_iter().map(|node| self.expr(node)).collect()
    }

    fn is_null(&mut self, name: &str, arguments: Vec<Node>) -> Built<Expr> {
        match exactly(name, arguments)? {
            [Node::Property(property)] => Ok(Expr::IsNull(self.property(property))),
            [other] => Err(format!("`{name}` takes a property, not {}", other.kind())),
        }
    }

    fn is_in(&mut self, name: &str, arguments: Vec<Node>) -> Built<Expr> {
        let [value, list] = exactly(name, arguments)?;
        let Node::List(values) = list else { return Err(format!("`{name}` takes a list, not {}", list.kind())) };
        let value = self.operand(value)?;
        let list = values.into_iter().map(|node| self.operand(node)).collect::<Built<Vec<_>>>()?;
        let texts = texts(&list);
        self.look_up(&list, texts.as_ref());
        Ok(Expr::In(value, list, texts))
    }

    fn like(&mut self, name: &str, arguments: Vec<Node>) -> Built<Expr> {
        let [value, pattern] = exactly(name, arguments)?;
        let value = self.operand(value)?;
        match self.operand(pattern)? {
            Operand::Text(pattern, _) => {
                let pattern = Pattern::parse(&pattern)?;
                self.cost += pattern.cost();
                Ok(Expr::Like(value, pattern))
            }
            _ => Err(format!("the pattern of `{name}` is a text")),
        }
    }

    fn meets(&mut self, name: &str, arguments: Vec<Node>) -> Built<Expr> {
        match exactly(name, arguments)? {
            [Node::Property(property), Node::Place(shape)] | [Node::Place(shape), Node::Property(property)] => {
                let area = Area::from(shape);
                self.cost += area.cost();
                Ok(Expr::Meets(self.property(property), area))
            }
            [left, right] => {
                Err(format!("`{name}` takes a property and a geometry, not {} and {}", left.kind(), right.kind()))
            }
        }
    }

    /// Texts are found at once, however many they are; other values are compared one by one.
    fn look_up(&mut self, list: &[Operand], texts: Option<&Texts>) {
        match texts {
            Some(_) => self.cost = self.cost + 8 - list.len(),
            None => self.cost += list.len(),
        }
    }

    fn property(&mut self, name: String) -> usize {
        if let Some(at) = self.properties.iter().position(|known| *known == name) {
            return at;
        }
        self.properties.push(name);
        self.properties.len() - 1
    }

    fn operand(&mut self, node: Node) -> Built<Operand> {
        self.cost += 1;
        match node {
            Node::Property(name) => Ok(Operand::Property(self.property(name))),
            Node::Bool(value) => Ok(Operand::Bool(value)),
            Node::Number(value) => Ok(Operand::Number(value)),
            Node::Text(text) => {
                let micros = instant::parse(&text);
                Ok(Operand::Text(text, micros))
            }
            Node::Timestamp(text) => timestamp(&text).map(Operand::Instant),
            Node::Date(text) => day(&text).map(Operand::Day),
            Node::Call(name, arguments) if name.eq_ignore_ascii_case("casei") => {
                let [inner] = exactly(&name, arguments)?;
                match self.operand(inner)? {
                    Operand::Property(at) | Operand::Folded(at) => {
                        self.folds = true;
                        self.cost += 8;
                        Ok(Operand::Folded(at))
                    }
                    Operand::Text(text, _) => Ok(Operand::Text(text.to_lowercase(), None)),
                    _ => Err(format!("`{name}` takes a property or a text")),
                }
            }
            Node::Call(name, _) => Err(format!("the operator or function `{name}` is not supported here")),
            other => Err(format!("{} cannot be compared", other.kind())),
        }
    }

    fn list(&mut self, node: Node) -> Built<ListOperand> {
        match node {
            Node::Property(name) => Ok(ListOperand::Property(self.property(name))),
            Node::List(values) => {
                let literal = |node: Node| match node {
                    Node::Property(_) => Err(format!("a list holds values, not {}", node.kind())),
                    other => self.operand(other),
                };
                let list = values.into_iter().map(literal).collect::<Built<Vec<_>>>()?;
                let texts = texts(&list);
                self.look_up(&list, texts.as_ref());
                Ok(ListOperand::Literal(list, texts))
            }
            Node::Text(_) | Node::Number(_) | Node::Bool(_) => {
                Ok(ListOperand::Literal(vec![self.operand(node)?], None))
            }
            other => Err(format!("{} is no list", other.kind())),
        }
    }

    fn time(&mut self, node: Node) -> Built<TimeOperand> {
        match node {
            Node::Interval(ends) => {
                let [start, end] = exactly("interval", ends)?;
                let open = |node: &Node| matches!(node, Node::Text(text) if text == "..");
                let start = if open(&start) { TimeOperand::Literal(i64::MIN, i64::MIN) } else { self.moment(start)? };
                let end = if open(&end) { TimeOperand::Literal(i64::MAX, i64::MAX) } else { self.moment(end)? };
                if let (TimeOperand::Literal(first, _), TimeOperand::Literal(_, last)) = (&start, &end)
                    && first > last
                {
                    return Err("an interval begins before it ends".into());
                }
                Ok(TimeOperand::Between(Box::new(start), Box::new(end)))
            }
            other => self.moment(other),
        }
    }

    fn moment(&mut self, node: Node) -> Built<TimeOperand> {
        self.cost += 1;
        let whole_day = |day: i64| TimeOperand::Literal(day, day + instant::DAY - 1);
        match node {
            Node::Property(name) => Ok(TimeOperand::Property(self.property(name))),
            Node::Date(text) => day(&text).map(whole_day),
            Node::Timestamp(text) => timestamp(&text).map(|micros| TimeOperand::Literal(micros, micros)),
            // Within intervals, texts stand for both.
            Node::Text(text) => match instant::parse_date(&text) {
                Some(day) => Ok(whole_day(day)),
                None => timestamp(&text).map(|micros| TimeOperand::Literal(micros, micros)),
            },
            other => Err(format!("{} is no time", other.kind())),
        }
    }
}

fn exactly<const COUNT: usize>(name: &str, arguments: Vec<Node>) -> Built<[Node; COUNT]> {
    let given = arguments.len();
    arguments.try_into().map_err(|_| {
        let plural = if COUNT == 1 { "" } else { "s" };
        format!("`{name}` takes {COUNT} argument{plural}, not {given}")
    })
}

fn timestamp(text: &str) -> Built<i64> {
    instant::parse(text).ok_or_else(|| format!("`{text}` is no RFC 3339 date-time with its zone: 2024-01-31T12:00:00Z"))
}

fn day(text: &str) -> Built<i64> {
    instant::parse_date(text).ok_or_else(|| format!("`{text}` is no date: 2024-01-31"))
}

fn comparison(operator: &str) -> Option<Comparison> {
    Some(match operator {
        "=" => Comparison::Equal,
        "<>" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn list_relation(operator: &str) -> Option<ListRelation> {
    Some(match operator {
        "a_equals" => ListRelation::Equals,
        "a_contains" => ListRelation::Contains,
        "a_containedby" => ListRelation::ContainedBy,
        "a_overlaps" => ListRelation::Overlaps,
        _ => return None,
    })
}
