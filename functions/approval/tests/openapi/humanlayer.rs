//! `/humanlayer/v1`.

use placet_runtime::Right;
use serde_json::{Value, json};

use crate::route::Route;
use crate::schema::{
    Schemas, boolean, described, list_of, moment, named, nullable, number, object, only_required,
    schema, text, text_like,
};

/// The names of a kind in paths, and its schemas.
struct Spelling {
    name: &'static str,
    id: &'static str,
    schema: &'static str,
}

const SPELLINGS: [Spelling; 3] = [
    Spelling { name: "function_calls", id: "function_call", schema: "Call" },
    Spelling { name: "contact_requests", id: "contact_request", schema: "Contact" },
    Spelling { name: "human_contacts", id: "human_contact", schema: "Contact" },
];

pub(crate) fn routes() -> Vec<Route> {
    let status =
        Route::new("GET", "/humanlayer/v1/status", "humanlayer_status", "Whether it is up")
            .open()
            .answers(200, "It is", "Up");
    let project = compatible("GET", "project", "get_project", "Whose key this is", Right::Read)
        .answers(200, "The project", "Project");
    let id = "get_contact_channel";
    let channel =
        compatible("GET", "contact_channel/{channel_id}", id, "A stored channel", Right::Read)
            .answers(200, "The channel", "ContactChannel")
            .error(404, &[]);
    let mut all = vec![status, project, channel];
    all.extend(SPELLINGS.iter().flat_map(of_kind));
    all.into_iter().map(|route| route.tag("humanlayer")).collect()
}

fn of_kind(Spelling { name, id, schema }: &Spelling) -> Vec<Route> {
    let item = format!("HumanLayer{schema}");
    let look = |path: &str, id: String| {
        compatible("GET", path, &id, "How it stands", Right::Read)
            .says("Held while it is pending, where holding is on: `wait=0` is answered at once.")
            .query(&["wait"])
            .answers(200, "The item", &item)
            .error(404, &[])
    };
    let act = |verb: &str, id: String, summary: &str, right: Right, body: &str| {
        compatible("POST", &format!("agent/{name}/{{call_id}}/{verb}"), &id, summary, right)
            .body(body, true)
            .answers(200, "The item", &item)
            .error(404, &[])
            .error(409, &[])
    };
    let create = compatible("POST", name, &format!("create_{id}"), "Ask", Right::Ask)
        .says("The same again is answered like the first.")
        .body(&format!("HumanLayerNew{schema}"), true)
        .answers(200, "The item", &item)
        .error(409, &[]);
    let pending = format!("agent/{name}/pending");
    let pending = compatible("GET", &pending, &format!("pending_{id}"), "What waits", Right::Read)
        .says("The nearest deadline first.")
        .query(&["page_limit", "offset", "format"])
        .answers(200, "A page, or with `format=array` an array", &format!("{item}s"));
    vec![
        create,
        look(&format!("{name}/{{call_id}}"), format!("get_{id}")),
        look(&format!("agent/{name}/{{call_id}}"), format!("get_agent_{id}")),
        pending,
        act(
            "respond",
            format!("respond_{id}"),
            "Answer",
            Right::Answer,
            &format!("HumanLayerRespond{schema}"),
        ),
        act(
            "escalate_email",
            format!("escalate_{id}"),
            "Ask for more attention",
            Right::Ask,
            "Escalation",
        ),
    ]
}

fn compatible(method: &str, path: &str, id: &str, summary: &str, right: Right) -> Route {
    Route::new(method, &format!("/humanlayer/v1/{path}"), id, summary).compatible(right)
}

pub(crate) fn schemas() -> Schemas {
    [errors(), whoami(), requests(), answers(), items()].concat()
}

fn errors() -> Schemas {
    let place = list_of(json!({"type": ["string", "integer"]}));
    let field = object([("loc", place), ("msg", text()), ("type", text_like("missing"))]);
    named([
        ("Detail", object([("detail", text())])),
        ("InvalidFields", object([("detail", list_of(field))])),
    ])
}

fn whoami() -> Schemas {
    let names = ["name", "slug", "organization", "project_slug", "org_slug"];
    let channel = object([("id", number()), ("org_slug", text()), ("project_slug", text())]);
    named([
        ("Up", object([("status", json!({"const": "ok"}))])),
        ("Project", object(names.map(|name| (name, text())))),
        ("ContactChannel", channel),
    ])
}

/// Clients send all they know of, and more than is looked at.
fn open(required: &[&str], properties: Value) -> Value {
    json!({"type": "object", "required": required, "properties": properties})
}

fn short() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": 255})
}

fn requests() -> Schemas {
    let options = nullable(list_of(schema("NewOption")));
    let state = nullable(json!({"type": "object"}));
    let channel = nullable(schema("Channel"));
    let call = open(
        &["fn"],
        json!({
            "fn": {"type": "string", "maxLength": 255}, "kwargs": {}, "channel": channel,
            "reject_options": options, "state": state,
        }),
    );
    let contact = open(
        &["msg"],
        json!({
            "msg": {"type": "string", "minLength": 1}, "subject": nullable(text()), "channel": channel,
            "response_options": options, "state": state,
        }),
    );
    let new = |spec: Value, example: Value| {
        let id =
            nullable(described(short(), "None of `/ \\ ? # %`; chosen by the server if left out"));
        let mut new =
            open(&["run_id", "spec"], json!({"run_id": short(), "call_id": id, "spec": spec}));
        new["examples"] = json!([{"run_id": "run-1", "call_id": "call-1", "spec": example}]);
        new
    };
    let kwargs = json!({"fn": "purchase_materials", "kwargs": {"material": "wood"}});
    named([
        ("HumanLayerNewCall", new(call, kwargs)),
        ("HumanLayerNewContact", new(contact, json!({"msg": "Oak or pine?"}))),
    ])
}

fn answers() -> Schemas {
    let option = json!({"type": ["string", "null"], "maxLength": 255});
    let call_said = open(
        &["approved"],
        json!({
            "approved": boolean(), "comment": nullable(text()), "reject_option_name": option,
        }),
    );
    let mut contact_said = open(
        &[],
        json!({
            "response": nullable(text()), "response_option_name": option,
        }),
    );
    contact_said["anyOf"] = json!([
        {"required": ["response"], "properties": {"response": {"type": "string", "minLength": 1}}},
        {"required": ["response_option_name"], "properties": {"response_option_name": {"type": "string"}}},
    ]);
    let escalation = open(
        &["escalation_msg"],
        json!({
            "escalation_msg": {"type": "string", "minLength": 1, "maxLength": 2048},
            "additional_recipients": nullable(json!({
                "type": "array", "maxItems": 10,
                "items": open(&["address"], json!({"address": {"type": "string", "maxLength": 254}})),
            })),
            "channel": nullable(schema("Channel")),
        }),
    );
    named([
        ("HumanLayerRespondCall", call_said),
        ("HumanLayerRespondContact", contact_said),
        ("Escalation", escalation),
    ])
}

fn items() -> Schemas {
    let item = |spec: Value, status: Value| {
        object([("run_id", text()), ("call_id", text()), ("spec", spec), ("status", status)])
    };
    let common = json!({"requested_at": moment(), "responded_at": moment(), "user_info": {"type": "object"}});
    let status = |more: [(&str, Value); 3]| {
        let mut status = open(&["requested_at"], common.clone());
        for (name, value) in more {
            status["properties"][name] = value;
        }
        described(status, "While it is pending there is only `requested_at`")
    };
    let call = item(
        open(&["fn", "kwargs"], json!({"fn": text(), "kwargs": {}})),
        status([
            ("approved", boolean()),
            ("comment", text()),
            ("reject_option_name", nullable(text())),
        ]),
    );
    let contact = item(
        open(&["msg"], json!({"msg": text(), "subject": text()})),
        status([
            ("response", text()),
            ("response_option_name", nullable(text())),
            ("slack_message_ts", nullable(text())),
        ]),
    );
    named([
        ("HumanLayerCall", call),
        ("HumanLayerContact", contact),
        ("HumanLayerCalls", listed("HumanLayerCall")),
        ("HumanLayerContacts", listed("HumanLayerContact")),
    ])
}

fn listed(item: &str) -> Value {
    let page = object([
        ("items", list_of(schema(item))),
        ("total", number()),
        ("limit", number()),
        ("offset", number()),
        ("has_more", boolean()),
    ]);
    let page = only_required(page, &["items", "total", "limit", "offset", "has_more"]);
    json!({"oneOf": [page, list_of(schema(item))]})
}
