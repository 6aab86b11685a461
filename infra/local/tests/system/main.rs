//! The whole system over real engines, in this process: no sockets in front, a clock that stands
//! still, faults and chaos on demand.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod world;

mod batch;
mod concurrency;
mod crash;
mod flow;
mod input;
mod links;
mod model;
mod tamper;
mod webhook;
