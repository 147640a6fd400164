//! The media type of a repository's file by its name, and the short names for types in asset rules (docs/catalog.md, "Front matter").

/// What the general table lacks or takes for something else.
const OURS: &[(&str, &str)] = &[
    ("bin", "application/octet-stream"),
    ("csv", "text/csv"),
    ("cwl", "application/cwl+yaml"),
    ("feather", "application/vnd.apache.arrow.file"),
    ("geojson", "application/geo+json"),
    ("gpkg", "application/geopackage+sqlite3"),
    ("h5", "application/x-hdf5"),
    ("hdf5", "application/x-hdf5"),
    ("ipynb", "application/x-ipynb+json"),
    ("joblib", "application/octet-stream"),
    ("keras", "application/octet-stream"),
    ("md", "text/markdown"),
    ("nc", "application/x-netcdf"),
    ("npy", "application/octet-stream"),
    ("npz", "application/octet-stream"),
    ("onnx", "application/onnx"),
    ("parquet", "application/vnd.apache.parquet"),
    ("pickle", "application/octet-stream"),
    ("pkl", "application/octet-stream"),
    ("pt", "application/octet-stream"),
    ("pth", "application/octet-stream"),
    ("py", "text/x-python"),
    ("r", "text/x-r"),
    ("safetensors", "application/octet-stream"),
    ("tar", "application/x-tar"),
    ("tflite", "application/octet-stream"),
    ("tgz", "application/x-tar"),
    ("toml", "application/toml"),
    ("ts", "text/plain"),
    ("yaml", "text/x-yaml"),
    ("yml", "text/x-yaml"),
    ("zarr", "application/vnd+zarr"),
];

/// The type of a file with this name, if it tells one.
pub(super) fn guess(path: &str) -> Option<String> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    if name.ends_with(".tar.gz") || name.ends_with(".tar.bz2") {
        return Some("application/x-tar".to_owned());
    }
    let extension = extension(&name)?;
    match OURS.iter().find(|(ours, _)| *ours == extension) {
        Some((_, media_type)) => Some((*media_type).to_owned()),
        None => mime_guess::from_ext(extension).first().map(|guess| guess.essence_str().to_owned()),
    }
}

/// The type that `type-as: <word>` means.
pub(super) fn named(word: &str) -> Option<&'static str> {
    Some(match word {
        "text" => "text/plain",
        "json" => "application/json",
        "xml" => "application/xml",
        "yaml" => "text/x-yaml",
        "zip" => "application/zip",
        "geotiff" => "image/tiff; application=geotiff",
        "cog" => "image/tiff; application=geotiff; profile=cloud-optimized",
        "geojson" => "application/geo+json",
        "compose" => "text/x-yaml; application=compose",
        "notebook" => "application/x-ipynb+json",
        _ => return None,
    })
}

/// What follows the last dot of a file name, unless that dot begins it.
pub(super) fn extension(name: &str) -> Option<&str> {
    let (stem, extension) = name.rsplit('/').next()?.rsplit_once('.')?;
    (!stem.is_empty() && !extension.is_empty()).then_some(extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_fixed() {
        for (path, expected) in [
            ("a.tif", Some("image/tiff")),
            ("a.TIFF", Some("image/tiff")),
            ("a.csv", Some("text/csv")),
            ("a.json", Some("application/json")),
            ("a.zip", Some("application/zip")),
            ("a.png", Some("image/png")),
            ("a.jpg", Some("image/jpeg")),
            ("a.txt", Some("text/plain")),
            ("x/a.py", Some("text/x-python")),
            ("README.md", Some("text/markdown")),
            ("a.geojson", Some("application/geo+json")),
            ("a.nc", Some("application/x-netcdf")),
            ("a.h5", Some("application/x-hdf5")),
            ("a.onnx", Some("application/onnx")),
            ("a.pt", Some("application/octet-stream")),
            ("a.xml", Some("text/xml")),
            ("archive.zip", Some("application/zip")),
            ("archive.tar.gz", Some("application/x-tar")),
            ("LICENSE", None),
            (".png", None),
            ("x.d/file", None),
            ("a.unheardof", None),
        ] {
            assert_eq!(guess(path).as_deref(), expected, "{path}");
        }
        assert_eq!(named("cog"), Some("image/tiff; application=geotiff; profile=cloud-optimized"));
        assert_eq!(named("COG"), None);
    }
}
