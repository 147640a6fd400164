//! The report of a load: a table of calls, and what reading back has found.

use std::fmt::Write;

use crate::check::Findings;
use crate::client::Stats;
use crate::ledger::Ledger;

/// Most of each kind of finding that are told.
const TOLD: usize = 20;

/// As Markdown; `conditions` says what ran where.
pub fn report(conditions: &str, stats: &Stats, ledger: &Ledger, findings: &Findings) -> String {
    let mut text = format!(
        "{conditions}\n\n| call | answers | p50 ms | p99 ms | most ms | failed tries |\n|---|---|---|---|---|---|\n"
    );
    let (mut answers, mut failures) = (0, 0);
    for (call, times) in &stats.answered {
        let mut times = times.clone();
        times.sort_unstable();
        let at = |share: usize| f64::from(times[(times.len() - 1) * share / 100]) / 1000.0;
        let failed: Vec<String> = stats
            .failed
            .iter()
            .filter(|((of, _), _)| of == call)
            .map(|((_, kind), count)| format!("{count} x {kind}"))
            .collect();
        answers += times.len();
        let _ = writeln!(
            text,
            "| {call} | {} | {:.1} | {:.1} | {:.0} | {} |",
            times.len(),
            at(50),
            at(99),
            at(100),
            failed.join(", ")
        );
    }
    failures += stats.failed.values().sum::<u32>();
    let _ = writeln!(
        text,
        "\n{answers} answers, {failures} failed tries, {} acknowledged writes sent once more, {} calls given up.",
        stats.replayed, ledger.given_up
    );
    let _ = writeln!(
        text,
        "\nRead back: {} points of {} runs in {} experiments, {} params, {} tags, {} files, {} versions of {} models; {} of them not acknowledged.",
        findings.points,
        findings.runs,
        findings.experiments,
        findings.params,
        findings.tags,
        findings.files,
        findings.versions,
        findings.models,
        findings.perhaps
    );
    let kinds = [
        ("lost", &findings.lost),
        ("doubled", &findings.doubled),
        ("never written", &findings.strange),
        ("overtaken by an older value", &findings.overtaken),
        ("unexpected answers", &ledger.surprises),
    ];
    for (kind, found) in kinds {
        let _ = writeln!(text, "* {kind}: {}", found.len());
        for line in found.iter().take(TOLD) {
            let _ = writeln!(text, "  * {line}");
        }
    }
    text
}
