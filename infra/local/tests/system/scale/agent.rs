//! One agent creates as much as its key may. The lists of its project stay within their budgets, and another project
//! notices nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;
use placet_core::Digest;
use placet_core::limits::{LARGEST_PAGE, LONGEST_ID, MOST_OPTIONS, WRITES_PER_SECOND};
use placet_core::operation::{OperationId, State};
use placet_runtime::Role;
use serde_json::{Map, Value, json};

use super::lists::entry;
use crate::client::{Draft, call};
use crate::request::{Reply, Request};
use crate::world::{KEY, OTHER, World};

/// How many operations the agent creates that are as large as allowed, and how many others.
const LARGE: usize = 100;
const SMALL: usize = 900;

/// How many more operations are only entries in the index of what waits.
const ENTRIES: usize = 9_000;

/// The most bytes of a list, and of the page of one operation.
const LIST: usize = 128 * 1024;
const PAGE: usize = 2 * 1024 * 1024;

type Calls = BTreeMap<String, usize>;

/// The largest operation of each kind of size.
fn large(n: usize) -> Draft {
    let id = format!("{n:0width$}", width = LONGEST_ID);
    let draft = call(&id, &"f".repeat(LONGEST_ID)).run(&"r".repeat(LONGEST_ID));
    match n % 4 {
        0 => {
            let noise = (0..3_000_u32).map(|n| Digest::of_bytes(&n.to_le_bytes()).to_string());
            draft.with("kwargs", json!({"noise": noise.collect::<String>()}))
        }
        1 => {
            let members: Map<String, Value> =
                (0..9_900).map(|n| (n.to_string(), 0.into())).collect();
            draft.with("kwargs", members)
        }
        2 => {
            let deep = (0..96).fold(json!("\u{301}\u{202e}"), |inner, _| json!([inner]));
            draft.with("kwargs", json!({"deep": deep}))
        }
        _ => {
            let option = |n: usize| json!({"name": format!("{n:0width$}", width = LONGEST_ID), "title": "t".repeat(1000), "prompt_fill": "p".repeat(1000)});
            let options: Vec<Value> = (0..MOST_OPTIONS).map(option).collect();
            draft.with("reject_options", options)
        }
    }
}

/// Creates an operation. The agent waits whenever it may not write.
async fn create(world: &World, key: &str, draft: &Draft) {
    loop {
        let reply = world.post("/v1/operations").key(key).json(&draft.native()).send().await;
        match reply.status {
            StatusCode::TOO_MANY_REQUESTS => world.advance(Duration::from_secs(1)),
            status => return assert_eq!(status, StatusCode::CREATED, "{}", reply.text),
        }
    }
}

/// A reply, and the numbers of calls that its request made.
async fn counted(world: &World, request: Request<'_>) -> (Reply, Calls) {
    world.faults.reset();
    let reply = request.send().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    (reply, calls(world))
}

fn calls(world: &World) -> Calls {
    let mut calls = Calls::new();
    for call in world.faults.calls() {
        *calls.entry(call.operation).or_default() += 1;
    }
    calls
}

/// The calls of everything that happens in the other project: an operation is created, read, decided and run.
async fn others(world: &World) -> Vec<(&'static str, Calls)> {
    let key = world.key(Role::Admin, OTHER).await;
    let mut found = Vec::new();
    world.faults.reset();
    create(world, &key, &call("theirs", "charge")).await;
    found.push(("create", calls(world)));
    for (name, path) in [
        ("inbox", format!("/inbox?project={OTHER}")),
        ("list", "/v1/operations?limit=100".to_owned()),
        ("pending", "/humanlayer/v1/agent/function_calls/pending".to_owned()),
    ] {
        found.push((name, counted(world, world.get(&path).page().key(&key)).await.1));
    }
    let respond = "/humanlayer/v1/agent/function_calls/theirs/respond";
    let respond = world.post(respond).key(&key).json(&json!({"approved": true}));
    found.push(("decide", counted(world, respond).await.1));
    world.faults.reset();
    world.work().await;
    found.push(("work", calls(world)));
    world.faults.reset();
    world.tick().await;
    found.push(("timer", calls(world)));
    let theirs = world.stored(&OperationId::call(OTHER, "theirs")).await;
    assert_eq!(theirs.state, State::Succeeded);
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_creates_all_it_may_stays_within_the_budgets_of_its_project() {
    let quiet = World::start().await;
    let alone = others(&quiet).await;
    quiet.finish().await;

    let world = World::start().await;
    let begun = world.clock.now();
    // The large ones are the most urgent and the newest, so that each list begins with them.
    for n in 0..LARGE / 2 {
        create(&world, KEY, &large(n)).await;
    }
    for n in 0..SMALL {
        create(&world, KEY, &call(&format!("small-{n}"), "small")).await;
    }
    for n in LARGE / 2..LARGE {
        create(&world, KEY, &large(n)).await;
    }
    let least = (LARGE + SMALL) as u64 / u64::from(WRITES_PER_SECOND) - 2;
    assert!(world.clock.now().since(begun) >= Duration::from_secs(least), "the rate holds");
    world.put_all((0..ENTRIES).map(entry).collect()).await;

    for (name, path, bytes, reads) in [
        ("inbox", "/inbox", LIST, 25),
        ("list", "/v1/operations?limit=100", LIST, 25),
        ("pending", "/humanlayer/v1/agent/function_calls/pending", 5 * LARGEST_PAGE, 120),
    ] {
        let (reply, calls) = counted(&world, world.get(path).page().key(KEY)).await;
        println!("{name}: {} bytes, {calls:?}", reply.bytes.len());
        assert!(reply.bytes.len() <= bytes, "{name}: {} bytes", reply.bytes.len());
        assert!(calls.values().sum::<usize>() <= reads, "{name}: {calls:?}");
    }
    for n in 0..4 {
        let path = format!("/inbox/{n:0width$}", width = LONGEST_ID);
        let (reply, calls) = counted(&world, world.get(&path).page()).await;
        println!("operation {n}: {} bytes, {calls:?}", reply.bytes.len());
        assert_eq!(calls.values().sum::<usize>(), 1, "{n}: {calls:?}");
        assert!(reply.bytes.len() <= PAGE, "{n}: {} bytes", reply.bytes.len());
    }
    assert_eq!(others(&world).await, alone);
    world.abandon();
}
