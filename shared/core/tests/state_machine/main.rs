//! The operation's state machine against the laws: examples for every transition and refusal, and
//! random histories compared with an independent model.

#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

mod acts;
mod attention;
mod case;
mod decide;
mod execute;
mod identity;
mod laws;
mod limits;
mod model;
mod property;
mod question;
mod states;
mod story;
mod tamper;
mod told;
mod unknown;
mod upstream;
