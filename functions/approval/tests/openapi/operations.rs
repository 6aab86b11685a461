//! `/v1/operations`.

use serde_json::{Value, json};

use crate::ours;
use crate::route::Route;
use crate::schema::{
    Schemas, boolean, described, digest, list_of, moment, named, nullable, number, object, one_of,
    only_required, page, schema, text, text_like, with,
};

pub(crate) fn routes() -> Vec<Route> {
    let one = "operations/{kind}/{call_id}";
    let ask = ours("POST", "operations", "ask", "Ask for a call to be approved, or a question to be answered")
        .says("The same again answers 200 with how it stands. Without a `call_id` its id is made from the `Idempotency-Key`, which is of its project and kind; with one, that decides. `run_id` is not part of what has to be the same.")
        .header("idempotency_key")
        .body("NewOperation", true)
        .answers(201, "It is new", "Operation")
        .with_header(201, "Location", "Where it is")
        .with_links(201, links())
        .answers(200, "The same was asked before; this is how it stands", "Operation")
        .with_header(200, "Location", "Where it is")
        .error(400, &["invalid_idempotency_key"])
        .error(409, &["id_taken"])
        .error(422, &["idempotency_key_reused"]);
    let list = ours("GET", "operations", "list_operations", "What was asked, newest first")
        .says("`state` is as of now. Of a question it shows the first 200 characters.")
        .query(&[
            "of_kind",
            "of_state",
            "of_function",
            "of_run",
            "since",
            "until",
            "limit",
            "cursor",
        ])
        .answers(200, "A page", "Operations");
    let look = ours("GET", one, "look", "How it stands, and all that happened to it")
        .query(&["wait"])
        .answers(200, "The operation", "Operation")
        .error(404, &["not_found"]);
    let decide = ours("POST", &format!("{one}/decision"), "decide", "Say what a person decided")
        .says("On what that person saw: the digest has to be the operation's.")
        .body("Decide", true)
        .answers(200, "Decided", "Operation")
        .error(404, &["not_found"])
        .error(
            409,
            &["already_decided", "expired", "digest_mismatch", "wrong_verdict", "empty_answer"],
        );
    let cancel =
        ours("POST", &format!("{one}/cancel"), "cancel", "Take it back while nobody has decided")
            .says("What is cancelled already stays as it is.")
            .body("Cancel", false)
            .answers(200, "Cancelled", "Operation")
            .error(404, &["not_found"])
            .error(409, &["already_decided", "expired", "digest_mismatch"]);
    [ask, list, look, decide, cancel].into_iter().map(|route| route.tag("operations")).collect()
}

/// What can be done with an operation that was asked for.
fn links() -> Value {
    let which = json!({"kind": "$response.body#/kind", "call_id": "$response.body#/call_id"});
    let said = json!({"verdict": "approve", "digest": "$response.body#/digest"});
    json!({
        "look": {"operationId": "look", "parameters": which},
        "approve": {"operationId": "decide", "parameters": which, "requestBody": said},
        "cancel": {"operationId": "cancel", "parameters": which},
    })
}

pub(crate) fn schemas() -> Schemas {
    [asked(), said(), shown(), listed(), parts()].concat()
}

/// What is asked.
fn asked() -> Schemas {
    let id = json!({
        "type": "string", "minLength": 1, "maxLength": 255, "examples": ["call-1"],
        "description": "Up to 255 bytes, none of `/ \\ ? # %`; chosen by the server if left out",
    });
    let common = object([
        (
            "run_id",
            json!({"type": "string", "minLength": 1, "maxLength": 255, "examples": ["run-1"]}),
        ),
        ("call_id", nullable(id)),
        ("channel", nullable(schema("Channel"))),
        ("asker_state", described(nullable(open_object()), "Kept and given back, never looked at")),
    ]);
    let call = object([
        ("kind", json!({"const": "function_call"})),
        ("fn", json!({"type": "string", "maxLength": 255, "examples": ["purchase_materials"]})),
        ("kwargs", nullable(open_object())),
        ("reject_options", nullable(options("Reasons for a denial"))),
    ]);
    let question = object([
        ("kind", json!({"const": "human_contact"})),
        ("msg", json!({"type": "string", "minLength": 1})),
        ("subject", nullable(text())),
        ("response_options", nullable(options("Answers to choose from"))),
    ]);
    let mut call = only_required(with(call, &common), &["kind", "run_id", "fn"]);
    call["examples"] = json!([{
        "kind": "function_call", "run_id": "run-1", "call_id": "call-1", "fn": "purchase_materials",
        "kwargs": {"material": "wood", "quantity": 10},
    }]);
    let mut question = only_required(with(question, &common), &["kind", "run_id", "msg"]);
    question["examples"] = json!([{
        "kind": "human_contact", "run_id": "run-1", "call_id": "call-1", "msg": "Oak or pine?",
        "response_options": [{"name": "oak"}, {"name": "pine", "title": "Pine"}],
    }]);
    let new = json!({"oneOf": [schema("NewFunctionCall"), schema("NewHumanContact")]});
    named([
        ("NewOperation", new),
        ("NewFunctionCall", call),
        ("NewHumanContact", question),
        ("Channel", channel()),
        ("NewOption", option_asked()),
    ])
}

/// What a channel may hold besides is kept and given back.
fn channel() -> Value {
    let reached = |needed: &str| {
        nullable(json!({"type": "object", "required": [needed], "properties": {needed: text()}}))
    };
    let address = json!({"type": "string", "maxLength": 320});
    let recipient = json!({
        "type": "object", "required": ["address"],
        "properties": {"address": address, "field": {"enum": ["to", "cc", "bcc", null]}},
    });
    let mut email = reached("address");
    email["properties"]["additional_recipients"] =
        nullable(json!({"type": "array", "maxItems": 50, "items": recipient}));
    let channel = object([
        ("slack", reached("channel_or_user_id")),
        ("email", email),
        ("sms", reached("phone_number")),
        ("whatsapp", reached("phone_number")),
        ("channel_id", nullable(number())),
    ]);
    only_required(channel, &[])
}

fn option_asked() -> Value {
    json!({
        "type": "object", "required": ["name"],
        "properties": {
            "name": text(), "title": nullable(text()), "description": nullable(text()),
            "prompt_fill": described(nullable(text()), "What it says if nothing else is written"),
            "interactive": described(nullable(boolean()), "Whether the person may change what it says"),
        },
    })
}

fn options(description: &str) -> Value {
    described(list_of(schema("NewOption")), &format!("{description}; each name once"))
}

fn open_object() -> Value {
    json!({"type": "object"})
}

/// What is said of it.
fn said() -> Schemas {
    let seen = json!({
        "type": "string", "pattern": "^[0-9a-fA-F]{64}$",
        "description": "The `digest` of what the person saw",
    });
    let words = |what: &str| described(nullable(text()), &format!("{what}, at most 16 KB as JSON"));
    let option =
        |what: &str| json!({"type": ["string", "null"], "maxLength": 255, "description": what});
    let approve = object([
        ("verdict", json!({"const": "approve"})),
        ("comment", words("What the person wrote")),
        ("digest", seen.clone()),
        ("option", json!({"type": "null"})),
    ]);
    let deny = object([
        ("verdict", json!({"const": "deny"})),
        ("comment", words("What the person wrote")),
        ("option", option("The name of a reject option")),
        ("digest", seen.clone()),
    ]);
    let mut answer = object([
        ("verdict", json!({"const": "answer"})),
        ("answer", words("The answer; may be left out if an option is chosen")),
        ("option", option("The name of a response option")),
        ("digest", seen),
    ]);
    answer["anyOf"] = json!([
        {"required": ["answer"], "properties": {"answer": {"type": "string", "minLength": 1}}},
        {"required": ["option"], "properties": {"option": {"type": "string"}}},
    ]);
    let needed = &["verdict", "digest"];
    let mut cancel = object([("reason", words("Why"))]);
    cancel = only_required(cancel, &[]);
    let decide = [approve, deny, answer].map(|one| only_required(one, needed));
    named([("Decide", json!({"oneOf": decide})), ("Cancel", cancel)])
}

fn common() -> Value {
    object([
        ("call_id", text_like("call-1")),
        ("run_id", text_like("run-1")),
        ("state", described(schema("State"), "Where it stands now")),
        ("digest", described(digest(), "SHA-256 of what a person is shown and decides on")),
        ("created_at", moment()),
        ("deadline", described(moment(), "The last moment at which it can be decided")),
        ("attempts", described(number(), "How often it was started to run")),
    ])
}

/// What is shown.
fn shown() -> Schemas {
    let whole = object([
        ("channel", nullable(open_object())),
        ("asker_state", nullable(open_object())),
        (
            "executor",
            described(nullable(text()), "What runs it once approved; null if the asker does"),
        ),
        ("outcome", schema("Outcome")),
        (
            "history",
            described(list_of(schema("Entry")), "What happened, oldest first, hash-chained"),
        ),
        ("inbox", described(text_like("/inbox/call-1"), "The page where a person decides")),
        ("webhooks", described(list_of(schema("Told")), "Who is told of the decision")),
    ]);
    let call = object([
        ("kind", json!({"const": "function_call"})),
        ("fn", text_like("purchase_materials")),
        ("kwargs", described(json!({}), "An object, but for odd clients of the other API")),
        ("reject_options", list_of(schema("Option"))),
        ("decision", nullable(schema("CallDecision"))),
    ]);
    let question = object([
        ("kind", json!({"const": "human_contact"})),
        ("msg", text()),
        ("subject", nullable(text())),
        ("response_options", list_of(schema("Option"))),
        ("decision", nullable(schema("ContactDecision"))),
    ]);
    let whole = with(common(), &whole);
    named([
        ("Operation", json!({"oneOf": [schema("FunctionCall"), schema("HumanContact")]})),
        ("FunctionCall", with(call, &whole)),
        ("HumanContact", with(question, &whole)),
    ])
}

fn listed() -> Schemas {
    let listed = with(
        common(),
        &object([
            ("verdict", nullable(one_of(["approve", "deny", "answer"]))),
            ("decided_at", nullable(moment())),
        ]),
    );
    let listed_call = object([("kind", json!({"const": "function_call"})), ("fn", text())]);
    let listed_question = object([
        ("kind", json!({"const": "human_contact"})),
        ("msg", text()),
        ("subject", nullable(text())),
    ]);
    let kinds = [with(listed_call, &listed), with(listed_question, &listed)];
    named([("Operations", page("ListedOperation")), ("ListedOperation", json!({"oneOf": kinds}))])
}

fn parts() -> Schemas {
    let decision = |verdicts: Value, said: &str| {
        object([
            ("verdict", verdicts),
            (said, text()),
            ("option", nullable(text())),
            ("by", described(text_like("inbox"), "Through which door it came")),
            ("at", moment()),
        ])
    };
    let option = object([
        ("name", text()),
        ("title", nullable(text())),
        ("description", nullable(text())),
        ("prompt_fill", nullable(text())),
        ("interactive", boolean()),
    ]);
    let failure = object([("code", text_like("rejected")), ("message", text())]);
    let outcome = json!({"oneOf": [
        object([("result", described(json!({}), "What the executor returned"))]),
        object([("failure", failure)]),
        {"type": "null"},
    ]});
    let entry = object([
        ("at", moment()),
        ("event", text_like("created")),
        ("by", text_like("api ci")),
        ("detail", open_object()),
        ("write", text_like("9f86d081884c7d65")),
        ("hash", digest()),
    ]);
    let told = object([
        ("endpoint", text_like("billing")),
        ("event_type", text_like("v1beta2.function_call.completed")),
        ("delivery_id", text_like("msg_5b1d0c2f4a9e8d7c6b5a493827161504")),
        (
            "state",
            described(
                nullable(one_of(["pending", "delivered", "failed", "no_longer_kept"])),
                "null while there is no delivery; a delivery is kept for a week after it ended",
            ),
        ),
    ]);
    named([
        ("CallDecision", decision(one_of(["approve", "deny"]), "comment")),
        ("ContactDecision", decision(json!({"const": "answer"}), "answer")),
        ("Option", option),
        ("Outcome", outcome),
        ("Entry", entry),
        ("Told", told),
    ])
}
