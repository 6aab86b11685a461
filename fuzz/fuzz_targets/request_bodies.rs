//! Reads any bytes as the body of a client of HumanLayer's API and as the body of its server. An operation
//! from an accepted body can be shown, stored and read again, and we can read its event.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use placet_core::humanlayer::{
    self, Addresses, Completed, Create, Format, Subscription, completed,
};
use placet_core::item::{Item, Write};
use placet_core::operation::{
    Actor, Event, NewOperation, Occurrence, Operation, OperationId, OperationKind, Response,
};
use placet_core::{InvalidBody, Timestamp};
use placet_runtime::packed;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fuzz_target!(|body: &[u8]| {
    let _ = humanlayer::escalate(body);
    let _ = humanlayer::answer(body);
    let _ = completed(body);
    let _ = packed::unpack(body);
    for kind in OperationKind::ALL {
        let response = humanlayer::respond(kind, body);
        if let Ok(created) = humanlayer::create(kind, body) {
            follow(kind, created, response);
        }
    }
});

fn follow(kind: OperationKind, created: Create, response: Result<Response, InvalidBody>) {
    let call_id = created.call_id.unwrap_or_else(|| "call".to_owned());
    let new = NewOperation::plain(
        OperationId::new("default", kind, call_id),
        created.run_id,
        created.specification,
        Duration::from_secs(60),
        Actor::api("key-of-fuzz", "fuzz"),
    );
    let operation = Operation::create(new, &Write::new("one", NOW));
    let reply = humanlayer::item(&operation, NOW);
    assert!(reply["status"].get("approved").is_none() && reply["status"].get("response").is_none());
    let json = serde_json::to_vec(&operation.body).unwrap();
    let (stored, _) = packed::unpack(&packed::pack(&json, &[]).unwrap()).unwrap();
    assert_eq!(serde_json::from_slice::<Operation>(&stored).unwrap(), operation.body);
    let requested: serde_json::Value =
        serde_json::from_slice(&event(&operation, Event::Requested)).unwrap();
    assert_eq!(requested["event"]["call_id"], operation.call_id());
    if let Ok(response) = response {
        decide(&operation, &response);
    }
}

fn decide(operation: &Item<Operation>, response: &Response) {
    let by = Actor::api("key-of-fuzz", "fuzz");
    let command = response.decide(operation, &by, Some(operation.digest), Vec::new());
    let Ok(decided) = operation.apply(&command, &Write::new("two", NOW)) else { return };
    let Ok(Completed::Answered(read)) = completed(&event(&decided, Event::Completed)) else {
        panic!("our own event cannot be read");
    };
    assert_eq!(read.content, operation.content);
    assert_eq!(operation.digest_with(&read.content), operation.digest);
}

/// The bytes of the first event of this type.
fn event(operation: &Item<Operation>, event: Event) -> Vec<u8> {
    let subscription = Subscription { format: Format::V1Beta2, kind: operation.kind(), event };
    let occurrence = Occurrence { event, number: 1, at: NOW };
    subscription.bytes(operation, &occurrence, &Addresses::default())
}
