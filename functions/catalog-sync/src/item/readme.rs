//! The body of a README: the item's description, its preview picture and its citations
//! (docs/catalog.md, "Items").

use pulldown_cmark::{Event, LinkType, Parser, Tag, TagEnd};

use super::hrefs::{Reach, Target, resolve};
use super::source::Source;
use super::text::{cut, plain};

/// Longest description, bytes.
pub(super) const DESCRIPTION: usize = 64 * 1024;
/// More publications are not listed.
const PUBLICATIONS: usize = 50;

/// A work that the README cites.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Publication {
    /// `10.5281/zenodo.1234`
    pub doi: String,
    /// May be empty.
    pub citation: String,
}

#[derive(Debug, Default)]
pub(super) struct Readme {
    /// The text, with its pictures' sources leading to the hub.
    pub description: String,
    /// Where the picture called `preview` lies, as written.
    pub preview: Option<String>,
    /// In the text's order.
    pub publications: Vec<Publication>,
}

/// A piece of the text that becomes another one.
struct Edit {
    start: usize,
    end: usize,
    with: String,
}

impl Readme {
    pub fn new(body: &str, source: &Source) -> Self {
        let body = plain(cut(body, 4 * DESCRIPTION));
        let mut readme = Self::default();
        let mut edits: Vec<Edit> = Vec::new();
        // Link and picture that the parser is in: where it leads to, and its text so far.
        let mut link: Option<(String, String)> = None;
        let mut picture: Option<(String, String)> = None;
        for (event, range) in Parser::new(&body).into_offset_iter() {
            match event {
                Event::Start(Tag::Link { dest_url, .. }) => link = Some((dest_url.into_string(), String::new())),
                Event::Start(Tag::Image { link_type, dest_url, .. }) => {
                    if link_type == LinkType::Inline
                        && let Some(with) = picture_source(source, &dest_url)
                        && let Some(start) = inline_source(&body[range.clone()], &dest_url)
                    {
                        let start = range.start + start;
                        edits.push(Edit { start, end: start + dest_url.len(), with });
                    }
                    picture = Some((dest_url.into_string(), String::new()));
                }
                Event::Text(text) | Event::Code(text) => {
                    for (_, words) in link.iter_mut().chain(&mut picture) {
                        words.push_str(&text);
                    }
                }
                Event::SoftBreak | Event::HardBreak => {
                    for (_, words) in link.iter_mut().chain(&mut picture) {
                        words.push(' ');
                    }
                }
                Event::End(TagEnd::Image) => {
                    if let Some((target, alt)) = picture.take()
                        && alt.trim().eq_ignore_ascii_case("preview")
                        && readme.preview.is_none()
                    {
                        readme.preview = Some(target);
                    }
                }
                Event::End(TagEnd::Link) => {
                    if let Some((target, words)) = link.take() {
                        readme.cite(&target, &words);
                    }
                }
                Event::Html(_) | Event::InlineHtml(_) => html_sources(&body, range, source, &mut edits),
                _ => {}
            }
        }
        if readme.publications.is_empty()
            && let Some(doi) = doi(&body)
        {
            readme.publications.push(Publication { doi, citation: String::new() });
        }
        readme.description = cut(&collapsed(&edited(&body, edits)), DESCRIPTION).trim().to_owned();
        readme
    }

    fn cite(&mut self, target: &str, words: &str) {
        let (true, Some(doi)) = (target.starts_with("http"), doi(target)) else { return };
        if self.publications.len() < PUBLICATIONS && !self.publications.iter().any(|known| known.doi == doi) {
            let words = words.trim();
            let words = words.strip_prefix("DOI:").unwrap_or(words).trim();
            // The text of a badge.
            let words = if words.eq_ignore_ascii_case("doi") { "" } else { words };
            self.publications.push(Publication { doi, citation: cut(words, 1_000).to_owned() });
        }
    }
}

/// The first DOI whose URL `text` holds.
fn doi(text: &str) -> Option<String> {
    text.match_indices("https://doi.org/10.").find_map(|(at, _)| {
        let rest = &text[at + "https://doi.org/10.".len()..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let tail = rest[digits..].strip_prefix('/').filter(|_| (4..=9).contains(&digits))?;
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "-._;/:".contains(letter);
        let name = &tail[..tail.find(|letter| !fits(letter)).unwrap_or(tail.len())];
        // What ends a sentence is no part of the name.
        let name = name.trim_end_matches(['.', ';', ':', '/']);
        (!name.is_empty()).then(|| format!("10.{}/{name}", &rest[..digits]))
    })
}

/// What the source of a picture becomes; `None` if it stays.
fn picture_source(source: &Source, reference: &str) -> Option<String> {
    match resolve(source, reference, Reach::Web)? {
        Target::File(path) => Some(source.picture_href(&path)),
        Target::Url(_) => None,
    }
}

/// Where the source begins in `![alt](source "title")`.
fn inline_source(picture: &str, target: &str) -> Option<usize> {
    let at = picture.rfind("](")? + 2;
    let rest = picture[at..].trim_start().trim_start_matches('<');
    (!target.is_empty() && rest.starts_with(target)).then(|| picture.len() - rest.len())
}

/// `src="..."` and `src='...'` of HTML in the text.
fn html_sources(body: &str, range: std::ops::Range<usize>, source: &Source, edits: &mut Vec<Edit>) {
    for (at, opening) in body[range.clone()].match_indices("src=") {
        let start = range.start + at + opening.len();
        let Some(quote) = body[start..range.end].chars().next().filter(|letter| matches!(letter, '"' | '\'')) else {
            continue;
        };
        if let Some(length) = body[start + 1..range.end].find(quote)
            && let Some(with) = picture_source(source, &body[start + 1..start + 1 + length])
        {
            edits.push(Edit { start: start + 1, end: start + 1 + length, with });
        }
    }
}

fn edited(body: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| edit.start);
    let mut text = String::with_capacity(body.len());
    let mut at = 0;
    for edit in edits.iter().filter(|edit| edit.start <= edit.end) {
        if edit.start >= at {
            text.push_str(&body[at..edit.start]);
            text.push_str(&edit.with);
            at = edit.end;
        }
    }
    text.push_str(&body[at..]);
    text
}

/// With one blank line where there were more.
fn collapsed(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    let mut ends = 0;
    for letter in text.chars() {
        ends = if letter == '\n' { ends + 1 } else { 0 };
        if ends <= 2 {
            collapsed.push(letter);
        }
    }
    collapsed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dois_are_found_in_urls() {
        for (text, expected) in [
            ("https://doi.org/10.5281/zenodo.123", Some("10.5281/zenodo.123")),
            ("see https://doi.org/10.1000/a.b-c_d;e/f:g).", Some("10.1000/a.b-c_d;e/f:g")),
            ("(https://doi.org/10.1000/abc.)", Some("10.1000/abc")),
            ("https://doi.org/10.1/x https://doi.org/10.12345/y", Some("10.12345/y")),
            ("https://doi.org/10.123/abc", None),
            ("https://doi.org/10.1234567890/abc", None),
            ("https://doi.org/10.1234/", None),
            ("doi:10.1234/abc", None),
        ] {
            assert_eq!(doi(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn blank_lines_collapse() {
        assert_eq!(collapsed("a\n\n\n\nb\n\nc\nd"), "a\n\nb\n\nc\nd");
    }
}
