use std::fmt;
use std::time::Duration;

use serde::Deserialize;

/// A duration as people write it in the configuration: `250ms`, `20s`, `15m`, `24h` or `7d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Period(pub Duration);

impl Period {
    /// A duration in whole seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl TryFrom<String> for Period {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let wrong =
            || format!("{text:?} is not a length of time: write 250ms, 20s, 15m, 24h or 7d");
        let unit_at = text.find(|character: char| !character.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, unit) = text.split_at(unit_at);
        let millis = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60 * 1000,
            "h" => 60 * 60 * 1000,
            "d" => 24 * 60 * 60 * 1000,
            _ => return Err(wrong()),
        };
        let number: u32 = number.parse().map_err(|_| wrong())?;
        match u64::from(number) * millis {
            0 => Err(wrong()),
            total => Ok(Self(Duration::from_millis(total))),
        }
    }
}

/// Writes a whole number of the largest unit that fits. One day is `24h`, two days are `2d`.
impl fmt::Display for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")];
        let fits = |(size, unit): &(u128, &str)| {
            millis.is_multiple_of(*size) && (*unit != "d" || millis > *size)
        };
        let (size, unit) = units.into_iter().find(fits).unwrap_or((1, "ms"));
        write!(formatter, "{}{unit}", millis / size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_the_same_after_reading_and_writing() {
        for text in ["250ms", "20s", "15m", "24h", "25h", "7d"] {
            assert_eq!(Period::try_from(text.to_owned()).unwrap().to_string(), text);
        }
        for wrong in ["", "5", "s", "0s", "1.5h", "-1s", "99999999999d"] {
            assert!(Period::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
