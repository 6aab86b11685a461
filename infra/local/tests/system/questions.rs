//! Questions, and options in general, as a person meets them in the inbox.

use std::time::Duration;

use http::{Method, StatusCode};
use placet_core::{Decision, Digest, Kind, Operation, OperationId, State};
use placet_runtime::Role;
use serde_json::{Value, json};

use crate::ask::Answer;
use crate::world::{KEY, OTHER, TENANT, World};

/// Asks a question with this specification.
pub async fn question(world: &World, call_id: &str, spec: Value) {
    question_with(world, KEY, call_id, spec).await;
}

async fn question_with(world: &World, key: &str, call_id: &str, spec: Value) {
    let body = json!({"run_id": "run", "call_id": call_id, "spec": spec});
    let asked = world.post("/humanlayer/v1/contact_requests").key(key).json(&body).send().await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.text);
}

async fn stored(world: &World, tenant: &str, call_id: &str) -> Operation {
    let id = OperationId::new(tenant, Kind::HumanContact, call_id);
    world.system.runtime.store.operation(&id, true).await.unwrap().unwrap()
}

/// Where a question stands.
pub async fn state_of(world: &World, call_id: &str) -> State {
    stored(world, TENANT, call_id).await.state
}

async fn decision(world: &World, call_id: &str) -> Decision {
    stored(world, TENANT, call_id).await.decision.unwrap()
}

/// Opens the page at this path and posts a form with its digest and these fields.
async fn submit(world: &World, path: &str, fields: &str) -> Answer {
    let digest = world.get(path).page().send().await.hidden("digest");
    world.post(path).form(&format!("digest={digest}&{fields}")).send().await
}

fn options() -> Value {
    json!([
        {"name": "yes", "title": "Go ahead", "prompt_fill": "Yes, ship it"},
        {"name": "no", "title": "No"},
        {"name": "later", "title": "Later", "prompt_fill": "Not before ...", "interactive": true}
    ])
}

#[tokio::test]
async fn a_person_answers_a_question_and_the_asker_reads_it() {
    let world = World::start().await;
    question(&world, "q", json!({"msg": "Which wood?", "subject": "Wood", "state": {"n": 1}}))
        .await;
    let before = world.contents().await;
    let inbox = world.get("/inbox").page().send().await.text;
    assert!(inbox.contains("href=\"/inbox/questions/q\"") && inbox.contains("asks"), "{inbox}");
    for method in [Method::GET, Method::HEAD] {
        for path in ["/inbox/questions/q", "/inbox/questions/q?option=yes"] {
            let page = world.ask(method.clone(), path).page().send().await;
            assert_eq!(page.status, StatusCode::OK);
        }
    }
    assert_eq!(world.contents().await, before, "looking changes nothing");

    let path = "/inbox/questions/q";
    let answered = submit(&world, path, "response=oak,%0D%0Aor+%C3%A4hm%3F").await;
    assert_eq!((answered.status, answered.location.as_str()), (StatusCode::SEE_OTHER, path));
    let page = world.get(path).page().send().await.text;
    for part in ["Answered</p>", "in the inbox", "oak,", "ähm?"] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert!(!page.contains("<form") && !page.contains("Denied"), "{page}");
    let read = world.get("/humanlayer/v1/contact_requests/q").key(KEY).send().await.json();
    assert_eq!(read["status"]["response"], "oak,\nor ähm?");
    assert_eq!(read["spec"]["state"], json!({"n": 1}));
    assert!(!world.get("/inbox").page().send().await.text.contains("questions/q"));
    world.finish().await;
}

#[tokio::test]
async fn an_option_says_what_it_says_or_what_a_person_made_of_it() {
    let world = World::start().await;
    for (call_id, fields, words, option) in [
        ("fill", "option=yes", "Yes, ship it", Some("yes")),
        ("title", "option=no", "No", Some("no")),
        ("edited", "option=later&response=Not+before+May", "Not before May", Some("later")),
        ("own", "response=Maybe", "Maybe", None),
        ("own-with-empty-option", "response=Maybe&option=", "Maybe", None),
    ] {
        question(&world, call_id, json!({"msg": "Ship?", "response_options": options()})).await;
        let answered = submit(&world, &format!("/inbox/questions/{call_id}"), fields).await;
        assert_eq!(answered.status, StatusCode::SEE_OTHER, "{fields}");
        let decision = decision(&world, call_id).await;
        assert_eq!((decision.comment.as_str(), decision.option.as_deref()), (words, option));
    }
    world.finish().await;
}

#[tokio::test]
async fn what_says_nothing_is_no_answer() {
    let world = World::start().await;
    question(&world, "q", json!({"msg": "Ship?", "response_options": options()})).await;
    let before = world.contents().await;
    let path = "/inbox/questions/q";
    // An option that was to be edited is not sent as it was after a person emptied the field.
    for fields in ["", "response=", "response=+%0D%0A+", "option=later&response=+"] {
        let refused = submit(&world, path, fields).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{fields}");
        assert!(refused.text.contains("role=\"status\">Nothing was changed: an answer needs"));
        assert!(refused.text.contains("name=\"response\""), "the form is there again");
    }
    let too_long = format!("response={}", "x".repeat(16 * 1024));
    for fields in ["option=never", "verdict=approve", "settlement=happened", &too_long] {
        let refused = submit(&world, path, fields).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{fields}");
    }
    let other = format!("digest={}&response=yes", Digest::of_bytes(b"other"));
    assert_eq!(world.post(path).form(&other).send().await.status, StatusCode::CONFLICT);
    assert_eq!(world.contents().await, before);

    world.create("call", "f").await;
    let refused = submit(&world, "/inbox/call", "response=yes").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "a call is not answered in words");
    assert_eq!(world.state("call").await, State::Pending);
    world.finish().await;
}

#[tokio::test]
async fn an_answer_that_comes_too_late_or_second_changes_nothing() {
    let world = World::start().await;
    for call_id in ["late", "second"] {
        question(&world, call_id, json!({"msg": "Why?"})).await;
    }
    let path = "/inbox/questions/second";
    let digest = world.get(path).page().send().await.hidden("digest");
    submit(&world, path, "response=first").await;
    let form = format!("digest={digest}&response=second");
    let refused = world.post(path).form(&form).send().await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("already has a response") && refused.text.contains("first"));
    assert_eq!(decision(&world, "second").await.comment, "first");

    let path = "/inbox/questions/late";
    let digest = world.get(path).page().send().await.hidden("digest");
    world.advance(stored(&world, TENANT, "late").await.deadline.since(world.clock.now()));
    world.advance(Duration::from_millis(1));
    let form = format!("digest={digest}&response=late");
    assert_eq!(world.post(path).form(&form).send().await.status, StatusCode::CONFLICT);
    let page = world.get(path).page().send().await.text;
    assert!(page.contains("Expired: nobody answered") && !page.contains("<form"), "{page}");
    world.tick().await;
    assert_eq!(state_of(&world, "late").await, State::Expired);
    world.finish().await;
}

#[tokio::test]
async fn an_escalation_is_marked_where_a_person_looks() {
    let world = World::start().await;
    question(&world, "q", json!({"msg": "Why?"})).await;
    for message in ["Please look", "The customer waits"] {
        let path = "/humanlayer/v1/agent/human_contacts/q/escalate_email";
        let body = json!({"escalation_msg": message});
        let escalated = world.post(path).key(KEY).json(&body).send().await;
        assert_eq!(escalated.status, StatusCode::OK, "{}", escalated.text);
    }
    for path in ["/inbox", "/inbox/questions/q"] {
        let page = world.get(path).page().send().await.text;
        assert!(page.contains("Escalated twice") && page.contains("The customer waits"), "{page}");
    }
    world.finish().await;
}

#[tokio::test]
async fn an_edited_reason_goes_with_the_denial() {
    let world = World::start().await;
    let later = json!([{"name": "later", "prompt_fill": "Ask on ...", "interactive": true}]);
    for (call_id, comment, expected) in
        [("a", "Ask+on+Monday", "Ask on Monday"), ("b", "", "Ask on ...")]
    {
        let spec = json!({"fn": "charge", "kwargs": {}, "reject_options": later});
        let body = json!({"run_id": "run", "call_id": call_id, "spec": spec});
        world.post("/humanlayer/v1/function_calls").key(KEY).json(&body).send().await;
        let page = world.get(&format!("/inbox/{call_id}?option=later")).page().send().await.text;
        assert!(page.contains("Ask on ...</textarea>") && !page.contains("value=\"approve\""));
        let form = format!("comment={comment}&option=later&verdict=deny");
        submit(&world, &format!("/inbox/{call_id}"), &form).await;
        let decision = world.operation(call_id).await.decision.unwrap();
        let said = (decision.option.as_deref(), decision.comment.as_str());
        assert_eq!(said, (Some("later"), expected));
    }
    world.finish().await;
}

#[tokio::test]
async fn each_project_has_an_inbox_of_its_own() {
    let world = World::start().await;
    let other = world.key(Role::Both, OTHER).await;
    question(&world, "q", json!({"msg": "Ours?"})).await;
    question_with(&world, &other, "q", json!({"msg": "Theirs?"})).await;
    world.create_with(&other, "c", "f").await;
    for (path, own, foreign) in [
        ("/inbox", "Ours?", "Theirs?"),
        ("/inbox?project=default", "Ours?", "Theirs?"),
        ("/inbox?project=other", "Theirs?", "Ours?"),
        ("/inbox/questions/q", "Ours?", "Theirs?"),
        ("/inbox/questions/q?project=other", "Theirs?", "Ours?"),
    ] {
        let page = world.get(path).page().send().await.text;
        assert!(page.contains(own) && !page.contains(foreign), "{path}: {page}");
    }
    for path in [
        "/inbox?project=nobody",
        "/inbox?project=%ff",
        "/inbox/c?project=nobody",
        "/inbox/questions/q?project=nobody",
        "/inbox/c",
        "/inbox/questions/c?project=other",
    ] {
        assert_eq!(world.get(path).page().send().await.status, StatusCode::NOT_FOUND, "{path}");
        let posted = world.post(path).form("response=x").send().await.status;
        assert!(posted.is_client_error(), "{path}: {posted}");
    }
    let path = "/inbox/questions/q?project=other";
    let answered = submit(&world, path, "response=theirs").await;
    assert_eq!((answered.status, answered.location.as_str()), (StatusCode::SEE_OTHER, path));
    assert_eq!(stored(&world, OTHER, "q").await.state, State::Answered);
    assert_eq!(state_of(&world, "q").await, State::Pending);
    let denied = submit(&world, "/inbox/c?project=other", "comment=&verdict=deny").await;
    assert_eq!(denied.location, "/inbox/c?project=other");
    world.finish().await;
}
