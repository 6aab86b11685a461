//! An operation: a function call to approve, or a question to a person. This module also covers the
//! execution of an approved call.
//!
//! The state machine takes a [`Command`] and returns the next operation or a [`Refusal`]
//! (`transition.rs`).

mod actor;
mod approvers;
mod command;
mod contact;
mod content;
mod decision;
mod digest;
mod event;
mod execution;
mod history;
mod id;
mod limits;
mod links;
mod notice;
mod options;
mod plan;
mod refusal;
mod reminder;
mod response;
mod state;
mod transition;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::item::{Item, Write};
use crate::{Digest, Timestamp};

pub use actor::{Actor, Identity, Proof};
pub use approvers::Approvers;
pub use command::{Command, Report, Settlement};
pub use contact::{
    ContactChannel, EmailContact, Escalation, PhoneContact, Recipient, SlackContact,
};
pub use content::Content;
pub use event::{Event, Occurrence};
pub use history::{Entry, History, HistoryBroken};
pub use id::{OperationId, OperationKind, is_call_id};
pub use limits::is_comment;
pub use notice::{Notice, Notified};
pub use options::ResponseOption;
pub use plan::{Plan, Upstream};
pub use refusal::Refusal;
pub use reminder::{DueEscalation, FollowUp};
pub use response::Response;
pub use state::State;
pub use transition::Work;

/// The verdict of an approver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Run the call.
    Approve,
    /// Do not run the call.
    Deny,
    /// The answer to a question.
    Answer,
}

/// The decision of an approver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The verdict of the approver.
    pub verdict: Verdict,
    /// The comment, or the answer to a question. A comment may be empty; an answer is not.
    pub comment: String,
    /// The name of the chosen option.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// Who decided, and how they proved it.
    pub by: Actor,
    /// The time of the decision.
    pub at: Timestamp,
    /// The digest of the operation at the decision.
    pub digest: Digest,
}

/// The reason why an operation failed or why its outcome is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// A stable code: `digest_mismatch`, `rejected`, `attempts_exhausted`, …
    pub code: String,
    /// A sentence for a person.
    pub message: String,
}

impl Failure {
    /// A failure. It keeps the first 1000 characters of the message, because the history stores the message.
    pub fn new(code: &str, message: &str) -> Self {
        Self { code: code.to_owned(), message: message.chars().take(1000).collect() }
    }
}

/// The outcome of the execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The result that the executor returned.
    Result(Value),
    /// The reason why there is no result.
    Failure(Failure),
}

/// An operation: the request, the decision and the outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// The requester's id of the agent run.
    pub run_id: String,
    /// The content that an approver decides on.
    pub content: Content,
    /// How to reach the approver, as the requester specified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ContactChannel>,
    /// The options that the requester offers: reasons for a denial of a call, or replies to a question.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<ResponseOption>,
    /// A value that the requester wants back with the decision (`state`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester_state: Option<Map<String, Value>>,
    /// Other members of the specification. Placet stores them and returns them.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub other: Map<String, Value>,
    /// How a worker runs the call after its approval; `None` if the requester runs the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// The upstream approver, which may decide, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Upstream>,
    /// Who else may decide.
    #[serde(default)]
    pub approvers: Approvers,
    /// The ids of the decision links that were revoked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked_links: Vec<String>,
    /// The digest of the content that an approver sees and approves (law 1).
    pub digest: Digest,
    /// The last moment at which an approver can decide.
    pub deadline: Timestamp,
    /// The times of the reminders that are still to come while the operation is pending, the earliest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reminders: Vec<Timestamp>,
    /// The escalation that is still to come while the operation is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<DueEscalation>,
    /// How often a person was reminded of the operation.
    #[serde(default, skip_serializing_if = "crate::item::is_zero")]
    pub reminded: u32,
    /// The state of the operation.
    pub state: State,
    /// The decision; `None` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// How many attempts have started.
    pub attempts: u32,
    /// How many attempts may start in total.
    pub attempt_limit: u32,
    /// The next attempt starts no earlier than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Until when attempts that are known not to have run are retried; `None` before the first attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_until: Option<Timestamp>,
    /// When to remind a person of the unknown outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_at: Option<Timestamp>,
    /// Whether an attempt ended unclear: the call may have had its effect.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unclear: bool,
    /// When the worker's lease expires; `None` if no worker runs the operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leased_until: Option<Timestamp>,
    /// The outcome of the execution; `None` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The hash-chained history.
    pub history: History,
}

/// The specification of an operation, as the requester wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct Specification {
    /// The content that an approver decides on.
    pub content: Content,
    /// How to reach the approver, as the requester specified.
    pub channel: Option<ContactChannel>,
    /// The options that the requester offers.
    pub options: Vec<ResponseOption>,
    /// A value that the requester wants back with the decision (`state`).
    pub requester_state: Option<Map<String, Value>>,
    /// Other members that the requester wrote.
    pub other: Map<String, Value>,
}

impl Specification {
    /// A specification with this content and nothing else.
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

/// The input of [`Operation::create`].
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// The project, kind and call id.
    pub id: OperationId,
    /// The requester's id of the agent run.
    pub run_id: String,
    /// The specification of the requester.
    pub specification: Specification,
    /// How a worker runs the call after its approval.
    pub plan: Option<Plan>,
    /// The base URL of the upstream approver's API, if there is an upstream approver.
    pub upstream: Option<String>,
    /// Who else may decide.
    pub approvers: Approvers,
    /// How long the approver has to decide.
    pub time_to_decide: Duration,
    /// When to remind of the operation, and when to escalate it.
    pub follow_up: FollowUp,
    /// Whom to notify of the request.
    pub notify: Vec<Notice>,
    /// The requester.
    pub by: Actor,
}

impl NewOperation {
    /// A request without anything of `placet.yaml`: no executor, no upstream approver, everybody may decide, and nobody
    /// is reminded or notified.
    pub fn plain(
        id: OperationId,
        run_id: impl Into<String>,
        specification: Specification,
        time_to_decide: Duration,
        by: Actor,
    ) -> Self {
        Self {
            id,
            run_id: run_id.into(),
            specification,
            plan: None,
            upstream: None,
            approvers: Approvers::default(),
            time_to_decide,
            follow_up: FollowUp::default(),
            notify: Vec::new(),
            by,
        }
    }
}

impl Operation {
    /// Creates a pending operation, with a pending child for each notification of the request.
    pub fn create(new: NewOperation, write: &Write<'_>) -> Item<Self> {
        let now = write.at;
        let deadline = now.plus(new.time_to_decide);
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
            approvers: new.approvers,
            revoked_links: Vec::new(),
            digest: Digest::of_bytes(b""),
            deadline,
            reminders: new.follow_up.reminders(now, deadline),
            escalation: new.follow_up.escalation(now, deadline),
            reminded: 0,
            state: State::Pending,
            decision: None,
            attempts: 0,
            not_before: None,
            retry_until: None,
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
        let requested = Occurrence { event: Event::Requested, number: 1, at: now };
        let wanted = new.notify.iter().filter(|notice| notice.event == Event::Requested);
        item.header.children = wanted.map(|notice| notice.child(&new.id, requested)).collect();
        item
    }

    /// The kind of the operation.
    pub const fn kind(&self) -> OperationKind {
        self.content.kind()
    }

    /// The state at `now`. A pending operation past its deadline counts as expired, even if the expiry is not
    /// written yet (law 5).
    pub fn state_at(&self, now: Timestamp) -> State {
        if self.state == State::Pending && now > self.deadline {
            State::Expired
        } else {
            self.state
        }
    }

    /// The specification as JSON, for comparison.
    fn specified(&self) -> Value {
        json!([
            self.content.digested(),
            self.channel,
            self.options,
            self.requester_state,
            self.other,
        ])
    }

    /// Whether the two operations have the same specification. The comparison ignores the run id, because an
    /// agent that restarts has a new run id.
    pub fn specifies_the_same(&self, other: &Self) -> bool {
        // Compare canonical JSON, so that `1` and `1.0` are the same argument.
        let canonical = |one: &Self| crate::canonical::to_string(&one.specified());
        canonical(self) == canonical(other)
    }
}

impl Item<Operation> {
    /// The full id of this operation.
    pub fn id(&self) -> OperationId {
        OperationId::new(self.project(), self.kind(), self.call_id())
    }

    /// The call id.
    pub fn call_id(&self) -> &str {
        let id = self.header.id.as_str();
        id.split_once('/').map_or(id, |(_, call_id)| call_id)
    }
}
