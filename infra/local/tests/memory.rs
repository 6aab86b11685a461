//! The memory that a batch of large webhooks takes in the worker and the engines, and that the lists of the largest
//! operations take. These tests have their own binary, because its allocator counts the bytes of the whole process:
//! nextest runs each of them in a process of its own.

#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use bytes::Bytes;
use peak_alloc::PeakAlloc;
use placet_core::Timestamp;
use placet_core::limits::MOST_SPECIFICATION_VALUES;
use placet_core::receipt::{Receipt, State};
use placet_core::webhook::{Documents, Draft, Incoming};
use placet_local::engines::{QueueTime, Queues, Storage, http_client};
use placet_local::system::{Setup, System};
use placet_runtime::{Access, Clock, Config, Received};
use placet_worker::Functions;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// The most bytes that a batch or a list may take. A function has 256 MB.
const BOUND: usize = 128 * 1024 * 1024;

/// Just below the largest accepted body, in bytes.
const LARGEST: usize = 4_600_000;

/// The largest body of one-member objects that may become a JSON tree, in bytes.
const HEAVIEST: usize = 130_000;

/// The number of records in a batch.
const BATCH: usize = 10;

const YAML: &str = "
project: default
operations: {charge: {}}
sources:
  hooks:
    preset: hmac
    secret: env:HOOKS
    targets:
      - log
      - decide
      - forward: {endpoint: billing}
      - {operation: {fn: charge, kwargs: {id: /id, all: ''}}, where: ['/id != 0']}
endpoints: {billing: {url: 'https://billing.example.com/', secrets: [env:BILLING]}}
";

async fn system() -> System {
    let clock = Clock::manual(NOW);
    let secrets = [
        ("HOOKS", "a-secret-of-thirty-two-bytes-long"),
        ("BILLING", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
    ];
    let setup = Setup {
        storage: Storage::Memory,
        blobs: None,
        queues: Queues::over(QueueTime::Manual(clock.clone())),
        config: Config::parse(YAML).unwrap(),
        environment: secrets.into_iter().collect(),
        clock,
        functions: Functions::shipped(),
        http_client: http_client(),
        access: Access::Loopback,
        api_key: "key".to_owned(),
    };
    System::start(setup).await.unwrap()
}

/// Stores a verified webhook, as the webhook function does.
async fn receive(system: &System, body: &[u8]) -> String {
    let source = system.runtime.config.source("hooks").unwrap();
    let verifier = source.open("hooks", &system.runtime.environment).unwrap();
    let draft =
        Draft { path: "/webhooks/hooks", content_type: "application/json", id: "", body, at: NOW };
    let Ok(signed) = verifier.sign(&draft) else { panic!("the draft cannot be signed") };
    let mut request = Incoming::post("/webhooks/hooks", body);
    let headers = signed.headers.iter();
    request.headers = headers.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let Ok(verified) = verifier.verify(request, &Documents::default(), NOW) else {
        panic!("the signature does not verify")
    };
    match system.runtime.receive(&verified).await.unwrap() {
        Received::New(id) => id,
        other => panic!("{other:?}"),
    }
}

/// Processes a batch of webhooks. Each body repeats `part` up to `size` bytes. Returns the bytes that the
/// batch took and the states of its receipts.
async fn batch(part: &str, size: usize) -> (usize, Vec<State>) {
    let system = system().await;
    let mut ids = Vec::new();
    for n in 0..BATCH {
        let parts = part.repeat(size / part.len());
        let body = format!(r#"{{"webhook_id":"{n}","id":{},"all":[{parts}0]}}"#, n + 1);
        ids.push(receive(&system, body.as_bytes()).await);
    }
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let report = system.event_sources[0].drain().await.unwrap();
    let peak = MEMORY.peak_usage().saturating_sub(before);
    assert_eq!((report.batches, report.deleted, report.failed), (1, BATCH, 0), "{report:?}");
    let mut states = Vec::new();
    for id in ids {
        let store = &system.runtime.engine.store;
        let receipt = store.item::<Receipt>("default", &id, true).await.unwrap().unwrap();
        states.push(receipt.state);
    }
    (peak, states)
}

#[tokio::test]
async fn a_batch_of_large_bodies_takes_half_of_the_function() {
    let member = format!(r#""{}","#, "x".repeat(1000));
    for (name, part, size) in [
        ("members of 1 KB", member.as_str(), LARGEST),
        ("objects of one member", r#"{"a":0},"#, LARGEST),
        ("objects of one member, as a tree", r#"{"a":0},"#, HEAVIEST),
    ] {
        let (peak, states) = batch(part, size).await;
        println!("{name}: {peak} bytes");
        // A body of this size neither decides nor creates an operation.
        assert_eq!(states, [State::Failed; BATCH]);
        assert!(peak <= BOUND, "{name}: {peak} bytes");
    }
}

/// Sends a request as the person at this machine, with the key of the system. Returns the status.
async fn send(system: &System, method: &str, path: &str, accept: &str, body: String) -> u16 {
    let request = http::Request::builder().method(method).uri(path).header("accept", accept);
    let request = request.header("host", "127.0.0.1:8000").header("authorization", "Bearer key");
    let response = system.front_door.call(request.body(Bytes::from(body)).unwrap()).await;
    response.status().as_u16()
}

/// Of all specifications that are accepted, those of many objects with one member take the most memory.
#[tokio::test]
async fn a_list_of_the_largest_operations_takes_half_of_the_function() {
    let system = system().await;
    let objects = MOST_SPECIFICATION_VALUES / 2 - 10;
    let list = format!("[{}{{}}]", r#"{"a":0},"#.repeat(objects));
    for n in 0..150 {
        let body = format!(
            r#"{{"kind":"function_call","run_id":"r","call_id":"c{n}","fn":"f","kwargs":{{"list":{list}}}}}"#
        );
        assert_eq!(send(&system, "POST", "/v1/operations", "*/*", body).await, 201);
    }
    for (path, accept) in [
        ("/inbox", "text/html"),
        ("/inbox/c0", "text/html"),
        ("/v1/operations?limit=100", "*/*"),
        ("/v1/operations/function_call/c0", "*/*"),
        ("/humanlayer/v1/agent/function_calls/pending", "*/*"),
    ] {
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        assert_eq!(send(&system, "GET", path, accept, String::new()).await, 200, "{path}");
        let peak = MEMORY.peak_usage().saturating_sub(before);
        println!("{path}: {peak} bytes");
        assert!(peak <= BOUND, "{path}: {peak} bytes");
    }
}
