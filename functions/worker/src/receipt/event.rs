use std::collections::BTreeMap;
use std::sync::OnceLock;

use bytes::Bytes;
use placet_core::item::Item;
use placet_core::operation::Actor;
use placet_core::receipt::Receipt;
use placet_core::strict_json::Text;
use placet_core::webhook::{Incoming, Location};
use placet_runtime::config::Source;
use serde_json::{Map, Value};

/// The most characters of an event type that are stored.
const LONGEST_TYPE: usize = 64;

/// A received event for the targets. Its body is parsed only if a target needs it.
pub(super) struct Event<'a> {
    pub(super) receipt: &'a Item<Receipt>,
    pub(super) body: &'a Bytes,
    pub(super) event_type: Option<String>,
    /// The request as received, without its secrets.
    pub(super) request: Incoming<'a>,
    source: &'a Source,
    form: OnceLock<Result<String, String>>,
}

impl<'a> Event<'a> {
    pub(super) fn new(receipt: &'a Item<Receipt>, body: &'a Bytes, source: &'a Source) -> Self {
        let request = receipt.record.request(body);
        let event_type = source.scheme.event_type(&request);
        let event_type = event_type.map(|text| text.chars().take(LONGEST_TYPE).collect());
        Self { receipt, body, event_type, request, source, form: OnceLock::new() }
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

    /// The body as JSON. A form yields its fields, or the JSON in its field `payload`. Any other body yields
    /// `null`. Integers beyond 64 bits are accepted.
    ///
    /// # Errors
    ///
    /// The reason, if the body is a form or looks like JSON and cannot be parsed.
    pub(super) fn json(&self) -> Result<Text<'_>, String> {
        if self.request.is_form() {
            let form = self.form.get_or_init(|| self.read_form()).as_deref();
            return Text::read(form.map_err(String::clone)?.as_bytes());
        }
        match self.request.json() {
            Err(reason) if self.seems_json() => Err(reason.to_owned()),
            read => Ok(read.unwrap_or(Text::NULL)),
        }
    }

    /// The body as JSON without loss of precision, for a person who must see exactly the values that were
    /// sent.
    ///
    /// # Errors
    ///
    /// The reason, if the body cannot be parsed or a value cannot be represented exactly.
    pub(super) fn exact_json(&self) -> Result<Text<'_>, String> {
        let json = self.json()?;
        json.exact().map(|()| json)
    }

    /// Whether the body is JSON by its media type or its first character.
    fn seems_json(&self) -> bool {
        let content_type = self.receipt.record.content_type().unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        let first = self.body.trim_ascii_start().first();
        let json = |essence: &str| essence.ends_with("/json") || essence.ends_with("+json");
        json(&essence.to_ascii_lowercase()) || matches!(first, Some(b'{' | b'['))
    }

    /// The form as JSON. It is parsed as for the signature checks: a repeated field counts as missing.
    fn read_form(&self) -> Result<String, String> {
        let payload = Location::Form("payload".to_owned(), None);
        if self.source.scheme.reads_payload()
            && let Some(text) = self.request.value(&payload)
        {
            return Ok(text.into_owned());
        }
        let form = self.request.form();
        let form = form.ok_or("the form has too many fields, or its encoding is invalid")?;
        let mut fields = BTreeMap::new();
        for (name, value) in form {
            fields.entry(name).and_modify(|known| *known = None).or_insert(Some(value));
        }
        let once = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name.clone(), Value::from(value?.as_str()))));
        Ok(Value::Object(once.collect::<Map<_, _>>()).to_string())
    }
}
