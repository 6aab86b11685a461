//! The whole of Placet in one process: the engines, the functions, the front door and an event source for
//! each queue. `placet dev` and the tests differ only in the [`Setup`] that they pass to [`System::start`].

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use http::request::Parts;
use placet_approval::Approval;
use placet_core::item::Lane;
use placet_core::limits::PROJECT_SHARE;
use placet_inbox::Inbox;
use placet_runtime::engine::{Gates, Kinds};
use placet_runtime::http::wants_page;
use placet_runtime::mailbox::Mailbox;
use placet_runtime::{
    Access, ApiKey, ApiKeys, Blobs, Clock, Config, Engine, Environment, Https, MAILBOX, Queue,
    Runtime, Store,
};
use placet_timer::Timer;
use placet_webhook::Webhook;
use placet_worker::{Functions, Shipped, Worker};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::engines::{EngineError, Engines, Queues, Storage, TABLE, http_client};
use crate::event_source::{EventSource, Slots};
use crate::front_door::FrontDoor;
use crate::function::Function;

/// The folder of the mailbox in the data folder.
pub const MAIL_FOLDER: &str = "mail";

/// The parts and settings of a system.
pub struct Setup {
    /// Where the table and the bucket are kept.
    pub storage: Storage,
    /// The bucket for values that are too large for the table; `None` means the bucket of the engines.
    pub blobs: Option<Blobs>,
    /// How the queues behave.
    pub queues: Queues,
    /// `placet.yaml`.
    pub config: Config,
    /// The environment variables of the functions.
    pub environment: Environment,
    /// The clock of all functions.
    pub clock: Clock,
    /// The functions the worker can run.
    pub functions: Functions,
    /// The HTTP client of the functions' calls to the engines.
    pub http_client: SharedHttpClient,
    /// Whether the pages and the demo are open without a key and a link.
    pub access: Access,
    /// The API key of the main project.
    pub api_key: String,
}

/// A running system.
pub struct System {
    /// The engines.
    pub engines: Engines,
    /// The runtime that all functions share.
    pub runtime: Runtime,
    /// The one port for HTTP.
    pub front_door: Arc<FrontDoor>,
    /// One event source for each queue, the fastest lane first. It passes messages to the worker.
    pub event_sources: Vec<Arc<EventSource>>,
    /// What Placet has mailed.
    pub mailbox: Mailbox,
    /// Sends messages for due items.
    pub timer: Timer,
    /// The API. It may hold the requests of clients that poll.
    pub approval: Approval,
    /// An API key of each project, by project. They are good for as long as the system runs.
    pub api_keys: BTreeMap<String, String>,
}

impl System {
    /// Starts engines and functions. Nothing is served or polled yet.
    ///
    /// # Errors
    ///
    /// If an engine cannot be started, see [`EngineError`].
    pub async fn start(setup: Setup) -> Result<Self, EngineError> {
        Self::with::<Shipped>(setup).await
    }

    /// As [`System::start`], with workers for the kinds of items in `List`.
    ///
    /// # Errors
    ///
    /// If an engine cannot be started, see [`EngineError`].
    pub async fn with<List: Kinds<Worker>>(setup: Setup) -> Result<Self, EngineError> {
        let mailbox = mailbox(&setup.storage);
        let engines = Engines::start(setup.storage, setup.queues).await?;
        let dynamodb = engines.dynamodb_client(setup.http_client.clone());
        let sqs = engines.sqs_client(setup.http_client);
        let dead_letters = engines.dead_letter_queue_url().to_owned();
        let runtime = Runtime {
            engine: Engine {
                store: Store::new(dynamodb, TABLE),
                queue: Queue::new(sqs, engines.queue_urls(), Some(dead_letters)),
                clock: setup.clock,
                gates: Gates::new(setup.config.projects().count()),
            },
            blobs: setup.blobs.unwrap_or_else(|| engines.blobs()),
            https: Https::default(),
            config: Arc::new(setup.config),
            environment: with_mailbox(&setup.environment),
        };
        let api_keys = api_keys(&runtime.config, setup.api_key);
        let mut keys = ApiKeys::new(&runtime);
        for (project, key) in &api_keys {
            keys = keys.and(
                key,
                ApiKey {
                    self_approval: true,
                    ..ApiKey::new(project.as_str(), "local", runtime.engine.now())
                },
            );
        }
        let blocked = setup.functions.all_missing(&runtime.config, &runtime.environment);
        let blocked = blocked.into_iter().map(|(name, failure)| (name, failure.message)).collect();
        let inbox = Inbox::new(runtime.clone(), setup.access);
        let inbox = inbox.with_blocked(blocked).with_mailbox(mailbox.clone());
        let worker = Worker::new(runtime.clone(), setup.functions).with_mailbox(mailbox.clone());
        let event_source = |lane| {
            let client = engines.sqs_client(http_client());
            let function = function("worker", worker.clone(), move |worker, event| async move {
                worker.handle::<List>(lane, event).await
            });
            Arc::new(EventSource::new(client, engines.queue_url(lane), slots(lane), function))
        };
        let event_sources = Lane::ALL.map(event_source).into();
        let approval = Approval::new(runtime.clone(), keys, setup.access);
        Ok(Self {
            front_door: Arc::new(front_door(&runtime, approval.clone(), inbox)),
            event_sources,
            timer: Timer::new(runtime.clone()),
            approval,
            engines,
            runtime,
            mailbox,
            api_keys,
        })
    }
}

/// The mailbox beside the table.
fn mailbox(storage: &Storage) -> Mailbox {
    match storage {
        Storage::Folder(folder) => Mailbox::folder(folder.join(MAIL_FOLDER)),
        Storage::Memory => Mailbox::memory(),
    }
}

/// The environment that tells the functions that mails are kept here.
fn with_mailbox(environment: &Environment) -> Environment {
    let kept = (MAILBOX.to_owned(), "on".to_owned());
    environment.over(&std::iter::once(kept).collect())
}

/// The key of the main project, and a random one for each further project.
fn api_keys(config: &Config, main: String) -> BTreeMap<String, String> {
    let further = config.projects().skip(1);
    let random = further.map(|project| (project.to_owned(), Uuid::new_v4().to_string()));
    std::iter::once((config.project.as_str().to_owned(), main)).chain(random).collect()
}

/// Batches as in the template. The called server decides how long a call takes. So a batch of calls holds one
/// message, and no other call waits for it.
const fn slots(lane: Lane) -> Slots {
    match lane {
        Lane::Work => Slots { batch: 10, pollers: 4 },
        Lane::Calls => Slots { batch: 1, pollers: 2 * PROJECT_SHARE },
    }
}

fn front_door(runtime: &Runtime, approval: Approval, inbox: Inbox) -> FrontDoor {
    let webhook = Webhook::new(runtime.clone());
    let webhook =
        function("webhook", webhook, |webhook, event| async move { webhook.handle(event).await });
    let api = approval.clone();
    let approval =
        function(
            "approval",
            approval,
            |approval, event| async move { approval.handle(event).await },
        );
    let inbox = function("inbox", inbox, |inbox, event| async move { inbox.handle(event).await });
    let (clock, config) = (runtime.engine.clock.clone(), runtime.config.clone());
    FrontDoor::new(Arc::new(move || clock.now().millis()), move |parts| {
        match room(parts, &config, |path| api.has(path)) {
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

/// Which function answers on the one port. In a deployment each function has its own Function URL. The two
/// demo paths are a page for a browser and JSON for a program. A browser at an unknown address gets a page.
fn room(parts: &Parts, config: &Config, is_api: impl Fn(&str) -> bool) -> Room {
    let path = parts.uri.path();
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let reads = matches!(parts.method, http::Method::GET | http::Method::HEAD);
    let is_program = parts.headers.contains_key(http::header::AUTHORIZATION);
    let browser = reads && wants_page(&parts.headers) && !is_program;
    match first {
        _ if config.source_at(path).is_some() => Room::Webhook,
        "inbox" | "d" | "mail" | "sign-in" | "sign-out" => Room::Inbox,
        "purchases" | "purchase-materials" if browser => Room::Inbox,
        _ if is_api(path) => Room::Approval,
        _ if browser => Room::Inbox,
        "" if reads => Room::Webhook,
        "webhook" | "webhooks" => Room::Webhook,
        _ => Room::Approval,
    }
}

/// Makes a [`Function`] of a typed handler.
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
    use http::header::ACCEPT;

    use super::*;

    #[test]
    fn each_path_goes_to_its_function() {
        let source = "project: x\nsources: {s: {preset: svix, secret: env:S, paths: [/hooks/s], targets: [decide]}}";
        let config = Config::parse(source).unwrap();
        let room = |method: &str, path: &str, accept: &str| {
            let request = http::Request::builder().method(method).uri(path).header(ACCEPT, accept);
            let is_api = |path: &str| ["/healthz", "/v1/operations", "/purchases"].contains(&path);
            super::room(&request.body(()).unwrap().into_parts().0, &config, is_api)
        };
        let page = "text/html,application/xhtml+xml";
        assert_eq!(room("POST", "/webhook/inbound", "*/*"), Room::Webhook);
        assert_eq!(room("POST", "/webhooks/humanlayer", "*/*"), Room::Webhook);
        assert_eq!(room("POST", "/hooks/s", "*/*"), Room::Webhook);
        assert_eq!(room("GET", "/inbox/call-1", page), Room::Inbox);
        assert_eq!(room("POST", "/d/token", page), Room::Inbox);
        assert_eq!(room("POST", "/sign-in/token", "*/*"), Room::Inbox);
        assert_eq!(room("GET", "/mail/1/source", "*/*"), Room::Inbox);
        assert_eq!(room("GET", "/purchases", page), Room::Inbox);
        assert_eq!(room("GET", "/purchases", "application/json"), Room::Approval);
        assert_eq!(room("POST", "/purchase-materials", page), Room::Approval);
        assert_eq!(room("GET", "/", page), Room::Inbox);
        assert_eq!(room("GET", "/", "*/*"), Room::Webhook);
        assert_eq!(room("POST", "/", "*/*"), Room::Approval);
        assert_eq!(room("GET", "/healthz", "*/*"), Room::Approval);
        assert_eq!(room("GET", "/healthz", page), Room::Approval);
        assert_eq!(room("GET", "/hooks/s", page), Room::Webhook);
        assert_eq!(room("GET", "/hooks/s/", "*/*"), Room::Webhook);
        for nowhere in ["/nothing", "/webhooks/nobody", "/v1/nothing", "/webhook"] {
            assert_eq!(room("GET", nowhere, page), Room::Inbox, "{nowhere}");
            assert_ne!(room("GET", nowhere, "*/*"), Room::Inbox, "{nowhere}");
        }
        assert_eq!(room("GET", "//humanlayer/v1/function_calls/x", "*/*"), Room::Approval);
    }
}
