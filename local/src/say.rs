//! The only place that writes to the terminal.

use std::io::Write;

/// Writes one line to standard output. A reader that has gone away is no reason to stop serving.
pub fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Writes one line to standard error.
pub fn complain(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
