//! Registered models and their versions (mlflow.md B.7).

use std::collections::BTreeMap;

use super::{ExperimentId, ProjectId};

/// The tag that makes a registered model a prompt.
pub const PROMPT_TAG: &str = "mlflow.prompt.is_prompt";

/// A registered model as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct RegisteredModel {
    /// Ours, random; stays when the model is renamed.
    pub uid: String,
    /// The owner.
    pub project: ProjectId,
    /// Plain, without a project suffix; unique per project.
    pub name: String,
    /// Empty if there is none.
    pub description: String,
    /// ms since 1970.
    pub creation_time: i64,
    /// ms since 1970; tags and aliases do not change it.
    pub last_update_time: i64,
    pub tags: BTreeMap<String, String>,
    /// Alias -> version.
    pub aliases: BTreeMap<String, u64>,
    /// Every version and its stage.
    pub stages: Stages,
    /// Counts the writes to the model.
    pub revision: u64,
}

impl RegisteredModel {
    /// Is it a prompt? Searches for models leave prompts out.
    pub fn is_prompt(&self) -> bool {
        is_prompt(&self.tags)
    }

    /// The aliases of a version.
    pub fn aliases_of(&self, version: u64) -> impl Iterator<Item = &String> {
        self.aliases.iter().filter(move |(_, of)| **of == version).map(|(alias, _)| alias)
    }
}

/// Do these tags make a prompt?
pub fn is_prompt(tags: &BTreeMap<String, String>) -> bool {
    tags.get(PROMPT_TAG).is_some_and(|value| value == "true")
}

/// A version as stored; its name and aliases are its model's.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelVersion {
    /// The model's.
    pub uid: String,
    /// From 1, never used again.
    pub number: u64,
    /// The model's owner.
    pub project: ProjectId,
    /// ms since 1970; later than that of all versions before.
    pub creation_time: i64,
    /// ms since 1970; tags and aliases do not change it.
    pub last_update_time: i64,
    /// `None` once an update took it away.
    pub description: Option<String>,
    /// Where the client says that the files are, with the experiment's real id.
    pub source: String,
    /// Where they are: as `source`, but `models:/` is resolved.
    pub storage: String,
    /// The project's default experiment, if `source` or `storage` lie in it: its view shows it as `0`.
    pub default_experiment: Option<ExperimentId>,
    /// Empty if there is none.
    pub run_id: String,
    /// Empty if there is none.
    pub run_link: String,
    pub stage: Stage,
    pub tags: BTreeMap<String, String>,
}

/// Where a version stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    None,
    Staging,
    Production,
    Archived,
}

impl Stage {
    /// All, in the stock server's order.
    pub const ALL: [Self; 4] = [Self::None, Self::Staging, Self::Production, Self::Archived];

    /// As MLflow writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Staging => "Staging",
            Self::Production => "Production",
            Self::Archived => "Archived",
        }
    }

    /// By name, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str().eq_ignore_ascii_case(text))
    }

    /// May a transition to it archive the versions that are there?
    pub fn is_active(self) -> bool {
        matches!(self, Self::Staging | Self::Production)
    }
}

/// The stage of every version that a model ever had, by number. The model carries it, so that its newest
/// versions and the next number are known, and change, without looking at the versions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stages(Vec<Option<Stage>>);

/// The letter of a version that was deleted.
const DELETED: char = 'D';

impl Stages {
    /// Reads what [`Stages::to_text`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let mut stages = Vec::new();
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            let tail = &rest[letter.len_utf8()..];
            let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
            let count: usize = tail[..digits].parse().ok()?;
            let stage = match letter {
                DELETED => None,
                letter => Some(*Stage::ALL.iter().find(|stage| stage.as_str().starts_with(letter))?),
            };
            stages.extend(std::iter::repeat_n(stage, count));
            rest = &tail[digits..];
        }
        Some(Self(stages))
    }

    /// Runs of equal stages: `N3P1D2` are three without a stage, one in production, two deleted.
    pub fn to_text(&self) -> String {
        use std::fmt::Write;
        self.0.chunk_by(|a, b| a == b).fold(String::new(), |mut text, run| {
            let letter = run[0].and_then(|stage| stage.as_str().chars().next()).unwrap_or(DELETED);
            let _ = write!(text, "{letter}{}", run.len());
            text
        })
    }

    /// The highest number that a version ever had.
    pub fn highest(&self) -> u64 {
        self.0.len() as u64
    }

    /// A new version's number.
    pub fn add(&mut self) -> u64 {
        self.0.push(Some(Stage::None));
        self.highest()
    }

    /// The stage of a version; `None` if there is none of that number, or no longer.
    pub fn get(&self, number: u64) -> Option<Stage> {
        self.0.get(index(number)?).copied().flatten()
    }

    /// Moves a version to a stage; `None` deletes it.
    pub fn set(&mut self, number: u64, stage: Option<Stage>) {
        if let Some(place) = index(number).and_then(|index| self.0.get_mut(index)) {
            *place = stage;
        }
    }

    /// The versions that are not deleted, from the first.
    pub fn numbers(&self) -> impl DoubleEndedIterator<Item = u64> {
        (1..)
            .zip(&self.0)
            .filter(|(_, stage)| stage.is_some())
            .map(|(number, _)| number)
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The versions in a stage.
    pub fn in_stage(&self, stage: Stage) -> impl Iterator<Item = u64> {
        (1..).zip(&self.0).filter(move |(_, of)| **of == Some(stage)).map(|(number, _)| number)
    }

    /// The newest version of every stage; the stages in the order in which the versions came to them.
    pub fn latest(&self) -> Vec<u64> {
        let mut latest: Vec<(Stage, u64)> = Vec::new();
        for (number, stage) in (1..).zip(&self.0) {
            let Some(stage) = *stage else { continue };
            match latest.iter_mut().find(|(known, _)| *known == stage) {
                Some((_, newest)) => *newest = number,
                None => latest.push((stage, number)),
            }
        }
        latest.into_iter().map(|(_, number)| number).collect()
    }
}

fn index(number: u64) -> Option<usize> {
    usize::try_from(number.checked_sub(1)?).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_never_used_again() {
        let mut stages = Stages::default();
        assert_eq!((stages.add(), stages.add()), (1, 2));
        stages.set(2, None);
        assert_eq!(stages.get(2), None);
        assert_eq!(stages.add(), 3);
        assert_eq!(stages.numbers().collect::<Vec<_>>(), [1, 3]);
        assert_eq!(stages.to_text(), "N1D1N1");
    }

    #[test]
    fn the_newest_of_each_stage() {
        let stages = Stages::parse("P1N2S1N1D1P1").unwrap();
        assert_eq!(stages.latest(), [7, 5, 4]);
        assert_eq!(stages.in_stage(Stage::Production).collect::<Vec<_>>(), [1, 7]);
        assert!(Stages::default().latest().is_empty());
    }

    #[test]
    fn damage_is_noticed() {
        for text in ["X1", "N", "1", "Nx", "N1é"] {
            assert_eq!(Stages::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_and_back(letters in "[NSPAD]{0,40}") {
            let text: String = letters.chars().map(|letter| format!("{letter}1")).collect();
            let stages = Stages::parse(&text).unwrap();
            prop_assert_eq!(stages.highest() as usize, letters.len());
            prop_assert_eq!(Stages::parse(&stages.to_text()).unwrap(), stages);
        }
    }
}
