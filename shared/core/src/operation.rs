use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Content, Digest, Entry, History, HistoryBroken, Kind, OperationId, State, Timestamp};

/// How long after it was asked, another server is first asked for the answer; then twice as long
/// each time.
const FIRST_PAUSE: Duration = Duration::from_secs(30);

/// The longest pause between two such questions.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// How long before the deadline it is asked for the last time: the timer comes once a minute.
const LAST_LOOK: Duration = Duration::from_secs(90);

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
    /// In words, to a question.
    Answer,
}

/// A person's decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Yes, no, or an answer in words.
    pub verdict: Verdict,
    /// What the person wrote; may be empty unless it is the answer.
    pub comment: String,
    /// The name of the reject option or response option that was chosen.
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

/// The server that was asked in our place: HumanLayer's, or one that speaks its language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upstream {
    /// Where its API is, with `/humanlayer/v1`.
    pub base_url: String,
    /// How often it was asked, or asked for the answer.
    pub consulted: u32,
}

/// An operation: what is asked, what was decided, what came of it. One item in the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Whose it is.
    pub tenant: String,
    /// The asker's id of this call, unique in tenant and kind.
    pub call_id: String,
    /// The asker's id of the run this call belongs to.
    pub run_id: String,
    /// What is asked.
    pub content: Content,
    /// The rest of the asker's specification, kept and echoed: channel, options, state.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extras: Map<String, Value>,
    /// How it is run once approved; `None` if the asker runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// Who else was asked; `None` if only the persons here are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Upstream>,
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
    /// When the timer looks at it if nothing else happens. `None` exactly in a terminal state of which
    /// nobody has to be told any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Whether those who want to know of the decision have still to be told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub untold: bool,
    /// What a person said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Attempts started so far.
    pub attempts: u32,
    /// How many attempts may be started in all.
    pub attempt_limit: u32,
    /// No attempt starts before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Whether an attempt ended without anybody knowing if it took effect.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unclear: bool,
    /// Who runs it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
    /// What is asked.
    pub content: Content,
    /// The rest of the specification.
    pub extras: Map<String, Value>,
    /// How it is run once approved.
    pub plan: Option<Plan>,
    /// Where else it is asked: the base URL of a server that speaks HumanLayer's language.
    pub upstream: Option<String>,
    /// How long a person has to decide.
    pub time_to_decide: Duration,
    /// Through which door it came.
    pub by: String,
}

impl Operation {
    /// A pending operation. `write` is the id of the write that stores it.
    pub fn create(new: NewOperation, write: &str, now: Timestamp) -> Self {
        let deadline = now.plus(new.time_to_decide);
        let upstream = new.upstream.map(|base_url| Upstream { base_url, consulted: 0 });
        let mut operation = Self {
            tenant: new.tenant,
            call_id: new.call_id,
            run_id: new.run_id,
            content: new.content,
            extras: new.extras,
            attempt_limit: new.plan.as_ref().map_or(0, |plan| plan.max_attempts),
            plan: new.plan,
            upstream,
            digest: Digest::of_bytes(b""),
            created_at: now,
            deadline,
            state: State::Pending,
            version: 1,
            last_write: write.to_owned(),
            due: None,
            untold: false,
            decision: None,
            attempts: 0,
            not_before: None,
            unclear: false,
            lease: None,
            outcome: None,
            history: History::default(),
        };
        operation.digest = operation.content_digest();
        operation.due = Some(operation.next_look(now));
        let detail = json!({"digest": operation.digest, "deadline": deadline});
        operation.record(now, "created", &new.by, detail, write);
        operation
    }

    /// Which operation this is.
    pub fn id(&self) -> OperationId {
        OperationId::new(&self.tenant, self.kind(), &self.call_id)
    }

    /// What kind of question it is.
    pub const fn kind(&self) -> Kind {
        self.content.kind()
    }

    /// The digest of the content as it stands now: tenant, kind, content and plan.
    ///
    /// Equal to [`Operation::digest`] unless somebody changed the item behind the store's back.
    pub fn content_digest(&self) -> Digest {
        self.digest_with(&self.content)
    }

    /// The digest this operation would have with another content: what somebody saw who was shown
    /// that.
    pub fn digest_with(&self, content: &Content) -> Digest {
        let mut whole = content.to_json();
        whole["tenant"] = self.tenant.as_str().into();
        whole["kind"] = content.kind().as_str().into();
        whole["policy"] = json!(self.plan.as_ref().map(Plan::revision));
        Digest::of_json(&whole)
    }

    /// Whether a second creation asks for the same as this one: all that was specified. The run is
    /// not part of it, an agent that starts again has a new one.
    pub fn asks_the_same(&self, other: &Self) -> bool {
        same_json(&self.content.to_json(), &other.content.to_json())
            && same_json(&Value::Object(self.extras.clone()), &Value::Object(other.extras.clone()))
    }

    /// When the timer looks at a pending operation: after its deadline, and before that whenever the
    /// server that was asked in our place is to be asked for the answer.
    pub(crate) fn next_look(&self, now: Timestamp) -> Timestamp {
        let end = self.deadline.plus(Duration::from_millis(1));
        let consultation = |upstream: &Upstream| {
            let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(upstream.consulted));
            let last = self.deadline.minus(LAST_LOOK);
            if now < last { last.min(now.plus(pause.min(LONGEST_PAUSE))) } else { end }
        };
        self.upstream.as_ref().map_or(end, consultation)
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
        Digest::of_json(&json!([self.tenant, self.kind().as_str(), self.call_id]))
    }

    /// The key under which an executor must do this operation at most once. The same for every
    /// attempt; distinct for every operation of every tenant.
    pub fn idempotency_key(&self) -> String {
        let identity = json!([self.tenant, self.kind().as_str(), self.call_id, self.digest]);
        format!("placet-{}", Digest::of_json(&identity))
    }
}

/// Equal as canonical JSON, so that `1` and `1.0` are the same argument.
fn same_json(left: &Value, right: &Value) -> bool {
    crate::canonical::to_string(left) == crate::canonical::to_string(right)
}
