//! How much fits into one answer: pages end early, and nothing is stored that could never be shown.

use std::io::{self, Write};

use http_body_util::LengthLimitError;
use serde::Serialize;

use crate::error::Error;

/// Bytes of JSON at which a page ends early. With what they are wrapped in they stay below what the gateway carries.
pub const ANSWER_BYTES: usize = 4_000_000;

/// How many bytes a value has as JSON.
pub fn json_bytes(value: &impl Serialize) -> usize {
    let mut count = Count(0);
    // Counting does not fail, and neither does the JSON of our own types: what cannot be written counts up to there.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

/// How many of these rows fit into one answer; at least one.
pub fn fitting<T: Serialize>(rows: &[T]) -> usize {
    let mut bytes = 0;
    let fits = |row: &&T| {
        bytes += json_bytes(row) + 1;
        bytes <= ANSWER_BYTES
    };
    rows.iter().take_while(fits).count().max(1).min(rows.len())
}

/// What is said instead of an answer that the gateway does not carry.
fn too_large() -> Error {
    Error::TooLarge(
        "The answer is larger than this hub can send at once. Ask for less: fewer things a page (max_results), fewer \
         runs, or a filter."
            .into(),
    )
}

/// Why the body of an answer, read up to the gateway's limit, cannot be sent.
pub fn unsendable(cause: &(dyn std::error::Error + Send + Sync + 'static)) -> Error {
    match cause.is::<LengthLimitError>() {
        true => too_large(),
        false => Error::internal(format!("the answer's body broke off: {cause}")),
    }
}

struct Count(usize);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_measured_as_it_is_sent() {
        assert_eq!(json_bytes(&"a\"b\u{1}"), r#""a\"b\u0001""#.len());
        let large = "\n".repeat(ANSWER_BYTES / 8);
        assert_eq!(fitting(&[&large, &large, &large, &large, &large]), 3);
        assert_eq!(fitting(&["\u{1}".repeat(ANSWER_BYTES), String::new()]), 1);
        assert_eq!(fitting::<String>(&[]), 0);
    }
}
