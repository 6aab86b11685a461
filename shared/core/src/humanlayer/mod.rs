//! HumanLayer's wire format (API `/humanlayer/v1`, client release 0.7.9): requests in, replies out,
//! and the webhook of its cloud.

mod completed;
mod event;
mod fields;
mod reply;
mod request;
#[cfg(test)]
pub(crate) mod sample;
mod spec;

pub use completed::{Answered, Completed, CompletedError, answer, completed};
pub use event::{Format, Subscription};
pub use fields::FieldError;
pub(crate) use fields::Fields;
pub use reply::{create_body, item};
pub use request::{
    Create, Escalate, InvalidBody, Respond, create, escalate, is_call_id, is_comment, respond,
};
pub(crate) use request::{LONGEST_ID, call_id, content, parse_object, words};
pub use spec::check_channel;
pub(crate) use spec::extras;
