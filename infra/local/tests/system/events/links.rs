//! The addresses in events: the page, and a decision link for an endpoint that is marked for it.

use http::StatusCode;
use placet_core::operation::State;

use super::{UNKNOWN, every_event, last};
use crate::receiver::{Receiver, Reply};
use crate::world::World;

const ORIGIN: &str = "http://127.0.0.1:8000";

fn building(receiver: &Receiver) -> crate::world::Building {
    World::building().endpoint("app", receiver, &format!("links: true, {}", every_event()))
}

#[tokio::test]
async fn the_link_of_a_marked_endpoint_decides() {
    let receiver = Receiver::start().await;
    let world = building(&receiver).start().await;
    world.create("call-1", UNKNOWN).await;
    world.work().await;

    let link = last(&receiver)["event"]["decision_link"].as_str().unwrap().to_owned();
    let path = link.strip_prefix(ORIGIN).unwrap();
    assert_eq!(world.page(path).await.status, StatusCode::OK);
    let decided = world.submit(path, "comment=&verdict=approve").await;
    assert_eq!(decided.status, StatusCode::SEE_OTHER);
    assert_eq!(world.state("call-1").await, State::Approved);
    world.finish().await;
}

/// The API shows what was sent, without the right to decide.
#[tokio::test]
async fn the_api_does_not_show_the_link() {
    let receiver = Receiver::start().await;
    receiver.answers([Reply::Status(500)]);
    let world = building(&receiver).start().await;
    world.create("call-1", UNKNOWN).await;
    world.work().await;
    let listed = world.client().deliveries("").await.items.remove(0);
    let shown = world.client().delivery(&listed.id).await;
    let body = shown.other["body"].as_str().unwrap();
    assert!(body.contains("\"page\"") && !body.contains("/d/"), "{body}");
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn without_a_key_or_an_address_there_is_no_link() {
    for missing in ["PLACET_LINK_SECRET", "PLACET_INBOX_URL"] {
        let receiver = Receiver::start().await;
        let world = building(&receiver).without(missing).start().await;
        world.create("call-1", UNKNOWN).await;
        world.work().await;
        let event = last(&receiver)["event"].clone();
        assert!(event.get("decision_link").is_none(), "{event}");
        assert_eq!(event.get("page").is_some(), missing == "PLACET_LINK_SECRET", "{event}");
        world.finish().await;
    }
}

#[tokio::test]
async fn an_event_after_the_decision_has_no_link() {
    let receiver = Receiver::start().await;
    let world = building(&receiver).start().await;
    world.approved("call-1", "panics").await;
    world.settle().await;
    let event = last(&receiver);
    assert_eq!(event["type"], "function_call.unknown");
    assert!(event["event"].get("decision_link").is_none(), "{event}");
    world.finish().await;
}
