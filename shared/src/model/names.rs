//! Random names for runs and logged models that their client left nameless.

use rand::Rng;
use rand::seq::IndexedRandom;

/// `adjective-noun-number`, at most 20 characters, such as `cobalt-comet-417`.
pub fn random_name() -> String {
    let mut random = rand::rng();
    let adjective = ADJECTIVES.choose(&mut random).copied().unwrap_or("quiet");
    let noun = NOUNS.choose(&mut random).copied().unwrap_or("orbit");
    format!("{adjective}-{noun}-{}", random.random_range(0..1000))
}

/// At most eight letters each, so that two words and a number of three digits fit into 20 characters.
const ADJECTIVES: [&str; 64] = [
    "amber", "ancient", "arctic", "autumn", "balmy", "bold", "bright", "brisk", "calm", "clear", "cobalt", "cosmic",
    "crimson", "crisp", "daring", "deep", "distant", "dusty", "eager", "early", "fabled", "faint", "frosty", "gentle",
    "gilded", "glassy", "golden", "grand", "hazy", "hidden", "humble", "icy", "indigo", "ivory", "jolly", "keen",
    "lively", "lofty", "lucid", "lunar", "mellow", "misty", "nimble", "noble", "opal", "pale", "patient", "polar",
    "proud", "quick", "quiet", "rapid", "rosy", "rustic", "serene", "silent", "silver", "solar", "steady", "stormy",
    "tidal", "vivid", "warm", "windy",
];
const NOUNS: [&str; 64] = [
    "aurora", "basin", "beacon", "breeze", "canopy", "canyon", "cirrus", "cliff", "cloud", "coast", "comet", "coral",
    "crater", "delta", "desert", "dune", "eclipse", "ember", "estuary", "falcon", "fjord", "forest", "galaxy",
    "geyser", "glacier", "harbor", "heron", "horizon", "island", "lagoon", "lake", "lark", "lichen", "marsh", "meadow",
    "meteor", "mirage", "moon", "moraine", "nebula", "ocean", "orbit", "otter", "peak", "planet", "plateau", "prairie",
    "pulsar", "quasar", "rain", "reef", "ridge", "river", "savanna", "shore", "sierra", "spruce", "steppe", "summit",
    "sunrise", "tide", "tundra", "valley", "volcano",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_fits() {
        let longest = |words: &[&str]| words.iter().map(|word| word.len()).max().unwrap_or_default();
        assert!(longest(&ADJECTIVES) + longest(&NOUNS) + "--999".len() <= 20);
    }

    #[test]
    fn has_three_parts_and_varies() {
        let names: std::collections::HashSet<String> = (0..50).map(|_| random_name()).collect();
        assert!(names.len() > 40);
        for name in names {
            let parts: Vec<&str> = name.split('-').collect();
            assert_eq!(parts.len(), 3, "{name}");
            assert!(parts[2].parse::<u32>().is_ok(), "{name}");
        }
    }
}
