use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Digest, Entry, History, HistoryBroken, Timestamp};

/// What kind of thing a person is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// May this function be called with these arguments?
    FunctionCall,
}

impl Kind {
    /// The name in keys, digests and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FunctionCall => "function_call",
        }
    }
}

/// Where an operation stands.
///
/// `pending → approved | denied | expired`; one with an executor goes on from the approval
/// `→ queued → running → succeeded | failed | unknown`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for a person.
    Pending,
    /// A person said yes; nothing runs here, the asker acts on it. Terminal.
    Approved,
    /// A person said no. Terminal.
    Denied,
    /// Nobody decided before the deadline. Terminal.
    Expired,
    /// A person said yes; waits for a worker, or for its next attempt.
    Queued,
    /// A worker holds the lease.
    Running,
    /// It ran, the result is recorded. Terminal.
    Succeeded,
    /// It is known not to have run to success. Terminal.
    Failed,
    /// It may or may not have run. Never tried again until a person has settled it.
    Unknown,
}

impl State {
    /// The name on every surface.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// Whether nothing can happen any more. Everything else has a due time (law 3).
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Approved | Self::Denied | Self::Expired | Self::Succeeded | Self::Failed
        )
    }
}

/// How an approved operation is run. Fixed at creation: a person approves this, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What runs it, in words a person reads: `function purchase_materials`, `POST https://…`.
    pub executor: String,
    /// Whether running it twice with one idempotency key has the effect of running it once.
    pub idempotent: bool,
    /// How often it may be tried before it is given up.
    pub max_attempts: u32,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How long a sign of life may be missing before the timer drives it again.
    pub redrive: Duration,
}

impl Plan {
    /// The revision a person's approval is bound to: what runs and whether it may be repeated.
    pub fn revision(&self) -> Digest {
        Digest::of_json(&json!({"executor": self.executor, "idempotent": self.idempotent}))
    }
}

/// What a person said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Yes.
    Approve,
    /// No.
    Deny,
}

/// A person's decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Yes or no.
    pub verdict: Verdict,
    /// What the person wrote; may be empty.
    pub comment: String,
    /// The name of the reject option that was chosen.
    pub option: Option<String>,
    /// Through which door it came: `inbox`, `link`, `api`, `webhook <source>`.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The digest of what was decided on.
    pub digest: Digest,
}

/// A worker's claim to be the one who runs the current attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The attempt, from 1.
    pub attempt: u32,
    /// From this moment on the worker is taken for dead.
    pub until: Timestamp,
}

/// Why an operation failed, or why nobody knows.
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

/// An operation: what is asked, what was decided, what came of it. One item in the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// Whose it is.
    pub tenant: String,
    /// What kind of question it is.
    pub kind: Kind,
    /// The asker's id of this call, unique in tenant and kind.
    pub call_id: String,
    /// The asker's id of the run this call belongs to.
    pub run_id: String,
    /// The function to call.
    pub function: String,
    /// Its arguments; an object but for odd clients, never null.
    pub kwargs: Value,
    /// The rest of the asker's specification, kept and echoed: channel, reject options, state.
    pub extras: Map<String, Value>,
    /// How it is run once approved; `None` if the asker runs it.
    pub plan: Option<Plan>,
    /// What a person is shown and approves (law 1).
    pub digest: Digest,
    /// When it was asked.
    pub created_at: Timestamp,
    /// The last moment at which it can be decided.
    pub deadline: Timestamp,
    /// Where it stands.
    pub state: State,
    /// Counts the writes, from 1. Every write is conditional on it (law 2).
    pub version: u64,
    /// The id of the last write.
    pub last_write: String,
    /// When the timer looks at it if nothing else happens. `None` exactly in a terminal state.
    pub due: Option<Timestamp>,
    /// What a person said.
    pub decision: Option<Decision>,
    /// Attempts started so far.
    pub attempts: u32,
    /// How many attempts may be started in all.
    pub attempt_limit: u32,
    /// No attempt starts before this moment.
    pub not_before: Option<Timestamp>,
    /// Whether an attempt ended without anybody knowing if it took effect.
    pub unclear: bool,
    /// Who runs it now.
    pub lease: Option<Lease>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// What happened, hash-chained.
    pub history: History,
}

/// What an asker brings to create an operation.
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// Whose it is.
    pub tenant: String,
    /// The asker's id of this call.
    pub call_id: String,
    /// The asker's id of the run.
    pub run_id: String,
    /// The function to call.
    pub function: String,
    /// Its arguments.
    pub kwargs: Value,
    /// The rest of the specification.
    pub extras: Map<String, Value>,
    /// How it is run once approved.
    pub plan: Option<Plan>,
    /// How long a person has to decide.
    pub time_to_decide: Duration,
    /// Through which door it came.
    pub by: String,
}

impl Operation {
    /// A pending operation. `write` is the id of the write that stores it.
    pub fn create(new: NewOperation, write: &str, now: Timestamp) -> Self {
        let deadline = now.plus(new.time_to_decide);
        let mut operation = Self {
            tenant: new.tenant,
            kind: Kind::FunctionCall,
            call_id: new.call_id,
            run_id: new.run_id,
            function: new.function,
            kwargs: new.kwargs,
            extras: new.extras,
            attempt_limit: new.plan.as_ref().map_or(0, |plan| plan.max_attempts),
            plan: new.plan,
            digest: Digest::of_bytes(b""),
            created_at: now,
            deadline,
            state: State::Pending,
            version: 1,
            last_write: write.to_owned(),
            due: Some(deadline.plus(Duration::from_millis(1))),
            decision: None,
            attempts: 0,
            not_before: None,
            unclear: false,
            lease: None,
            outcome: None,
            history: History::default(),
        };
        operation.digest = operation.content_digest();
        let detail = json!({"digest": operation.digest, "deadline": deadline});
        operation.record(now, "created", &new.by, detail, write);
        operation
    }

    /// The digest of the content as it stands now: tenant, kind, function, arguments and plan.
    ///
    /// Equal to [`Operation::digest`] unless somebody changed the item behind the store's back.
    pub fn content_digest(&self) -> Digest {
        self.digest_with(&self.function, &self.kwargs)
    }

    /// The digest this operation would have with another function and other arguments: what
    /// somebody saw who was shown these.
    pub fn digest_with(&self, function: &str, kwargs: &Value) -> Digest {
        Digest::of_json(&json!({
            "tenant": self.tenant,
            "kind": self.kind.as_str(),
            "fn": function,
            "kwargs": kwargs,
            "policy": self.plan.as_ref().map(Plan::revision),
        }))
    }

    /// Whether a second creation asks for the same as this one: all that was specified. The run is
    /// not part of it, an agent that starts again has a new one.
    pub fn asks_the_same(&self, other: &Self) -> bool {
        self.function == other.function
            && same_json(&self.kwargs, &other.kwargs)
            && same_json(&Value::Object(self.extras.clone()), &Value::Object(other.extras.clone()))
    }

    /// Where it stands at `now`: a pending operation past its deadline is expired, whether or not
    /// the timer has written so yet (law 5).
    pub fn state_at(&self, now: Timestamp) -> State {
        if self.state == State::Pending && now > self.deadline {
            State::Expired
        } else {
            self.state
        }
    }

    /// Whether the history is the one that was written for this operation.
    ///
    /// # Errors
    ///
    /// Names the first entry that does not follow from what is before it.
    pub fn verify_history(&self) -> Result<(), HistoryBroken> {
        self.history.verify(self.identity())
    }

    pub(crate) fn record(
        &mut self,
        at: Timestamp,
        event: &str,
        by: &str,
        detail: Value,
        write: &str,
    ) {
        let identity = self.identity();
        let (event, by, write) = (event.to_owned(), by.to_owned(), write.to_owned());
        self.history.push(identity, Entry { at, event, by, detail, write, hash: identity });
    }

    /// What tells this operation from all others: where its history starts.
    fn identity(&self) -> Digest {
        Digest::of_json(&json!([self.tenant, self.kind.as_str(), self.call_id]))
    }

    /// The key under which an executor must do this operation at most once. The same for every
    /// attempt; distinct for every operation of every tenant.
    pub fn idempotency_key(&self) -> String {
        let identity = json!([self.tenant, self.kind.as_str(), self.call_id, self.digest]);
        format!("placet-{}", Digest::of_json(&identity))
    }
}

/// Equal as canonical JSON, so that `1` and `1.0` are the same argument.
fn same_json(left: &Value, right: &Value) -> bool {
    crate::canonical::to_string(left) == crate::canonical::to_string(right)
}
