//! The files of a project's repository: from the binary (demo data) or from a folder.

use std::path::{Path, PathBuf};

use include_dir::Dir;

/// Where a project's files come from.
#[derive(Debug, Clone)]
pub enum Files {
    /// No repository content.
    Empty,
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

impl Files {
    /// All files, sorted by path. Hidden files, symbolic links and unreadable files are left out.
    pub fn list(&self) -> Vec<RepositoryFile> {
        let mut files = Vec::new();
        match self {
            Files::Empty => {}
            Files::Embedded(dir) => embedded(dir, dir.path(), &mut files),
            Files::Folder(root) => on_disk(root, root, &mut files),
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files
    }

    /// The file at exactly this path. It is looked up in the list, so a path can never leave the repository.
    pub fn get(&self, path: &str) -> Option<RepositoryFile> {
        self.list().into_iter().find(|file| file.path == path)
    }
}

fn embedded(dir: &'static Dir<'static>, root: &Path, files: &mut Vec<RepositoryFile>) {
    for file in dir.files() {
        if let Some(path) = repository_path(file.path(), root) {
            files.push(RepositoryFile { path, content: file.contents().to_vec() });
        }
    }
    for inner in dir.dirs() {
        embedded(inner, root, files);
    }
}

fn on_disk(dir: &Path, root: &Path, files: &mut Vec<RepositoryFile>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        let Some(path) = repository_path(&entry.path(), root) else { continue };
        if kind.is_dir() {
            on_disk(&entry.path(), root, files);
        } else if kind.is_file()
            && let Ok(content) = std::fs::read(entry.path())
        {
            files.push(RepositoryFile { path, content });
        }
    }
}

/// The path below `root` with `/`; `None` for hidden names and names that are not UTF-8.
fn repository_path(path: &Path, root: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path.strip_prefix(root).ok()?.iter().map(|part| part.to_str()).collect();
    let parts = parts?;
    (!parts.last()?.starts_with('.')).then(|| parts.join("/"))
}
