//! Receipts: the worker passes the event to every target that takes it. Every target is idempotent, so the
//! worker processes a receipt again until its result is recorded.

mod event;
mod targets;

use placet_core::item::Item;
use placet_core::receipt::{Command, Receipt, Refusal, State, Work, beginning};
use placet_runtime::engine::{self, Context, WorkError};

use self::event::Event;
use self::targets::Outcome;
use crate::Worker;

/// The longest event type that a receipt shows, in bytes.
const LONGEST_TYPE: usize = 64;

impl engine::Work<Receipt> for Worker {
    async fn perform(
        &self,
        _: Context,
        item: Item<Receipt>,
        _: Work,
    ) -> Result<Command, WorkError> {
        let config = self.runtime.config.clone();
        let source = config.source(&item.record.source);
        let source = source.ok_or_else(|| {
            WorkError::terminal(
                "its webhook source is no longer in placet.yaml: add the source again",
            )
        })?;
        let body = self.runtime.blobs.body(&item.body.body).await?;
        let replay = item.replay();
        let event = Event::new(&item, &body, source);
        let outcomes = self.route(source, &event).await?;
        let failed = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Failed(_)));
        let note = outcomes.iter().map(Outcome::note).collect::<Vec<_>>().join("; ");
        let event_type = event.known_type().map(|found| beginning(found, LONGEST_TYPE));
        Ok(match failed {
            true => Command::Fail { replay, event_type, note },
            false => Command::Processed { replay, event_type, note },
        })
    }

    fn log(&self, item: &Item<Receipt>, _: &Command) {
        let (receipt_id, note) = (item.header.id.as_str(), item.note.as_str());
        let source = item.record.source.as_str();
        let event_type = item.event_type.as_deref();
        match item.state {
            State::Failed => {
                tracing::error!(source, receipt_id, event_type, note, "webhook failed at a target");
            }
            State::Processed | State::Received | State::Duplicate => {
                tracing::info!(source, receipt_id, event_type, note, "webhook processed");
            }
        }
    }

    fn log_refusal(&self, item: &Item<Receipt>, _: &Command, refusal: &Refusal) {
        let receipt_id = item.header.id.as_str();
        tracing::warn!(
            receipt_id,
            code = refusal.code(),
            "another worker processed this webhook first"
        );
    }
}
