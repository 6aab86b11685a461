//! An operation: a function call to approve, or a question to a person; and how it is run.
//!
//! The state machine is [`Command`] in, [`Refusal`] or next operation out (`transition.rs`).

mod actor;
mod command;
mod contact;
mod content;
mod decision;
mod digest;
mod execution;
mod history;
mod id;
mod limits;
mod notice;
mod options;
mod plan;
mod refusal;
mod response;
mod state;
mod transition;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::item::{Item, Write};
use crate::{Digest, Timestamp};

pub use actor::{Actor, Channel, UnknownChannel};
pub use command::{Command, Report, Settlement};
pub use contact::{
    ContactChannel, EmailContact, Escalation, PhoneContact, Recipient, SlackContact,
};
pub use content::Content;
pub use history::{Entry, History, HistoryBroken};
pub use id::{LONGEST_ID, OperationId, OperationKind, is_call_id};
pub use limits::{
    LONGEST_ADDRESS, LONGEST_ESCALATION, MOST_ESCALATIONS, MOST_RECIPIENTS, MOST_RUNS_AGAIN,
    is_comment,
};
pub use notice::Notice;
pub use options::ResponseOption;
pub use plan::{Plan, Upstream};
pub use refusal::Refusal;
pub use response::Response;
pub use state::State;
pub use transition::Work;

/// What a person decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Run it.
    Approve,
    /// Do not run it.
    Deny,
    /// The answer to a question.
    Answer,
}

/// A person's decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What the person decided.
    pub verdict: Verdict,
    /// What the person wrote; may be empty unless it is the answer.
    pub comment: String,
    /// The name of the option that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// How it came, and from whom.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// The digest of what was decided on.
    pub digest: Digest,
}

/// Why an operation failed, or why its outcome is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// A stable code: `digest_mismatch`, `rejected`, `attempts_exhausted`, …
    pub code: String,
    /// A sentence for a person.
    pub message: String,
}

impl Failure {
    /// A failure; of the message the first thousand characters are kept, because it stays in the
    /// history.
    pub fn new(code: &str, message: &str) -> Self {
        Self { code: code.to_owned(), message: message.chars().take(1000).collect() }
    }
}

/// How the execution ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// What the executor returned.
    Result(Value),
    /// Why there is no result.
    Failure(Failure),
}

/// An operation: what was requested, what was decided, what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// The requester's id of the run this call belongs to.
    pub run_id: String,
    /// What a person decides on.
    pub content: Content,
    /// How the requester wants the person to be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ContactChannel>,
    /// The answers the requester offers: to a call the reasons for a denial, to a question the replies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<ResponseOption>,
    /// What the requester wants to get back with the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester_state: Option<Map<String, Value>>,
    /// What else the requester wrote: kept, and given back.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub other: Map<String, Value>,
    /// How it is run once approved; `None` if the requester runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// Who else may decide it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Upstream>,
    /// What a person is shown and approves (law 1).
    pub digest: Digest,
    /// The last moment at which it can be decided.
    pub deadline: Timestamp,
    /// Where it stands.
    pub state: State,
    /// What a person decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// How many attempts were started.
    pub attempts: u32,
    /// How many attempts may be started in all.
    pub attempt_limit: u32,
    /// No attempt starts before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// When a person is reminded of its unknown outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_at: Option<Timestamp>,
    /// Whether it is unknown of an attempt if it took effect.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unclear: bool,
    /// When the lease of the worker that runs it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leased_until: Option<Timestamp>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What happened, hash-chained.
    pub history: History,
}

/// What a requester specifies.
#[derive(Clone, Debug, PartialEq)]
pub struct Specification {
    /// What a person decides on.
    pub content: Content,
    /// How the requester wants the person to be reached.
    pub channel: Option<ContactChannel>,
    /// The answers it offers.
    pub options: Vec<ResponseOption>,
    /// What it wants to get back with the decision.
    pub requester_state: Option<Map<String, Value>>,
    /// What else it wrote.
    pub other: Map<String, Value>,
}

impl Specification {
    /// One of this content and nothing else.
    pub fn of(content: Content) -> Self {
        Self {
            content,
            channel: None,
            options: Vec::new(),
            requester_state: None,
            other: Map::new(),
        }
    }
}

/// What an operation is created from.
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// Its project, kind and id.
    pub id: OperationId,
    /// The requester's id of the run.
    pub run_id: String,
    /// What the requester specifies.
    pub specification: Specification,
    /// How it is run once approved.
    pub plan: Option<Plan>,
    /// Where the API of the upstream approver is, if there is one.
    pub upstream: Option<String>,
    /// How long a person has to decide.
    pub time_to_decide: Duration,
    /// How it came, and from whom.
    pub by: Actor,
}

impl Operation {
    /// A pending operation.
    pub fn create(new: NewOperation, write: &Write<'_>) -> Item<Self> {
        let now = write.at;
        let Specification { content, channel, options, requester_state, other } = new.specification;
        let upstream =
            new.upstream.map(|base_url| Upstream { base_url, polls: 0, next_poll: Some(now) });
        let operation = Self {
            run_id: new.run_id,
            content,
            channel,
            options,
            requester_state,
            other,
            attempt_limit: new.plan.as_ref().map_or(0, |plan| plan.max_attempts),
            plan: new.plan,
            upstream,
            digest: Digest::of_bytes(b""),
            deadline: now.plus(new.time_to_decide),
            state: State::Pending,
            decision: None,
            attempts: 0,
            not_before: None,
            remind_at: None,
            unclear: false,
            leased_until: None,
            outcome: None,
            history: History::default(),
        };
        let mut item = Item::new(&new.id.project, &new.id.path(), operation, write);
        item.body.digest = item.content_digest();
        let detail = json!({"digest": item.digest, "deadline": item.deadline});
        let identity = item.identity();
        item.body.history.record(identity, now, "created", new.by, detail);
        item
    }

    /// What a person is asked to do.
    pub const fn kind(&self) -> OperationKind {
        self.content.kind()
    }

    /// Where it stands at `now`: a pending operation past its deadline is expired, whether or not that is
    /// written yet (law 5).
    pub fn state_at(&self, now: Timestamp) -> State {
        if self.state == State::Pending && now > self.deadline {
            State::Expired
        } else {
            self.state
        }
    }

    /// What the requester specified.
    fn specified(&self) -> Value {
        json!([
            self.content.digested(),
            self.channel,
            self.options,
            self.requester_state,
            self.other,
        ])
    }

    /// Whether a second creation specifies the same as this one. The run is not part of it: an agent that
    /// starts again has a new one.
    pub fn specifies_the_same(&self, other: &Self) -> bool {
        // As canonical JSON, so that `1` and `1.0` are the same argument.
        let canonical = |one: &Self| crate::canonical::to_string(&one.specified());
        canonical(self) == canonical(other)
    }
}

impl Item<Operation> {
    /// Which operation this is.
    pub fn id(&self) -> OperationId {
        OperationId::new(self.project(), self.kind(), self.call_id())
    }

    /// The requester's id of it.
    pub fn call_id(&self) -> &str {
        let id = self.header.id.as_str();
        id.split_once('/').map_or(id, |(_, call_id)| call_id)
    }
}
