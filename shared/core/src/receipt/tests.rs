mod property;

use super::*;
use crate::item::{Hold, Item, Kind as _, Lane, Rests, Schedule, Write};
use crate::webhook::Coverage;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

/// A new receipt, which is remembered for a minute.
fn receipt() -> Item<Receipt> {
    let record = Record {
        source: "github".to_owned(),
        delivery_id: Some("72d3162e".to_owned()),
        method: "POST".to_owned(),
        path: "/webhooks/github".to_owned(),
        rest: String::new(),
        query: String::new(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        received_at: NOW,
    };
    let coverage = Coverage { body: true, ..Coverage::default() };
    let check = "hmac-sha256".to_owned();
    let receipt = Receipt {
        record,
        verified: Verification { check, key: Some(1), signed_at: None, coverage },
        remembered_until: at(60),
        state: State::Received,
        event_type: None,
        note: String::new(),
        replays: None,
        body: Payload::Plain(b"{}".to_vec()),
    };
    Item::new("default", "github.0123abcd", receipt, &Write::new("write-1", NOW))
}

/// The moment this many seconds after the receipt.
fn at(seconds: u64) -> Timestamp {
    NOW.plus(std::time::Duration::from_secs(seconds))
}

fn processed() -> Command {
    processed_for(0)
}

/// The command that records the processing for this replay.
fn processed_for(replay: u32) -> Command {
    let (event_type, note) = (Some("issues.opened".to_owned()), "logged".to_owned());
    Command::Processed { replay, event_type, note }
}

fn fail() -> Command {
    let note = "a decision on an operation that does not exist".to_owned();
    Command::Fail { replay: 0, event_type: Some("issues.opened".to_owned()), note }
}

fn abandon() -> Command {
    Receipt::failed("its source is gone".to_owned())
}

#[track_caller]
fn after(item: &Item<Receipt>, command: &Command, now: Timestamp) -> Item<Receipt> {
    item.apply(command, &Write::new("write", now)).unwrap()
}

/// A receipt in this state.
fn in_state(state: State) -> Item<Receipt> {
    match state {
        State::Received => receipt(),
        State::Processed => after(&receipt(), &processed(), NOW),
        State::Failed => after(&receipt(), &fail(), NOW),
        State::Duplicate => {
            let item = receipt();
            Item { body: item.body.duplicate_of("github.4567cdef"), ..receipt() }
        }
    }
}

#[test]
fn every_command_in_every_state() {
    for (state, expected) in [
        (State::Received, ["processed", "failed", "failed", "under_way", "under_way"]),
        (
            State::Processed,
            ["not_received", "not_received", "not_received", "received", "not_failed"],
        ),
        (State::Failed, ["not_received", "not_received", "not_received", "received", "received"]),
        (
            State::Duplicate,
            ["not_received", "not_received", "not_received", "received", "not_failed"],
        ),
    ] {
        let commands = [processed(), fail(), abandon(), Command::Replay, Command::Redeliver];
        let results = commands.map(|command| {
            match in_state(state).apply(&command, &Write::new("write", NOW)) {
                Ok(next) => next.state.as_str(),
                Err(refusal) => refusal.code(),
            }
        });
        assert_eq!(results, expected, "{state:?}");
    }
}

#[test]
fn a_receipt_needs_a_worker_until_it_is_processed() {
    for state in State::ALL {
        let item = in_state(state);
        let Schedule { due, pointer, rests } = item.schedule(None, NOW, None);
        assert_eq!(due, None, "an accepted webhook needs no index entry");
        let expected = match state {
            State::Received => (Some((Lane::Work, NOW)), Rests::Message),
            State::Processed | State::Failed | State::Duplicate => (None, Rests::Nothing),
        };
        assert_eq!((pointer, rests), expected, "{state:?}");
        assert_eq!(item.is_terminal(NOW), state != State::Received);
    }
    for lane in Lane::ALL {
        let hold = Hold { lane, receives: 1 };
        assert_eq!(receipt().schedule(None, NOW, Some(&hold)).pointer, None, "{lane:?}");
    }
}

#[test]
fn an_end_records_the_event_type_and_a_note() {
    let done = in_state(State::Processed);
    assert_eq!((done.event_type.as_deref(), done.note.as_str()), (Some("issues.opened"), "logged"));
    let failed = in_state(State::Failed);
    assert_eq!(failed.note, "a decision on an operation that does not exist");
    let unreadable = after(&receipt(), &Receipt::failed("it is not JSON".to_owned()), NOW);
    assert_eq!((unreadable.state, unreadable.note.as_str()), (State::Failed, "it is not JSON"));
    assert_eq!(unreadable.event_type, None);
}

#[test]
fn a_replay_is_counted_and_processed_again() {
    let mut item = in_state(State::Failed);
    for count in 1..=3 {
        let now = at(u64::from(count));
        item = after(&item, &Command::Replay, now);
        assert_eq!(
            (item.state, item.replays),
            (State::Received, Some(Replays { count, last_at: now }))
        );
        assert_eq!(item.wants(now), Some((Lane::Work, NOW)), "the replay is due at once");
        item = after(&item, &processed_for(count), now);
        assert_eq!((item.state, item.note.as_str()), (State::Processed, "logged"));
        assert_eq!(item.replays.map(|replays| replays.count), Some(count));
    }
    let most = Replays { count: u32::MAX, last_at: NOW };
    item.body.replays = Some(most);
    assert_eq!(after(&item, &Command::Replay, NOW).replays, Some(most));
}

/// A worker that was slow the first time does not end a replay, because the replay may have other targets.
#[test]
fn a_report_on_an_earlier_replay_is_refused() {
    let replayed = after(&in_state(State::Failed), &Command::Replay, at(1));
    for late in [processed(), fail()] {
        assert_eq!(replayed.apply(&late, &Write::new("write", NOW)), Err(Refusal::StaleReplay));
    }
    assert_eq!(after(&replayed, &processed_for(1), NOW).state, State::Processed);
}

#[test]
fn only_an_ended_receipt_expires() {
    assert_eq!(Receipt::expires(&in_state(State::Received)), None);
    for state in [State::Processed, State::Failed, State::Duplicate] {
        let item = in_state(state);
        assert_eq!(Receipt::expires(&item), Some(at(60)));
        assert_eq!(Receipt::expires(&after(&item, &Command::Replay, at(1))), None);
    }
}

#[test]
fn the_payload_of_a_receipt_is_the_raw_body() {
    let item = receipt();
    assert_eq!(item.body.payload(), Some(&Payload::Plain(b"{}".to_vec())));
    let blob = Payload::Blob { key: "blob/abc".to_owned(), size: 9 };
    let next =
        after(&Item { body: item.body.with_payload(blob.clone()), ..receipt() }, &processed(), NOW);
    assert_eq!(next.body.payload(), Some(&blob));
}

#[test]
fn the_stored_form_of_a_receipt() {
    let replayed = after(&in_state(State::Processed), &Command::Replay, at(1));
    insta::assert_json_snapshot!(replayed.body, @r#"
    {
      "record": {
        "source": "github",
        "delivery_id": "72d3162e",
        "method": "POST",
        "path": "/webhooks/github",
        "headers": [
          [
            "content-type",
            "application/json"
          ]
        ],
        "received_at": 1795000000000
      },
      "verified": {
        "check": "hmac-sha256",
        "key": 1,
        "signed_at": null,
        "coverage": {
          "body": true,
          "identity": false,
          "type": false,
          "time": false,
          "url": false
        }
      },
      "remembered_until": 1795000060000,
      "state": "received",
      "event_type": "issues.opened",
      "note": "logged",
      "replays": {
        "count": 1,
        "last_at": 1795000001000
      }
    }
    "#);
    for state in State::ALL {
        assert_eq!(State::parse(state.as_str()), Some(state));
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
}

#[test]
fn an_id_is_a_source_and_hexadecimal_digits() {
    let long = |length: usize| "a".repeat(length);
    for id in ["github.0a", "my.source-1_b.AB12", &format!("{}.{}", long(64), long(64))] {
        assert!(Receipt::is_id(id), "{id}");
    }
    let too_long = [format!("{}.0a", long(65)), format!("github.{}", long(65))];
    for wrong in
        ["", ".", "github", "github.", ".0a", "github.xyz", "git hub.0a", "gïthub.0a", "a/b.0a"]
    {
        assert!(!Receipt::is_id(wrong), "{wrong}");
    }
    assert!(!too_long.iter().any(|id| Receipt::is_id(id)));
}
