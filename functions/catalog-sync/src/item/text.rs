//! Small rules on texts of others.

/// The longest beginning of `text` of at most `bytes` bytes that ends at a character.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// Without control characters, except line ends and tabs.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control() || matches!(letter, '\n' | '\t')).collect()
}

/// One line of at most 500 bytes, as a title.
pub(super) fn line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    plain(cut(&words.join(" "), 500))
}

/// Lower-case words joined with dashes.
pub(super) fn slug(text: &str) -> String {
    let kept: String = text
        .to_lowercase()
        .chars()
        .filter(|letter| letter.is_alphanumeric() || letter.is_whitespace() || matches!(letter, '_' | '-'))
        .collect();
    let words: Vec<&str> = kept
        .split(|letter: char| letter.is_whitespace() || matches!(letter, '_' | '-'))
        .filter(|word| !word.is_empty())
        .collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_characters() {
        assert_eq!(cut("né", 2), "n");
        assert_eq!(cut("né", 3), "né");
        assert_eq!(cut("né", 99), "né");
        assert_eq!(plain("a\u{0}b\r\nc\u{7f}\td"), "ab\nc\td");
        assert_eq!(line(" a \n b\u{1b}[0m "), "a b[0m");
    }

    #[test]
    fn slugs_are_words_and_dashes() {
        for (text, expected) in [
            ("unet v3", "unet-v3"),
            (" My  Model__2 v1 ", "my-model-2-v1"),
            ("été (beta)! v10", "été-beta-v10"),
            ("--", ""),
        ] {
            assert_eq!(slug(text), expected);
        }
    }
}
