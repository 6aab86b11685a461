use std::collections::BTreeMap;

use placet_core::item::Item;
use placet_core::receipt::Receipt;
use placet_core::strict_json;
use placet_core::webhook::{Incoming, Location};
use placet_runtime::config::Source;
use serde_json::{Map, Value};

/// The most characters of an event type that are kept.
const LONGEST_TYPE: usize = 64;

/// An event as targets see it.
pub(super) struct Event {
    pub(super) receipt: Item<Receipt>,
    pub(super) body: Vec<u8>,
    pub(super) event_type: Option<String>,
    /// The body as JSON; of a form its fields, or what its field `payload` holds.
    pub(super) json: Value,
    /// Why the JSON is not exactly what was sent, or why there is none of a body that seems to be JSON.
    pub(super) inexact: Option<String>,
}

impl Event {
    pub(super) fn read(receipt: Item<Receipt>, body: Vec<u8>, source: &Source) -> Self {
        let mut event = Self { receipt, body, event_type: None, json: Value::Null, inexact: None };
        let event_type = source.scheme.event_type(&event.request());
        event.event_type = event_type.map(|text| text.chars().take(LONGEST_TYPE).collect());
        event.json = event.as_json(source);
        // What a person approves must be what was sent.
        let read = !event.json.is_null() || event.seems_json();
        if read && !event.request().is_form() {
            event.inexact = strict_json::parse(&event.body).err();
        }
        event
    }

    /// Whether the body is JSON by its media type or its first character.
    fn seems_json(&self) -> bool {
        let content_type = self.receipt.record.content_type().unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        let first = self.body.trim_ascii_start().first();
        let json = |essence: &str| essence.ends_with("/json") || essence.ends_with("+json");
        json(&essence.to_ascii_lowercase()) || matches!(first, Some(b'{' | b'['))
    }

    /// The request as it came, without its secrets.
    pub(super) fn request(&self) -> Incoming<'_> {
        self.receipt.record.request(&self.body)
    }

    /// The same reading as the checks had: a repeated field counts as missing.
    fn as_json(&self, source: &Source) -> Value {
        let request = self.request();
        if !request.is_form() {
            return request.json().cloned().unwrap_or_default();
        }
        let payload = Location::Form("payload".to_owned(), None);
        if source.scheme.reads_payload()
            && let Some(text) = request.value(&payload)
            && let Ok(json) = strict_json::parse(text.as_bytes())
        {
            return json;
        }
        let mut fields = BTreeMap::new();
        for (name, value) in request.form().unwrap_or_default() {
            fields.entry(name).and_modify(|known| *known = None).or_insert(Some(value));
        }
        let once = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name.clone(), Value::from(value?.as_str()))));
        Value::Object(once.collect::<Map<_, _>>())
    }
}
