//! What a raw value most likely means: digit groups, amounts of money, dates. A hint stands beside the raw value and
//! never in its place.

use placet_core::Timestamp;
use serde_json::{Map, Value};

use super::words::relative;

/// A number with fewer digits is read at a glance.
const GROUPED_FROM: usize = 5;

/// A text of digits, such as a card number, is grouped from this length on.
const LONG_DIGITS: usize = 9;

/// The times, in seconds since the Unix epoch, that a number can stand for: the years 2001 to 2099.
const TIMES: std::ops::Range<i64> = 978_307_200..4_102_444_800;

/// Words in the name of an argument that holds a time.
const TIME_WORDS: [&str; 14] = [
    "at",
    "time",
    "date",
    "timestamp",
    "ts",
    "expires",
    "expiry",
    "until",
    "since",
    "due",
    "deadline",
    "start",
    "end",
    "exp",
];

/// Words in the name of an argument that holds an amount of money.
const MONEY_WORDS: [&str; 14] = [
    "amount", "price", "total", "sum", "cost", "fee", "balance", "budget", "payment", "refund",
    "salary", "credit", "limit", "value",
];

/// Words in the name of an argument that holds hundredths of a currency unit.
const HUNDREDTHS: [&str; 2] = ["cents", "pence"];

const WEEKDAYS: [&str; 7] =
    ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

/// What the argument `name` most likely means, if that is easier to read than the raw value. `all` has all arguments.
pub(super) fn hint(
    name: &str,
    value: &Value,
    all: &Map<String, Value>,
    now: Timestamp,
) -> Option<String> {
    let words = words(name);
    match value {
        Value::Number(number) => {
            let text = number.to_string();
            let time = number.as_i64().filter(|_| has(&words, &TIME_WORDS)).and_then(time);
            match time {
                Some(time) => Some(date(time, now)),
                None => amount(&text, &words, all).or_else(|| grouped(&text)),
            }
        }
        Value::String(text) => match moment(text) {
            Some(hint) => Some(hint(now)),
            None => amount(text, &words, all).or_else(|| digits(text)),
        },
        _ => None,
    }
}

/// The words of a name in lower case: `createdAt`, `created_at` and `created-at` are `created`, `at`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for character in name.chars() {
        let starts = character.is_uppercase() && before.is_lowercase();
        if !character.is_alphanumeric() || starts {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| character.is_alphanumeric()) {
            word.extend(character.to_lowercase());
        }
        before = character;
    }
    words
}

fn has(words: &[String], known: &[&str]) -> bool {
    words.iter().any(|word| known.contains(&word.as_str()))
}

/// The time that a number of seconds or milliseconds stands for.
fn time(number: i64) -> Option<Timestamp> {
    let seconds = TIMES.contains(&number).then(|| number.saturating_mul(1000));
    let millis = || Some(number).filter(|millis| TIMES.contains(&(millis / 1000)));
    seconds.or_else(millis).map(Timestamp::from_millis)
}

/// A text that is a date, or a date and time with its offset (RFC 3339).
fn moment(text: &str) -> Option<impl FnOnce(Timestamp) -> String> {
    let is_date = text.len() == 10;
    let at = if is_date {
        Timestamp::parse(&format!("{text}T00:00:00Z"))?
    } else {
        Timestamp::parse(text)?
    };
    Some(move |now: Timestamp| match is_date {
        true => format!("{}, {}", weekday(at), day(at, now)),
        false => date(at, now),
    })
}

fn date(at: Timestamp, now: Timestamp) -> String {
    let text = at.to_string();
    let (day, time) = text.split_once('T').unwrap_or((&text, ""));
    let time = time.get(..8).unwrap_or(time);
    format!("{} {day} {time} UTC, {}", weekday(at), relative(at, now))
}

fn weekday(at: Timestamp) -> &'static str {
    let day = at.seconds().div_euclid(24 * 3600).rem_euclid(7);
    WEEKDAYS[usize::try_from(day).unwrap_or_default() % WEEKDAYS.len()]
}

/// A day in UTC, as seen from `now`.
fn day(at: Timestamp, now: Timestamp) -> String {
    let days = |time: Timestamp| time.seconds().div_euclid(24 * 3600);
    match days(at) - days(now) {
        -1 => "yesterday".to_owned(),
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        past if past < 0 => format!("{} days ago", -past),
        future => format!("in {future} days"),
    }
}

/// An amount of money. Whole numbers get no currency, because nobody can know whether they count hundredths.
fn amount(text: &str, words: &[String], all: &Map<String, Value>) -> Option<String> {
    let (sign, whole, fraction) = decimal(text)?;
    let currency = currency(all);
    if has(words, &HUNDREDTHS) && fraction.is_none() {
        let padded = format!("{whole:0>3}");
        let (units, hundredths) = padded.split_at(padded.len() - 2);
        let currency = currency.map(|code| format!(" {code}")).unwrap_or_default();
        return Some(format!("{sign}{}.{hundredths}{currency}", groups(units)));
    }
    if !has(words, &MONEY_WORDS) {
        return None;
    }
    match (fraction, currency) {
        (Some(fraction), Some(code)) => {
            Some(format!("{sign}{}.{fraction:0<2} {code}", groups(whole)))
        }
        _ => grouped(text),
    }
}

/// The ISO 4217 code that another argument names.
fn currency(all: &Map<String, Value>) -> Option<String> {
    let named = |(name, value): (&String, &Value)| {
        let text = value.as_str().filter(|_| has(&words(name), &["currency"]))?;
        let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        is_code.then(|| text.to_ascii_uppercase())
    };
    all.iter().find_map(named)
}

/// The sign, the whole part and the fraction of a plain decimal number.
fn decimal(text: &str) -> Option<(&str, &str, Option<&str>)> {
    let (sign, plain) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) =
        plain.split_once('.').map_or((plain, None), |(whole, rest)| (whole, Some(rest)));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (digits(whole) && fraction.is_none_or(digits)).then_some((sign, whole, fraction))
}

/// A long number with its digits in groups of three.
fn grouped(text: &str) -> Option<String> {
    let (sign, whole, fraction) = decimal(text)?;
    let fraction = fraction.map(|fraction| format!(".{fraction}")).unwrap_or_default();
    (whole.len() >= GROUPED_FROM).then(|| format!("{sign}{}{fraction}", groups(whole)))
}

fn groups(digits: &str) -> String {
    let first = digits.len() % 3;
    let (head, rest) = digits.split_at(first);
    let rest = (0..rest.len()).step_by(3).map(|at| &rest[at..at + 3]);
    Some(head).filter(|head| !head.is_empty()).into_iter().chain(rest).collect::<Vec<_>>().join(" ")
}

/// A long text of digits in groups of four, with its length.
fn digits(text: &str) -> Option<String> {
    let long = (LONG_DIGITS..=64).contains(&text.len());
    if !long || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let groups = (0..text.len()).step_by(4).map(|at| &text[at..text.len().min(at + 4)]);
    Some(format!("{} digits: {}", text.len(), groups.collect::<Vec<_>>().join(" ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_165_200_000);

    #[track_caller]
    fn check(arguments: Value, expected: Option<&str>) {
        let all = arguments.as_object().unwrap();
        let (name, value) = all.iter().next().unwrap();
        assert_eq!(hint(name, value, all, NOW).as_deref(), expected, "{arguments}");
    }

    #[test]
    fn long_numbers_are_grouped_and_short_ones_are_left_alone() {
        check(json!({"n": 1234}), None);
        check(json!({"n": 12_345}), Some("12 345"));
        check(json!({"n": -1_234_567}), Some("-1 234 567"));
        check(json!({"n": 123_456.75}), Some("123 456.75"));
        check(json!({"n": 1e300}), None);
        check(json!({"card": "4111111111111111"}), Some("16 digits: 4111 1111 1111 1111"));
        check(json!({"zip": "12345"}), None);
    }

    /// Whether a whole number counts hundredths cannot be known, so it is never shown with a currency.
    #[test]
    fn an_amount_has_its_currency_only_if_its_unit_is_certain() {
        check(json!({"amount": 1249.5, "currency": "EUR"}), Some("1 249.50 EUR"));
        check(json!({"amount": "1249.50", "currency": "eur"}), Some("1 249.50 EUR"));
        check(json!({"amount": 124_950, "currency": "EUR"}), Some("124 950"));
        check(json!({"amount_cents": 124_950, "currency": "EUR"}), Some("1 249.50 EUR"));
        check(json!({"priceCents": 5}), Some("0.05"));
        check(json!({"amount": 9.5}), None);
        check(json!({"weight": 9.5, "currency": "EUR"}), None);
    }

    #[test]
    fn dates_have_their_weekday_and_distance() {
        check(json!({"day": "2026-11-21"}), Some("Saturday, tomorrow"));
        check(json!({"day": "2026-11-10"}), Some("Tuesday, 10 days ago"));
        check(
            json!({"at": "2026-11-20T12:00:00+01:00"}),
            Some("Friday 2026-11-20 11:00:00 UTC, in 2 h"),
        );
        check(
            json!({"expires_at": 1_795_251_600}),
            Some("Saturday 2026-11-21 09:00:00 UTC, in 1 day"),
        );
        check(
            json!({"createdAt": 1_795_161_600_000_i64}),
            Some("Friday 2026-11-20 08:00:00 UTC, 1 h ago"),
        );
        check(json!({"count": 1_795_251_600}), Some("1 795 251 600"));
        check(json!({"day": "2026-13-45"}), None);
    }

    #[test]
    fn other_values_have_no_hint() {
        for value in
            [json!("ten"), json!(""), json!(null), json!(true), json!([1]), json!({"a": 1})]
        {
            check(json!({"x": value}), None);
        }
    }
}
