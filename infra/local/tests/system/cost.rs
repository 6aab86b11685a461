//! What an approval costs at AWS, from the calls the functions make. The table of `docs/COSTS.md` is
//! this test's: `UPDATE=1` writes it.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use placet_core::operation::State;
use placet_local::faults::CallRecord;
use serde_json::{Value, json};

use crate::client::{Draft, call};
use crate::receiver::Receiver;
use crate::world::{KEY, World};

const CALL: &str = "call-gNXyB1Qy-dU";

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/COSTS.md");

/// What AWS puts on the bill for one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Bill {
    invocations: u32,
    write_units: u32,
    /// In halves: an eventually consistent read of up to 4 KB is one.
    half_read_units: u32,
    sqs_calls: u32,
}

/// The table as the bill sees it: the items that were written, to know what an index entry costs.
#[derive(Default)]
struct Meter {
    items: HashMap<(String, String), Value>,
}

impl Meter {
    fn bill(&mut self, calls: &[CallRecord]) -> Bill {
        let mut bill = Bill::default();
        for call in calls {
            let request: Value = serde_json::from_slice(&call.request).unwrap();
            match call.operation.as_str() {
                "PutItem" => bill.write_units += self.put(&request["Item"]),
                "GetItem" => bill.half_read_units += self.get(&request),
                "SendMessage" => bill.sqs_calls += 1,
                other => panic!("nobody knows what {other} costs"),
            }
        }
        bill
    }

    /// One unit for each KB of the larger of the two items, and one for each index entry that is
    /// written or deleted. Both indexes hold keys only, far below a KB.
    fn put(&mut self, item: &Value) -> u32 {
        let key = |name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
        // What the function under test does is not ours to pay.
        if key("pk").starts_with("LEDGER#") {
            return 0;
        }
        let before = self.items.insert((key("pk"), key("sk")), item.clone());
        let larger = size(item).max(before.as_ref().map_or(0, size));
        let entry = |item: &Value, index: &str| {
            let part =
                |half: &str| item[format!("{index}_{half}")]["S"].as_str().map(str::to_owned);
            Some((part("pk")?, part("sk")?))
        };
        let index = |name: &str| {
            let (old, new) = (before.as_ref().and_then(|old| entry(old, name)), entry(item, name));
            if old == new { 0 } else { u32::from(old.is_some()) + u32::from(new.is_some()) }
        };
        u32::try_from(larger.div_ceil(1024)).unwrap() + index("due") + index("list")
    }

    fn get(&self, request: &Value) -> u32 {
        let key = |name: &str| request["Key"][name]["S"].as_str().unwrap().to_owned();
        let found = self.items.get(&(key("pk"), key("sk"))).map_or(1, size);
        let units = u32::try_from(found.div_ceil(4096)).unwrap();
        if request["ConsistentRead"] == true { 2 * units } else { units }
    }
}

/// As in "DynamoDB item sizes and formats" of AWS's developer guide.
fn size(item: &Value) -> usize {
    let value = |value: &Value| match value.as_object().and_then(|value| value.iter().next()) {
        Some((kind, Value::String(text))) if kind == "N" => text.len().div_ceil(2) + 1,
        Some((kind, Value::String(text))) if kind == "B" => STANDARD.decode(text).unwrap().len(),
        Some((_, Value::String(text))) => text.len(),
        other => panic!("nobody knows how large {other:?} is"),
    };
    item.as_object().unwrap().iter().map(|(name, one)| name.len() + value(one)).sum()
}

/// One scenario, step by step.
struct Run {
    world: World,
    meter: Meter,
    steps: Vec<(&'static str, Bill)>,
}

impl Run {
    async fn start(receiver: &Receiver) -> Self {
        let events = "events: [function_call.completed]";
        let world = World::building().endpoint("app", receiver, events).start().await;
        world.faults.reset();
        Self { world, meter: Meter::default(), steps: Vec::new() }
    }

    /// Notes what was called since the last step, by one invocation. A message that a worker gets is
    /// received and deleted by Lambda: two more calls.
    fn step(&mut self, name: &'static str, received: u32) {
        let mut bill = self.meter.bill(&self.world.faults.calls());
        self.world.faults.reset();
        bill.invocations = 1;
        bill.sqs_calls += 2 * received;
        self.steps.push((name, bill));
    }

    fn sum(&self) -> Bill {
        self.steps.iter().fold(Bill::default(), |sum, (_, step)| Bill {
            invocations: sum.invocations + step.invocations,
            write_units: sum.write_units + step.write_units,
            half_read_units: sum.half_read_units + step.half_read_units,
            sqs_calls: sum.sqs_calls + step.sqs_calls,
        })
    }
}

/// A creation as the Python SDK sends it, its optional fields spelled out as null, of 1 KB.
fn invoice() -> Draft {
    let email = json!({"address": "finance@example.com", "context_about_user": null, "additional_recipients": null,
        "subject": "Invoice of the sawmill", "references_message_id": null, "in_reply_to_message_id": null,
        "experimental_subject_line": "Invoice of the sawmill", "experimental_references_message_id": null,
        "experimental_in_reply_to_message_id": null, "template": null});
    charge(json!({
        "payee": "sawmill@example.com", "amount": 1249.5, "currency": "EUR", "invoice": "2026-118",
        "items": [{"sku": "OAK-2040", "quantity": 40}, {"sku": "PINE-1030", "quantity": 22}],
        "text": "As agreed with Mrs. Lindqvist on the phone. Two boards are missing, they come with the next \
            delivery; the sum agrees with the order and the delivery note all the same. Due on the thirtieth."}))
        .with("channel", json!({"slack": null, "sms": null, "whatsapp": null, "email": email}))
        .with("reject_options", json!([{"name": "later", "title": "Pay later", "description": null, "prompt_fill": null}]))
        .with("state", json!({"thread_id": "th_7Qx81", "step": 3}))
}

/// One of 1 KB that is a letter.
fn letter() -> Draft {
    charge(json!({"to": "sawmill@example.com", "text":
        "Dear Mrs. Lindqvist, it was good to hear from you again after all this time. Thank you for the oak that came on Thursday. As agreed on the phone we pay your \
        invoice before the end of the month, because your bank closes then. The delivery was complete but for \
        two boards, which you said you would bring with the next one; please do not forget the varnish my \
        brother asked for. I have checked the sum against our order and the delivery note, and both agree, so \
        the money should reach the usual account by Monday. If anything looks wrong to you, call the workshop \
        in the morning, somebody is always there from seven. One more question: do you still have the thick \
        pine planks we saw in spring? We would take about twenty of them, dry if possible, for the stairs of a \
        client near Uppsala who wants to move in before Christmas. Greetings to your father, Anders"}))
}

fn charge(kwargs: Value) -> Draft {
    call(CALL, "charge").run("invoice-bot-CnG93k4AOQE").with("kwargs", kwargs)
}

/// A whole approval: requested, read, approved in the inbox, executed, one webhook out.
async fn approval(draft: &Draft) -> Run {
    let receiver = Receiver::start().await;
    let mut run = Run::start(&receiver).await;
    let size = draft.humanlayer().to_string().len();
    assert!((1000..1048).contains(&size), "it has {size} bytes");
    let created = run.world.client().request_approval(draft).await;
    assert_eq!(created.status, StatusCode::OK, "{}", created.text);
    run.step("create", 0);
    run.world.advance(Duration::from_millis(95_123));
    let page = run.world.get(&format!("/inbox/{CALL}")).page().send().await;
    run.step("the page is opened", 0);
    let form = format!("digest={}&verdict=approve&comment=fine", page.hidden("digest"));
    run.world.advance(Duration::from_millis(41_861));
    run.world.post(&format!("/inbox/{CALL}")).page().form(&form).send().await;
    run.step("approve in the inbox", 0);
    run.world.advance(Duration::from_millis(387));
    run.world.work().await;
    run.step("execute, one webhook out", 1);
    assert_eq!(run.world.ended(CALL).await, (State::Succeeded, 1));
    assert_eq!(receiver.received().len(), 1);
    run
}

async fn poll(run: &mut Run) -> Bill {
    run.world.faults.reset();
    let read = run.world.get(&format!("/humanlayer/v1/function_calls/{CALL}?wait=0")).key(KEY);
    assert_eq!(read.send().await.status, StatusCode::OK);
    run.step("poll", 0);
    run.steps.pop().unwrap().1
}

#[tokio::test]
async fn the_documents_table_is_what_was_counted() {
    let mut run = approval(&invoice()).await;
    let whole = run.sum();
    let poll = poll(&mut run).await;
    assert!(whole.write_units <= 8, "{whole:?}: {:?}", run.steps);
    assert!(whole.sqs_calls <= 3 && whole.invocations <= 4, "{whole:?}: {:?}", run.steps);
    assert_eq!((poll.half_read_units, poll.write_units), (1, 0));
    let mut rows = run.steps.clone();
    rows.push(("**the whole approval**", whole));
    rows.push(("each poll while it waits", poll));
    let dense = approval(&letter()).await;
    rows.push(("the same of 1 KB of prose, which shrinks less", dense.sum()));
    dense.world.finish().await;
    let mut table = "| | invocations | write units | read units | SQS calls |\n| --- | ---: | ---: | ---: | ---: |\n".to_owned();
    for (name, bill) in rows {
        let reads = f64::from(bill.half_read_units) / 2.0;
        let Bill { invocations, write_units, sqs_calls, .. } = bill;
        table += &format!("| {name} | {invocations} | {write_units} | {reads} | {sqs_calls} |\n");
    }
    run.world.finish().await;
    compare(&table);
}

fn compare(table: &str) {
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    let (start, end) = ("<!-- counted -->\n", "<!-- /counted -->");
    let (before, rest) = document.split_once(start).unwrap();
    let (written, after) = rest.split_once(end).unwrap();
    if written == table {
        return;
    }
    assert!(
        std::env::var_os("UPDATE").is_some(),
        "docs/COSTS.md says otherwise; UPDATE=1 writes what was counted:\n{table}"
    );
    std::fs::write(DOCUMENT, format!("{before}{start}{table}{end}{after}")).unwrap();
}
