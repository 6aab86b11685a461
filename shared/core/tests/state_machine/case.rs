//! One operation, a clock that is moved by hand, and every law checked after every step.

use std::time::Duration;

use placet_core::{
    Command, Digest, Effect, Failure, NewOperation, Operation, Outcome, Plan, Refusal, Report,
    Settlement, State, Timestamp, Verdict,
};
use serde_json::{Map, json};

use crate::laws;

pub const MILLISECOND: Duration = Duration::from_millis(1);
pub const SECOND: Duration = Duration::from_secs(1);
pub const TIME_TO_DECIDE: Duration = Duration::from_secs(3600);
pub const DAY: Duration = Duration::from_secs(24 * 3600);

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

pub struct Case {
    pub operation: Operation,
    pub now: Timestamp,
    /// What the last accepted command wanted done.
    pub effect: Option<Effect>,
}

impl Case {
    pub fn asked(plan: Option<Plan>) -> Self {
        Self::asked_as("call-1", plan)
    }

    pub fn asked_as(call_id: &str, plan: Option<Plan>) -> Self {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let new = NewOperation {
            tenant: "default".into(),
            call_id: call_id.into(),
            run_id: "run-1".into(),
            function: "purchase_materials".into(),
            kwargs: json!({"material": "wood", "quantity": 10, "to": {"city": "Bonn"}}),
            extras: Map::new(),
            plan,
            time_to_decide: TIME_TO_DECIDE,
            by: "api".into(),
        };
        Self { operation: Operation::create(new, "write-1", now), now, effect: None }
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
        let write = format!("write-{}", self.operation.version + 1);
        let transition = self.operation.apply(command, &write, self.now)?;
        if let Err(broken) = laws::check(&self.operation, &transition, &write, self.now) {
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
