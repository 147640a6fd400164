//! CQL2, the filter language: text and JSON become one expression, which is asked of each item. Own code, because
//! what comes from the network must neither nest without bounds nor mean more than is declared.

mod build;
mod eval;
mod expr;
mod json;
mod lexer;
mod like;
mod node;
mod temporal;
#[cfg(test)]
mod tests;
mod text;

use eval::Asked;
pub use eval::Subject;

/// How long a filter may be, in bytes.
pub const MAX_LENGTH: usize = 4_096;

/// What items must be like.
#[derive(Debug)]
pub struct Filter {
    expr: expr::Expr,
    properties: Vec<String>,
    /// Is any of them needed in lower case?
    folds: bool,
    cost: usize,
}

impl Filter {
    /// A filter in CQL2-text.
    ///
    /// # Errors
    /// Says in words what is wrong or not supported.
    pub fn parse_text(text: &str) -> Result<Self, String> {
        check_length(text.len())?;
        Self::build(text::read(text)?)
    }

    /// A filter in CQL2-JSON.
    ///
    /// # Errors
    /// Says in words what is wrong or not supported.
    pub fn parse_json(json: &serde_json::Value) -> Result<Self, String> {
        check_length(json.to_string().len())?;
        Self::build(json::read(json)?)
    }

    /// The properties that it reads, as they were written; a [`Subject`] is asked for them by number.
    pub fn properties(&self) -> &[String] {
        &self.properties
    }

    /// What it takes of what a search may cost.
    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    /// Is it true of the item? Unknown is not true.
    pub fn matches(&self, subject: &impl Subject) -> bool {
        let folds = if self.folds { self.properties.len() } else { 0 };
        self.expr.holds(&Asked::new(subject, folds)) == Some(true)
    }

    fn build(node: node::Node) -> Result<Self, String> {
        let mut builder = build::Builder::default();
        let expr = builder.expr(node)?;
        Ok(Self { expr, properties: builder.properties, folds: builder.folds, cost: builder.cost })
    }
}

fn check_length(length: usize) -> Result<(), String> {
    if length > MAX_LENGTH { Err(format!("a filter has at most {MAX_LENGTH} bytes, not {length}")) } else { Ok(()) }
}
