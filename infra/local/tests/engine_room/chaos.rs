use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use placet_local::chaos::Chaos;
use placet_local::event_source::DrainReport;
use placet_local::function::Function;
use serde_json::{Value, json};

use crate::Room;

/// The bodies of the records that a function has finished, in order.
type Log = Arc<Mutex<Vec<String>>>;

/// A function that finishes its records one by one. Chaos may kill it before each record.
fn logging(log: &Log) -> Function {
    let log = Arc::clone(log);
    Function::new("logging", move |event: Value| {
        let log = Arc::clone(&log);
        async move {
            let mut failures = Vec::new();
            for record in event["Records"].as_array().unwrap() {
                tokio::task::yield_now().await;
                let body = record["body"].as_str().unwrap();
                if body == "poison" {
                    failures.push(json!({ "itemIdentifier": record["messageId"] }));
                }
                log.lock().unwrap().push(body.to_owned());
            }
            Ok(json!({ "batchItemFailures": failures }))
        }
    })
}

async fn drain(room: &Room, chaos: &mut Chaos, bodies: &[String]) -> (DrainReport, Vec<String>) {
    for body in bodies {
        room.send(body).await;
    }
    let log = Log::default();
    let report = room.drain(&room.source(logging(&log)), chaos).await;
    let log = log.lock().unwrap().clone();
    (report, log)
}

fn bodies(count: usize) -> Vec<String> {
    (0..count).map(|n| n.to_string()).collect()
}

#[tokio::test]
async fn fifty_seeds_drain_to_empty_and_deliver_everything() {
    let room = Room::manual().await;
    let bodies = bodies(15);
    let mut sum = DrainReport::default();
    let mut out_of_order = 0;
    for seed in 0..50 {
        let mut chaos = Chaos::from_seed(seed);
        let (report, log) = drain(&room, &mut chaos, &bodies).await;

        let mut times = BTreeMap::<&str, usize>::new();
        for body in &log {
            *times.entry(body).or_default() += 1;
        }
        assert_eq!(times.len(), bodies.len(), "{chaos}: {times:?}");
        assert_eq!(room.queue_counts().await, [0, 0, 0], "{chaos}");
        assert_eq!(report.failed, 0, "{chaos}");
        sum.duplicated += report.duplicated;
        sum.delayed += report.delayed;
        sum.replies_dropped += report.replies_dropped;
        sum.killed += report.killed;
        out_of_order += usize::from(!log.is_sorted_by_key(|body| body.parse::<u32>().unwrap()));
    }
    assert!(sum.duplicated > 50, "{sum:?}");
    assert!(sum.delayed > 50, "{sum:?}");
    assert!(sum.replies_dropped > 10, "{sum:?}");
    assert!(sum.killed > 10, "{sum:?}");
    assert!(out_of_order > 40, "{out_of_order}");
    assert_eq!(room.dead_letters().await.len(), 0);
}

#[tokio::test]
async fn a_seed_repeats_its_run() {
    let mut runs = Vec::new();
    for seed in [7, 7, 8] {
        let room = Room::manual().await;
        let mut chaos = Chaos::from_seed(seed);
        runs.push(drain(&room, &mut chaos, &bodies(30)).await);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[tokio::test]
async fn a_poison_message_ends_in_the_dead_letter_queue_despite_chaos() {
    for seed in 0..10 {
        let room = Room::manual().await;
        let mut chaos = Chaos::from_seed(seed);
        let mut bodies = bodies(9);
        bodies.insert(3, "poison".to_owned());
        let (report, _) = drain(&room, &mut chaos, &bodies).await;
        assert!(report.failed > 0, "{chaos}");
        assert_eq!(room.queue_counts().await, [0, 0, 0], "{chaos}");
        let dead = room.dead_letters().await;
        let dead: Vec<_> = dead.iter().filter_map(|m| m.body()).collect();
        assert_eq!(dead, ["poison"], "{chaos}");
    }
}
