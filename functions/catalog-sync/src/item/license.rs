//! The license: an SPDX id or `other`, as STAC asks, and where its text is (docs/catalog.md, "Front matter").

use serde_json::Value;
use shared::gitlab::RepositoryFacts;

use super::hrefs::{self, Reach};
use super::source::Source;
use super::warnings::{Warnings, quoted};

const OTHER: &str = "other";

/// A license as STAC names it.
#[derive(Debug, PartialEq)]
pub(super) struct License {
    pub id: String,
    pub url: Option<String>,
}

/// What the front matter says, else what GitLab found in the repository.
pub(super) fn license(source: &Source, warnings: &mut Warnings) -> Option<License> {
    let found = source.repository.and_then(|repository: &RepositoryFacts| repository.license.as_ref());
    let found_id = found.map(|license| spdx(&license.key).unwrap_or(OTHER));
    let declared_url = source.front.get("license-url").filter(|value| !value.is_null()).and_then(|value| {
        let url = value.as_str().and_then(|text| hrefs::href(source, text, Reach::Web));
        if url.is_none() {
            warnings.say("`license-url` is ignored: it is no http(s) URL and no path in the repository");
        }
        url
    });
    let id = declared(source.front.get("license"), warnings)
        .or_else(|| found_id.map(str::to_owned))
        .or_else(|| declared_url.is_some().then(|| OTHER.to_owned()))?;
    // GitLab's file is the text of this license only if it says the same, or if nothing says which it is.
    let found_url = || {
        let same = found_id == Some(id.as_str()) || id == OTHER;
        found.filter(|_| same).and_then(|license| license.url.as_deref()).and_then(hrefs::web)
    };
    let official = || (id != OTHER).then(|| format!("https://spdx.org/licenses/{id}.html"));
    let url = declared_url.or_else(found_url).or_else(official);
    Some(License { id, url })
}

fn declared(license: Option<&Value>, warnings: &mut Warnings) -> Option<String> {
    let license = license.filter(|value| !value.is_null())?;
    let Some(text) = license.as_str().map(str::trim).filter(|text| !text.is_empty()) else {
        warnings.say("`license` is ignored: it is no text");
        return None;
    };
    let id = spdx(text).unwrap_or_else(|| {
        if !["other", "proprietary", "various"].contains(&text.to_lowercase().as_str()) {
            warnings.say(format!("the license {} has no SPDX id and is given as `other`", quoted(text)));
        }
        OTHER
    });
    Some(id.to_owned())
}

/// The SPDX id that is `text` but for upper and lower case.
fn spdx(text: &str) -> Option<&'static str> {
    let mut names = spdx::identifiers::LICENSES.iter().map(|license| license.name);
    names.find(|name| name.eq_ignore_ascii_case(text) && *name != "NOASSERTION")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gitlab_keys_are_spdx_ids() {
        for (key, id) in [
            ("agpl-3.0", Some("AGPL-3.0")),
            ("apache-2.0", Some("Apache-2.0")),
            ("bsd-2-clause", Some("BSD-2-Clause")),
            ("bsd-3-clause", Some("BSD-3-Clause")),
            ("bsl-1.0", Some("BSL-1.0")),
            ("cc0-1.0", Some("CC0-1.0")),
            ("epl-2.0", Some("EPL-2.0")),
            ("gpl-2.0", Some("GPL-2.0")),
            ("gpl-3.0", Some("GPL-3.0")),
            ("lgpl-2.1", Some("LGPL-2.1")),
            ("mit", Some("MIT")),
            ("mpl-2.0", Some("MPL-2.0")),
            ("unlicense", Some("Unlicense")),
            ("CC-BY-sa-4.0", Some("CC-BY-SA-4.0")),
            ("other", None),
            ("NOASSERTION", None),
        ] {
            assert_eq!(spdx(key), id, "{key}");
        }
    }
}
