use std::collections::BTreeMap;

use placet_local::engines::{QueueTime, Queues, Storage, http_client};
use placet_local::faults::Faults;
use placet_local::system::{Setup, System};
use placet_runtime::engine::Kinds;
use placet_runtime::{Access, Blobs, Clock, Config, Environment};
use placet_worker::{Functions, Shipped, Worker};

use super::{KEY, LINK_SECRET, START, WEBHOOK_SECRET, World};
use crate::ledger::Ledger;
use crate::receiver::Receiver;

/// The secret of an endpoint if a test names no other.
pub const ENDPOINT_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

const OPERATIONS: &str = "
  charge: {executor: {function: charge}, idempotent: true, deadline: 1h}
  charge_once: {executor: {function: charge_once}, idempotent: false, deadline: 1h}
  purchase_materials: {executor: {function: purchase_materials}, idempotent: true}
  panics: {executor: {function: panics}, idempotent: false}
";

const HUMANLAYER: &str = "{preset: svix, secret: env:PLACET_SECRET_HUMANLAYER, paths: [/webhook/inbound], targets: [decide]}";

/// The settings of a world.
pub struct Building {
    operations: String,
    sources: String,
    endpoints: String,
    sections: String,
    defaults: String,
    environment: BTreeMap<String, String>,
    blobs: Option<Blobs>,
}

impl Default for Building {
    fn default() -> Self {
        let building = Self {
            operations: OPERATIONS.to_owned(),
            sources: String::new(),
            endpoints: String::new(),
            sections: String::new(),
            defaults: String::new(),
            environment: BTreeMap::new(),
            blobs: None,
        };
        building
            .source("humanlayer", HUMANLAYER)
            .secret("PLACET_DEMO", "on")
            .secret("PLACET_SECRET_HUMANLAYER", WEBHOOK_SECRET)
            .secret("PLACET_LINK_SECRET", LINK_SECRET)
            .secret("PLACET_INBOX_URL", "http://127.0.0.1:8000")
            .secret("ENDPOINT", ENDPOINT_SECRET)
    }
}

impl Building {
    /// Adds an operation. `members` is YAML in flow style.
    pub fn operation(mut self, name: &str, members: &str) -> Self {
        self.operations += &format!("  {name}: {members}\n");
        self
    }

    /// Adds an operation that an executor on the port of `receiver` runs.
    pub fn executor(self, name: &str, receiver: &Receiver) -> Self {
        let url = format!("http://127.0.0.1:{}/run", receiver.port);
        self.operation(name, &format!("{{executor: {{http: {{url: '{url}'}}}}}}"))
    }

    /// Adds a webhook source. `members` is YAML in flow style.
    pub fn source(mut self, name: &str, members: &str) -> Self {
        self.sources += &format!("  {name}: {members}\n");
        self
    }

    /// Adds an endpoint on the port of `receiver`; its path is its name. The endpoint's secret is
    /// [`ENDPOINT_SECRET`] if `members` names no secrets.
    pub fn endpoint(self, name: &str, receiver: &Receiver, members: &str) -> Self {
        let url = format!("http://127.0.0.1:{}/{name}", receiver.port);
        self.endpoint_at(name, &url, members)
    }

    /// Adds an endpoint with this URL.
    pub fn endpoint_at(mut self, name: &str, url: &str, members: &str) -> Self {
        let secrets = if members.contains("secrets:") { "" } else { "secrets: [env:ENDPOINT]," };
        self.endpoints += &format!("  {name}: {{url: '{url}', {secrets} {members}}}\n");
        self
    }

    /// Adds defaults. `members` is YAML in flow style.
    pub fn defaults(mut self, members: &str) -> Self {
        self.defaults += members;
        self
    }

    /// Adds whole sections of `placet.yaml`.
    pub fn sections(mut self, yaml: &str) -> Self {
        self.sections += yaml;
        self.sections.push('\n');
        self
    }

    /// Sets an environment variable of the functions.
    pub fn secret(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Removes an environment variable of the functions.
    pub fn without(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    /// Replaces the bucket of the engines.
    pub fn blobs(mut self, blobs: Blobs) -> Self {
        self.blobs = Some(blobs);
        self
    }

    fn yaml(&self) -> String {
        let Self { operations, sources, endpoints, sections, defaults, .. } = self;
        let approver =
            if defaults.contains("approver:") { "" } else { "approver: {webhook: humanlayer}," };
        format!(
            "project: default\nprojects: [other]\ndefaults: {{run_for: [placet, humanlayer], {approver} {defaults}}}\noperations:{operations}sources:\n{sources}\
             endpoints:\n{endpoints}outbound: {{allow_hosts: [127.0.0.1]}}\n{sections}"
        )
    }

    pub async fn start(self) -> World {
        self.start_with::<Shipped>().await
    }

    /// Starts the world with workers for the kinds of items in `List`.
    pub async fn start_with<List: Kinds<Worker>>(self) -> World {
        let ledger = Ledger::default();
        let (clock, faults) = (Clock::manual(START), Faults::disarmed());
        let setup = Setup {
            config: Config::parse(&self.yaml()).unwrap(),
            storage: Storage::Memory,
            blobs: self.blobs,
            queues: Queues::over(QueueTime::Manual(clock.clone())),
            environment: Environment::from_iter(self.environment),
            clock: clock.clone(),
            functions: ledger.functions(Functions::shipped()),
            http_client: faults.wrap(http_client()),
            access: Access::Loopback,
            api_key: KEY.to_owned(),
        };
        let system = System::with::<List>(setup).await.unwrap();
        ledger.open(system.engines.dynamodb_client(faults.wrap(http_client())));
        let table = system.engines.dynamodb_client(http_client());
        World { system, clock, faults, table, finished: false }
    }
}
