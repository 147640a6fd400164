//! Places: bounding boxes and geometries of items and queries, in degrees (CRS84).

use geo::{BoundingRect, CoordsIter, Geometry, Intersects, Rect, coord};
use geojson::GeometryValue;
use serde_json::Value as Json;
use wkt::TryFromWkt;

/// How many positions a query's geometry may have; what it costs grows with them.
pub const MAX_POSITIONS: usize = 1_000;

/// How deep a query's geometry may nest; a polygon within a collection takes 6.
const MAX_DEPTH: usize = 12;

/// A box. It crosses the antimeridian if `west > east`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    pub west: f64,
    pub south: f64,
    pub east: f64,
    pub north: f64,
}

/// A box, or a geometry within a box.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    bounds: Bounds,
    /// `None` if the box is all there is to it.
    geometry: Option<Box<Geometry<f64>>>,
}

impl Bounds {
    /// A box of 4 numbers (west, south, east, north), or of 6, whose heights do not matter here.
    ///
    /// # Errors
    /// Says in words what is wrong with it.
    pub fn parse(numbers: &[f64]) -> Result<Self, String> {
        let (west, south, east, north) = match *numbers {
            [west, south, east, north] => (west, south, east, north),
            [west, south, low, east, north, high] if low <= high => (west, south, east, north),
            [_, _, _, _, _, _] => return Err("the lower height comes before the upper one".into()),
            _ => return Err(format!("4 or 6 numbers are needed, not {}", numbers.len())),
        };
        if [west, east].iter().any(|value| !(-180.0..=180.0).contains(value)) {
            return Err("longitudes lie between -180 and 180".into());
        }
        if [south, north].iter().any(|value| !(-90.0..=90.0).contains(value)) {
            return Err("latitudes lie between -90 and 90".into());
        }
        if south > north {
            return Err("the southern latitude comes before the northern one".into());
        }
        Ok(Self { west, south, east, north })
    }

    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let meets = |(west, east): (f64, f64)| other.longitudes().any(|(from, to)| west <= to && from <= east);
        self.south <= other.north && other.south <= self.north && self.longitudes().any(meets)
    }

    /// One range of longitudes, or two on either side of the antimeridian.
    fn longitudes(&self) -> impl Iterator<Item = (f64, f64)> {
        let (first, second) = if self.west <= self.east {
            ((self.west, self.east), None)
        } else {
            ((self.west, 180.0), Some((-180.0, self.east)))
        };
        std::iter::once(first).chain(second)
    }

    pub(crate) fn rects(&self) -> impl Iterator<Item = Rect<f64>> {
        self.longitudes()
            .map(|(west, east)| Rect::new(coord! { x: west, y: self.south }, coord! { x: east, y: self.north }))
    }
}

impl From<Bounds> for Shape {
    fn from(bounds: Bounds) -> Self {
        Self { bounds, geometry: None }
    }
}

impl Shape {
    /// The place of an item: its geometry as GeoJSON text, else its box; `None` if neither can be read.
    pub fn of_item(geometry: Option<&str>, bbox: Option<[f64; 4]>) -> Option<Self> {
        let drawn = geometry.and_then(|text| {
            let value: geojson::Geometry = serde_json::from_str(text).ok()?;
            check(&value).ok()?;
            Self::drawn((&value).try_into().ok()?).ok()
        });
        drawn.or_else(|| Some(Bounds::parse(&bbox?).ok()?.into()))
    }

    /// A query's geometry.
    ///
    /// # Errors
    /// Says in words why it is none, or too much of one.
    pub fn parse_geojson(json: &Json) -> Result<Self, String> {
        if depth_exceeds(json, MAX_DEPTH) {
            return Err("a geometry does not nest as deep as this one".into());
        }
        let kind = json.get("type").and_then(Json::as_str).unwrap_or_default();
        let value: geojson::Geometry = serde_json::from_value(json.clone())
            .map_err(|_| format!("a GeoJSON geometry is needed; this `{kind}` is none, or malformed"))?;
        check(&value)?;
        let geometry: Geometry<f64> = (&value).try_into().map_err(|_| "a GeoJSON geometry is needed".to_owned())?;
        check_positions(&geometry)?;
        Self::drawn(geometry)
    }

    /// A query's geometry as well-known text. The caller bounds its length.
    ///
    /// # Errors
    /// Says in words why it is none, or too much of one.
    pub fn parse_wkt(text: &str) -> Result<Self, String> {
        let mut open = 0_usize;
        for byte in text.bytes() {
            match byte {
                b'(' => open += 1,
                b')' => open = open.saturating_sub(1),
                _ => {}
            }
            // The parser calls itself for each.
            if open > MAX_DEPTH {
                return Err("a geometry does not nest as deep as this one".into());
            }
        }
        let geometry = Geometry::try_from_wkt_str(text).map_err(|why| format!("`{text}` is no geometry: {why}"))?;
        check_positions(&geometry)?;
        Self::drawn(geometry)
    }

    /// The geometry, unless the box is all there is to it.
    pub(crate) fn geometry(&self) -> Option<&Geometry<f64>> {
        self.geometry.as_deref()
    }

    /// The box around it.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Do both share a point?
    pub fn intersects(&self, other: &Self) -> bool {
        if !self.bounds.overlaps(&other.bounds) {
            return false;
        }
        match (&self.geometry, &other.geometry) {
            (None, None) => true,
            (Some(geometry), None) => meets_box(geometry, &self.bounds, &other.bounds),
            (None, Some(geometry)) => meets_box(geometry, &other.bounds, &self.bounds),
            (Some(geometry), Some(other)) => geometry.intersects(other.as_ref()),
        }
    }

    fn drawn(geometry: Geometry<f64>) -> Result<Self, String> {
        let rect = geometry.bounding_rect().ok_or("the geometry is empty")?;
        let (min, max) = (rect.min(), rect.max());
        let bounds = Bounds { west: min.x, south: min.y, east: max.x, north: max.y };
        let is_box = match &geometry {
            Geometry::Point(_) | Geometry::Rect(_) => true,
            Geometry::Polygon(polygon) => polygon.interiors().is_empty() && is_box(polygon.exterior(), rect),
            _ => false,
        };
        Ok(Self { bounds, geometry: (!is_box).then(|| Box::new(geometry)) })
    }
}

/// Does the geometry, which lies within `around`, share a point with `bounds`?
fn meets_box(geometry: &Geometry<f64>, around: &Bounds, bounds: &Bounds) -> bool {
    let within = bounds.west <= around.west
        && around.west <= around.east
        && around.east <= bounds.east
        && bounds.south <= around.south
        && around.north <= bounds.north;
    within || bounds.rects().any(|rect| geometry.intersects(&rect))
}

/// Does the ring run along the sides of `rect`, once around?
fn is_box(ring: &geo::LineString<f64>, rect: Rect<f64>) -> bool {
    let (min, max) = (rect.min(), rect.max());
    let [first, .., last] = ring.0.as_slice() else { return false };
    let corners =
        |point: &geo::Coord<f64>| (point.x == min.x || point.x == max.x) && (point.y == min.y || point.y == max.y);
    let sides = |pair: &[geo::Coord<f64>]| (pair[0].x == pair[1].x) != (pair[0].y == pair[1].y);
    ring.0.len() == 5 && first == last && ring.0.iter().all(corners) && ring.0.windows(2).all(sides) && {
        let diagonal = ring.0[0];
        ring.0[2].x != diagonal.x && ring.0[2].y != diagonal.y
    }
}

/// What the conversion would mend or trip over: short positions, lines and rings, open rings.
fn check(geometry: &geojson::Geometry) -> Result<(), String> {
    let position = |point: &geojson::Position| -> Result<(), String> {
        let length = point.as_slice().len();
        if length < 2 { Err("a position has at least 2 numbers".into()) } else { Ok(()) }
    };
    let line = |line: &[geojson::Position], least: usize| -> Result<(), String> {
        if line.len() < least {
            return Err(format!("a line has at least 2 positions and a ring 4, not {}", line.len()));
        }
        if least == 4 && line.first() != line.last() {
            return Err("a ring ends where it begins".into());
        }
        line.iter().try_for_each(position)
    };
    match &geometry.value {
        GeometryValue::Point { coordinates } => position(coordinates),
        GeometryValue::MultiPoint { coordinates } => coordinates.iter().try_for_each(position),
        GeometryValue::LineString { coordinates } => line(coordinates, 2),
        GeometryValue::MultiLineString { coordinates } => coordinates.iter().try_for_each(|part| line(part, 2)),
        GeometryValue::Polygon { coordinates } => coordinates.iter().try_for_each(|ring| line(ring, 4)),
        GeometryValue::MultiPolygon { coordinates } => coordinates.iter().flatten().try_for_each(|ring| line(ring, 4)),
        GeometryValue::GeometryCollection { geometries } => geometries.iter().try_for_each(check),
    }
}

fn check_positions(geometry: &Geometry<f64>) -> Result<(), String> {
    if geometry.coords_count() > MAX_POSITIONS {
        return Err(format!("a geometry may have at most {MAX_POSITIONS} positions"));
    }
    let on_earth = |point: geo::Coord<f64>| (-180.0..=180.0).contains(&point.x) && (-90.0..=90.0).contains(&point.y);
    if geometry.coords_iter().all(on_earth) {
        Ok(())
    } else {
        Err("longitudes lie between -180 and 180, latitudes between -90 and 90".into())
    }
}

/// Does `json` nest deeper than `depth` levels? Looks no deeper than that.
pub(crate) fn depth_exceeds(json: &Json, depth: usize) -> bool {
    match json {
        Json::Array(values) => depth == 0 || values.iter().any(|value| depth_exceeds(value, depth - 1)),
        Json::Object(members) => depth == 0 || members.values().any(|value| depth_exceeds(value, depth - 1)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(numbers: [f64; 4]) -> Shape {
        Bounds::parse(&numbers).unwrap().into()
    }

    fn shape(wkt: &str) -> Shape {
        Shape::parse_wkt(wkt).unwrap()
    }

    #[test]
    fn boxes_may_cross_the_antimeridian() {
        let fiji = boxed([177.0, -20.0, -178.0, -12.0]);
        for (other, meets) in [
            ([178.0, -18.0, 179.0, -17.0], true),
            ([-179.0, -18.0, -178.5, -17.0], true),
            ([-170.0, -18.0, 170.0, -17.0], false),
            ([170.0, -18.0, -170.0, -17.0], true),
            ([-180.0, -90.0, 180.0, 90.0], true),
            ([178.0, 0.0, 179.0, 1.0], false),
        ] {
            assert_eq!(fiji.intersects(&boxed(other)), meets, "{other:?}");
            assert_eq!(boxed(other).intersects(&fiji), meets, "{other:?}");
        }
        assert!(fiji.intersects(&shape("POINT(179 -15)")));
        assert!(fiji.intersects(&shape("LINESTRING(-179.5 -30, -179.5 0)")));
        assert!(!fiji.intersects(&shape("LINESTRING(0 -30, 1 0)")));
    }

    #[test]
    fn geometries_meet_where_their_boxes_may_not_tell() {
        let triangle = shape("POLYGON((0 0, 10 0, 0 10, 0 0))");
        assert!(triangle.geometry.is_some());
        assert!(triangle.intersects(&shape("POINT(1 1)")));
        assert!(!triangle.intersects(&shape("POINT(9 9)")));
        assert!(!triangle.intersects(&boxed([8.0, 8.0, 9.0, 9.0])));
        assert!(triangle.intersects(&boxed([5.0, 5.0, 9.0, 9.0])));
        let ring = shape("POLYGON((0 0, 9 0, 9 9, 0 9, 0 0), (1 1, 8 1, 8 8, 1 8, 1 1))");
        assert!(!ring.intersects(&shape("POINT(4 4)")) && ring.intersects(&shape("LINESTRING(4 4, 20 4)")));
    }

    #[test]
    fn rectangles_need_no_geometry() {
        for (wkt, plain) in [
            ("POLYGON((0 0, 1 0, 1 1, 0 1, 0 0))", true),
            ("POLYGON((0 1, 0 0, 1 0, 1 1, 0 1))", true),
            ("POINT(3 4)", true),
            ("POLYGON((0 0, 1 0, 0 0, 0 1, 0 0))", false),
            ("POLYGON((0 0, 2 0, 2 1, 1 2, 0 0))", false),
            ("POLYGON((0 0, 1 1, 1 0, 0 1, 0 0))", false),
        ] {
            assert_eq!(shape(wkt).geometry.is_none(), plain, "{wkt}");
        }
    }

    #[test]
    fn a_bad_geometry_is_refused_in_words() {
        let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
        let many: Vec<[f64; 2]> = (0..1_001).map(|at| [f64::from(at) / 10.0, 0.0]).collect();
        for (json, why) in [
            (r#"{"type":"Point"}"#.to_owned(), "GeoJSON"),
            (r#"{"type":"Feature","geometry":null,"properties":{}}"#.to_owned(), "`Feature` is none"),
            (r#"{"type":"Point","coordinates":[1]}"#.to_owned(), "malformed"),
            (r#"{"type":"Point","coordinates":["1","2"]}"#.to_owned(), "malformed"),
            (r#"{"type":"Point","coordinates":[181,2]}"#.to_owned(), "longitudes"),
            (r#"{"type":"LineString","coordinates":[[1,2]]}"#.to_owned(), "at least 2 positions"),
            (r#"{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}"#.to_owned(), "ends where"),
            (r#"{"type":"Polygon","coordinates":[]}"#.to_owned(), "empty"),
            (r#"{"type":"GeometryCollection","geometries":[]}"#.to_owned(), "empty"),
            (format!(r#"{{"type":"Point","coordinates":{deep}}}"#), "nest"),
            (serde_json::json!({"type": "MultiPoint", "coordinates": many}).to_string(), "1000 positions"),
            ("7".to_owned(), "GeoJSON"),
        ] {
            let error = Shape::parse_geojson(&serde_json::from_str(&json).unwrap()).unwrap_err();
            assert!(error.contains(why), "{json}: {error}");
        }
    }

    #[test]
    fn an_item_is_where_its_geometry_is_else_where_its_box_is() {
        let bbox = Some([1.0, 2.0, 3.0, 4.0]);
        assert_eq!(Shape::of_item(None, None), None);
        assert_eq!(Shape::of_item(None, bbox), Some(boxed([1.0, 2.0, 3.0, 4.0])));
        assert_eq!(Shape::of_item(Some("null"), bbox), Some(boxed([1.0, 2.0, 3.0, 4.0])));
        assert_eq!(
            Shape::of_item(Some(r#"{"type":"Point","coordinates":[7,8]}"#), bbox),
            Some(boxed([7.0, 8.0, 7.0, 8.0]))
        );
    }

    #[test]
    fn bad_boxes_are_refused_in_words() {
        for (numbers, why) in [
            (vec![], "4 or 6"),
            (vec![1.0; 5], "4 or 6"),
            (vec![0.0, 10.0, 1.0, 0.0], "southern"),
            (vec![-181.0, 0.0, 1.0, 1.0], "longitudes"),
            (vec![0.0, -91.0, 1.0, 1.0], "latitudes"),
            (vec![f64::NAN, 0.0, 1.0, 1.0], "longitudes"),
            (vec![0.0, 0.0, 9.0, 1.0, 1.0, 8.0], "height"),
        ] {
            assert!(Bounds::parse(&numbers).unwrap_err().contains(why), "{numbers:?}");
        }
        let flat = Bounds::parse(&[0.0, 0.0, -5.0, 1.0, 1.0, 8.0]).unwrap();
        assert_eq!(flat, Bounds::parse(&[0.0, 0.0, 1.0, 1.0]).unwrap());
    }
}
