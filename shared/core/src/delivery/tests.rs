use std::time::Duration;

use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const TIMEOUT: Duration = Duration::from_secs(20);

fn delivery() -> Delivery {
    let new = NewDelivery {
        tenant: "default".to_owned(),
        endpoint: "billing".to_owned(),
        key: "receipt-1".to_owned(),
        event_type: "order.paid".to_owned(),
        content_type: "application/json".to_owned(),
    };
    Delivery::new(new, "w", NOW)
}

fn status(status: u16) -> Answer {
    Answer::Status { status, retry_after: None, body: b"thanks".to_vec() }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[track_caller]
fn after(delivery: &Delivery, command: &Command, now: Timestamp) -> Transition {
    delivery.apply(command, "w", now).unwrap()
}

/// One whole attempt that ends with this answer.
#[track_caller]
fn attempt(delivery: &Delivery, answer: Answer, now: Timestamp) -> Transition {
    let started = after(delivery, &Command::Start { timeout: TIMEOUT }, now).delivery;
    let attempt = started.lease.as_ref().unwrap().attempt;
    after(&started, &Command::Record { attempt, answer, took: seconds(1) }, now)
}

#[test]
fn the_id_depends_on_endpoint_and_key_and_can_be_signed() {
    let id = Delivery::id_of("billing", "receipt-1");
    assert_eq!(id, Delivery::id_of("billing", "receipt-1"));
    assert_ne!(id, Delivery::id_of("billing", "receipt-2"));
    assert_ne!(id, Delivery::id_of("other", "receipt-1"));
    assert!(Delivery::is_id(&id) && !id.contains('.'));
    for wrong in ["", "msg_", "msg_1", "x", &id[1..], &format!("{id}0"), &id.replace("msg_", "")] {
        assert!(!Delivery::is_id(wrong), "{wrong}");
    }
}

#[test]
fn a_success_ends_it() {
    for code in [200, 202, 204, 299] {
        let Transition { delivery, send } = attempt(&delivery(), status(code), NOW);
        assert_eq!((delivery.state, delivery.due, send), (State::Delivered, None, None));
        let logged = &delivery.log[0];
        assert_eq!((logged.status, logged.duration_ms), (Some(code), 1000));
        assert_eq!((logged.answer.as_str(), &logged.error), ("thanks", &None));
    }
}

#[test]
fn anything_else_is_tried_again_and_gone_is_not() {
    for code in [100, 199, 300, 301, 307, 400, 401, 404, 429, 500, 503, 599] {
        let Transition { delivery, send } = attempt(&delivery(), status(code), NOW);
        assert_eq!(delivery.state, State::Pending, "{code}");
        let wait = send.unwrap();
        assert!((seconds(4)..=seconds(6)).contains(&wait));
        assert_eq!(delivery.not_before, NOW.plus(wait));
        assert!(delivery.due.unwrap() > delivery.not_before);
    }
    let lost = attempt(&delivery(), Answer::Nothing("reset".to_owned()), NOW).delivery;
    assert_eq!((lost.state, lost.log[0].error.as_deref()), (State::Pending, Some("reset")));
    let gone = attempt(&delivery(), status(410), NOW);
    assert_eq!((gone.delivery.state, gone.send), (State::Failed, None));
}

#[test]
fn the_schedule_is_gone_through_once() {
    let mut current = delivery();
    let mut now = NOW;
    for number in 1..=8_u32 {
        assert_eq!(current.state, State::Pending);
        let Transition { delivery, send } = attempt(&current, status(500), now);
        assert_eq!((delivery.attempts, delivery.log.len()), (number, number as usize));
        // What a message can not wait for is left to the timer, which comes in time.
        if number < 8 && send.is_none() {
            assert_eq!(delivery.due, Some(delivery.not_before));
        }
        assert_eq!(send.is_some(), number < 3);
        now = delivery.not_before;
        current = delivery;
    }
    assert_eq!((current.state, current.due), (State::Failed, None));
    let hours = now.since(NOW).as_secs_f64() / 3600.0;
    assert!((22.0..34.0).contains(&hours), "{hours}");
}

#[test]
fn a_longer_wish_of_the_endpoint_is_respected() {
    let asked = |asked| {
        let answer =
            Answer::Status { status: 429, retry_after: Some(seconds(asked)), body: Vec::new() };
        attempt(&delivery(), answer, NOW).delivery.not_before.since(NOW)
    };
    assert_eq!(asked(600), seconds(600));
    assert_eq!(asked(u64::MAX), seconds(86_400));
    assert!(asked(0) >= seconds(4));
}

#[test]
fn one_attempt_at_a_time_and_none_too_early() {
    let start = Command::Start { timeout: TIMEOUT };
    let started = after(&delivery(), &start, NOW).delivery;
    let refused = |delivery: &Delivery, command: &Command, now| {
        delivery.apply(command, "w", now).unwrap_err().code()
    };
    assert_eq!(refused(&started, &start, NOW), "lease_held");
    assert_eq!(refused(&started, &Command::Redeliver, NOW), "lease_held");
    assert_eq!(refused(&started, &Command::GiveUp { reason: String::new() }, NOW), "lease_held");
    assert_eq!(refused(&started, &Command::Redrive, NOW.plus(TIMEOUT)), "nothing_due");
    let stale = Command::Record { attempt: 2, answer: status(200), took: seconds(1) };
    assert_eq!(refused(&started, &stale, NOW), "stale_attempt");

    let waiting = attempt(&delivery(), status(500), NOW).delivery;
    assert_eq!(refused(&waiting, &start, NOW), "too_early");
    assert!(waiting.apply(&start, "w", waiting.not_before).is_ok());

    let delivered = attempt(&delivery(), status(200), NOW).delivery;
    assert_eq!(refused(&delivered, &start, NOW), "not_pending");
    assert_eq!(refused(&delivered, &Command::Redrive, NOW.plus(seconds(9_999))), "nothing_due");
}

#[test]
fn a_worker_that_is_not_heard_of_counts_as_a_failed_attempt() {
    let started = after(&delivery(), &Command::Start { timeout: TIMEOUT }, NOW).delivery;
    let lapsed = started.lease.clone().unwrap().until;
    let Transition { delivery, send } = after(&started, &Command::Redrive, lapsed);
    assert_eq!((delivery.state, delivery.lease), (State::Pending, None));
    assert!(send.is_some_and(|wait| wait <= seconds(6)));
    assert!(delivery.log[0].error.as_deref().unwrap().contains("not heard of"));
}

#[test]
fn a_lost_message_is_sent_again() {
    let new = delivery();
    let due = new.due.unwrap();
    let Transition { delivery, send } = after(&new, &Command::Redrive, due);
    assert_eq!((delivery.tries, send), (0, Some(Duration::ZERO)));
    assert!(delivery.due.unwrap() > due);
}

#[test]
fn sent_again_by_hand_it_keeps_its_id_and_starts_anew() {
    let give_up = Command::GiveUp { reason: "the endpoint is disabled".to_owned() };
    let failed = after(&delivery(), &give_up, NOW).delivery;
    assert_eq!((failed.state, failed.log[0].attempt), (State::Failed, 0));
    let later = NOW.plus(seconds(999));
    for ended in [failed, attempt(&delivery(), status(200), NOW).delivery] {
        let Transition { delivery, send } = after(&ended, &Command::Redeliver, later);
        assert_eq!((&delivery.id, delivery.state), (&ended.id, State::Pending));
        assert_eq!((delivery.tries, delivery.not_before), (0, later));
        assert_eq!((delivery.attempts, send), (ended.attempts, Some(Duration::ZERO)));
    }
}

#[test]
fn what_is_kept_of_answers_is_bounded() {
    let huge = Answer::Status { status: 500, retry_after: None, body: vec![0xff; 9000] };
    let kept = attempt(&delivery(), huge, NOW).delivery.log[0].answer.clone();
    assert!(kept.len() <= LARGEST_ANSWER && kept.chars().all(|c| c == '\u{fffd}'));
    let reason = "é".repeat(2000);
    let kept = attempt(&delivery(), Answer::Nothing(reason), NOW).delivery.log[0].clone();
    assert!(kept.error.unwrap().len() <= LARGEST_ERROR);
}

fn any_answer() -> impl Strategy<Value = Answer> {
    let status =
        (100_u16..600, proptest::option::of(0_u64..200_000)).prop_map(|(status, asked)| {
            Answer::Status { status, retry_after: asked.map(seconds), body: vec![b'x'; 2000] }
        });
    prop_oneof![3 => status, 1 => Just(Answer::Nothing("no".to_owned()))]
}

fn any_command() -> impl Strategy<Value = Command> {
    let took = seconds(1);
    prop_oneof![
        4 => Just(Command::Start { timeout: TIMEOUT }),
        4 => (0_u32..12, any_answer())
            .prop_map(move |(attempt, answer)| Command::Record { attempt, answer, took }),
        1 => Just(Command::GiveUp { reason: "disabled".to_owned() }),
        3 => Just(Command::Redrive),
        1 => Just(Command::Redeliver),
    ]
}

/// Drives a delivery as timer and worker would, with an endpoint that never answers well.
fn driven_to_its_end(mut delivery: Delivery) -> Delivery {
    for _ in 0..40 {
        let Some(due) = delivery.due else { return delivery };
        delivery = after(&delivery, &Command::Redrive, due).delivery;
        let now = delivery.not_before;
        if let Ok(started) = delivery.apply(&Command::Start { timeout: TIMEOUT }, "w", now) {
            delivery = started.delivery;
        }
    }
    delivery
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_ever_stuck(history in proptest::collection::vec((any_command(), 0_u64..50_000), 0..60)) {
        let mut current = delivery();
        let mut now = NOW;
        for (command, pause) in history {
            now = now.plus(seconds(pause));
            let Ok(Transition { delivery: next, send }) = current.apply(&command, "w", now) else {
                continue;
            };
            prop_assert_eq!(next.due.is_some(), next.state == State::Pending);
            prop_assert!(next.lease.is_none() || next.state == State::Pending);
            prop_assert_eq!((&next.id, next.version), (&current.id, current.version + 1));
            prop_assert!(next.attempts >= current.attempts && next.tries <= 8);
            prop_assert!(next.log.len() <= LOG);
            prop_assert!(send.is_none_or(|_| next.state == State::Pending));
            if let Some(due) = next.due {
                // The longest wait is a day, or ten hours and a fifth, and some grace.
                prop_assert!(due.since(now) <= seconds(86_400 + 200));
            }
            current = next;
        }
        prop_assert!(driven_to_its_end(current).state != State::Pending);
    }
}
