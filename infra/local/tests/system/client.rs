//! Typed requests and replies of our own API. `client/humanlayer.rs` has those of HumanLayer's API.

mod humanlayer;

use std::marker::PhantomData;

use http::StatusCode;
use placet_core::operation::{Actor, OperationKind};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::request::Reply;
use crate::world::{KEY, World};

/// The content of a new operation, for either API.
#[derive(Clone, Debug)]
pub struct Draft {
    kind: OperationKind,
    run_id: String,
    call_id: Option<String>,
    spec: Map<String, Value>,
}

/// A function call with an amount of 7.
pub fn call(call_id: &str, function: &str) -> Draft {
    let draft = Draft::new(OperationKind::FunctionCall, call_id).with("fn", function);
    draft.with("kwargs", json!({"amount": 7}))
}

/// A question to a person.
pub fn question(call_id: &str, message: &str) -> Draft {
    Draft::new(OperationKind::HumanContact, call_id).with("msg", message)
}

impl Draft {
    fn new(kind: OperationKind, call_id: &str) -> Self {
        let (run_id, call_id) = ("run".to_owned(), Some(call_id.to_owned()));
        Self { kind, run_id, call_id, spec: Map::new() }
    }

    pub fn run(mut self, run_id: &str) -> Self {
        run_id.clone_into(&mut self.run_id);
        self
    }

    /// Without a call id: the server chooses one.
    pub fn without_id(mut self) -> Self {
        self.call_id = None;
        self
    }

    /// Sets a member of the spec.
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.spec.insert(member.to_owned(), value.into());
        self
    }

    /// The body for our own API.
    pub fn native(&self) -> Value {
        let mut body = self.spec.clone();
        body.insert("kind".to_owned(), self.kind.as_str().into());
        body.insert("run_id".to_owned(), self.run_id.clone().into());
        body.extend(self.call_id.clone().map(|id| ("call_id".to_owned(), id.into())));
        body.into()
    }

    /// The body for HumanLayer's API, as its clients send it.
    pub fn humanlayer(&self) -> Value {
        json!({"run_id": self.run_id, "call_id": self.call_id, "spec": self.spec, "status": null})
    }
}

/// A reply. Its body is a `T` if the request succeeded.
#[derive(Debug)]
pub struct Typed<T> {
    pub reply: Reply,
    body: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Typed<T> {
    fn new(reply: Reply) -> Self {
        Self { reply, body: PhantomData }
    }

    /// Checks the status and returns the body.
    #[track_caller]
    pub fn is(&self, status: StatusCode) -> T {
        assert_eq!(self.reply.status, status, "{:?}", self.reply);
        serde_json::from_str(&self.reply.text)
            .unwrap_or_else(|error| panic!("{error}: {}", self.reply.text))
    }

    /// Checks that the status is 200 and returns the body.
    #[track_caller]
    pub fn ok(&self) -> T {
        self.is(StatusCode::OK)
    }

    /// Checks that the request was refused with this status and code, and returns the problem.
    #[track_caller]
    pub fn refused(&self, status: StatusCode, code: &str) -> Problem {
        assert_eq!(self.reply.content_type, "application/problem+json", "{:?}", self.reply);
        let problem: Problem = serde_json::from_str(&self.reply.text).unwrap();
        assert_eq!((self.reply.status, problem.code.as_str()), (status, code), "{:?}", self.reply);
        problem
    }
}

/// The body of a refusal (RFC 9457).
#[derive(Debug, Deserialize)]
pub struct Problem {
    pub code: String,
    #[serde(default)]
    pub detail: String,
    #[serde(default)]
    pub errors: Vec<FieldProblem>,
}

#[derive(Debug, Deserialize)]
pub struct FieldProblem {
    pub pointer: String,
}

impl Problem {
    /// The pointer to the only wrong member.
    #[track_caller]
    pub fn pointer(&self) -> &str {
        assert_eq!(self.errors.len(), 1, "{self:?}");
        &self.errors[0].pointer
    }
}

/// One page of a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

/// An operation in a reply of our own API.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct OperationReply {
    pub kind: String,
    pub call_id: String,
    pub run_id: String,
    pub state: String,
    pub digest: String,
    pub executor: Option<String>,
    pub inbox: String,
    pub attempts: u32,
    pub decision: Option<DecisionReply>,
    pub outcome: Option<Value>,
    pub history: Vec<HistoryEntry>,
    pub webhooks: Vec<WebhookReply>,
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// An operation in a list.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct OperationSummary {
    pub call_id: String,
    pub state: String,
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct DecisionReply {
    pub verdict: String,
    #[serde(default)]
    pub comment: String,
    #[serde(default)]
    pub answer: String,
    pub option: Option<String>,
    pub by: Actor,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct HistoryEntry {
    pub event: String,
    pub by: Option<Actor>,
    pub detail: Option<Value>,
}

/// A notification of an event of an operation to an endpoint.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct WebhookReply {
    pub endpoint: String,
    pub event_type: String,
    pub number: u32,
    pub delivery_id: String,
    pub state: Option<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct ReceiptReply {
    pub id: String,
    pub source: String,
    pub delivery_id: Option<String>,
    pub state: String,
    pub note: String,
    pub replays: Option<Value>,
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct DeliveryReply {
    pub id: String,
    pub endpoint: String,
    pub event_type: String,
    pub state: String,
    pub attempts: u32,
    pub next_attempt_at: Option<String>,
    pub last_status: Option<u16>,
    #[serde(default)]
    pub log: Vec<AttemptReply>,
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct AttemptReply {
    pub attempt: u32,
    pub status: Option<u16>,
    pub error: Option<String>,
    pub answer: Option<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct EndpointReply {
    pub name: String,
    pub state: String,
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A decision through our own API.
#[derive(Clone, Debug)]
pub struct Decision(Map<String, Value>);

impl Decision {
    pub fn approve() -> Self {
        Self::of("approve")
    }

    pub fn deny() -> Self {
        Self::of("deny")
    }

    pub fn answer(answer: &str) -> Self {
        Self::of("answer").with("answer", answer)
    }

    fn of(verdict: &str) -> Self {
        Self(Map::new()).with("verdict", verdict)
    }

    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.0.insert(member.to_owned(), value.into());
        self
    }

    pub fn comment(self, comment: &str) -> Self {
        self.with("comment", comment)
    }

    /// Adds the digest that the approver saw.
    pub fn seen(self, digest: &str) -> Self {
        self.with("digest", digest)
    }
}

/// A client of both APIs with one key.
#[derive(Clone, Copy)]
pub struct Client<'a> {
    world: &'a World,
    key: &'a str,
}

impl World {
    /// A client with the key of the main project.
    pub fn client(&self) -> Client<'_> {
        self.client_with(KEY)
    }

    pub fn client_with<'a>(&'a self, key: &'a str) -> Client<'a> {
        Client { world: self, key }
    }
}

impl Client<'_> {
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Typed<T> {
        Typed::new(self.world.get(path).key(self.key).send().await)
    }

    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Typed<T> {
        Typed::new(self.world.post(path).key(self.key).json(body).send().await)
    }

    /// Posts without a body.
    pub async fn command<T: DeserializeOwned>(&self, path: &str) -> Typed<T> {
        Typed::new(self.world.post(path).key(self.key).send().await)
    }

    /// Creates an operation through our own API.
    pub async fn create(&self, draft: &Draft) -> Typed<OperationReply> {
        self.post("/v1/operations", &draft.native()).await
    }

    /// Creates an operation through our own API, with an idempotency key.
    pub async fn create_under(
        &self,
        idempotency_key: &str,
        draft: &Draft,
    ) -> Typed<OperationReply> {
        let post = self.world.post("/v1/operations").key(self.key).json(&draft.native());
        Typed::new(post.header("idempotency-key", idempotency_key).send().await)
    }

    /// Creates an operation through our own API and checks that it is new.
    pub async fn created(&self, draft: &Draft) -> OperationReply {
        self.create(draft).await.is(StatusCode::CREATED)
    }

    /// Reads an operation. `path` is a kind and a call id.
    pub async fn operation(&self, path: &str) -> OperationReply {
        self.get(&format!("/v1/operations/{path}")).await.ok()
    }

    pub async fn decide(&self, path: &str, decision: &Decision) -> Typed<OperationReply> {
        let Decision(body) = decision.clone();
        self.post(&format!("/v1/operations/{path}/decision"), &body.into()).await
    }

    pub async fn cancel(&self, path: &str, reason: &str) -> Typed<OperationReply> {
        let body = json!({"reason": reason});
        self.post(&format!("/v1/operations/{path}/cancel"), &body).await
    }

    pub async fn receipt(&self, id: &str) -> ReceiptReply {
        self.get(&format!("/v1/receipts/{id}")).await.ok()
    }

    pub async fn delivery(&self, id: &str) -> DeliveryReply {
        self.get(&format!("/v1/deliveries/{id}")).await.ok()
    }
}
