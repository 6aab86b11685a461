mod property;
mod schedule;
mod toy;

use serde_json::json;

use super::*;
use crate::delivery::Delivery;
use crate::operation::{Operation, OperationId};
use crate::receipt::Receipt;
use toy::{Command, NOW, Needs, Toy, at, child, toy};

fn wants(needs: Needs, children: &[Lane]) -> Option<(Lane, crate::Timestamp)> {
    toy::<false>(needs, children).wants(NOW)
}

#[test]
fn an_item_wants_the_lane_and_time_of_its_next_step() {
    let person = |work| Needs::Person { until: at(60), work };
    for (needs, expected) in [
        (Needs::Nothing, None),
        (Needs::Wait(at(60)), Some((Lane::Work, at(60)))),
        (Needs::Lease(at(60)), Some((Lane::Work, at(60)))),
        (Needs::Transition, Some((Lane::Work, NOW))),
        (Needs::Work(Lane::Work, at(-60)), Some((Lane::Work, at(-60)))),
        (Needs::Work(Lane::Calls, at(60)), Some((Lane::Calls, at(60)))),
        (person(None), Some((Lane::Work, at(60)))),
        (person(Some((Lane::Calls, at(30)))), Some((Lane::Calls, at(30)))),
        (person(Some((Lane::Calls, at(90)))), Some((Lane::Work, at(60)))),
    ] {
        assert_eq!(wants(needs, &[]), expected, "{needs:?}");
    }
}

#[test]
fn an_item_with_children_wants_the_slowest_lane_that_is_needed_now() {
    let (work, calls) = (Some((Lane::Work, NOW)), Some((Lane::Calls, NOW)));
    let now = |lane| Needs::Work(lane, NOW);
    let later = Needs::Work(Lane::Calls, at(1));
    for (needs, children, expected) in [
        (Needs::Nothing, &[Lane::Work][..], work),
        (Needs::Nothing, &[Lane::Work, Lane::Calls, Lane::Work], calls),
        (now(Lane::Work), &[Lane::Work], work),
        (now(Lane::Calls), &[Lane::Work], calls),
        (now(Lane::Work), &[Lane::Calls], calls),
        (later, &[Lane::Work], work),
        (Needs::Lease(at(60)), &[Lane::Work], work),
        (Needs::Transition, &[Lane::Calls], calls),
    ] {
        assert_eq!(wants(needs, children), expected, "{needs:?} {children:?}");
    }
}

#[test]
fn the_lane_at_a_moment_is_the_lane_of_the_work_due_then() {
    let lane = |needs, seconds| toy::<false>(needs, &[]).lane_at(at(seconds));
    let poll = Needs::Person { until: at(60), work: Some((Lane::Calls, at(30))) };
    assert_eq!(lane(poll, 29), Lane::Work);
    assert_eq!(lane(poll, 30), Lane::Calls);
    assert_eq!(lane(poll, 60), Lane::Work, "it needs only a transition then");
    assert_eq!(lane(Needs::Work(Lane::Calls, at(30)), 29), Lane::Work);
    assert_eq!(lane(Needs::Work(Lane::Calls, at(30)), 30), Lane::Calls);
    for needs in [Needs::Nothing, Needs::Transition, Needs::Lease(at(60)), Needs::Wait(at(60))] {
        assert_eq!(lane(needs, 60), Lane::Work);
        assert_eq!(
            toy::<true>(needs, &[]).lane_at(at(60)),
            Lane::Calls,
            "the home lane of the kind"
        );
    }
}

#[test]
fn an_item_is_terminal_once_it_needs_nothing_and_has_no_children() {
    assert!(toy::<false>(Needs::Nothing, &[]).is_terminal(NOW));
    assert!(!toy::<false>(Needs::Nothing, &[Lane::Work]).is_terminal(NOW));
    assert!(!toy::<false>(Needs::Wait(at(1)), &[]).is_terminal(NOW));
    assert!(!toy::<false>(Needs::Wait(at(1)), &[]).is_terminal(at(2)));
}

#[test]
fn the_next_version_counts_its_write_and_keeps_the_rest() {
    let mut first = toy::<false>(Needs::Transition, &[Lane::Work, Lane::Calls]);
    (first.header.due, first.header.rescheduled) = (Some(at(120)), 3);
    let created = [child(Lane::Work).id];
    let write = Write { id: "write-2", at: at(9), created: &created };
    let next = first.apply(&Command::Need(Needs::Nothing, vec![child(Lane::Work)]), &write);
    let next = next.unwrap();
    let expected = Header {
        version: 2,
        changed_at: at(9),
        writes: vec!["write-1".to_owned(), "write-2".to_owned()],
        children: vec![child(Lane::Calls), child(Lane::Work)],
        rescheduled: 0,
        ..first.header.clone()
    };
    assert_eq!((next.needs, next.header), (Needs::Nothing, expected));
}

#[test]
fn a_touched_version_differs_only_in_its_header() {
    let mut first = toy::<false>(Needs::Lease(at(60)), &[Lane::Work, Lane::Calls]);
    first.header.rescheduled = 3;
    let created = [child(Lane::Calls).id];
    let touched = first.touched(&Write { id: "write-2", at: at(9), created: &created });
    assert_eq!(touched.body, first.body);
    assert_eq!((touched.header.version, touched.header.changed_at), (2, at(9)));
    assert_eq!(touched.header.children, [child(Lane::Work)]);
    assert_eq!(touched.header.rescheduled, 3, "a touch is not a transition");
    assert_eq!(touched.header.created_at, NOW);
}

#[test]
fn an_item_that_is_not_stored_yet_stays_version_1() {
    let first = toy::<false>(Needs::Work(Lane::Calls, NOW), &[]);
    let need = Command::Need(Needs::Nothing, vec![child(Lane::Work)]);
    let write = Write::new("write-2", at(1));
    let unstored = first.apply_unstored(&need, &write).unwrap();
    assert_eq!((unstored.header.version, unstored.needs), (1, Needs::Nothing));
    assert_eq!(unstored.header.children, [child(Lane::Work)]);
    assert_eq!(unstored.header.wrote("write-2", 1), Some(true));
    assert_eq!(unstored.header.wrote("write-1", 1), Some(false), "the first write was never made");
    let stored = first.apply(&need, &write).unwrap();
    let header = Header { version: 1, writes: vec!["write-2".to_owned()], ..stored.header };
    assert_eq!(unstored.header, header, "the rest of the header is the same");
}

#[test]
fn the_stored_header_leaves_out_the_parts_of_the_key() {
    let mut item = toy::<false>(Needs::Nothing, &[]);
    let plain = r#"{"created_at":1800000000000,"changed_at":1800000000000,"writes":["write-1"],"rests":"nothing"}"#;
    assert_eq!(serde_json::to_string(&item.header).unwrap(), plain);
    item.header.children = vec![child(Lane::Calls)];
    (item.header.rescheduled, item.header.rests) = (2, Rests::Message);
    (item.header.due, item.header.version) = (Some(NOW), 7);
    let text = serde_json::to_string(&item.header).unwrap();
    let stored: Header = serde_json::from_str(&text).unwrap();
    let nowhere =
        Header { project: String::new(), id: String::new(), version: 0, due: None, ..item.header };
    assert_eq!(stored, nowhere, "{text}");
}

#[test]
fn a_child_knows_the_lane_of_its_first_work() {
    let of = |needs| Child::new("c".to_owned(), Toy::<false> { needs }, NOW).lane;
    assert_eq!(of(Needs::Work(Lane::Calls, at(9))), Lane::Calls);
    assert_eq!(of(Needs::Work(Lane::Work, at(9))), Lane::Work);
    assert_eq!(of(Needs::Nothing), Lane::Work);
    let slow = Child::new("c".to_owned(), Toy::<true> { needs: Needs::Nothing }, NOW);
    assert_eq!(slow.lane, Lane::Calls, "the home lane of the kind");
    let expected = json!({"kind": "toy", "id": "child-calls", "lane": "calls",
        "body": {"needs": {"Work": ["calls", 1_800_000_000_000_i64]}}});
    assert_eq!(serde_json::to_value(child(Lane::Calls)).unwrap(), expected);
}

#[test]
fn a_pointer_names_the_item_and_its_version() {
    let mut item = toy::<false>(Needs::Nothing, &[]);
    item.header.version = 3;
    let pointer = Pointer::to::<Toy>(&item.header);
    let expected = r#"{"v":2,"item":"toy","project":"default","id":"toy-1","at":3}"#;
    assert_eq!(pointer.to_body(), expected);
    assert_eq!(Pointer::parse(expected).unwrap(), pointer);
}

#[test]
fn a_lane_is_the_same_after_writing_and_reading() {
    assert!(Lane::ALL.is_sorted(), "the fastest first");
    for lane in Lane::ALL {
        assert_eq!(Lane::of_letter(lane.letter()), Some(lane));
        assert_eq!(Lane::parse(lane.as_str()), Some(lane));
        assert_eq!(serde_json::to_value(lane).unwrap(), lane.as_str());
    }
    assert_eq!((Lane::of_letter('x'), Lane::parse("Work")), (None, None));
}

#[test]
fn every_kind_has_its_own_name_and_ids() {
    let names = [Operation::NAME, Receipt::NAME, Delivery::NAME];
    assert_eq!(names, ["operation", "receipt", "delivery"]);
    let ids = [
        OperationId::call("default", "call-1").path(),
        "github.0123abcdef".to_owned(),
        Delivery::id("app", "key"),
    ];
    for (number, id) in ids.iter().enumerate() {
        let known = [
            <Operation as Kind>::is_id(id),
            <Receipt as Kind>::is_id(id),
            <Delivery as Kind>::is_id(id),
        ];
        assert_eq!(known, [0, 1, 2].map(|kind| kind == number), "{id}");
    }
}

/// A request for a page contains the id. A text that cannot be an id costs no read.
#[test]
fn an_operation_is_named_by_its_kind_and_call_id() {
    for id in ["function_call/call-1", "human_contact/a b:é"] {
        assert!(<Operation as Kind>::is_id(id), "{id}");
    }
    let long = format!("function_call/{}", "x".repeat(256));
    for wrong in ["", "call-1", "function_call/", "call/x", "function_call/a/b", &long] {
        assert!(!<Operation as Kind>::is_id(wrong), "{wrong}");
    }
}
