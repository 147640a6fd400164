//! The files of a project's repository: from the binary (demo data), from a folder, and put there by tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use include_dir::Dir;

/// Where, in a project's folder, the contents of files in LFS lie, by their SHA-256.
const LFS_OBJECTS: &str = ".lfs/objects";

/// A project's files.
#[derive(Debug, Clone, Default)]
pub struct Files {
    source: Source,
    /// What was put or removed since, by path.
    changes: Arc<BTreeMap<String, Option<Vec<u8>>>>,
    /// Contents in LFS that were put there, by SHA-256.
    lfs: Arc<BTreeMap<String, Vec<u8>>>,
}

#[derive(Debug, Clone, Default)]
enum Source {
    #[default]
    Nowhere,
    Embedded(&'static Dir<'static>),
    /// Read at each request, so that edits show at once.
    Folder(PathBuf),
}

/// One file of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryFile {
    /// Path from the repository's root, with `/`.
    pub path: String,
    pub content: Vec<u8>,
}

/// Where a file's bytes are.
enum Content {
    Disk(PathBuf),
    Embedded(&'static [u8]),
    Put(Vec<u8>),
}

impl Content {
    fn read(self) -> Option<Vec<u8>> {
        match self {
            Content::Disk(path) => std::fs::read(path).ok(),
            Content::Embedded(bytes) => Some(bytes.to_vec()),
            Content::Put(bytes) => Some(bytes),
        }
    }
}

impl Files {
    pub fn embedded(dir: &'static Dir<'static>) -> Self {
        Files { source: Source::Embedded(dir), ..Files::default() }
    }

    pub fn folder(root: PathBuf) -> Self {
        Files { source: Source::Folder(root), ..Files::default() }
    }

    /// All files, sorted by path. Hidden files, symbolic links and unreadable files are left out.
    pub fn list(&self) -> Vec<RepositoryFile> {
        let read = |(path, content): (String, Content)| Some(RepositoryFile { path, content: content.read()? });
        self.entries().into_iter().filter_map(read).collect()
    }

    /// The file at exactly this path. It is looked up in the list, so a path can never leave the repository.
    pub fn get(&self, path: &str) -> Option<RepositoryFile> {
        let (path, content) = self.entries().into_iter().find(|(other, _)| other == path)?;
        Some(RepositoryFile { path, content: content.read()? })
    }

    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// Writes a file; `None` removes it. A folder on disk is left as it is.
    pub fn put(&mut self, path: &str, content: Option<Vec<u8>>) {
        Arc::make_mut(&mut self.changes).insert(path.to_owned(), content);
    }

    /// Adds a content to LFS.
    pub fn put_lfs(&mut self, sha256: &str, content: Vec<u8>) {
        Arc::make_mut(&mut self.lfs).insert(sha256.to_owned(), content);
    }

    /// The content in LFS with this SHA-256 (64 digits of lower-case hex).
    pub fn lfs_content(&self, sha256: &str) -> Option<Vec<u8>> {
        if sha256.len() != 64 || !sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        if let Some(content) = self.lfs.get(sha256) {
            return Some(content.clone());
        }
        match &self.source {
            Source::Nowhere => None,
            Source::Embedded(dir) => {
                let file = dir.get_file(dir.path().join(LFS_OBJECTS).join(sha256))?;
                Some(file.contents().to_vec())
            }
            Source::Folder(root) => std::fs::read(root.join(LFS_OBJECTS).join(sha256)).ok(),
        }
    }

    fn entries(&self) -> BTreeMap<String, Content> {
        let mut entries = BTreeMap::new();
        match &self.source {
            Source::Nowhere => {}
            Source::Embedded(dir) => embedded(dir, dir.path(), &mut entries),
            Source::Folder(root) => on_disk(root, root, &mut entries),
        }
        for (path, change) in self.changes.iter() {
            match change {
                Some(content) => entries.insert(path.clone(), Content::Put(content.clone())),
                None => entries.remove(path),
            };
        }
        entries
    }
}

fn embedded(dir: &'static Dir<'static>, root: &Path, entries: &mut BTreeMap<String, Content>) {
    for file in dir.files() {
        if let Some(path) = repository_path(file.path(), root) {
            entries.insert(path, Content::Embedded(file.contents()));
        }
    }
    for inner in dir.dirs() {
        embedded(inner, root, entries);
    }
}

fn on_disk(dir: &Path, root: &Path, entries: &mut BTreeMap<String, Content>) {
    let Ok(found) = std::fs::read_dir(dir) else { return };
    for entry in found.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        let Some(path) = repository_path(&entry.path(), root) else { continue };
        if kind.is_dir() {
            on_disk(&entry.path(), root, entries);
        } else if kind.is_file() {
            entries.insert(path, Content::Disk(entry.path()));
        }
    }
}

/// The path below `root` with `/`; `None` for what is hidden or in a hidden folder, and for names that are not UTF-8.
fn repository_path(path: &Path, root: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path.strip_prefix(root).ok()?.iter().map(|part| part.to_str()).collect();
    let parts = parts?;
    (!parts.iter().any(|part| part.starts_with('.'))).then(|| parts.join("/"))
}
