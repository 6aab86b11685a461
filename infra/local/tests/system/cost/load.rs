//! The cost of webhooks under load and of the timer while nothing is due. `cargo xtask bench scale` and
//! `cargo xtask bench idle` read these rows.

use std::time::Duration;

use serde_json::json;

use super::{Bill, Meter};
use crate::world::{Building, World};

const HEAD: &str = "| | invocations | table | index `list` | index `due` | read units | SQS calls |\n\
    | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n";

const WEBHOOKS: u32 = 100;

/// The number of messages in a full batch of the queue `work`.
const BATCH: u32 = 10;

/// A row of the table: the counted bill divided by `of`.
fn row(name: &str, bill: Bill, of: u32) -> String {
    let each = |count: u32| f64::from(count) / f64::from(of);
    format!(
        "| {name} | {} | {} | {} | {} | {} | {} |\n",
        each(bill.invocations),
        each(bill.table_units),
        each(bill.list_units),
        each(bill.due_units),
        each(bill.half_read_units) / 2.0,
        each(bill.sqs_calls),
    )
}

/// The bill of the calls since the last reset.
fn bill(world: &World, meter: &mut Meter) -> Bill {
    let bill = meter.bill(&world.faults.calls());
    world.faults.reset();
    bill
}

/// Sends webhooks of 1 KB to this source and processes them in whole batches. Returns the bills of both
/// steps.
async fn webhooks(source: &str) -> (Bill, Bill) {
    let world = Building::default().source("shop", source).start().await;
    let mut meter = Meter::default();
    world.faults.reset();
    for n in 0..WEBHOOKS {
        let text = "The sum agrees with the order and the delivery note. ".repeat(17);
        let body = json!({"type": "order.paid", "id": format!("evt_{n}"), "data": text});
        world.receive("shop", &format!("msg_{n}"), &body).await;
    }
    let stored = Bill { invocations: WEBHOOKS, ..bill(&world, &mut meter) };
    let report = world.work().await;
    assert_eq!(report.deleted, WEBHOOKS as usize);
    let mut processed = bill(&world, &mut meter);
    processed.invocations = WEBHOOKS / BATCH;
    // Lambda receives and deletes a batch with one call each.
    processed.sqs_calls += 2 * WEBHOOKS / BATCH;
    world.finish().await;
    (stored, processed)
}

/// The bill of an hour of the timer without its queries, the bill of the queries for all projects, and the
/// number of projects.
async fn timer() -> (Bill, Bill, u32) {
    let world = World::start().await;
    let (mut own, mut projects) = (Bill::default(), Bill::default());
    for _ in 0..60 {
        world.advance(Duration::from_secs(60));
        world.faults.reset();
        world.tick().await;
        let (queries, rest): (Vec<_>, Vec<_>) =
            world.faults.calls().into_iter().partition(|call| call.operation == "Query");
        own.half_read_units += Meter::default().bill(&rest).half_read_units;
        projects.half_read_units += Meter::default().bill(&queries).half_read_units;
        assert_eq!(world.faults.calls().iter().filter(|call| call.changes()).count(), 0);
    }
    own.invocations = 60;
    let count = u32::try_from(world.system.runtime.config.projects().count()).unwrap();
    world.finish().await;
    (own, projects, count)
}

/// The table in the document.
pub async fn table() -> String {
    let members = "secret: env:PLACET_SECRET_HUMANLAYER, targets: [log]";
    let (stored, processed) = webhooks(&format!("{{preset: standard, {members}}}")).await;
    let (claimed, _) = webhooks(&format!("{{preset: hmac, {members}}}")).await;
    let (timer, projects, count) = timer().await;
    let rows = [
        row("a webhook is stored", stored, WEBHOOKS),
        row("the same of a sender that does not sign its id", claimed, WEBHOOKS),
        row("it is processed, in a batch of ten", processed, WEBHOOKS),
        row("the timer runs, and nothing is due", timer, 60),
        row("the same, for each project", projects, 60 * count),
    ];
    HEAD.to_owned() + &rows.concat()
}
