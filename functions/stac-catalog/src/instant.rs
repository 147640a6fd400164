//! RFC 3339: texts to microseconds since 1970. Own code, because the index reads millions of them and because the
//! catalog's rules (zone demanded, lower-case letters taken, leap seconds) are exactly these.

/// Microseconds of a day.
pub const DAY: i64 = 86_400_000_000;

/// Microseconds since 1970 of a full RFC 3339 date-time; digits beyond the microsecond are cut off.
pub fn parse(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    // The shortest is `2024-01-01T00:00:00Z`.
    if bytes.len() < 20 || !matches!(bytes[10], b'T' | b't') || bytes[13] != b':' || bytes[16] != b':' {
        return None;
    }
    let day = parse_date(text.get(..10)?)?;
    let (hour, minute, second) = (number(&bytes[11..13])?, number(&bytes[14..16])?, number(&bytes[17..19])?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction, zone) = fraction(&bytes[19..])?;
    let offset = match zone {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    let minutes = hour * 60 + minute - offset;
    // A leap second stands at the end of a UTC day only.
    if second == 60 && minutes.rem_euclid(24 * 60) != 24 * 60 - 1 {
        return None;
    }
    Some(day + (minutes * 60 + second) * 1_000_000 + fraction)
}

/// Microseconds since 1970 of the beginning of a day `2024-01-31`, in UTC.
pub fn parse_date(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (number(&bytes[..4])?, number(&bytes[5..7])?, number(&bytes[8..])?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (1..=days).contains(&day).then(|| days_since_1970(year, month, day) * DAY)
}

/// Micros of `.123`, if there is one, and what comes behind.
fn fraction(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let Some((b'.', rest)) = bytes.split_first() else { return Some((0, bytes)) };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let micros = (0..6).fold(0, |sum, at| {
        let digit = if at < digits { rest[at] - b'0' } else { 0 };
        sum * 10 + i64::from(digit)
    });
    (digits > 0).then(|| (micros, &rest[digits..]))
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
}

/// Days of the proleptic Gregorian calendar, counted in eras of 400 years that begin in March.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_counted_from_1970() {
        for (text, micros) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T01:00:00.5+01:00", 500_000),
            ("2000-02-29T12:00:00Z", 951_825_600_000_000),
            ("2024-12-01T10:00:00.1234567Z", 1_733_047_200_123_456),
            ("1969-12-31T23:59:59.999999z", -1),
            ("1985-04-12t23:20:50.52Z", 482_196_050_520_000),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000_000),
            ("1990-12-31T15:59:60-08:00", 662_688_000_000_000),
        ] {
            assert_eq!(parse(text), Some(micros), "{text}");
        }
        assert_eq!(parse_date("1970-01-02"), Some(DAY));
    }

    #[test]
    fn what_is_no_full_instant_is_none() {
        for text in [
            "",
            "1985-04-12",
            "1937-01-01T12:00:27.87+0100",
            "37-01-01T12:00:27.87Z",
            "1985-12-12T23:20:50.52",
            "21985-12-12T23:20:50.52Z",
            "1985-13-12T23:20:50.52Z",
            "1985-12-32T23:20:50.52Z",
            "1985-02-29T23:20:50Z",
            "1900-02-29T23:20:50Z",
            "1985-12-01T25:20:50.52Z",
            "1985-12-01T00:60:50.52Z",
            "1985-12-01T00:06:61.52Z",
            "1985-12-01T00:06:60Z",
            "1985-04-12T23:20:50.Z",
            "1985-04-12T23:20:50,Z",
            "1990-12-31T23:59:61Z",
            "1985-04-12T23:20:50,52Z",
            "1985-04-12T23:20:50+24:00",
            "1985-04-12 23:20:50Z",
            "1985-04-12T23:20:50Zé",
            "+985-04-12T23:20:50Z",
            "é985-04-12T23:20:50Z",
            "1985-04-1éT23:20:50Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "\\PC{0,40}") {
            let _ = (parse(&text), parse_date(&text));
        }
    }
}
