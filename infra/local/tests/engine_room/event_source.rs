use std::sync::{Arc, Mutex};

use aws_lambda_events::sqs::SqsEvent;
use placet_local::chaos::Chaos;
use placet_local::event_source::{DrainReport, EventSource, EventSourceError, Slots};
use placet_local::function::Function;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use crate::Room;

/// A function that reports the records with the body `poison` as failed and records the bodies of the others.
fn picky(done: &Arc<Mutex<Vec<String>>>) -> Function {
    let done = Arc::clone(done);
    Function::new("picky", move |event: Value| {
        let done = Arc::clone(&done);
        async move {
            let event: SqsEvent = serde_json::from_value(event)?;
            let mut failures = Vec::new();
            for record in event.records {
                if record.body.as_deref() == Some("poison") {
                    failures.push(json!({ "itemIdentifier": record.message_id }));
                } else {
                    done.lock().unwrap().extend(record.body);
                }
            }
            Ok(json!({ "batchItemFailures": failures }))
        }
    })
}

#[tokio::test]
async fn one_poison_record_of_ten_ends_in_the_dead_letter_queue() {
    let room = Room::manual().await;
    for n in 0..10 {
        let body = if n == 4 { "poison".to_owned() } else { n.to_string() };
        room.send(body).await;
    }
    let done = Arc::default();
    let report = room.drain(&room.source(picky(&done)), &mut Chaos::none()).await;

    assert_eq!(*done.lock().unwrap(), ["0", "1", "2", "3", "5", "6", "7", "8", "9"]);
    let expected =
        DrainReport { batches: 3, delivered: 12, deleted: 9, failed: 3, ..DrainReport::default() };
    assert_eq!(report, expected);
    assert_eq!(room.queue_counts().await, [0, 0, 0]);
    let dead = room.dead_letters().await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].body(), Some("poison"));
}

#[tokio::test]
async fn an_error_a_panic_or_a_malformed_response_fails_the_batch() {
    for function in [
        Function::new("fails", |_| async { Err("on purpose".into()) }),
        Function::new("panics", |_| async { panic!("on purpose") }),
        Function::new("malformed", |_| async {
            Ok(json!({ "batchItemFailures": [{ "itemIdentifier": "" }] }))
        }),
        Function::new("unknown", |_| async {
            Ok(json!({ "batchItemFailures": [{ "itemIdentifier": "other" }] }))
        }),
    ] {
        let room = Room::manual().await;
        room.send("one").await;
        room.send("two").await;
        let name = function.name;
        let report = room.drain(&room.source(function), &mut Chaos::none()).await;
        assert_eq!((report.batches, report.failed, report.deleted), (3, 6, 0), "{name}");
        assert_eq!(room.queue_counts().await, [0, 0, 0], "{name}");
        assert_eq!(room.dead_letters().await.len(), 2, "{name}");
    }
}

#[tokio::test]
async fn records_carry_the_attributes_of_their_messages() {
    let room = Room::manual().await;
    room.send(r#"{"v":1}"#).await;
    let (seen, mut events) = mpsc::unbounded_channel();
    let function = Function::new("fails_once", move |event: Value| {
        let seen = seen.clone();
        async move {
            let first = event["Records"][0]["attributes"]["ApproximateReceiveCount"] == "1";
            seen.send(event)?;
            if first { Err("once".into()) } else { Ok(Value::Null) }
        }
    });
    let report = room.drain(&room.source(function), &mut Chaos::none()).await;
    assert_eq!((report.deleted, report.failed), (1, 1));

    let first: SqsEvent = serde_json::from_value(events.recv().await.unwrap()).unwrap();
    let second: SqsEvent = serde_json::from_value(events.recv().await.unwrap()).unwrap();
    let (first, second) = (&first.records[0], &second.records[0]);
    assert_eq!(first.body.as_deref(), Some(r#"{"v":1}"#));
    assert_eq!(first.md5_of_body.as_deref(), Some("a191475ae2bf7db9c7e320f7da455bbb"));
    assert_eq!(first.event_source.as_deref(), Some("aws:sqs"));
    assert_eq!(first.aws_region.as_deref(), Some("us-east-1"));
    let arn = "arn:aws:sqs:us-east-1:000000000000:placet-work";
    assert_eq!(first.event_source_arn.as_deref(), Some(arn));
    for name in ["SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"] {
        assert!(first.attributes.contains_key(name), "{name}");
    }
    assert_eq!(first.message_id, second.message_id);
    assert_ne!(first.receipt_handle, second.receipt_handle);
    assert_eq!(second.attributes["ApproximateReceiveCount"], "2");
}

#[tokio::test]
async fn a_drain_that_feeds_itself_ends_with_an_error() {
    let room = Room::new().await;
    room.send("again").await;
    let (sqs, url) = (room.sqs.clone(), room.queue_url().to_owned());
    let function = Function::new("echo", move |_| {
        let send = sqs.send_message().queue_url(&url);
        let send = send.message_body("again");
        async move {
            send.send().await?;
            Ok(Value::Null)
        }
    });
    let error = room.source(function).drain().await.unwrap_err();
    assert!(matches!(error, EventSourceError::Endless), "{error}");
}

/// The debug form of an error of the SDK holds the whole response.
#[tokio::test]
async fn an_error_of_the_queue_is_its_code_and_its_message() {
    let room = Room::manual().await;
    let gone = format!("{}-gone", room.queue_url());
    let slots = Slots { batch: 10, pollers: 1 };
    let source = EventSource::new(room.sqs.clone(), gone, slots, picky(&Arc::default()));
    let error = source.drain().await.unwrap_err().to_string();
    assert!(error.starts_with("SQS ReceiveMessage failed: "), "{error}");
    for debug in ["SdkBody", "ServiceError", "{"] {
        assert!(!error.contains(debug), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn run_delivers_and_deletes_messages_and_leaves_failures_in_flight() {
    let room = Room::new().await;
    let (seen, mut bodies) = mpsc::unbounded_channel();
    let function = Function::new("worker", move |event: Value| {
        let seen = seen.clone();
        async move {
            let mut failures = Vec::new();
            for record in event["Records"].as_array().unwrap() {
                if record["body"] == "poison" {
                    failures.push(json!({ "itemIdentifier": record["messageId"] }));
                }
                seen.send(record["body"].as_str().unwrap().to_owned())?;
            }
            Ok(json!({ "batchItemFailures": failures }))
        }
    });
    let source = Arc::new(room.source(function));
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(source.run(async { drop(stopped.await) }));

    let sent = ["one", "poison", "two"];
    for body in sent {
        room.send(body).await;
    }
    let mut received = Vec::new();
    for _ in sent {
        received.push(bodies.recv().await.unwrap());
    }
    received.sort();
    assert_eq!(received, sent);
    drop(stop);
    running.await.unwrap();
    assert_eq!(room.queue_counts().await, [0, 1, 0]);
}
