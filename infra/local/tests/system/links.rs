//! Signed decision links, which let a person decide without a session.

use std::time::Duration;

use http::{Method, StatusCode};
use placet_core::item::Item;
use placet_core::operation::{Actor, Operation, OperationKind, State};
use placet_core::{DecisionLink, Digest, SigningKeys, Token as _};
use serde_json::json;

use crate::client::question;
use crate::world::{LINK_SECRET, World};

/// A link to decide an operation within ten minutes.
pub fn link(world: &World, operation: &Item<Operation>) -> DecisionLink {
    DecisionLink {
        project: operation.project().to_owned(),
        kind: operation.kind(),
        call_id: operation.call_id().to_owned(),
        digest: operation.digest,
        settles: None,
        person: None,
        expires_at: world.clock.now().plus(Duration::from_secs(600)),
    }
}

pub fn path(link: &DecisionLink) -> String {
    format!("/d/{}", link.sign(&SigningKeys::read(LINK_SECRET).unwrap()))
}

/// A world with the call `call-1` of this function, and a link to decide it.
async fn with_call(function: &str) -> (World, DecisionLink) {
    let world = World::start().await;
    world.create("call-1", function).await;
    let link = link(&world, &world.operation("call-1").await);
    (world, link)
}

#[tokio::test]
async fn opening_a_link_changes_nothing() {
    let (world, link) = with_call("charge").await;
    let before = world.contents().await;
    for _ in 0..50 {
        for method in [Method::GET, Method::HEAD] {
            let page = world.request(method, &path(&link)).page().send().await;
            assert_eq!(page.status, StatusCode::OK);
        }
    }
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn a_link_decides_once_and_the_other_links_stop_working() {
    let (world, link) = with_call("charge").await;
    let expires_at = world.clock.now().plus(Duration::from_secs(900));
    let sibling = DecisionLink { expires_at, ..link.clone() };

    let decided = world.submit(&path(&link), "comment=&verdict=approve").await;
    assert_eq!(decided.status, StatusCode::SEE_OTHER);
    let id = DecisionLink::token_id(path(&link).trim_start_matches("/d/"));
    assert_eq!(
        world.operation("call-1").await.body.decision.unwrap().by,
        Actor::Link { id, person: None }
    );

    let deny = format!("digest={}&comment=&verdict=deny", link.digest);
    for spent in [path(&link), path(&sibling)] {
        let refused = world.send_form(&spent, &deny).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert!(
            refused.text.contains("Your denial did not count. It was approved "),
            "{}",
            refused.text
        );
    }
    world.settle().await;
    assert_eq!(world.ended("call-1").await, (State::Succeeded, 1));
    world.finish().await;
}

#[tokio::test]
async fn every_bad_link_gets_the_same_answer_and_changes_nothing() {
    let (world, good) = with_call("charge").await;
    let other_key = SigningKeys::read("another key of more than thirty-two bytes").unwrap();
    let expired = DecisionLink { expires_at: world.clock.now(), ..good.clone() };
    let other_content = DecisionLink { digest: Digest::of_bytes(b"other"), ..good.clone() };
    world.advance(Duration::from_millis(1));
    let before = world.contents().await;
    let form = format!("digest={}&comment=&verdict=approve", good.digest);
    let unknown = world.page("/d/x").await;
    for path in [
        "/d/x".to_owned(),
        format!("{}x", path(&good)),
        format!("/d/{}", good.sign(&other_key)),
        path(&expired),
        path(&other_content),
    ] {
        for reply in [world.page(&path).await, world.send_form(&path, &form).await] {
            assert_eq!(
                (reply.status, &reply.text),
                (StatusCode::FORBIDDEN, &unknown.text),
                "{path}"
            );
        }
    }
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn a_link_decides_only_the_operation_that_it_shows() {
    let (world, link) = with_call("charge").await;
    let other = format!("digest={}&comment=&verdict=approve", Digest::of_bytes(b"other"));
    assert_eq!(world.send_form(&path(&link), &other).await.status, StatusCode::CONFLICT);
    let twice = format!("digest={}&verdict=approve&verdict=deny", link.digest);
    for garbled in [
        twice.as_str(),
        "",
        "verdict=approve",
        "digest=x&verdict=approve",
        "digest=x&verdict=maybe",
    ] {
        let refused = world.send_form(&path(&link), garbled).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{garbled}");
    }
    assert_eq!(world.state("call-1").await, State::Pending);
    world.finish().await;
}

#[tokio::test]
async fn a_page_of_another_site_cannot_post_to_open_pages() {
    let (world, link) = with_call("charge").await;
    let form = format!("digest={}&comment=&verdict=approve", link.digest);
    for (name, value) in
        [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
    {
        let refused = world.post("/inbox/call-1").header(name, value).form(&form).send().await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{name}: {value}");
        let refused = world.post("/purchase-materials").header(name, value).send().await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{name}: {value}");
    }
    assert_eq!(world.state("call-1").await, State::Pending);
    world.finish().await;
}

#[tokio::test]
async fn a_link_settles_one_attempt_and_a_decision_link_settles_none() {
    let (world, decides) = with_call("panics").await;
    world.submit(&path(&decides), "comment=&verdict=approve").await;
    world.work().await;
    assert_eq!(world.state("call-1").await, State::Unknown);
    let settles = path(&DecisionLink { settles: Some(1), ..decides.clone() });
    let run_again = async |path: &str, attempt: u32| {
        let fields = format!("digest={}&attempt={attempt}&comment=", decides.digest);
        world.send_form(path, &format!("{fields}&settlement=run_again")).await.status
    };

    assert_eq!(run_again(&path(&decides), 1).await, StatusCode::FORBIDDEN);
    assert_eq!(run_again(&settles, 1).await, StatusCode::SEE_OTHER);
    world.work().await;
    assert_eq!(world.state("call-1").await, State::Unknown);
    assert_eq!(run_again(&settles, 1).await, StatusCode::CONFLICT);
    assert_eq!(run_again(&settles, 2).await, StatusCode::FORBIDDEN);

    assert_eq!(world.operation("call-1").await.attempts, 2);
    world.finish().await;
}

/// A world with a call and a question of the same id, and a link to each of them.
async fn with_call_and_question() -> (World, DecisionLink, DecisionLink) {
    let (world, of_call) = with_call("charge").await;
    world.client().request_approval(&question("call-1", "Why?")).await;
    let of_question = link(&world, &world.question("call-1").await);
    (world, of_call, of_question)
}

/// Only the holder of the signing key can make these links. Even then the digest tells a call from a
/// question.
#[tokio::test]
async fn a_link_does_not_lead_to_an_operation_of_the_other_kind() {
    let (world, of_call, of_question) = with_call_and_question().await;
    let before = world.contents().await;
    for swapped in [
        DecisionLink { kind: OperationKind::FunctionCall, ..of_question.clone() },
        DecisionLink { kind: OperationKind::HumanContact, ..of_call.clone() },
    ] {
        assert_eq!(world.page(&path(&swapped)).await.status, StatusCode::FORBIDDEN);
        let form = format!("digest={}&verdict=approve&response=x", swapped.digest);
        let refused = world.send_form(&path(&swapped), &form).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
    }
    for digest in [of_question.digest, of_call.digest] {
        let form = format!("digest={digest}&comment=&verdict=approve");
        let refused = world.send_form(&path(&of_question), &form).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "a question cannot be approved");
    }
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn a_link_to_a_question_answers_it_and_not_the_call_of_the_same_id() {
    let (world, _, of_question) = with_call_and_question().await;
    let link = path(&of_question);
    let page = world.page(&link).await.text;
    assert!(page.contains("Why?") && !page.contains("charge"), "{page}");

    let answered = world.submit(&link, "response=Because").await;
    assert_eq!(
        (answered.status, answered.location.as_str()),
        (StatusCode::SEE_OTHER, link.as_str())
    );
    assert_eq!(world.question("call-1").await.state, State::Answered);
    assert_eq!(world.state("call-1").await, State::Pending);

    let again = format!("digest={}&response=Because", of_question.digest);
    assert_eq!(world.send_form(&link, &again).await.status, StatusCode::CONFLICT);
    let page = world.page(&link).await.text;
    assert!(page.contains("through the decision link ") && page.contains("Because"), "{page}");
    world.finish().await;
}

/// Links in sent messages must stay valid, so the members of a link are a stable format.
#[tokio::test]
async fn a_link_to_a_call_names_no_kind() {
    let (world, link) = with_call("charge").await;
    let written = json!({"p": "default", "c": "call-1", "d": link.digest, "e": link.expires_at});
    assert_eq!(serde_json::to_value(&link).unwrap(), written);
    let decided = world.submit(&path(&link), "comment=&verdict=approve").await;
    assert_eq!(decided.status, StatusCode::SEE_OTHER);
    world.settle().await;
    assert_eq!(world.ended("call-1").await, (State::Succeeded, 1));
    world.finish().await;
}
