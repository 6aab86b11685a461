//! HumanLayer's wire format (API `/humanlayer/v1`, client release 0.7.9): requests in, replies out,
//! and the webhook of its cloud.

mod completed;
mod fields;
mod reply;
mod request;

pub use completed::{Completed, CompletedCall, CompletedError, completed};
pub use fields::FieldError;
pub use reply::function_call;
pub use request::{CreateCall, InvalidBody, Respond, create_call, is_call_id, is_comment, respond};
