//! The header that names a download (RFC 6266, RFC 5987).

use icu_normalizer::DecomposingNormalizerBorrowed;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What RFC 5987 lets stand as it is.
const ATTR_CHAR: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// `attachment` with the file's name, and a name in ASCII for those who read no other. A header can hold it, whatever
/// the name is.
pub fn attachment(name: &str) -> String {
    let is_plain = |letter: &char| letter.is_ascii() && !letter.is_ascii_control();
    if name.chars().all(|letter| is_plain(&letter)) {
        return format!("attachment; filename={}", quoted(name));
    }
    let plain: String = DecomposingNormalizerBorrowed::new_nfkd().normalize(name).chars().filter(is_plain).collect();
    let plain = if plain.is_empty() { "download" } else { &plain };
    format!("attachment; filename={}; filename*=UTF-8''{}", quoted(plain), utf8_percent_encode(name, ATTR_CHAR))
}

/// A token as it is, anything else as a quoted string.
fn quoted(name: &str) -> String {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !name.is_empty() && name.bytes().all(is_token) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_stock_server() {
        for (name, expected) in [
            ("a.txt", "attachment; filename=a.txt"),
            ("x y.csv", "attachment; filename=\"x y.csv\""),
            ("q\"uote.txt", "attachment; filename=\"q\\\"uote.txt\""),
            ("café.png", "attachment; filename=cafe.png; filename*=UTF-8''caf%C3%A9.png"),
            ("a\u{1b}b\n", "attachment; filename=ab; filename*=UTF-8''a%1Bb%0A"),
            ("日本語", "attachment; filename=download; filename*=UTF-8''%E6%97%A5%E6%9C%AC%E8%AA%9E"),
            (
                "größe-洪水 1.txt",
                "attachment; filename=\"groe- 1.txt\"; filename*=UTF-8''gr%C3%B6%C3%9Fe-%E6%B4%AA%E6%B0%B4%201.txt",
            ),
        ] {
            assert_eq!(attachment(name), expected);
        }
    }
}
