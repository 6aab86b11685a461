//! Questions and options on the pages of the inbox.

use std::time::Duration;

use http::{Method, StatusCode};
use placet_core::Digest;
use placet_core::operation::{OperationId, OperationKind, State};
use placet_runtime::Role;
use serde_json::json;

use crate::client::{Draft, call, question};
use crate::world::{OTHER, World};

const PAGE: &str = "/inbox/questions/q";

fn whether_to_ship(call_id: &str) -> Draft {
    question(call_id, "Ship?").with(
        "response_options",
        json!([
            {"name": "yes", "title": "Go ahead", "prompt_fill": "Yes, ship it"},
            {"name": "no", "title": "No"},
            {"name": "later", "title": "Later", "prompt_fill": "Not before ...", "interactive": true}
        ]),
    )
}

/// A world with the question `q`.
async fn with_question(draft: &Draft) -> World {
    let world = World::start().await;
    create(&world, draft).await;
    world
}

/// Creates an operation through HumanLayer's API.
async fn create(world: &World, draft: &Draft) {
    let created = world.client().request_approval(draft).await;
    assert_eq!(created.status, StatusCode::OK, "{}", created.text);
}

#[tokio::test]
async fn a_person_answers_a_question_and_the_requester_reads_the_answer() {
    let draft = question("q", "Which wood?").with("subject", "Wood").with("state", json!({"n": 1}));
    let world = with_question(&draft).await;
    let inbox = world.page("/inbox").await.text;
    assert!(inbox.contains(&format!("href=\"{PAGE}\"")), "{inbox}");

    let answered = world.submit(PAGE, "response=oak,%0D%0Aor+%C3%A4hm%3F").await;
    assert_eq!((answered.status, answered.location.as_str()), (StatusCode::SEE_OTHER, PAGE));

    let page = world.page(PAGE).await.text;
    for part in ["Answered</p>", "through the inbox", "oak,", "ähm?"] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert!(!page.contains("<form") && !page.contains("Denied"), "{page}");
    assert!(!world.page("/inbox").await.text.contains("questions/q"));
    let read = world.client().contact_request("q").await;
    assert_eq!(read["status"]["response"], "oak,\nor ähm?");
    assert_eq!(read["spec"]["state"], json!({"n": 1}));
    world.finish().await;
}

#[tokio::test]
async fn opening_a_question_changes_nothing() {
    let world = with_question(&whether_to_ship("q")).await;
    let before = world.contents().await;
    for method in [Method::GET, Method::HEAD] {
        for path in ["/inbox", PAGE, "/inbox/questions/q?option=yes"] {
            let page = world.request(method.clone(), path).page().send().await;
            assert_eq!(page.status, StatusCode::OK, "{method} {path}");
        }
    }
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn an_answer_is_the_text_of_the_option_or_of_the_person() {
    let world = World::start().await;
    for (call_id, fields, answer, option) in [
        ("fill", "option=yes", "Yes, ship it", Some("yes")),
        ("title", "option=no", "No", Some("no")),
        ("edited", "option=later&response=Not+before+May", "Not before May", Some("later")),
        ("own", "response=Maybe", "Maybe", None),
        ("own-with-empty-option", "response=Maybe&option=", "Maybe", None),
    ] {
        create(&world, &whether_to_ship(call_id)).await;
        let answered = world.submit(&format!("/inbox/questions/{call_id}"), fields).await;
        assert_eq!(answered.status, StatusCode::SEE_OTHER, "{fields}");
        let decision = world.question(call_id).await.body.decision.unwrap();
        assert_eq!((decision.comment.as_str(), decision.option.as_deref()), (answer, option));
    }
    world.finish().await;
}

/// The text of an editable option is not used if the person has emptied the field.
#[tokio::test]
async fn an_empty_answer_is_refused() {
    let world = with_question(&whether_to_ship("q")).await;
    let before = world.contents().await;
    for fields in ["", "response=", "response=+%0D%0A+", "option=later&response=+"] {
        let refused = world.submit(PAGE, fields).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{fields}");
        assert!(refused.text.contains("<p>Your answer did not count: an answer needs"));
        assert!(refused.text.contains("name=\"response\""), "the page shows the form again");
    }
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn a_form_with_invalid_fields_changes_nothing() {
    let world = with_question(&whether_to_ship("q")).await;
    create(&world, &call("call", "f")).await;
    let before = world.contents().await;
    let too_long = format!("response={}", "x".repeat(16 * 1024));
    let twice = "response=yes&response=no";
    for fields in ["option=never", "verdict=approve", "settlement=happened", twice, &too_long] {
        let refused = world.submit(PAGE, fields).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{fields}");
    }
    let refused = world.submit("/inbox/call", "response=yes").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "a call cannot be answered with a text");
    let unseen = format!("digest={}&response=yes", Digest::of_bytes(b"other"));
    assert_eq!(world.send_form(PAGE, &unseen).await.status, StatusCode::CONFLICT);
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn a_second_answer_changes_nothing() {
    let world = with_question(&question("q", "Why?")).await;
    let digest = world.page(PAGE).await.hidden("digest");
    world.submit(PAGE, "response=first").await;
    let refused = world.send_form(PAGE, &format!("digest={digest}&response=second")).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    for part in ["Your answer did not count. It was answered ", "first", "second</textarea>"] {
        assert!(refused.text.contains(part), "{part}: {}", refused.text);
    }
    assert_eq!(world.question("q").await.body.decision.unwrap().comment, "first");
    world.finish().await;
}

#[tokio::test]
async fn an_answer_after_the_deadline_changes_nothing() {
    let world = with_question(&question("q", "Why?")).await;
    let digest = world.page(PAGE).await.hidden("digest");
    world.advance(world.question("q").await.deadline.since(world.clock.now()));
    world.advance(Duration::from_millis(1));
    let refused = world.send_form(PAGE, &format!("digest={digest}&response=late")).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let page = world.page(PAGE).await.text;
    assert!(page.contains("Expired: nobody answered") && !page.contains("<form"), "{page}");
    world.tick().await;
    world.work().await;
    assert_eq!(world.question("q").await.state, State::Expired);
    world.finish().await;
}

#[tokio::test]
async fn the_inbox_and_the_page_mark_an_escalation() {
    let world = with_question(&question("q", "Why?")).await;
    for message in ["Please look", "The customer waits"] {
        let escalated = world.client().escalate("q", &json!({"escalation_msg": message})).await;
        assert_eq!(escalated.status, StatusCode::OK, "{}", escalated.text);
    }
    for path in ["/inbox", PAGE] {
        let page = world.page(path).await.text;
        assert!(page.contains("Escalated twice") && page.contains("The customer waits"), "{page}");
    }
    world.finish().await;
}

/// A call with two reasons for a denial. A person may edit the first.
fn with_reasons(call_id: &str) -> Draft {
    let edited = json!({"name": "later", "prompt_fill": "Not on ...", "interactive": true});
    let fixed = json!({"name": "never", "prompt_fill": "Not ever"});
    call(call_id, "charge").with("reject_options", json!([edited, fixed]))
}

#[tokio::test]
async fn the_form_of_a_denial_lets_a_person_edit_the_reason() {
    let world = World::start().await;
    create(&world, &with_reasons("a")).await;
    let page = world.page("/inbox/a?option=later").await.text;
    assert!(page.contains("Not on ...</textarea>") && !page.contains("value=\"approve\""));
    world.finish().await;
}

#[tokio::test]
async fn the_comment_of_a_denial_is_the_text_of_the_reason_or_of_the_person() {
    let world = World::start().await;
    for (call_id, option, comment, expected) in [
        ("a", "later", "", "Not on ..."),
        ("b", "later", "Not+on+Monday", "Not on Monday"),
        ("c", "never", "", "Not ever"),
        ("d", "never", "no", "no"),
    ] {
        create(&world, &with_reasons(call_id)).await;
        let page = format!("/inbox/{call_id}");
        let unknown = world.submit(&page, "comment=&option=other&verdict=deny").await;
        assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
        world.submit(&page, &format!("comment={comment}&option={option}&verdict=deny")).await;
        let decision = world.operation(call_id).await.body.decision.unwrap();
        let reason = (decision.option.as_deref(), decision.comment.as_str());
        assert_eq!(reason, (Some(option), expected));
    }
    world.finish().await;
}

/// A world with a question `q` in each project and a call `c` in the other project.
async fn with_two_projects() -> World {
    let world = with_question(&question("q", "Ours?")).await;
    let key = world.key(Role::Admin, OTHER).await;
    let other = world.client_with(&key);
    for draft in [question("q", "Theirs?"), call("c", "f")] {
        assert_eq!(other.request_approval(&draft).await.status, StatusCode::OK);
    }
    world
}

#[tokio::test]
async fn each_project_has_its_own_inbox() {
    let world = with_two_projects().await;
    for (path, own, foreign) in [
        ("/inbox", "Ours?", "Theirs?"),
        ("/inbox?project=default", "Ours?", "Theirs?"),
        ("/inbox?project=other", "Theirs?", "Ours?"),
        (PAGE, "Ours?", "Theirs?"),
        ("/inbox/questions/q?project=other", "Theirs?", "Ours?"),
    ] {
        let page = world.page(path).await.text;
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
        assert_eq!(world.page(path).await.status, StatusCode::NOT_FOUND, "{path}");
        let posted = world.send_form(path, "response=x").await.status;
        assert!(posted.is_client_error(), "{path}: {posted}");
    }
    world.finish().await;
}

#[tokio::test]
async fn a_page_of_another_project_decides_there_and_redirects_to_itself() {
    let world = with_two_projects().await;
    let path = "/inbox/questions/q?project=other";
    let answered = world.submit(path, "response=theirs").await;
    assert_eq!((answered.status, answered.location.as_str()), (StatusCode::SEE_OTHER, path));
    let theirs = OperationId::new(OTHER, OperationKind::HumanContact, "q");
    assert_eq!(world.stored(&theirs).await.state, State::Answered);
    assert_eq!(world.question("q").await.state, State::Pending);
    let denied = world.submit("/inbox/c?project=other", "comment=&verdict=deny").await;
    assert_eq!(denied.location, "/inbox/c?project=other");
    world.finish().await;
}
