use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::types::{AttributeValue, TimeToLiveStatus};
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, QueueAttributeName, SendMessageBatchRequestEntry,
};
use placet_core::item::Lane;
use placet_local::engines::{EngineError, Engines, QueueTime, Queues, Storage, TABLE};
use tokio::net::TcpStream;

use crate::{Room, data_folder};

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

async fn put_new(client: &aws_sdk_dynamodb::Client, pk: &str, value: &str) -> bool {
    let put = client
        .put_item()
        .table_name(TABLE)
        .item("pk", s(pk))
        .item("sk", s("OP"))
        .item("value", s(value))
        .condition_expression("attribute_not_exists(pk)")
        .send()
        .await;
    match put {
        Ok(_) => true,
        Err(error) => {
            let error = error.into_service_error();
            assert!(error.is_conditional_check_failed_exception(), "{error:?}");
            false
        }
    }
}

async fn value(client: &aws_sdk_dynamodb::Client, pk: &str) -> Option<AttributeValue> {
    let output = client
        .get_item()
        .table_name(TABLE)
        .key("pk", s(pk))
        .key("sk", s("OP"))
        .send()
        .await
        .unwrap();
    output.item.and_then(|mut item| item.remove("value"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_concurrent_creates_one_wins() {
    let room = Room::new().await;
    let mut puts = tokio::task::JoinSet::new();
    for n in 0..64 {
        let client = room.dynamodb.clone();
        puts.spawn(async move { (n, put_new(&client, "one", &n.to_string()).await) });
    }
    let winners: Vec<_> = puts.join_all().await.into_iter().filter(|p| p.1).collect();
    assert_eq!(winners.len(), 1);
    let stored = value(&room.dynamodb, "one").await;
    assert_eq!(stored, Some(s(&winners[0].0.to_string())));
}

#[tokio::test]
async fn data_survives_stop_and_start() {
    let folder = tempfile::tempdir().unwrap();
    // A folder that does not exist yet.
    let storage = Storage::Folder(folder.path().join("data"));
    let room = Room::with(storage.clone()).await;
    assert!(put_new(&room.dynamodb, "one", "kept").await);
    room.engines.stop().await;

    let room = Room::with(storage).await;
    assert_eq!(value(&room.dynamodb, "one").await, Some(s("kept")));
    assert!(!put_new(&room.dynamodb, "one", "other").await);
}

#[tokio::test]
async fn a_second_system_cannot_open_a_folder_in_use() {
    let folder = data_folder();
    let storage = Storage::Folder(folder.path().to_owned());
    let first = Engines::start(storage.clone(), Queues::over(QueueTime::Real)).await.unwrap();

    let refused = Engines::start(storage.clone(), Queues::over(QueueTime::Real)).await;
    let error = refused.unwrap_err();
    assert!(matches!(&error, EngineError::FolderInUse { folder: f } if f == folder.path()));
    let message = error.to_string();
    assert!(message.contains(folder.path().to_str().unwrap()), "{message}");
    assert!(message.contains("PLACET_DATA_DIR"), "{message}");

    first.stop().await;
    Engines::start(storage, Queues::over(QueueTime::Real)).await.unwrap();
}

#[tokio::test]
async fn the_error_names_an_unusable_folder() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a-file");
    std::fs::write(&file, "x").unwrap();
    let refused =
        Engines::start(Storage::Folder(file.clone()), Queues::over(QueueTime::Real)).await;
    let error = refused.unwrap_err();
    assert!(matches!(&error, EngineError::Folder { folder: f, .. } if *f == file));
}

#[tokio::test]
async fn the_table_has_its_indexes_and_its_ttl() {
    let room = Room::new().await;
    let table = room.dynamodb.describe_table().table_name(TABLE);
    let table = table.send().await.unwrap().table.unwrap();
    let mut indexes: Vec<_> =
        table.global_secondary_indexes().iter().map(|index| index.index_name().unwrap()).collect();
    indexes.sort_unstable();
    assert_eq!(indexes, ["due", "list"]);
    let ttl = room.dynamodb.describe_time_to_live().table_name(TABLE);
    let ttl = ttl.send().await.unwrap().time_to_live_description.unwrap();
    assert_eq!(ttl.attribute_name(), Some("ttl"));
    assert_eq!(ttl.time_to_live_status(), Some(&TimeToLiveStatus::Enabled));

    for (pk, due) in [("a", Some("2")), ("b", Some("1")), ("c", None)] {
        let put = room.dynamodb.put_item().table_name(TABLE);
        let put = put.item("pk", s(pk)).item("sk", s("OP"));
        let put = match due {
            Some(due) => put.item("due_pk", s("T")).item("due_sk", s(due)),
            None => put,
        };
        put.send().await.unwrap();
    }
    let due = room
        .dynamodb
        .query()
        .table_name(TABLE)
        .index_name("due")
        .key_condition_expression("due_pk = :t")
        .expression_attribute_values(":t", s("T"))
        .send()
        .await
        .unwrap();
    let keys: Vec<_> = due.items().iter().map(|item| item["pk"].clone()).collect();
    assert_eq!(keys, [s("b"), s("a")]);
}

#[tokio::test]
async fn a_sweep_deletes_rows_past_their_ttl() {
    let room = Room::new().await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    for (pk, ttl) in [("past", now.as_secs() - 60), ("future", now.as_secs() + 600)] {
        let put = room.dynamodb.put_item().table_name(TABLE);
        put.item("pk", s(pk))
            .item("sk", s("OP"))
            .item("value", s(pk))
            .item("ttl", AttributeValue::N(ttl.to_string()))
            .send()
            .await
            .unwrap();
    }
    assert_eq!(room.engines.sweep().await.unwrap(), 1);
    assert_eq!(value(&room.dynamodb, "past").await, None);
    assert!(value(&room.dynamodb, "future").await.is_some());
}

#[tokio::test]
async fn the_queues_are_set_up_as_in_aws() {
    let room = Room::new().await;
    let attributes = async |url: &str| {
        let get = room.sqs.get_queue_attributes().queue_url(url);
        let get = get.attribute_names(QueueAttributeName::All).send().await;
        get.unwrap().attributes.unwrap()
    };
    let queue = attributes(room.queue_url()).await;
    assert_eq!(queue[&QueueAttributeName::VisibilityTimeout], "180");
    let redrive = &queue[&QueueAttributeName::RedrivePolicy];
    let redrive: serde_json::Value = serde_json::from_str(redrive).unwrap();
    let dead_letters = attributes(room.engines.dead_letter_queue_url()).await;
    let arn = &dead_letters[&QueueAttributeName::QueueArn];
    assert_eq!(redrive["deadLetterTargetArn"], *arn);
    assert_eq!(redrive["maxReceiveCount"], 1000);
    assert_eq!(dead_letters[&QueueAttributeName::MessageRetentionPeriod], "1209600");

    let sources = room.sqs.list_dead_letter_source_queues();
    let sources = sources.queue_url(room.engines.dead_letter_queue_url());
    let sources = sources.send().await.unwrap();
    let mut urls = sources.queue_urls().to_vec();
    urls.sort();
    assert_eq!(urls, [Lane::Calls, Lane::Work].map(|lane| room.engines.queue_url(lane)));
}

/// Runs a call and checks that the engine refuses it with the error of AWS for a bad value.
macro_rules! refused {
    ($call:expr, $parameter:literal) => {
        let error = $call.send().await.unwrap_err();
        assert_eq!(error.code(), Some("InvalidParameterValue"), "{error:?}");
        let message = error.message().unwrap();
        assert!(message.contains($parameter), "{message}");
    };
}

#[tokio::test]
async fn bad_numbers_are_refused_and_the_queue_still_works() {
    let room = Room::new().await;
    let url = room.queue_url();
    room.send("one").await;
    let receive = || room.sqs.receive_message().queue_url(url);
    refused!(receive().visibility_timeout(-1), "VisibilityTimeout");
    refused!(receive().visibility_timeout(43_201), "VisibilityTimeout");
    refused!(receive().wait_time_seconds(21), "WaitTimeSeconds");
    refused!(receive().max_number_of_messages(11), "MaxNumberOfMessages");
    refused!(receive().max_number_of_messages(0), "MaxNumberOfMessages");
    let send = || room.sqs.send_message().queue_url(url).message_body("x");
    refused!(send().delay_seconds(901), "DelaySeconds");
    refused!(send().delay_seconds(-1), "DelaySeconds");

    let message = receive().send().await.unwrap().messages.unwrap().remove(0);
    let handle = message.receipt_handle().unwrap();
    let change = || {
        let change = room.sqs.change_message_visibility().queue_url(url);
        change.receipt_handle(handle)
    };
    refused!(change().visibility_timeout(-1), "VisibilityTimeout");
    refused!(change().visibility_timeout(43_201), "VisibilityTimeout");
    assert_eq!(room.queue_counts().await, [0, 1, 0]);
    change().visibility_timeout(0).send().await.unwrap();
    assert_eq!(room.queue_counts().await, [1, 0, 0]);
}

#[tokio::test]
async fn in_a_batch_only_the_bad_entries_are_refused() {
    let room = Room::new().await;
    let url = room.queue_url();
    let entry = |id: &str, delay| {
        let entry = SendMessageBatchRequestEntry::builder().id(id);
        entry.message_body(id).delay_seconds(delay).build().unwrap()
    };
    let sent = room.sqs.send_message_batch().queue_url(url);
    let sent = sent.entries(entry("good", 0)).entries(entry("bad", 901));
    let sent = sent.send().await.unwrap();
    assert_eq!(sent.successful().len(), 1);
    assert_eq!(sent.successful()[0].id(), "good");
    assert_eq!(sent.failed().len(), 1);
    assert_eq!(sent.failed()[0].id(), "bad");
    assert_eq!(sent.failed()[0].code(), "InvalidParameterValue");
    assert!(sent.failed()[0].sender_fault());

    let received = room.sqs.receive_message().queue_url(url).send().await;
    let message = received.unwrap().messages.unwrap().remove(0);
    let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id("only");
    let entry = entry.receipt_handle(message.receipt_handle().unwrap()).visibility_timeout(-1);
    let changed = room.sqs.change_message_visibility_batch().queue_url(url);
    let changed = changed.entries(entry.build().unwrap()).send().await;
    assert_eq!(changed.unwrap().failed().len(), 1);
    assert_eq!(room.queue_counts().await, [0, 1, 0]);
}

async fn send_with_delay(room: &Room, seconds: i32) {
    let send = room.sqs.send_message().queue_url(room.queue_url());
    send.message_body("one").delay_seconds(seconds).send().await.unwrap();
    let entry = SendMessageBatchRequestEntry::builder().id("two");
    let entry = entry.message_body("two").delay_seconds(seconds).build().unwrap();
    let send = room.sqs.send_message_batch().queue_url(room.queue_url());
    send.entries(entry).send().await.unwrap();
}

/// The number of messages that a receive gets now.
async fn receive(room: &Room) -> usize {
    let receive = room.sqs.receive_message().queue_url(room.queue_url());
    receive.max_number_of_messages(10).send().await.unwrap().messages().len()
}

#[tokio::test]
async fn delayed_messages_are_invisible() {
    let room = Room::new().await;
    send_with_delay(&room, 900).await;
    assert_eq!(room.queue_counts().await, [0, 0, 2]);
}

#[tokio::test]
async fn a_manual_clock_decides_when_messages_become_visible() {
    let room = Room::manual().await;
    send_with_delay(&room, 900).await;
    assert_eq!(room.engines.messages(Lane::Work), ["one", "two"]);
    room.clock.advance(Duration::from_secs(899));
    assert_eq!(receive(&room).await, 0);
    room.clock.advance(Duration::from_secs(1));
    assert_eq!(receive(&room).await, 2);
    assert_eq!(receive(&room).await, 0, "they are in flight");
    room.clock.advance(Duration::from_secs(180));
    assert_eq!(receive(&room).await, 2, "their visibility timeout is over");
    assert_eq!(room.engines.messages(Lane::Work).len(), 2);
}

#[tokio::test]
async fn stopped_engines_accept_no_connections() {
    let room = Room::new().await;
    let addresses = [room.engines.dynamodb_url(), room.engines.sqs_url()]
        .map(|url| url.strip_prefix("http://").unwrap().to_owned());
    room.send("leaves a connection open").await;
    assert!(put_new(&room.dynamodb, "one", "too").await);
    for address in &addresses {
        TcpStream::connect(address).await.unwrap();
    }
    room.engines.stop().await;
    for address in &addresses {
        assert!(TcpStream::connect(address).await.is_err(), "{address}");
    }
}

/// A page in the developer's browser can reach loopback; it must not reach the engines.
#[tokio::test]
async fn browsers_are_refused() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let engines = Engines::start(Storage::Memory, Queues::over(QueueTime::Real)).await.unwrap();
    for url in [engines.dynamodb_url(), engines.sqs_url()] {
        let address = url.strip_prefix("http://").unwrap();
        let ask = async |method: &str, headers: &str| {
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let request = format!(
                "{method} / HTTP/1.1\r\n{headers}content-length: 2\r\nconnection: close\r\n\r\n{{}}"
            );
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer.to_lowercase()
        };
        let own = format!("host: {address}\r\n");
        for (method, headers) in [
            ("POST", format!("{own}origin: https://evil.example\r\n")),
            ("POST", format!("{own}origin: null\r\n")),
            ("OPTIONS", own.clone()),
            ("POST", "host: rebound.example\r\n".to_owned()),
            ("POST", "host: 127.0.0.1.evil.example:80\r\n".to_owned()),
        ] {
            let answer = ask(method, &headers).await;
            assert!(answer.starts_with("http/1.1 403"), "{method} {headers}: {answer}");
            assert!(!answer.contains("access-control"), "{answer}");
        }
        let program = ask("POST", &own).await;
        assert!(!program.starts_with("http/1.1 403"), "{program}");
    }
}
