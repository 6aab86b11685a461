use serde_json::{Map, Value};

use super::fields::{FieldError, Fields};
use crate::strict_json;

/// The longest id a client may choose, in bytes.
const LONGEST_ID: usize = 255;

/// A body that can not be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBody {
    /// It is not JSON. The text says where it breaks.
    #[error("the body is not JSON we can take: {0}")]
    Json(String),
    /// It is JSON, but a field is missing or wrong.
    #[error("the body has an invalid field")]
    Field(FieldError),
}

impl From<FieldError> for InvalidBody {
    fn from(error: FieldError) -> Self {
        Self::Field(error)
    }
}

/// `POST /function_calls`: what a client asks.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateCall {
    /// The client's run.
    pub run_id: String,
    /// The client's id of this call; absent if the server shall choose one.
    pub call_id: Option<String>,
    /// The function.
    pub function: String,
    /// Its arguments; `{}` if absent.
    pub kwargs: Value,
    /// The rest of the specification. Members that are null are left out, so that clients which
    /// spell them out and clients which omit them ask for the same. `bot_token` is not kept.
    pub extras: Map<String, Value>,
}

/// `POST /agent/function_calls/{call_id}/respond`: what a person said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Respond {
    /// Yes or no.
    pub approved: bool,
    /// The comment; empty if absent.
    pub comment: String,
    /// The chosen reject option.
    pub option: Option<String>,
}

/// Reads the body of a creation. A `status` in it is ignored: an agent can not approve itself.
///
/// # Errors
///
/// If it is not JSON, or names the first field that is wrong.
pub fn create_call(body: &[u8]) -> Result<CreateCall, InvalidBody> {
    let object = parse_object(body)?;
    let call = Fields::new(&["body"], &object);
    let spec = call.object("spec")?;
    Ok(CreateCall {
        run_id: call.text("run_id", LONGEST_ID)?,
        call_id: call_id(&call)?,
        function: spec.text("fn", LONGEST_ID)?,
        kwargs: kwargs(&spec),
        extras: extras(&spec)?,
    })
}

/// Reads the body of an answer. Its time fields are ignored: the server has its own clock.
///
/// # Errors
///
/// If it is not JSON, or names the first field that is wrong.
pub fn respond(body: &[u8]) -> Result<Respond, InvalidBody> {
    let object = parse_object(body)?;
    Ok(status(&Fields::new(&["body"], &object))?)
}

pub(super) fn status(fields: &Fields<'_>) -> Result<Respond, FieldError> {
    Ok(Respond {
        approved: fields.boolean("approved")?,
        comment: comment(fields)?,
        option: fields.optional_text("reject_option_name", LONGEST_ID)?,
    })
}

/// Absent arguments are no arguments: clients omit them for a call without any.
pub(super) fn kwargs(spec: &Fields<'_>) -> Value {
    spec.get("kwargs").cloned().unwrap_or_else(|| Value::Object(Map::new()))
}

fn comment(fields: &Fields<'_>) -> Result<String, FieldError> {
    let comment = fields.optional_text("comment", usize::MAX)?.unwrap_or_default();
    if is_comment(&comment) {
        return Ok(comment);
    }
    Err(fields.error("comment", "Comment is too long to be kept", "string_too_long"))
}

/// Whether a comment is short enough to be kept: 16 KB as JSON, where a control character takes six.
pub fn is_comment(text: &str) -> bool {
    Value::from(text).to_string().len() <= 16 * 1024
}

pub(super) fn parse_object(body: &[u8]) -> Result<Map<String, Value>, InvalidBody> {
    match strict_json::parse(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(InvalidBody::Field(FieldError {
            loc: vec!["body".to_owned()],
            msg: "Input should be a valid dictionary".to_owned(),
            kind: "dict_type",
        })),
        Err(reason) => Err(InvalidBody::Json(reason)),
    }
}

/// Whether a text can be the id of a call: 1 to 255 bytes, and nothing that would end or change a
/// path, because the SDKs put the id into a URL as it is.
pub fn is_call_id(text: &str) -> bool {
    let breaks_paths = |character: char| character.is_control() || "/\\?#%".contains(character);
    (1..=LONGEST_ID).contains(&text.len())
        && !text.contains(breaks_paths)
        && !matches!(text, "." | "..")
        && text.trim() == text
}

fn call_id(call: &Fields<'_>) -> Result<Option<String>, FieldError> {
    if call.get("call_id").is_none() {
        return Ok(None);
    }
    let id = call.text("call_id", LONGEST_ID)?;
    if !is_call_id(&id) {
        let msg = "Must not be . or .., nor hold / \\ ? # % or control characters, nor start or end with a space";
        return Err(call.error("call_id", msg, "value_error"));
    }
    Ok(Some(id))
}

fn extras(spec: &Fields<'_>) -> Result<Map<String, Value>, FieldError> {
    let mut extras: Map<String, Value> = spec
        .members()
        .filter(|(name, value)| !value.is_null() && !matches!(name.as_str(), "fn" | "kwargs"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    for field in ["state", "channel"] {
        if extras.get(field).is_some_and(|value| !value.is_object()) {
            return Err(spec.error(field, "Input should be a valid dictionary", "dict_type"));
        }
    }
    if let Some(options) = extras.get("reject_options") {
        check_options(spec, options)?;
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

fn check_options(spec: &Fields<'_>, options: &Value) -> Result<(), FieldError> {
    let named = |option: &Value| option.get("name").is_some_and(Value::is_string);
    if options.as_array().is_some_and(|options| options.iter().all(named)) {
        Ok(())
    } else {
        let msg = "Input should be a list of options, each with a name";
        Err(spec.error("reject_options", msg, "list_type"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn create(body: Value) -> Result<CreateCall, InvalidBody> {
        create_call(body.to_string().as_bytes())
    }

    fn field(error: InvalidBody) -> String {
        match error {
            InvalidBody::Field(field) => format!("{} {}", field.loc.join("."), field.kind),
            InvalidBody::Json(_) => "json".to_owned(),
        }
    }

    #[test]
    fn nulls_spelled_out_and_fields_left_out_ask_for_the_same() {
        let python = json!({"run_id": "r", "call_id": "c", "status": null, "spec": {"fn": "f", "kwargs": {"a": 1},
            "channel": null, "reject_options": null, "state": null}});
        let typescript =
            json!({"run_id": "r", "call_id": "c", "spec": {"fn": "f", "kwargs": {"a": 1}}});
        assert_eq!(create(python), create(typescript));
    }

    #[test]
    fn absent_kwargs_are_an_empty_object_and_odd_ones_are_kept() {
        let kwargs = |spec| create(json!({"run_id": "r", "spec": spec})).unwrap().kwargs;
        assert_eq!(kwargs(json!({"fn": "f"})), json!({}));
        assert_eq!(kwargs(json!({"fn": "f", "kwargs": null})), json!({}));
        assert_eq!(kwargs(json!({"fn": "f", "kwargs": "plain"})), json!("plain"));
    }

    #[test]
    fn the_bot_token_is_not_kept_and_no_empty_responder_list() {
        let call = create(json!({"run_id": "r", "spec": {"fn": "f", "channel": {"slack":
            {"channel_or_user_id": "C1", "bot_token": "xoxb-secret", "allowed_responder_ids": []}}}}));
        let channel = json!({"slack": {"channel_or_user_id": "C1"}});
        assert_eq!(call.unwrap().extras["channel"], channel);
    }

    #[test]
    fn the_first_wrong_field_is_named() {
        let spec = json!({"fn": "f"});
        let cases = [
            (json!([]), "body dict_type"),
            (json!({"run_id": "r"}), "body.spec missing"),
            (json!({"spec": spec}), "body.run_id missing"),
            (json!({"run_id": 7, "spec": spec}), "body.run_id string_type"),
            (json!({"run_id": "", "spec": spec}), "body.run_id string_too_short"),
            (json!({"run_id": "r".repeat(256), "spec": spec}), "body.run_id string_too_long"),
            (json!({"run_id": "r", "spec": "f"}), "body.spec dict_type"),
            (json!({"run_id": "r", "spec": {}}), "body.spec.fn missing"),
            (json!({"run_id": "r", "spec": {"fn": 1}}), "body.spec.fn string_type"),
            (json!({"run_id": "r", "spec": {"fn": "f", "state": []}}), "body.spec.state dict_type"),
            (
                json!({"run_id": "r", "spec": {"fn": "f", "channel": "x"}}),
                "body.spec.channel dict_type",
            ),
            (
                json!({"run_id": "r", "spec": {"fn": "f", "reject_options": [{}]}}),
                "body.spec.reject_options list_type",
            ),
        ];
        for (body, expected) in cases {
            assert_eq!(field(create(body.clone()).unwrap_err()), expected, "{body}");
        }
        assert_eq!(field(create_call(b"{").unwrap_err()), "json");
        assert_eq!(field(create_call(&"[".repeat(100_000).into_bytes()).unwrap_err()), "json");
    }

    #[test]
    fn ids_that_would_break_a_path_are_refused() {
        let with = |id: &str| create(json!({"run_id": "r", "call_id": id, "spec": {"fn": "f"}}));
        for id in
            ["a/b", "a?b", "a#b", "a%2Fb", "a\\b", "a\nb", "a\u{7f}", ".", "..", " a", "a ", ""]
        {
            assert!(with(id).is_err(), "{id:?}");
        }
        for id in ["call-1", "toolu_01A-b", "a b", "é", &"x".repeat(255)] {
            assert_eq!(with(id).unwrap().call_id.as_deref(), Some(id));
        }
    }

    #[test]
    fn an_answer_needs_a_verdict() {
        let answer = |body: Value| respond(body.to_string().as_bytes());
        let denied =
            answer(json!({"approved": false, "comment": null, "responded_at": "x"})).unwrap();
        assert_eq!(denied, Respond { approved: false, comment: String::new(), option: None });
        for (body, expected) in [
            (json!({}), "body.approved missing"),
            (json!({"approved": null}), "body.approved missing"),
            (json!({"approved": "yes"}), "body.approved bool_type"),
            (json!({"approved": true, "comment": 1}), "body.comment string_type"),
        ] {
            assert_eq!(field(answer(body).unwrap_err()), expected);
        }
    }
}
