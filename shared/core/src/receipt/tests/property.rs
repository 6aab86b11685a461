//! Random histories of a receipt, compared with an independent model.

use proptest::prelude::*;

use super::*;

/// The state of a receipt as an observer derives it from the commands.
#[derive(Debug, Default)]
struct Model {
    /// The note of the last end; `None` while the receipt is not processed.
    ended: Option<String>,
    /// Whether the last end was a failure.
    failed: bool,
    replays: u32,
}

impl Model {
    /// Applies a command, or returns the code of its refusal.
    fn take(&mut self, command: &Command) -> Result<(), &'static str> {
        match (command, &self.ended) {
            (Command::Replay | Command::Redeliver, None) => return Err("under_way"),
            (Command::Redeliver, Some(_)) if !self.failed => return Err("not_failed"),
            (Command::Replay | Command::Redeliver, Some(_)) => {
                self.replays += 1;
                self.ended = None;
            }
            (_, Some(_)) => return Err("not_received"),
            (Command::Processed { replay, .. } | Command::Fail { replay, .. }, None)
                if *replay != self.replays =>
            {
                return Err("stale_replay");
            }
            (Command::Processed { note, .. } | Command::Fail { note, .. }, None) => {
                self.ended = Some(note.clone());
                self.failed = matches!(command, Command::Fail { .. });
            }
            (Command::Abandon { reason }, None) => {
                self.ended = Some(reason.clone());
                self.failed = true;
            }
        }
        Ok(())
    }
}

fn commands() -> impl Strategy<Value = Command> {
    let note = prop::sample::select(vec!["logged", "", "asked a person"]).prop_map(str::to_owned);
    let event_type = prop::option::of(Just("issues.opened".to_owned()));
    let abandon = note.clone().prop_map(|reason| Command::Abandon { reason });
    let end = (0..4_u32, event_type, note, any::<bool>());
    let end = end.prop_map(|(replay, event_type, note, well)| match well {
        true => Command::Processed { replay, event_type, note },
        false => Command::Fail { replay, event_type, note },
    });
    prop_oneof![6 => end, 1 => abandon, 2 => Just(Command::Replay), 2 => Just(Command::Redeliver)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_receipt_agrees_with_the_model(
        commands in prop::collection::vec((commands(), 0_u64..100), 0..40),
    ) {
        let (mut item, mut model, mut now) = (receipt(), Model::default(), NOW);
        for (command, pause) in commands {
            now = now.plus(std::time::Duration::from_secs(pause));
            let expected = model.take(&command);
            let result = item.apply(&command, &Write::new("write", now));
            let refusal = result.as_ref().err().map(|refusal| refusal.code());
            prop_assert_eq!(refusal, expected.err(), "{:?} in {:?}", command, model);
            let Ok(next) = result else { continue };
            let ended = (next.state != State::Received).then(|| next.note.clone());
            prop_assert_eq!(&ended, &model.ended);
            prop_assert_eq!(next.replays.map_or(0, |replays| replays.count), model.replays);
            prop_assert_eq!((&next.record, &next.verified), (&item.record, &item.verified));
            prop_assert_eq!((&next.body.body, next.remembered_until), (&item.body.body, item.remembered_until));
            prop_assert_eq!(next.header.version, item.header.version + 1);
            prop_assert_eq!(Receipt::expires(&next).is_some(), ended.is_some());
            let schedule = next.schedule(Some(&item), now, None);
            prop_assert_eq!(schedule.pointer.is_some(), ended.is_none());
            prop_assert_eq!(schedule.due, None);
            item = next;
        }
    }
}
