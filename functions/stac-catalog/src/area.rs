//! `Area`: the place that a query names, prepared for being compared with very many items.

use geo::{Coord, CoordsIter, Geometry, Intersects, Line, LinesIter, Polygon, Rect};

use crate::geometry::{Bounds, Shape};

/// From how many positions on it pays to prepare.
const MANY: usize = 4;

/// How many rows and columns the grid over a part has at most.
const MAX_SIDE: usize = 48;

/// Degrees by which an edge may miss a cell and still count as in it: far more than sums err, far less than matters.
const MARGIN: f64 = 1e-6;

/// How far from a line (in degrees, times the line's length) a corner is beyond doubt: far more than products err.
const BEYOND_DOUBT: f64 = 1e-6;

/// A place, and a grid over each of its parts if their edges are many.
#[derive(Clone, Debug, PartialEq)]
pub struct Area {
    shape: Shape,
    parts: Vec<Part>,
}

/// A polygon, or lines and points.
#[derive(Clone, Debug, PartialEq)]
struct Part {
    bounds: Bounds,
    /// A point is an edge that ends where it begins.
    edges: Vec<Line<f64>>,
    /// The edges, by number, that pass each row of cells, from the south.
    rows: Vec<Vec<usize>>,
    /// Row by row, each from the west, as many as there are rows.
    cells: Vec<Cell>,
    /// Is there anything within the edges?
    filled: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Outside,
    Inside,
    /// The numbers of the edges that pass it.
    Edges(Vec<usize>),
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
    /// What it takes of what a search may cost: an item near the edges is compared with those of some cells.
    pub fn cost(&self) -> usize {
        match self.shape.geometry() {
            None => 2,
            Some(geometry) if self.parts.is_empty() => 25 + geometry.coords_count(),
            // Most items are in the box of one part at most.
            Some(_) => 25 + self.parts.len() / 2 + self.parts.iter().map(Part::cost).max().unwrap_or_default(),
        }
    }

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
        // About as many cells on the way around it as it has edges.
        let side = lines.len().isqrt().saturating_mul(3).clamp(4, MAX_SIDE);
        let (rows, cells) = (vec![Vec::new(); side], vec![Cell::Outside; side * side]);
        let mut part = Self { bounds, edges: lines, rows, cells, filled };
        for number in 0..part.edges.len() {
            part.draw(number);
        }
        if filled {
            (0..side).for_each(|row| part.fill(row));
        }
        Some(part)
    }

    /// Five for each edge that a cell has in the mean of those that have any, for it is compared with items there, and
    /// one for four that a row has, which are counted to tell inside from outside; down to half of that where few
    /// cells have edges. One for four of the fullest cell, where all items may lie.
    fn cost(&self) -> usize {
        let edges = self.cells.iter().filter_map(|cell| match cell {
            Cell::Edges(edges) => Some(edges.len()),
            _ => None,
        });
        let (passed, all, fullest) =
            edges.fold((1, 0, 0), |(passed, all, fullest), edges| (passed + 1, all + edges, edges.max(fullest)));
        let in_rows: usize = self.rows.iter().map(Vec::len).sum();
        let there = 5 * all / passed + in_rows / self.rows.len() / 4;
        there * (self.cells.len() + passed) / (2 * self.cells.len()) + fullest / 4
    }

    /// Which row a latitude is in, or the nearest. Edges and items are put in rows by the same sum, so that both
    /// err alike.
    fn row(&self, latitude: f64) -> usize {
        self.step(latitude, self.bounds.south, self.bounds.north)
    }

    /// Which column a longitude is in, or the nearest.
    fn column(&self, longitude: f64) -> usize {
        self.step(longitude, self.bounds.west, self.bounds.east)
    }

    fn step(&self, at: f64, from: f64, to: f64) -> usize {
        let share = if to > from { (at - from) / (to - from) } else { 0.0 };
        // Small whole numbers, cut off.
        ((share * self.rows.len() as f64).max(0.0) as usize).min(self.rows.len() - 1)
    }

    /// Enters an edge in all rows and cells that it passes.
    fn draw(&mut self, number: usize) {
        let Line { start, end } = self.edges[number];
        let (south, north) = if start.y <= end.y { (start, end) } else { (end, start) };
        let side = self.rows.len();
        let height = (self.bounds.north - self.bounds.south) / side as f64;
        for row in self.row(south.y)..=self.row(north.y) {
            self.rows[row].push(number);
            // The longitudes between which the edge passes this row.
            let at = |latitude: f64| {
                let share = (latitude - south.y) / (north.y - south.y);
                south.x + share.clamp(0.0, 1.0) * (north.x - south.x)
            };
            let (mut first, mut last) = (south.x, north.x);
            if north.y > south.y {
                let bottom = self.bounds.south + height * row as f64;
                (first, last) = (at(bottom - MARGIN), at(bottom + height + MARGIN));
            }
            let columns = self.column(first.min(last) - MARGIN)..=self.column(first.max(last) + MARGIN);
            for cell in &mut self.cells[row * side..][columns] {
                match cell {
                    Cell::Edges(edges) => edges.push(number),
                    empty => *empty = Cell::Edges(vec![number]),
                }
            }
        }
    }

    /// Tells inside from outside for the cells of a row that no edge passes: each is what its middle is.
    fn fill(&mut self, row: usize) {
        let side = self.rows.len();
        let middle = |step: usize, from: f64, to: f64| from + (to - from) * (step as f64 + 0.5) / side as f64;
        let y = middle(row, self.bounds.south, self.bounds.north);
        for column in 0..side {
            let x = middle(column, self.bounds.west, self.bounds.east);
            if self.cells[row * side + column] == Cell::Outside && self.holds(Coord { x, y }) {
                self.cells[row * side + column] = Cell::Inside;
            }
        }
    }

    /// The cells that a box touches which overlaps this part's.
    fn touched(&self, rect: Rect<f64>) -> impl Iterator<Item = &Cell> {
        let side = self.rows.len();
        let columns = self.column(rect.min().x)..=self.column(rect.max().x);
        (self.row(rect.min().y)..=self.row(rect.max().y))
            .flat_map(move |row| &self.cells[row * side..][columns.clone()])
    }

    fn meets(&self, item: &Shape) -> bool {
        let around = item.bounds();
        if !self.bounds.overlaps(&around) {
            return false;
        }
        let passes = |edge: &usize| {
            let line = &self.edges[*edge];
            let (south, north) = (line.start.y.min(line.end.y), line.start.y.max(line.end.y));
            let (west, east) = (line.start.x.min(line.end.x), line.start.x.max(line.end.x));
            let near = around.overlaps(&Bounds { west, south, east, north });
            near && around.rects().any(|rect| !lies_beside(&rect, line)) && item.meets_line(line)
        };
        let boxed = item.geometry().is_none();
        let mut outside = true;
        for rect in around.rects() {
            if rect.max().x < self.bounds.west || self.bounds.east < rect.min().x {
                continue;
            }
            for cell in self.touched(rect) {
                match cell {
                    Cell::Outside => continue,
                    // All of the box is the item.
                    Cell::Inside if boxed => return true,
                    Cell::Inside => {}
                    Cell::Edges(edges) if edges.iter().any(passes) => return true,
                    Cell::Edges(_) => {}
                }
                outside = false;
            }
        }
        // Where no edge touches it, each part of the item lies inside or outside as a whole.
        !outside && self.filled && item.any_part(|corner| self.holds(corner))
    }

    /// Is the point inside, given that it is on no edge? It is if a line due east crosses an odd number of edges.
    fn holds(&self, point: Coord<f64>) -> bool {
        if point.y < self.bounds.south || point.y > self.bounds.north {
            return false;
        }
        let crosses = |edge: &&usize| {
            let Line { start, end } = self.edges[**edge];
            (start.y > point.y) != (end.y > point.y)
                && point.x < start.x + (point.y - start.y) / (end.y - start.y) * (end.x - start.x)
        };
        self.rows[self.row(point.y)].iter().filter(crosses).count() % 2 == 1
    }
}

/// Are all corners of the box on one side of the line, beyond doubt? Then nothing in the box meets it.
fn lies_beside(rect: &Rect<f64>, line: &Line<f64>) -> bool {
    let (along, across) = (line.dx(), line.dy());
    let side = |x: f64, y: f64| along * (y - line.start.y) - across * (x - line.start.x);
    let (low, high) = (rect.min(), rect.max());
    let sides = [side(low.x, low.y), side(low.x, high.y), side(high.x, low.y), side(high.x, high.y)];
    sides.iter().all(|side| *side > BEYOND_DOUBT) || sides.iter().all(|side| *side < -BEYOND_DOUBT)
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

    /// Is it so for one of its parts, each of which is as its first corner is?
    fn any_part(&self, mut is: impl FnMut(Coord<f64>) -> bool) -> bool {
        match self.geometry() {
            Some(geometry) => any_part(geometry, &mut is),
            None => self.bounds().rects().any(|rect| is(rect.min())),
        }
    }
}

fn any_part(geometry: &Geometry<f64>, is: &mut impl FnMut(Coord<f64>) -> bool) -> bool {
    match geometry {
        Geometry::MultiPolygon(polygons) => {
            polygons.iter().any(|polygon| polygon.coords_iter().next().is_some_and(&mut *is))
        }
        Geometry::MultiLineString(lines) => lines.iter().any(|line| line.coords_iter().next().is_some_and(&mut *is)),
        Geometry::MultiPoint(points) => points.iter().any(|point| is(point.0)),
        Geometry::GeometryCollection(several) => several.iter().any(|one| any_part(one, is)),
        one => one.coords_iter().next().is_some_and(is),
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
            (any_star(), any_points(4..40)).prop_map(|(star, points)| {
                format!("GEOMETRYCOLLECTION(POLYGON{star}, MULTIPOINT({points}), LINESTRING({points}))")
            }),
            any_points(4..60).prop_map(|points| format!("LINESTRING({points})")),
            any_points(4..60).prop_map(|points| format!("MULTIPOINT({points})")),
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
