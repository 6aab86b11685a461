//! The timer after an outage: 100,000 items are due. This test has its own binary, because it counts the
//! allocations of the timer. Allocations are repeatable; the memory of a process is not.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use placet_core::Timestamp;
use placet_core::item::{Lane, Pointer};
use placet_local::engines::{QueueTime, Queues, Storage, TABLE, http_client};
use placet_local::event_source::{EventSource, Slots};
use placet_local::faults::Faults;
use placet_local::function::Function;
use placet_local::system::{Setup, System};
use placet_runtime::{Access, Clock, Config, Environment, Queue, Row, Store};
use placet_timer::{Limits, Tick, Timer};
use placet_worker::Functions;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

const START: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const MINUTE: Duration = Duration::from_secs(60);
const APART: Duration = Duration::from_secs(5 * 60);

/// The projects and the numbers of their due items.
const DUE: [(&str, usize); 3] = [("busy", 94_000), ("other", 3_000), ("quiet", 3_000)];
const ALL: usize = 100_000;

/// The most entries that one run reads, and the most messages of a lane.
const A_RUN: usize = 5_000;
const DEEP: usize = 10_000;

const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// A row that is only an entry in `due`, because the timer loads no item.
fn entry(project: &str, n: usize) -> Row {
    let text = |text: String| AttributeValue::S(text);
    let due = START.minus(60 * MINUTE).millis() + i64::try_from(n).unwrap();
    [
        ("pk", text(format!("receipt#{project}#hooks.{n:040x}"))),
        ("sk", text("item".to_owned())),
        ("due_pk", text(format!("{project}#r{}", n % 8))),
        ("due_sk", text(format!("{due:015}w{n:016x}"))),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

async fn load(system: &System) {
    let table = system.engines.dynamodb_client(http_client());
    let rows = DUE.iter().flat_map(|(project, due)| (0..*due).map(|n| entry(project, n)));
    let put = |row: Row| {
        let put = PutRequest::builder().set_item(Some(row)).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    };
    let writes = stream::iter(rows.map(put)).chunks(25).map(|rows| {
        let write = table.batch_write_item().request_items(TABLE, rows);
        write.send()
    });
    let mut writes = writes.buffer_unordered(4);
    while let Some(written) = writes.next().await {
        assert!(written.unwrap().unprocessed_items().is_none_or(HashMap::is_empty));
    }
}

fn setup(clock: &Clock) -> Setup {
    Setup {
        storage: Storage::Memory,
        blobs: None,
        queues: Queues::over(QueueTime::Manual(clock.clone())),
        config: Config::parse("project: busy\nprojects: [other, quiet]\n").unwrap(),
        environment: Environment::from_iter(BTreeMap::<String, String>::new()),
        clock: clock.clone(),
        functions: Functions::shipped(),
        http_client: http_client(),
        access: Access::Loopback,
        api_key: "test-key".to_owned(),
    }
}

/// The engines run on their own threads and the timer on the thread of the test, so the test counts only the
/// allocations of the timer.
struct Backlog {
    engines: Runtime,
    system: System,
    /// Receives every message and does not change its item.
    workers: EventSource,
    clock: Clock,
    thread: Runtime,
    timer: Timer,
    faults: Faults,
    /// The time at which the timer last sent each pointer.
    enqueued: HashMap<String, Timestamp>,
    most_bytes: u64,
}

impl Backlog {
    fn start() -> Self {
        let engines = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let clock = Clock::manual(START);
        let system = engines.block_on(System::start(setup(&clock))).unwrap();
        engines.block_on(load(&system));
        let faults = Faults::disarmed();
        let client = || faults.wrap(http_client());
        let mut runtime = system.runtime.clone();
        runtime.engine.store = Store::new(system.engines.dynamodb_client(client()), TABLE);
        let sqs = system.engines.sqs_client(client());
        runtime.engine.queue = Queue::new(sqs, system.engines.queue_urls(), None);
        let thread = Builder::new_current_thread().enable_all().build().unwrap();
        let (timer, enqueued) =
            (Timer::new(runtime).with(Limits { share: 0, ..Limits::default() }), HashMap::new());
        let workers = Function::new("workers", |_| async { Ok(json!({"batchItemFailures": []})) });
        let (client, url) =
            (system.engines.sqs_client(http_client()), system.engines.queue_url(Lane::Work));
        let workers = EventSource::new(client, url, Slots { batch: 10, pollers: 1 }, workers);
        Self { engines, system, workers, clock, thread, timer, faults, enqueued, most_bytes: 0 }
    }

    /// One run of the timer, a minute after the run before. Checks that it reads no more than its limit.
    fn run(&mut self) -> Tick {
        self.clock.advance(MINUTE);
        self.faults.reset();
        let mut tick = Tick::default();
        let ran = || tick = self.thread.block_on(self.timer.handle()).unwrap();
        let allocated = allocation_counter::measure(ran);
        self.most_bytes = self.most_bytes.max(allocated.bytes_max);
        assert!(tick.enqueued <= A_RUN, "{tick:?}");
        let queries = self.faults.calls().iter().filter(|call| call.operation == "Query").count();
        // A query reads ten entries. At most two queries in each of the 72 partitions read fewer: each of
        // them ends a pass.
        assert!(queries <= A_RUN / 10 + 2 * 72, "{queries} queries");
        tick
    }

    fn depth(&self) -> usize {
        self.system.engines.messages(Lane::Work).len()
    }

    /// Receives all messages of the lane and returns their numbers by project.
    fn take(&mut self) -> BTreeMap<String, usize> {
        let (now, mut projects) = (self.clock.now(), BTreeMap::new());
        for body in self.system.engines.messages(Lane::Work) {
            let pointer = Pointer::parse(&body).unwrap();
            if let Some(before) = self.enqueued.insert(body, now) {
                assert!(now.since(before) >= APART, "{} at {before} and {now}", pointer.id);
            }
            *projects.entry(pointer.project).or_default() += 1;
        }
        let drains = (0..4).map(|_| self.workers.drain());
        let drained = self.engines.block_on(join_all(drains));
        assert!(drained.iter().all(Result::is_ok));
        projects
    }
}

/// No worker removes the items from the index, as if the workers were slow. So the items become due again and
/// again.
#[test]
fn a_backlog_of_100_000_items_is_enqueued_in_bounded_runs() {
    let mut backlog = Backlog::start();
    backlog.run();
    let first = backlog.take();
    for (project, _) in DUE {
        assert!(
            first[project] >= A_RUN / DUE.len() - 10,
            "{project} has to wait for other projects: {first:?}"
        );
    }
    let mut runs = 1;
    while backlog.enqueued.len() < ALL {
        assert!(runs < 2 * ALL / A_RUN, "{} after {runs} runs", backlog.enqueued.len());
        backlog.run();
        backlog.take();
        runs += 1;
    }

    while backlog.run().enqueued > 0 {
        assert!(backlog.depth() <= DEEP, "{}", backlog.depth());
    }
    assert!(backlog.depth() > DEEP - 10, "{}", backlog.depth());

    eprintln!("{runs} runs, at most {} bytes at a time", backlog.most_bytes);
    assert!(backlog.most_bytes < MOST_BYTES, "{} bytes", backlog.most_bytes);
}
