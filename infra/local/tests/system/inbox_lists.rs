//! The lists of the inbox: their filters in the address, the search for an id, and how to look further.

use std::time::Duration;

use http::StatusCode;

use crate::client::question;
use crate::world::World;

/// The addresses of the operations on a page, in their order.
async fn shown(world: &World, path: &str) -> Vec<String> {
    let page = world.page(path).await;
    assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
    let links = page.text.split("<li>").skip(1).filter_map(|row| row.split_once("href=\""));
    links.filter_map(|(_, rest)| Some(rest.split_once('"')?.0.to_owned())).collect()
}

#[tokio::test]
async fn each_list_shows_the_operations_of_its_states() {
    let world = World::start().await;
    world.create("waits", "charge").await;
    world.advance(Duration::from_secs(60));
    world.create("denied", "deploy").await;
    world.respond("denied", false).await;
    world.approved("stuck", "panics").await;
    world.work().await;
    for (list, expected) in [
        ("/inbox", vec!["/inbox/waits"]),
        ("/inbox?list=waiting", vec!["/inbox/waits"]),
        ("/inbox?list=decided", vec!["/inbox/stuck", "/inbox/denied"]),
        ("/inbox?list=decided&state=denied", vec!["/inbox/denied"]),
        ("/inbox?list=decided&fn=DEP", vec!["/inbox/denied"]),
        ("/inbox?list=decided&person=local", vec!["/inbox/stuck", "/inbox/denied"]),
        ("/inbox?list=decided&fn=charge", vec![]),
        ("/inbox?list=problems", vec!["/inbox/stuck"]),
        ("/inbox?list=problems&fn=charge", vec![]),
        ("/inbox?from=local", vec!["/inbox/waits"]),
        ("/inbox?from=nobody", vec![]),
    ] {
        assert_eq!(shown(&world, list).await, expected, "{list}");
    }
    world.finish().await;
}

#[tokio::test]
async fn an_exact_id_leads_to_its_operation() {
    let world = World::start().await;
    world.create("one", "charge").await;
    world.create("both", "charge").await;
    world.client().request_approval(&question("both", "Which?")).await;
    let found = world.page("/inbox?id=one").await;
    assert_eq!((found.status, found.location.as_str()), (StatusCode::SEE_OTHER, "/inbox/one"));
    assert_eq!(shown(&world, "/inbox?id=both").await, ["/inbox/both", "/inbox/questions/both"]);
    let long = format!("/inbox?id={}", "x".repeat(3000));
    for path in ["/inbox?id=none", "/inbox?id=a%23b", &long] {
        let page = world.page(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.text.contains("No operation has this id."), "{}", page.text);
    }
    world.finish().await;
}

/// A wrong address says so and never shows another list in its place.
#[tokio::test]
async fn a_wrong_filter_or_cursor_is_refused() {
    let world = World::start().await;
    for (path, status) in [
        ("/inbox?list=other", StatusCode::NOT_FOUND),
        ("/inbox?cursor=x", StatusCode::NOT_FOUND),
        ("/inbox?list=problems&deliveries=x", StatusCode::NOT_FOUND),
        ("/inbox?state=open", StatusCode::BAD_REQUEST),
        ("/inbox?since=yesterday", StatusCode::BAD_REQUEST),
        ("/inbox?fn=a&fn=b", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(world.page(path).await.status, status, "{path}");
    }
    world.finish().await;
}

#[tokio::test]
async fn after_a_decision_the_page_leads_to_the_nearest_deadline() {
    let world = World::start().await;
    for id in ["first", "second", "third"] {
        world.create(id, "charge").await;
        world.advance(Duration::from_secs(60));
    }
    world.submit("/inbox/second", "comment=&verdict=deny").await;
    let page = world.page("/inbox/second").await.text;
    assert!(
        page.contains("2 more wait:</span> <a class=\"button\" href=\"/inbox/first\""),
        "{page}"
    );
    world.advance(Duration::from_secs(11 * 60));
    assert!(!world.page("/inbox/second").await.text.contains("more wait"));
    world.finish().await;
}
