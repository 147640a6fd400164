//! `Area`: the place that a query names, prepared for being compared with very many items.

use geo::{Coord, CoordsIter, Geometry, Intersects, Line, LinesIter, Polygon};

use crate::geometry::{Bounds, Shape};

/// From how many positions on it pays to prepare.
const MANY: usize = 16;

/// How many bands of latitude a part is cut into at most.
const MAX_BANDS: usize = 256;

/// A place, and the edges of its parts by latitude if these are many.
#[derive(Clone, Debug, PartialEq)]
pub struct Area {
    shape: Shape,
    parts: Vec<Part>,
}

/// A polygon, or lines and points.
#[derive(Clone, Debug, PartialEq)]
struct Part {
    bounds: Bounds,
    /// The edges that touch each band, from the south; a point is an edge that ends where it begins.
    bands: Vec<Vec<Line<f64>>>,
    /// Is there anything within the edges?
    filled: bool,
}

impl From<Shape> for Area {
    fn from(shape: Shape) -> Self {
        let mut parts = Vec::new();
        if let Some(geometry) = shape.geometry().filter(|geometry| geometry.coords_count() >= MANY) {
            add_parts(geometry, &mut parts);
        }
        Self { shape, parts }
    }
}

impl Area {
    /// Does the item at `item` share a point with it?
    pub fn meets(&self, item: &Shape) -> bool {
        if self.parts.is_empty() {
            return self.shape.intersects(item);
        }
        self.shape.bounds().overlaps(&item.bounds()) && self.parts.iter().any(|part| part.meets(item))
    }
}

impl Part {
    fn new(lines: Vec<Line<f64>>, filled: bool) -> Option<Self> {
        let first = lines.first()?.start;
        let mut bounds = Bounds { west: first.x, south: first.y, east: first.x, north: first.y };
        for point in lines.iter().flat_map(|line| [line.start, line.end]) {
            bounds.west = bounds.west.min(point.x);
            bounds.east = bounds.east.max(point.x);
            bounds.south = bounds.south.min(point.y);
            bounds.north = bounds.north.max(point.y);
        }
        let count = (lines.len() / 4).clamp(1, MAX_BANDS);
        let mut part = Self { bounds, bands: vec![Vec::new(); count], filled };
        for line in lines {
            let (south, north) = (line.start.y.min(line.end.y), line.start.y.max(line.end.y));
            for band in part.band(south)..=part.band(north) {
                part.bands[band].push(line);
            }
        }
        Some(part)
    }

    /// Which band a latitude is in, or the nearest. Edges and items are put in bands by the same sum, so that both
    /// err alike.
    fn band(&self, latitude: f64) -> usize {
        let height = self.bounds.north - self.bounds.south;
        let share = if height > 0.0 { (latitude - self.bounds.south) / height } else { 0.0 };
        let last = self.bands.len() - 1;
        // Whole numbers below 256, cut off.
        ((share * self.bands.len() as f64).max(0.0) as usize).min(last)
    }

    fn meets(&self, item: &Shape) -> bool {
        let around = item.bounds();
        if !self.bounds.overlaps(&around) {
            return false;
        }
        let near = |line: &&Line<f64>| {
            let (south, north) = (line.start.y.min(line.end.y), line.start.y.max(line.end.y));
            let (west, east) = (line.start.x.min(line.end.x), line.start.x.max(line.end.x));
            around.overlaps(&Bounds { west, south, east, north })
        };
        let touched = (self.band(around.south)..=self.band(around.north))
            .any(|band| self.bands[band].iter().filter(near).any(|line| item.meets_line(line)));
        // Where no edge touches it, each part of the item lies inside or outside as a whole.
        touched || self.filled && item.any_corner(|corner| self.holds(corner))
    }

    /// Is the point inside, given that it is on no edge? It is if a line due east crosses an odd number of edges.
    fn holds(&self, point: Coord<f64>) -> bool {
        if point.y < self.bounds.south || point.y > self.bounds.north {
            return false;
        }
        let crosses = |line: &&Line<f64>| {
            let (start, end) = (line.start, line.end);
            let share = (point.y - start.y) / (end.y - start.y);
            (start.y > point.y) != (end.y > point.y) && point.x < start.x + share * (end.x - start.x)
        };
        self.bands[self.band(point.y)].iter().filter(crosses).count() % 2 == 1
    }
}

fn add_parts(geometry: &Geometry<f64>, parts: &mut Vec<Part>) {
    let polygon = |polygon: &Polygon<f64>| Part::new(polygon.lines_iter().collect(), true);
    match geometry {
        Geometry::Polygon(one) => parts.extend(polygon(one)),
        Geometry::MultiPolygon(many) => parts.extend(many.iter().filter_map(polygon)),
        Geometry::LineString(line) => parts.extend(Part::new(line.lines().collect(), false)),
        Geometry::MultiLineString(lines) => parts.extend(Part::new(lines.lines_iter().collect(), false)),
        Geometry::GeometryCollection(several) => several.iter().for_each(|one| add_parts(one, parts)),
        points => parts.extend(Part::new(points.coords_iter().map(|point| Line::new(point, point)).collect(), false)),
    }
}

impl Shape {
    fn meets_line(&self, line: &Line<f64>) -> bool {
        match self.geometry() {
            Some(geometry) => geometry.intersects(line),
            None => self.bounds().rects().any(|rect| rect.intersects(line)),
        }
    }

    fn any_corner(&self, mut is: impl FnMut(Coord<f64>) -> bool) -> bool {
        match self.geometry() {
            Some(geometry) => geometry.coords_iter().any(is),
            None => self.bounds().rects().any(|rect| is(rect.min())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A star around a middle whose corners are this far, with or without a hole; all agree on what is inside it.
    fn star(x: f64, y: f64, far: &[f64], hole: bool) -> String {
        let ring = |scale: f64| {
            let corner = |at: usize| {
                let angle = std::f64::consts::TAU * at as f64 / far.len() as f64;
                let reach = scale * far[at % far.len()];
                format!("{} {}", x + reach * angle.cos(), y + reach * angle.sin())
            };
            let corners: Vec<String> = (0..far.len()).chain([0]).map(corner).collect();
            format!("({})", corners.join(", "))
        };
        if hole { format!("({}, {})", ring(1.0), ring(0.5)) } else { format!("({})", ring(1.0)) }
    }

    fn any_star() -> impl Strategy<Value = String> {
        let far = prop::collection::vec(1.0..20.0_f64, 5..60);
        (-60.0..60.0_f64, -60.0..60.0_f64, far, any::<bool>()).prop_map(|(x, y, far, hole)| star(x, y, &far, hole))
    }

    fn any_points(count: std::ops::Range<usize>) -> impl Strategy<Value = String> {
        let point = (-80.0..80.0_f64, -80.0..80.0_f64).prop_map(|(x, y)| format!("{x} {y}"));
        prop::collection::vec(point, count).prop_map(|points| points.join(", "))
    }

    fn any_area() -> impl Strategy<Value = String> {
        prop_oneof![
            any_star().prop_map(|star| format!("POLYGON{star}")),
            (any_star(), any_points(16..40)).prop_map(|(star, points)| {
                format!("GEOMETRYCOLLECTION(POLYGON{star}, MULTIPOINT({points}), LINESTRING({points}))")
            }),
            any_points(16..60).prop_map(|points| format!("LINESTRING({points})")),
            any_points(16..60).prop_map(|points| format!("MULTIPOINT({points})")),
        ]
    }

    fn any_item() -> impl Strategy<Value = Shape> {
        let boxed = (-170.0..170.0_f64, -80.0..80.0_f64, -170.0..170.0_f64, 0.0..9.0_f64)
            .prop_map(|(west, south, east, high)| Bounds::parse(&[west, south, east, south + high]).unwrap().into());
        let small =
            (-80.0..80.0_f64, -80.0..80.0_f64, 0.0..9.0_f64, 0.0..9.0_f64).prop_map(|(west, south, wide, high)| {
                Bounds::parse(&[west, south, west + wide, south + high]).unwrap().into()
            });
        let drawn = |text: String| Shape::parse_wkt(&text).unwrap();
        prop_oneof![
            boxed,
            small,
            any_star().prop_map(move |star| drawn(format!("POLYGON{star}"))),
            (any_star(), any_star()).prop_map(move |(one, other)| drawn(format!("MULTIPOLYGON({one}, {other})"))),
            any_points(2..5).prop_map(move |points| drawn(format!("LINESTRING({points})"))),
            any_points(1..5).prop_map(move |points| drawn(format!("MULTIPOINT({points})"))),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn what_is_prepared_meets_the_same_items(text in any_area(), item in any_item()) {
            let shape = Shape::parse_wkt(&text).unwrap();
            prop_assert_eq!(Area::from(shape.clone()).meets(&item), shape.intersects(&item), "{}", text);
        }
    }

    #[test]
    fn edges_and_corners_count_as_met() {
        let ring: Vec<String> =
            (0..=10).map(|x| format!("{x} 0")).chain((0..=10).rev().map(|x| format!("{x} 10"))).collect();
        let square = Area::from(Shape::parse_wkt(&format!("POLYGON(({}, 0 0))", ring.join(", "))).unwrap());
        assert!(!square.parts.is_empty());
        for (item, meets) in [
            ("POINT(5 5)", true),
            ("POINT(5 10)", true),
            ("POINT(0 0)", true),
            ("POINT(10 7)", true),
            ("POINT(11 7)", false),
            ("POINT(5 10.001)", false),
            ("LINESTRING(10 10, 20 20)", true),
            ("POLYGON((-5 -5, 20 -5, 20 20, -5 20, -5 -5))", true),
            ("POLYGON((-5 -5, 40 -5, 40 40, -5 -5))", true),
            ("POLYGON((10 3, 20 3, 20 4, 10 4, 10 3))", true),
        ] {
            assert_eq!(square.meets(&Shape::parse_wkt(item).unwrap()), meets, "{item}");
        }
    }
}
