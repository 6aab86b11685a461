//! The parts of a specification that are kept and echoed: channel, options, state.

use serde_json::{Map, Value};

use super::fields::{FieldError, Fields};
use super::request::{LONGEST_ID, is_comment};
use crate::Kind;

/// The channels, each with the member it can not be without.
const CHANNELS: [(&str, &str); 4] = [
    ("slack", "channel_or_user_id"),
    ("email", "address"),
    ("sms", "phone_number"),
    ("whatsapp", "phone_number"),
];

/// The longest address, in bytes. <https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.3>
const LONGEST_ADDRESS: usize = 254;

/// The most recipients besides the address itself: those of every escalation stay in the history.
const MOST_RECIPIENTS: usize = 10;

pub(crate) fn extras(kind: Kind, spec: &Fields<'_>) -> Result<Map<String, Value>, FieldError> {
    let own: &[&str] = match kind {
        Kind::FunctionCall => &["fn", "kwargs"],
        // One with a function would be read as a call.
        Kind::HumanContact => &["msg", "subject", "fn"],
    };
    let mut extras: Map<String, Value> = spec
        .members()
        .filter(|(name, value)| !value.is_null() && !own.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    spec.optional_object("state")?;
    if let Some(channel) = spec.optional_object("channel")? {
        check(&channel)?;
    }
    for field in ["reject_options", "response_options"] {
        if let Some(options) = extras.get(field) {
            check_options(spec, field, options)?;
        }
    }
    for field in ["channel", "reject_options", "response_options"] {
        if let Some(value) = extras.get_mut(field) {
            without_nulls(value);
        }
    }
    // Clients that spell out four channels that are none mean none.
    if extras.get("channel").and_then(Value::as_object).is_some_and(Map::is_empty) {
        extras.remove("channel");
    }
    if let Some(Value::Object(slack)) =
        extras.get_mut("channel").and_then(|channel| channel.get_mut("slack"))
    {
        slack.remove("bot_token");
        if slack.get("allowed_responder_ids").and_then(Value::as_array).is_some_and(Vec::is_empty) {
            slack.remove("allowed_responder_ids");
        }
    }
    Ok(extras)
}

/// Checks a contact channel that comes from elsewhere than a request.
///
/// # Errors
///
/// Names the first field that is wrong.
pub fn check_channel(channel: &Map<String, Value>) -> Result<(), String> {
    let fields = Fields::new(&[], channel);
    if fields.get("channel_id").is_some() || fields.members().next().is_none() {
        return Err("a channel names slack, email, sms or whatsapp".to_owned());
    }
    check(&fields).map_err(|wrong| format!("{}: {}", wrong.loc.join("."), wrong.msg))
}

/// A channel nobody knows is an error, not a question that reaches nobody.
pub(super) fn check(channel: &Fields<'_>) -> Result<(), FieldError> {
    for (name, value) in channel.members().filter(|(_, value)| !value.is_null()) {
        if name == "channel_id" {
            if !value.is_u64() {
                return Err(channel.error(name, "Input should be a valid integer", "int_type"));
            }
            continue;
        }
        let Some((_, needed)) = CHANNELS.iter().find(|(known, _)| known == name) else {
            let msg = "Channels are slack, email, sms, whatsapp, or a channel_id";
            return Err(channel.error(name, msg, "extra_forbidden"));
        };
        let Some(fields) = channel.optional_object(name)? else { continue };
        match fields.get(needed) {
            Some(Value::String(_)) => {}
            Some(_) => {
                let msg = "Input should be a valid string";
                return Err(fields.error(needed, msg, "string_type"));
            }
            None => return Err(fields.error(needed, "Field required", "missing")),
        }
        if name == "email" {
            additional_recipients(&fields)?;
        }
    }
    Ok(())
}

/// Clients that spell out what is null, or an option that is not interactive, and clients that omit it
/// mean the same.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, member| {
                !(member.is_null() || name == "interactive" && *member == Value::Bool(false))
            });
            members.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

fn check_options(spec: &Fields<'_>, field: &str, options: &Value) -> Result<(), FieldError> {
    let typed = |option: &Value| {
        let absent_or = |field: &str, fits: fn(&Value) -> bool| {
            option.get(field).is_none_or(|value| value.is_null() || fits(value))
        };
        let said = |value: &Value| value.as_str().is_some_and(is_comment);
        ["title", "description", "prompt_fill"].iter().all(|text| absent_or(text, said))
            && absent_or("interactive", Value::is_boolean)
    };
    let name = |option: &Value| {
        let name = option.get("name").and_then(Value::as_str).map(str::to_owned);
        name.filter(|name| name.len() <= LONGEST_ID && typed(option))
    };
    let names: Option<Vec<String>> =
        options.as_array().and_then(|options| options.iter().map(name).collect());
    let Some(mut names) = names else {
        let msg = "Input should be a list of options, each with a name of at most 255 bytes; what else it has are \
                   texts of at most 16 KB, but for interactive";
        return Err(spec.error(field, msg, "list_type"));
    };
    let many = names.len();
    names.sort();
    names.dedup();
    if names.len() < many {
        return Err(spec.error(field, "The names of options must be unique", "value_error"));
    }
    Ok(())
}

/// The address of an e-mail channel, and after it those that are also written to.
pub(super) fn recipients(email: &Fields<'_>) -> Result<Vec<String>, FieldError> {
    let mut found = vec![email.text("address", LONGEST_ADDRESS)?];
    found.extend(additional_recipients(email)?);
    Ok(found)
}

/// The addresses in `additional_recipients`.
pub(super) fn additional_recipients(fields: &Fields<'_>) -> Result<Vec<String>, FieldError> {
    let wrong = |msg: &str| fields.error("additional_recipients", msg, "list_type");
    let Some(listed) = fields.get("additional_recipients") else {
        return Ok(Vec::new());
    };
    let listed = listed.as_array().ok_or_else(|| wrong("Input should be a list"))?;
    if listed.len() > MOST_RECIPIENTS {
        return Err(wrong("At most 10 recipients"));
    }
    let address = |recipient: &Value| {
        let address =
            recipient.get("address")?.as_str().filter(|text| text.len() <= LONGEST_ADDRESS)?;
        let field = recipient.get("field").filter(|field| !field.is_null());
        let known = field.is_none_or(|field| matches!(field.as_str(), Some("to" | "cc" | "bcc")));
        known.then(|| address.to_owned())
    };
    let found: Option<Vec<String>> = listed.iter().map(address).collect();
    found.ok_or_else(|| {
        wrong("Each recipient has an address, and a field that is to, cc, bcc or null")
    })
}
