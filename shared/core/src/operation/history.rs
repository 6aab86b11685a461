use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Actor;
use crate::{Digest, Timestamp};

/// An event in the history of an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The time of the event, by the clock of the function that wrote the entry.
    pub at: Timestamp,
    /// The name of the event: `created`, `reminded`, `escalated`, `linked`, `link_revoked`, `approved`, `denied`,
    /// `answered`, `cancelled`,
    /// `expired`, `blocked`, `started`, `retrying`, `succeeded`, `failed`, `unknown`, `settled`.
    pub event: String,
    /// Who caused the event.
    pub by: Actor,
    /// Details of the event; an object.
    pub detail: Value,
    /// SHA-256 over the hash of the previous entry and the fields above.
    pub hash: Digest,
}

/// The history of an operation: its entries, oldest first, in a hash chain.
///
/// The chain starts with the identity of the operation. Verification fails if somebody changes, removes,
/// inserts or copies an entry and does not rewrite all later entries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct History(Vec<Entry>);

/// The hash chain is broken: somebody changed the history after Placet wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("history entry {index} does not match the hash chain: somebody changed the history")]
pub struct HistoryBroken {
    /// The index of the first entry that does not match, from 0.
    pub index: usize,
}

impl History {
    /// The entries, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// The entries with this event name, oldest first.
    pub fn of<'a>(&'a self, event: &'a str) -> impl DoubleEndedIterator<Item = &'a Entry> {
        self.0.iter().filter(move |entry| entry.event == event)
    }

    /// Recomputes the hash chain, which starts with `identity`.
    ///
    /// # Errors
    ///
    /// Names the first entry whose stored hash differs from the recomputed one.
    pub fn verify(&self, identity: Digest) -> Result<(), HistoryBroken> {
        let mut before = identity;
        for (index, entry) in self.0.iter().enumerate() {
            if entry.hash != chain(before, entry) {
                return Err(HistoryBroken { index });
            }
            before = entry.hash;
        }
        Ok(())
    }

    pub(super) fn record(
        &mut self,
        identity: Digest,
        at: Timestamp,
        event: &str,
        by: Actor,
        detail: Value,
    ) {
        let before = self.0.last().map_or(identity, |last| last.hash);
        let mut entry = Entry { at, event: event.to_owned(), by, detail, hash: before };
        entry.hash = chain(before, &entry);
        self.0.push(entry);
    }
}

fn chain(before: Digest, entry: &Entry) -> Digest {
    Digest::of_json(&json!({
        "before": before,
        "at": entry.at,
        "event": entry.event,
        "by": entry.by,
        "detail": entry.detail,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Digest {
        Digest::of_bytes(b"an operation")
    }

    fn history() -> History {
        let mut history = History::default();
        for (index, event) in ["created", "approved", "started"].into_iter().enumerate() {
            let at = Timestamp::from_millis(index as i64);
            history.record(identity(), at, event, Actor::api("k1", "ci"), json!({"n": index}));
        }
        history
    }

    #[test]
    fn an_unchanged_history_verifies() {
        assert_eq!(history().verify(identity()), Ok(()));
        let other = Digest::of_bytes(b"another operation");
        assert_eq!(history().verify(other), Err(HistoryBroken { index: 0 }));
        assert_eq!(history().of("approved").count(), 1);
    }

    #[test]
    fn every_later_change_is_found() {
        let changes: [fn(&mut Vec<Entry>); 5] = [
            |entries| entries[1].event = "denied".into(),
            |entries| entries[1].by = Actor::api("k2", "ci"),
            |entries| entries[1].at = Timestamp::from_millis(9),
            |entries| entries[1].detail = json!({"n": 2}),
            |entries| drop(entries.remove(1)),
        ];
        for change in changes {
            let mut history = history();
            change(&mut history.0);
            assert_eq!(history.verify(identity()), Err(HistoryBroken { index: 1 }));
        }
    }
}
