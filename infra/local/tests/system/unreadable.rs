//! A body that cannot be read is an error that a person sees. Placet never treats it as empty, and a default
//! never replaces a field that could not be read (law 7).

use http::StatusCode;
use placet_core::item::Item;
use placet_core::operation::{Content, Operation};
use placet_core::receipt::State;
use serde_json::json;

use crate::receiver::Receiver;
use crate::world::World;

/// A body that parsers read differently, an incomplete body, and a body that is nested too deep.
fn unreadable() -> [String; 3] {
    let deep = format!(r#"{{"type":"refund","data":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    let twice = r#"{"type":"refund","data":{"amount":5,"amount":5000}}"#;
    [twice.to_owned(), r#"{"type":"refund","data":{"amount":5000}"#.to_owned(), deep]
}

/// Sends a webhook with this body to a source with this target. Returns the state and the note of the receipt
/// and the number of open operations.
async fn receipt_of(target: &str, content_type: &str, body: &str) -> (State, String, usize) {
    let source = format!("{{preset: hmac, secret: env:HOOKS, targets: [{target}]}}");
    let building = World::building().source("hooks", &source);
    let world = building.secret("HOOKS", "a-secret-of-thirty-two-bytes-long").start().await;
    let signed = world.signed("hooks", "e1", content_type, body.as_bytes()).send().await;
    assert_eq!(signed.status, StatusCode::OK);
    world.work().await;
    let receipt = world.the_receipt().await;
    let requested = world.open_operations().await.len();
    world.abandon();
    (receipt.state, receipt.body.note.clone(), requested)
}

#[tokio::test]
async fn no_default_replaces_a_field_that_cannot_be_read() {
    let target = "{operation: {fn: charge, kwargs: {amount: {at: /data/amount, default: 1}}}}";
    for body in unreadable() {
        for content_type in ["application/json", "text/plain"] {
            let (state, note, requested) = receipt_of(target, content_type, &body).await;
            assert_eq!((state, requested), (State::Failed, 0), "{content_type}: {note}");
        }
    }
}

#[tokio::test]
async fn an_unreadable_event_does_not_count_as_an_unwanted_event() {
    let target =
        "{operation: {fn: charge, kwargs: {amount: /data/amount}}, where: ['/data/amount > 100']}";
    for body in unreadable() {
        let (state, note, _) = receipt_of(target, "application/json", &body).await;
        assert_eq!(state, State::Failed, "{note}");
    }
}

/// A comparison with "not equal" does not hold for a field that cannot be read.
#[tokio::test]
async fn a_comparison_fails_if_the_body_cannot_be_read() {
    for body in unreadable() {
        let target = "{log: {}, where: ['/data/amount != 5']}";
        let (state, note, _) = receipt_of(target, "application/json", &body).await;
        assert_eq!(state, State::Failed, "{note}");
    }
}

#[tokio::test]
async fn a_target_that_reads_no_field_accepts_an_unreadable_body() {
    for body in unreadable() {
        let (state, note, _) = receipt_of("log", "application/json", &body).await;
        assert_eq!((state, note.as_str()), (State::Processed, "logged"));
    }
}

/// Slack sends JSON in a field of a form.
#[tokio::test]
async fn no_default_replaces_a_payload_that_cannot_be_read() {
    let target = "{operation: {fn: charge, kwargs: {amount: {at: /data/amount, default: 1}}}}";
    let source = format!("{{preset: slack, secret: env:HOOKS, targets: [{target}]}}");
    let form = "application/x-www-form-urlencoded";
    for (payload, expected) in
        [(r#"{"data":{"amount":5,"amount":6}}"#, State::Failed), ("{}", State::Processed)]
    {
        let building = World::building().source("hooks", &source);
        let world = building.secret("HOOKS", "a-secret-of-thirty-two-bytes-long").start().await;
        let body = format!("payload={payload}");
        let signed = world.signed("hooks", "e1", form, body.as_bytes()).send().await;
        assert_eq!(signed.status, StatusCode::OK, "{}", signed.text);
        world.work().await;
        let receipt = world.the_receipt().await;
        assert_eq!(receipt.state, expected, "{}", receipt.note);
        world.abandon();
    }
}

/// Not every sender sends JSON.
#[tokio::test]
async fn a_body_that_is_not_json_is_accepted_unchanged() {
    let target = "{operation: {fn: charge, kwargs: {amount: {value: 1}}}}";
    for (content_type, body) in [("text/plain", "hello"), ("application/octet-stream", "\u{1}")] {
        let (state, note, requested) = receipt_of(target, content_type, body).await;
        assert_eq!((state, requested), (State::Processed, 1), "{note}");
    }
}

const PLAIN: &str = "a-secret-of-thirty-two-bytes-long";

/// Bodies that no reader reads exactly. Only the first, with a byte order mark, can be read.
fn corpus() -> Vec<(&'static str, Vec<u8>)> {
    let now = crate::world::START.millis();
    let text = format!(
        r#"{{"amount":900,"webhookTimestamp":{now},"type":"refund","event":"refund","value":[{{"clientState":"{PLAIN}"}}],"x":DAMAGE}}"#
    );
    let with = |value: &str| text.replace("DAMAGE", value).into_bytes();
    let replaced = |from: u8, to: u8| {
        with("\"#\"").iter().map(|byte| if *byte == from { to } else { *byte }).collect()
    };
    let utf16 = |order: fn(u16) -> [u8; 2]| {
        text.replace("DAMAGE", "1").encode_utf16().flat_map(order).collect()
    };
    let end = |cut: usize| with("1")[..with("1").len() - cut].to_vec();
    vec![
        ("a byte order mark", [b"\xef\xbb\xbf".to_vec(), with("1")].concat()),
        ("a lone surrogate", with(r#""late \ud83d""#)),
        ("half of a pair", with(r#""late \udc00""#)),
        ("a number beyond doubles", with("1e400")),
        ("no number", with("NaN")),
        ("a repeated member", with(r#"1,"amount":1"#)),
        ("a repeated member of the data", with(r#"{"a":1,"a":2}"#)),
        ("deep lists", with(&format!("{}{}", "[".repeat(128), "]".repeat(128)))),
        ("Latin-1", replaced(b'#', 0xe9)),
        ("a control character", replaced(b'#', 1)),
        ("UTF-16, little endian", utf16(u16::to_le_bytes)),
        ("UTF-16, big endian", utf16(u16::to_be_bytes)),
        ("an incomplete text", end(1)),
        ("half a text", end(40)),
        ("text behind it", [with("1"), b" x".to_vec()].concat()),
        ("a comment", with("1/* one */")),
        ("a comma too many", with("1,")),
        ("single quotes", with("'1'")),
        ("only words", b"hello world".to_vec()),
        ("only one word", b"hello".to_vec()),
        ("only NaN", b"NaN".to_vec()),
        ("only a mark", b"\xef\xbb\xbf".to_vec()),
        ("white space", b" \n".to_vec()),
    ]
}

/// Every preset as a source with this target. Public-key senders have no check: nobody else can sign for them.
async fn every_preset(target: &str) -> (World, Vec<&'static str>) {
    let mut building = World::building()
        .secret("PLAIN", PLAIN)
        .secret("USER", "user:a-secret-of-thirty-two-bytes")
        .secret("PLACET_WEBHOOK_URL", "https://hooks.example.com");
    let presets: Vec<_> = placet_core::webhook::presets::names().collect();
    for preset in &presets {
        let secret = match *preset {
            "standard" | "svix" | "humanlayer" => "ENDPOINT",
            "basic" => "USER",
            _ => "PLAIN",
        };
        let checks = match *preset {
            "discord" | "discord-events" | "sendgrid" | "sns" => {
                ", checks: {sign: null, token: null, none: for this test}"
            }
            _ => "",
        };
        let members = format!(
            "{{preset: {preset}, secret: env:{secret}, targets: [{target}], accept_unsigned_type: true{checks}}}"
        );
        building = building.source(&format!("every-{preset}"), &members);
    }
    (building.start().await, presets)
}

/// Sends every body to every preset. The sender gets a 401 only if the time or the token cannot be read, or if the
/// body could be a token that X signs for anyone.
async fn send_the_corpus(world: &World, presets: &[&str]) {
    const TYPES: [&str; 3] =
        ["application/json", "text/plain", "application/x-www-form-urlencoded"];
    for preset in presets {
        for (n, (name, body)) in corpus().into_iter().enumerate() {
            let content_type = TYPES[if body.starts_with(b"{") { n % 3 } else { n % 2 }];
            let (source, id) = (format!("every-{preset}"), format!("e{n}"));
            match world.signs(&source, &id, content_type, &body) {
                Some(request) => {
                    assert!(request.send().await.status.is_success(), "{preset}: {name}")
                }
                None => {
                    assert!(["linear", "microsoft-graph", "x"].contains(preset), "{preset}: {name}")
                }
            }
        }
    }
    world.work().await;
}

/// For every preset and every body: the receipt is failed with a reason, or the event has exactly the effect of its
/// exact reading.
#[tokio::test]
async fn an_unreadable_body_of_any_preset_has_no_effect_and_a_reason() {
    const REQUEST: &str = "operation: {fn: charge, kwargs: {amount: {at: /amount, default: 1}}}";
    for target in [format!("{{{REQUEST}}}"), format!("{{{REQUEST}, types: ['*']}}")] {
        let (world, presets) = every_preset(&target).await;
        send_the_corpus(&world, &presets).await;
        let receipts = world.receipts().await;
        assert!(receipts.len() > presets.len() * 20, "{}", receipts.len());
        let mut requested = 0;
        for receipt in &receipts {
            let at = format!("{target} {}: {}", receipt.header.id, receipt.note);
            match receipt.state {
                State::Failed => assert!(
                    receipt.note.contains("cannot be read") || receipt.note.contains("is empty"),
                    "{at}"
                ),
                _ if receipt.note.starts_with("approval requested") => requested += 1,
                // The event has no type, whatever the rest of its body says.
                _ => assert_eq!(
                    (
                        receipt.note.starts_with("no target takes this event without a type: "),
                        receipt.event_type.as_deref(),
                        target.contains("types")
                    ),
                    (true, None, true),
                    "{at}"
                ),
            }
        }
        let operations: Vec<Item<Operation>> = world.all().await;
        assert_eq!(operations.len(), requested);
        assert!(requested >= presets.len() / 3, "{requested}");
        for operation in &operations {
            let Content::Call { kwargs, .. } = &operation.content else { panic!("{operation:?}") };
            assert_eq!(kwargs, &json!({"amount": 900}), "{}", operation.call_id());
        }
        world.abandon();
    }
}

/// Forwarding and logging need no reading.
#[tokio::test]
async fn an_unreadable_body_is_forwarded_byte_for_byte() {
    let receiver = Receiver::start().await;
    let source =
        "{preset: hmac, secret: env:HOOKS, targets: [{forward: {endpoint: billing}}, log]}";
    let building = World::building().source("hooks", source).secret("HOOKS", PLAIN);
    let world = building.endpoint("billing", &receiver, "").start().await;
    for (n, (name, body)) in corpus().into_iter().enumerate() {
        let request = world.signed("hooks", &format!("e{n}"), "application/json", &body);
        assert_eq!(request.send().await.status, StatusCode::OK, "{name}");
        world.settle().await;
        assert_eq!(receiver.received().pop().unwrap().body, body, "{name}");
    }
    assert!(world.receipts().await.iter().all(|receipt| receipt.state == State::Processed));
    world.finish().await;
}

/// The type is readable, so the event is routed by it; what a person would decide on is not readable.
#[tokio::test]
async fn a_filter_of_types_reads_the_type_only() {
    let body = r#"{"type":"refund","amount":900,"reason":"late \ud83d"}"#;
    let json = "application/json";
    let (state, note, _) = receipt_of("{log: {}, types: [refund]}", json, body).await;
    assert_eq!((state, note.as_str()), (State::Processed, "logged"));
    let (state, note, _) = receipt_of("{log: {}, types: [other]}", json, body).await;
    let missed = "no target takes this event of the type refund: target 1 takes the types other";
    assert_eq!((state, note.as_str()), (State::Processed, missed));
    let target =
        "{operation: {fn: charge, kwargs: {amount: {at: /amount, default: 1}}}, types: [refund]}";
    let (state, note, requested) = receipt_of(target, json, body).await;
    assert_eq!((state, requested), (State::Failed, 0));
    assert_eq!(
        note,
        "the body cannot be read: a \\u escape is only half of a character (lone surrogate) at line 1 column 52"
    );
    let twice = r#"{"type":"refund","type":"other"}"#;
    let (state, note, _) = receipt_of("{log: {}, types: [none]}", json, twice).await;
    assert_eq!(state, State::Failed);
    assert_eq!(
        note,
        "the type of the event cannot be read: the body cannot be read: the member \"type\" occurs twice at line 1 column 23"
    );
}

/// Signed JSON with the content type of a form, as `curl -d` sends it, has one reading for everything.
#[tokio::test]
async fn json_with_the_content_type_of_a_form_is_json() {
    let form = "application/x-www-form-urlencoded";
    let target = "{operation: {fn: charge, kwargs: {amount: {at: /amount, default: 1}}}, types: [refund], where: ['/amount == 900']}";
    let (state, note, requested) =
        receipt_of(target, form, r#"{"type":"refund","amount":900}"#).await;
    assert_eq!((state, requested), (State::Processed, 1), "{note}");
    for body in ["amount=900&amount=1", "amount=%e9", "amount=%4", "amount"] {
        let target = "{operation: {fn: charge, kwargs: {amount: {at: /amount, default: 1}}}}";
        let (state, note, requested) = receipt_of(target, form, body).await;
        let expected = if body == "amount" { (State::Processed, 1) } else { (State::Failed, 0) };
        assert_eq!((state, requested), expected, "{body}: {note}");
    }
}

/// GitHub sends the same event as JSON or as a form.
#[tokio::test]
async fn a_form_of_github_is_routed_as_its_json() {
    let target = "{operation: {fn: charge, kwargs: {amount: /amount}}, types: [issues.opened]}";
    let source = format!(
        "{{preset: github, secret: env:HOOKS, accept_unsigned_type: true, targets: [{target}]}}"
    );
    for (content_type, body) in [
        ("application/json", r#"{"action":"opened","amount":900}"#),
        (
            "application/x-www-form-urlencoded",
            "payload=%7B%22action%22%3A%22opened%22%2C%22amount%22%3A900%7D",
        ),
    ] {
        let world = World::building().source("hooks", &source).secret("HOOKS", PLAIN).start().await;
        let signed = world.signed("hooks", "e1", content_type, body.as_bytes());
        assert_eq!(signed.header("x-github-event", "issues").send().await.status, StatusCode::OK);
        world.work().await;
        let receipt = world.the_receipt().await;
        assert_eq!(receipt.event_type.as_deref(), Some("issues.opened"), "{content_type}");
        assert_eq!(world.open_operations().await.len(), 1, "{}", receipt.note);
        world.abandon();
    }
}

/// A person sees the reason in the list of receipts.
#[tokio::test]
async fn the_reason_is_in_the_list_of_receipts() {
    let source = "{preset: hmac, secret: env:HOOKS, targets: [{operation: {fn: charge, kwargs: {amount: /amount}}}]}";
    let world = World::building().source("hooks", source).secret("HOOKS", PLAIN).start().await;
    world.signed("hooks", "e1", "text/plain", b"\xff").send().await;
    world.work().await;
    let list = world.client().receipts("state=failed").await;
    let notes: Vec<_> = list.items.iter().map(|receipt| receipt.note.as_str()).collect();
    assert_eq!(notes, ["the body cannot be read: expected value at line 1 column 1"]);
    world.abandon();
}
