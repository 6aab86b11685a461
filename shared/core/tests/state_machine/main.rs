//! Tests of the operation's state machine: examples for every transition and refusal, and random histories
//! that are compared with the laws and with an independent model.

#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

mod acts;
mod approvers;
mod case;
mod commands;
mod decide;
mod execute;
mod follow_up;
mod history;
mod identity;
mod laws;
mod limits;
mod model;
mod notify;
mod property;
mod question;
mod requester;
mod requests;
mod states;
mod tamper;
mod unknown;
mod upstream;
