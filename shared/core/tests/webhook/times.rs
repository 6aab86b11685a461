//! Signed times: tolerance and format, for every sender that signs a time.

use crate::crypto::Keys;
use crate::request::Request;
use crate::sender::{NOW, Sender, Shape, Time, Unit};
use crate::senders::SENDERS;

fn with_time() -> impl Iterator<Item = &'static Sender> {
    SENDERS.iter().filter(|sender| sender.time != Time::Unsigned)
}

/// The greatest age of a time, and how far it may be ahead, in seconds.
fn window(sender: &Sender) -> (i64, i64) {
    match sender.preset {
        "linear" => (8 * 3600, 60),
        "sns" => (7200, 300),
        _ => (300, 300),
    }
}

fn signed_at(sender: &Sender, at: i64) -> Request {
    sender.send(1, &sender.time_text(at), b"{}")
}

#[test]
fn the_tolerance_is_inclusive() {
    for sender in with_time() {
        let (past, future) = window(sender);
        for (off, fine) in [
            (0, true),
            (-past, true),
            (future, true),
            (-past - 1, false),
            (future + 1, false),
            (-1_000_000, false),
            (1_000_000, false),
        ] {
            let judged = sender.judge(&signed_at(sender, NOW + off));
            assert_eq!(judged.is_ok(), fine, "{} {off}: {judged:?}", sender.name);
        }
    }
}

/// These senders keep the time of the event in their retries: Linear repeats after a minute, an hour and six
/// hours; SNS for at most an hour.
#[test]
fn the_tolerance_covers_retries_that_keep_their_time() {
    for (preset, ages) in [("linear", &[60, 3660, 25_260][..]), ("sns", &[3600])] {
        let sender = SENDERS.iter().find(|sender| sender.preset == preset).unwrap();
        for age in ages {
            let judged = sender.judge(&signed_at(sender, NOW - age));
            assert!(judged.is_ok(), "{preset} {age}: {judged:?}");
        }
    }
}

#[test]
fn a_millisecond_counts_for_times_in_milliseconds() {
    for sender in with_time().filter(|sender| sender.time.unit() == Some(Unit::Millis)) {
        let (past, _) = window(sender);
        let edge = (NOW - past) * 1000;
        for (time, fine) in [(edge, true), (edge - 1, false)] {
            let judged = sender.judge(&sender.send(1, &time.to_string(), b"{}"));
            assert_eq!(judged.is_ok(), fine, "{} {time}", sender.name);
        }
    }
}

#[test]
fn the_signed_time_is_reported() {
    for sender in with_time() {
        let verified = sender.judge(&signed_at(sender, NOW - 7)).unwrap();
        let reported = verified.proven.signed_at.map(placet_core::Timestamp::seconds);
        assert_eq!(reported, Some(NOW - 7), "{}", sender.name);
        assert!(verified.proven.coverage.time);
    }
}

/// Each of these times is signed. Only its format is wrong.
#[test]
fn a_malformed_time_is_refused() {
    for sender in with_time() {
        let digits = sender.time_text(NOW);
        for wrong in [
            format!("+{digits}"),
            format!(" {digits}"),
            format!("{digits} "),
            format!("{digits}.5"),
            format!("-{digits}"),
            format!("{digits}{digits}"),
            format!("{digits:0>21}"),
            format!("{digits}\t"),
            "1e9".to_owned(),
            "1.8e12".to_owned(),
            "18000000001800000000".to_owned(),
            "0x6b49d200".to_owned(),
            "１８００００００００".to_owned(),
            "NaN".to_owned(),
            String::new(),
        ] {
            let judged = sender.judge(&sender.send(1, &wrong, b"{}"));
            // A list is split at spaces, and JSON may have spaces around a number.
            let trimmed = matches!(sender.time, Time::Body(Unit::Millis) | Time::Tag(_));
            if trimmed && wrong.trim() == digits {
                continue;
            }
            assert!(judged.is_err(), "{} {wrong:?}: {judged:?}", sender.name);
        }
    }
}

#[test]
fn a_time_of_another_unit_is_refused() {
    for sender in with_time() {
        for unit in [Unit::Seconds, Unit::Millis, Unit::Rfc3339] {
            if sender.time.unit() == Some(unit) {
                continue;
            }
            let judged = sender.judge(&sender.send(1, &unit.text(NOW), b"{}"));
            assert!(judged.is_err(), "{} {}", sender.name, unit.text(NOW));
        }
    }
}

#[test]
fn another_time_than_the_signed_one_is_refused() {
    for sender in with_time() {
        let request = sender.request();
        let other = sender.time_text(NOW + 1);
        let changed = match sender.time {
            Time::Header(name, _) => vec![
                request.clone().set(name, &other),
                request.clone().without(name),
                request.clone().add(name, &sender.time_text(NOW)),
                request.clone().add(name, &other),
                request.clone().set(name, &format!("0{}", sender.time_text(NOW))),
            ],
            Time::Tag(name) => changed_tag(sender, &request, name, &other),
            Time::Body(_) => {
                let text = String::from_utf8(request.body.clone()).unwrap();
                let text = text.replace(&sender.time_text(NOW), &other);
                vec![request.clone().with_body(text)]
            }
            Time::Unsigned => vec![],
        };
        for changed in changed {
            let judged = sender.judge(&changed);
            assert!(judged.is_err(), "{}: {judged:?} {changed:?}", sender.name);
        }
    }
}

/// Two times are ambiguous, even if they are equal.
fn changed_tag(sender: &Sender, request: &Request, name: &str, other: &str) -> Vec<Request> {
    let value = sender.value(request);
    let time = sender.time_text(NOW);
    let Shape::List(separator, pair, _) = sender.shape else { return vec![] };
    let values = [
        value.replace(&time, other),
        value.replace(&format!("{name}{pair}{time}{separator}"), ""),
        format!("{name}{pair}{other}{separator}{value}"),
        format!("{value}{separator}{name}{pair}{other}"),
        format!("{value}{separator}{name}{pair}{time}"),
    ];
    values.into_iter().map(|value| sender.with_value(request.clone(), &value)).collect()
}

/// If no time is signed, a time in a header is unverified.
#[test]
fn without_a_signed_time_none_is_reported() {
    for sender in SENDERS.iter().filter(|sender| sender.time == Time::Unsigned) {
        let request = sender.request().add("linear-timestamp", "1").add("date", "x");
        let verified = sender.judge(&request).unwrap();
        assert_eq!(verified.proven.signed_at, None, "{}", sender.name);
        assert!(!verified.proven.coverage.time);
        assert_ne!(sender.keys, Keys::Topic);
    }
}
