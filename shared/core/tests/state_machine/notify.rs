//! Every endpoint is notified of every event that it lists, even if a worker crashes.

use placet_core::delivery::Delivery;
use placet_core::item::{Child, Kind as _, Lane, Rests};
use placet_core::operation::{
    Command, Event, NewOperation, Notice, Occurrence, Plan, Settlement, State,
};

use crate::case::Case;
use crate::commands::{
    answer, approve, block, cancel, deny, escalate, escalate_in_time, event_type, expire, finish,
    lease_expired, not_done, notices, notified, notifying, rejected, remind, settle, start_with,
    succeeded, unclear,
};
use crate::requests::{
    DAY, MILLISECOND, SECOND, call, of_project, plan, question, with_call_id, with_follow_up,
};

const ENDPOINTS: [&str; 2] = ["app", "audit"];

/// Operations, commands that end them with a decision, and the final states.
fn ends() -> Vec<(Case, Command, State)> {
    vec![
        (Case::pending(None), approve(), State::Approved),
        (Case::pending(Some(plan(true))), deny(), State::Denied),
        (Case::new(question()), answer(), State::Answered),
        (Case::pending(Some(plan(true))), cancel(), State::Cancelled),
        (Case::new(question()), cancel(), State::Cancelled),
    ]
}

fn past_deadline(mut case: Case) -> Case {
    case.wait_until(case.item.deadline.plus(MILLISECOND));
    case
}

fn ids(case: &Case) -> Vec<String> {
    case.item.header.children.iter().map(|child| child.id.clone()).collect()
}

fn decision_id(case: &Case) -> String {
    Notice::delivery_id("app", &case.item.id(), Event::Completed, 1)
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
        let expected = ENDPOINTS
            .map(|endpoint| Notice::delivery_id(endpoint, &case.item.id(), Event::Completed, 1));
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
    let again = decision_id(&case);
    assert_eq!(before[0].id, again);
    assert!(Delivery::is_id(&again));
    for other in [question(), of_project("other", call(None)), with_call_id("call-2", call(None))] {
        let other = decision_id(&Case::new(other));
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
    let decision = Occurrence { event: Event::Completed, number: 1, at: case.now };
    let (id, event_type) = (case.item.id(), event_type(Event::Completed));
    assert_eq!(delivery, Delivery::notification("app", &event_type, &id, decision));
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
    case.becomes(&start_with(Some(other)), State::Failed);
    assert_eq!(ids(&case).len(), 1);
    assert!(!case.item.is_terminal(case.now));
    case.created(&ids(&case));
    assert!(case.item.is_terminal(case.now));
}

#[test]
fn nobody_is_notified_unless_the_configuration_says_so() {
    for new in [call(None), question()] {
        assert_eq!(Case::new(new).item.header.children, []);
    }
    let mut case = Case::queued(plan(true));
    assert_eq!(case.item.header.children, []);
    case.start_next();
    assert_eq!(case.item.header.children, []);
}

/// The events of which the pending children notify, with their numbers.
fn pending(case: &Case) -> Vec<(Event, u32)> {
    let all = case.item.header.children.iter().filter_map(notified);
    all.map(|(endpoint, about)| {
        assert_eq!((endpoint.as_str(), about.at), ("app", case.now));
        (about.event, about.number)
    })
    .collect()
}

/// Applies the command and returns the events that it caused.
#[track_caller]
fn causes(case: &mut Case, command: Command, state: State) -> Vec<(Event, u32)> {
    case.becomes(&notifying(command, &["app"]), state);
    let events = pending(case);
    case.created(&ids(case));
    events
}

#[test]
fn a_request_waits_until_its_deliveries_are_created() {
    for new in [call(None), question()] {
        let mut case = Case::new(NewOperation { notify: notices(&["app"]), ..new });
        assert_eq!(pending(&case), [(Event::Requested, 1)]);
        assert_eq!(case.schedule.pointer, Some((Lane::Calls, case.now)));
        assert_eq!(case.item.header.rests, Rests::Message);
        case.created(&ids(&case));
        assert_eq!(case.item.header.children, []);
    }
}

#[test]
fn an_expiry_is_a_completion_and_an_expiry() {
    for new in [call(Some(plan(true))), question()] {
        let mut case = past_deadline(Case::new(new));
        let events = causes(&mut case, expire(), State::Expired);
        assert_eq!(events, [(Event::Completed, 1), (Event::Expired, 1)]);
        assert!(case.item.is_terminal(case.now));
    }
}

#[test]
fn every_escalation_and_every_reminder_is_an_event_of_its_own() {
    let mut case = Case::new(with_follow_up(call(None)));
    assert_eq!(causes(&mut case, escalate(), State::Pending), [(Event::Escalated, 1)]);
    case.wait(600 * SECOND);
    assert_eq!(causes(&mut case, remind(), State::Pending), [(Event::Reminded, 1)]);
    case.wait(600 * SECOND);
    assert_eq!(causes(&mut case, escalate_in_time(), State::Pending), [(Event::Escalated, 2)]);
    case.wait(600 * SECOND);
    assert_eq!(causes(&mut case, remind(), State::Pending), [(Event::Reminded, 2)]);
}

/// A reminder of the unknown outcome goes on counting.
#[test]
fn a_reminder_of_an_unknown_outcome_is_an_event() {
    let mut case = Case::unknown();
    for number in 1..=3 {
        case.wait(DAY);
        assert_eq!(causes(&mut case, remind(), State::Unknown), [(Event::Reminded, number)]);
    }
}

#[test]
fn every_way_to_an_unknown_outcome_is_an_event() {
    let mut case = Case::running(plan(false));
    assert_eq!(causes(&mut case, finish(1, unclear()), State::Unknown), [(Event::Unknown, 1)]);
    // A late report changes nothing of which anybody must be notified.
    assert_eq!(causes(&mut case, finish(1, unclear()), State::Unknown), []);
    let mut case = Case::running(plan(false));
    case.wait_until(case.leased_until());
    assert_eq!(causes(&mut case, lease_expired(1), State::Unknown), [(Event::Unknown, 1)]);
}

#[test]
fn every_way_to_a_failure_is_an_event_and_a_retry_is_none() {
    let mut case = Case::running(plan(false));
    assert_eq!(causes(&mut case, finish(1, not_done()), State::Queued), []);
    case.start_next();
    assert_eq!(causes(&mut case, finish(2, rejected()), State::Failed), [(Event::Failed, 1)]);
    case.becomes(&case.settle(Settlement::RunAgain), State::Queued).start_next();
    assert_eq!(causes(&mut case, finish(3, rejected()), State::Failed), [(Event::Failed, 2)]);

    let mut case = Case::queued(plan(true));
    let other = Plan { executor: "function other".to_owned(), ..plan(true) };
    let start = start_with(Some(other));
    assert_eq!(causes(&mut case, start, State::Failed), [(Event::Failed, 1)]);

    let mut case = Case::unknown();
    let found = settle(Settlement::DidNotHappen, case.item.digest, 1);
    assert_eq!(causes(&mut case, found, State::Failed), [(Event::Failed, 1)]);
    let mut case = Case::unknown();
    let found = settle(Settlement::Happened, case.item.digest, 1);
    assert_eq!(causes(&mut case, found, State::Succeeded), []);
}

#[test]
fn an_operation_is_blocked_once_for_each_reason() {
    let mut case = Case::queued(plan(true));
    assert_eq!(causes(&mut case, block(), State::Blocked), [(Event::Blocked, 1)]);
    case.until_its_turn();
    assert_eq!(causes(&mut case, block(), State::Blocked), []);
    case.until_its_turn();
    assert_eq!(causes(&mut case, start_with(None), State::Blocked), [(Event::Blocked, 2)]);
    case.until_its_turn();
    assert_eq!(causes(&mut case, start_with(Some(plan(true))), State::Running), []);
    assert_eq!(causes(&mut case, finish(1, succeeded()), State::Succeeded), []);
}
