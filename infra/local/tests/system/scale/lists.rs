//! Reading a list makes as many calls for many waiting operations as for few.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use placet_runtime::Row;

use crate::client::question;
use crate::world::{KEY, PROJECT, START, World};

const CALLS: &str = "/humanlayer/v1/agent/function_calls/pending";
const WAITING: &str = "/inbox?list=waiting";
const PROBLEMS: &str = "/inbox?list=problems";
const DECIDED: &str = "/inbox?list=decided";
const QUESTIONS: &str = "/humanlayer/v1/agent/human_contacts/pending";

/// Later than the deadline of any operation that a test creates.
const LATE: i64 = 365 * 24 * 3_600_000;

/// A row that is only an operation's entries in both indexes, after all other entries. A reader of the item finds
/// it damaged.
pub fn entry(n: usize) -> Row {
    let text = |text: String| AttributeValue::S(text);
    let kind = if (n / 8).is_multiple_of(2) { "function_call" } else { "human_contact" };
    let due = START.millis() + LATE;
    [
        ("pk", text(format!("operation#{PROJECT}#{kind}/late-{n}"))),
        ("sk", text("item".to_owned())),
        ("due_pk", text(format!("{PROJECT}#d{}", n % 8))),
        ("due_sk", text(format!("{due:015}w{n:016x}"))),
        ("list_pk", text(format!("operation#{PROJECT}#{}", n % 8))),
        ("list_sk", text(format!("{:015}{n:016x}", START.millis() - LATE))),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The numbers of calls that one request makes, by operation.
async fn calls(world: &World, path: &str) -> BTreeMap<String, usize> {
    world.faults.reset();
    let reply = world.get(path).page().key(KEY).send().await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    let mut calls = BTreeMap::new();
    for call in world.faults.calls() {
        *calls.entry(call.operation).or_default() += 1;
    }
    calls
}

async fn count(world: &World) -> String {
    let inbox = world.page("/inbox").await.text;
    let (_, rest) = inbox.split_once("<span class=\"count\">").unwrap();
    rest.split_once('<').unwrap().0.to_owned()
}

async fn total(world: &World, path: &str) -> (u64, bool) {
    let page = world.get(path).key(KEY).send().await.json();
    assert_eq!(page["items"].as_array().unwrap().len(), 100);
    (page["total"].as_u64().unwrap(), page["has_more"].as_bool().unwrap())
}

/// 100 calls and 100 questions are real. The other operations are only entries in the index.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_page_of_a_list_takes_as_many_calls_for_100_000_operations_as_for_100() {
    let world = World::start().await;
    for n in 0..100 {
        world.create(&format!("call-{n}"), "charge").await;
        world.client().request_approval(&question(&format!("question-{n}"), "Which?")).await;
    }
    let lists = ["/inbox", WAITING, PROBLEMS, DECIDED, CALLS, QUESTIONS];
    let mut few = Vec::new();
    for list in lists {
        few.push(calls(&world, list).await);
    }
    assert_eq!((total(&world, CALLS).await, count(&world).await), ((100, false), "200".to_owned()));

    world.put_all((0..800).map(entry).collect()).await;
    assert_eq!(count(&world).await, "1,000");
    assert_eq!(total(&world, QUESTIONS).await, (500, true));
    world.put_all(vec![entry(800)]).await;
    assert_eq!(count(&world).await, "1,000+");

    world.put_all((801..100_000).map(entry).collect()).await;
    for (list, few) in lists.into_iter().zip(few) {
        assert_eq!(calls(&world, list).await, few, "{list}");
    }
    assert_eq!(count(&world).await, "1,000+");
    let (total, has_more) = total(&world, CALLS).await;
    assert!(total > 900 && has_more, "{total}");
    world.abandon();
}
