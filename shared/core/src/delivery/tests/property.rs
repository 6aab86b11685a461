//! Random histories of a delivery, compared with an independent model.

use proptest::prelude::*;

use super::*;
use crate::limits::LARGEST_ANSWER;

/// The waits in seconds after each failed attempt of a schedule. There is no wait after the eighth.
const WAITS: [u64; 7] = [5, 300, 1800, 7200, 18_000, 36_000, 36_000];

/// The state of a delivery as an observer derives it from the commands and the clock.
#[derive(Debug)]
struct Model {
    state: State,
    attempts: u32,
    failed: usize,
    /// The earliest and the latest start of the next attempt.
    earliest: Timestamp,
    latest: Timestamp,
    /// The number of entries in the log.
    logged: usize,
}

impl Model {
    const fn new() -> Self {
        let (earliest, latest) = (NOW, NOW);
        Self { state: State::Pending, attempts: 0, failed: 0, earliest, latest, logged: 0 }
    }

    /// Applies a command, or returns the code of its refusal.
    fn take(&mut self, command: &Command, now: Timestamp) -> Result<(), &'static str> {
        let pending = self.state == State::Pending;
        match command {
            Command::Redeliver => {
                (self.state, self.failed) = (State::Pending, 0);
                self.waits(now, now);
            }
            _ if !pending => return Err("not_pending"),
            Command::Started { timeout } => {
                let ended = now.plus(*timeout).plus(seconds(10));
                self.waits(ended, ended);
            }
            Command::Record { attempt, .. } if *attempt != self.attempts + 1 => {
                return Err("stale_attempt");
            }
            Command::Record { answer, .. } => self.record(answer, now),
            Command::Skip { .. } => {
                self.state = State::Skipped;
                self.logged += 1;
            }
            Command::Fail { .. } => {
                self.state = State::Failed;
                self.logged += 1;
            }
        }
        Ok(())
    }

    fn waits(&mut self, earliest: Timestamp, latest: Timestamp) {
        (self.earliest, self.latest) = (earliest, latest);
    }

    fn record(&mut self, answer: &Answer, now: Timestamp) {
        self.attempts += 1;
        self.logged += 1;
        let mut asked = Duration::ZERO;
        match answer {
            Answer::Status { status: 200..=299, .. } => self.state = State::Delivered,
            Answer::Status { status: 410, .. } => self.state = State::Failed,
            Answer::Status { retry_after, .. } => asked = retry_after.unwrap_or_default(),
            Answer::Nothing(_) | Answer::TimedOut(_) => {}
        }
        if self.state != State::Pending {
            return;
        }
        match WAITS.get(self.failed) {
            None => self.state = State::Failed,
            Some(wait) => {
                let asked = asked.min(seconds(86_400));
                let bound = |percent: u32| (seconds(*wait) * percent / 100).max(asked);
                self.waits(now.plus(bound(80)), now.plus(bound(120)));
            }
        }
        self.failed += 1;
    }
}

fn answers() -> impl Strategy<Value = Answer> {
    let codes = prop_oneof![4 => Just(500), 1 => Just(204), 1 => Just(410), 1 => 100_u16..600];
    let statuses =
        (codes, prop::option::weighted(0.2, 0_u64..200_000)).prop_map(|(status, asked)| {
            Answer::Status { status, retry_after: asked.map(seconds), body: vec![b'x'; 2000] }
        });
    prop_oneof![3 => statuses, 1 => Just(Answer::Nothing("no answer".to_owned()))]
}

/// A command. `off` is the difference between the recorded attempt and the next attempt; usually 0.
#[derive(Clone, Debug)]
enum Act {
    Send(Command),
    Record { off: i64, answer: Answer },
}

impl Act {
    fn command(&self, item: &Item<Delivery>) -> Command {
        match self {
            Self::Send(command) => command.clone(),
            Self::Record { off, answer } => {
                let attempt = (i64::from(item.attempts) + 1 + off).max(0);
                let attempt = u32::try_from(attempt).unwrap();
                Command::Record { attempt, answer: answer.clone(), took: seconds(1) }
            }
        }
    }
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (prop_oneof![6 => Just(0), 1 => -2..3_i64], answers())
            .prop_map(|(off, answer)| Act::Record { off, answer }),
        2 => (1..300_u64).prop_map(|timeout| Act::Send(started(timeout))),
        1 => Just(Act::Send(fail())),
        2 => Just(Act::Send(Command::Redeliver)),
    ]
}

/// Checks the invariants of every write.
fn check(
    before: &Item<Delivery>,
    after: &Item<Delivery>,
    now: Timestamp,
) -> Result<(), TestCaseError> {
    let fixed = |item: &Item<Delivery>| {
        let Delivery { endpoint, event_type, content_type, operation, payload, .. } =
            item.body.clone();
        (item.header.id.clone(), endpoint, event_type, content_type, operation, payload)
    };
    prop_assert_eq!(fixed(before), fixed(after), "the content of a delivery never changes");
    prop_assert_eq!(after.header.version, before.header.version + 1);
    prop_assert_eq!(after.header.children.len(), 0);
    prop_assert!(after.attempts >= before.attempts, "the number of attempts never decreases");
    prop_assert!(after.failed_attempts <= 8);
    prop_assert!(after.log.iter().all(|one| one.answer.len() <= LARGEST_ANSWER));
    let text = serde_json::to_string(&after.body).unwrap();
    let read: Delivery = serde_json::from_str(&text).unwrap();
    prop_assert_eq!(&read.with_payload(after.payload.clone()), &after.body);

    let pending = after.state == State::Pending;
    prop_assert_eq!(after.is_terminal(now), !pending);
    prop_assert_eq!(
        Delivery::expires(after).is_none(),
        pending,
        "a pending delivery is not deleted"
    );
    let Schedule { due, pointer, .. } = schedule_of(after, now, None);
    let soon = after.not_before <= now.plus(LONGEST_DELAY);
    let expected = match (pending, soon) {
        (false, _) => (None, None),
        (true, true) => (None, Some((Lane::Calls, after.not_before))),
        (true, false) => (Some(after.not_before), None),
    };
    prop_assert_eq!((due, pointer), expected);
    let held = schedule_of(after, now, Some(Lane::Calls));
    prop_assert_eq!(
        held.pointer,
        pointer.filter(|(_, at)| *at > now),
        "the worker that holds the message continues"
    );
    Ok(())
}

/// Plays the worker for an endpoint that accepts nothing, until the delivery ends.
fn driven_to_its_end(mut item: Item<Delivery>, mut now: Timestamp) -> Item<Delivery> {
    for _ in 0..8 {
        let Some((_, at)) = item.wants(now) else { break };
        now = at.max(now);
        item = attempt(&item, status(500), now);
    }
    item
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_delivery_agrees_with_the_model(
        acts in prop::collection::vec((acts(), 0_u64..50_000), 0..60),
        notifies in any::<bool>(),
    ) {
        let mut item = if notifies { notification() } else { delivery() };
        let (mut model, mut now) = (Model::new(), NOW);
        for (act, pause) in acts {
            now = now.plus(seconds(pause));
            let command = act.command(&item);
            let expected = model.take(&command, now);
            let result = item.apply(&command, &Write::new("write", now));
            let refusal = result.as_ref().err().map(|refusal| refusal.code());
            prop_assert_eq!(refusal, expected.err(), "{:?} in {:?}", command, model);
            let Ok(next) = result else { continue };
            check(&item, &next, now)?;
            prop_assert_eq!((next.state, next.attempts), (model.state, model.attempts));
            prop_assert_eq!(next.log.len(), model.logged.min(LOG));
            if next.state == State::Pending {
                let range = model.earliest..=model.latest;
                prop_assert!(range.contains(&next.not_before), "{} in {range:?}", next.not_before);
            }
            item = next;
        }
        prop_assert_ne!(driven_to_its_end(item, now).state, State::Pending);
    }
}
