//! How one span of time lies to another: the fifteen temporal functions of CQL2.

/// First and last microsecond.
pub(super) type Span = (i64, i64);

#[derive(Clone, Copy, Debug)]
pub(super) enum Relation {
    After,
    Before,
    Contains,
    Disjoint,
    During,
    Equals,
    FinishedBy,
    Finishes,
    Intersects,
    Meets,
    MetBy,
    OverlappedBy,
    Overlaps,
    StartedBy,
    Starts,
}

impl Relation {
    /// By the name of its function, in lower case.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name.strip_prefix("t_")? {
            "after" => Self::After,
            "before" => Self::Before,
            "contains" => Self::Contains,
            "disjoint" => Self::Disjoint,
            "during" => Self::During,
            "equals" => Self::Equals,
            "finishedby" => Self::FinishedBy,
            "finishes" => Self::Finishes,
            "intersects" => Self::Intersects,
            "meets" => Self::Meets,
            "metby" => Self::MetBy,
            "overlappedby" => Self::OverlappedBy,
            "overlaps" => Self::Overlaps,
            "startedby" => Self::StartedBy,
            "starts" => Self::Starts,
            _ => return None,
        })
    }

    /// Does it hold between the left and the right span?
    pub fn holds(self, left: Span, right: Span) -> bool {
        let ((from, to), (start, end)) = (left, right);
        match self {
            Self::After => from > end,
            Self::Before => to < start,
            Self::Contains => from < start && to > end,
            Self::Disjoint => to < start || from > end,
            Self::During => from > start && to < end,
            Self::Equals => from == start && to == end,
            Self::FinishedBy => from < start && to == end,
            Self::Finishes => from > start && to == end,
            Self::Intersects => to >= start && from <= end,
            Self::Meets => to == start,
            Self::MetBy => from == end,
            Self::OverlappedBy => from > start && from < end && to > end,
            Self::Overlaps => from < start && to > start && to < end,
            Self::StartedBy => from == start && to > end,
            Self::Starts => from == start && to < end,
        }
    }
}
