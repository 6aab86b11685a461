//! Every endpoint is notified of every decision, even if a worker crashes.

use placet_core::delivery::Delivery;
use placet_core::item::{Child, Kind as _, Lane, Rests};
use placet_core::operation::{Command, Notice, Plan, State};

use crate::case::Case;
use crate::commands::{answer, approve, cancel, deny, expire, notice, notifying};
use crate::requests::{MILLISECOND, SECOND, call, of_project, plan, question, with_call_id};

const ENDPOINTS: [&str; 2] = ["app", "audit"];

/// Operations, commands that end them with a decision, and the final states.
fn ends() -> Vec<(Case, Command, State)> {
    vec![
        (Case::pending(None), approve(), State::Approved),
        (Case::pending(Some(plan(true))), deny(), State::Denied),
        (Case::new(question()), answer(), State::Answered),
        (Case::pending(Some(plan(true))), cancel(), State::Cancelled),
        (Case::new(question()), cancel(), State::Cancelled),
        (past_deadline(Case::pending(Some(plan(true)))), expire(), State::Expired),
        (past_deadline(Case::new(question())), expire(), State::Expired),
    ]
}

fn past_deadline(mut case: Case) -> Case {
    case.wait_until(case.item.deadline.plus(MILLISECOND));
    case
}

fn ids(case: &Case) -> Vec<String> {
    case.item.header.children.iter().map(|child| child.id.clone()).collect()
}

#[test]
fn without_endpoints_an_end_needs_nothing() {
    for (mut case, command, state) in ends() {
        case.becomes(&command, state);
        assert!(case.item.is_terminal(case.now), "{state:?}");
        assert_eq!(case.item.header.rests, Rests::Nothing);
        assert_eq!((case.schedule.due, case.schedule.pointer), (None, None));
    }
}

#[test]
fn an_end_waits_until_a_delivery_for_each_endpoint_is_created() {
    for (mut case, command, state) in ends() {
        case.becomes(&notifying(command, &ENDPOINTS), state);
        assert!(!case.item.is_terminal(case.now), "{state:?}");
        let expected = ENDPOINTS.map(|endpoint| Notice::delivery_id(endpoint, &case.item.id()));
        assert_eq!(ids(&case), expected);
        assert_eq!(case.item.header.rests, Rests::Message);
        assert_eq!(case.item.wants(case.now), Some((Lane::Calls, case.now)));

        case.wait(SECOND).created(&expected[..1]);
        assert_eq!(ids(&case), expected[1..], "the other delivery is not created yet");
        assert!(!case.item.is_terminal(case.now));
        case.created(&expected[1..]);
        assert!(case.item.is_terminal(case.now));
        assert_eq!(case.item.header.rests, Rests::Nothing);
    }
}

/// A worker creates the deliveries and crashes before it records that. The next worker finds the same ids.
#[test]
fn a_delivery_that_is_created_again_has_the_same_id() {
    let mut case = Case::pending(None);
    case.becomes(&notifying(deny(), &ENDPOINTS), State::Denied);
    let before = case.item.header.children.clone();
    case.wait(SECOND).created(&[]);
    assert_eq!(case.item.header.children, before);
    let again = Notice::delivery_id("app", &case.item.id());
    assert_eq!(before[0].id, again);
    assert!(Delivery::is_id(&again));
    for other in [question(), of_project("other", call(None)), with_call_id("call-2", call(None))] {
        let other = Notice::delivery_id("app", &Case::new(other).item.id());
        assert_ne!(again, other, "each operation of each project has its own delivery");
    }
}

#[test]
fn a_child_is_a_small_descriptor_of_its_delivery() {
    let mut case = Case::pending(None);
    case.becomes(&notifying(approve(), &["app"]), State::Approved);
    let Child { kind, lane, body, .. } = case.item.header.children[0].clone();
    assert_eq!((kind.as_str(), lane), (Delivery::NAME, Lane::Calls));
    let delivery: Delivery = serde_json::from_value(body.clone()).unwrap();
    let Notice { endpoint, event } = notice("app");
    assert_eq!(delivery, Delivery::of_decision(&endpoint, &event, &case.item.id(), case.now));
    assert!(body.to_string().len() < 512, "the child is part of its parent's row: {body}");
}

#[test]
fn an_approved_operation_is_run_by_the_worker_that_creates_its_deliveries() {
    let mut case = Case::pending(Some(plan(true)));
    case.becomes(&notifying(approve(), &ENDPOINTS), State::Queued);
    assert_eq!(case.schedule.pointer, Some((Lane::Calls, case.now)));
    let all = ids(&case);
    case.start_next();
    assert_eq!(ids(&case), all, "a start keeps the pending deliveries");
    case.lease_expires(State::Queued);
    assert_eq!(ids(&case), all, "an expired lease keeps the pending deliveries");
    case.start_next().created(&all);
    assert_eq!(case.item.state, State::Running);
    assert_eq!((case.schedule.due, case.item.header.rests), (None, Rests::Message));
}

#[test]
fn a_failed_start_keeps_the_pending_deliveries() {
    let mut case = Case::pending(Some(plan(true)));
    case.becomes(&notifying(approve(), &["app"]), State::Queued);
    let other = Plan { executor: "function sell_materials".to_owned(), ..plan(true) };
    case.becomes(&Command::Start { plan: Some(other) }, State::Failed);
    assert_eq!(ids(&case).len(), 1);
    assert!(!case.item.is_terminal(case.now));
    case.created(&ids(&case));
    assert!(case.item.is_terminal(case.now));
}

#[test]
fn nobody_is_notified_without_a_decision() {
    for new in [call(None), question()] {
        assert_eq!(Case::new(new).item.header.children, []);
    }
    let mut case = Case::queued(plan(true));
    assert_eq!(case.item.header.children, []);
    case.start_next();
    assert_eq!(case.item.header.children, []);
}
