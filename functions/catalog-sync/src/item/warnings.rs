//! What was wrong with what a project's authors wrote, in words for the item's readers.

/// At most so many sentences, of at most so many bytes, go into an item.
const MOST: usize = 20;
const LONGEST: usize = 240;

/// Collects sentences; the same one is kept once.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    sentences: Vec<String>,
    left_out: usize,
}

impl Warnings {
    pub fn say(&mut self, sentence: impl AsRef<str>) {
        let sentence = super::text::plain(super::text::cut(sentence.as_ref(), LONGEST)).replace('\n', " ");
        if sentence.trim().is_empty() || self.sentences.contains(&sentence) {
            return;
        }
        if self.sentences.len() < MOST {
            self.sentences.push(sentence);
        } else {
            self.left_out += 1;
        }
    }

    /// The sentences, and how many more there were.
    pub fn list(&self) -> Vec<String> {
        let mut list = self.sentences.clone();
        if self.left_out > 0 {
            list.push(format!("and {} more", self.left_out));
        }
        list
    }
}

/// A name that an author chose, short enough to be quoted.
pub(super) fn quoted(name: &str) -> String {
    let short = super::text::cut(name, 60);
    format!("`{short}{}`", if short.len() < name.len() { ".." } else { "" })
}
