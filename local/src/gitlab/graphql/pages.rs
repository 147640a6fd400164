//! Lists of projects in pages that hold when projects come and go.

use async_graphql::{Error, Result, SimpleObject};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::schema::{Project, Viewer};
use crate::gitlab::state::{Project as ProjectState, State};

/// Nodes of one page; more are never given, and fewer only when asked for.
pub const MAX_PAGE: usize = 100;

/// Which part of an ordered list was asked for.
pub struct Window {
    first: Option<i32>,
    last: Option<i32>,
    after: Option<Position>,
    before: Option<Position>,
}

impl Window {
    pub fn parse(first: Option<i32>, last: Option<i32>, after: Option<String>, before: Option<String>) -> Result<Self> {
        let position = |cursor: Option<String>| cursor.map(|cursor| Position::parse(&cursor)).transpose();
        Ok(Window { first, last, after: position(after)?, before: position(before)? })
    }

    pub fn page(self, viewer: &Viewer, state: &State, found: Vec<&ProjectState>, order: &Order) -> ProjectConnection {
        let Window { first, last, after, before } = self;
        let limit = |asked: i32| usize::try_from(asked).map_or(0, |asked| asked.min(MAX_PAGE));
        let mut nodes: Vec<(Position, &ProjectState)> = found.into_iter().map(|p| (order.position(p), p)).collect();
        nodes.sort_by(|(a, _), (b, _)| order.compare(a, b));

        let count = i32::try_from(nodes.len()).unwrap_or(i32::MAX);
        let all = nodes.len();
        nodes.retain(|(at, _)| after.as_ref().is_none_or(|after| order.compare(at, after).is_gt()));
        let mut has_previous_page = nodes.len() < all;
        let behind = nodes.len();
        nodes.retain(|(at, _)| before.as_ref().is_none_or(|before| order.compare(at, before).is_lt()));
        let mut has_next_page = nodes.len() < behind;
        if let Some(last) = last {
            has_previous_page |= nodes.len() > limit(last);
            nodes.drain(..nodes.len().saturating_sub(limit(last)));
        } else {
            let first = first.map_or(MAX_PAGE, limit);
            has_next_page |= nodes.len() > first;
            nodes.truncate(first);
        }

        let edges: Vec<ProjectEdge> = nodes
            .iter()
            .filter_map(|(at, p)| Some(ProjectEdge { cursor: at.cursor(), node: viewer.project(state, p)? }))
            .collect();
        let page_info = PageInfo {
            has_next_page,
            has_previous_page,
            start_cursor: edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: edges.last().map(|edge| edge.cursor.clone()),
        };
        let nodes = edges.iter().map(|edge| edge.node.clone()).collect();
        ProjectConnection { nodes, edges, page_info, count }
    }
}

/// `<field>_<asc|desc>`
pub struct Order {
    pub by: Field,
    pub ascending: bool,
}

pub enum Field {
    Id,
    Name,
    Path,
    Created,
}

impl Order {
    pub fn parse(sort: &str) -> Result<Self> {
        let (field, direction) = sort.rsplit_once('_').unwrap_or((sort, "asc"));
        let by = match field.to_lowercase().as_str() {
            "id" => Field::Id,
            "name" => Field::Name,
            "path" => Field::Path,
            "created" | "created_at" | "updated" | "updated_at" | "latest_activity" => Field::Created,
            _ => return Err(Error::new(format!("unknown sort order {sort:?}"))),
        };
        Ok(Order { by, ascending: direction.eq_ignore_ascii_case("asc") })
    }

    fn position(&self, project: &ProjectState) -> Position {
        let key = match self.by {
            Field::Id => String::new(),
            Field::Name => project.name.to_lowercase(),
            Field::Path => project.path.to_lowercase(),
            Field::Created => project.created_at.clone(),
        };
        Position { key, id: project.id }
    }

    fn compare(&self, a: &Position, b: &Position) -> std::cmp::Ordering {
        if self.ascending { a.cmp(b) } else { b.cmp(a) }
    }
}

/// A place in an order; its text form is a cursor, which stays good when projects come and go.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    key: String,
    id: u64,
}

impl Position {
    fn cursor(&self) -> String {
        STANDARD.encode(json!({ "key": self.key, "id": self.id }).to_string())
    }

    fn parse(cursor: &str) -> Result<Self> {
        let parse = || {
            let value: Value = serde_json::from_slice(&STANDARD.decode(cursor).ok()?).ok()?;
            Some(Position { key: value["key"].as_str()?.to_owned(), id: value["id"].as_u64()? })
        };
        parse().ok_or_else(|| Error::new("Please provide a valid cursor"))
    }
}

#[derive(SimpleObject)]
pub struct ProjectConnection {
    nodes: Vec<Project>,
    edges: Vec<ProjectEdge>,
    page_info: PageInfo,
    count: i32,
}

#[derive(SimpleObject)]
pub struct ProjectEdge {
    cursor: String,
    node: Project,
}

#[derive(SimpleObject)]
pub struct PageInfo {
    pub has_next_page: bool,
    pub has_previous_page: bool,
    pub start_cursor: Option<String>,
    pub end_cursor: Option<String>,
}
