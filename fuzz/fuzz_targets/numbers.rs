//! Reads any bytes as exact JSON. An accepted body keeps the decimal value of each of its numbers: in the tree, in
//! the text that is stored and executed, and in the text that the digest covers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_core::canonical;
use placet_core::strict_json::{Decimal, parse};
use serde_json::Value;

fuzz_target!(|body: &[u8]| {
    let Ok(value) = parse(body) else { return };
    let sent = numbers(str::from_utf8(body).expect("an accepted body is UTF-8"));
    let stored = value.to_string();
    assert_eq!(numbers(&stored), sent, "stored and executed: {stored}");
    let covered = canonical::to_string(&value);
    assert_eq!(sorted(numbers(&covered)), sorted(sent), "covered by the digest: {covered}");
    let again: Value = serde_json::from_str(&stored).expect("what is stored can be read again");
    assert_eq!(again, value);
    assert_eq!(canonical::to_string(&again), covered);
});

/// The values of the numbers in a JSON text, in the order of the text.
fn numbers(json: &str) -> Vec<Decimal> {
    let mut found = Vec::new();
    let mut rest = json;
    while let Some(start) = rest.find(['"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
    {
        rest = &rest[start..];
        let is_string = rest.starts_with('"');
        let length = if is_string { string(rest) } else { number(rest) };
        let (token, after) = rest.split_at(length);
        if !is_string {
            found.push(Decimal::parse(token).expect("an accepted number"));
        }
        rest = after;
    }
    found
}

/// The length of the string at the beginning of the text, with its quotation marks.
fn string(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.expect("an accepted string ends") + 2
}

/// The length of the number at the beginning of the text.
fn number(text: &str) -> usize {
    let is_part = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    text.bytes().position(|byte| !is_part(byte)).unwrap_or(text.len())
}

fn sorted(mut numbers: Vec<Decimal>) -> Vec<Decimal> {
    numbers.sort_unstable();
    numbers
}
