use aws_sdk_dynamodb::types::AttributeValue;
use placet_local::engines::{TABLE, http_client};
use placet_local::faults::{Faults, Plan};

use crate::Room;

/// Clients with faults. The clients of the room have none.
struct Struck {
    faults: Faults,
    dynamodb: aws_sdk_dynamodb::Client,
    sqs: aws_sdk_sqs::Client,
}

impl Struck {
    fn new(room: &Room) -> Self {
        let faults = Faults::disarmed();
        let http = faults.wrap(http_client());
        Self {
            faults,
            dynamodb: room.engines.dynamodb_client(http.clone()),
            sqs: room.engines.sqs_client(http),
        }
    }

    async fn put(&self, pk: &str) -> bool {
        let put = self.dynamodb.put_item().table_name(TABLE);
        let put = put.item("pk", AttributeValue::S(pk.to_owned()));
        let put = put.item("sk", AttributeValue::S("OP".to_owned()));
        put.send().await.is_ok()
    }

    /// The job of these tests: it stores an item, then sends a message.
    async fn job(&self, room: &Room) {
        assert!(self.put("job").await);
        let send = self.sqs.send_message().queue_url(room.queue_url());
        send.message_body("job").send().await.unwrap();
    }
}

impl Room {
    async fn items(&self) -> i32 {
        let scan = self.dynamodb.scan().table_name(TABLE);
        scan.send().await.unwrap().count()
    }
}

/// The numbers of items and messages after a crash of the job, for every point of a crash.
async fn traces(plan: fn(usize) -> Plan) -> Vec<(i32, u32)> {
    let mut traces = Vec::new();
    for n in 0.. {
        let room = Room::new().await;
        let struck = Struck::new(&room);
        struck.faults.arm(plan(n));
        let output = struck.faults.run_until_crash(struck.job(&room)).await;
        assert_eq!(output.is_none(), struck.faults.was_reached());
        traces.push((room.items().await, room.queue_counts().await[0]));
        if output.is_some() {
            return traces;
        }
        // The recovery meets no fault.
        struck.job(&room).await;
    }
    traces
}

#[tokio::test]
async fn crash_before_and_crash_after_differ_by_one_call() {
    assert_eq!(traces(Plan::CrashBefore).await, [(0, 0), (1, 0), (1, 1)]);
    assert_eq!(traces(Plan::CrashAfter).await, [(1, 0), (1, 1), (1, 1)]);
}

#[tokio::test]
async fn a_dead_process_sends_nothing_more() {
    let room = Room::new().await;
    let struck = Struck::new(&room);
    struck.faults.arm(Plan::CrashBefore(0));
    let both = async { tokio::join!(struck.put("one"), struck.put("two")) };
    assert!(struck.faults.run_until_crash(both).await.is_none());
    assert_eq!(room.items().await, 0);
    assert_eq!(struck.faults.calls().len(), 1);
}

#[tokio::test]
async fn a_crash_counts_even_if_the_handler_does_not_wait_for_the_call() {
    let room = Room::new().await;
    let struck = Struck::new(&room);
    struck.faults.arm(Plan::CrashBefore(0));
    let impatient = async {
        tokio::select! {
            biased;
            _ = struck.put("one") => true,
            () = struck.faults.reached() => false,
        }
    };
    assert_eq!(struck.faults.run_until_crash(impatient).await, None);
}

#[tokio::test]
async fn a_planned_failure_is_an_error_and_not_a_crash() {
    let room = Room::new().await;
    let struck = Struck::new(&room);
    struck.faults.arm(Plan::Fail(1));
    let puts =
        async { [struck.put("one").await, struck.put("two").await, struck.put("three").await] };
    let output = struck.faults.run_until_crash(puts).await;
    assert_eq!(output, Some([true, false, true]));
    assert!(struck.faults.was_reached());
    assert_eq!(room.items().await, 2);
}

#[tokio::test]
async fn calls_are_named_and_counted_from_the_last_start() {
    let room = Room::new().await;
    let struck = Struck::new(&room);
    struck.job(&room).await;
    let calls = struck.faults.calls();
    let names: Vec<_> =
        calls.iter().map(|call| (call.service.as_str(), call.operation.as_str())).collect();
    let expected = [("DynamoDB_20120810", "PutItem"), ("AmazonSQS", "SendMessage")];
    assert_eq!(names, expected);
    struck.faults.reset();
    assert!(struck.faults.calls().is_empty());
    assert!(!struck.faults.was_reached());
}
