//! The bodies of our own API, `/v1/operations`. What is asked is checked as in HumanLayer's format;
//! besides, a member nobody knows is an error, and arguments are an object.

use serde_json::{Map, Value};

use crate::humanlayer::{
    Create, FieldError, Fields, InvalidBody, LONGEST_ID, Respond, call_id, content, extras,
    parse_object, words,
};
use crate::{Digest, Kind, Verdict};

/// `POST …/decision`: what a person said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decide {
    /// The verdict, the words and the option.
    pub said: Respond,
    /// The digest of what the person saw.
    pub seen: Digest,
}

/// Reads the body of a creation, and what kind of thing it asks.
///
/// # Errors
///
/// If it is not JSON, or names the first member that is missing, wrong or unknown.
pub fn create(body: &[u8]) -> Result<(Kind, Create), InvalidBody> {
    let object = parse_object(body)?;
    let fields = Fields::new(&["body"], &object);
    let kind = kind(&fields)?;
    let own: &[&str] = match kind {
        Kind::FunctionCall => &["fn", "kwargs", "reject_options"],
        Kind::HumanContact => &["msg", "subject", "response_options"],
    };
    known(&fields, &[&["kind", "run_id", "call_id", "channel", "asker_state"], own].concat())?;
    fields.optional_object("kwargs")?;
    fields.optional_object("asker_state")?;
    let specification = specification(&object);
    let specification = Fields::new(&["body"], &specification);
    let asked = Create {
        run_id: fields.text("run_id", LONGEST_ID)?,
        call_id: call_id(&fields)?,
        content: content(kind, &specification)?,
        extras: extras(kind, &specification)?,
    };
    Ok((kind, asked))
}

/// Reads the body of a decision.
///
/// # Errors
///
/// If it is not JSON, or names the first member that is missing, wrong or unknown.
pub fn decide(body: &[u8]) -> Result<Decide, InvalidBody> {
    let object = parse_object(body)?;
    let fields = Fields::new(&["body"], &object);
    let verdict = fields.text("verdict", LONGEST_ID)?;
    let (verdict, said) = match verdict.as_str() {
        "approve" => (Verdict::Approve, "comment"),
        "deny" => (Verdict::Deny, "comment"),
        "answer" => (Verdict::Answer, "answer"),
        _ => return Err(value(&fields, "verdict", "Is approve, deny or answer").into()),
    };
    known(&fields, &["verdict", "digest", "option", said])?;
    let option = fields.optional_text("option", LONGEST_ID)?;
    let comment = words(&fields, said)?;
    if verdict == Verdict::Answer && comment.is_empty() && option.is_none() {
        return Err(value(&fields, "answer", "Is empty, and no option is chosen").into());
    }
    if verdict == Verdict::Approve && option.is_some() {
        return Err(value(&fields, "option", "Is a reason for a denial").into());
    }
    let digest = fields.text("digest", LONGEST_ID)?;
    let seen = digest
        .parse()
        .map_err(|_| value(&fields, "digest", "Is the operation's, 64 hexadecimal digits"))?;
    Ok(Decide { said: Respond { verdict, comment, option }, seen })
}

/// Reads the body of a cancellation, which may be empty; the reason, which may be, too.
///
/// # Errors
///
/// If it is not JSON, or names the first member that is wrong or unknown.
pub fn cancel(body: &[u8]) -> Result<String, InvalidBody> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(String::new());
    }
    let object = parse_object(body)?;
    let fields = Fields::new(&["body"], &object);
    known(&fields, &["reason"])?;
    Ok(words(&fields, "reason")?)
}

fn kind(fields: &Fields<'_>) -> Result<Kind, FieldError> {
    let name = fields.text("kind", LONGEST_ID)?;
    Kind::parse(&name).ok_or_else(|| value(fields, "kind", "Is function_call or human_contact"))
}

/// The specification as HumanLayer has it: what is beside it here, and `asker_state` as `state`.
fn specification(object: &Map<String, Value>) -> Map<String, Value> {
    let beside = |name: &str| matches!(name, "kind" | "run_id" | "call_id");
    let members = object.iter().filter(|(name, _)| !beside(name));
    let renamed = |name: &str| if name == "asker_state" { "state" } else { name }.to_owned();
    members.map(|(name, value)| (renamed(name), value.clone())).collect()
}

fn known(fields: &Fields<'_>, names: &[&str]) -> Result<(), FieldError> {
    match fields.members().find(|(name, _)| !names.contains(&name.as_str())) {
        Some((name, _)) => {
            let msg = format!("Is not known here; known are {}", names.join(", "));
            Err(fields.error(name, &msg, "extra_forbidden"))
        }
        None => Ok(()),
    }
}

fn value(fields: &Fields<'_>, field: &str, msg: &str) -> FieldError {
    fields.error(field, msg, "value_error")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::humanlayer;

    /// The last part of the path to the member that is wrong.
    fn wrong<T: std::fmt::Debug>(read: Result<T, InvalidBody>) -> String {
        let Err(InvalidBody::Field(field)) = &read else { panic!("{read:?}") };
        field.loc.last().cloned().unwrap()
    }

    fn with(mut body: Value, member: &str, value: Value) -> Vec<u8> {
        body[member] = value;
        body.to_string().into_bytes()
    }

    #[test]
    fn both_formats_ask_for_the_same() {
        let ours = json!({
            "kind": "function_call", "run_id": "r", "call_id": "c", "fn": "f", "kwargs": {"a": 1},
            "asker_state": {"s": 1}, "reject_options": [{"name": "later"}], "channel": null,
        });
        let theirs = json!({"run_id": "r", "call_id": "c", "spec": {
            "fn": "f", "kwargs": {"a": 1}, "state": {"s": 1}, "reject_options": [{"name": "later"}],
        }});
        let (kind, asked) = create(ours.to_string().as_bytes()).unwrap();
        assert_eq!(asked, humanlayer::create(kind, theirs.to_string().as_bytes()).unwrap());
    }

    #[test]
    fn what_is_wrong_with_a_question_or_a_call_is_named() {
        let call = json!({"kind": "function_call", "run_id": "r", "fn": "f"});
        let question = json!({"kind": "human_contact", "run_id": "r", "msg": "m"});
        for (body, member, value, named) in [
            (&call, "kind", json!("dance"), "kind"),
            (&call, "kind", Value::Null, "kind"),
            (&call, "kind", json!("human_contact"), "fn"),
            (&call, "run_id", json!(""), "run_id"),
            (&call, "fn", json!(7), "fn"),
            (&call, "kwargs", json!([1]), "kwargs"),
            (&call, "asker_state", json!("s"), "asker_state"),
            (&call, "state", json!({}), "state"),
            (&call, "call_id", json!("a/b"), "call_id"),
            (&call, "channel", json!({"pigeon": {}}), "pigeon"),
            (&call, "reject_options", json!([{}]), "reject_options"),
            (&call, "reject_options", json!([{"name": "n", "title": 7}]), "reject_options"),
            (&call, "response_options", json!([]), "response_options"),
            (&question, "msg", json!(""), "msg"),
            (&question, "fn", json!("f"), "fn"),
        ] {
            let body = with(body.clone(), member, value);
            assert_eq!(wrong(create(&body)), named, "{}", String::from_utf8_lossy(&body));
        }
        assert!(matches!(create(b"{"), Err(InvalidBody::Json(_))));
    }

    #[test]
    fn a_decision_names_what_was_seen_and_says_what_fits_its_verdict() {
        let digest = Digest::of_bytes(b"shown");
        let decision = |more: Value| {
            let mut body = json!({"digest": digest});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            decide(body.to_string().as_bytes())
        };
        let read = decision(json!({"verdict": "deny", "comment": "no", "option": "later"}));
        let option = Some("later".to_owned());
        let said = Respond { verdict: Verdict::Deny, comment: "no".to_owned(), option };
        assert_eq!(read, Ok(Decide { said, seen: digest }));
        assert!(decision(json!({"verdict": "answer", "option": "later"})).is_ok());
        for (more, named) in [
            (json!({"verdict": "maybe"}), "verdict"),
            (json!({"verdict": "approve", "answer": "yes"}), "answer"),
            (json!({"verdict": "approve", "option": "later"}), "option"),
            (json!({"verdict": "answer"}), "answer"),
            (json!({"verdict": "answer", "comment": "yes"}), "comment"),
            (json!({"verdict": "approve", "digest": null}), "digest"),
            (json!({"verdict": "approve", "digest": "ab"}), "digest"),
            (json!({"verdict": "deny", "comment": "x".repeat(20_000)}), "comment"),
        ] {
            assert_eq!(wrong(decision(more.clone())), named, "{more}");
        }
    }

    #[test]
    fn a_cancellation_may_say_nothing() {
        assert_eq!(cancel(b" ").unwrap(), "");
        assert_eq!(cancel(b"{}").unwrap(), "");
        assert_eq!(cancel(br#"{"reason": "changed my mind"}"#).unwrap(), "changed my mind");
        assert_eq!(wrong(cancel(br#"{"why": "x"}"#)), "why");
        assert_eq!(wrong(cancel(b"[]")), "body");
    }
}
