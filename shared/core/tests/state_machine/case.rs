//! One operation, a clock that is moved by hand, and every law checked after every step.

use std::time::Duration;

use placet_core::{
    Command, Content, Digest, Effect, Failure, NewOperation, Operation, Outcome, Plan, Refusal,
    Report, Settlement, State, Timestamp, Verdict, Write,
};
use serde_json::{Map, Value, json};

use crate::laws;

pub const MILLISECOND: Duration = Duration::from_millis(1);
pub const SECOND: Duration = Duration::from_secs(1);
pub const TIME_TO_DECIDE: Duration = Duration::from_secs(3600);
pub const DAY: Duration = Duration::from_secs(24 * 3600);
/// How long until the timer looks whether the endpoints were told.
pub const ANNOUNCE: Duration = Duration::from_secs(300);

/// Three attempts of up to 30 s, looked after within 2 minutes.
pub fn plan(idempotent: bool) -> Plan {
    Plan {
        executor: "function purchase_materials".into(),
        idempotent,
        max_attempts: 3,
        timeout: 30 * SECOND,
        redrive: 120 * SECOND,
    }
}

/// A function call.
pub fn call(plan: Option<Plan>) -> NewOperation {
    NewOperation {
        tenant: "default".into(),
        call_id: "call-1".into(),
        run_id: "run-1".into(),
        content: Content::Call {
            function: "purchase_materials".into(),
            kwargs: json!({"material": "wood", "quantity": 10, "to": {"city": "Bonn"}}),
        },
        extras: Map::new(),
        plan,
        upstream: None,
        time_to_decide: TIME_TO_DECIDE,
        by: "api".into(),
    }
}

/// A question to a person.
pub fn question() -> NewOperation {
    let content = Content::Question { message: "Which wood?".into(), subject: Some("Wood".into()) };
    NewOperation { content, ..call(None) }
}

/// The same, asked of another server too.
pub fn upstream(new: NewOperation) -> NewOperation {
    NewOperation { upstream: Some("https://api.example.org/humanlayer/v1".into()), ..new }
}

pub struct Case {
    pub operation: Operation,
    pub now: Timestamp,
    /// What every write says of the endpoints that want to be told.
    pub announce: Option<Duration>,
    /// What the last accepted command wanted done.
    pub effect: Option<Effect>,
}

impl Case {
    pub fn asked(plan: Option<Plan>) -> Self {
        Self::new(call(plan))
    }

    pub fn new(new: NewOperation) -> Self {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let operation = Operation::create(new, "write-1", now);
        Self { operation, now, announce: None, effect: None }
    }

    /// Endpoints want to be told.
    pub fn announced(mut self) -> Self {
        self.announce = Some(ANNOUNCE);
        self
    }

    pub fn queued(plan: Plan) -> Self {
        let mut case = Self::asked(Some(plan));
        case.wait(600 * SECOND).becomes(&approve(), State::Queued);
        case
    }

    pub fn running(plan: Plan) -> Self {
        let mut case = Self::queued(plan);
        case.wait(SECOND).start_next();
        case
    }

    /// Unknown after its first attempt, which its worker reported as unclear.
    pub fn unknown() -> Self {
        let mut case = Self::running(plan(false));
        case.wait(SECOND).becomes(&finish(1, unclear()), State::Unknown);
        case
    }

    /// Unknown because the only attempt of an idempotent operation ended unclear.
    pub fn unknown_idempotent() -> Self {
        let mut case = Self::running(Plan { max_attempts: 1, ..plan(true) });
        case.wait(SECOND).becomes(&finish(1, unclear()), State::Unknown);
        case
    }

    pub fn wait(&mut self, duration: Duration) -> &mut Self {
        self.now = self.now.plus(duration);
        self
    }

    pub fn wait_until(&mut self, moment: Timestamp) -> &mut Self {
        assert!(moment >= self.now, "time runs one way");
        self.now = moment;
        self
    }

    pub fn due(&self) -> Timestamp {
        self.operation.due.unwrap()
    }

    pub fn not_before(&self) -> Timestamp {
        self.operation.not_before.unwrap()
    }

    /// A start by a worker that is configured as it was approved.
    pub fn start(&self) -> Command {
        Command::Start { plan: self.operation.plan.clone() }
    }

    pub fn settle(&self, settlement: Settlement) -> Command {
        settle(settlement, self.operation.digest, self.operation.attempts)
    }

    pub fn apply(&mut self, command: &Command) -> Result<State, Refusal> {
        let id = format!("write-{}", self.operation.version + 1);
        let write = Write { id: &id, at: self.now, announce: self.announce };
        let transition = self.operation.apply(command, write)?;
        if let Err(broken) = laws::check(&self.operation, &transition, write) {
            panic!("{command:?}\n{broken}");
        }
        self.operation = transition.operation;
        self.effect = transition.effect;
        Ok(self.operation.state)
    }

    #[track_caller]
    pub fn becomes(&mut self, command: &Command, state: State) -> &mut Self {
        assert_eq!(self.apply(command), Ok(state), "{command:?}");
        self
    }

    #[track_caller]
    pub fn refuses(&mut self, command: &Command, refusal: Refusal) -> &mut Self {
        assert_eq!(self.apply(command), Err(refusal), "{command:?}");
        self
    }

    /// Waits for the first moment at which the next attempt may start.
    pub fn until_its_turn(&mut self) -> &mut Self {
        self.wait_until(self.operation.not_before.unwrap_or(self.now).max(self.now))
    }

    #[track_caller]
    pub fn start_next(&mut self) -> &mut Self {
        self.until_its_turn();
        self.becomes(&self.start(), State::Running)
    }

    /// Nobody is heard of until the timer looks, which then finds `state`.
    #[track_caller]
    pub fn lapse(&mut self, state: State) -> &mut Self {
        self.wait_until(self.due()).becomes(&Command::Redrive, state)
    }
}

/// A write nobody is told of.
pub fn write(id: &str, at: Timestamp) -> Write<'_> {
    Write { id, at, announce: None }
}

/// The stored arguments, for somebody who changes them behind the store's back.
pub fn kwargs(operation: &mut Operation) -> &mut Value {
    match &mut operation.content {
        Content::Call { kwargs, .. } => kwargs,
        Content::Question { .. } => panic!("a question has no arguments"),
    }
}

pub fn set_function(operation: &mut Operation, name: &str) {
    match &mut operation.content {
        Content::Call { function, .. } => *function = name.into(),
        Content::Question { .. } => panic!("a question has no function"),
    }
}

pub fn decide(verdict: Verdict, seen: Option<Digest>) -> Command {
    Command::Decide {
        verdict,
        comment: "fine by me".into(),
        option: Some("later".into()),
        by: "inbox".into(),
        seen,
    }
}

pub fn approve() -> Command {
    decide(Verdict::Approve, None)
}

pub fn deny() -> Command {
    decide(Verdict::Deny, None)
}

pub fn answer() -> Command {
    decide(Verdict::Answer, None)
}

pub fn cancel() -> Command {
    Command::Cancel { reason: "bought elsewhere".into(), by: "api".into() }
}

pub fn escalate() -> Command {
    Command::Escalate {
        message: "still waiting".into(),
        recipients: vec!["boss@example.org".into()],
        by: "api".into(),
    }
}

pub fn settle(settlement: Settlement, seen: Digest, attempt: u32) -> Command {
    Command::Settle { settlement, comment: "I looked".into(), by: "inbox".into(), seen, attempt }
}

pub fn finish(attempt: u32, report: Report) -> Command {
    Command::Finish { attempt, report }
}

pub fn succeeded() -> Report {
    Report::Succeeded(json!({"order": 7}))
}

pub fn rejected() -> Report {
    Report::Rejected(failure("rejected"))
}

pub fn not_done() -> Report {
    Report::NotDone(failure("busy"), None)
}

pub fn unclear() -> Report {
    Report::Unclear(failure("timeout"))
}

pub fn failure(code: &str) -> Failure {
    Failure { code: code.into(), message: format!("it was {code}") }
}

pub fn just_before(moment: Timestamp) -> Timestamp {
    Timestamp::from_millis(moment.millis() - 1)
}

pub fn failure_code(operation: &Operation) -> &str {
    match &operation.outcome {
        Some(Outcome::Failure(failure)) => &failure.code,
        other => panic!("no failure: {other:?}"),
    }
}
