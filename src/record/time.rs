//! Times and durations as text: RFC 3339 and ISO 8601.

use std::time::Duration;

/// `2026-11-21T09:31:02.123Z` for milliseconds since the Unix epoch; civil date from days by Howard Hinnant's
/// algorithm ("chrono-compatible low-level date algorithms", `civil_from_days`). The year 9999 is the last.
#[must_use]
pub(super) fn rfc3339(unix_ms: u64) -> String {
    const LAST: u64 = 253_402_300_799_999;
    let unix_ms = unix_ms.min(LAST);
    let (days, ms) = (unix_ms / 86_400_000, unix_ms % 86_400_000);
    let z = days + 719_468;
    let era = z / 146_097;
    let day_of_era = z % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute) = (ms / 3_600_000, ms / 60_000 % 60);
    let (second, fraction) = (ms / 1000 % 60, ms % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:03}Z")
}

/// The year of a moment, in UTC.
#[must_use]
pub(super) fn year(unix_ms: u64) -> u64 {
    let text = rfc3339(unix_ms);
    text.get(..4)
        .and_then(|year| year.parse().ok())
        .unwrap_or(1970)
}

/// `PT12.34S`: a duration in ISO 8601, to the hundredth of a second as xAPI advises (Part 2, 4.6).
#[must_use]
pub(super) fn iso8601(duration: Duration) -> String {
    let hundredths = duration.as_millis() / 10;
    format!("PT{}.{:02}S", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_have_their_dates() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_827_696_789, "2000-02-29T12:34:56.789Z"),
            (1_000_000_000_000, "2001-09-09T01:46:40.000Z"),
            (1_798_761_599_999, "2026-12-31T23:59:59.999Z"),
            (u64::MAX, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(rfc3339(ms), text);
        }
    }

    #[test]
    fn a_duration_is_in_seconds() {
        assert_eq!(iso8601(Duration::from_millis(12_345)), "PT12.34S");
        assert_eq!(iso8601(Duration::ZERO), "PT0.00S");
    }
}
