//! The YAML block at the head of a README (docs/catalog.md, "Front matter").

use serde_json::{Map, Value};

use super::warnings::Warnings;
use super::yaml;

/// Longer blocks are not read.
const LONGEST: usize = 64 * 1024;

/// Splits a README into what its front matter says and what follows. Front matter that cannot be
/// read counts as none, with a warning.
pub(super) fn split<'a>(readme: &'a str, warnings: &mut Warnings) -> (Map<String, Value>, &'a str) {
    let text = readme.strip_prefix('\u{feff}').unwrap_or(readme);
    let Some((block, body)) = block(text) else {
        return (Map::new(), text);
    };
    let fields = if block.len() > LONGEST {
        Err(format!("it is longer than {} KB", LONGEST / 1024))
    } else {
        match yaml::parse(block) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(Value::Null) => Ok(Map::new()),
            Ok(_) => Err("it is not a mapping of names to values".into()),
            Err(why) => Err(why),
        }
    };
    let fields = fields.unwrap_or_else(|why| {
        warnings.say(format!("the front matter of the README is ignored: {why}"));
        Map::new()
    });
    (fields, body)
}

/// What lies between a first line `---` and the next one, and what follows it.
fn block(text: &str) -> Option<(&str, &str)> {
    let (first, rest) = text.split_once('\n')?;
    if first.trim_end() != "---" {
        return None;
    }
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        let end = at + line.len();
        if line.trim_end() == "---" {
            return Some((&rest[..at], &rest[end..]));
        }
        at = end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(readme: &str) -> (Value, String, Vec<String>) {
        let mut warnings = Warnings::default();
        let (fields, body) = split(readme, &mut warnings);
        (Value::Object(fields), body.to_owned(), warnings.list())
    }

    #[test]
    fn front_matter_is_the_block_between_two_rules() {
        for (readme, fields, body) in [
            ("---\na: 1\n---\nbody\n", json!({"a": 1}), "body\n"),
            ("---\r\na: 1\r\n---\r\nbody", json!({"a": 1}), "body"),
            ("\u{feff}---\na: [x, 2.5, true, ~]\n---\n", json!({"a": ["x", 2.5, true, null]}), ""),
            ("---\n# nothing\n---\nbody", json!({}), "body"),
            ("---\n---\nbody", json!({}), "body"),
            ("---\na: 1\n", json!({}), "---\na: 1\n"),
            ("\n---\na: 1\n---\n", json!({}), "\n---\na: 1\n---\n"),
            ("# Title\n---\n", json!({}), "# Title\n---\n"),
            ("", json!({}), ""),
            (
                "---\nd: 2024-01-01\n1: one\nyes: !x [a]\n---\n",
                json!({"d": "2024-01-01", "1": "one", "yes": ["a"]}),
                "",
            ),
            ("---\na: 1\na: 2\n---\n", json!({"a": 2}), ""),
            (
                "---\nb: &b {x: 1, y: 2}\nc: {<<: *b, y: 3}\n---\n",
                json!({"b": {"x": 1, "y": 2}, "c": {"x": 1, "y": 3}}),
                "",
            ),
        ] {
            assert_eq!(read(readme), (fields, body.to_owned(), vec![]), "{readme:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_none_with_a_warning() {
        let bomb = {
            let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
            for level in 1..12 {
                let list = vec![format!("*a{}", level - 1); 10].join(", ");
                text += &format!("a{level}: &a{level} [{list}]\n");
            }
            text
        };
        let long = format!("s: &s {}\nl: [{}]\n", "x".repeat(20_000), vec!["*s"; 500].join(", "));
        for block in [
            "a: [1",
            "a: b: c",
            "- a\n- b",
            "just text",
            "42",
            "a: *nowhere",
            "\ta: 1",
            "[x]: 1",
            &bomb,
            &long,
            &format!("a: {}", "[".repeat(60_000)),
            &format!("a: {}{}", "[".repeat(40), "]".repeat(40)),
            &(0..40).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<String>(),
            &format!("a: {}", "x".repeat(70_000)),
            "a: &a [*a]\n",
            "a: 1\n...\nb: 2",
        ] {
            let (fields, body, warnings) = read(&format!("---\n{block}\n---\nbody"));
            assert_eq!(
                (fields, body.as_str(), warnings.len()),
                (json!({}), "body", 1),
                "{}",
                super::super::text::cut(block, 60)
            );
        }
    }
}
