//! Who may decide is fixed when the operation is created.

use placet_core::operation::{Actor, Approvers, Command, NewOperation, Refusal, Settlement, State};
use serde_json::json;

use crate::case::Case;
use crate::commands::{approve, finish, link, person, revoke_link, settle, settle_by, unclear};
use crate::requests::{UPSTREAM, call, plan, with_upstream};

fn source(name: &str) -> Actor {
    let receipt = format!("{name}.1");
    Actor::Webhook { source: name.to_owned(), receipt, event: Some("msg_1".to_owned()) }
}

fn upstream(url: &str) -> Actor {
    Actor::Upstream { url: url.to_owned() }
}

/// An approval by this actor.
fn approved_by(actor: &Actor) -> Command {
    let Command::Decide { verdict, comment, option, seen, notify, .. } = approve() else {
        unreachable!("approve() decides")
    };
    Command::Decide { verdict, comment, option, by: actor.clone(), seen, notify }
}

fn answer(new: &NewOperation, by: &Actor) -> Result<State, Refusal> {
    let mut case = Case::new(new.clone());
    case.apply(&approved_by(by)).map(|_| case.item.state)
}

/// The case `wipe_disk: {approver: inbox}`: a webhook and another server decide nothing.
#[test]
fn an_operation_for_the_inbox_is_decided_by_nobody_outside() {
    let inbox = NewOperation { approvers: Approvers::default(), ..call(Some(plan(true))) };
    for by in [
        Actor::LOCAL,
        Actor::Link { id: "l".into(), person: None },
        Actor::api("key-of-ana", "ana"),
    ] {
        assert_eq!(answer(&inbox, &by), Ok(State::Queued), "{by}");
    }
    let outside = [source("humanlayer"), source("inbox"), upstream(UPSTREAM), upstream("")];
    for by in outside.into_iter().chain([Actor::Demo, Actor::Worker, Actor::Timer, Actor::Test]) {
        assert_eq!(answer(&inbox, &by), Err(Refusal::NotAnApprover), "{by}");
    }
}

#[test]
fn outside_only_the_named_source_and_the_named_server_decide() {
    let named = with_upstream(call(Some(plan(true))));
    for by in [source("humanlayer"), upstream(UPSTREAM)] {
        assert_eq!(answer(&named, &by), Ok(State::Queued), "{by}");
    }
    for by in [source("github"), source("humanlayer-2"), upstream("https://evil.example")] {
        assert_eq!(answer(&named, &by), Err(Refusal::NotAnApprover), "{by}");
    }
}

/// The id counts, not the name: another key with the same name may decide.
#[test]
fn the_key_that_created_an_operation_does_not_decide_it() {
    let own = call(Some(plan(true)));
    assert_eq!(answer(&own, &Actor::api("key-of-agent", "x")), Err(Refusal::OwnOperation));
    assert_eq!(answer(&own, &Actor::api("key-of-ana", "agent")), Ok(State::Queued));
    let allowed = Approvers { except_key: None, ..own.approvers.clone() };
    let allowed = NewOperation { approvers: allowed, ..own };
    assert_eq!(answer(&allowed, &Actor::api("key-of-agent", "agent")), Ok(State::Queued));
}

#[test]
fn who_may_not_decide_may_not_settle() {
    let mut case = Case::running(plan(false));
    case.becomes(&finish(1, unclear()), State::Unknown);
    let Command::Settle { settlement, comment, seen, attempt, .. } =
        settle(Settlement::RunAgain, case.item.digest, 1)
    else {
        unreachable!("settle() settles")
    };
    let by = Actor::api("key-of-agent", "agent");
    let own = Command::Settle { settlement, comment, by, seen, attempt, notify: Vec::new() };
    case.refuses(&own, Refusal::OwnOperation);
    case.becomes(&settle(Settlement::RunAgain, case.item.digest, 1), State::Queued);
}

/// People decide what names them, in the inbox and by link; those who operate Placet settle every outcome.
#[test]
fn a_person_decides_only_what_names_them() {
    let named = call(Some(plan(false)));
    let inbox = |id| Actor::Inbox { person: Some(person(id)) };
    let linked = |id| Actor::Link { id: "l".into(), person: Some(person(id)) };
    for by in [inbox("ana"), linked("bo")] {
        assert_eq!(answer(&named, &by), Ok(State::Queued), "{by}");
    }
    for by in [inbox("cy"), linked("cy")] {
        assert_eq!(answer(&named, &by), Err(Refusal::NotAnApprover), "{by}");
    }
    let everybody = NewOperation { approvers: Approvers::default(), ..named };
    assert_eq!(answer(&everybody, &inbox("cy")), Ok(State::Queued));
    let mut case = Case::running(plan(false));
    case.becomes(&finish(1, unclear()), State::Unknown);
    let found = |by| settle_by(by, Settlement::Happened, case.item.digest, 1);
    let (by_link, by_session) = (found(linked("cy")), found(inbox("cy")));
    case.refuses(&by_link, Refusal::NotAnApprover);
    case.becomes(&by_session, State::Succeeded);
}

#[test]
fn a_revoked_link_decides_nothing_and_other_links_stay_valid() {
    let mut case = Case::new(call(Some(plan(true))));
    let now = case.now;
    case.becomes(&link("ana", now), State::Pending);
    case.refuses(&link("cy", now), Refusal::NotAnApprover);
    case.becomes(&revoke_link("l"), State::Pending);
    case.refuses(&revoke_link("l"), Refusal::LinkRevoked);
    let by = |id: &str| Actor::Link { id: id.into(), person: Some(person("ana")) };
    case.refuses(&approved_by(&by("l")), Refusal::LinkRevoked);
    case.becomes(&approved_by(&by("other")), State::Queued);
    let Command::Link { id, person, until, .. } = link("ana", now) else { unreachable!() };
    let by = Actor::api("key-of-agent", "agent");
    let own = Command::Link { id, person, until, by };
    let mut fresh = Case::new(call(None));
    fresh.refuses(&own, Refusal::OwnOperation);
    let nothing = Refusal::NothingToDecide { state: State::Queued };
    case.refuses(&link("ana", now), nothing);
}

#[test]
fn an_operation_has_at_most_twenty_links() {
    let mut case = Case::new(call(Some(plan(true))));
    let now = case.now;
    for n in 0..20 {
        case.becomes(&link("ana", now), State::Pending);
        case.becomes(&revoke_link(&n.to_string()), State::Pending);
    }
    case.refuses(&link("ana", now), Refusal::LinksEnough);
    case.refuses(&revoke_link("20"), Refusal::LinksEnough);
}

#[test]
fn a_refused_decision_changes_nothing_and_the_stored_form_names_the_approvers() {
    let mut case = Case::new(call(Some(plan(true))));
    case.refuses(&approved_by(&source("github")), Refusal::NotAnApprover);
    let stored = serde_json::to_value(&case.item.body).unwrap();
    let expected =
        json!({"people": ["ana", "bo"], "webhook": "humanlayer", "except_key": "key-of-agent"});
    assert_eq!(stored["approvers"], expected);
}
