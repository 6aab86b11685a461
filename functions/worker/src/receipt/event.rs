use std::sync::OnceLock;

use bytes::Bytes;
use placet_core::item::Item;
use placet_core::operation::Actor;
use placet_core::receipt::Receipt;
use placet_core::strict_json::Text;
use placet_core::webhook::{ExactJson, Incoming};
use placet_runtime::config::Source;

/// A received event for the targets. Its body is parsed only if a target needs it.
pub(super) struct Event<'a> {
    pub(super) receipt: &'a Item<Receipt>,
    pub(super) body: &'a Bytes,
    /// The type of the event, or the reason why it cannot be read.
    pub(super) event_type: Result<Option<String>, String>,
    /// The request as received, without its secrets.
    pub(super) request: Incoming<'a>,
    source: &'a Source,
    json: OnceLock<Result<ExactJson<'a>, String>>,
}

impl<'a> Event<'a> {
    pub(super) fn new(receipt: &'a Item<Receipt>, body: &'a Bytes, source: &'a Source) -> Self {
        let request = receipt.record.request(body);
        let event_type = match source.scheme.event_type(&request) {
            Ok(found) => Ok(found),
            Err(error) => {
                let reason = source.scheme.exact_json(&request).err();
                let reason = reason.unwrap_or_else(|| error.to_string());
                Err(format!("the type of the event cannot be read: {reason}"))
            }
        };
        Self { receipt, body, event_type, request, source, json: OnceLock::new() }
    }

    /// The type of the event; `None` if it has none or if its type cannot be read.
    pub(super) fn known_type(&self) -> Option<&str> {
        self.event_type.as_ref().ok()?.as_deref()
    }

    /// The sender, as the history of an operation names it.
    pub(super) fn by(&self) -> Actor {
        let (record, signed) = (&self.receipt.record, self.receipt.verified.coverage.identity);
        Actor::Webhook {
            source: record.source.clone(),
            receipt: self.receipt.header.id.clone(),
            event: record.delivery_id.clone().filter(|_| signed),
        }
    }

    /// The body as JSON, read exactly.
    ///
    /// # Errors
    ///
    /// The reason, if the body cannot be read.
    pub(super) fn json(&self) -> Result<Text<'_>, String> {
        let json = self.json.get_or_init(|| self.source.scheme.exact_json(&self.request));
        json.as_ref().map(ExactJson::text).map_err(String::clone)
    }
}
