//! Instants as STAC writes them: RFC 3339 in UTC.

use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime, Time, UtcOffset};

/// An RFC 3339 instant, or a date (its first instant), as RFC 3339 in UTC with `Z`.
pub(super) fn parse(text: &str) -> Option<String> {
    format(read(text)?)
}

/// The last instant that `text` names: the end of the day for a date.
pub(super) fn parse_end(text: &str) -> Option<String> {
    match date(text) {
        Some(day) => format(day.with_time(Time::from_hms(23, 59, 59).ok()?).assume_utc()),
        None => parse(text),
    }
}

/// ms since 1970 of what [`parse`] returned.
pub(super) fn milliseconds(text: &str) -> Option<i64> {
    i64::try_from(read(text)?.unix_timestamp_nanos() / 1_000_000).ok()
}

fn read(text: &str) -> Option<OffsetDateTime> {
    if let Some(day) = date(text) {
        return Some(day.midnight().assume_utc());
    }
    // Lower-case `t` and `z` and a space are RFC 3339's own liberties.
    let text = text.trim().to_ascii_uppercase().replacen(' ', "T", 1);
    Some(OffsetDateTime::parse(&text, &Rfc3339).ok()?.to_offset(UtcOffset::UTC))
}

fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    let digits =
        |from: usize, to: usize| text.get(from..to).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    if text.len() != 10 || &text.as_bytes()[4..5] != b"-" || &text.as_bytes()[7..8] != b"-" {
        return None;
    }
    let month = time::Month::try_from(digits(5, 7)?.parse::<u8>().ok()?).ok()?;
    Date::from_calendar_date(digits(0, 4)?.parse().ok()?, month, digits(8, 10)?.parse().ok()?).ok()
}

fn format(instant: OffsetDateTime) -> Option<String> {
    instant.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_become_utc() {
        for (text, expected) in [
            ("2024-01-02", Some("2024-01-02T00:00:00Z")),
            ("2024-01-02T03:04:05Z", Some("2024-01-02T03:04:05Z")),
            ("2024-01-02T03:04:05.250Z", Some("2024-01-02T03:04:05.25Z")),
            ("2024-01-02t03:04:05z", Some("2024-01-02T03:04:05Z")),
            ("2024-01-02 03:04:05+02:00", Some("2024-01-02T01:04:05Z")),
            (" 2024-01-02 ", Some("2024-01-02T00:00:00Z")),
            ("2024-13-02", None),
            ("2024-02-30", None),
            ("2024-01-02T03:04:05", None),
            ("2024-01-02T03:04:05+0200", None),
            ("2024-01-02T25:04:05Z", None),
            ("0000-01-01T00:00:00+23:00", None),
            ("yesterday", None),
            ("2024–01-02", None),
            ("", None),
        ] {
            assert_eq!(parse(text).as_deref(), expected, "{text}");
        }
        assert_eq!(parse_end("2024-01-02").as_deref(), Some("2024-01-02T23:59:59Z"));
        assert_eq!(milliseconds("1970-01-02"), Some(86_400_000));
    }
}
