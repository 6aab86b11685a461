//! The whole system over real engines, in this process: no sockets in front, a clock that stands
//! still, faults and chaos on demand.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod ledger;
mod published_keys;
mod receiver;
mod world;

mod batch;
mod concurrency;
mod crash;
mod deliveries;
mod flow;
mod forward;
mod ingress;
mod input;
mod links;
mod model;
mod receipts;
mod replay;
mod tamper;
mod webhook;
