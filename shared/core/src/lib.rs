//! The pure half of Placet: types, state machine, digests, signatures and wire formats.
//!
//! Nothing here reads a clock, draws a random number or does I/O: the caller passes all of it in.
//! The state machine is [`Operation::apply`]; everything else serves it.

pub mod canonical;
mod command;
mod digest;
mod history;
pub mod humanlayer;
mod job;
mod link;
mod operation;
pub mod purchase;
mod refusal;
mod retry;
mod secret;
pub mod strict_json;
mod timestamp;
mod transition;
pub mod webhook;

pub use command::{Command, Report, Settlement};
pub use digest::{Digest, ParseDigestError};
pub use history::{Entry, History, HistoryBroken};
pub use job::{Job, Message, MessageError};
pub use link::{DecisionLink, LinkError};
pub use operation::{
    Decision, Failure, Kind, Lease, NewOperation, Operation, Outcome, Plan, State, Verdict,
};
pub use refusal::Refusal;
pub use retry::backoff;
pub use secret::Secret;
pub use timestamp::Timestamp;
pub use transition::{Effect, Transition};
