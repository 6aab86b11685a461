//! HumanLayer's wire format (API `/humanlayer/v1`, client release 0.7.9): incoming requests, outgoing
//! replies, and the webhooks of HumanLayer's cloud.

mod channel;
mod completed;
mod event;
mod notification;
mod reply;
mod request;
#[cfg(test)]
pub(crate) mod sample;
mod spec;

pub use channel::channel;
pub use completed::{Answered, Completed, CompletedError, answer, completed};
pub use event::{Addresses, Format, Subscription};
use notification::notification;
pub use reply::{create_body, item};
pub use request::{Create, create, escalate, respond};
