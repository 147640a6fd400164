//! The media type of a file, guessed by its name as the stock server does (mlflow.md B.8).

/// Shown as plain text, whatever they are: the web UI reads these itself, and no browser may run them.
const TEXT: &[&str] = &[
    "txt",
    "log",
    "err",
    "cfg",
    "conf",
    "cnf",
    "cf",
    "ini",
    "properties",
    "prop",
    "hocon",
    "toml",
    "yaml",
    "yml",
    "xml",
    "json",
    "js",
    "py",
    "py3",
    "csv",
    "tsv",
    "md",
    "rst",
    "ipynb",
    "MLmodel",
    "MLproject",
];

/// Suffixes of compression, which leave the type of what is inside.
const COMPRESSED: &[&str] = &["gz", "Z", "bz2", "xz", "br"];

/// The type of a file with this name.
pub fn media_type(name: &str) -> String {
    let extension = extension(name);
    // `MLmodel` and `MLproject` are whole names.
    if TEXT.contains(&extension.unwrap_or(name)) {
        return "text/plain".to_owned();
    }
    let inner = match extension {
        Some(suffix) if COMPRESSED.contains(&suffix) => self::extension(&name[..name.len() - suffix.len() - 1]),
        Some("tgz") => Some("tar"),
        other => other,
    };
    match inner.and_then(|extension| mime_guess::from_ext(extension).first()) {
        Some(guess) => guess.essence_str().to_owned(),
        None => "application/octet-stream".to_owned(),
    }
}

/// What follows the last dot, unless that dot begins the name.
fn extension(name: &str) -> Option<&str> {
    let (stem, extension) = name.rsplit_once('.')?;
    (!stem.trim_start_matches('.').is_empty() && !extension.is_empty()).then_some(extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_of_the_stock_server() {
        for (name, expected) in [
            ("MLmodel", "text/plain"),
            ("conda.yaml", "text/plain"),
            ("x.json", "text/plain"),
            ("x.JSON", "application/json"),
            ("run.py", "text/plain"),
            ("x.js", "text/plain"),
            ("x.xml", "text/plain"),
            ("json", "text/plain"),
            ("page.html", "text/html"),
            ("image.png", "image/png"),
            ("image.PNG", "image/png"),
            ("x.svg", "image/svg+xml"),
            ("x.pdf", "application/pdf"),
            ("x.zip", "application/zip"),
            ("x.tar", "application/x-tar"),
            ("x.tar.gz", "application/x-tar"),
            ("x.tgz", "application/x-tar"),
            ("x.gz", "application/octet-stream"),
            ("x.csv.gz", "text/csv"),
            ("model.pkl", "application/octet-stream"),
            ("weights.safetensors", "application/octet-stream"),
            (".png", "application/octet-stream"),
            (".bashrc", "application/octet-stream"),
            ("noextension", "application/octet-stream"),
            ("a.", "application/octet-stream"),
            ("", "application/octet-stream"),
        ] {
            assert_eq!(media_type(name), expected, "{name}");
        }
    }
}
