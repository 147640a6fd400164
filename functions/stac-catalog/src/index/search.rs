//! One search: a scan of all rows, in which what the caller may see comes first, and one page of what it found.

use std::cmp::Ordering;
use std::collections::HashSet;

use memchr::memmem::Finder;
use shared::catalog::{Sight, Visible};
use shared::model::ProjectId;

use super::block::Packed;
use super::order::{Key, Order};
use super::{Entry, Index, Position};
use crate::geometry::Shape;
use crate::query::cql2::Subject;
use crate::query::{Filter, Search};
use crate::value::Value;

/// An item on a page.
#[derive(Clone, Debug)]
pub struct Hit {
    pub entry: Entry,
    /// How much of it the caller sees: never `Hidden`.
    pub sight: Sight,
}

/// A page, and what surrounds it.
#[derive(Clone, Debug)]
pub struct Found {
    pub hits: Vec<Hit>,
    /// How many items that the caller sees fit the search, on all pages.
    pub matched: u64,
    /// The pages behind and before this one, if there is anything on them.
    pub next: Option<Position>,
    pub prev: Option<Position>,
}

/// An item that fits: its place in the index, and how much of it the caller sees.
type Match = (usize, Sight);

impl Index {
    /// The page of `search` that begins at `from`, or the first one, for a caller who sees `visible` and has starred
    /// these projects (none if `starred` is `None`).
    pub fn search(
        &self,
        search: &Search,
        visible: &Visible,
        starred: Option<&HashSet<ProjectId>>,
        from: Option<&Position>,
    ) -> Found {
        let wanted = Wanted::new(self, search, visible, starred);
        let matches: Vec<Match> = match &search.ids {
            None => self.entries.iter().enumerate().filter_map(|found| wanted.matches(found)).collect(),
            Some(ids) => self.places_of(ids).filter_map(|at| wanted.matches((at, &self.entries[at]))).collect(),
        };
        self.page(&matches, &Order::new(&search.sortby, &self.names), search.limit(), from)
    }

    /// Where the items with these ids are, ascending, each once.
    fn places_of(&self, ids: &[String]) -> impl Iterator<Item = usize> {
        let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().flat_map(|id| {
            let first = self.entries.partition_point(|entry| entry.id() < id);
            let count = self.entries[first..].iter().take_while(|entry| entry.id() == id).count();
            first..first + count
        })
    }

    fn page(&self, matches: &[Match], order: &Order, limit: usize, from: Option<&Position>) -> Found {
        let width = order.width();
        let mut keys: Vec<Key<'_>> = Vec::with_capacity(matches.len() * width);
        if width > 0 {
            for (at, sight) in matches {
                let entry = &self.entries[*at];
                if let Some(facts) = entry.facts(*sight) {
                    keys.extend(order.keys(entry, facts));
                }
            }
        }
        let keys_of = |place: usize| keys[place * width..(place + 1) * width].iter().copied();
        // Places in `matches`, which are in the order of ids.
        let compare =
            |left: &usize, right: &usize| order.compare(keys_of(*left), keys_of(*right)).then_with(|| left.cmp(right));
        let side = |place: usize, position: &Position| {
            let by_key = || self.entries[matches[place].0].key().cmp(&(&position.id, &position.collection));
            order.compare(keys_of(place), position.values.iter().map(Key::from_value)).then_with(by_key)
        };
        let backwards = from.is_some_and(|position| position.backwards);
        let wanted = if backwards { Ordering::Less } else { Ordering::Greater };
        let mut places: Vec<usize> =
            (0..matches.len()).filter(|place| from.is_none_or(|position| side(*place, position) == wanted)).collect();
        let before = places.len() < matches.len();
        let more = places.len() > limit;
        // Only the page itself is sorted; the rest is only told apart from it.
        if backwards {
            if more {
                let cut = places.len() - limit;
                places.select_nth_unstable_by(cut, compare);
                places.drain(..cut);
            }
        } else if more {
            places.select_nth_unstable_by(limit, compare);
            places.truncate(limit);
        }
        places.sort_unstable_by(compare);
        let at = |place: Option<&usize>, backwards: bool| {
            place.map(|place| {
                let entry = &self.entries[matches[*place].0];
                let values = keys_of(*place).map(Key::to_value).collect();
                Position { backwards, values, id: entry.id().to_owned(), collection: entry.collection().to_owned() }
            })
        };
        let (has_next, has_prev) = if backwards { (before, more) } else { (more, before) };
        Found {
            next: has_next.then(|| at(places.last(), false)).flatten(),
            prev: has_prev.then(|| at(places.first(), true)).flatten(),
            matched: matches.len() as u64,
            hits: places
                .iter()
                .map(|place| Hit { entry: self.entries[matches[*place].0].clone(), sight: matches[*place].1 })
                .collect(),
        }
    }
}

/// A search with its words and names looked up once.
struct Wanted<'s> {
    search: &'s Search,
    visible: &'s Visible,
    /// `Some`: only these projects.
    starred: Option<Option<&'s HashSet<ProjectId>>>,
    terms: Vec<Finder<'s>>,
    /// The properties that hold topics.
    topics: Vec<u32>,
    datetime: Option<u32>,
    filter: Option<(&'s Filter, Vec<Field>)>,
}

/// What a filter's property is in this index.
enum Field {
    Id,
    Collection,
    Geometry,
    /// The property, and the time from-to where an item has none.
    Datetime(Option<u32>),
    Property(u32),
    /// No row has it.
    Unknown,
}

impl<'s> Wanted<'s> {
    fn new(index: &Index, search: &'s Search, visible: &'s Visible, starred: Option<&'s HashSet<ProjectId>>) -> Self {
        let field = |name: &String| {
            let plain = name.strip_prefix("properties.").unwrap_or(name);
            match plain {
                "id" => Field::Id,
                "collection" => Field::Collection,
                "geometry" => Field::Geometry,
                "datetime" => Field::Datetime(index.names.property(plain)),
                _ => index.names.property(plain).map_or(Field::Unknown, Field::Property),
            }
        };
        Self {
            search,
            visible,
            starred: search.q.starred.then_some(starred),
            terms: search.q.terms.iter().map(|term| Finder::new(term.as_bytes())).collect(),
            topics: ["gitlab:topics", "keywords"].iter().filter_map(|name| index.names.property(name)).collect(),
            datetime: index.names.property("datetime"),
            filter: search.filter.as_ref().map(|filter| (filter, filter.properties().iter().map(field).collect())),
        }
    }

    /// What the caller may see is settled first: nothing else of a hidden item is looked at.
    fn matches(&self, (at, entry): (usize, &Entry)) -> Option<Match> {
        let sight = entry.sight(self.visible);
        let facts = entry.facts(sight)?;
        let fits = self.is_in_collections(entry)
            && self.starred.is_none_or(|projects| projects.is_some_and(|all| all.contains(&entry.project())))
            && self.is_in_time(facts)
            && self.has_topics(facts)
            && self.has_term(facts)
            && self.is_in_place(facts)
            && self.filter.as_ref().is_none_or(|(filter, fields)| filter.matches(&Item { entry, facts, fields }));
        fits.then_some((at, sight))
    }

    fn is_in_collections(&self, entry: &Entry) -> bool {
        let collections = self.search.collections.as_ref();
        collections.is_none_or(|wanted| wanted.iter().any(|collection| collection == entry.collection()))
    }

    /// An item's times are its extent and its `datetime`, which may lie elsewhere.
    fn is_in_time(&self, facts: Packed<'_>) -> bool {
        let Some(period) = self.search.datetime else { return true };
        let (start, end) = facts.period();
        period.meets(start, end)
            || matches!(
                self.datetime.map(|property| facts.value(property)),
                Some(Value::Instant(_, micros)) if period.meets(micros, micros)
            )
    }

    fn is_in_place(&self, facts: Packed<'_>) -> bool {
        let place = self.search.place.as_ref();
        place.is_none_or(|place| facts.shape().is_some_and(|shape| place.meets(shape)))
    }

    fn has_term(&self, facts: Packed<'_>) -> bool {
        if self.terms.is_empty() {
            return true;
        }
        let text = facts.text().as_bytes();
        self.terms.iter().any(|term| term.find(text).is_some())
    }

    fn has_topics(&self, facts: Packed<'_>) -> bool {
        let is_topic = |value: Value<'_>, topic: &str| match value {
            Value::Text(text) if topic.is_ascii() => text.eq_ignore_ascii_case(topic),
            Value::Text(text) => text.to_lowercase() == topic,
            _ => false,
        };
        let has = |topic: &String| {
            self.topics.iter().any(|property| match facts.value(*property) {
                Value::List(list) => list.values().any(|value| is_topic(value, topic)),
                single => is_topic(single, topic),
            })
        };
        self.search.q.topics.iter().all(has)
    }
}

/// An item, as a filter asks it.
struct Item<'a> {
    entry: &'a Entry,
    facts: Packed<'a>,
    fields: &'a [Field],
}

impl Subject for Item<'_> {
    fn value(&self, property: usize) -> Value<'_> {
        match self.fields.get(property) {
            Some(Field::Id) => Value::Text(self.entry.id()),
            Some(Field::Collection) => Value::Text(self.entry.collection()),
            Some(Field::Property(number)) => self.facts.value(*number),
            Some(Field::Datetime(number)) => match number.map(|number| self.facts.value(number)) {
                None | Some(Value::Null) => {
                    let (start, end) = self.facts.period();
                    Value::Span(start, end)
                }
                Some(value) => value,
            },
            Some(Field::Geometry | Field::Unknown) | None => Value::Null,
        }
    }

    fn shape(&self, property: usize) -> Option<&Shape> {
        match self.fields.get(property) {
            Some(Field::Geometry) => self.facts.shape(),
            _ => None,
        }
    }
}
