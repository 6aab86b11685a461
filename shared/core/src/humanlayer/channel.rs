//! Contact channels in the JSON form that clients send.

use serde_json::{Map, Value};

use crate::fields::{FieldError, Fields, without_nulls};
use crate::limits::{LONGEST_ADDRESS, MOST_RECIPIENTS};
use crate::operation::{ContactChannel, EmailContact, PhoneContact, Recipient, SlackContact};

/// Reads a contact channel from the configuration.
///
/// # Errors
///
/// Names the first wrong field.
pub fn channel(written: &Map<String, Value>) -> Result<ContactChannel, String> {
    let fields = Fields::new(&[], written);
    if fields.get("channel_id").is_some() || fields.members().next().is_none() {
        return Err("a channel must have slack, email, sms or whatsapp".to_owned());
    }
    read_channel(&fields).map_err(|wrong| format!("{}: {}", wrong.loc.join("."), wrong.msg))
}

/// Reads a contact channel from a request. A null member means the same as a missing member. An unknown
/// channel is an error, because Placet could not reach anybody through it.
pub(super) fn read_channel(channel: &Fields<'_>) -> Result<ContactChannel, FieldError> {
    let mut read = ContactChannel::default();
    for (name, value) in channel.members().filter(|(_, value)| !value.is_null()) {
        match name.as_str() {
            "channel_id" => {
                let wrong = || channel.error(name, "Input should be a valid integer", "int_type");
                read.channel_id = Some(value.as_u64().ok_or_else(wrong)?);
            }
            "slack" => read.slack = Some(slack(&channel.object("slack")?)?),
            "email" => read.email = Some(email(&channel.object("email")?)?),
            "sms" => read.sms = Some(phone(&channel.object("sms")?)?),
            "whatsapp" => read.whatsapp = Some(phone(&channel.object("whatsapp")?)?),
            _ => {
                let msg = "Channel should be slack, email, sms, whatsapp or channel_id";
                return Err(channel.error(name, msg, "extra_forbidden"));
            }
        }
    }
    Ok(read)
}

/// Reads a Slack contact. The bot's token is a secret, so Placet does not store it.
fn slack(fields: &Fields<'_>) -> Result<SlackContact, FieldError> {
    let wrong =
        || fields.error("allowed_responder_ids", "Input should be a list of strings", "list_type");
    let ids = match fields.get("allowed_responder_ids") {
        None => Vec::new(),
        Some(listed) => {
            let listed = listed.as_array().ok_or_else(wrong)?.iter();
            listed
                .map(|id| id.as_str().map(str::to_owned).ok_or_else(wrong))
                .collect::<Result<_, _>>()?
        }
    };
    Ok(SlackContact {
        channel_or_user_id: needed(fields, "channel_or_user_id")?,
        allowed_responder_ids: ids,
        other: other(fields, &["channel_or_user_id", "allowed_responder_ids", "bot_token"]),
    })
}

fn email(fields: &Fields<'_>) -> Result<EmailContact, FieldError> {
    Ok(EmailContact {
        address: fields.text("address", LONGEST_ADDRESS)?,
        additional_recipients: additional_recipients(fields)?,
        other: other(fields, &["address", "additional_recipients"]),
    })
}

fn phone(fields: &Fields<'_>) -> Result<PhoneContact, FieldError> {
    let phone_number = needed(fields, "phone_number")?;
    Ok(PhoneContact { phone_number, other: other(fields, &["phone_number"]) })
}

/// The members that Placet does not read, without null members.
fn other(fields: &Fields<'_>, read: &[&str]) -> Map<String, Value> {
    let other =
        fields.members().filter(|(name, value)| !value.is_null() && !read.contains(&name.as_str()));
    let mut other: Map<String, Value> =
        other.map(|(name, value)| (name.clone(), value.clone())).collect();
    other.values_mut().for_each(without_nulls);
    other
}

/// Reads `additional_recipients`.
pub(super) fn additional_recipients(fields: &Fields<'_>) -> Result<Vec<Recipient>, FieldError> {
    let wrong = |msg: &str| fields.error("additional_recipients", msg, "list_type");
    let Some(listed) = fields.get("additional_recipients") else {
        return Ok(Vec::new());
    };
    let listed = listed.as_array().ok_or_else(|| wrong("Input should be a list"))?;
    if listed.len() > MOST_RECIPIENTS {
        return Err(wrong("List should have at most 10 recipients"));
    }
    let found: Option<Vec<Recipient>> = listed.iter().map(recipient).collect();
    found.ok_or_else(|| {
        wrong("Each recipient should have an address, and a field that is to, cc, bcc or null")
    })
}

fn recipient(written: &Value) -> Option<Recipient> {
    let mut written = written.clone();
    without_nulls(&mut written);
    let recipient: Recipient = serde_json::from_value(written).ok()?;
    let known = recipient
        .other
        .get("field")
        .is_none_or(|field| matches!(field.as_str(), Some("to" | "cc" | "bcc")));
    (known && recipient.address.len() <= LONGEST_ADDRESS).then_some(recipient)
}

fn needed(fields: &Fields<'_>, name: &'static str) -> Result<String, FieldError> {
    match fields.get(name) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(fields.error(name, "Input should be a valid string", "string_type")),
        None => Err(fields.error(name, "Field required", "missing")),
    }
}
