//! The made-up operation that a test event tells of.

use std::time::Duration;

use placet_core::{Command, Content, Kind, NewOperation, Operation, Timestamp, Verdict, Write};
use serde_json::{Map, json};

/// An operation of this kind that was asked and decided now; it is stored nowhere.
pub(super) fn decided(tenant: &str, kind: Kind, now: Timestamp) -> Operation {
    let (content, verdict, said) = match kind {
        // A denial: a receiver of bare items may not look whether it is a test.
        Kind::FunctionCall => {
            let kwargs = json!({"example": true});
            let call = Content::Call { function: "test_function".to_owned(), kwargs };
            (call, Verdict::Deny, "This is a test event: nobody was asked.")
        }
        Kind::HumanContact => {
            let message = "This is a test event: does it arrive?".to_owned();
            let question = Content::Question { message, subject: Some("Test".to_owned()) };
            (question, Verdict::Answer, "This is a test event: nobody answered.")
        }
    };
    let new = NewOperation {
        tenant: tenant.to_owned(),
        call_id: "call-test".to_owned(),
        run_id: "run-test".to_owned(),
        content,
        extras: Map::new(),
        plan: None,
        upstream: None,
        time_to_decide: Duration::from_secs(60),
        by: "test".to_owned(),
    };
    let asked = Operation::create(new, "test-1", now);
    let decide = Command::Decide {
        verdict,
        comment: said.to_owned(),
        option: None,
        by: "test".to_owned(),
        seen: None,
    };
    let write = Write { id: "test-2", at: now, announce: None };
    // Nothing refuses the first decision on what is new; if it did, the event would be of one that waits.
    asked.apply(&decide, write).map_or(asked, |decided| decided.operation)
}
