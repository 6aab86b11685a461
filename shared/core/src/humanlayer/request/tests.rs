use serde_json::json;

use super::*;

fn call(body: Value) -> Result<Create, InvalidBody> {
    create(Kind::FunctionCall, body.to_string().as_bytes())
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
    assert_eq!(call(python), call(typescript));
}

#[test]
fn absent_kwargs_are_an_empty_object_and_odd_ones_are_kept() {
    let kwargs = |spec| {
        let content = call(json!({"run_id": "r", "spec": spec})).unwrap().content;
        content.kwargs().unwrap().clone()
    };
    assert_eq!(kwargs(json!({"fn": "f"})), json!({}));
    assert_eq!(kwargs(json!({"fn": "f", "kwargs": null})), json!({}));
    assert_eq!(kwargs(json!({"fn": "f", "kwargs": "plain"})), json!("plain"));
}

#[test]
fn the_bot_token_is_not_kept_and_no_empty_responder_list() {
    let call = call(json!({"run_id": "r", "spec": {"fn": "f", "channel": {"slack":
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
        assert_eq!(field(call(body.clone()).unwrap_err()), expected, "{body}");
    }
    assert_eq!(field(create(Kind::FunctionCall, b"{").unwrap_err()), "json");
    assert_eq!(
        field(create(Kind::FunctionCall, &"[".repeat(100_000).into_bytes()).unwrap_err()),
        "json"
    );
}

#[test]
fn ids_that_would_break_a_path_are_refused() {
    let with = |id: &str| call(json!({"run_id": "r", "call_id": id, "spec": {"fn": "f"}}));
    for id in [
        "a/b",
        "a?b",
        "a#b",
        "a%2Fb",
        "a\\b",
        "a\nb",
        "a\u{7f}",
        ".",
        "..",
        "pending",
        " a",
        "a ",
        "",
        &"x".repeat(256),
    ] {
        assert!(with(id).is_err(), "{id:?}");
    }
    for id in ["call-1", "toolu_01A-b", "a b", "é", "pending-1", "...", &"x".repeat(255)] {
        assert_eq!(with(id).unwrap().call_id.as_deref(), Some(id));
    }
}

#[test]
fn an_answer_needs_a_verdict() {
    let answer = |body: Value| respond(Kind::FunctionCall, body.to_string().as_bytes());
    let denied = answer(json!({"approved": false, "comment": null, "responded_at": "x"})).unwrap();
    assert_eq!(denied, Respond { verdict: Verdict::Deny, comment: String::new(), option: None });
    for (body, expected) in [
        (json!({}), "body.approved missing"),
        (json!({"approved": null}), "body.approved missing"),
        (json!({"approved": "yes"}), "body.approved bool_type"),
        (json!({"approved": true, "comment": 1}), "body.comment string_type"),
    ] {
        assert_eq!(field(answer(body).unwrap_err()), expected);
    }
}

#[test]
fn a_channel_that_reaches_nobody_is_an_error() {
    let with = |channel: Value| {
        call(json!({"run_id": "r", "spec": {"fn": "f", "channel": channel}}))
            .map(|call| call.extras.get("channel").cloned().unwrap_or_default())
            .map_err(field)
    };
    let python =
        json!({"slack": null, "sms": null, "email": {"address": "a@b.c", "subject": null}});
    assert_eq!(with(python), Ok(json!({"email": {"address": "a@b.c"}})));
    assert_eq!(with(json!({"channel_id": 17})), Ok(json!({"channel_id": 17})));
    assert_eq!(with(json!({})), Ok(Value::Null));
    assert_eq!(with(json!({"slack": null, "email": null})), Ok(Value::Null));
    let installer = json!({"slack": {"channel_or_user_id": ""}});
    assert_eq!(with(installer.clone()), Ok(installer));
    for (channel, expected) in [
        (json!({"pigeon": {}}), "body.spec.channel.pigeon extra_forbidden"),
        (
            json!({"slack": {"channelOrUserId": "C1"}}),
            "body.spec.channel.slack.channel_or_user_id missing",
        ),
        (json!({"email": {"address": 7}}), "body.spec.channel.email.address string_type"),
        (json!({"sms": "+1"}), "body.spec.channel.sms dict_type"),
        (json!({"channel_id": "17"}), "body.spec.channel.channel_id int_type"),
        (
            json!({"email": {"address": "a", "additional_recipients": [{"address": "b", "field": "x"}]}}),
            "body.spec.channel.email.additional_recipients list_type",
        ),
    ] {
        assert_eq!(with(channel), Err(expected.to_owned()));
    }
}

#[test]
fn a_question_and_its_answer() {
    let ask = |spec: Value| {
        create(Kind::HumanContact, json!({"run_id": "r", "spec": spec}).to_string().as_bytes())
    };
    let options = json!([{"name": "b", "title": "Blue"}]);
    let asked =
        ask(json!({"msg": "Colour?", "subject": null, "response_options": options})).unwrap();
    let question = Content::Question { message: "Colour?".to_owned(), subject: None };
    assert_eq!((asked.content, &asked.extras["response_options"]), (question, &options));
    for (spec, expected) in [
        (json!({}), "body.spec.msg missing"),
        (json!({"msg": ""}), "body.spec.msg string_too_short"),
        (json!({"msg": "m", "subject": 7}), "body.spec.subject string_type"),
        (
            json!({"msg": "m", "response_options": [{"name": "a"}, {"name": "b"}, {"name": "a"}]}),
            "body.spec.response_options value_error",
        ),
    ] {
        assert_eq!(field(ask(spec).unwrap_err()), expected);
    }
    let answer = |body: Value| respond(Kind::HumanContact, body.to_string().as_bytes());
    let chosen = answer(json!({"response": null, "response_option_name": "b"})).unwrap();
    assert_eq!((chosen.verdict, chosen.option.as_deref()), (Verdict::Answer, Some("b")));
    for body in [json!({}), json!({"response": ""}), json!({"response": null})] {
        assert_eq!(field(answer(body).unwrap_err()), "body.response string_too_short");
    }
}

#[test]
fn an_escalation_names_who_is_to_be_told() {
    let read = |body: Value| escalate(body.to_string().as_bytes());
    let more = json!([{"address": "boss@y.z", "field": "cc"}]);
    let body = json!({"escalation_msg": "hurry", "additional_recipients": more,
        "channel": {"slack": null, "email": {"address": "ceo@y.z", "additional_recipients": null}}});
    let escalation = read(body).unwrap();
    assert_eq!(escalation.recipients, ["ceo@y.z", "boss@y.z"]);
    assert!(escalation.redirects);
    let bare = read(json!({"escalation_msg": "hurry"})).unwrap();
    assert!(bare.recipients.is_empty() && !bare.redirects);
    assert_eq!(field(read(json!({})).unwrap_err()), "body.escalation_msg missing");
}

#[test]
fn the_recipients_of_an_escalation_are_known_and_few() {
    let read = |body: Value| escalate(body.to_string().as_bytes());
    let listed = |recipients: Value| {
        read(json!({"escalation_msg": "hurry", "additional_recipients": recipients}))
            .map(|escalation| escalation.recipients)
            .map_err(field)
    };
    let many = |count: usize| json!(vec![json!({"address": "a@b.c"}); count]);
    assert_eq!(listed(many(10)).unwrap().len(), 10);
    let long = |length: usize| json!([{"address": "a".repeat(length)}]);
    assert_eq!(listed(long(254)).unwrap()[0].len(), 254);
    for known in ["to", "cc", "bcc"] {
        assert_eq!(listed(json!([{"address": "a", "field": known}])), Ok(vec!["a".to_owned()]));
    }
    assert_eq!(listed(json!([{"address": "a", "field": null}])), Ok(vec!["a".to_owned()]));
    assert_eq!(listed(Value::Null), Ok(vec![]));
    let wrong = [
        many(11),
        long(255),
        json!("a@b.c"),
        json!(["a@b.c"]),
        json!([{"field": "to"}]),
        json!([{"address": 7}]),
        json!([{"address": "a", "field": "from"}]),
        json!([{"address": "a", "field": 1}]),
    ];
    for recipients in wrong {
        let expected = Err("body.additional_recipients list_type".to_owned());
        assert_eq!(listed(recipients.clone()), expected, "{recipients}");
    }
    let by_mail = |email: Value| {
        read(json!({"escalation_msg": "hurry", "channel": {"email": email}}))
            .map(|escalation| (escalation.recipients, escalation.redirects))
            .map_err(field)
    };
    let also = json!({"address": "ceo@y.z", "additional_recipients": [{"address": "cfo@y.z"}]});
    assert_eq!(by_mail(also), Ok((vec!["ceo@y.z".to_owned(), "cfo@y.z".to_owned()], true)));
    assert_eq!(by_mail(json!({"address": "a".repeat(254)})).unwrap().0[0].len(), 254);
    for (email, expected) in [
        (json!({}), "body.channel.email.address missing"),
        (json!({"address": ""}), "body.channel.email.address string_too_short"),
        (json!({"address": "a".repeat(255)}), "body.channel.email.address string_too_long"),
        (
            json!({"address": "a", "additional_recipients": 7}),
            "body.channel.email.additional_recipients list_type",
        ),
    ] {
        assert_eq!(by_mail(email), Err(expected.to_owned()));
    }
}

/// What is kept for good has a length.
#[test]
fn texts_have_a_longest() {
    let escalation = |length: usize| {
        escalate(json!({"escalation_msg": "x".repeat(length)}).to_string().as_bytes())
            .map_err(field)
    };
    assert!(escalation(2048).is_ok());
    assert_eq!(escalation(2049).unwrap_err(), "body.escalation_msg string_too_long");
    let comment = |comment: &str| {
        let body = json!({"approved": true, "comment": comment}).to_string();
        respond(Kind::FunctionCall, body.as_bytes()).map_err(field)
    };
    // The quotes are two of the bytes.
    let longest = "x".repeat(16 * 1024 - 2);
    assert_eq!(comment(&longest).unwrap().comment, longest);
    assert!(is_comment(&longest) && !is_comment(&format!("{longest}x")));
    assert_eq!(comment(&format!("{longest}x")).unwrap_err(), "body.comment string_too_long");
    assert_eq!(comment(&"\u{1}".repeat(2731)).unwrap_err(), "body.comment string_too_long");
}

#[test]
fn what_an_asker_says_besides_is_kept_as_it_was() {
    let body = json!({"run_id": "r", "spec": {"fn": "f", "kwargs": {}, "state": {"n": null},
        "subject": "s", "x": [null], "none": null,
        "channel": {"email": {"address": "a@b.c", "additional_recipients":
            [{"address": "d@e.f", "field": null, "context_about_user": null}]}}}});
    let expected = json!({"state": {"n": null}, "subject": "s", "x": [null],
        "channel": {"email": {"address": "a@b.c", "additional_recipients": [{"address": "d@e.f"}]}}});
    let asked = call(body).unwrap();
    assert_eq!((Value::Object(asked.extras), asked.run_id.as_str()), (expected, "r"));
    assert_eq!(asked.call_id, None);

    let body = json!({"run_id": "r", "spec": {"msg": "m", "subject": "s", "state": {}}});
    let asked = create(Kind::HumanContact, body.to_string().as_bytes()).unwrap();
    assert_eq!(Value::Object(asked.extras), json!({"state": {}}));
    let slack = json!({"channel_or_user_id": "C1", "allowed_responder_ids": ["U1"]});
    let body = json!({"run_id": "r", "spec": {"fn": "f", "channel": {"slack": slack}}});
    assert_eq!(call(body).unwrap().extras["channel"]["slack"], slack);
}

#[test]
fn what_an_option_says_can_be_kept() {
    let with = |length: usize| {
        let options = json!([{"name": "later", "prompt_fill": "x".repeat(length)}]);
        call(json!({"run_id": "r", "spec": {"fn": "f", "reject_options": options}})).map_err(field)
    };
    assert!(with(16_000).is_ok());
    assert_eq!(with(17_000).unwrap_err(), "body.spec.reject_options list_type");
}
