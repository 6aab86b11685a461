//! The harness: one system, typed clients, a ledger of what really ran, and a guard that fails the
//! test if work is left over.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use http::{Method, Request, StatusCode};
use placet_core::{Operation, OperationId, State, Timestamp, webhook};
use placet_local::engines::{Delays, Storage, TABLE, http_client};
use placet_local::event_source::DrainReport;
use placet_local::faults::{Faults, Plan};
use placet_local::system::{Setup, System};
use placet_runtime::{
    Access, ApiKey, Clock, Config, Environment, Receipt, Role, key_digest, packed,
};
use placet_timer::Tick;
use serde_json::{Value, json};

use crate::ask::{Answer, Ask};
use crate::ledger::Ledger;

pub const KEY: &str = "test-key";
pub const TENANT: &str = "default";
/// A second project of every world.
pub const OTHER: &str = "other";
pub const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub const LINK_SECRET: &str = "a key for links of forty bytes in length";
pub const START: Timestamp = Timestamp::from_millis(1_795_000_000_000);

const CONFIG: &str = "
project: default
projects: [other]
operations:
  charge: {executor: {function: charge}, idempotent: true, deadline: 1h}
  charge_once: {executor: {function: charge_once}, idempotent: false, deadline: 1h}
  purchase_materials: {executor: {function: purchase_materials}, idempotent: true}
  panics: {executor: {function: panics}, idempotent: false}
sources:
  humanlayer: {preset: svix, secret: env:PLACET_SECRET_HUMANLAYER, paths: [/webhook/inbound], targets: [decide]}
";

pub struct World {
    pub system: System,
    pub clock: Clock,
    pub faults: Faults,
    table: Client,
    finished: bool,
}

impl World {
    pub async fn start() -> Self {
        Self::with_environment(&[("PLACET_SECRET_HUMANLAYER", WEBHOOK_SECRET)]).await
    }

    pub async fn with_environment(pairs: &[(&str, &str)]) -> Self {
        Self::with("", pairs).await
    }

    /// A world whose `placet.yaml` has this at its end.
    pub async fn with(config: &str, pairs: &[(&str, &str)]) -> Self {
        Self::over(Storage::Memory, config, pairs).await
    }

    /// The same with table and bucket there.
    pub async fn over(storage: Storage, config: &str, pairs: &[(&str, &str)]) -> Self {
        let clock = Clock::manual(START);
        let faults = Faults::disarmed();
        let own = [("PLACET_LINK_SECRET", LINK_SECRET)];
        let pairs =
            pairs.iter().chain(&own).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let ledger = Ledger::default();
        let system = System::start(Setup {
            storage,
            blobs: None,
            delays: Delays::Ignored,
            config: Config::parse(&format!("{CONFIG}{config}")).unwrap(),
            environment: Environment::from_iter(pairs),
            clock: clock.clone(),
            functions: ledger.functions(),
            http_client: faults.wrap(http_client()),
            access: Access::Loopback,
            api_key: KEY.to_owned(),
        })
        .await
        .unwrap();
        ledger.open(system.engines.dynamodb_client(faults.wrap(http_client())));
        let table = system.engines.dynamodb_client(http_client());
        Self { system, clock, faults, table, finished: false }
    }

    pub fn advance(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    pub fn post(&self, path: &str) -> Ask<'_> {
        self.ask(Method::POST, path)
    }

    pub fn get(&self, path: &str) -> Ask<'_> {
        self.ask(Method::GET, path)
    }

    pub fn ask(&self, method: Method, path: &str) -> Ask<'_> {
        let request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:8000");
        Ask::new(self, request)
    }

    /// Makes a key of this role for a project.
    pub async fn key(&self, role: Role, tenant: &str) -> String {
        let key = format!("{}-key-of-{tenant}", role.as_str());
        let api_key = ApiKey { role, ..ApiKey::new(tenant, role.as_str(), self.clock.now()) };
        self.system.runtime.store.put_api_key(key_digest(&key), &api_key).await.unwrap();
        key
    }

    /// Creates a call of this function and hands back its id.
    pub async fn create(&self, call_id: &str, function: &str) -> Answer {
        self.create_with(KEY, call_id, function).await
    }

    pub async fn create_with(&self, key: &str, call_id: &str, function: &str) -> Answer {
        let body = json!({"run_id": "run", "call_id": call_id, "spec": {"fn": function, "kwargs": {"amount": 7}}});
        self.post("/humanlayer/v1/function_calls").key(key).json(&body).send().await
    }

    pub async fn respond(&self, call_id: &str, approved: bool) -> Answer {
        self.respond_with(KEY, call_id, approved).await
    }

    pub async fn respond_with(&self, key: &str, call_id: &str, approved: bool) -> Answer {
        let path = format!("/humanlayer/v1/agent/function_calls/{call_id}/respond");
        let body = json!({"approved": approved, "comment": "because"});
        self.post(&path).key(key).json(&body).send().await
    }

    pub async fn approved(&self, call_id: &str, function: &str) {
        assert_eq!(self.create(call_id, function).await.status, StatusCode::OK);
        assert_eq!(self.respond(call_id, true).await.status, StatusCode::OK);
    }

    /// A delivery of HumanLayer's cloud, signed now.
    pub async fn deliver(&self, delivery_id: &str, body: &Value) -> Answer {
        let body = body.to_string();
        let secret = webhook::parse_secret(WEBHOOK_SECRET).unwrap();
        let now = self.clock.now();
        self.post("/webhook/inbound")
            .header("svix-id", delivery_id)
            .header("svix-timestamp", &now.seconds().to_string())
            .header("svix-signature", &webhook::sign(&secret, delivery_id, now, body.as_bytes()))
            .body(body)
            .send()
            .await
    }

    /// Runs `work` with this crash; says whether it was reached. What comes after meets no fault.
    pub async fn crashes(&self, plan: Plan, work: impl Future) -> bool {
        self.faults.arm(plan);
        let crashed = self.faults.run_until_crash(work).await.is_none();
        self.faults.reset();
        crashed
    }

    /// Works off the queue until it is empty.
    pub async fn work(&self) -> DrainReport {
        self.system.event_source.drain().await.unwrap()
    }

    pub async fn tick(&self) -> Tick {
        self.system.timer.handle().await.unwrap()
    }

    /// Lets time pass and everything happen until nothing is under way any more.
    pub async fn settle(&self) {
        for _ in 0..50 {
            self.work().await;
            if self.under_way().await == 0 {
                return;
            }
            self.advance(Duration::from_secs(16 * 60));
            self.tick().await;
        }
        panic!("still under way after fifty rounds");
    }

    async fn under_way(&self) -> usize {
        let operations = self.open_operations().await;
        let moving = |one: &&Operation| matches!(one.state, State::Queued | State::Running);
        let moving = operations.iter().filter(moving).count();
        moving + self.open_receipts().await + self.open_deliveries().await
    }

    pub async fn open_receipts(&self) -> usize {
        self.count("receipt_state", "received").await
    }

    async fn open_deliveries(&self) -> usize {
        self.count("delivery_state", "pending").await
    }

    async fn count(&self, attribute: &str, value: &str) -> usize {
        let items = self.table.scan().table_name(TABLE).filter_expression("#a = :v");
        let items = items.expression_attribute_names("#a", attribute);
        let value = AttributeValue::S(value.to_owned());
        items.expression_attribute_values(":v", value).send().await.unwrap().items().len()
    }

    /// Every receipt there is.
    pub async fn receipts(&self) -> Vec<Receipt> {
        let items = self.table.scan().table_name(TABLE).filter_expression("sk = :rc");
        let kind = AttributeValue::S("RC".to_owned());
        let found =
            items.expression_attribute_values(":rc", kind).projection_expression("pk").send();
        let mut receipts = Vec::new();
        for item in found.await.unwrap().items() {
            let id = item["pk"].as_s().unwrap().strip_prefix("RC#").unwrap();
            receipts.push(self.system.runtime.store.receipt(id).await.unwrap().unwrap());
        }
        receipts
    }

    pub async fn open_operations(&self) -> Vec<Operation> {
        let mut open = Vec::new();
        self.system.runtime.store.each_open(TENANT, |one| open.push(one)).await.unwrap();
        open
    }

    pub async fn operation(&self, call_id: &str) -> Operation {
        let found =
            self.system.runtime.store.operation(&OperationId::call(TENANT, call_id), true).await;
        found.unwrap().unwrap_or_else(|| panic!("there is no operation {call_id}"))
    }

    pub async fn state(&self, call_id: &str) -> State {
        self.operation(call_id).await.state
    }

    /// How often an operation really took effect.
    pub async fn effects(&self, call_id: &str) -> usize {
        let query = self.table.query().table_name(TABLE).key_condition_expression("pk = :pk");
        let pk = AttributeValue::S(format!("LEDGER#{call_id}"));
        query.expression_attribute_values(":pk", pk).send().await.unwrap().items().len()
    }

    /// Where an operation stands, and how often it really took effect.
    pub async fn ended(&self, call_id: &str) -> (State, usize) {
        (self.state(call_id).await, self.effects(call_id).await)
    }

    /// Everything in the table, as text, sorted: two of these show whether anything changed.
    pub async fn contents(&self) -> Vec<String> {
        let items = self.table.scan().table_name(TABLE).send().await.unwrap();
        let text = |item: &std::collections::HashMap<String, AttributeValue>| {
            let sorted: std::collections::BTreeMap<_, _> = item.iter().collect();
            format!("{sorted:?}")
        };
        let mut contents: Vec<String> = items.items().iter().map(text).collect();
        contents.sort();
        contents
    }

    /// Changes an operation behind the store's back.
    pub async fn tamper(&self, call_id: &str, change: impl FnOnce(&mut Value)) {
        let pk = AttributeValue::S(format!("T#{TENANT}#OP#function_call#{call_id}"));
        let sk = AttributeValue::S("OP".to_owned());
        let item = self.table.get_item().table_name(TABLE).key("pk", pk).key("sk", sk);
        let mut item = item.send().await.unwrap().item.unwrap();
        let packed = item["operation1"].as_b().unwrap().as_ref();
        let mut operation = serde_json::from_slice(&packed::unpack(packed).unwrap()).unwrap();
        change(&mut operation);
        let packed = packed::pack(operation.to_string().as_bytes()).unwrap();
        item.insert("operation1".to_owned(), AttributeValue::B(packed.into()));
        self.table.put_item().table_name(TABLE).set_item(Some(item)).send().await.unwrap();
    }

    /// Writes an item behind the store's back.
    pub async fn put<const N: usize>(&self, item: [(&str, AttributeValue); N]) {
        let item = item.map(|(name, value)| (name.to_owned(), value)).into();
        self.table.put_item().table_name(TABLE).set_item(Some(item)).send().await.unwrap();
    }

    /// Deletes an item, as DynamoDB does when its time to live is over.
    pub async fn forget(&self, pk: &str, sk: &str) {
        let key = |text: &str| AttributeValue::S(text.to_owned());
        let delete = self.table.delete_item().table_name(TABLE);
        delete.key("pk", key(pk)).key("sk", key(sk)).send().await.unwrap();
    }

    /// How many messages the dead-letter queue holds.
    pub async fn dead_letters(&self) -> usize {
        let sqs = self.system.engines.sqs_client(http_client());
        let received = sqs.receive_message().queue_url(self.system.engines.dead_letter_queue_url());
        received.max_number_of_messages(10).send().await.unwrap().messages().len()
    }

    pub async fn send_raw(&self, body: &str) {
        let sqs = self.system.engines.sqs_client(http_client());
        let send = sqs.send_message().queue_url(self.system.engines.queue_url());
        send.message_body(body).send().await.unwrap();
    }

    /// Ends a test that leaves things broken on purpose.
    pub fn abandon(mut self) {
        self.finished = true;
    }

    /// Ends the test: nothing may be under way, and nothing may wait on the queue.
    pub async fn finish(mut self) {
        let left = self.work().await;
        assert_eq!(left.failed, 0, "messages that can not be worked off are left: {left:?}");
        assert_eq!(
            self.under_way().await,
            0,
            "operations, receipts or deliveries are left under way"
        );
        self.finished = true;
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !self.finished && !std::thread::panicking() {
            panic!("the test did not call finish(): work may be left over");
        }
    }
}
