//! The pure half of Placet: state machines, digests, signatures and wire formats.
//!
//! This crate does not read a clock, draw random numbers or do I/O: callers pass these values in. Start
//! reading at [`item`]: operations, receipts and deliveries are kinds of items.

pub mod address;
pub mod breaker;
pub mod canonical;
pub mod characters;
pub mod delivery;
mod digest;
pub mod email;
mod fields;
pub mod humanlayer;
pub mod item;
pub mod limits;
pub mod operation;
mod payload;
pub mod people;
pub mod percent;
mod period;
pub mod purchase;
pub mod rate;
pub mod receipt;
mod retry;
pub mod routing;
mod secret;
mod signed;
pub mod strict_json;
mod timestamp;
pub mod url;
pub mod webhook;

pub use digest::{Digest, ParseDigestError, hex};
pub use fields::{FieldError, InvalidBody, without_nulls};
pub use payload::Payload;
pub use period::Period;
pub use retry::{backoff, retry_after, spread};
pub use secret::Secret;
pub use signed::{
    DecisionLink, LONGEST_INVITATION, SESSION_TIME, SHORTEST_LINK_KEY, SessionToken, SignInAttempt,
    SignInLink, SigningKeys, Token, TokenError, WeakKey, form_token, is_form_token,
};
pub use timestamp::Timestamp;
