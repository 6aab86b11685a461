//! Canonical JSON (RFC 8785, JCS): each value has exactly one text, which can be hashed.
//!
//! One deliberate difference: an integer that a double cannot hold exactly (beyond 2^53) is written with
//! all its digits. RFC 8785 rounds it, so two calls that differ in a snowflake id would have the same
//! digest.

use serde_json::{Map, Number, Value};

/// The canonical text of `value`.
pub fn to_string(value: &Value) -> String {
    let mut out = String::new();
    write_value(value, &mut out);
    out
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => write_object(members, out),
    }
}

/// RFC 8785 section 3.2.3: sorts the members by the UTF-16 code units of their names.
fn write_object(members: &Map<String, Value>, out: &mut String) {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
    out.push('{');
    for (index, (name, value)) in sorted.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(name, out);
        out.push(':');
        write_value(value, out);
    }
    out.push('}');
}

/// RFC 8785 section 3.2.2.2: writes the short escape if JSON has one, `\u00xx` for other controls.
fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if control < ' ' => {
                out.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

fn write_number(number: &Number, out: &mut String) {
    if number.as_f64() == Some(0.0) {
        out.push('0');
    } else if number.is_f64() {
        write_float(&number.to_string(), out);
    } else {
        out.push_str(&number.to_string());
    }
}

/// ECMAScript `Number::toString` (ECMA-262 section 6.1.6.1.20), which RFC 8785 section 3.2.2.3 requires.
/// `shortest` is the number as `serde_json` writes it: the fewest digits that read back as the same number,
/// in any notation. This function only places the point and the exponent.
fn write_float(shortest: &str, out: &mut String) {
    let magnitude = shortest.strip_prefix('-').unwrap_or(shortest);
    if magnitude.len() < shortest.len() {
        out.push('-');
    }
    let (mantissa, exponent) = magnitude.split_once(['e', 'E']).unwrap_or((magnitude, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = format!("{whole}{fraction}");
    let significant = all_digits.trim_start_matches('0');
    let leading_zeros = all_digits.len() - significant.len();
    let digits = significant.trim_end_matches('0');
    let length = |text: &str| i32::try_from(text.len()).unwrap_or(i32::MAX);
    let count = length(digits);
    let point = exponent.parse::<i32>().unwrap_or(0) + length(whole)
        - i32::try_from(leading_zeros).unwrap_or(0);
    let zeros = |length: i32| "0".repeat(usize::try_from(length).unwrap_or(0));
    match point {
        22.. | ..=-6 => {
            let sign = if point > 0 { '+' } else { '-' };
            let (head, tail) = digits.split_at(1);
            out.push_str(head);
            if !tail.is_empty() {
                out.push('.');
                out.push_str(tail);
            }
            out.push_str(&format!("e{sign}{}", (point - 1).abs()));
        }
        1.. if point >= count => out.push_str(&format!("{digits}{}", zeros(point - count))),
        1.. => {
            let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
            out.push_str(&format!("{whole}.{fraction}"));
        }
        _ => out.push_str(&format!("0.{}{digits}", zeros(-point))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn float(bits: u64) -> String {
        to_string(&json!(f64::from_bits(bits)))
    }

    /// The vectors of RFC 8785 appendix B.
    #[test]
    fn numbers_of_the_specification() {
        let vectors = [
            (0x0000_0000_0000_0000, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"),
            (0x41b3_de43_5555_5556, "333333333.3333334"),
            (0x41b3_de43_5555_5557, "333333333.33333343"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ];
        for (bits, text) in vectors {
            assert_eq!(float(bits), text, "{bits:016x}");
        }
    }

    /// The examples of RFC 8785 sections 3.2.2 and 3.2.3.
    #[test]
    fn objects_of_the_specification() {
        let sample: Value = serde_json::from_str(
            r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
                "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#,
        )
        .unwrap();
        assert_eq!(
            to_string(&sample),
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\
             \"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
        );
        let keys = json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
        let order: Vec<_> = to_string(&keys).chars().filter(char::is_ascii_digit).collect();
        assert_eq!(order, ['2', '1', '4', '6', '7', '1', '5', '3']);
    }

    #[test]
    fn large_integers_keep_their_digits() {
        assert_eq!(to_string(&json!(9_007_199_254_740_993_u64)), "9007199254740993");
        assert_eq!(to_string(&json!(u64::MAX)), "18446744073709551615");
        assert_eq!(to_string(&json!(1.0)), to_string(&json!(1)));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_filter("finite", |x| x.is_finite()).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(any::<String>(), inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// Reading a canonical text and writing it again returns the same text.
        #[test]
        fn a_canonical_text_is_a_fixed_point(value in any_json()) {
            let text = to_string(&value);
            let read: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(to_string(&read), text);
        }
    }
}
