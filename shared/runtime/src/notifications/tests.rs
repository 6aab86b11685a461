use std::time::Duration;

use placet_core::item::Write;
use placet_core::operation::{Actor, Content, NewOperation, Specification, State};
use placet_core::{Timestamp, delivery::MailTo};
use serde_json::json;

use super::*;
use crate::Clock;

const NOW: Timestamp = Timestamp::from_millis(1_795_165_200_000);

/// A deployment that keeps its mails, with these people.
fn runtime(people: &str) -> Runtime {
    let environment = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("PLACET_TABLE", "placet"),
        (MAILBOX, "on"),
    ];
    let config = Config::parse(&format!("project: default\npeople: {{{people}}}")).unwrap();
    Runtime::new(environment.into_iter().collect(), config, Clock::manual(NOW)).unwrap()
}

/// A call in this state, whose requester named this address.
fn operation(state: State, address: &str) -> Item<Operation> {
    let content = Content::Call { function: "charge".to_owned(), kwargs: json!({}) };
    let channel = serde_json::from_value(json!({"email": {"address": address}})).unwrap();
    let specification = Specification { channel: Some(channel), ..Specification::of(content) };
    let id = OperationId::call("default", "call-1");
    let hour = Duration::from_secs(3600);
    let new = NewOperation::plain(id, "run-1", specification, hour, Actor::Test);
    let mut item = Operation::create(new, &Write::new("write-1", NOW));
    item.body.state = state;
    item
}

/// Who gets a mail about each event.
fn mailed(runtime: &Runtime, operation: &Item<Operation>) -> Vec<String> {
    let notices = runtime.notices(operation);
    let of_event = |event: Event| {
        let to =
            notices.iter().filter(|notice| notice.event == event).map(|notice| match &notice.to {
                Notified::Mail(MailTo::Person(id)) => id.as_str(),
                Notified::Mail(MailTo::Address(address)) => address.as_str(),
                Notified::Endpoint { name, .. } => panic!("endpoint {name}"),
            });
        format!("{}: {}", event.as_str(), to.collect::<Vec<_>>().join(" "))
    };
    Event::ALL.map(of_event).into()
}

#[test]
fn those_who_operate_placet_settle_outcomes() {
    let people = "ann: {email: ann@example.com}, bob: {email: Bob@Example.com}, \
                  olga: {email: olga@example.com, rights: [operate]}";
    let runtime = runtime(people);
    let mailed = |state, address| mailed(&runtime, &operation(state, address));
    assert_eq!(
        mailed(State::Pending, "partner@example.net"),
        [
            "requested: ann bob partner@example.net",
            "reminded: ann bob",
            "escalated: ann bob",
            "completed: ann bob",
            "expired: ann bob",
            "failed: olga",
            "blocked: olga",
            "unknown: olga",
        ]
    );
    assert_eq!(
        mailed(State::Unknown, "bob@example.com"),
        [
            "requested: bob",
            "reminded: olga",
            "escalated: bob",
            "completed: bob",
            "expired: bob",
            "failed: olga",
            "blocked: olga",
            "unknown: olga",
        ]
    );
}

#[test]
fn without_an_operator_the_approvers_who_were_asked_are_reminded_of_an_unknown_outcome() {
    let runtime = runtime("ann: {email: ann@example.com}, bob: {email: bob@example.com}");
    let mailed = mailed(&runtime, &operation(State::Unknown, "bob@example.com"));
    assert_eq!(mailed[1], "reminded: bob");
    assert_eq!(mailed[7], "unknown: bob");
}
