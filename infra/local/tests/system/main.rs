//! The whole system over real engines, in this process: no sockets in front, a clock that stands
//! still, faults and chaos on demand.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod ask;
mod ledger;
mod published_keys;
mod receiver;
mod world;

mod batch;
mod concurrency;
mod cost;
mod crash;
mod deliveries;
mod edges;
mod flow;
mod forward;
mod humanlayer;
mod ingress;
mod input;
mod keys;
mod links;
mod model;
mod openapi;
mod operations;
mod projects;
mod questions;
mod receipts;
mod replay;
mod tamper;
mod tell;
mod told;
mod upstream;
mod webhook;
