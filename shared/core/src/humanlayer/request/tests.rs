use serde_json::{Map, Value, json};

use super::*;
use crate::limits::LONGEST_ADDRESS;
use crate::operation::{ContactChannel, Content, ResponseOption, is_comment};

fn call(body: Value) -> Result<Create, InvalidBody> {
    create(OperationKind::FunctionCall, body.to_string().as_bytes())
}

/// A call of `f` with these additional members in its specification.
fn call_with(more: Value) -> Result<Specification, InvalidBody> {
    let mut spec = json!({"fn": "f"});
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    call(json!({"run_id": "r", "spec": spec})).map(|create| create.specification)
}

fn question(spec: Value) -> Result<Specification, InvalidBody> {
    let body = json!({"run_id": "r", "spec": spec}).to_string();
    create(OperationKind::HumanContact, body.as_bytes()).map(|create| create.specification)
}

fn escalation(body: Value) -> Result<Escalation, InvalidBody> {
    escalate(body.to_string().as_bytes())
}

/// The path and the kind of an error, for example `body.run_id missing`.
fn wrong<T: std::fmt::Debug>(read: Result<T, InvalidBody>) -> String {
    match read.unwrap_err() {
        InvalidBody::Field(field) => format!("{} {}", field.loc.join("."), field.kind),
        InvalidBody::Json(_) => "json".to_owned(),
    }
}

/// The channel as it is stored and returned; null if there is none.
fn kept_channel(channel: Value) -> Value {
    json!(call_with(json!({"channel": channel})).unwrap().channel)
}

#[test]
fn null_members_and_missing_members_mean_the_same() {
    let python = json!({"run_id": "r", "call_id": "c", "status": null, "spec": {"fn": "f", "kwargs": {"a": 1},
        "channel": null, "reject_options": null, "state": null}});
    let typescript =
        json!({"run_id": "r", "call_id": "c", "spec": {"fn": "f", "kwargs": {"a": 1}}});
    assert_eq!(call(python), call(typescript));
}

#[test]
fn absent_kwargs_are_an_empty_object_and_odd_ones_are_kept() {
    for (more, expected) in [
        (json!({}), json!({})),
        (json!({"kwargs": null}), json!({})),
        (json!({"kwargs": "plain"}), json!("plain")),
    ] {
        assert_eq!(call_with(more).unwrap().content.kwargs(), Some(&expected));
    }
}

#[test]
fn the_bot_token_and_an_empty_responder_list_are_not_stored() {
    let slack = json!({"channel_or_user_id": "C1", "bot_token": "xoxb-secret", "allowed_responder_ids": []});
    let kept = json!({"slack": {"channel_or_user_id": "C1"}});
    assert_eq!(kept_channel(json!({"slack": slack})), kept);
}

#[test]
fn the_first_wrong_field_is_named() {
    let spec = json!({"fn": "f"});
    for (body, expected) in [
        (json!([]), "body dict_type"),
        (json!({"run_id": "r"}), "body.spec missing"),
        (json!({"spec": spec}), "body.run_id missing"),
        (json!({"run_id": 7, "spec": spec}), "body.run_id string_type"),
        (json!({"run_id": "", "spec": spec}), "body.run_id string_too_short"),
        (json!({"run_id": "r".repeat(256), "spec": spec}), "body.run_id string_too_long"),
        (json!({"run_id": "r", "spec": "f"}), "body.spec dict_type"),
        (json!({"run_id": "r", "spec": {}}), "body.spec.fn missing"),
        (json!({"run_id": "r", "spec": {"fn": 1}}), "body.spec.fn string_type"),
    ] {
        assert_eq!(wrong(call(body.clone())), expected, "{body}");
    }
    for (more, expected) in [
        (json!({"state": []}), "body.spec.state dict_type"),
        (json!({"channel": "x"}), "body.spec.channel dict_type"),
        (json!({"reject_options": [{}]}), "body.spec.reject_options list_type"),
        (json!({"reject_options": {"name": "n"}}), "body.spec.reject_options list_type"),
        (
            json!({"reject_options": [{"name": "n", "title": 7}]}),
            "body.spec.reject_options list_type",
        ),
        (json!({"response_options": [{}]}), "body.spec.response_options list_type"),
    ] {
        assert_eq!(wrong(call_with(more.clone())), expected, "{more}");
    }
    for body in [b"{".to_vec(), "[".repeat(100_000).into_bytes()] {
        assert_eq!(wrong(create(OperationKind::FunctionCall, &body)), "json");
    }
}

#[test]
fn ids_that_would_break_a_path_are_refused() {
    let with = |id: &str| call(json!({"run_id": "r", "call_id": id, "spec": {"fn": "f"}}));
    let long = "x".repeat(256);
    for id in [
        "a/b", "a?b", "a#b", "a%2Fb", "a\\b", "a\nb", "a\u{7f}", ".", "..", "pending", " a", "a ",
        "", &long,
    ] {
        assert!(with(id).is_err(), "{id:?}");
    }
    for id in ["call-1", "toolu_01A-b", "a b", "é", "pending-1", "...", &long[..255]] {
        assert_eq!(with(id).unwrap().call_id.as_deref(), Some(id));
    }
}

#[test]
fn a_decision_on_a_call_needs_a_verdict() {
    let decision = |body: Value| respond(OperationKind::FunctionCall, body.to_string().as_bytes());
    let denied = json!({"approved": false, "comment": null, "responded_at": "x"});
    let expected = Response { verdict: Verdict::Deny, comment: String::new(), option: None };
    assert_eq!(decision(denied).unwrap(), expected);
    for (body, expected) in [
        (json!({}), "body.approved missing"),
        (json!({"approved": null}), "body.approved missing"),
        (json!({"approved": "yes"}), "body.approved bool_type"),
        (json!({"approved": true, "comment": 1}), "body.comment string_type"),
    ] {
        assert_eq!(wrong(decision(body)), expected);
    }
}

#[test]
fn an_answer_needs_a_text_or_an_option() {
    let answer = |body: Value| respond(OperationKind::HumanContact, body.to_string().as_bytes());
    let chosen = answer(json!({"response": null, "response_option_name": "b"})).unwrap();
    assert_eq!((chosen.verdict, chosen.option.as_deref()), (Verdict::Answer, Some("b")));
    for body in [json!({}), json!({"response": ""}), json!({"response": null})] {
        assert_eq!(wrong(answer(body)), "body.response string_too_short");
    }
}

#[test]
fn a_channel_that_reaches_nobody_is_an_error() {
    let python =
        json!({"slack": null, "sms": null, "email": {"address": "a@b.c", "subject": null}});
    assert_eq!(kept_channel(python), json!({"email": {"address": "a@b.c"}}));
    assert_eq!(kept_channel(json!({"channel_id": 17})), json!({"channel_id": 17}));
    assert_eq!(kept_channel(json!({})), Value::Null);
    assert_eq!(kept_channel(json!({"slack": null, "email": null})), Value::Null);
    let installer = json!({"slack": {"channel_or_user_id": ""}});
    assert_eq!(kept_channel(installer.clone()), installer);
    for (channel, expected) in [
        (json!({"pigeon": {}}), "pigeon extra_forbidden"),
        (json!({"slack": {"channelOrUserId": "C1"}}), "slack.channel_or_user_id missing"),
        (
            json!({"slack": {"channel_or_user_id": "C1", "allowed_responder_ids": "U1"}}),
            "slack.allowed_responder_ids list_type",
        ),
        (json!({"email": {"address": 7}}), "email.address string_type"),
        (json!({"sms": "+1"}), "sms dict_type"),
        (json!({"whatsapp": {}}), "whatsapp.phone_number missing"),
        (json!({"channel_id": "17"}), "channel_id int_type"),
        (json!({"channel_id": -1}), "channel_id int_type"),
        (
            json!({"email": {"address": "a", "additional_recipients": [{"address": "b", "field": "x"}]}}),
            "email.additional_recipients list_type",
        ),
    ] {
        let read = call_with(json!({"channel": channel}));
        assert_eq!(wrong(read), format!("body.spec.channel.{expected}"), "{channel}");
    }
}

#[test]
fn a_configured_channel_has_slack_email_sms_or_whatsapp() {
    let read = |written: Value| crate::humanlayer::channel(written.as_object().unwrap());
    let sms = read(json!({"sms": {"phone_number": "+49"}})).unwrap();
    assert_eq!(sms.sms.unwrap().phone_number, "+49");
    for wrong in [json!({}), json!({"channel_id": 17})] {
        assert_eq!(read(wrong).unwrap_err(), "a channel must have slack, email, sms or whatsapp");
    }
    assert_eq!(read(json!({"email": {}})).unwrap_err(), "email.address: Field required");
    assert!(read(json!({"pigeon": {}})).is_err());
}

#[test]
fn a_question_has_a_message() {
    let specification = question(json!({"msg": "Colour?", "subject": null})).unwrap();
    let content = Content::Question { message: "Colour?".to_owned(), subject: None };
    assert_eq!(specification, Specification::of(content));
    for (spec, expected) in [
        (json!({}), "body.spec.msg missing"),
        (json!({"msg": ""}), "body.spec.msg string_too_short"),
        (json!({"msg": "m", "subject": 7}), "body.spec.subject string_type"),
    ] {
        assert_eq!(wrong(question(spec)), expected);
    }
}

#[test]
fn an_option_has_a_unique_name() {
    let options =
        json!([{"name": "b", "title": "Blue", "prompt_fill": null, "x-own": [1]}, {"name": "g"}]);
    let read = question(json!({"msg": "Colour?", "response_options": options})).unwrap().options;
    let other: Map<String, Value> = [("x-own".to_owned(), json!([1]))].into_iter().collect();
    let green = ResponseOption {
        name: "g".to_owned(),
        title: None,
        description: None,
        prompt_fill: None,
        interactive: false,
        other: Map::new(),
    };
    let blue = ResponseOption {
        name: "b".to_owned(),
        title: Some("Blue".to_owned()),
        other,
        ..green.clone()
    };
    assert_eq!(read, [blue, green]);
    let twice = json!([{"name": "a"}, {"name": "b"}, {"name": "a"}]);
    let read = question(json!({"msg": "m", "response_options": twice}));
    assert_eq!(wrong(read), "body.spec.response_options value_error");
    let long = json!([{"name": "x".repeat(256)}]);
    assert_eq!(
        wrong(call_with(json!({"reject_options": long}))),
        "body.spec.reject_options list_type"
    );
}

#[test]
fn an_escalation_has_recipients() {
    let more = json!([{"address": "boss@y.z", "field": "cc"}]);
    let body = json!({"escalation_msg": "hurry", "additional_recipients": more,
        "channel": {"slack": null, "email": {"address": "ceo@y.z", "additional_recipients": null}}});
    let read = escalation(body).unwrap();
    assert_eq!((read.message.as_str(), read.redirects), ("hurry", true));
    assert_eq!(read.recipients, ["ceo@y.z", "boss@y.z"]);
    let bare = escalation(json!({"escalation_msg": "hurry"})).unwrap();
    assert!(bare.recipients.is_empty() && !bare.redirects);
    assert_eq!(wrong(escalation(json!({}))), "body.escalation_msg missing");
}

#[test]
fn the_recipients_of_an_escalation_are_checked() {
    let listed = |recipients: Value| {
        escalation(json!({"escalation_msg": "hurry", "additional_recipients": recipients}))
            .map(|escalation| escalation.recipients)
    };
    let many = |count: usize| json!(vec![json!({"address": "a@b.c"}); count]);
    assert_eq!(listed(many(10)).unwrap().len(), 10);
    let long = |length: usize| json!([{"address": "a".repeat(length)}]);
    assert_eq!(listed(long(LONGEST_ADDRESS)).unwrap()[0].len(), LONGEST_ADDRESS);
    for field in [json!("to"), json!("cc"), json!("bcc"), Value::Null] {
        assert_eq!(listed(json!([{"address": "a", "field": field}])), Ok(vec!["a".to_owned()]));
    }
    assert_eq!(listed(Value::Null), Ok(vec![]));
    for recipients in [
        many(11),
        long(LONGEST_ADDRESS + 1),
        json!("a@b.c"),
        json!(["a@b.c"]),
        json!([{"field": "to"}]),
        json!([{"address": 7}]),
        json!([{"address": "a", "field": "from"}]),
        json!([{"address": "a", "field": 1}]),
    ] {
        let expected = "body.additional_recipients list_type";
        assert_eq!(wrong(listed(recipients.clone())), expected, "{recipients}");
    }
}

fn escalation_by_mail(email: Value) -> Result<Escalation, InvalidBody> {
    escalation(json!({"escalation_msg": "hurry", "channel": {"email": email}}))
}

#[test]
fn an_escalation_with_an_email_channel_redirects_to_its_addresses() {
    let also = json!({"address": "ceo@y.z", "additional_recipients": [{"address": "cfo@y.z"}]});
    let read = escalation_by_mail(also).unwrap();
    assert_eq!(
        (read.recipients, read.redirects),
        (vec!["ceo@y.z".to_owned(), "cfo@y.z".to_owned()], true)
    );
    assert_eq!(wrong(escalation_by_mail(json!({}))), "body.channel.email.address missing");
    let more = json!({"address": "a", "additional_recipients": 7});
    assert_eq!(
        wrong(escalation_by_mail(more)),
        "body.channel.email.additional_recipients list_type"
    );
}

/// The history stores the addresses of up to ten escalations.
#[test]
fn the_address_of_an_escalation_is_required_and_short() {
    let address = |length: usize| escalation_by_mail(json!({"address": "a".repeat(length)}));
    assert_eq!(address(LONGEST_ADDRESS).unwrap().recipients[0].len(), LONGEST_ADDRESS);
    let read = address(LONGEST_ADDRESS + 1);
    assert_eq!(wrong(read), "body.channel.email.address string_too_long");
    assert_eq!(wrong(address(0)), "body.channel.email.address string_too_short");
}

/// Every stored text has a maximum length.
#[test]
fn texts_have_a_maximum_length() {
    let message = |length: usize| escalation(json!({"escalation_msg": "x".repeat(length)}));
    assert!(message(LONGEST_ESCALATION).is_ok());
    assert_eq!(wrong(message(LONGEST_ESCALATION + 1)), "body.escalation_msg string_too_long");
    let comment = |comment: &str| {
        let body = json!({"approved": true, "comment": comment}).to_string();
        respond(OperationKind::FunctionCall, body.as_bytes())
    };
    // Two of the bytes are the quotes.
    let longest = "x".repeat(16 * 1024 - 2);
    assert_eq!(comment(&longest).unwrap().comment, longest);
    assert!(is_comment(&longest) && !is_comment(&format!("{longest}x")));
    for long in [format!("{longest}x"), "\u{1}".repeat(2731)] {
        assert_eq!(wrong(comment(&long)), "body.comment string_too_long");
    }
    for text in ["title", "description", "prompt_fill"] {
        let option = |length: usize| {
            let options = json!([{"name": "later", text: "x".repeat(length)}]);
            call_with(json!({"reject_options": options}))
        };
        assert!(option(16_000).is_ok());
        assert_eq!(wrong(option(17_000)), "body.spec.reject_options list_type");
    }
}

#[test]
fn other_members_of_a_specification_are_stored_unchanged() {
    let more =
        json!({"kwargs": {}, "state": {"n": null}, "subject": "s", "x": [null], "none": null});
    let read = call_with(more).unwrap();
    assert_eq!(json!(read.requester_state), json!({"n": null}));
    assert_eq!(json!(read.other), json!({"subject": "s", "x": [null]}));

    let read = question(json!({"msg": "m", "subject": "s", "fn": "f", "state": {}})).unwrap();
    assert_eq!((read.requester_state, read.other), (Some(Map::new()), Map::new()));

    let email = json!({"address": "a@b.c", "additional_recipients":
        [{"address": "d@e.f", "field": null, "context_about_user": null}]});
    let kept =
        json!({"email": {"address": "a@b.c", "additional_recipients": [{"address": "d@e.f"}]}});
    assert_eq!(kept_channel(json!({"email": email})), kept);
    let slack = |more: Value| {
        let mut slack = json!({"channel_or_user_id": "C1", "allowed_responder_ids": ["U1"]});
        slack["context"] = more;
        json!({"slack": slack})
    };
    let kept = kept_channel(slack(json!({"a": null, "b": [{"c": null}]})));
    assert_eq!(kept, slack(json!({"b": [{}]})));
    assert_eq!(call_with(json!({"channel": {}})).unwrap().channel, None::<ContactChannel>);
}
