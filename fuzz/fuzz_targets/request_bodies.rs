//! Any bytes as what a client of HumanLayer's API sends, and as what its server sends. An operation
//! made of what is taken can be shown, stored and read again, and its event can be read by us.
#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_core::humanlayer::{
    self, Completed, Create, Format, InvalidBody, Respond, Subscription, completed,
};
use placet_core::{Command, Kind, NewOperation, Operation, Timestamp, Write};
use placet_runtime::packed;
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fuzz_target!(|body: &[u8]| {
    let _ = humanlayer::escalate(body);
    let _ = humanlayer::answer(body);
    let _ = completed(body);
    let _ = packed::unpack(body);
    for kind in Kind::ALL {
        let said = humanlayer::respond(kind, body);
        if let Ok(asked) = humanlayer::create(kind, body) {
            follow(kind, asked, said);
        }
    }
});

fn follow(kind: Kind, asked: Create, said: Result<Respond, InvalidBody>) {
    let new = NewOperation {
        tenant: "default".to_owned(),
        call_id: asked.call_id.unwrap_or_else(|| "call".to_owned()),
        run_id: asked.run_id,
        content: asked.content,
        extras: asked.extras,
        plan: None,
        upstream: None,
        time_to_decide: Duration::from_secs(60),
        by: "api".to_owned(),
    };
    let operation = Operation::create(new, "one", NOW);
    let item = humanlayer::item(&operation, NOW);
    assert!(item["status"].get("approved").is_none() && item["status"].get("response").is_none());
    let json = serde_json::to_vec(&operation).unwrap();
    let stored = packed::unpack(&packed::pack(&json).unwrap()).unwrap();
    assert_eq!(serde_json::from_slice::<Operation>(&stored).unwrap(), operation);
    let Ok(said) = said else { return };
    let decide = Command::Decide {
        verdict: said.verdict,
        comment: operation.words_of(said.option.as_deref(), &said.comment),
        option: said.option,
        by: "api".to_owned(),
        seen: Some(operation.digest),
    };
    let write = Write { id: "two", at: NOW, announce: None };
    let Ok(decided) = operation.apply(&decide, write) else { return };
    let event = Subscription { format: Format::V1Beta2, kind };
    let Ok(Completed::Answered(read)) = completed(&event.bytes(&decided.operation)) else {
        panic!("our own event can not be read");
    };
    assert_eq!(read.content, operation.content);
    assert_eq!(operation.digest_with(&read.content), operation.digest);
}
