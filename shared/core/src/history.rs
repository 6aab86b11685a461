use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Digest, Timestamp};

/// One thing that happened to an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When, by the clock of the function that wrote it.
    pub at: Timestamp,
    /// What: `created`, `approved`, `denied`, `expired`, `started`, `retrying`, `succeeded`,
    /// `failed`, `unknown`, `settled`.
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
/// The chain shows that an entry was changed, removed or put between others after the fact by
/// somebody who did not rewrite all that follows it.
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

    /// Recomputes the chain.
    ///
    /// # Errors
    ///
    /// Names the first entry whose hash is not the one its content gives.
    pub fn verify(&self) -> Result<(), HistoryBroken> {
        let mut before = None;
        for (index, entry) in self.0.iter().enumerate() {
            if entry.hash != chain(before, entry) {
                return Err(HistoryBroken { index });
            }
            before = Some(entry.hash);
        }
        Ok(())
    }

    pub(crate) fn push(
        &mut self,
        at: Timestamp,
        event: &str,
        by: &str,
        detail: Value,
        write: &str,
    ) {
        let mut entry = Entry {
            at,
            event: event.to_owned(),
            by: by.to_owned(),
            detail,
            write: write.to_owned(),
            hash: Digest::of_bytes(b""),
        };
        entry.hash = chain(self.0.last().map(|last| last.hash), &entry);
        self.0.push(entry);
    }
}

fn chain(before: Option<Digest>, entry: &Entry) -> Digest {
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

    fn history() -> History {
        let mut history = History::default();
        for (index, event) in ["created", "approved", "started"].into_iter().enumerate() {
            let at = Timestamp::from_millis(index as i64);
            history.push(at, event, "api", json!({"n": index}), &format!("w{index}"));
        }
        history
    }

    #[test]
    fn an_honest_history_verifies() {
        assert_eq!(history().verify(), Ok(()));
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
            assert_eq!(history.verify(), Err(HistoryBroken { index: 1 }));
        }
    }
}
