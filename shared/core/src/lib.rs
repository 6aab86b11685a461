//! The pure half of Placet: types, state machine, digests, signatures and wire formats.
//!
//! Nothing here reads a clock, draws a random number or does I/O: the caller passes all of it in.
//! The state machine is [`Operation::apply`]; everything else serves it.

pub mod address;
pub mod canonical;
mod command;
mod content;
pub mod delivery;
mod digest;
mod history;
pub mod humanlayer;
mod job;
mod link;
pub mod native;
mod operation;
mod options;
pub mod percent;
mod period;
pub mod purchase;
mod refusal;
mod retry;
pub mod routing;
mod secret;
mod state;
pub mod strict_json;
mod timestamp;
mod transition;
pub mod webhook;

pub use command::{Command, Report, Settlement};
pub use content::{Content, Kind, OperationId};
pub use digest::{Digest, ParseDigestError, hex};
pub use history::{Entry, History, HistoryBroken};
pub use job::{Job, Message, MessageError};
pub use link::{DecisionLink, LinkError};
pub use operation::{
    Decision, Failure, Lease, NewOperation, Operation, Outcome, Plan, Upstream, Verdict,
};
pub use options::ResponseOption;
pub use period::Period;
pub use refusal::Refusal;
pub use retry::{backoff, retry_after};
pub use secret::Secret;
pub use state::State;
pub use timestamp::Timestamp;
pub use transition::{Effect, Transition, Write};
