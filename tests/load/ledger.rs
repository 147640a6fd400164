//! What the hub has acknowledged, and what it may have done without a word.

use std::collections::BTreeMap;

/// A value that is written again and again: a tag, a status.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// What may be read now: the last that was acknowledged, and those sent since. `None`: absent.
    now: Vec<Option<String>>,
    /// What was written before.
    before: Vec<Option<String>>,
}

/// How a value that is read stands to what was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found {
    Right,
    /// Overtaken by an older write that landed late.
    Older,
    Wrong,
}

impl Cell {
    pub fn written(&mut self, value: Option<&str>, acknowledged: bool) {
        if acknowledged {
            self.before.append(&mut self.now);
        }
        self.now.push(value.map(str::to_owned));
    }

    pub fn look(&self, found: Option<&str>) -> Found {
        let holds = |values: &[Option<String>]| values.iter().any(|value| value.as_deref() == found);
        match (holds(&self.now), holds(&self.before)) {
            (true, _) => Found::Right,
            (false, true) => Found::Older,
            (false, false) => Found::Wrong,
        }
    }

    /// Written, and not only perhaps.
    pub fn is_certain(&self) -> bool {
        self.now.len() == 1
    }

    /// The last that was acknowledged.
    pub fn value(&self) -> Option<&str> {
        self.now.first().and_then(Option::as_deref)
    }
}

/// Cells by name; what has no cell was never written.
pub type Cells = BTreeMap<String, Cell>;

/// Steps of one metric, `[from, to)`.
#[derive(Clone, Debug, Default)]
pub struct Series {
    pub acknowledged: Vec<(i64, i64)>,
    pub perhaps: Vec<(i64, i64)>,
}

/// A run, or a logged model's part of one.
#[derive(Clone, Debug, Default)]
pub struct RunRecord {
    pub id: String,
    pub experiment: String,
    /// From which the values of its points follow.
    pub seed: u64,
    pub params: Cells,
    pub tags: Cells,
    pub series: BTreeMap<String, Series>,
    pub status: Cell,
    pub lifecycle: Cell,
    /// Size and seed of each file, by its path below the run.
    pub files: BTreeMap<String, (usize, u64)>,
    pub next_step: i64,
    pub next_name: u64,
}

/// A registered model.
#[derive(Clone, Debug, Default)]
pub struct ModelRecord {
    pub name: String,
    /// The marker tag of each version, by its number.
    pub versions: BTreeMap<u64, String>,
    /// Markers of versions whose creation was sent without an answer, and how many times: each may have made one.
    pub perhaps: BTreeMap<String, usize>,
    pub aliases: Cells,
    /// The stage of each version that was moved.
    pub stages: BTreeMap<u64, Cell>,
}

/// An experiment and its runs.
#[derive(Clone, Debug, Default)]
pub struct ExperimentRecord {
    pub id: String,
    pub tags: Cells,
    pub lifecycle: Cell,
    /// How many times the creation of a run was sent without an answer: each may have made one.
    pub perhaps_runs: usize,
}

/// Everything.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub experiments: Vec<ExperimentRecord>,
    pub runs: Vec<RunRecord>,
    pub models: Vec<ModelRecord>,
    /// Answers that nobody should get.
    pub surprises: Vec<String>,
    /// Calls whose outcome is not known.
    pub given_up: usize,
}

impl Ledger {
    /// Takes in what another client knows; what both know of a model is joined.
    pub fn add(&mut self, other: Self) {
        self.experiments.extend(other.experiments);
        self.runs.extend(other.runs);
        self.models.extend(other.models);
        self.surprises.extend(other.surprises);
        self.given_up += other.given_up;
    }
}

/// The value of a point: the same for the same run, metric and step.
pub fn value(seed: u64, metric: &str, step: i64) -> f64 {
    let mut mixed = metric.bytes().fold(seed ^ step.cast_unsigned(), |sum, byte| mix(sum ^ u64::from(byte)));
    mixed = mix(mixed);
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    let value = (mixed >> 11) as f64 / (1u64 << 53) as f64;
    value
}

/// Its time, ms.
pub fn timestamp(step: i64) -> i64 {
    1_700_000_000_000 + step
}

/// The bytes of a file.
pub fn content(size: usize, seed: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size + 8);
    let mut state = seed;
    while bytes.len() < size {
        state = mix(state);
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

/// SplitMix64.
fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
