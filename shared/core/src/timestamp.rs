use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

/// A moment, in milliseconds since the Unix epoch (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// A moment from milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Reads an RFC 3339 text; `None` if the text has another form.
    pub fn parse(text: &str) -> Option<Self> {
        OffsetDateTime::parse(text, &Rfc3339).ok().and_then(Self::of_date)
    }

    /// Reads a date of HTTP or mail: `Sat, 21 Nov 2026 09:00:00 GMT` (RFC 2822).
    pub fn parse_http_date(text: &str) -> Option<Self> {
        OffsetDateTime::parse(text, &Rfc2822).ok().and_then(Self::of_date)
    }

    fn of_date(date: OffsetDateTime) -> Option<Self> {
        i64::try_from(date.unix_timestamp_nanos() / 1_000_000).ok().map(Self)
    }

    /// The moment `duration` earlier. It saturates at the smallest timestamp.
    pub fn minus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(millis))
    }

    /// The moment `duration` later. It saturates at the largest timestamp.
    pub fn plus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// The moment for a person, to the minute: `Sat 21 Nov 2026, 09:00 UTC`.
    pub fn in_words(self) -> String {
        let moment = OffsetDateTime::from_unix_timestamp(self.seconds());
        let Ok(moment) = moment else { return self.to_string() };
        let (weekday, month) = (moment.weekday().to_string(), moment.month().to_string());
        let (day, year) = (moment.day(), moment.year());
        let (hour, minute, _) = moment.to_hms();
        format!("{:.3} {day} {:.3} {year}, {hour:02}:{minute:02} UTC", weekday, month)
    }

    /// The time from `earlier` to this moment, zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        let millis = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

/// RFC 3339 in UTC, always with three digits of milliseconds, so that columns align:
/// `2026-11-21T09:00:00.000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.0.div_euclid(1000), self.0.rem_euclid(1000));
        let moment = OffsetDateTime::from_unix_timestamp(seconds).ok();
        let Some(moment) = moment.filter(|moment| (0..=9999).contains(&moment.year())) else {
            return write!(formatter, "{}ms", self.0);
        };
        let (year, month, day) = moment.to_calendar_date();
        let (hour, minute, second) = moment.to_hms();
        let month = u8::from(month);
        write!(
            formatter,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_has_three_digits_of_milliseconds() {
        let text = |millis| Timestamp::from_millis(millis).to_string();
        assert_eq!(text(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(text(1_795_165_200_000), "2026-11-20T09:00:00.000Z");
        assert_eq!(text(1_795_165_200_120), "2026-11-20T09:00:00.120Z");
        assert_eq!(text(i64::MAX), "9223372036854775807ms");
        assert_eq!(Timestamp::parse(&text(1_795_165_200_120)).unwrap().millis(), 1_795_165_200_120);
        assert_eq!(Timestamp::parse("1970-01-01T01:00:00+01:00").unwrap().millis(), 0);
        assert_eq!(Timestamp::parse("1970-01-01"), None);
    }

    #[test]
    fn a_person_reads_the_day_and_the_minute() {
        let words = |text| Timestamp::parse(text).unwrap().in_words();
        assert_eq!(words("2026-11-21T09:05:59.999Z"), "Sat 21 Nov 2026, 09:05 UTC");
        assert_eq!(words("2026-09-01T23:00:00Z"), "Tue 1 Sep 2026, 23:00 UTC");
        assert_eq!(Timestamp::from_millis(i64::MAX).in_words(), "9223372036854775807ms");
    }

    #[test]
    fn arithmetic_saturates() {
        let end = Timestamp::from_millis(i64::MAX);
        assert_eq!(end.plus(Duration::from_secs(1)), end);
        assert_eq!(
            Timestamp::from_millis(i64::MIN).minus(Duration::from_secs(1)).millis(),
            i64::MIN
        );
        assert_eq!(Timestamp::from_millis(1).since(end), Duration::ZERO);
    }
}
