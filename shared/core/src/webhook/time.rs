//! Signed times. They are parsed strictly, so that two readers cannot disagree on a time.

use ::time::OffsetDateTime;
use ::time::format_description::well_known::{Rfc2822, Rfc3339};

use super::grammar::{TimeRule, TimeUnit};
use super::unverified::Unverified;
use crate::Timestamp;

impl TimeUnit {
    /// Reads a time; `None` if the text does not have this format.
    pub(super) fn read(self, text: &str) -> Option<Timestamp> {
        let digits = text.as_bytes();
        let whole = (1..=15).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
        match self {
            Self::S if whole => {
                text.parse::<i64>().ok().map(|s| Timestamp::from_millis(s.saturating_mul(1000)))
            }
            Self::Ms if whole => text.parse().ok().map(Timestamp::from_millis),
            Self::S | Self::Ms => None,
            Self::Rfc3339 => Timestamp::parse(text),
            Self::HttpDate if text.ends_with(" GMT") => Timestamp::parse_http_date(text),
            Self::HttpDate => None,
        }
    }

    /// Writes a time in this format.
    pub(super) fn write(self, at: Timestamp) -> String {
        let date = OffsetDateTime::from_unix_timestamp(at.seconds()).ok();
        match self {
            Self::S => at.seconds().to_string(),
            Self::Ms => at.millis().to_string(),
            Self::Rfc3339 => date.and_then(|date| date.format(&Rfc3339).ok()).unwrap_or_default(),
            Self::HttpDate => date
                .and_then(|date| date.format(&Rfc2822).ok())
                .map(|text| text.replace("+0000", "GMT"))
                .unwrap_or_default(),
        }
    }
}

impl TimeRule {
    /// Reads a signed time and checks that it is near enough to `now`. Except for times in milliseconds, the
    /// comparison ignores fractions of a second.
    pub(super) fn check(&self, text: &str, now: Timestamp) -> Result<Timestamp, Unverified> {
        let signed = self.unit.read(text).ok_or(Unverified::Time)?;
        let (now, then) = match self.unit {
            TimeUnit::Ms => (now.millis(), signed.millis()),
            _ => (now.seconds().saturating_mul(1000), signed.seconds().saturating_mul(1000)),
        };
        let skew = now.saturating_sub(then);
        let within = |period: crate::Period, skew: i64| {
            skew <= i64::try_from(period.0.as_millis()).unwrap_or(i64::MAX)
        };
        if within(self.past, skew) && within(self.future, skew.saturating_neg()) {
            Ok(signed)
        } else {
            Err(Unverified::Skew { skew: skew / 1000, past: self.past, future: self.future })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_reads_only_its_own_format() {
        let at = Timestamp::from_millis(1_700_000_000_000);
        for unit in [TimeUnit::S, TimeUnit::Ms, TimeUnit::Rfc3339, TimeUnit::HttpDate] {
            assert_eq!(unit.read(&unit.write(at)), Some(at), "{unit:?}");
        }
        for wrong in [
            "",
            "+1700000000",
            " 1700000000",
            "1700000000 ",
            "1700000000.5",
            "1e9",
            "-1",
            "17000000001700000000",
            "１７",
            "0x10",
        ] {
            assert_eq!(TimeUnit::S.read(wrong), None, "{wrong}");
            assert_eq!(TimeUnit::Ms.read(wrong), None, "{wrong}");
        }
        for wrong in ["2023-11-14", "2023-11-14T22:13:20", "Tue, 14 Nov 2023 22:13:20 +0000"] {
            assert_eq!(TimeUnit::Rfc3339.read(wrong), None, "{wrong}");
            assert_eq!(TimeUnit::HttpDate.read(wrong), None, "{wrong}");
        }
    }
}
