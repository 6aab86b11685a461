//! The list of operations.

use std::time::Duration;

use http::StatusCode;
use placet_core::Timestamp;
use serde_json::Value;

use super::PATH;
use crate::client::{List, OperationSummary, call, question};
use crate::world::World;

/// Creates three calls and a question of another run, a minute apart. The second call is denied, the other
/// calls expire, and the question waits. Returns the creation time of the second call.
async fn four_operations(world: &World) -> Timestamp {
    let client = world.client();
    client.created(&call("c1", "charge")).await;
    world.advance(Duration::from_secs(60));
    let second = world.clock.now();
    client.created(&call("c2", "f")).await;
    world.advance(Duration::from_secs(60));
    client.created(&call("c3", "charge")).await;
    world.advance(Duration::from_secs(60));
    client.created(&question("q1", &"ä".repeat(300)).run("other")).await;
    world.respond("c2", false).await;
    world.advance(Duration::from_secs(3600));
    second
}

async fn list(world: &World, query: &str) -> List<OperationSummary> {
    world.client().get(&format!("{PATH}?{query}")).await.ok()
}

fn ids(list: &List<OperationSummary>) -> Vec<&str> {
    list.items.iter().map(|operation| operation.call_id.as_str()).collect()
}

#[tokio::test]
async fn a_list_holds_the_operations_that_match_its_query_newest_first() {
    let world = World::start().await;
    let second = four_operations(&world).await;
    for (query, expected) in [
        ("", vec!["q1", "c3", "c2", "c1"]),
        ("kind=human_contact", vec!["q1"]),
        ("fn=charge", vec!["c3", "c1"]),
        ("run_id=other", vec!["q1"]),
        ("state=denied", vec!["c2"]),
        ("state=pending", vec!["q1"]),
        ("state=expired&fn=charge", vec!["c3", "c1"]),
        (&format!("since={second}"), vec!["q1", "c3", "c2"]),
        (&format!("until={second}"), vec!["c2", "c1"]),
        (&format!("since={second}&until={second}"), vec!["c2"]),
        ("since=1h", vec!["q1"]),
        ("state=running", vec![]),
    ] {
        assert_eq!(ids(&list(&world, query).await), expected, "{query}");
    }
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn a_cursor_leads_to_the_next_page() {
    let world = World::start().await;
    four_operations(&world).await;
    let mut page = list(&world, "limit=1").await;
    let mut found = page.items.clone();
    while let Some(next) = &page.next {
        page = list(&world, &format!("limit=1&cursor={next}")).await;
        found.append(&mut page.items);
    }
    let ids: Vec<&str> = found.iter().map(|operation| operation.call_id.as_str()).collect();
    assert_eq!(ids, ["q1", "c3", "c2", "c1"]);
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn a_list_shows_the_beginning_of_a_question_and_no_history() {
    let world = World::start().await;
    four_operations(&world).await;
    let page = list(&world, "limit=1").await;
    let shown = &page.items[0].other;
    assert_eq!(shown["msg"], format!("{}…", "ä".repeat(200)));
    assert!(!shown.contains_key("history"));
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn a_wrong_query_is_refused() {
    let world = World::start().await;
    for wrong in [
        "state=done",
        "kind=dance",
        "since=soon",
        "limit=101",
        "cursor=x",
        "colour=red",
        "since=1h&until=2h",
        "kind=human_contact&kind=human_contact",
    ] {
        let refused = world.client().get::<Value>(&format!("{PATH}?{wrong}")).await;
        refused.refused(StatusCode::BAD_REQUEST, "invalid_query");
    }
    world.finish().await;
}
