use std::cmp::Ordering;

/// The decimal value of a JSON number, without rounding. `1`, `1.0` and `10e-1` have the same value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    /// The digits without zeros at the beginning and the end; empty for zero.
    digits: String,
    /// The place of the point: the value is `0.<digits>` times ten to this power.
    power: i64,
}

impl Decimal {
    /// The value of a JSON number; `None` if the text is not a number, or has an exponent beyond 64 bits.
    pub fn parse(number: &str) -> Option<Self> {
        let magnitude = number.strip_prefix('-').unwrap_or(number);
        let (mantissa, exponent) = magnitude.split_once(['e', 'E']).unwrap_or((magnitude, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        if whole.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let significant = all.trim_start_matches('0');
        let digits = significant.trim_end_matches('0');
        let whole = i64::try_from(whole.len()).ok()?;
        let zeros = i64::try_from(all.len() - significant.len()).ok()?;
        let power = exponent.parse::<i64>().ok()?.checked_add(whole)?.checked_sub(zeros)?;
        Some(match digits.is_empty() {
            true => Self { negative: false, digits: String::new(), power: 0 },
            false => {
                Self { negative: magnitude.len() < number.len(), digits: digits.to_owned(), power }
            }
        })
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        fn size(one: &Decimal) -> (bool, i64, &str) {
            (!one.digits.is_empty(), one.power, &one.digits)
        }
        match (self.negative, other.negative) {
            (false, false) => size(self).cmp(&size(other)),
            (true, true) => size(other).cmp(&size(self)),
            (negative, _) => {
                if negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Number, Value};

    use super::*;
    use crate::canonical;
    use crate::strict_json::parse;

    fn decimal(number: &str) -> Decimal {
        Decimal::parse(number).unwrap()
    }

    #[test]
    fn the_same_value_has_many_texts() {
        for texts in [
            ["0", "-0.0", "0e400"],
            ["1", "1.0", "10e-1"],
            ["-150", "-1.5e2", "-0.0150E+4"],
            ["100000000000000000000", "1e20", "10.00e19"],
        ] {
            assert!(texts.iter().all(|text| decimal(text) == decimal(texts[0])), "{texts:?}");
        }
        for wrong in ["", "-", "x", ".5", "1e", "1ex", "1e99999999999999999999", "0x1"] {
            assert_eq!(Decimal::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn values_are_ordered_without_rounding() {
        let ordered = [
            "-1e400",
            "-9007199254740993",
            "-9007199254740992",
            "-1",
            "-1e-400",
            "0",
            "1e-400",
            "0.12",
            "0.123",
            "1",
            "9",
            "10",
            "9007199254740992",
            "9007199254740993",
            "1e400",
        ];
        for pair in ordered.windows(2) {
            assert!(decimal(pair[0]) < decimal(pair[1]), "{pair:?}");
        }
    }

    const NUMBERS: &str = "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?(e[+-]?[0-9]{1,3})?";

    proptest! {
        #[test]
        fn doubles_and_integers_are_ordered_alike(a: f64, b in any::<i64>(), c in any::<i64>()) {
            prop_assume!(a.is_finite());
            let double = Number::from_f64(a).unwrap().to_string();
            prop_assert_eq!(Some(decimal(&double).cmp(&decimal("0"))), a.partial_cmp(&0.0));
            prop_assert_eq!(decimal(&b.to_string()).cmp(&decimal(&c.to_string())), b.cmp(&c));
        }

        /// A number is kept exactly or refused: what is shown, digested and executed has the value that was sent.
        #[test]
        fn a_number_is_never_rounded(number in NUMBERS, other in NUMBERS) {
            let kept = |text: &str| parse(text.as_bytes()).ok();
            if let Some(value) = kept(&number) {
                prop_assert_eq!(decimal(&value.to_string()), decimal(&number));
                prop_assert_eq!(decimal(&canonical::to_string(&value)), decimal(&number));
                let again: Value = serde_json::from_str(&value.to_string()).unwrap();
                prop_assert_eq!(&again, &value);
                if let Some(other_value) = kept(&other) {
                    let same = canonical::to_string(&value) == canonical::to_string(&other_value);
                    prop_assert_eq!(same, decimal(&number) == decimal(&other));
                }
            }
        }
    }
}
