//! Tests of the webhook engine with published vectors and with forged requests, and tests of the stored
//! record. The signing code of these tests is independent of the engine.

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
mod replays;
mod request;
mod rotation;
mod sender;
mod senders;
mod sns;
mod store;
mod times;
mod tokens;
mod twilio;
mod unreadable;
mod vectors;
mod weaknesses;
