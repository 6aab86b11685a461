//! The notifications of decisions in the inbox: in words on the page of the operation, under *Problems*, and on a page
//! of their own, which sends one again.

use http::StatusCode;
use placet_core::delivery::{Delivery, State};
use placet_core::operation::{Event, Notice, OperationId};

use crate::receiver::{Receiver, Reply};
use crate::world::{PROJECT, World};

/// A world with a decided call whose endpoint gave these replies so far, and the id of the notification.
async fn decided(receiver: &Receiver, replies: &[Reply]) -> (World, String) {
    receiver.answers(replies.to_vec());
    let events = "events: [function_call.completed]";
    let world = World::building().endpoint("app", receiver, events).start().await;
    world.approved("call-1", "nothing_runs_this").await;
    world.work().await;
    (world, Notice::delivery_id("app", &OperationId::call(PROJECT, "call-1"), Event::Completed, 1))
}

#[tokio::test]
async fn the_page_of_an_operation_says_whether_its_endpoints_are_notified() {
    let receiver = Receiver::start().await;
    let (world, id) = decided(&receiver, &[Reply::Status(503)]).await;
    let page = world.page("/inbox/call-1").await.text;
    let words = "Decision:</span> The endpoint <strong><bdi>app</bdi></strong> has not been notified yet: 1 attempt, the next in ";
    assert!(page.contains(words), "{page}");
    assert!(page.contains("Last result: <bdi>the endpoint answered 503</bdi>."), "{page}");
    assert!(page.contains(&format!("href=\"/inbox/deliveries/{id}\"")), "{page}");
    let problems = world.page("/inbox?list=problems").await.text;
    assert!(problems.contains(&format!("/inbox/deliveries/{id}")), "{problems}");

    let sent = world.send_form(&format!("/inbox/deliveries/{id}"), "").await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
    world.work().await;
    assert_eq!(world.delivery(&id).await.state, State::Delivered);
    let page = world.page("/inbox/call-1").await.text;
    assert!(page.contains("was notified under a minute ago."), "{page}");
    assert!(world.page("/inbox?list=problems").await.text.contains("No problems"));
    world.finish().await;
}

#[tokio::test]
async fn the_page_of_a_notification_shows_its_attempts_and_why_it_cannot_be_sent() {
    let receiver = Receiver::start().await;
    let (world, id) = decided(&receiver, &[Reply::Body(410, b"<b>gone</b>".to_vec())]).await;
    let path = format!("/inbox/deliveries/{id}");
    let page = world.page(&path).await.text;
    for part in [
        "Not delivered",
        "<strong>Attempt 1</strong> <bdi>the endpoint answered 410</bdi>",
        "<bdi>&#60;b&#62;gone&#60;/b&#62;</bdi>",
        "<a href=\"/inbox/call-1\">",
        "Send again",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let refused = world.send_form(&path, "").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("Not sent: the endpoint app is disabled"), "{}", refused.text);
    let operation = world.page("/inbox/call-1").await.text;
    assert!(operation.contains("was not notified: failed after 1 attempt."), "{operation}");
    world.finish().await;
}

#[tokio::test]
async fn a_notification_that_does_not_exist_has_no_page() {
    let world = World::start().await;
    for id in [Delivery::id("app", "x"), "call-1".to_owned()] {
        let page = world.page(&format!("/inbox/deliveries/{id}")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
    }
    world.finish().await;
}
