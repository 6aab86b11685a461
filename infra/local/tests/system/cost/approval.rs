//! The cost of a whole approval.

use std::time::Duration;

use http::StatusCode;
use placet_core::operation::State;
use serde_json::{Value, json};

use super::{Bill, Meter};
use crate::client::{Draft, call};
use crate::receiver::Receiver;
use crate::world::{Building, KEY, World};

const CALL: &str = "call-gNXyB1Qy-dU";

/// One scenario, step by step.
struct Run {
    world: World,
    meter: Meter,
    steps: Vec<(&'static str, Bill)>,
}

impl Run {
    async fn start(building: Building) -> Self {
        let world = building.start().await;
        world.faults.reset();
        Self { world, meter: Meter::default(), steps: Vec::new() }
    }

    /// Adds the calls of one invocation since the last step. Lambda receives and deletes each message of a
    /// worker, which is two more calls.
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
            table_units: sum.table_units + step.table_units,
            due_units: sum.due_units + step.due_units,
            list_units: sum.list_units + step.list_units,
            half_read_units: sum.half_read_units + step.half_read_units,
            sqs_calls: sum.sqs_calls + step.sqs_calls,
        })
    }
}

/// A creation of 1 KB as the Python SDK sends it, with null for absent optional fields.
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

/// A creation of 1 KB whose text is a letter.
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

/// Runs a whole approval: request, read, approve in the inbox, execute, send one webhook.
async fn approval(draft: &Draft) -> Run {
    let receiver = Receiver::start().await;
    let mut run = Run::start(building(&receiver, "function_call.completed")).await;
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

/// What a notification of the request adds: the difference to a request of which nobody is notified.
async fn notified_of_the_request(draft: &Draft) -> Bill {
    let receiver = Receiver::start().await;
    let with = requested(building(&receiver, "v1beta2.function_call.requested"), draft, 1).await;
    assert_eq!(receiver.received().len(), 1);
    with.beyond(&requested(building(&receiver, ""), draft, 0).await)
}

/// What a mail about the request adds.
async fn mailed(draft: &Draft) -> Bill {
    let with = requested(World::building(), draft, 1).await;
    let receiver = Receiver::start().await;
    with.beyond(&requested(building(&receiver, ""), draft, 0).await)
}

/// The cost of a request and of the deliveries that follow.
async fn requested(building: Building, draft: &Draft, deliveries: u32) -> Bill {
    let mut run = Run::start(building).await;
    let created = run.world.client().request_approval(draft).await;
    assert_eq!(created.status, StatusCode::OK, "{}", created.text);
    run.step("create", 0);
    run.world.work().await;
    if deliveries > 0 {
        run.step("one delivery", deliveries);
    }
    let bill = run.sum();
    run.world.finish().await;
    bill
}

/// A world without mail, with an endpoint that lists these events.
fn building(receiver: &Receiver, events: &str) -> Building {
    let events = format!("events: [{events}]");
    World::building().endpoint("app", receiver, &events).secret("PLACET_MAILBOX", "off")
}

async fn poll(run: &mut Run) -> Bill {
    run.world.faults.reset();
    let read = run.world.get(&format!("/humanlayer/v1/function_calls/{CALL}?wait=0")).key(KEY);
    assert_eq!(read.send().await.status, StatusCode::OK);
    run.step("poll", 0);
    run.steps.pop().unwrap().1
}

/// The table in the document.
pub async fn table() -> String {
    let mut run = approval(&invoice()).await;
    let whole = run.sum();
    let poll = poll(&mut run).await;
    assert!(whole.write_units() <= 8, "{whole:?}: {:?}", run.steps);
    assert!(whole.sqs_calls <= 3 && whole.invocations <= 4, "{whole:?}: {:?}", run.steps);
    assert_eq!((poll.half_read_units, poll.write_units()), (1, 0));
    let mut rows = run.steps.clone();
    rows.push(("**the whole approval**", whole));
    rows.push(("each poll while it waits", poll));
    rows.push(("each notification of another event", notified_of_the_request(&invoice()).await));
    rows.push(("each mail about an event", mailed(&invoice()).await));
    let dense = approval(&letter()).await;
    rows.push(("the same of 1 KB of prose, which shrinks less", dense.sum()));
    dense.world.finish().await;
    let mut table = "| | invocations | write units | read units | SQS calls |\n| --- | ---: | ---: | ---: | ---: |\n".to_owned();
    for (name, bill) in rows {
        let reads = f64::from(bill.half_read_units) / 2.0;
        let (Bill { invocations, sqs_calls, .. }, write_units) = (bill, bill.write_units());
        table += &format!("| {name} | {invocations} | {write_units} | {reads} | {sqs_calls} |\n");
    }
    run.world.finish().await;
    table
}

/// The write units since the start of the meter.
fn units(world: &World) -> u64 {
    let units = world.system.engines.units();
    units.values().flat_map(|partitions| partitions.values()).sum()
}

/// The write units of a JSON webhook of 1 KB, from its arrival until it is processed. The sender signs the
/// id. Without a signed id, the claim of the signature costs one unit more.
async fn webhook(target: &str) -> u64 {
    let receiver = Receiver::start().await;
    let secret = "env:PLACET_SECRET_HUMANLAYER";
    let source = format!("{{preset: standard, secret: {secret}, targets: [{target}]}}");
    let world = World::building().endpoint("app", &receiver, "").source("hooks", &source);
    let world = world.start().await;
    world.system.engines.count_units();
    world.receive("hooks", "msg_1", &letter().humanlayer()).await;
    world.work().await;
    let units = units(&world);
    world.finish().await;
    units
}

#[tokio::test]
async fn a_webhook_costs_three_write_units_and_a_forwarded_one_six() {
    let (processed, forwarded) =
        (webhook("log").await, webhook("{forward: {endpoint: app}}").await);
    assert!(processed <= 3, "{processed}");
    assert!(forwarded <= 6, "{forwarded}");
}
