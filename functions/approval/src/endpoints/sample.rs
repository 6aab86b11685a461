//! The sample operation in a test event.

use std::time::Duration;

use placet_core::Timestamp;
use placet_core::item::{Item, Write};
use placet_core::operation::{
    Actor, Approvers, Command, Content, NewOperation, Operation, OperationId, OperationKind,
    Specification, Verdict,
};
use serde_json::json;

/// An operation of this kind that was created and decided at `now`. It is not stored.
pub(super) fn decided(project: &str, kind: OperationKind, now: Timestamp) -> Item<Operation> {
    let (content, verdict, comment) = match kind {
        // A denial, because a receiver of bare items may not check whether the event is a test.
        OperationKind::FunctionCall => {
            let (function, kwargs) = ("test_function".to_owned(), json!({"example": true}));
            let comment = "This is a test event: no person has decided.";
            (Content::Call { function, kwargs }, Verdict::Deny, comment)
        }
        OperationKind::HumanContact => {
            let message = "This is a test event: does it arrive?".to_owned();
            let comment = "This is a test event: no person has answered.";
            (
                Content::Question { message, subject: Some("Test".to_owned()) },
                Verdict::Answer,
                comment,
            )
        }
    };
    let new = NewOperation {
        id: OperationId::new(project, kind, "call-test"),
        run_id: "run-test".to_owned(),
        specification: Specification::of(content),
        plan: None,
        upstream: None,
        approvers: Approvers::default(),
        time_to_decide: Duration::from_secs(60),
        by: Actor::Test,
    };
    let decide = Command::Decide {
        verdict,
        comment: comment.to_owned(),
        option: None,
        by: Actor::Test,
        seen: None,
        notify: Vec::new(),
    };
    let created = Operation::create(new, &Write::new("test-1", now));
    // The first decision on a new operation is never refused. If it were, the event would show a pending
    // operation.
    created.apply(&decide, &Write::new("test-2", now)).unwrap_or(created)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_decided() {
        for kind in OperationKind::ALL {
            let sample = decided("default", kind, Timestamp::from_millis(0));
            assert_eq!((sample.kind(), sample.decision.is_some()), (kind, true));
        }
    }
}
