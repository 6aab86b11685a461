use std::time::Duration;

use placet_core::Payload;
use placet_core::delivery::{Answer, Command};
use placet_core::item::Write;
use placet_core::operation::{Event, Occurrence, OperationId};

use super::*;
use crate::testing::NOW;

fn after(delivery: Delivery, commands: &[Command]) -> Item<Delivery> {
    let created = Item::new("default", "msg_1", delivery, &Write::new("1", NOW));
    let write = Write::new("2", NOW.plus(Duration::from_secs(1)));
    commands.iter().fold(created, |item, command| item.apply(command, &write).unwrap())
}

fn answered(attempt: u32, answer: Answer) -> Command {
    Command::Record { attempt, answer, took: Duration::from_millis(12) }
}

#[test]
fn a_delivery_shows_its_attempts_and_the_time_of_the_next_one() {
    let payload = Payload::Plain(b"{}".to_vec());
    let delivery = Delivery::of("billing", "order.paid", "application/json", payload, NOW);
    let refused = Answer::Status { status: 500, retry_after: None, body: b"no".to_vec() };
    let silent = Answer::Nothing("no answer within 5s".to_owned());
    let pending = after(delivery, &[answered(1, refused), answered(2, silent)]);
    let reply = DeliveryReply::new(&pending, ShownBody::of(b"{}".to_vec()));
    insta::assert_json_snapshot!(serde_json::to_value(reply).unwrap(), @r#"
    {
      "id": "msg_1",
      "endpoint": "billing",
      "person": null,
      "address": null,
      "event_type": "order.paid",
      "operation": null,
      "state": "pending",
      "attempts": 2,
      "created_at": "2026-11-20T09:00:00.000Z",
      "changed_at": "2026-11-20T09:00:01.000Z",
      "next_attempt_at": "2026-11-20T09:04:07.000Z",
      "last_status": null,
      "last_error": "no answer within 5s",
      "content_type": "application/json",
      "size": 2,
      "body": "{}",
      "log": [
        {
          "attempt": 1,
          "at": "2026-11-20T09:00:01.000Z",
          "status": 500,
          "error": null,
          "duration_ms": 12,
          "answer": "no"
        },
        {
          "attempt": 2,
          "at": "2026-11-20T09:00:01.000Z",
          "status": null,
          "error": "no answer within 5s",
          "duration_ms": 12,
          "answer": ""
        }
      ]
    }
    "#);
}

#[test]
fn a_delivered_notification_has_no_size_and_no_next_attempt() {
    let id = OperationId::call("default", "call-1");
    let decision = Occurrence { event: Event::Completed, number: 1, at: NOW };
    let delivery = Delivery::notification("billing", "function_call.completed", &id, decision);
    let accepted = Answer::Status { status: 204, retry_after: None, body: Vec::new() };
    let delivered = after(delivery, &[answered(1, accepted)]);
    let reply = serde_json::to_value(DeliveryReply::new(&delivered, ShownBody::default())).unwrap();
    assert_eq!((&reply["size"], &reply["next_attempt_at"]), (&().into(), &().into()));
    assert_eq!(
        (&reply["operation"], &reply["state"]),
        (&"function_call/call-1".into(), &"delivered".into())
    );
}
