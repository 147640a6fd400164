//! Where a project's data lies: `extent.spatial` of the front matter (docs/catalog.md, "Front matter").

use geo_types::Geometry;
use serde_json::{Value, json};
use wkt::Wkt;

use super::warnings::Warnings;

/// A larger geometry gives way to its bounding box, bytes of GeoJSON.
const LARGEST: usize = 8 * 1024;
/// Longer WKT is not read.
const LONGEST: usize = 256 * 1024;

/// A place on Earth.
#[derive(Debug, PartialEq)]
pub(super) struct Extent {
    /// GeoJSON.
    pub geometry: Value,
    /// West, south, east, north. West is greater than east across the 180th meridian.
    pub bbox: [f64; 4],
}

impl Extent {
    /// A box that holds the place and does not cross the 180th meridian.
    pub fn cover(&self) -> [f64; 4] {
        let [west, south, east, north] = self.bbox;
        if west > east { [-180.0, south, 180.0, north] } else { self.bbox }
    }
}

/// Four numbers, WKT, or `bbox: [[four numbers]]` as in STAC collections.
pub(super) fn extent(spatial: Option<&Value>, warnings: &mut Warnings) -> Option<Extent> {
    let spatial = spatial.filter(|value| !value.is_null())?;
    let extent = match spatial {
        Value::String(text) => well_known_text(text),
        Value::Object(fields) => match fields.get("bbox") {
            Some(Value::Array(boxes)) if boxes.first().is_some_and(Value::is_array) => rectangle(&boxes[0]),
            Some(numbers) => rectangle(numbers),
            None => None,
        },
        other => rectangle(other),
    };
    if extent.is_none() {
        warnings.say(
            "`extent.spatial` is ignored: it is neither [west, south, east, north] in degrees nor WKT of a point, line or polygon",
        );
    }
    extent
}

fn rectangle(numbers: &Value) -> Option<Extent> {
    let numbers: Vec<f64> = numbers.as_array()?.iter().map(Value::as_f64).collect::<Option<_>>()?;
    let [west, south, east, north] = match numbers[..] {
        [west, south, east, north] | [west, south, _, east, north, _] => [west, south, east, north],
        _ => return None,
    };
    if !is_position(west, south) || !is_position(east, north) {
        return None;
    }
    let (south, north) = (south.min(north), south.max(north));
    Some(Extent { geometry: polygon(west, south, east, north), bbox: [west, south, east, north] })
}

/// The box as a polygon; two of them where it crosses the 180th meridian, as RFC 7946 asks.
fn polygon(west: f64, south: f64, east: f64, north: f64) -> Value {
    let ring =
        |west: f64, east: f64| json!([[[east, south], [east, north], [west, north], [west, south], [east, south]]]);
    if west > east {
        json!({"type": "MultiPolygon", "coordinates": [ring(west, 180.0), ring(-180.0, east)]})
    } else if west == east && south == north {
        json!({"type": "Point", "coordinates": [west, south]})
    } else {
        json!({"type": "Polygon", "coordinates": ring(west, east)})
    }
}

fn well_known_text(text: &str) -> Option<Extent> {
    // Collections are no geometry of STAC, and may be nested without end.
    if text.len() > LONGEST || text.to_ascii_uppercase().contains("GEOMETRYCOLLECTION") {
        return None;
    }
    let geometry: Geometry<f64> = text.parse::<Wkt<f64>>().ok()?.try_into().ok()?;
    let geometry = geojson::Geometry::from(&geometry);
    let geometry = serde_json::to_value(&geometry).ok()?;
    let mut found = Vec::new();
    let coordinates = geometry.get("coordinates")?;
    let sound = match geometry.get("type")?.as_str()? {
        "Point" => position(coordinates, &mut found),
        "MultiPoint" => positions(coordinates, 1, &mut found),
        "LineString" => positions(coordinates, 2, &mut found),
        "MultiLineString" => all(coordinates, |line| positions(line, 2, &mut found)),
        "Polygon" => all(coordinates, |ring| positions(ring, 4, &mut found)),
        "MultiPolygon" => all(coordinates, |rings| all(rings, |ring| positions(ring, 4, &mut found))),
        _ => false,
    };
    let first = found.first().filter(|_| sound)?;
    let bbox = found.iter().fold([first.0, first.1, first.0, first.1], |[west, south, east, north], (x, y)| {
        [west.min(*x), south.min(*y), east.max(*x), north.max(*y)]
    });
    let geometry =
        if geometry.to_string().len() > LARGEST { polygon(bbox[0], bbox[1], bbox[2], bbox[3]) } else { geometry };
    Some(Extent { geometry, bbox })
}

fn all(list: &Value, mut test: impl FnMut(&Value) -> bool) -> bool {
    list.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(&mut test))
}

fn positions(list: &Value, least: usize, found: &mut Vec<(f64, f64)>) -> bool {
    list.as_array().is_some_and(|list| list.len() >= least && list.iter().all(|pair| position(pair, found)))
}

fn position(pair: &Value, found: &mut Vec<(f64, f64)>) -> bool {
    let Some([x, y]) = pair.as_array().map(Vec::as_slice) else { return false };
    let (Some(x), Some(y)) = (x.as_f64(), y.as_f64()) else { return false };
    found.push((x, y));
    is_position(x, y)
}

fn is_position(longitude: f64, latitude: f64) -> bool {
    longitude.abs() <= 180.0 && latitude.abs() <= 90.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(spatial: Value) -> Option<Extent> {
        extent(Some(&spatial), &mut Warnings::default())
    }

    #[test]
    fn boxes_and_wkt_are_geometries() {
        let ring = json!([[[3.0, 2.0], [3.0, 4.0], [1.0, 4.0], [1.0, 2.0], [3.0, 2.0]]]);
        let rectangle = json!({"type": "Polygon", "coordinates": ring});
        for (spatial, geometry, bbox) in [
            (json!([1, 2, 3, 4]), rectangle.clone(), [1.0, 2.0, 3.0, 4.0]),
            (json!([1, 4, 3, 2]), rectangle.clone(), [1.0, 2.0, 3.0, 4.0]),
            (json!([1, 2, 0, 3, 4, 9]), rectangle.clone(), [1.0, 2.0, 3.0, 4.0]),
            (json!({"bbox": [[1, 2, 3, 4]]}), rectangle.clone(), [1.0, 2.0, 3.0, 4.0]),
            (json!({"bbox": [1, 2, 3, 4]}), rectangle, [1.0, 2.0, 3.0, 4.0]),
            (json!("POINT (1.5 2)"), json!({"type": "Point", "coordinates": [1.5, 2.0]}), [1.5, 2.0, 1.5, 2.0]),
            (json!("POINT Z (1.5 2 9)"), json!({"type": "Point", "coordinates": [1.5, 2.0]}), [1.5, 2.0, 1.5, 2.0]),
            (
                json!("LINESTRING (0 1, -2 3)"),
                json!({"type": "LineString", "coordinates": [[0.0, 1.0], [-2.0, 3.0]]}),
                [-2.0, 1.0, 0.0, 3.0],
            ),
            (
                json!("MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))"),
                json!({"type": "MultiPolygon", "coordinates": [[[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]]]}),
                [0.0, 0.0, 1.0, 1.0],
            ),
        ] {
            let extent = read(spatial.clone()).unwrap();
            assert_eq!((&extent.geometry, extent.bbox), (&geometry, bbox), "{spatial}");
        }
    }

    #[test]
    fn boxes_across_the_180th_meridian_are_two() {
        let extent = read(json!([170, -20, -170, -10])).unwrap();
        assert_eq!(extent.bbox, [170.0, -20.0, -170.0, -10.0]);
        assert_eq!(extent.cover(), [-180.0, -20.0, 180.0, -10.0]);
        assert_eq!(extent.geometry["coordinates"].as_array().unwrap().len(), 2);
        assert_eq!(extent.geometry["coordinates"][1][0][2], json!([-180.0, -10.0]));
    }

    #[test]
    fn what_is_no_place_is_none() {
        let deep = "GEOMETRYCOLLECTION (".repeat(5_000);
        let many =
            format!("LINESTRING ({})", (0..2_000).map(|n| format!("{} 0", n % 90)).collect::<Vec<_>>().join(", "));
        for spatial in [
            json!([1, 2, 3]),
            json!([1, 2, 3, "4"]),
            json!([1, 2, 181, 4]),
            json!([1, -91, 2, 4]),
            json!({}),
            json!(5),
            json!("POLYGON EMPTY"),
            json!("POINT EMPTY"),
            json!("POLYGON ((1 1))"),
            json!("LINESTRING (1 1)"),
            json!("POINT (nan 1)"),
            json!("POINT (1e999 1)"),
            json!("POINT (200 1)"),
            json!("POINT (1"),
            json!("nowhere"),
            json!(deep),
            json!("(".repeat(100_000)),
        ] {
            let mut warnings = Warnings::default();
            assert_eq!(
                extent(Some(&spatial), &mut warnings),
                None,
                "{}",
                super::super::text::cut(&spatial.to_string(), 60)
            );
            assert_eq!(warnings.list().len(), 1);
        }
        assert_eq!(read(Value::Null), None);
        let large = read(json!(many)).unwrap();
        assert_eq!(large.geometry["type"], "Polygon");
    }
}
