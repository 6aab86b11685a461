use placet_core::humanlayer;
use placet_core::operation::ContactChannel;
use serde_json::json;

use super::*;

fn read(body: &Value) -> Result<NewOperation, Problem> {
    NewOperation::read(body.to_string().as_bytes())
}

fn call() -> Value {
    json!({"kind": "function_call", "run_id": "r", "fn": "f"})
}

fn question() -> Value {
    json!({"kind": "human_contact", "run_id": "r", "msg": "m"})
}

#[test]
fn both_apis_make_the_same_specification() {
    let channel = json!({
        "slack": {"channel_or_user_id": "C1", "bot_token": "secret", "thread_ts": "1.5", "x": {"y": null}},
        "email": {"address": "a@x", "subject": null, "template": "t",
            "additional_recipients": [{"address": "b@x", "field": "cc"}, {"address": "c@x", "field": null}]},
        "sms": null,
    });
    let options = json!([{"name": "later", "title": "Later", "prompt_fill": null, "interactive": true}, {"name": ""}]);
    for (own, spec) in [
        (
            json!({"kind": "function_call", "fn": "f", "kwargs": {"a": 1}, "channel": channel,
                "requester_state": {"s": 1}, "reject_options": options}),
            json!({"fn": "f", "kwargs": {"a": 1}, "channel": channel, "state": {"s": 1},
                "reject_options": options}),
        ),
        (
            json!({"kind": "human_contact", "msg": "m", "subject": "s", "response_options": options,
                "channel": {"channel_id": 17}}),
            json!({"msg": "m", "subject": "s", "response_options": options,
                "channel": {"channel_id": 17}}),
        ),
        (
            json!({"kind": "function_call", "fn": "", "channel": {}}),
            json!({"fn": "", "channel": {}}),
        ),
        (
            json!({"kind": "function_call", "fn": "f", "kwargs": null, "channel": {"email": null}}),
            json!({"fn": "f", "kwargs": null, "channel": {"email": null}}),
        ),
    ] {
        let mut own = own;
        own["run_id"] = "r".into();
        own["call_id"] = "c".into();
        let theirs = json!({"run_id": "r", "call_id": "c", "spec": spec});
        let new = read(&own).unwrap();
        let kind = new.specification.content.kind();
        let same = humanlayer::create(kind, theirs.to_string().as_bytes()).unwrap();
        assert_eq!(new.specification, same.specification);
        assert_eq!((new.run_id, new.call_id), (same.run_id, same.call_id));
    }
}

/// The error for a body in which only this member is wrong.
fn refused(mut body: Value, member: &str, value: Value) -> String {
    body[member] = value;
    let problem = read(&body).unwrap_err();
    assert_eq!((problem.status.as_u16(), problem.code), (422, "invalid_body"));
    problem.detail
}

#[test]
fn an_error_names_the_wrong_member_with_its_pointer() {
    let cases = [
        refused(call(), "kind", json!("dance")),
        refused(call(), "kind", Value::Null),
        refused(call(), "kind", json!({"function_call": null})),
        refused(call(), "kind", json!("human_contact")),
        refused(call(), "run_id", json!("")),
        refused(call(), "run_id", Value::Null),
        refused(call(), "run_id", json!("r".repeat(256))),
        refused(call(), "call_id", json!("a/b")),
        refused(call(), "fn", json!(7)),
        refused(call(), "fn", json!("f".repeat(256))),
        refused(call(), "kwargs", json!([1])),
        refused(call(), "requester_state", json!("s")),
        refused(call(), "sender_state", json!({})),
        refused(call(), "a/b~c", json!(1)),
        refused(question(), "msg", json!("")),
        refused(question(), "subject", json!(7)),
        refused(question(), "fn", json!("f")),
        refused(json!({"kind": "function_call"}), "fn", json!("f")),
    ];
    insta::assert_snapshot!(cases.join("\n"), @r#"
    /kind: must be function_call or human_contact
    /kind: must be a string
    /kind: must be a string
    /fn: is unknown; use one of run_id, call_id, msg, subject, response_options, channel, requester_state
    /run_id: must not be empty
    /run_id: must be a string, not null
    /run_id: must have at most 255 bytes, not 256
    /call_id: must have 1 to 255 bytes, none of / \ ? # % or control characters, no space at either end, and must not be . or .. or pending
    /fn: must be a string, not a whole number
    /fn: must have at most 255 bytes, not 256
    /kwargs: must be an object, not a list
    /requester_state: must be an object, not a string
    /sender_state: is unknown; use one of run_id, call_id, fn, kwargs, reject_options, channel, requester_state
    /a~1b~0c: is unknown; use one of run_id, call_id, fn, kwargs, reject_options, channel, requester_state
    /msg: must not be empty
    /subject: must be a string, not a whole number
    /fn: is unknown; use one of run_id, call_id, msg, subject, response_options, channel, requester_state
    /run_id: is missing
    "#);
    assert_eq!(NewOperation::read(b"{").unwrap_err().code, "malformed_json");
}

#[test]
fn an_error_names_the_wrong_option_with_its_pointer() {
    let second = |option: Value| refused(call(), "reject_options", json!([{"name": "n"}, option]));
    let cases = [
        refused(call(), "response_options", json!([])),
        refused(call(), "reject_options", json!({})),
        refused(call(), "reject_options", json!([{}])),
        second(json!({"name": "n"})),
        second(json!({"name": "m", "title": 7})),
        second(json!({"name": "m", "colour": "red"})),
        second(json!({"name": "n".repeat(256)})),
        second(json!(["m", null, null, null, null])),
        refused(call(), "reject_options", json!(vec![json!({"name": "n"}); 51])),
    ];
    insta::assert_snapshot!(cases.join("\n"), @r#"
    /response_options: is unknown; use one of run_id, call_id, fn, kwargs, reject_options, channel, requester_state
    /reject_options: must be a list, not an object
    /reject_options/0/name: is missing
    /reject_options/1/name: must be unique among the options
    /reject_options/1/title: must be a string, not a whole number
    /reject_options/1/colour: is unknown; use one of name, title, description, prompt_fill, interactive
    /reject_options/1/name: must have at most 255 bytes, not 256
    /reject_options/1: must be an object, not a list
    /reject_options: must have at most 50 options, not 51
    "#);
}

#[test]
fn an_error_names_the_wrong_member_of_a_channel_with_its_pointer() {
    let channel = |channel: Value| refused(call(), "channel", channel);
    let slack =
        |ids: Value| json!({"slack": {"channel_or_user_id": "C", "allowed_responder_ids": ids}});
    let email = |recipients: Value| {
        channel(json!({"email": {"address": "a@x", "additional_recipients": recipients}}))
    };
    let cases = [
        channel(json!("slack")),
        channel(json!([17, null, null, null, null])),
        channel(json!({"pigeon": {}})),
        channel(json!({"channel_id": -1})),
        channel(json!({"email": {}})),
        channel(json!({"slack": {"channel_or_user_id": 7}})),
        channel(slack(json!([7]))),
        email(json!([{"address": "x".repeat(255)}])),
        email(json!([{"address": "b@x", "field": "bbc"}])),
        email(json!(vec![json!({"address": "b@x"}); 11])),
    ];
    insta::assert_snapshot!(cases.join("\n"), @r#"
    /channel: must be an object, not a string
    /channel: must be an object, not a list
    /channel/pigeon: is unknown; use one of channel_id, slack, email, sms, whatsapp
    /channel/channel_id: must be a whole number from 0
    /channel/email/address: is missing
    /channel/slack/channel_or_user_id: must be a string, not a whole number
    /channel/slack/allowed_responder_ids/0: must be a string, not a whole number
    /channel/email/additional_recipients/0/address: must have at most 254 bytes, not 255
    /channel/email/additional_recipients/0/field: must be to, cc or bcc
    /channel/email/additional_recipients: must have at most 10 addresses
    "#);
}

#[test]
fn a_channel_without_a_contact_is_none_and_a_bot_token_is_not_stored() {
    let mut body = call();
    body["channel"] = json!({"slack": {"channel_or_user_id": "C1", "bot_token": "xoxb-secret"}});
    let channel = read(&body).unwrap().specification.channel.unwrap();
    assert!(!format!("{channel:?}").contains("xoxb"));
    body["channel"] = json!({"slack": null});
    assert_eq!(read(&body).unwrap().specification.channel, None::<ContactChannel>);
}
