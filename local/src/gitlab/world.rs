//! The world behind one stand-in, shared between its router and whoever steers it.
//!
//! It plans outages and counts how often each endpoint was called; `steering.rs` changes what is in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use include_dir::{Dir, include_dir};

use super::definition::{Definition, DefinitionError, FILE_NAME};
use super::files::Files;
use super::hooks::Hooks;
use super::state::State;

static DEMO: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/projects");

/// What happens to a call instead of its normal answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Answer with this status, with `Retry-After` (seconds) when given.
    Status { code: u16, retry_after: Option<u64> },
    /// Answer normally, but so much later.
    Delay(Duration),
    /// Close the connection without an answer.
    Drop,
}

#[derive(Debug, Clone)]
struct PlannedFault {
    fault: Fault,
    /// Only for this call, e.g. `POST /api/graphql`; `None`: for every call.
    call: Option<String>,
    /// How many calls are still to be hit; `None`: all until `heal`.
    left: Option<u32>,
}

#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) state: State,
    pub(super) hooks: Hooks,
    calls: BTreeMap<String, u64>,
    faults: Vec<PlannedFault>,
    complexity: Option<usize>,
}

/// A handle on the world; clones share it.
#[derive(Debug, Clone, Default)]
pub struct World {
    inner: Arc<RwLock<Inner>>,
}

/// A steering method named something that is not there.
#[derive(Debug, thiserror::Error)]
#[error("the world has no {0}")]
pub struct NotThere(pub(super) String);

impl World {
    /// The demo world, plus `DIR/gitlab.yaml` and its files when a folder is given.
    pub fn load(dir: Option<&Path>) -> Result<Self, DefinitionError> {
        let mut state = State::default();
        let text = DEMO.get_file(FILE_NAME).and_then(|file| file.contents_utf8()).unwrap_or_default();
        let origin = "built-in gitlab.yaml";
        let files = |path: &str| DEMO.get_dir(path).map_or_else(Files::default, Files::embedded);
        Definition::parse(text, origin)?.add_to(&mut state, origin, files)?;
        if let Some(dir) = dir {
            let origin = dir.join(FILE_NAME).display().to_string();
            let files = |path: &str| Files::folder(dir.join(path));
            Definition::read(dir)?.add_to(&mut state, &origin, files)?;
        }
        Ok(World { inner: Arc::new(RwLock::new(Inner { state, ..Inner::default() })) })
    }

    /// Reads the state under the lock.
    pub fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.inner.read().unwrap_or_else(PoisonError::into_inner).state)
    }

    pub(super) fn write<T>(&self, write: impl FnOnce(&mut Inner) -> T) -> T {
        write(&mut self.inner.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Hits every call with `fault` until `heal`.
    pub fn fail(&self, fault: Fault) {
        self.write(|inner| inner.faults.push(PlannedFault { fault, call: None, left: None }));
    }

    /// Hits the next `times` calls with `fault`.
    pub fn fail_next(&self, times: u32, fault: Fault) {
        self.write(|inner| inner.faults.push(PlannedFault { fault, call: None, left: Some(times) }));
    }

    /// Hits calls of one kind, e.g. `POST /api/graphql`, with `fault` until `heal`.
    pub fn fail_call(&self, call: &str, fault: Fault) {
        self.write(|inner| inner.faults.push(PlannedFault { fault, call: Some(call.to_owned()), left: None }));
    }

    /// Sets how complex a GraphQL query may be, in GitLab's points; `None`: as GitLab comes.
    pub fn limit_complexity(&self, points: Option<usize>) {
        self.write(|inner| inner.complexity = points);
    }

    pub(super) fn complexity_limit(&self) -> Option<usize> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).complexity
    }

    /// Ends all faults.
    pub fn heal(&self) {
        self.write(|inner| inner.faults.clear());
    }

    /// Calls so far by kind: method and route, e.g. `GET /api/v4/user`; calls hit by a fault count too.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).calls.clone()
    }

    /// The sum of `calls`.
    pub fn call_count(&self) -> u64 {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).calls.values().sum()
    }

    pub fn reset_calls(&self) {
        self.write(|inner| inner.calls.clear());
    }

    /// Counts a call and takes the fault that is planned for it; the oldest plan goes first.
    pub(super) fn record(&self, call: &str) -> Option<Fault> {
        self.write(|inner| {
            *inner.calls.entry(call.to_owned()).or_default() += 1;
            let at = inner.faults.iter().position(|planned| planned.call.as_deref().is_none_or(|only| only == call))?;
            let planned = &mut inner.faults[at];
            let fault = planned.fault.clone();
            if let Some(left) = &mut planned.left {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    inner.faults.remove(at);
                }
            }
            Some(fault)
        })
    }
}
