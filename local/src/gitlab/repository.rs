//! A project's repository as git shows it: one commit on one branch, made from the files as they are now; each
//! release's tag leads to that commit too.

use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::files::{Files, RepositoryFile};
use super::state::Project;

/// How the pointer of a file in LFS begins: <https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>.
const POINTER: &str = "version https://git-lfs.github.com/spec/v1\n";
/// No pointer is longer.
const LONGEST_POINTER: usize = 1_024;

/// Files and the names under which they can be asked for.
#[derive(Debug, Clone)]
pub struct Repository {
    files: Files,
    branch: String,
    tags: Vec<String>,
}

impl Repository {
    pub fn of(project: &Project) -> Self {
        Repository {
            files: project.files.clone(),
            branch: project.default_branch.clone(),
            tags: project.releases.iter().map(|release| release.tag.clone()).collect(),
        }
    }

    pub fn list(&self) -> Vec<RepositoryFile> {
        self.files.list()
    }

    pub fn lfs_content(&self, sha256: &str) -> Option<Vec<u8>> {
        self.files.lfs_content(sha256)
    }

    /// Does this branch, tag or commit lead to `files`? Without one, or with `HEAD`, the default branch is meant.
    pub fn knows_ref(&self, files: &[RepositoryFile], reference: Option<&str>) -> bool {
        let reference = reference.unwrap_or_default();
        let is_tag = |name: &str| self.tags.iter().any(|tag| tag == name);
        matches!(reference, "" | "HEAD")
            || reference == self.branch
            || reference.strip_prefix("refs/heads/") == Some(&self.branch)
            || is_tag(reference)
            || reference.strip_prefix("refs/tags/").is_some_and(is_tag)
            || (reference.len() >= 8 && commit_id(files).starts_with(reference))
    }
}

/// What the pointer of a file in LFS says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    pub sha256: String,
    pub size: u64,
}

/// Reads a file as a pointer; `None` if it is an ordinary one.
pub fn pointer(content: &[u8]) -> Option<Pointer> {
    if content.len() > LONGEST_POINTER {
        return None;
    }
    let text = std::str::from_utf8(content).ok()?.strip_prefix(POINTER)?;
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
    let sha256 = value("oid sha256:").filter(|oid| oid.len() == 64)?;
    Some(Pointer { sha256: sha256.to_owned(), size: value("size ")?.parse().ok()? })
}

/// The pointer to a content in LFS, and the content's SHA-256.
pub fn pointer_to(content: &[u8]) -> (String, String) {
    let sha256 = hex::encode(Sha256::digest(content));
    (format!("{POINTER}oid sha256:{sha256}\nsize {}\n", content.len()), sha256)
}

/// The id that git gives this content.
pub fn blob_id(file: &RepositoryFile) -> String {
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0", file.content.len()));
    hash.update(&file.content);
    hex::encode(hash.finalize())
}

/// Changes with every name and content; not the id that git would compute.
pub fn commit_id(files: &[RepositoryFile]) -> String {
    let mut hash = Sha1::new();
    for file in files {
        hash.update(format!("{} {}\n", blob_id(file), file.path));
    }
    hex::encode(hash.finalize())
}

/// What GitLab detects in a license file: key, name, and the file's path.
pub struct DetectedLicense {
    pub key: &'static str,
    pub name: &'static str,
    pub path: String,
}

/// GitLab's key, name, and what only this license's text says.
const LICENSES: &[(&str, &str, &str)] = &[
    ("apache-2.0", "Apache License 2.0", "apache license version 2.0"),
    ("mit", "MIT License", "permission is hereby granted, free of charge, to any person obtaining a copy"),
    ("mpl-2.0", "Mozilla Public License 2.0", "mozilla public license version 2.0"),
    ("agpl-3.0", "GNU Affero General Public License v3.0", "gnu affero general public license version 3"),
    ("lgpl-3.0", "GNU Lesser General Public License v3.0", "gnu lesser general public license version 3"),
    ("gpl-3.0", "GNU General Public License v3.0", "gnu general public license version 3"),
    ("cc-by-sa-4.0", "Creative Commons Attribution Share Alike 4.0 International", "attribution-sharealike 4.0"),
    ("cc-by-4.0", "Creative Commons Attribution 4.0 International", "attribution 4.0 international"),
    ("bsd-3-clause", "BSD 3-Clause \"New\" or \"Revised\" License", "neither the name of the copyright holder"),
];

/// The license of a repository; key `other` if there is a license file that says nothing known.
pub fn detect_license(files: &Files) -> Option<DetectedLicense> {
    let name = |path: &str| path.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let file = files.list().into_iter().find(|file| matches!(name(&file.path).as_str(), "license" | "licence"))?;
    let text = String::from_utf8_lossy(&file.content).to_lowercase().replace(',', "");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let known = LICENSES.iter().find(|(_, _, says)| text.contains(&says.replace(',', "")));
    let (key, name, _) = known.copied().unwrap_or(("other", "Other", ""));
    Some(DetectedLicense { key, name, path: file.path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_told_from_files() {
        let sha256 = "a".repeat(64);
        let text = format!("{POINTER}oid sha256:{sha256}\nsize 12345\n");
        assert_eq!(pointer(text.as_bytes()), Some(Pointer { sha256, size: 12_345 }));
        for ordinary in ["", "size 3\n", POINTER, "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 1\n"]
        {
            assert_eq!(pointer(ordinary.as_bytes()), None, "{ordinary:?}");
        }
        assert_eq!(pointer(&[text.as_bytes(), &[b'x'; 2_000]].concat()), None);
        assert_eq!(pointer(&[0xff, 0xfe]), None);
    }

    #[test]
    fn licenses_are_known_by_their_text() {
        let detect = |path: &str, text: &str| {
            let mut files = Files::default();
            files.put(path, Some(text.into()));
            detect_license(&files).map(|license| license.key)
        };
        assert_eq!(detect("LICENSE", "  Apache License\n   Version 2.0, January 2004"), Some("apache-2.0"));
        assert_eq!(detect("LICENSE.md", "GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007"), Some("gpl-3.0"));
        assert_eq!(detect("licence.txt", "All rights reserved."), Some("other"));
        assert_eq!(detect("docs/LICENSE", "Apache License Version 2.0"), None);
        assert_eq!(detect("README.md", "Apache License Version 2.0"), None);
    }
}
