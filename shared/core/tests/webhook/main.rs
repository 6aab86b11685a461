//! The webhook engine against what senders publish, and against everything a forger can do to a
//! request; and what is stored of a verified one. Signatures are made here with other code than the
//! engine's.

#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

mod crypto;
mod downgrade;
mod grammar;
mod handshakes;
mod identity;
mod jwt;
mod negatives;
mod property;
mod receipt_identity;
mod receipt_record;
mod request;
mod rotation;
mod sender;
mod senders;
mod sns;
mod times;
mod tokens;
mod twilio;
mod vectors;
mod weaknesses;
