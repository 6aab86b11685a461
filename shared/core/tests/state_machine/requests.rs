//! Requests for operations.

use std::time::Duration;

use placet_core::operation::{
    Actor, Approvers, Content, FollowUp, NewOperation, OperationId, Plan, Specification,
};
use serde_json::json;

pub const MILLISECOND: Duration = Duration::from_millis(1);
pub const SECOND: Duration = Duration::from_secs(1);
pub const DAY: Duration = Duration::from_secs(24 * 3600);
pub const TIME_TO_DECIDE: Duration = Duration::from_secs(3600);
pub const UPSTREAM: &str = "https://api.example.org/humanlayer/v1";

/// A plan with three attempts of up to 30 s.
pub fn plan(idempotent: bool) -> Plan {
    Plan {
        executor: "function purchase_materials".to_owned(),
        idempotent,
        max_attempts: 3,
        retry_for: Duration::from_secs(24 * 3600),
        timeout: 30 * SECOND,
    }
}

/// A request for the approval of a function call.
pub fn call(plan: Option<Plan>) -> NewOperation {
    let content = Content::Call {
        function: "purchase_materials".to_owned(),
        kwargs: json!({"material": "wood", "quantity": 10, "to": {"city": "Bonn"}}),
    };
    NewOperation {
        plan,
        approvers: Approvers {
            people: vec!["ana".to_owned(), "bo".to_owned()],
            webhook: Some("humanlayer".to_owned()),
            except_key: Some("key-of-agent".to_owned()),
        },
        ..NewOperation::plain(
            OperationId::call("default", "call-1"),
            "run-1",
            Specification::of(content),
            TIME_TO_DECIDE,
            Actor::api("key-of-agent", "agent"),
        )
    }
}

/// A question to a person.
pub fn question() -> NewOperation {
    with_content(asked("Which wood?", Some("Wood")), call(None))
}

pub fn asked(message: &str, subject: Option<&str>) -> Content {
    Content::Question { message: message.to_owned(), subject: subject.map(str::to_owned) }
}

/// The same request with another content and the kind of that content.
pub fn with_content(content: Content, new: NewOperation) -> NewOperation {
    let id = OperationId { kind: content.kind(), ..new.id };
    let specification = Specification { content, ..new.specification };
    NewOperation { id, specification, ..new }
}

pub fn with_call_id(call_id: &str, new: NewOperation) -> NewOperation {
    NewOperation { id: OperationId { call_id: call_id.to_owned(), ..new.id }, ..new }
}

pub fn of_project(project: &str, new: NewOperation) -> NewOperation {
    NewOperation { id: OperationId { project: project.to_owned(), ..new.id }, ..new }
}

/// The same request with an upstream approver.
pub fn with_upstream(new: NewOperation) -> NewOperation {
    NewOperation { upstream: Some(UPSTREAM.to_owned()), ..new }
}

/// The same request with reminders after 10 and 30 minutes and an escalation after 20 minutes.
pub fn with_follow_up(new: NewOperation) -> NewOperation {
    let remind = vec![600 * SECOND, 1800 * SECOND];
    let escalate = Some((1200 * SECOND, "leads".to_owned()));
    NewOperation { follow_up: FollowUp { remind, escalate }, ..new }
}

pub fn with_time_to_decide(time_to_decide: Duration, new: NewOperation) -> NewOperation {
    NewOperation { time_to_decide, ..new }
}
