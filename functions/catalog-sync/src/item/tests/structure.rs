//! What must hold for every document, whatever went in.

use serde_json::{Map, Value};
use shared::catalog::{Facts, Scalar};

use super::Item;

pub(super) fn assert_sound(item: &Item) {
    document(&item.full);
    facts(&item.row.full);
    assert_eq!(item.minimal.is_some(), item.row.minimal.is_some());
    item.minimal.iter().for_each(document);
    item.row.minimal.iter().for_each(facts);
}

fn document(document: &Map<String, Value>) {
    let text = serde_json::to_string(document).unwrap();
    assert!(text.len() < 350 * 1024, "{} bytes", text.len());
    assert_eq!(document["stac_version"], "1.1.0");
    assert_eq!(document["type"], "Feature");
    assert_eq!(document.contains_key("bbox"), !document["geometry"].is_null());
    let schemas: Vec<&str> = super::extensions(document);
    assert!(schemas.is_sorted());
    let properties = document["properties"].as_object().unwrap();
    for name in ["title", "datetime", "start_datetime", "end_datetime", "created", "updated"] {
        assert!(properties[name].as_str().is_some_and(|text| !text.is_empty()), "{name}");
    }
    assert!(properties["start_datetime"].is_string() && properties["datetime"].as_str().unwrap().ends_with('Z'));
    assert_eq!(properties["sharinghub:id"], 11);
    assert_eq!(properties["sharinghub:path"], document["id"]);
    assert!(!properties.contains_key("sharinghub:access-level"));
    for (rel, href) in [
        (
            "self",
            format!("perigee:/api/stac/collections/{}/items/grp/sub/model-a", document["collection"].as_str().unwrap()),
        ),
        ("root", "perigee:/api/stac/".to_owned()),
        ("parent", format!("perigee:/api/stac/collections/{}", document["collection"].as_str().unwrap())),
        ("collection", format!("perigee:/api/stac/collections/{}", document["collection"].as_str().unwrap())),
    ] {
        let links = super::links(document, rel);
        assert_eq!(links.len(), 1, "{rel}");
        assert_eq!(links[0]["href"], href);
    }
    let links = document["links"].as_array().unwrap().iter().map(|link| (link, false));
    let assets = document["assets"].as_object().unwrap();
    assert!(assets.len() <= 600);
    for (place, of_asset) in links.chain(assets.values().map(|asset| (asset, true))) {
        let href = place["href"].as_str().unwrap();
        let scheme = href.split(':').next().unwrap();
        let allowed =
            ["https", "http", "perigee"].contains(&scheme) || of_asset && ["s3", "gs", "ftp"].contains(&scheme);
        assert!(allowed, "{href}");
        assert!(href.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&byte)), "{href}");
        if of_asset {
            assert!(place["roles"].as_array().unwrap().iter().all(Value::is_string));
        }
    }
}

fn facts(facts: &Facts) {
    assert!(facts.text.len() <= 2_000);
    assert!(facts.start <= facts.end);
    assert_eq!(facts.bbox.is_some(), facts.geometry.is_some());
    assert!(facts.properties.is_sorted_by(|one, other| one.0 < other.0));
    assert!(
        facts.properties.iter().any(|(name, value)| name == "id" && *value == Scalar::Text("grp/sub/model-a".into()))
    );
    assert!(postcard_like(facts) <= 8 * 1024);
}

fn postcard_like(facts: &Facts) -> usize {
    serde_json::to_vec(&facts.properties).unwrap().len()
}
