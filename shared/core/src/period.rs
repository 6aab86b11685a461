use std::fmt;
use std::time::Duration;

use serde::Deserialize;

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Days,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

/// The units with their names and their milliseconds, the largest first.
const UNITS: [(Unit, &str, u64); 5] = [
    (Unit::Days, "d", 86_400_000),
    (Unit::Hours, "h", 3_600_000),
    (Unit::Minutes, "m", 60_000),
    (Unit::Seconds, "s", 1000),
    (Unit::Milliseconds, "ms", 1),
];

/// The longest duration, in milliseconds: ten years.
const LONGEST: u64 = 3650 * 86_400_000;

/// A duration as people write it in the configuration: `250ms`, `20s`, `15m`, `24h` or `7d`. It keeps the unit in
/// which it was written; two durations are equal if they are equally long.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(try_from = "Written")]
pub struct Period(pub Duration, Option<Unit>);

/// A duration as it stands in a file: a text, or a number whose unit is missing.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Number(serde_json::Number),
}

impl TryFrom<Written> for Period {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        match written {
            Written::Text(text) => text.try_into(),
            Written::Number(number) => number.to_string().try_into(),
        }
    }
}

impl Period {
    /// A duration in whole seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds), None)
    }
}

impl PartialEq for Period {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Period {}

impl TryFrom<String> for Period {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let wrong =
            || format!("{text:?} is not a length of time: write 250ms, 20s, 15m, 24h or 7d");
        let unit_at = text.find(|character: char| !character.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, name) = text.split_at(unit_at);
        let known = UNITS.into_iter().find(|(_, known, _)| *known == name);
        let (unit, _, millis) = known.ok_or_else(wrong)?;
        if number.is_empty() {
            return Err(wrong());
        }
        let total = number.parse().ok().and_then(|number: u64| number.checked_mul(millis));
        match total {
            Some(0) => Err(format!("{text:?} is not a length of time: write at least 1ms")),
            Some(total) if total <= LONGEST => Ok(Self(Duration::from_millis(total), Some(unit))),
            _ => Err(format!("{text:?} is too long: write 3650d or less")),
        }
    }
}

/// Writes the unit that was read. A duration that was not read is written in the largest unit of which it is a whole
/// number: one day is `24h`, two days are `2d`.
impl fmt::Display for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let fits = |(unit, _, size): &(Unit, &str, u64)| match self.1 {
            Some(written) => *unit == written,
            None => {
                let size = u128::from(*size);
                millis.is_multiple_of(size) && (*unit != Unit::Days || millis > size)
            }
        };
        let (_, name, size) = UNITS.into_iter().find(fits).unwrap_or((Unit::Milliseconds, "ms", 1));
        write!(formatter, "{}{name}", millis / u128::from(size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_written_as_it_was_read() {
        for text in ["250ms", "5000ms", "20s", "86400s", "15m", "90m", "24h", "48h", "1d", "7d"] {
            assert_eq!(Period::try_from(text.to_owned()).unwrap().to_string(), text);
        }
        for wrong in ["", "5", "s", "1.5h", "-1s"] {
            let error = Period::try_from(wrong.to_owned()).unwrap_err();
            assert!(
                error.ends_with("is not a length of time: write 250ms, 20s, 15m, 24h or 7d"),
                "{error}"
            );
        }
        for long in ["3651d", "90000d", "99999999999d", "99999999999999999999s"] {
            let error = Period::try_from(long.to_owned()).unwrap_err();
            assert!(error.ends_with("is too long: write 3650d or less"), "{error}");
        }
    }

    #[test]
    fn prints_what_was_not_written_in_the_largest_unit() {
        let days = |days: u64| Period::seconds(days * 86_400).to_string();
        assert_eq!([days(1), days(2), days(7)], ["24h", "2d", "7d"]);
        assert_eq!([90, 3600, 5400].map(|s| Period::seconds(s).to_string()), ["90s", "1h", "90m"]);
        assert_eq!(Period::try_from("60m".to_owned()), Ok(Period::seconds(3600)));
    }
}
