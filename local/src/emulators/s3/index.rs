//! Which objects exist: an ordered map in memory and an append-only journal on disk.
//!
//! A journal line is one write; a process that dies in the middle of one leaves a line that the next start ignores.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What a listing tells about an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub size: u64,
    /// Without quotes.
    pub etag: String,
    /// Milliseconds since 1970.
    pub modified: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Record {
    Put { bucket: String, key: String, entry: Entry },
    Delete { bucket: String, key: String },
}

/// Objects by bucket and key, in S3's order of keys (bytes).
#[derive(Debug)]
pub struct Index {
    objects: BTreeMap<(String, String), Entry>,
    journal: File,
}

impl Index {
    /// Reads the journal, and rewrites it when most of its lines are outdated.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut objects = BTreeMap::new();
        let mut lines = 0;
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        for line in text.split(|byte| *byte == b'\n') {
            lines += 1;
            match serde_json::from_slice(line) {
                Ok(Record::Put { bucket, key, entry }) => {
                    objects.insert((bucket, key), entry);
                }
                Ok(Record::Delete { bucket, key }) => {
                    objects.remove(&(bucket, key));
                }
                Err(_) => {}
            }
        }
        // Also ends a torn last line, onto which the next record must not be written.
        if lines > 2 * objects.len() + 1000 || text.last().is_some_and(|byte| *byte != b'\n') {
            rewrite(path, &objects)?;
        }
        let journal = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Index { objects, journal })
    }

    pub fn get(&self, bucket: &str, key: &str) -> Option<&Entry> {
        self.objects.get(&(bucket.to_owned(), key.to_owned()))
    }

    /// Notes an object whose bytes are in place.
    pub fn put(&mut self, bucket: &str, key: &str, entry: Entry) -> io::Result<()> {
        let record = Record::Put { bucket: bucket.to_owned(), key: key.to_owned(), entry: entry.clone() };
        append(&mut self.journal, &record)?;
        self.objects.insert((bucket.to_owned(), key.to_owned()), entry);
        Ok(())
    }

    /// Forgets an object, before its bytes go. False when there was none.
    pub fn delete(&mut self, bucket: &str, key: &str) -> io::Result<bool> {
        let place = (bucket.to_owned(), key.to_owned());
        if !self.objects.contains_key(&place) {
            return Ok(false);
        }
        append(&mut self.journal, &Record::Delete { bucket: bucket.to_owned(), key: key.to_owned() })?;
        self.objects.remove(&place);
        Ok(true)
    }

    /// The objects of a bucket from key `start` on, in order.
    pub fn from<'a>(&'a self, bucket: &'a str, start: &str) -> impl Iterator<Item = (&'a str, &'a Entry)> {
        self.objects
            .range((bucket.to_owned(), start.to_owned())..)
            .take_while(move |((of, _), _)| of == bucket)
            .map(|((_, key), entry)| (key.as_str(), entry))
    }
}

fn append(journal: &mut File, record: &Record) -> io::Result<()> {
    let mut line = serde_json::to_vec(record)?;
    line.push(b'\n');
    journal.write_all(&line)
}

fn rewrite(path: &Path, objects: &BTreeMap<(String, String), Entry>) -> io::Result<()> {
    let fresh: PathBuf = path.with_extension("new");
    let mut file = File::create(&fresh)?;
    for ((bucket, key), entry) in objects {
        append(&mut file, &Record::Put { bucket: bucket.clone(), key: key.clone(), entry: entry.clone() })?;
    }
    file.sync_all()?;
    std::fs::rename(fresh, path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn entry(size: u64) -> Entry {
        Entry { size, etag: "e".to_owned(), modified: 1 }
    }

    #[test]
    fn survives_reopening_and_a_torn_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        let mut index = Index::open(&path).unwrap();
        index.put("b", "k/1", entry(1)).unwrap();
        index.put("b", "k/2", entry(2)).unwrap();
        index.put("c", "k/3", entry(3)).unwrap();
        assert!(index.delete("b", "k/1").unwrap());
        assert!(!index.delete("b", "k/1").unwrap());
        drop(index);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"put\":{\"bucket\":\"b\",\"ke").unwrap();

        let mut index = Index::open(&path).unwrap();
        index.put("b", "k/4", entry(4)).unwrap();
        drop(index);
        let index = Index::open(&path).unwrap();
        let keys: Vec<&str> = index.from("b", "").map(|(key, _)| key).collect();
        assert_eq!(keys, ["k/2", "k/4"]);
        assert_eq!(index.get("c", "k/3"), Some(&entry(3)));
    }

    #[test]
    fn outdated_lines_go_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        let mut index = Index::open(&path).unwrap();
        for size in 0..2000 {
            index.put("b", "k", entry(size)).unwrap();
        }
        drop(index);
        let index = Index::open(&path).unwrap();
        assert_eq!(index.get("b", "k"), Some(&entry(1999)));
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
    }
}
