use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Digest, Timestamp};

/// One thing that happened to an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When, by the clock of the function that wrote it.
    pub at: Timestamp,
    /// What: `created`, `escalated`, `approved`, `denied`, `answered`, `cancelled`, `expired`,
    /// `started`, `retrying`, `succeeded`, `failed`, `unknown`, `settled`.
    pub event: String,
    /// Who or which part: `inbox`, `link`, `api`, `webhook humanlayer`, `worker`, `timer`.
    pub by: String,
    /// Particulars of the event; an object.
    pub detail: Value,
    /// The id of the write that added this entry. A writer that lost the reply finds itself here.
    pub write: String,
    /// SHA-256 over the hash before it and the fields above.
    pub hash: Digest,
}

/// What happened to an operation, oldest first, each entry chained to the one before it.
///
/// The chain starts at the identity of its operation. It shows that an entry was changed, removed,
/// put between others or taken from another operation by somebody who did not rewrite all that
/// follows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct History(Vec<Entry>);

/// The chain does not add up: the history was changed after it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("history entry {index} does not follow from the one before it: it was changed later")]
pub struct HistoryBroken {
    /// The first entry that does not add up, from 0.
    pub index: usize,
}

impl History {
    /// The entries, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// Whether the write with this id is part of the history.
    pub fn has_write(&self, write: &str) -> bool {
        self.0.iter().any(|entry| entry.write == write)
    }

    /// Recomputes the chain of the operation with this identity.
    ///
    /// # Errors
    ///
    /// Names the first entry whose hash is not the one its content gives.
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

    pub(crate) fn push(&mut self, identity: Digest, mut entry: Entry) {
        entry.hash = chain(self.0.last().map_or(identity, |last| last.hash), &entry);
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
        "write": entry.write,
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
            let entry = Entry {
                at: Timestamp::from_millis(index as i64),
                event: event.to_owned(),
                by: "api".to_owned(),
                detail: json!({"n": index}),
                write: format!("w{index}"),
                hash: identity(),
            };
            history.push(identity(), entry);
        }
        history
    }

    #[test]
    fn an_honest_history_verifies() {
        assert_eq!(history().verify(identity()), Ok(()));
        let other = Digest::of_bytes(b"another operation");
        assert_eq!(history().verify(other), Err(HistoryBroken { index: 0 }));
        assert!(history().has_write("w1"));
        assert!(!history().has_write("w9"));
    }

    #[test]
    fn every_later_change_is_found() {
        let changes: [fn(&mut Vec<Entry>); 6] = [
            |entries| entries[1].event = "denied".into(),
            |entries| entries[1].by = "somebody".into(),
            |entries| entries[1].at = Timestamp::from_millis(9),
            |entries| entries[1].detail = json!({"n": 2}),
            |entries| entries[1].write = "w7".into(),
            |entries| drop(entries.remove(1)),
        ];
        for change in changes {
            let mut history = history();
            change(&mut history.0);
            assert_eq!(history.verify(identity()), Err(HistoryBroken { index: 1 }));
        }
    }
}
