//! The whole of Placet in one process: the engines, the five functions, the front door and the
//! event source. `placet dev` and the tests differ only in what they pass to [`System::start`].

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use http::header::ACCEPT;
use http::request::Parts;
use placet_approval::Approval;
use placet_core::{Effect, Job, State, Timestamp};
use placet_inbox::Inbox;
use placet_runtime::{
    Access, ApiKey, ApiKeys, Blobs, Clock, Config, DueItem, Environment, Https, Queue, Runtime,
    Store, StoreError,
};
use placet_timer::Timer;
use placet_webhook::Webhook;
use placet_worker::{Functions, Worker};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::engines::{Delays, EngineError, Engines, Storage, TABLE, http_client};
use crate::event_source::EventSource;
use crate::front_door::FrontDoor;
use crate::function::Function;

/// Later than anything is due.
const END_OF_TIME: Timestamp = Timestamp::from_millis(999_999_999_999_999);

/// What a system is made of.
pub struct Setup {
    /// Where the table and the bucket are kept.
    pub storage: Storage,
    /// What is too large for the table; without any, the bucket of the engines.
    pub blobs: Option<Blobs>,
    /// Whether message delays are real.
    pub delays: Delays,
    /// `placet.yaml`.
    pub config: Config,
    /// The environment the functions see.
    pub environment: Environment,
    /// The clock of all functions.
    pub clock: Clock,
    /// The functions the worker can run.
    pub functions: Functions,
    /// Carries the functions' calls to the engines.
    pub http_client: SharedHttpClient,
    /// Whether the pages are open.
    pub access: Access,
    /// The API key of the project.
    pub api_key: String,
}

/// A running system.
pub struct System {
    /// The engines under it.
    pub engines: Engines,
    /// What every function of it holds.
    pub runtime: Runtime,
    /// Its one port.
    pub front_door: Arc<FrontDoor>,
    /// Takes messages from the queue to the worker.
    pub event_source: Arc<EventSource>,
    /// Drives what is due.
    pub timer: Timer,
    /// The API, which may hold clients that poll.
    pub approval: Approval,
}

impl System {
    /// Starts engines and functions. Nothing is served or polled yet.
    ///
    /// # Errors
    ///
    /// If an engine can not be started, see [`EngineError`].
    pub async fn start(setup: Setup) -> Result<Self, EngineError> {
        let engines = Engines::start(setup.storage, setup.delays).await?;
        let dynamodb = engines.dynamodb_client(setup.http_client.clone());
        let sqs = engines.sqs_client(setup.http_client);
        let poller = engines.sqs_client(http_client());
        let runtime = Runtime {
            store: Store::new(dynamodb, TABLE),
            queue: Queue::new(sqs, engines.queue_url()),
            blobs: setup.blobs.unwrap_or_else(|| engines.blobs()),
            https: Https::default(),
            config: Arc::new(setup.config),
            clock: setup.clock,
            environment: setup.environment,
        };
        let tenant = runtime.config.project.as_str().to_owned();
        let api_key = ApiKey::new(tenant, "local", runtime.clock.now());
        let keys = ApiKeys::new(&runtime).and(&setup.api_key, api_key);
        let worker = Worker::new(runtime.clone(), setup.functions);
        let worker =
            function("worker", worker, |worker, event| async move { worker.handle(event).await });
        let approval = Approval::new(runtime.clone(), keys, setup.access);
        Ok(Self {
            front_door: Arc::new(front_door(&runtime, approval.clone(), setup.access)),
            event_source: Arc::new(EventSource::new(poller, engines.queue_url(), worker)),
            timer: Timer::new(runtime.clone()),
            approval,
            engines,
            runtime,
        })
    }

    /// Puts on the queue what was on it when the last process ended: the embedded queue lives in
    /// memory. The timer would do it, too, but only once each item is due.
    ///
    /// # Errors
    ///
    /// If the table can not be read.
    pub async fn resume(&self) -> Result<(), StoreError> {
        for project in self.runtime.config.projects() {
            self.resume_project(project).await?;
        }
        Ok(())
    }

    async fn resume_project(&self, tenant: &str) -> Result<(), StoreError> {
        let mut open = Vec::new();
        self.runtime.store.each_open(tenant, |operation| open.push(operation)).await?;
        for operation in open {
            let effect = match operation.state {
                State::Queued => Effect::Execute(Duration::ZERO),
                State::Pending if operation.upstream.is_some() => Effect::Consult,
                _ if operation.untold => Effect::Tell,
                _ => continue,
            };
            self.runtime.follow_up(&operation, effect).await;
        }
        let mut start = None;
        loop {
            let page = self.runtime.store.due(tenant, END_OF_TIME, start).await?;
            for item in page.items {
                let (job, id) = match item {
                    DueItem::Operation(_) => continue,
                    DueItem::Receipt(id) => (Job::Process, id),
                    // One that is not due yet is left to the timer by the worker.
                    DueItem::Delivery(id) => (Job::Deliver, id),
                };
                self.runtime.enqueue(job, tenant, &id, Duration::ZERO).await;
            }
            start = page.next;
            if start.is_none() {
                return Ok(());
            }
        }
    }
}

fn front_door(runtime: &Runtime, approval: Approval, access: Access) -> FrontDoor {
    let webhook = Webhook::new(runtime.clone());
    let webhook =
        function("webhook", webhook, |webhook, event| async move { webhook.handle(event).await });
    let approval =
        function(
            "approval",
            approval,
            |approval, event| async move { approval.handle(event).await },
        );
    let inbox = Inbox::new(runtime.clone(), access);
    let inbox = function("inbox", inbox, |inbox, event| async move { inbox.handle(event).await });
    let (clock, config) = (runtime.clock.clone(), runtime.config.clone());
    FrontDoor::new(Arc::new(move || clock.now().millis()), move |parts| {
        match room(parts, &config) {
            Room::Webhook => webhook.clone(),
            Room::Approval => approval.clone(),
            Room::Inbox => inbox.clone(),
        }
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Webhook,
    Approval,
    Inbox,
}

/// Which function answers on the one port. Deployed, each has a Function URL of its own. The demo
/// pair is a page for a browser and JSON for a program.
fn room(parts: &Parts, config: &Config) -> Room {
    let path = parts.uri.path();
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let reads = matches!(parts.method, http::Method::GET | http::Method::HEAD);
    let accept = parts.headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    let browser = accept.is_some_and(|accept| accept.contains("text/html"));
    match first {
        _ if config.source_at(path).is_some() => Room::Webhook,
        "webhook" | "webhooks" => Room::Webhook,
        "inbox" | "d" => Room::Inbox,
        "" | "purchases" | "purchase-materials" if reads && browser => Room::Inbox,
        _ => Room::Approval,
    }
}

/// A typed handler as Lambda sees it: JSON in, JSON out.
fn function<T, Event, Reply, Handle, Fut>(name: &'static str, app: T, handle: Handle) -> Function
where
    T: Clone + Send + Sync + 'static,
    Event: DeserializeOwned,
    Reply: Serialize,
    Handle: Fn(T, Event) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Reply> + Send,
{
    Function::new(name, move |event: Value| {
        let app = app.clone();
        async move {
            let event = serde_json::from_value(event)?;
            let reply = handle(app, event).await;
            Ok(serde_json::to_value(reply)?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_has_its_room() {
        let source = "project: x\nsources: {s: {preset: svix, secret: env:S, paths: [/hooks/s], targets: [decide]}}";
        let config = Config::parse(source).unwrap();
        let room = |method: &str, path: &str, accept: &str| {
            let request = http::Request::builder().method(method).uri(path).header(ACCEPT, accept);
            super::room(&request.body(()).unwrap().into_parts().0, &config)
        };
        let page = "text/html,application/xhtml+xml";
        assert_eq!(room("POST", "/webhook/inbound", "*/*"), Room::Webhook);
        assert_eq!(room("POST", "/webhooks/humanlayer", "*/*"), Room::Webhook);
        assert_eq!(room("POST", "/hooks/s", "*/*"), Room::Webhook);
        assert_eq!(room("GET", "/inbox/call-1", page), Room::Inbox);
        assert_eq!(room("POST", "/d/token", page), Room::Inbox);
        assert_eq!(room("GET", "/purchases", page), Room::Inbox);
        assert_eq!(room("GET", "/purchases", "application/json"), Room::Approval);
        assert_eq!(room("POST", "/purchase-materials", page), Room::Approval);
        assert_eq!(room("GET", "/", page), Room::Inbox);
        assert_eq!(room("GET", "/healthz", "*/*"), Room::Approval);
        assert_eq!(room("GET", "//humanlayer/v1/function_calls/x", "*/*"), Room::Approval);
    }
}
