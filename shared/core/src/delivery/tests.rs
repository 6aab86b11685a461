mod property;

use std::time::Duration;

use super::*;
use crate::Secret;
use crate::item::{Hold, Kind as _, LONGEST_DELAY, Lane, Next, Rests, Schedule, Write};
use crate::limits::LARGEST_ANSWER;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const ENDED: [u16; 2] = [200, 410];

/// The first version of a delivery with a payload.
fn delivery() -> Item<Delivery> {
    let payload = Payload::Plain(b"{}".to_vec());
    stored(Delivery::of("billing", "order.paid", "application/json", payload, NOW))
}

/// The first version of a delivery that notifies of a decision.
fn notification() -> Item<Delivery> {
    let id = OperationId::call("default", "call-1");
    let decision = Occurrence { event: Event::Completed, number: 1, at: NOW };
    stored(Delivery::notification("app", "function_call.completed", &id, decision))
}

fn stored(delivery: Delivery) -> Item<Delivery> {
    let id = Delivery::id(&delivery.endpoint, "receipt-1");
    Item::new("default", &id, delivery, &Write::new("write-1", NOW))
}

fn status(status: u16) -> Answer {
    Answer::Status { status, retry_after: None, body: b"thanks".to_vec() }
}

/// A 429 answer with a `Retry-After` of this many seconds.
fn busy(seconds_asked: u64) -> Answer {
    Answer::Status { status: 429, retry_after: Some(seconds(seconds_asked)), body: Vec::new() }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn record(item: &Item<Delivery>, answer: Answer) -> Command {
    Command::Record { attempt: item.attempts + 1, answer, took: seconds(1) }
}

fn fail() -> Command {
    Command::Fail { reason: "the endpoint is not in placet.yaml any more".to_owned() }
}

const fn started(timeout: u64) -> Command {
    Command::Started { timeout: seconds(timeout) }
}

#[track_caller]
fn after(item: &Item<Delivery>, command: &Command, now: Timestamp) -> Item<Delivery> {
    item.apply(command, &Write::new("write", now)).unwrap()
}

/// The delivery after one attempt with this answer.
#[track_caller]
fn attempt(item: &Item<Delivery>, answer: Answer, now: Timestamp) -> Item<Delivery> {
    after(item, &record(item, answer), now)
}

fn schedule_of(item: &Item<Delivery>, now: Timestamp, hold: Option<Lane>) -> Schedule {
    let hold = hold.map(|lane| Hold { lane, receives: 1 });
    item.schedule(None, now, hold.as_ref())
}

#[test]
fn the_id_depends_on_endpoint_and_key_and_has_no_full_stop() {
    let id = Delivery::id("billing", "receipt-1");
    assert_eq!(id, Delivery::id("billing", "receipt-1"));
    assert_ne!(id, Delivery::id("billing", "receipt-2"));
    assert_ne!(id, Delivery::id("other", "receipt-1"));
    assert!(Delivery::is_id(&id) && !id.contains('.'));
    for wrong in ["", "msg_", "msg_1", "x", &id[1..], &format!("{id}0"), &id.replace("msg_", "")] {
        assert!(!Delivery::is_id(wrong), "{wrong}");
    }
}

#[test]
fn a_new_delivery_may_be_sent_before_it_is_stored() {
    const { assert!(Delivery::REPEATABLE, "a repeated attempt does no harm") };
    for item in [delivery(), notification()] {
        assert_eq!(item.wants(NOW), Some((Lane::Calls, NOW)));
        let unstored = item.apply_unstored(&record(&item, status(200)), &Write::new("w", NOW));
        let unstored = unstored.unwrap();
        assert_eq!((unstored.state, unstored.header.version), (State::Delivered, 1));
    }
}

#[test]
fn an_accepted_delivery_is_terminal() {
    for code in [200, 202, 204, 299] {
        let item = attempt(&delivery(), status(code), NOW);
        assert_eq!((item.state, item.attempts), (State::Delivered, 1));
        assert!(item.is_terminal(NOW));
        let logged = &item.log[0];
        assert_eq!((logged.attempt, logged.status, logged.duration_ms), (1, Some(code), 1000));
        assert_eq!((logged.answer.as_str(), &logged.error), ("thanks", &None));
    }
}

#[test]
fn any_other_answer_is_retried_except_410() {
    for code in [100, 199, 300, 301, 307, 400, 401, 404, 409, 411, 429, 500, 503, 599] {
        let item = attempt(&delivery(), status(code), NOW);
        assert_eq!((item.state, item.failed_attempts), (State::Pending, 1), "{code}");
        let wait = item.not_before.since(NOW);
        assert!((seconds(4)..=seconds(6)).contains(&wait), "{code}: {wait:?}");
        let pointer = Some((Lane::Calls, item.not_before));
        assert_eq!(schedule_of(&item, NOW, None).pointer, pointer);
    }
    let lost = attempt(&delivery(), Answer::Nothing("reset".to_owned()), NOW);
    assert_eq!((lost.state, lost.log[0].error.as_deref()), (State::Pending, Some("reset")));
    let gone = attempt(&delivery(), status(410), NOW);
    assert_eq!((gone.state, gone.is_terminal(NOW)), (State::Failed, true));
}

#[test]
fn a_delivery_fails_at_the_end_of_its_schedule() {
    let (mut item, mut now) = (delivery(), NOW);
    for number in 1..=8_u32 {
        assert_eq!(item.state, State::Pending);
        item = attempt(&item, status(500), now);
        assert_eq!((item.attempts, item.log.len()), (number, number as usize));
        let Schedule { due, pointer, rests } = schedule_of(&item, now, None);
        // The timer handles a wait that is longer than the longest message delay.
        let expected = match number {
            1 | 2 => (None, Some((Lane::Calls, item.not_before)), Rests::Message),
            3..=7 => (Some(item.not_before), None, Rests::Due),
            _ => (None, None, Rests::Nothing),
        };
        assert_eq!((due, pointer, rests), expected, "attempt {number}");
        now = item.not_before.max(now);
    }
    assert_eq!((item.state, item.failed_attempts), (State::Failed, 8));
    let hours = now.since(NOW).as_secs_f64() / 3600.0;
    assert!((22.0..34.0).contains(&hours), "{hours}");
}

#[test]
fn a_longer_wait_that_the_endpoint_asks_for_is_respected() {
    let waits = |asked| attempt(&delivery(), busy(asked), NOW).not_before.since(NOW);
    assert_eq!(waits(600), seconds(600));
    assert_eq!(waits(u64::MAX), seconds(86_400));
    assert!(waits(0) >= seconds(4));
}

#[test]
fn only_one_of_two_workers_records_the_same_attempt() {
    let first = delivery();
    let recorded = attempt(&first, status(500), NOW);
    let again = record(&first, status(200));
    let refused = recorded.apply(&again, &Write::new("w", NOW)).unwrap_err();
    assert_eq!((refused, refused.code()), (Refusal::StaleAttempt, "stale_attempt"));
    for number in [0, 3, u32::MAX] {
        let command = Command::Record { attempt: number, answer: status(200), took: seconds(1) };
        let refused = recorded.apply(&command, &Write::new("w", NOW)).unwrap_err();
        assert_eq!(refused, Refusal::StaleAttempt, "attempt {number}");
    }
}

#[test]
fn the_next_attempt_waits_until_a_started_attempt_must_have_ended() {
    let item = after(&delivery(), &started(20), NOW);
    assert_eq!((item.state, item.attempts), (State::Pending, 0));
    assert_eq!(item.not_before, NOW.plus(seconds(30)));
    let pointer = Some((Lane::Calls, item.not_before));
    assert_eq!(schedule_of(&item, NOW, Some(Lane::Calls)).pointer, pointer);
    let recorded = attempt(&item, status(200), NOW.plus(seconds(5)));
    assert_eq!((recorded.state, recorded.attempts), (State::Delivered, 1));
    let longest = after(&delivery(), &Command::Started { timeout: Duration::MAX }, NOW);
    assert_eq!(longest.not_before, Timestamp::from_millis(i64::MAX));
}

#[test]
fn every_command_in_every_state() {
    let pending = delivery();
    let [delivered, failed] = ENDED.map(|code| attempt(&pending, status(code), NOW));
    for (item, expected) in [
        (pending, ["pending", "delivered", "failed", "pending"]),
        (delivered, ["not_pending", "not_pending", "not_pending", "pending"]),
        (failed, ["not_pending", "not_pending", "not_pending", "pending"]),
    ] {
        let commands = [started(20), record(&item, status(200)), fail(), Command::Redeliver];
        let results = commands.map(|command| match item.apply(&command, &Write::new("w", NOW)) {
            Ok(next) => next.state.as_str(),
            Err(refusal) => refusal.code(),
        });
        assert_eq!(results, expected, "{:?}", item.state);
    }
}

#[test]
fn a_delivery_that_cannot_be_sent_fails_without_an_attempt() {
    let failed = after(&delivery(), &fail(), NOW);
    assert_eq!((failed.state, failed.attempts), (State::Failed, 0));
    let reason = "the endpoint is not in placet.yaml any more";
    assert_eq!((failed.log[0].attempt, failed.log[0].error.as_deref()), (0, Some(reason)));
    assert_eq!(Delivery::failed(reason.to_owned()), fail(), "the engine uses the same command");
}

#[test]
fn a_redelivery_starts_the_schedule_again() {
    let later = NOW.plus(seconds(999));
    let mut exhausted = delivery();
    for _ in 0..8 {
        exhausted = attempt(&exhausted, status(500), NOW);
    }
    let waiting = attempt(&delivery(), status(500), NOW);
    let unsent = after(&delivery(), &fail(), NOW);
    let [delivered, gone] = ENDED.map(|code| attempt(&delivery(), status(code), NOW));
    for ended in [exhausted, waiting, unsent, delivered, gone] {
        let again = after(&ended, &Command::Redeliver, later);
        assert_eq!((&again.header.id, again.state), (&ended.header.id, State::Pending));
        assert_eq!((again.failed_attempts, again.not_before), (0, later));
        assert_eq!((again.attempts, &again.log), (ended.attempts, &ended.log));
        assert_eq!(schedule_of(&again, later, None).pointer, Some((Lane::Calls, later)));
        let recorded = attempt(&again, status(200), later);
        assert_eq!((recorded.state, recorded.attempts), (State::Delivered, ended.attempts + 1));
    }
}

#[test]
fn the_log_of_answers_is_bounded() {
    let huge = Answer::Status { status: 500, retry_after: None, body: vec![0xff; 9000] };
    let kept = attempt(&delivery(), huge, NOW).log[0].answer.clone();
    assert!(kept.len() <= LARGEST_ANSWER && kept.chars().all(|c| c == '\u{fffd}'));
    let reason = "é".repeat(2000);
    let kept = attempt(&delivery(), Answer::Nothing(reason), NOW).log[0].clone();
    assert_eq!(kept.error, Some("é".repeat(LARGEST_ERROR / 2)));
    let mut item = delivery();
    for _ in 0..3 {
        for _ in 0..8 {
            item = attempt(&item, status(500), NOW);
        }
        item = after(&item, &Command::Redeliver, NOW);
    }
    let numbers: Vec<u32> = item.log.iter().map(|attempt| attempt.attempt).collect();
    assert_eq!(numbers, (9..=24).collect::<Vec<_>>(), "the last two schedules");
}

#[test]
fn only_a_notification_accepted_at_the_first_attempt_is_not_listed() {
    let accepted = |item: &Item<Delivery>| attempt(item, status(200), NOW);
    let retried = |item: &Item<Delivery>| attempt(item, status(500), NOW);
    for (item, listed) in [
        (notification(), true),
        (retried(&notification()), true),
        (accepted(&notification()), false),
        (accepted(&retried(&notification())), true),
        (after(&notification(), &fail(), NOW), true),
        (after(&accepted(&notification()), &Command::Redeliver, NOW), true),
        (accepted(&delivery()), true),
    ] {
        assert_eq!(item.is_listed(), listed, "{:?} after {}", item.state, item.attempts);
    }
}

#[test]
fn a_delivery_whose_attempts_are_paused_for_ten_days_fails() {
    let ten_days = |item: &Item<Delivery>| item.since.plus(seconds(10 * 24 * 3600));
    let item = attempt(&delivery(), status(500), NOW);
    let end = ten_days(&item);
    assert!(item.wants(Timestamp::from_millis(end.millis() - 1)).is_some());
    let Next::Transition(command) = Delivery::next(&item, end) else { panic!("it still waits") };
    let failed = after(&item, &command, end);
    assert_eq!((failed.state, failed.attempts), (State::Failed, 1));
    let again = after(&failed, &Command::Redeliver, end);
    assert_eq!((again.state, ten_days(&again) > end), (State::Pending, true));
}

#[test]
fn a_delivery_is_kept_for_a_week_after_its_end() {
    let week = seconds(7 * 24 * 3600);
    assert_eq!(Delivery::expires(&delivery()), None);
    let later = NOW.plus(seconds(999));
    for code in ENDED {
        let ended = attempt(&delivery(), status(code), later);
        assert_eq!(Delivery::expires(&ended), Some(later.plus(week)));
        let again = after(&ended, &Command::Redeliver, later);
        assert_eq!(Delivery::expires(&again), None, "a pending delivery does not expire");
    }
}

#[test]
fn the_body_of_a_notification_comes_from_its_operation() {
    let notification = notification();
    assert_eq!(notification.body.payload(), None);
    let decision = Occurrence { event: Event::Completed, number: 1, at: NOW };
    let id = OperationId::call("default", "call-1");
    assert_eq!(notification.notifies_of(), Some((id, decision)));
    let forwarded = delivery();
    assert_eq!(forwarded.notifies_of(), None);
    assert_eq!(forwarded.body.payload(), Some(&Payload::Plain(b"{}".to_vec())));
    let blob = Payload::Blob { key: "blob/abc".to_owned(), size: 9 };
    assert_eq!(forwarded.body.with_payload(blob.clone()).payload(), Some(&blob));
}

/// An older version of Placet reads a stored decision as it always did. It does not know the type of another event,
/// so it sends nothing for it.
#[test]
fn the_stored_form_of_a_notification_of_another_event() {
    let id = OperationId::call("default", "call-1");
    let reminded = Occurrence { event: Event::Reminded, number: 2, at: NOW };
    let item =
        stored(Delivery::notification("app", "v1beta2.function_call.reminded", &id, reminded));
    insta::assert_json_snapshot!(item.body, @r#"
    {
      "endpoint": "app",
      "event_type": "v1beta2.function_call.reminded",
      "content_type": "application/json",
      "decision_of": "function_call/call-1",
      "occurrence": {
        "event": "reminded",
        "number": 2,
        "at": 1795000000000
      },
      "state": "pending",
      "attempts": 0,
      "failed_attempts": 0,
      "not_before": 1795000000000,
      "since": 1795000000000
    }
    "#);
    assert_eq!(item.notifies_of(), Some((id, reminded)));
}

#[test]
fn the_stored_form_of_a_delivery() {
    insta::assert_json_snapshot!(attempt(&notification(), busy(60), NOW).body, @r#"
    {
      "endpoint": "app",
      "event_type": "function_call.completed",
      "content_type": "application/json",
      "decision_of": "function_call/call-1",
      "state": "pending",
      "attempts": 1,
      "failed_attempts": 1,
      "not_before": 1795000060000,
      "since": 1795000000000,
      "log": [
        {
          "attempt": 1,
          "at": 1795000000000,
          "status": 429,
          "duration_ms": 1000
        }
      ]
    }
    "#);
    insta::assert_json_snapshot!(delivery().body, @r#"
    {
      "endpoint": "billing",
      "event_type": "order.paid",
      "content_type": "application/json",
      "state": "pending",
      "attempts": 0,
      "failed_attempts": 0,
      "not_before": 1795000000000,
      "since": 1795000000000
    }
    "#);
    for state in State::ALL {
        assert_eq!(State::parse(state.as_str()), Some(state));
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
}

/// During a change of secrets, a receiver that has only one of the secrets can verify.
#[test]
fn every_attempt_has_the_id_and_its_own_time() {
    let secret = [Secret::new("a secret of the endpoint").unwrap()];
    let item = delivery();
    let header = |now: Timestamp, name: &str| {
        let headers = signed_headers(&secret, &item.header.id, now, b"{}");
        headers.into_iter().find(|(known, _)| *known == name).unwrap().1
    };
    let later = NOW.plus(LONGEST_DELAY);
    assert_eq!(header(NOW, "webhook-id"), header(later, "webhook-id"));
    assert_ne!(header(NOW, "webhook-timestamp"), header(later, "webhook-timestamp"));
    assert_ne!(header(NOW, "webhook-signature"), header(later, "webhook-signature"));
}
