//! The page after a form that came too late: it says what counts, and keeps what the person wrote.

use std::time::Duration;

use http::StatusCode;

use crate::request::Reply;
use crate::world::World;

const PAGE: &str = "/inbox/call-1";

async fn with_call(function: &str) -> World {
    let world = World::start().await;
    world.create("call-1", function).await;
    world
}

/// The form of a person who opened the page before anything happened.
async fn send(world: &World, fields: &str) -> Reply {
    let digest = world.operation("call-1").await.body.digest;
    world.send_form(PAGE, &format!("digest={digest}&{fields}")).await
}

fn warns(page: &Reply, text: &str) {
    assert_eq!(page.status, StatusCode::CONFLICT);
    let warning = format!("<div class=\"warning late\" role=\"alert\">\n<p>{text}");
    assert!(page.text.contains(&warning), "{text}\n{}", page.text);
}

#[tokio::test]
async fn a_late_denial_learns_of_the_approval_and_keeps_its_comment() {
    let world = with_call("charge").await;
    world.submit(PAGE, "comment=&verdict=approve").await;
    world.advance(Duration::from_secs(12));

    let page = send(&world, "comment=Too+%3Cexpensive%3E&verdict=deny").await;
    let text = "Your denial did not count. It was approved 12 s earlier through the inbox.";
    warns(&page, text);
    assert!(page.text.contains("readonly>\nToo &#60;expensive&#62;</textarea>"), "{}", page.text);
    world.finish().await;
}

#[tokio::test]
async fn a_late_approval_learns_of_the_denial_through_the_api() {
    let world = with_call("charge").await;
    world.respond("call-1", false).await;
    world.advance(Duration::from_secs(190));

    let page = send(&world, "comment=&verdict=approve").await;
    warns(
        &page,
        "Your approval did not count. It was denied 3 min earlier through the API, with the key \
                  local (",
    );
    assert!(!page.text.contains("readonly"), "there is no comment to keep");
    world.finish().await;
}

#[tokio::test]
async fn a_decision_after_the_deadline_learns_when_it_passed() {
    let world = with_call("charge").await;
    world.advance(Duration::from_secs(3605));
    let text = "Your approval did not count. The deadline passed 5 s earlier.";
    warns(&send(&world, "comment=&verdict=approve").await, text);
    world.tick().await;
    world.work().await;
    warns(&send(&world, "comment=&verdict=approve").await, text);
    world.finish().await;
}

#[tokio::test]
async fn a_decision_after_the_cancellation_learns_of_it() {
    let world = with_call("charge").await;
    let cancel = world.client().cancel("function_call/call-1", "not needed").await;
    cancel.ok();
    let page = send(&world, "comment=&verdict=deny").await;
    warns(
        &page,
        "Your denial did not count. It was cancelled less than a second earlier through the API, \
                  with the key local (",
    );
    world.finish().await;
}

/// Nothing to worry about: what counts is what the person sent.
#[tokio::test]
async fn a_second_click_is_not_a_warning() {
    let world = with_call("charge").await;
    world.submit(PAGE, "comment=fine&verdict=approve").await;
    world.advance(Duration::from_secs(1));
    let page = send(&world, "comment=fine&verdict=approve").await;
    let text = "<div class=\"notice\" role=\"status\">\n<p>It was approved 1 s earlier through the inbox. \
                You sent the same approval again: that changed nothing.</p>";
    assert!(page.text.contains(text), "{}", page.text);
    assert!(!page.text.contains("readonly"), "the comment is stored");
    world.finish().await;
}

#[tokio::test]
async fn a_second_finding_learns_of_the_first() {
    let world = with_call("panics").await;
    world.submit(PAGE, "comment=&verdict=approve").await;
    world.work().await;
    world.submit(PAGE, "attempt=1&comment=&settlement=did_not_happen").await;
    world.advance(Duration::from_secs(7));
    let page = send(&world, "attempt=1&comment=it+is+in+the+ledger&settlement=happened").await;
    warns(
        &page,
        "Your finding did not count. It was recorded as not done 7 s earlier through the inbox.",
    );
    assert!(page.text.contains("readonly>\nit is in the ledger</textarea>"));
    world.finish().await;
}

/// A decision link decides. It does not offer the settlement of what its decision led to.
#[tokio::test]
async fn the_page_after_a_late_link_has_no_form_that_the_link_may_not_send() {
    let world = with_call("panics").await;
    let link = crate::links::path(&crate::links::link(&world, &world.operation("call-1").await));
    world.submit(PAGE, "comment=&verdict=approve").await;
    world.work().await;
    let digest = world.operation("call-1").await.body.digest;
    let page = world.send_form(&link, &format!("digest={digest}&comment=&verdict=deny")).await;
    warns(
        &page,
        "Your denial did not count. It was approved less than a second earlier through the inbox.",
    );
    assert!(!page.text.contains("<form"), "{}", page.text);
    world.finish().await;
}
